//! One HTTP request and what became of it.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use ofp_types::{ConsentId, SignedCall};
use serde::{Deserialize, Serialize};

use crate::{CertificateFacts, ConnectionId};

/// Numbers an exchange within a run, in the order of beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ExchangeId(pub u64);

impl std::fmt::Display for ExchangeId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "x{}", self.0)
    }
}

/// Who talks to whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The platform.
    PayNet,
    /// The Data Consumer.
    Dc,
    /// The Data Provider: the one under test.
    Dp,
    /// The customer's browser.
    Customer,
}

impl std::fmt::Display for Role {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::PayNet => "PayNet",
            Self::Dc => "DC",
            Self::Dp => "DP",
            Self::Customer => "customer",
        })
    }
}

/// Which of the platform's endpoints was called, with its label in `spec/ofp.md` section 1.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Endpoint {
    /// A1, A2: server metadata.
    Discovery,
    /// A3 to A5: JWK sets.
    Jwks,
    /// A6: pushed authorization request.
    Par,
    /// A7: PayNet's authorization endpoint.
    PaynetAuthorize,
    /// A8: where the DP returns the customer to.
    Callback,
    /// A9: token endpoint.
    Token,
    /// A10: introspection.
    Introspection,
    /// A11: revocation of a token.
    Revocation,
    /// A12: userinfo, from the DC.
    PaynetUserinfo,
    /// B1: the directory of DPs.
    Providers,
    /// B2: account, from the DC.
    PaynetAccount,
    /// B3: balances, from the DC.
    PaynetBalances,
    /// B4: transactions, from the DC.
    PaynetTransactions,
    /// B5: Update Consent.
    UpdateConsent,
    /// B6: Retrieve Consent.
    RetrieveConsent,
    /// B7: revocation of a consent.
    RevokeConsent,
    /// B8: suspension of a consent.
    SuspendConsent,
    /// B8: the end of a suspension.
    ReactivateConsent,
    /// C1: consent event to the DC.
    DcEvent,
    /// C2: the DC's redirect_uri.
    DcCallback,
    /// D1: consent event.
    ConsentEvent,
    /// D2: the DP's authorize.
    DpAuthorize,
    /// D3: userinfo.
    Userinfo,
    /// D4: health.
    Health,
    /// D5: account.
    Account,
    /// D6: balances.
    Balances,
    /// D7: transactions.
    Transactions,
    /// D9: the DP's token endpoint, where it has one.
    DpToken,
    /// A page of the DP for its customer.
    DpPage,
    /// What a browser of its own shows the customer: without the requests behind it.
    Screen,
    /// A path that the platform does not have.
    Unknown,
}

impl Endpoint {
    /// Which of PayNet's signed calls it takes.
    #[must_use]
    pub fn signed_call(self) -> Option<SignedCall> {
        Some(match self {
            Self::ConsentEvent => SignedCall::Event,
            Self::DpAuthorize => SignedCall::Link,
            Self::Userinfo => SignedCall::Userinfo,
            Self::Account | Self::Balances | Self::Transactions => SignedCall::Data,
            _ => return None,
        })
    }

    /// Its label in `spec/ofp.md` section 1.1; `-` for what is no endpoint of the platform.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Discovery => "A1",
            Self::Jwks => "A3",
            Self::Par => "A6",
            Self::PaynetAuthorize => "A7",
            Self::Callback => "A8",
            Self::Token => "A9",
            Self::Introspection => "A10",
            Self::Revocation => "A11",
            Self::PaynetUserinfo => "A12",
            Self::Providers => "B1",
            Self::PaynetAccount => "B2",
            Self::PaynetBalances => "B3",
            Self::PaynetTransactions => "B4",
            Self::UpdateConsent => "B5",
            Self::RetrieveConsent => "B6",
            Self::RevokeConsent => "B7",
            Self::SuspendConsent | Self::ReactivateConsent => "B8",
            Self::DcEvent => "C1",
            Self::DcCallback => "C2",
            Self::ConsentEvent => "D1",
            Self::DpAuthorize => "D2",
            Self::Userinfo => "D3",
            Self::Health => "D4",
            Self::Account => "D5",
            Self::Balances => "D6",
            Self::Transactions => "D7",
            Self::DpToken => "D9",
            Self::DpPage | Self::Screen | Self::Unknown => "-",
        }
    }
}

/// Headers and body as they travelled.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Names in lower case, in the order of the wire.
    pub headers: Vec<(String, String)>,
    /// The bytes, without transfer coding.
    #[serde(with = "crate::bytes")]
    pub body: Vec<u8>,
}

impl Message {
    /// The first value of a header, by its lower-case name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    fn weight(&self) -> usize {
        /// For the two strings of a header, beside their texts.
        const HEADER: usize = 48;
        let header = |(name, value): &(String, String)| name.len() + value.len() + HEADER;
        self.body.len() + self.headers.iter().map(header).sum::<usize>()
    }

    /// The media type of the body, without parameters, in lower case.
    #[must_use]
    pub fn media_type(&self) -> Option<String> {
        let value = self.header("content-type")?;
        Some(value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase())
    }

    /// The body as text, with anything that is not UTF-8 replaced.
    #[must_use]
    pub fn text(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(&self.body)
    }
}

