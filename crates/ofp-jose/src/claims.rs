//! Claims of a JWT (RFC 7519), one rule a function: who validates composes them.

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::{JoseError, jwk::seconds, strict_object};

/// The claims of a JWT whose signature held.
#[derive(Debug, Clone, PartialEq)]
pub struct Claims(pub Map<String, Value>);

/// `aud`: one string or a list (RFC 7519 §4.1.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Audience {
    /// A single string.
    One(String),
    /// A list of strings.
    Many(Vec<String>),
}

impl Audience {
    /// Whether `name` is addressed.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        match self {
            Self::One(one) => one == name,
            Self::Many(many) => many.iter().any(|each| each == name),
        }
    }
}

impl std::fmt::Display for Audience {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::One(one) => f.write_str(one),
            Self::Many(many) => write!(f, "[{}]", many.join(", ")),
        }
    }
}

impl Claims {
    /// Takes a payload apart.
    ///
    /// # Errors
    /// [`JoseError::ClaimsNotJson`].
    pub fn parse(payload: &[u8]) -> Result<Self, JoseError> {
        strict_object(payload)
            .map(Self)
            .map_err(|e| JoseError::ClaimsNotJson { detail: e.to_string() })
    }

    /// A claim that must be a non-empty string.
    ///
    /// # Errors
    /// [`JoseError::ClaimMissing`] or [`JoseError::ClaimType`].
    pub fn text(&self, claim: &'static str) -> Result<&str, JoseError> {
        match self.0.get(claim) {
            None => Err(JoseError::ClaimMissing { claim }),
            Some(Value::String(text)) if !text.is_empty() => Ok(text),
            Some(other) => Err(wrong_type(claim, "a non-empty string", other)),
        }
    }

    /// A claim that must equal `expected`.
    ///
    /// # Errors
    /// As [`Claims::text`], or [`JoseError::ClaimValue`].
    pub fn equals(&self, claim: &'static str, expected: &str) -> Result<(), JoseError> {
        let actual = self.text(claim)?;
        if actual == expected {
            return Ok(());
        }
        Err(JoseError::ClaimValue {
            claim,
            expected: expected.to_owned(),
            actual: actual.to_owned(),
        })
    }

    /// A NumericDate, if the claim is there. Fractions are legal (RFC 7519 §2), strings are not.
    ///
    /// # Errors
    /// [`JoseError::ClaimType`].
    pub fn numeric_date(&self, claim: &'static str) -> Result<Option<f64>, JoseError> {
        match self.0.get(claim) {
            None => Ok(None),
            Some(value) => match value.as_f64() {
                Some(date) => Ok(Some(date)),
                None => Err(wrong_type(claim, "a number of seconds since 1970", value)),
            },
        }
    }

    /// A NumericDate that must be there.
    ///
    /// # Errors
    /// [`JoseError::ClaimMissing`] or [`JoseError::ClaimType`].
    pub fn required_date(&self, claim: &'static str) -> Result<f64, JoseError> {
        self.numeric_date(claim)?.ok_or(JoseError::ClaimMissing { claim })
    }

    /// `exp` is there and after `now`.
    ///
    /// # Errors
    /// [`JoseError::Expired`], or about a missing or mistyped claim.
    #[expect(clippy::cast_precision_loss, reason = "seconds since 1970 fit a double exactly")]
    pub fn not_expired(&self, now: Timestamp) -> Result<f64, JoseError> {
        let (exp, now) = (self.required_date("exp")?, seconds(now));
        if exp > now as f64 { Ok(exp) } else { Err(JoseError::Expired { exp, now }) }
    }

    /// `nbf`, if there, is at most `leeway` seconds after `now`.
    ///
    /// # Errors
    /// [`JoseError::NotYetValid`] or [`JoseError::ClaimType`].
    #[expect(clippy::cast_precision_loss, reason = "seconds since 1970 fit a double exactly")]
    pub fn valid_from(&self, now: Timestamp, leeway: i64) -> Result<(), JoseError> {
        let now = seconds(now);
        match self.numeric_date("nbf")? {
            Some(nbf) if nbf > (now + leeway) as f64 => {
                Err(JoseError::NotYetValid { nbf, now, leeway })
            }
            _ => Ok(()),
        }
    }

    /// `claim` (iat or nbf) is there, at most `ahead` seconds after `now`, at most `limit` before.
    ///
    /// # Errors
    /// [`JoseError::IssuedInFuture`], [`JoseError::TooOld`], or about a missing or mistyped claim.
    #[expect(clippy::cast_precision_loss, reason = "seconds since 1970 fit a double exactly")]
    pub fn issued_within(
        &self,
        claim: &'static str,
        now: Timestamp,
        limit: i64,
        ahead: i64,
    ) -> Result<f64, JoseError> {
        let (at, now) = (self.required_date(claim)?, seconds(now));
        if at > (now + ahead) as f64 {
            return Err(JoseError::IssuedInFuture { iat: at, now, leeway: ahead });
        }
        if at < (now - limit) as f64 {
            return Err(JoseError::TooOld { claim, at, now, limit });
        }
        Ok(at)
    }

