//! What a step's author expects of it.

use std::{borrow::Cow, collections::BTreeMap, fmt, ops::Range};

use ofp_types::{ConsentStatus, ErrorCode};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer,
    de::{Error as _, SeqAccess, Visitor},
};
use serde_json::Value;

use crate::{Answers, Located, Span, suggest};

/// A screen of the DP, as `expect: { screen: … }` names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Screen {
    /// Asks for credentials.
    Login,
    /// Lists accounts.
    AccountSelection,
    /// Shows the consent, with approve and reject.
    Review,
    /// Says how it ended.
    Result,
}

impl Screen {
    /// As it is written.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::AccountSelection => "account_selection",
            Self::Review => "review",
            Self::Result => "result",
        }
    }
}

/// What a step's author expects of it. Which keys make sense depends on the verb.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Expect {
    /// The HTTP status of the answer, or a list of which any will do.
    pub status: Option<Located<Statuses>>,
    /// Headers of the answer: name to exact text, `true` for any, `false` for none.
    pub headers: Option<BTreeMap<String, Located<Presence>>>,
    /// JSONPath to value: what the answer's JSON must hold, among other things. A leading `$.` may
    /// be left out, and nothing behind a path is JSON's null. Objects are compared in part, lists whole; where a path finds several values, one of them will do.
    pub json: Option<BTreeMap<String, Located<Value>>>,
    /// JSONPath to value: what is there must be exactly this, nothing less and nothing more; where a path finds several
    /// values, each of them. `$` is the whole.
    pub json_exact: Option<BTreeMap<String, Located<Value>>>,
    /// JSONPaths at which the answer's JSON must have nothing.
    pub json_absent: Option<Vec<Located<String>>>,
    /// Parameters of the redirect that the step ends with (code, state, iss, response, error…): name to exact text,
    /// `true` for any, `false` for none.
    pub redirect: Option<BTreeMap<String, Located<Presence>>>,
    /// The signed message (JWS) in the answer, after its signature has been verified; `{}` for any.
    pub jwt: Option<Located<ExpectJwt>>,
    /// The encrypted part (JWE) of the answer; `{}` for any.
    pub jwe: Option<Located<ExpectJwe>>,
    /// The TLS connection on which the DP was called.
    pub tls: Option<Located<ExpectTls>>,
    /// That the DP refuses the call (`true`), or does not (`false`); or the error code that it refuses with, such
    /// as `JWS.InvalidSignature`. Another code of the same family, what stands before the dot, will do: which one it must
    /// be is for O-04 to judge.
    pub refused: Option<Located<Refused>>,
    /// How long the step may take.
    pub time: Option<Located<ExpectTime>>,
    /// The status that the consent has at PayNet after the step, or reaches within five seconds.
    pub consent: Option<Located<ConsentStatus>>,
    /// Requirement to verdict (pass, fail, warn, not_tested, not_applicable): what the scenario as a whole shows.
    pub requirements: Option<BTreeMap<RequirementKey, Located<VerdictWord>>>,
    /// The screen of the DP that follows.
    pub screen: Option<Located<Screen>>,
    /// What the page that follows must say, among other things, whatever the case.
    pub text: Option<Located<String>>,
}

impl Expect {
    /// The keys that are written, in the order of the language reference.
    #[must_use]
    pub fn written(&self) -> Vec<&'static str> {
        let all = [
            ("status", self.status.is_some()),
            ("headers", self.headers.is_some()),
            ("json", self.json.is_some()),
            ("json_exact", self.json_exact.is_some()),
            ("json_absent", self.json_absent.is_some()),
            ("redirect", self.redirect.is_some()),
            ("jwt", self.jwt.is_some()),
            ("jwe", self.jwe.is_some()),
            ("tls", self.tls.is_some()),
            ("refused", self.refused.is_some()),
            ("time", self.time.is_some()),
            ("consent", self.consent.is_some()),
            ("requirements", self.requirements.is_some()),
            ("screen", self.screen.is_some()),
            ("text", self.text.is_some()),
        ];
        all.into_iter().filter_map(|(name, written)| written.then_some(name)).collect()
    }

    /// Which keys can be met by what comes of a verb.
    #[must_use]
    pub fn possible(answers: Answers) -> &'static [&'static str] {
        match answers {
            Answers::Http => &[
                "status",
                "headers",
                "json",
                "json_exact",
                "json_absent",
                "jwt",
                "jwe",
                "tls",
                "time",
                "consent",
                "requirements",
            ],
            Answers::Platform => &[
                "status",
                "headers",
                "json",
                "json_exact",
                "json_absent",
                "time",
                "consent",
                "requirements",
            ],
            Answers::Said => {
                &["status", "json", "json_exact", "json_absent", "time", "consent", "requirements"]
            }
            Answers::Probe => &[
                "status",
                "headers",
                "json",
                "json_exact",
                "json_absent",
                "redirect",
                "jwt",
                "jwe",
                "tls",
                "refused",
                "time",
                "consent",
                "requirements",
            ],
            Answers::Page => {
                &["headers", "redirect", "tls", "time", "consent", "requirements", "screen", "text"]
            }
            Answers::WayBack => &["redirect", "time", "consent", "requirements"],
            Answers::Nothing => &["time", "consent", "requirements"],
        }
    }

    /// The JSONPaths that are asked.
    pub(crate) fn paths(&self) -> impl Iterator<Item = (&str, Range<usize>)> {
        let jwt = self.jwt.iter().flat_map(|jwt| [&jwt.value.header, &jwt.value.claims]);
        let decoded = jwt.chain(self.jwe.iter().map(|jwe| &jwe.value.header));
        let named = self.json.iter().chain(&self.json_exact).chain(decoded).flatten();
        let named = named.map(|(path, value)| (path.as_str(), value.span.clone()));
        let absent = self.json_absent.iter().flatten();
        named.chain(absent.map(|path| (path.value.as_str(), path.span.clone())))
    }
}

