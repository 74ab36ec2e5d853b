//! Faults of the platform as data: what goes wrong where, and how often.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

/// A message of the platform that a fault can strike. The first group are answers of PayNet, the
/// second its own calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FaultPoint {
    /// A1, A2.
    Discovery,
    /// A3 to A5.
    Jwks,
    /// A6.
    Par,
    /// A7.
    Authorize,
    /// A8.
    Callback,
    /// A9.
    Token,
    /// A10.
    Introspection,
    /// A11.
    Revocation,
    /// A12.
    Userinfo,
    /// B1.
    Providers,
    /// B2.
    Account,
    /// B3.
    Balances,
    /// B4.
    Transactions,
    /// B5.
    UpdateConsent,
    /// B6.
    RetrieveConsent,
    /// B7.
    RevokeConsent,
    /// B8.
    SuspendConsent,
    /// B8.
    ReactivateConsent,
    /// D1: an event to the DP.
    ConsentEvent,
    /// C1: an event to the DC.
    DcEvent,
    /// D2: the link to the DP's authorize endpoint.
    DpAuthorize,
    /// D3: PayNet's own call.
    DpUserinfo,
    /// D5 to D7: PayNet's own calls.
    DpResource,
}

impl FaultPoint {
    /// Whether PayNet is the caller there.
    #[must_use]
    pub fn is_call(self) -> bool {
        self.is_event() || matches!(self, Self::DpAuthorize | Self::DpUserinfo | Self::DpResource)
    }

    /// Whether an event travels there.
    #[must_use]
    pub fn is_event(self) -> bool {
        matches!(self, Self::ConsentEvent | Self::DcEvent)
    }

    /// Whether PayNet signs something there.
    #[must_use]
    pub fn is_signed(self) -> bool {
        self.is_call() || matches!(self, Self::Token | Self::Callback)
    }
}

/// How a signature of the platform is spoilt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum JoseFault {
    /// One bit of the signature is flipped.
    BadSignature,
    /// The kid is nobody's.
    UnknownKid,
    /// `alg` is `none`, and there is no signature.
    AlgNone,
}

/// What a fault does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Answers with this HTTP status; nothing is carried out.
    Status(u16),
    /// Waits, then goes on as usual.
    Delay(SignedDuration),
    /// Closes the connection in the middle of the answer; nothing is carried out.
    Reset,
    /// Never answers; nothing is carried out.
    Silent,
    /// Carries out what was asked, and answers with an empty body.
    Empty,
    /// Carries out what was asked, and answers with something that is no JSON and no JWS.
    Malformed,
    /// Carries out what was asked, and cuts the body in half.
    Truncated,
    /// Carries out what was asked, and calls the answer a page of HTML.
    ContentType,
    /// Spoils the signature of the message.
    Jose(JoseFault),
    /// Sends an event twice.
    Duplicate,
    /// Holds an event back until the next one has been sent.
    OutOfOrder,
    /// Never sends an event.
    Lost,
}

/// How often a fault strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultLife {
    /// This often.
    Times(u32),
    /// Until the faults are reset.
    UntilReset,
}

/// A fault of the platform: where, what, how often. In YAML and JSON one key says what:
/// `{ at: token, status: 503, times: 2 }`, `{ at: balances, delay: 3s }`, `{ at: callback, jose: bad_signature }`,
/// `{ at: consent_event, duplicate: true }`, `{ at: jwks, status: 500, until_reset: true }`. Once, unless it
/// says otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct PlatformFault {
    /// Which message.
    pub at: FaultPoint,
    /// What happens to it.
    pub effect: Effect,
    /// How often.
    pub life: FaultLife,
}

/// Why a fault makes no sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidFault {
    /// No message.
    #[error("a fault says where it strikes, such as `at: token`")]
    Nowhere,
    /// None or several effects.
    #[error(
        "a fault needs exactly one of status, delay, reset, silent, empty, malformed, truncated, content_type, jose, duplicate, out_of_order, lost; this has {0}"
    )]
    Effects(usize),
    /// A status that is none.
    #[error("status must be an error, 400 to 599, not {0}")]
    Status(u16),
    /// A delay without end or none.
    #[error("delay must be more than nothing and at most 60s, not {0:#}")]
    Delay(SignedDuration),
    /// An effect that this message cannot take.
    #[error("{effect} cannot happen at `{at}`: {because}")]
    Impossible {
        /// The effect's key.
        effect: &'static str,
        /// The message.
        at: String,
        /// Why not.
        because: &'static str,
    },
    /// Two answers to how often.
    #[error(
        "say how often in one way: `times` from 1, or `until_reset: true`, or neither for once"
    )]
    Life,
}

