//! What a careless DP overlooks: only deliberate faults lead here.

use ofp_jose::{CompactJws, KeyUse, base64url};
use ofp_net::Answer;
use ofp_types::{AccountId, ConsentStatus, DcId, DpFault};
use serde_json::{Map, Value, json};

use crate::{bank::Books, consents::DpConsent, core::Core, refusal::Refusal};

/// Which signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Channel {
    /// On an event, D1.
    Event,
    /// On a link, D2.
    Link,
    /// On a request for data or userinfo, D3 and D5 to D7.
    Request,
}

/// How a signature that does not hold is accepted all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Overlooked {
    Missing,
    Empty,
    FourSegments,
    Unverified,
    UnknownKid,
    SignedByDc,
    OwnKey,
    Alg(&'static str),
    EncKey,
    Crit,
    /// The body as it was parsed and written again.
    Reserialised,
}

const FAULTS: [(DpFault, Channel, Overlooked); 29] = [
    (DpFault::EventUnsigned, Channel::Event, Overlooked::Missing),
    (DpFault::EventSignatureEmptyAccepted, Channel::Event, Overlooked::Empty),
    (DpFault::EventSegmentsIgnored, Channel::Event, Overlooked::FourSegments),
    (DpFault::EventUnverified, Channel::Event, Overlooked::Unverified),
    (DpFault::EventUnknownKidAccepted, Channel::Event, Overlooked::UnknownKid),
    (DpFault::EventSignedByDcAccepted, Channel::Event, Overlooked::SignedByDc),
    (DpFault::EventOwnKeyAccepted, Channel::Event, Overlooked::OwnKey),
    (DpFault::EventAlgNoneAccepted, Channel::Event, Overlooked::Alg("none")),
    (DpFault::EventHs256Accepted, Channel::Event, Overlooked::Alg("HS256")),
    (DpFault::EventRs256Accepted, Channel::Event, Overlooked::Alg("RS256")),
    (DpFault::EventEncKeyAccepted, Channel::Event, Overlooked::EncKey),
    (DpFault::EventCritIgnored, Channel::Event, Overlooked::Crit),
    (DpFault::EventReserialised, Channel::Event, Overlooked::Reserialised),
    (DpFault::LinkUnsigned, Channel::Link, Overlooked::Missing),
    (DpFault::LinkSignatureEmptyAccepted, Channel::Link, Overlooked::Empty),
    (DpFault::LinkUnverified, Channel::Link, Overlooked::Unverified),
    (DpFault::LinkUnknownKidAccepted, Channel::Link, Overlooked::UnknownKid),
    (DpFault::LinkSignedByDcAccepted, Channel::Link, Overlooked::SignedByDc),
    (DpFault::LinkOwnKeyAccepted, Channel::Link, Overlooked::OwnKey),
    (DpFault::LinkAlgNoneAccepted, Channel::Link, Overlooked::Alg("none")),
    (DpFault::LinkHs256Accepted, Channel::Link, Overlooked::Alg("HS256")),
    (DpFault::LinkRs256Accepted, Channel::Link, Overlooked::Alg("RS256")),
    (DpFault::RequestUnsigned, Channel::Request, Overlooked::Missing),
    (DpFault::RequestUnverified, Channel::Request, Overlooked::Unverified),
    (DpFault::RequestOwnKeyAccepted, Channel::Request, Overlooked::OwnKey),
    (DpFault::RequestUnknownKidAccepted, Channel::Request, Overlooked::UnknownKid),
    (DpFault::RequestAlgNoneAccepted, Channel::Request, Overlooked::Alg("none")),
    (DpFault::RequestHs256Accepted, Channel::Request, Overlooked::Alg("HS256")),
    (DpFault::RequestRs256Accepted, Channel::Request, Overlooked::Alg("RS256")),
];