    /// `exp` is at most `limit` seconds after `from` (iat or nbf).
    ///
    /// # Errors
    /// [`JoseError::LivesTooLong`], or about a missing or mistyped claim.
    #[expect(clippy::cast_precision_loss, reason = "a limit of seconds fits a double exactly")]
    pub fn lives_at_most(&self, from: &'static str, limit: i64) -> Result<(), JoseError> {
        let actual = self.required_date("exp")? - self.required_date(from)?;
        if actual <= limit as f64 {
            Ok(())
        } else {
            Err(JoseError::LivesTooLong { from, actual, limit })
        }
    }

    /// `aud`.
    ///
    /// # Errors
    /// [`JoseError::ClaimMissing`] or [`JoseError::ClaimType`].
    pub fn audience(&self) -> Result<Audience, JoseError> {
        let expected = "a string or a list of strings";
        match self.0.get("aud") {
            None => Err(JoseError::ClaimMissing { claim: "aud" }),
            Some(Value::String(one)) => Ok(Audience::One(one.clone())),
            Some(value @ Value::Array(many)) => many
                .iter()
                .map(|each| each.as_str().map(str::to_owned))
                .collect::<Option<Vec<_>>>()
                .map(Audience::Many)
                .ok_or_else(|| wrong_type("aud", expected, value)),
            Some(other) => Err(wrong_type("aud", expected, other)),
        }
    }

    /// `aud` names `expected`, perhaps among others.
    ///
    /// # Errors
    /// [`JoseError::WrongAudience`], or about a missing or mistyped claim.
    pub fn addressed_to(&self, expected: &str) -> Result<(), JoseError> {
        let aud = self.audience()?;
        if aud.contains(expected) { Ok(()) } else { Err(wrong_audience(expected, &aud)) }
    }

    /// `aud` is the single string `expected` (FAPI 2.0 SP §5.3.2.1 for assertions).
    ///
    /// # Errors
    /// [`JoseError::WrongAudience`], or about a missing or mistyped claim.
    pub fn addressed_only_to(&self, expected: &str) -> Result<(), JoseError> {
        match self.audience()? {
            Audience::One(one) if one == expected => Ok(()),
            aud @ Audience::One(_) => Err(wrong_audience(expected, &aud)),
            aud @ Audience::Many(_) => {
                Err(wrong_audience(&format!("the single string {expected}"), &aud))
            }
        }
    }
}

fn wrong_audience(expected: &str, actual: &Audience) -> JoseError {
    JoseError::WrongAudience { expected: expected.to_owned(), actual: actual.to_string() }
}

fn wrong_type(claim: &'static str, expected: &'static str, value: &Value) -> JoseError {
    JoseError::ClaimType { claim, expected, actual: value.to_string().chars().take(60).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claims(text: &str) -> Claims {
        Claims::parse(text.as_bytes()).unwrap()
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn each_rule_says_what_it_saw() {
        let now = at(1000);
        type Rule = fn(&Claims, Timestamp) -> Result<(), JoseError>;
        let cases: [(&str, Rule, &str); 11] = [
            (r#"{}"#, |c, n| c.not_expired(n).map(drop), "claim exp is missing"),
            (
                r#"{"exp":1000}"#,
                |c, n| c.not_expired(n).map(drop),
                "expired: exp 1000 is not after now 1000",
            ),
            (
                r#"{"exp":"1001"}"#,
                |c, n| c.not_expired(n).map(drop),
                "claim exp must be a number of seconds since 1970, not \"1001\"",
            ),
            (
                r#"{"nbf":1010.5}"#,
                |c, n| c.valid_from(n, 10),
                "not yet valid: nbf 1010.5 is more than 10 s after now 1000",
            ),
            (
                r#"{"iat":1061}"#,
                |c, n| c.issued_within("iat", n, 300, 60).map(drop),
                "issued in the future: iat 1061 is more than 60 s after now 1000",
            ),
            (
                r#"{"iat":699}"#,
                |c, n| c.issued_within("iat", n, 300, 60).map(drop),
                "too old: iat 699 is more than 300 s before now 1000",
            ),
            (
                r#"{"iat":1,"exp":602}"#,
                |c, _| c.lives_at_most("iat", 600),
                "lives too long: exp is 601 s after iat, at most 600 s are allowed",
            ),
            (
                r#"{"aud":["a"]}"#,
                |c, _| c.addressed_only_to("a"),
                "aud must be the single string a, not [a]",
            ),
            (r#"{"aud":"b"}"#, |c, _| c.addressed_to("a"), "aud must be a, not b"),
            (
                r#"{"aud":[1]}"#,
                |c, _| c.addressed_to("a"),
                "claim aud must be a string or a list of strings, not [1]",
            ),
            (r#"{"iss":"x"}"#, |c, _| c.equals("iss", "y"), "claim iss must be y, not x"),
        ];
        for (text, rule, expected) in cases {
            assert_eq!(rule(&claims(text), now).unwrap_err().to_string(), expected, "{text}");
        }
    }

    #[test]
    fn fractions_are_legal() {
        let c = claims(r#"{"exp":1000.5,"iat":999.25,"nbf":1005}"#);
        assert!(c.not_expired(at(1000)).is_ok());
        assert!(c.issued_within("iat", at(1000), 300, 10).is_ok());
        assert!(c.valid_from(at(1000), 10).is_ok());
    }
}