/// A text, any, or none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Presence {
    /// This one.
    Exactly(String),
    /// Any.
    Any,
    /// None.
    Absent,
}

impl Presence {
    /// Whether something that came, or did not, is as expected.
    #[must_use]
    pub fn holds(&self, came: Option<&str>) -> bool {
        match self {
            Self::Exactly(text) => came == Some(text),
            Self::Any => came.is_some(),
            Self::Absent => came.is_none(),
        }
    }
}

impl fmt::Display for Presence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exactly(text) => f.write_str(text),
            Self::Any => f.write_str("any value"),
            Self::Absent => f.write_str("none"),
        }
    }
}

impl<'de> Deserialize<'de> for Presence {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let expected = "expected a text, true for any, or false for none";
        match Value::deserialize(deserializer)? {
            Value::Bool(true) => Ok(Self::Any),
            Value::Bool(false) => Ok(Self::Absent),
            Value::String(text) => Ok(Self::Exactly(text)),
            Value::Number(number) => Ok(Self::Exactly(number.to_string())),
            Value::Null => Err(D::Error::custom(format!("{expected}, found nothing"))),
            other => Err(D::Error::custom(format!("{expected}, found `{other}`"))),
        }
    }
}

impl JsonSchema for Presence {
    fn schema_name() -> Cow<'static, str> {
        "Presence".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["string", "boolean", "number"] })
    }
}

/// Whether a call is refused, and with which code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    /// It is, or it is not.
    Any(bool),
    /// With this error code, which is compared with what the answer says; another code in the family is a
    /// finding of the requirement that the code belongs to.
    Code(String),
}

impl Refused {
    /// Whether a refusal is wanted.
    #[must_use]
    pub fn is_wanted(&self) -> bool {
        !matches!(self, Self::Any(false))
    }
}

impl<'de> Deserialize<'de> for Refused {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::Bool(refused) => Ok(Self::Any(refused)),
            // what an earlier step captures is known later
            Value::String(code) if ErrorCode::exact(&code).is_some() || code.contains("{{") => {
                Ok(Self::Code(code))
            }
            Value::String(word) if matches!(word.as_str(), "true" | "false") => {
                Err(D::Error::custom(format!("`{word}` stands here without quotes")))
            }
            Value::String(other) => {
                let codes: Vec<&str> = ErrorCode::ALL.iter().map(|code| code.as_str()).collect();
                let meant = match suggest::closest(&other, &codes) {
                    Some(meant) => format!("did you mean `{meant}`?"),
                    None => "such as JWS.InvalidSignature or Consent.Invalid".to_owned(),
                };
                Err(D::Error::custom(format!(
                    "expected true, false, or an error code of the platform, found `{other}`: {meant}"
                )))
            }
            _ => Err(D::Error::custom(
                "expected true, false, or an error code such as JWS.InvalidSignature",
            )),
        }
    }
}

impl JsonSchema for Refused {
    fn schema_name() -> Cow<'static, str> {
        "Refused".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let codes: Vec<&str> = ErrorCode::ALL.iter().map(|code| code.as_str()).collect();
        json_schema!({ "anyOf": [{ "type": "boolean" }, { "enum": codes }] })
    }
}