impl Core {
    /// Whether a fault accepts a signature that does not hold.
    pub(crate) async fn overlooks(
        &self,
        channel: Channel,
        signature: Option<&str>,
        body: &[u8],
        dc: Option<&DcId>,
    ) -> bool {
        let ours = FAULTS.iter().filter(|(fault, at, _)| *at == channel && self.faulty(*fault));
        for (_, _, overlooked) in ours {
            if self.is_overlooked(*overlooked, channel, signature, body, dc).await {
                return true;
            }
        }
        false
    }

    async fn is_overlooked(
        &self,
        overlooked: Overlooked,
        channel: Channel,
        signature: Option<&str>,
        body: &[u8],
        dc: Option<&DcId>,
    ) -> bool {
        let Some(text) = signature else { return overlooked == Overlooked::Missing };
        let segments: Vec<&str> = text.split('.').collect();
        let header = header(text).unwrap_or_default();
        let word = |name: &str| header.get(name).and_then(Value::as_str).unwrap_or_default();
        let (alg, kid) = (word("alg"), word("kid"));
        let signed = segments.len() == 3 && !segments[2].is_empty();
        let plain = signed && alg == "PS256" && !header.contains_key("crit");
        let of_paynet = async || self.paynet_keys.holding(kid, KeyUse::Sig).await.is_ok();
        let of_dc = async |key_use| match dc {
            Some(dc) => self.keys_of(dc).holding(kid, key_use).await.is_ok(),
            None => false,
        };
        match overlooked {
            Overlooked::Missing => false,
            Overlooked::Empty => text.is_empty(),
            Overlooked::FourSegments => segments.len() == 4,
            Overlooked::Alg(accepted) => alg == accepted,
            Overlooked::Crit => header.contains_key("crit"),
            Overlooked::OwnKey => plain && kid == self.signing.kid().as_str(),
            Overlooked::SignedByDc => plain && of_dc(KeyUse::Sig).await,
            Overlooked::EncKey => plain && of_dc(KeyUse::Enc).await,
            Overlooked::Reserialised => self.holds_reserialised(text, body).await,
            Overlooked::Unverified => {
                let asks_dc = channel == Channel::Request;
                plain && (of_paynet().await || (asks_dc && of_dc(KeyUse::Sig).await))
            }
            Overlooked::UnknownKid => {
                let known = of_paynet().await || of_dc(KeyUse::Sig).await;
                plain && !known && self.holds_with_another_key(text, body, dc).await
            }
        }
    }

    /// Whether a redirect_uri that PayNet did not register will do.
    pub(crate) fn overlooks_redirect_uri(&self, redirect_uri: &str) -> bool {
        let resembles = |uri: &String| match redirect_uri.strip_prefix(uri.as_str()) {
            Some(rest) if rest.starts_with('?') => self.faulty(DpFault::RedirectUriTooLong),
            Some(_) => self.faulty(DpFault::RedirectUriByPrefix),
            None => false,
        };
        self.faulty(DpFault::RedirectUriUnchecked)
            || self.config.paynet_callbacks.iter().any(resembles)
    }

    /// Whether a link of a consent that nobody is asked about will do.
    pub(crate) fn overlooks_decided(&self, status: Option<ConsentStatus>) -> bool {
        match status {
            Some(ConsentStatus::Authorized) => self.faulty(DpFault::LinkAfterAuthorized),
            Some(ConsentStatus::Failed) => self.faulty(DpFault::LinkAfterFailure),
            Some(ConsentStatus::Rejected | ConsentStatus::Revoked | ConsentStatus::Expired) => {
                self.faulty(DpFault::LinkAfterTheEnd)
            }
            None => self.faulty(DpFault::LinkOfUnknownConsent),
            _ => false,
        }
    }

    /// Whether data flows under a consent that is not live.
    pub(crate) fn overlooks_status(&self, status: ConsentStatus) -> bool {
        match status {
            ConsentStatus::Revoked => self.faulty(DpFault::DataWhenRevoked),
            ConsentStatus::Suspended => self.faulty(DpFault::DataWhenSuspended),
            _ => false,
        }
    }