/// How far an exchange got that has no complete answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// The TCP connection was not made.
    Connect,
    /// The TLS handshake did not complete, or was refused at the first read (TLS 1.3).
    Tls,
    /// We do not accept the server's certificate.
    Trust,
    /// The server went along with a bare ClientHello, and nothing more was asked of it.
    Greeted,
    /// The request could not be sent.
    Send,
    /// No answer within the deadline.
    Timeout,
    /// The connection ended, or the answer was not HTTP.
    Receive,
    /// The answer's head came, and its body did not come to its end, or is too long.
    Body,
}

/// Why there is no complete answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// How far it got.
    pub stage: Stage,
    /// What the system said, with the TLS alert if there was one.
    pub detail: String,
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let what = match self.stage {
            Stage::Connect => "could not connect",
            Stage::Tls => "TLS handshake refused",
            Stage::Trust => "the server's certificate was refused",
            Stage::Greeted => "the server went along with it",
            Stage::Send => "could not send the request",
            Stage::Timeout => "no answer in time",
            Stage::Body => "the answer broke off",
            Stage::Receive => "connection ended without a complete HTTP answer",
        };
        write!(f, "{what}: {}", self.detail)
    }
}

/// What became of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// A complete HTTP answer.
    Answered {
        /// HTTP status code.
        status: u16,
        /// Headers and body.
        message: Message,
    },
    /// No complete answer.
    Failed(Failure),
}

/// One HTTP request and what became of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Exchange {
    /// Its number.
    pub id: ExchangeId,
    /// When it began, at wall time.
    pub at: Timestamp,
    /// How long it took.
    pub took: Duration,
    /// Who called.
    pub from: Role,
    /// Who was called.
    pub to: Role,
    /// Which endpoint.
    pub endpoint: Endpoint,
    /// HTTP method.
    pub method: String,
    /// Absolute URL.
    pub url: String,
    /// The request's headers and body.
    pub request: Message,
    /// The answer.
    pub outcome: Outcome,
    /// The connection that it travelled on, where we are the client.
    pub connection: Option<ConnectionId>,
    /// The certificate that the caller presented, where we are the server.
    pub client_certificate: Option<Arc<CertificateFacts>>,
    /// The consent that it is about.
    pub consent: Option<ConsentId>,
    /// The exchange that made the caller make it.
    pub cause: Option<ExchangeId>,
    /// Why we answered as we did, where the wire must not say.
    pub note: Option<String>,
}

impl Exchange {
    /// The HTTP status, if there was a complete answer.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match &self.outcome {
            Outcome::Answered { status, .. } => Some(*status),
            Outcome::Failed(_) => None,
        }
    }

    /// The answer's headers and body, if there was a complete one.
    #[must_use]
    pub fn response(&self) -> Option<&Message> {
        match &self.outcome {
            Outcome::Answered { message, .. } => Some(message),
            Outcome::Failed(_) => None,
        }
    }

    /// Whether the answer was a 2xx.
    #[must_use]
    pub fn succeeded(&self) -> bool {
        self.status().is_some_and(|status| (200..300).contains(&status))
    }

    /// About how many bytes its texts have.
    pub(crate) fn weight(&self) -> usize {
        let note = self.note.as_ref().map_or(0, String::len);
        let answer = match &self.outcome {
            Outcome::Answered { message, .. } => message.weight(),
            Outcome::Failed(failure) => failure.detail.len(),
        };
        self.method.len() + self.url.len() + self.request.weight() + answer + note
    }

    /// The path of the URL, without query.
    #[must_use]
    pub fn path(&self) -> &str {
        let after_scheme = self.url.split_once("://").map_or(self.url.as_str(), |(_, rest)| rest);
        let path = after_scheme.find('/').map_or("/", |slash| &after_scheme[slash..]);
        path.split(['?', '#']).next().unwrap_or(path)
    }

    /// The query of the URL, still encoded.
    #[must_use]
    pub fn query(&self) -> &str {
        let url = self.url.split('#').next().unwrap_or_default();
        url.split_once('?').map_or("", |(_, query)| query)
    }

    /// One line: number, method, path, who to whom, what came, how long it took.
    #[must_use]
    pub fn headline(&self) -> String {
        let outcome = match &self.outcome {
            Outcome::Answered { status, .. } => status.to_string(),
            Outcome::Failed(failure) => failure.to_string(),
        };
        let (id, method, path) = (self.id, &self.method, self.path());
        let (from, to, ms) = (self.from, self.to, self.took.as_millis());
        format!("{id} {method} {path}  {from} to {to}, {outcome}, {ms} ms")
    }
}
