//! What a careless DP overlooks: only deliberate faults lead here.

use std::{sync::Arc, time::Duration};

use ofp_jose::{CompactJws, JoseError, JwkSet, KeySet, KeyUse, base64url, corrupt};
use ofp_net::{Answer, Inbound, Matched, Request};
use ofp_types::{AccountId, ConsentId, ConsentStatus, DcId, DpFault, ErrorCode};
use serde_json::{Map, Value, json};

use crate::{
    bank::Books, careless_tls::named_paynet, consents::DpConsent, core::Core, refusal::Refusal,
    webhooks::Webhook,
};

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
    /// A key of somebody else, under PayNet's kid.
    AnyKeyOfAll,
    /// One bit is wrong.
    Nearly,
    /// The header brings the key.
    EmbeddedKey,
}

const FAULTS: [(DpFault, Channel, Overlooked); 32] = [
    (DpFault::EventAnyKeyOfAll, Channel::Event, Overlooked::AnyKeyOfAll),
    (DpFault::EventNearlySigned, Channel::Event, Overlooked::Nearly),
    (DpFault::EventEmbeddedKey, Channel::Event, Overlooked::EmbeddedKey),
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
            Overlooked::AnyKeyOfAll => {
                plain && of_paynet().await && holds_with(text, body, &self.config.other_keys)
            }
            Overlooked::Nearly => {
                let mended = corrupt::flip_signature_bit(text);
                let keys = self.paynet_keys.holding(kid, KeyUse::Sig).await;
                plain && keys.is_ok_and(|keys| holds_with(&mended, body, &keys))
            }
            Overlooked::EmbeddedKey => {
                let key = header.get("jwk").cloned();
                let key = key.and_then(|key| serde_json::from_value(key).ok());
                let set = JwkSet { keys: key.into_iter().collect() };
                plain && holds_with(text, body, &KeySet::of_jwks("nobody", &set).0)
            }
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

    /// Whether a caller will do that is not PayNet.
    pub(crate) fn overlooks_caller(
        &self,
        matched: &Matched<Webhook>,
        subject: Option<&str>,
    ) -> bool {
        let Some(subject) = subject else {
            let fault = match matched {
                Matched::Endpoint(Webhook::Event) => DpFault::ClientCertificateOptional,
                Matched::Endpoint(Webhook::Authorize) => {
                    return self.faulty(DpFault::AuthorizeWithoutCertificate)
                        || self.faulty(DpFault::ClientCertificateOptional);
                }
                _ => DpFault::DataWithoutCertificate,
            };
            return self.faulty(fault);
        };
        let by_name = [
            DpFault::ClientCertificateOfAnyCa,
            DpFault::ClientCertificateSelfSigned,
            DpFault::ClientCertificateExpired,
            DpFault::ClientCertificateEarly,
        ];
        self.faulty(DpFault::CertificateUnchecked)
            || (named_paynet(subject) && by_name.into_iter().any(|fault| self.faulty(fault)))
    }

    /// What a careless router makes of a request.
    pub(crate) async fn misroute(
        &self,
        matched: &Matched<Webhook>,
        inbound: &Inbound,
    ) -> Option<Result<Answer, Refusal>> {
        let path = inbound.path.to_ascii_lowercase();
        let no_route = matches!(matched, Matched::WrongVerb(_) | Matched::Unknown);
        let wrong_verb = matches!(matched, Matched::WrongVerb(_));
        let empty = || Answer::json(200, &json!({}));
        let nothing = |status| Refusal::new(status, ErrorCode::ServerError, "it went wrong");
        if path.contains("..") && self.faulty(DpFault::ClimbingPathAsServerError) {
            return Some(Err(nothing(500)));
        }
        if path.starts_with("/ofm/") && self.faulty(DpFault::NoUniversalLink) {
            return Some(Err(nothing(404)));
        }
        if wrong_verb && inbound.method == "OPTIONS" && self.faulty(DpFault::OptionsWithData) {
            return Some(Ok(Answer::json(200, &json!({ "current_balance": "25000.75" }))));
        }
        if no_route && self.faulty(DpFault::EverythingRouted) {
            return Some(Ok(empty()));
        }
        if wrong_verb && self.faulty(DpFault::WrongVerbNotFound) {
            return Some(Err(nothing(404)));
        }
        if *matched == Matched::Endpoint(Webhook::Health) && self.faulty(DpFault::HealthOneAtATime)
        {
            if std::mem::replace(&mut self.careless.state().health_asked, true) {
                return Some(Ok(Answer::empty(503)));
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
            self.careless.state().health_asked = false;
        }
        None
    }

    /// PayNet's keys for a kid, with what a careless DP gets wrong about keeping them.
    pub(crate) async fn paynet_keys_for(&self, kid: &str) -> Result<Arc<KeySet>, JoseError> {
        let cache = &self.paynet_keys;
        if self.faulty(DpFault::UnknownKindsRefused) && self.knows_not_all_kinds().await {
            return Err(unknown(kid));
        }
        if self.faulty(DpFault::KeysNeverKept) {
            cache.forget().await;
        }
        let kept = cache.kept().await.filter(|_| self.faulty(DpFault::KeysKeptForever));
        if let Some(keys) = kept {
            return keys.find(kid, KeyUse::Sig).map(|_| Arc::clone(&keys));
        }
        let mut keys = cache.holding(kid, KeyUse::Sig).await;
        if keys.is_err() && self.faulty(DpFault::EveryKidFetched) {
            cache.forget().await;
            keys = cache.holding(kid, KeyUse::Sig).await;
        }
        if self.faulty(DpFault::WithdrawnKeysKept) {
            let mut state = self.careless.state();
            state.key_sets.extend(keys.iter().cloned());
            let old = state.key_sets.iter().find(|set| set.find(kid, KeyUse::Sig).is_ok());
            keys = keys.or_else(|error| old.cloned().ok_or(error));
        }
        let keys = keys?;
        let first = keys.first(KeyUse::Sig).map(|key| key.kid().to_owned());
        if self.faulty(DpFault::FirstKeyAlone) && first.as_deref() != Some(kid) {
            return Err(unknown(kid));
        }
        Ok(keys)
    }

    /// Whether PayNet's set holds a key that is not RSA, for a DP that then takes none of it.
    async fn knows_not_all_kinds(&self) -> bool {
        let url = self.config.paynet_as.join("/v1/oauth/jwks/paynet");
        let reply = self.client.send(Request::get(url, self.config.patience)).await;
        let set =
            reply.ok().and_then(|reply| serde_json::from_slice::<Value>(&reply.message.body).ok());
        let kinds = set.as_ref().and_then(|set| set["keys"].as_array());
        kinds.into_iter().flatten().any(|key| key["kty"] != "RSA")
    }

    /// The DC's keys for a kid.
    pub(crate) async fn dc_keys_for(
        &self,
        dc: &DcId,
        kid: &str,
        key_use: KeyUse,
    ) -> Result<Arc<KeySet>, JoseError> {
        let cache = self.keys_of(dc);
        match cache.kept().await.filter(|_| self.faulty(DpFault::DcKeysKeptForever)) {
            Some(keys) => keys.find(kid, key_use).map(|_| Arc::clone(&keys)),
            None => cache.holding(kid, key_use).await,
        }
    }

    /// The consent of a request for data that names none, or one that nobody knows.
    pub(crate) fn overlooked_consent(
        &self,
        named: Option<&ConsentId>,
        inbound: &Inbound,
    ) -> Option<DpConsent> {
        let of_account = !inbound.parameter.is_empty();
        let fault = match (named, of_account) {
            (None, true) => DpFault::ConsentIdOptional,
            (None, false) => DpFault::UserinfoConsentIdOptional,
            (Some(_), _) => DpFault::UnknownConsentServed,
        };
        if !self.faulty(fault) {
            return None;
        }
        if let Some(account) = named.and(AccountId::parse(inbound.parameter.as_str()).ok()) {
            return self.consents().live_with(&account);
        }
        let signed = inbound.header("x-fapi-signature").and_then(unverified_payload)?;
        let claims: Value = serde_json::from_slice(&signed).ok()?;
        let id = ConsentId::parse(claims["sub"].as_str()?).ok()?;
        self.consents().get(&id).cloned()
    }

    /// The consent as if it were for whatever DC asks.
    pub(crate) fn dc_of_request(&self, inbound: &Inbound, mut consent: DpConsent) -> DpConsent {
        let claimed = inbound.header("x-signature").and_then(unverified_payload);
        let claims: Option<Value> = claimed.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let dc = claims.and_then(|claims| DcId::parse(claims["iss"].as_str()?).ok());
        if let Some(dc) = dc.filter(|_| self.faulty(DpFault::DcOfRequest)) {
            consent.dc_id = dc;
        }
        consent
    }

    /// Of a link whose consent is unknown, the consent that was signed.
    pub(crate) fn overlooked_link(&self, id: ConsentId, signature: Option<&str>) -> ConsentId {
        if !self.faulty(DpFault::LinkConsentFromSignature) {
            return id;
        }
        let signed = signature.and_then(unverified_payload);
        let named = signed.and_then(|bytes| String::from_utf8(bytes).ok());
        let signed = named.and_then(|text| ConsentId::parse(text).ok());
        signed.filter(|signed| self.consents().get(signed).is_some()).unwrap_or(id)
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
            ConsentStatus::AwaitingAuthorization => self.faulty(DpFault::DataBeforeApproval),
            ConsentStatus::Rejected | ConsentStatus::Failed => {
                self.faulty(DpFault::DataAfterRejection)
            }
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
        let nobody_chose = consent.accounts.is_empty() && self.overlooks_status(consent.status);
        nobody_chose
            || self.faulty(DpFault::AnyAccount)
            || (self.faulty(DpFault::AnyAccountOfCustomer) && own())
    }

    /// Whether some key of the sender made the signature, whatever its kid says.
    async fn holds_with_another_key(&self, text: &str, body: &[u8], dc: Option<&DcId>) -> bool {
        let mut sets = vec![self.paynet_keys.kept().await];
        if let Some(dc) = dc {
            sets.push(self.keys_of(dc).kept().await);
        }
        sets.into_iter().flatten().any(|keys| holds_with(text, body, &keys))
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

fn unknown(kid: &str) -> JoseError {
    JoseError::UnknownKid { kid: kid.to_owned(), owner: "PayNet".into() }
}

/// Whether some key of a set made the signature, over the body where the JWS leaves it out.
fn holds_with(text: &str, body: &[u8], keys: &KeySet) -> bool {
    let mut segments: Vec<String> = text.split('.').map(str::to_owned).collect();
    match segments.get_mut(1) {
        Some(payload) if payload.is_empty() => *payload = base64url(body),
        _ => {}
    }
    let text = segments.join(".");
    CompactJws::parse(&text).is_ok_and(|jws| jws.verify_unnamed(keys))
}

/// The header of a compact JWS.
pub(crate) fn header(text: &str) -> Option<Map<String, Value>> {
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