    /// Whether an account is served that the customer did not choose.
    pub(crate) fn overlooks_account(
        &self,
        books: &Books,
        consent: &DpConsent,
        id: &AccountId,
    ) -> bool {
        let customer = consent.username.as_deref().and_then(|name| books.customer(name));
        let own = || customer.is_some_and(|c| c.accounts.iter().any(|a| a.id == *id));
        self.faulty(DpFault::AnyAccount) || (self.faulty(DpFault::AnyAccountOfCustomer) && own())
    }

    /// Whether some key of the sender made the signature, whatever its kid says.
    async fn holds_with_another_key(&self, text: &str, body: &[u8], dc: Option<&DcId>) -> bool {
        let mut segments: Vec<String> = text.split('.').map(str::to_owned).collect();
        match segments.get_mut(1) {
            Some(payload) if payload.is_empty() => *payload = base64url(body),
            _ => {}
        }
        let text = segments.join(".");
        let Ok(jws) = CompactJws::parse(&text) else { return false };
        let mut sets = vec![self.paynet_keys.kept().await];
        if let Some(dc) = dc {
            sets.push(self.keys_of(dc).kept().await);
        }
        sets.into_iter().flatten().any(|keys| jws.verify_with_any(&keys).is_ok())
    }

    /// D1 as a DP sees it that verifies what its framework parsed and wrote again.
    async fn holds_reserialised(&self, text: &str, body: &[u8]) -> bool {
        let Ok(parsed) = serde_json::from_slice::<Value>(body) else { return false };
        let again = json!({ "event_type": parsed["event_type"], "data": parsed["data"] });
        let Ok(jws) = CompactJws::parse(text) else { return false };
        let keys = self.paynet_keys.holding(jws.kid().unwrap_or_default(), KeyUse::Sig).await;
        keys.is_ok_and(|keys| jws.verify_over(&keys, again.to_string().as_bytes()).is_ok())
    }

    /// A refusal, as carelessness words it.
    pub(crate) fn refuse(&self, refusal: &Refusal) -> Answer {
        let careful = refusal.answer();
        let worded = |body: Value| Answer::json(careful.status, &body);
        if self.faulty(DpFault::RefusalsInHtml) {
            Answer::new(careful.status, "text/html", "<h1>Bad Request</h1>")
        } else if self.faulty(DpFault::RefusalsAsTeapot) {
            Answer { status: 418, ..careful }
        } else if self.faulty(DpFault::StackTraces) {
            let trace =
                "java.lang.IllegalStateException\n\tat com.bank.Consents.check(Consents.java:42)";
            worded(json!({ "error": refusal.code(), "error_description": trace }))
        } else if self.faulty(DpFault::OneCodeForAll) {
            worded(json!({ "error": "invalid_request" }))
        } else if self.faulty(DpFault::CodesOfItsOwn) {
            worded(json!({ "error": "E1017" }))
        } else {
            careful
        }
    }
}

fn header(text: &str) -> Option<Map<String, Value>> {
    let first = text.split('.').next()?;
    serde_json::from_slice(&ofp_jose::base64url_decode(first)?).ok()
}

/// What a JWS says that nobody verified.
pub(crate) fn unverified_payload(text: &str) -> Option<Vec<u8>> {
    ofp_jose::base64url_decode(text.split('.').nth(1)?)
}

/// The query with the first of each parameter.
pub(crate) fn first_of_each(query: &str) -> String {
    let mut seen: Vec<&str> = Vec::new();
    let mut kept = Vec::new();
    for pair in query.split('&') {
        let name = pair.split('=').next().unwrap_or(pair);
        if !seen.contains(&name) {
            seen.push(name);
            kept.push(pair);
        }
    }
    kept.join("&")
}

/// Whether a claim `url` is for the same endpoint, or for the same account.
pub(crate) fn same_part(url: &str, path: &str, last: bool) -> bool {
    let parts = |text: &str| text.rsplit('/').take(2).map(str::to_owned).collect::<Vec<_>>();
    let (one, other) = (parts(url), parts(path));
    let at = usize::from(!last);
    one.get(at) == other.get(at)
}