/// The flat form of a fault.
#[derive(Debug, Clone, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct Written {
    /// Which message it strikes.
    at: Option<FaultPoint>,
    /// The HTTP status of the answer, 400 to 599; nothing is carried out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    /// How long the answer or the call waits, at most 60s.
    #[schemars(with = "Option<String>")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    delay: Option<SignedDuration>,
    /// Closes the connection in the middle of the answer.
    #[serde(default, skip_serializing_if = "is_false")]
    reset: bool,
    /// Never answers: where PayNet answers, not where it calls.
    #[serde(default, skip_serializing_if = "is_false")]
    silent: bool,
    /// Carries out what was asked, and answers with an empty body.
    #[serde(default, skip_serializing_if = "is_false")]
    empty: bool,
    /// Carries out what was asked, and answers with something that is no JSON and no JWS.
    #[serde(default, skip_serializing_if = "is_false")]
    malformed: bool,
    /// Carries out what was asked, and cuts the body in half.
    #[serde(default, skip_serializing_if = "is_false")]
    truncated: bool,
    /// Carries out what was asked, and calls the answer a page of HTML.
    #[serde(default, skip_serializing_if = "is_false")]
    content_type: bool,
    /// Spoils the signature of the message: `token`, `callback`, `consent_event`, `dc_event`, `dp_authorize`, `dp_userinfo`,
    /// `dp_resource`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    jose: Option<JoseFault>,
    /// Sends an event twice: `consent_event`, `dc_event`; so do `out_of_order` and `lost`.
    #[serde(default, skip_serializing_if = "is_false")]
    duplicate: bool,
    /// Holds an event back until the next one has been sent.
    #[serde(default, skip_serializing_if = "is_false")]
    out_of_order: bool,
    /// Never sends an event.
    #[serde(default, skip_serializing_if = "is_false")]
    lost: bool,
    /// How often it strikes; once unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    times: Option<u32>,
    /// Strikes until `paynet.reset_faults`.
    #[serde(default, skip_serializing_if = "is_false")]
    until_reset: bool,
}

impl schemars::JsonSchema for PlatformFault {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "PlatformFault".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        Written::json_schema(generator)
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_false(value: &bool) -> bool {
    !value
}

impl TryFrom<Written> for PlatformFault {
    type Error = InvalidFault;

    fn try_from(written: Written) -> Result<Self, InvalidFault> {
        let at = written.at.ok_or(InvalidFault::Nowhere)?;
        let switches = [
            (written.reset, Effect::Reset),
            (written.silent, Effect::Silent),
            (written.empty, Effect::Empty),
            (written.malformed, Effect::Malformed),
            (written.truncated, Effect::Truncated),
            (written.content_type, Effect::ContentType),
            (written.duplicate, Effect::Duplicate),
            (written.out_of_order, Effect::OutOfOrder),
            (written.lost, Effect::Lost),
        ];
        let switched = switches.into_iter().filter(|(on, _)| *on).map(|(_, effect)| effect);
        let valued = [
            written.status.map(Effect::Status),
            written.delay.map(Effect::Delay),
            written.jose.map(Effect::Jose),
        ];
        let effects: Vec<Effect> = switched.chain(valued.into_iter().flatten()).collect();
        let [effect] = effects[..] else { return Err(InvalidFault::Effects(effects.len())) };
        let life = match (written.times, written.until_reset) {
            (None, false) => FaultLife::Times(1),
            (Some(times), false) if times > 0 => FaultLife::Times(times),
            (None, true) => FaultLife::UntilReset,
            _ => return Err(InvalidFault::Life),
        };
        Self { at, effect, life }.checked()
    }
}

impl From<PlatformFault> for Written {
    fn from(fault: PlatformFault) -> Self {
        let mut written = Self { at: Some(fault.at), ..Self::default() };
        match fault.effect {
            Effect::Status(status) => written.status = Some(status),
            Effect::Delay(delay) => written.delay = Some(delay),
            Effect::Jose(jose) => written.jose = Some(jose),
            Effect::Reset => written.reset = true,
            Effect::Silent => written.silent = true,
            Effect::Empty => written.empty = true,
            Effect::Malformed => written.malformed = true,
            Effect::Truncated => written.truncated = true,
            Effect::ContentType => written.content_type = true,
            Effect::Duplicate => written.duplicate = true,
            Effect::OutOfOrder => written.out_of_order = true,
            Effect::Lost => written.lost = true,
        }
        match fault.life {
            FaultLife::Times(1) => {}
            FaultLife::Times(times) => written.times = Some(times),
            FaultLife::UntilReset => written.until_reset = true,
        }
        written
    }
}

impl Effect {
    /// The key that stands for it.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Status(_) => "status",
            Self::Delay(_) => "delay",
            Self::Reset => "reset",
            Self::Silent => "silent",
            Self::Empty => "empty",
            Self::Malformed => "malformed",
            Self::Truncated => "truncated",
            Self::ContentType => "content_type",
            Self::Jose(_) => "jose",
            Self::Duplicate => "duplicate",
            Self::OutOfOrder => "out_of_order",
            Self::Lost => "lost",
        }
    }
}