/// What a JWS must say.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ExpectJwt {
    /// Where it is: a header of the answer such as `x-signature`; without it, the body, else the first header that
    /// has one.
    pub r#in: Option<String>,
    /// JSONPath to value in the JOSE header.
    pub header: BTreeMap<String, Located<Value>>,
    /// JSONPath to value in the claims.
    pub claims: BTreeMap<String, Located<Value>>,
}

/// What a JWE must say.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ExpectJwe {
    /// JSONPath to value in the JOSE header.
    pub header: BTreeMap<String, Located<Value>>,
}

/// What a TLS connection must be.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ExpectTls {
    /// The version: `TLSv1.3` or `TLSv1.2`.
    pub version: Option<String>,
    /// The alert or reason by which the handshake or the first read failed, such as `certificate required`: a part
    /// of it will do.
    pub alert: Option<String>,
}

/// How long something may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExpectTime {
    /// At most this long.
    pub at_most: Span,
}

/// A requirement's id as a key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct RequirementKey(pub String);

/// What a scenario can show of a requirement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum VerdictWord {
    /// It holds, and there is evidence of it.
    Pass,
    /// It does not hold.
    Fail,
    /// It is a should, and does not hold.
    Warn,
    /// Nothing that came would show it.
    NotTested,
    /// It does not apply to this DP or profile.
    NotApplicable,
}

impl VerdictWord {
    /// As it is written.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Warn => "warn",
            Self::NotTested => "not_tested",
            Self::NotApplicable => "not_applicable",
        }
    }
}

/// HTTP statuses, any of which will do: at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statuses(Vec<u16>);

impl Statuses {
    /// Whether a status is among them.
    #[must_use]
    pub fn contains(&self, status: u16) -> bool {
        self.0.contains(&status)
    }

    /// Whether all of them are errors (RFC 9110 §15).
    #[must_use]
    pub fn are_errors(&self) -> bool {
        self.0.iter().all(|status| *status >= 400)
    }

    /// Whether none of them says success.
    #[must_use]
    pub fn exclude_success(&self) -> bool {
        !self.0.iter().any(|status| (200..300).contains(status))
    }
}

impl fmt::Display for Statuses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&all.join(" or "))
    }
}

impl<'de> Deserialize<'de> for Statuses {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StatusesVisitor)
    }
}

impl JsonSchema for Statuses {
    fn schema_name() -> Cow<'static, str> {
        "Statuses".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let status = json_schema!({ "type": "integer", "minimum": 100, "maximum": 599 });
        json_schema!({ "anyOf": [status, { "type": "array", "items": status, "minItems": 1 }] })
    }
}

struct StatusesVisitor;

impl<'de> Visitor<'de> for StatusesVisitor {
    type Value = Statuses;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an HTTP status, or a list of them")
    }

    fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<Statuses, E> {
        let status = u16::try_from(number).ok().filter(|status| (100..600).contains(status));
        let status = status.ok_or_else(|| {
            E::custom(format!("expected an HTTP status from 100 to 599, found {number}"))
        })?;
        Ok(Statuses(vec![status]))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Statuses, A::Error> {
        let mut all = Vec::new();
        while let Some(status) = list.next_element::<u16>()? {
            if !(100..600).contains(&status) {
                let title = format!("expected HTTP statuses from 100 to 599, found {status}");
                return Err(A::Error::custom(title));
            }
            all.push(status);
        }
        match all.is_empty() {
            true => Err(A::Error::custom("expected at least one HTTP status, found none")),
            false => Ok(Statuses(all)),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{Context, Source, parse_scenarios};

    #[test]
    fn any_of_several_statuses_will_do() {
        let problems = |status: &str| {
            let text = format!(
                "scenario: a\ntitle: A\nsteps:\n  - paynet.check_health:\n    expect: {{ status: {status} }}\n"
            );
            let (scenarios, problems) =
                parse_scenarios(&Source::new("a.yaml", text), &Context::default());
            let shown = scenarios.first().and_then(|one| one.steps[0].expect.status.clone());
            let shown = shown.map(|status| status.value.to_string());
            (shown, problems.into_iter().map(|problem| problem.title).collect::<Vec<_>>())
        };
        assert_eq!(problems("503").0.as_deref(), Some("503"));
        assert_eq!(problems("[503, 403]").0.as_deref(), Some("503 or 403"));
        for (status, wanted) in [
            ("[]", "at least one HTTP status"),
            ("[200, 7]", "from 100 to 599, found 7"),
            ("99", "from 100 to 599, found 99"),
            ("ok", "an HTTP status, or a list of them"),
        ] {
            let (_, titles) = problems(status);
            assert!(titles.iter().any(|title| title.contains(wanted)), "{status}: {titles:?}");
        }
    }
}