impl PlatformFault {
    /// Refuses what could never strike.
    fn checked(self) -> Result<Self, InvalidFault> {
        match self.effect {
            Effect::Status(status) if !(400..600).contains(&status) => {
                return Err(InvalidFault::Status(status));
            }
            Effect::Delay(delay)
                if !delay.is_positive() || delay > SignedDuration::from_secs(60) =>
            {
                return Err(InvalidFault::Delay(delay));
            }
            _ => {}
        }
        let because = match self.effect {
            Effect::Duplicate | Effect::OutOfOrder | Effect::Lost if !self.at.is_event() => {
                "only consent_event and dc_event are events"
            }
            Effect::Jose(_) if !self.at.is_signed() => "the platform signs nothing there",
            Effect::Status(_)
            | Effect::Reset
            | Effect::Silent
            | Effect::Empty
            | Effect::Malformed
            | Effect::Truncated
            | Effect::ContentType
                if self.at.is_call() =>
            {
                "it is a call of PayNet, not an answer"
            }
            _ => return Ok(self),
        };
        let at = serde_json::to_value(self.at).ok();
        let at = at.as_ref().and_then(|at| at.as_str()).unwrap_or_default().to_owned();
        Err(InvalidFault::Impossible { effect: self.effect.key(), at, because })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<PlatformFault, String> {
        serde_json::from_str(text).map_err(|e| e.to_string())
    }

    #[test]
    fn a_fault_says_where_what_and_how_often() {
        let fault = read(r#"{"at":"token","status":503,"times":2}"#).unwrap();
        assert_eq!(fault.effect, Effect::Status(503));
        assert_eq!(fault.life, FaultLife::Times(2));
        let fault = read(r#"{"at":"balances","delay":"3s"}"#).unwrap();
        assert_eq!(fault.effect, Effect::Delay(SignedDuration::from_secs(3)));
        for text in [
            r#"{"at":"consent_event","duplicate":true,"until_reset":true}"#,
            r#"{"at":"callback","jose":"alg_none"}"#,
            r#"{"at":"jwks","status":500,"times":3}"#,
        ] {
            let fault = read(text).unwrap();
            assert_eq!(serde_json::to_string(&fault).unwrap(), text);
        }
    }

    #[test]
    fn what_could_never_strike_is_refused() {
        for (text, why) in [
            (r#"{"at":"token"}"#, "this has 0"),
            (r#"{"at":"token","status":503,"reset":true}"#, "this has 2"),
            (r#"{"at":"token","status":200}"#, "400 to 599, not 200"),
            (r#"{"at":"token","delay":"2h"}"#, "at most 60s"),
            (r#"{"at":"token","duplicate":true}"#, "only consent_event and dc_event"),
            (r#"{"at":"par","jose":"alg_none"}"#, "signs nothing there"),
            (r#"{"at":"consent_event","status":500}"#, "it is a call of PayNet"),
            (r#"{"at":"token","reset":true,"times":1,"until_reset":true}"#, "how often in one way"),
            (r#"{"at":"token","reset":true,"times":0}"#, "how often in one way"),
            (r#"{"reset":true}"#, "says where it strikes"),
            (r#"{"at":"token","rest":true}"#, "unknown field `rest`"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(why), "{text}: {error}");
        }
    }
}
