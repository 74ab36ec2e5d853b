//! Whose signature is on a webhook call, and whether it was meant for this one.

use std::{collections::HashMap, sync::Arc};

use jiff::{SignedDuration, Timestamp};
use ofp_jose::{Claims, CompactJws, JoseError, KeySet, KeyUse, ReplayGuard, Verified};
use ofp_net::{Inbound, parse_form};
use ofp_types::{
    ConsentId, DcId, DpFault, ErrorCode, PLATFORM_AUDIENCE, ResourceSigner, SigBody, SigHeader,
    SigResource, SigUserinfo,
};
use openssl::sha::sha256;
use serde_json::{Map, Value};

use crate::{
    careless::{Channel, same_part, unverified_payload},
    consents::DpConsent,
    core::Core,
    refusal::Refusal,
};

/// A signature is at most 5 minutes old.
const OLDEST: i64 = 300;
/// For a careless DP.
const FOREVER: i64 = i64::MAX / 4;
/// A sender's clock is at most a minute ahead.
const AHEAD: i64 = 60;

/// Signatures that have been used.
#[derive(Default)]
pub(crate) struct SeenSignatures {
    claims: ReplayGuard,
    /// Hash of the body that a detached signature's jti came with.
    events: HashMap<String, ([u8; 32], Timestamp)>,
}

/// Who must have signed.
#[derive(Clone, Copy)]
enum Signer {
    PayNet,
    Dc,
}

impl Core {
    /// D1: PayNet's detached signature over the raw body.
    pub(crate) async fn check_event_signature(&self, inbound: &Inbound) -> Result<(), Refusal> {
        let text = inbound.header("x-fapi-signature");
        let header = match self.verify_event(inbound).await {
            Ok(dated) => dated,
            Err(_)
                if self
                    .overlooks(Channel::Event, text, &inbound.body, dc_of(inbound).as_ref())
                    .await =>
            {
                return Ok(());
            }
            Err(refusal) => return Err(refusal),
        };
        let now = self.now();
        let oldest = if self.faulty(DpFault::EventOldAccepted) { FOREVER } else { OLDEST };
        let ahead = if self.faulty(DpFault::EventFutureAccepted) {
            FOREVER
        } else if self.faulty(DpFault::NoClockSkew) {
            1
        } else {
            AHEAD
        };
        if header.0.contains_key("iat") {
            header.issued_within("iat", now, oldest, ahead)?;
        }
        if header.0.contains_key("jti") && !self.faulty(DpFault::JtiUnchecked) {
            let jti = header.text("jti")?;
            let again = !self.careless.state().events.insert(jti.to_owned());
            if again && self.faulty(DpFault::SameAgainRefused) {
                return Err(Refusal::bad_request("this event came before"));
            }
            self.seen().event(jti, &inbound.body, now)?;
        }
        Ok(())
    }

    /// The members that say when it was signed, and for once: of the header or, in the other form, claims.
    async fn verify_event(&self, inbound: &Inbound) -> Result<Claims, Refusal> {
        let text = signature_header(inbound, "x-fapi-signature")?;
        let jws = CompactJws::parse(text)?;
        let keys = self.paynet_keys_for(kid(&jws)?).await?;
        let form = self.config.profile.sig_body;
        let verified = jws.verify_body(&keys, &inbound.body, form)?;
        if form == SigBody::Detached {
            return Ok(Claims(verified.header));
        }
        let claims = verified.claims()?;
        claims.equals("iss", PLATFORM_AUDIENCE)?;
        claims.addressed_to(self.config.dp_id.as_str())?;
        claims.not_expired(self.now())?;
        claims.valid_from(self.now(), AHEAD)?;
        self.check_meant_for(&claims, inbound)?;
        Ok(claims)
    }

    /// D2: PayNet's signature over the bare consent id.
    pub(crate) async fn check_link_signature(
        &self,
        text: Option<&str>,
        id: &ConsentId,
    ) -> Result<(), Refusal> {
        let missing = || Refusal::bad_request("the query has no signature");
        let verified = match text.ok_or_else(missing) {
            Ok(text) => self.verify_link(text, id.as_str()).await,
            Err(refusal) => Err(refusal),
        };
        let Err(refusal) = verified else { return Ok(()) };
        let dc = self.consents().get(id).map(|consent| consent.dc_id.clone());
        match self.overlooks(Channel::Link, text, b"", dc.as_ref()).await {
            true => Ok(()),
            false => Err(refusal),
        }
    }

    async fn verify_link(&self, text: &str, id: &str) -> Result<(), Refusal> {
        let jws = CompactJws::parse(text)?;
        let keys = self.paynet_keys_for(kid(&jws)?).await?;
        let verified = jws.verify(&keys)?;
        if verified.payload == id.as_bytes() || self.faulty(DpFault::LinkSignatureOfAnyConsent) {
            return Ok(());
        }
        let description = "the signature is over another consent_id";
        Err(Refusal::new(400, ErrorCode::JwsInvalidSignature, description))
    }

    /// D3: PayNet's signature on userinfo, in the profile's form.
    pub(crate) async fn check_userinfo_signature(
        &self,
        inbound: &Inbound,
        consent: &DpConsent,
    ) -> Result<(), Refusal> {
        if self.faulty(DpFault::UserinfoUnverified) {
            return Ok(());
        }
        let text = signature_header(inbound, "x-fapi-signature")?;
        match self.config.profile.sig_userinfo {
            SigUserinfo::Claims => self.check_claims(Signer::PayNet, text, inbound, consent).await,
            SigUserinfo::DetachedEmpty => {
                self.check_detached(Signer::PayNet, text, b"", consent).await
            }
            SigUserinfo::DetachedConsentId => {
                let over = consent.id.as_str().as_bytes();
                self.check_detached(Signer::PayNet, text, over, consent).await
            }
        }
    }

    /// D5 to D7: every signature that the profile sends, each by its signer.
    pub(crate) async fn check_resource_signatures(
        &self,
        inbound: &Inbound,
        consent: &DpConsent,
    ) -> Result<(), Refusal> {
        let profile = &self.config.profile;
        let (fapi, x) = match profile.resource_signer {
            ResourceSigner::Both => (Signer::PayNet, Signer::Dc),
            ResourceSigner::Pn => (Signer::PayNet, Signer::PayNet),
            ResourceSigner::Dc => (Signer::Dc, Signer::Dc),
        };
        let sent = [("x-fapi-signature", fapi, SigHeader::X), ("x-signature", x, SigHeader::Fapi)];
        for (name, signer, left_out) in sent {
            if profile.sig_header == left_out || self.looks_away_from(name) {
                continue;
            }
            let missing = inbound.header(name).is_none();
            if missing && self.overlooks(Channel::Request, None, b"", None).await {
                continue;
            }
            let text = signature_header(inbound, name)?;
            match profile.sig_resource {
                SigResource::Claims => self.check_claims(signer, text, inbound, consent).await?,
                SigResource::DetachedEmpty => {
                    self.check_detached(signer, text, b"", consent).await?;
                }
            }
        }
        Ok(())
    }

    /// Where one of two signatures is enough for a careless DP.
    fn looks_away_from(&self, name: &str) -> bool {
        let other = match name {
            "x-signature" => DpFault::RequestOneSignatureEnough,
            _ => DpFault::RequestDcSignatureEnough,
        };
        self.faulty(other)
    }

    /// `result`, unless a fault does not look at it.
    fn hold<T>(&self, fault: DpFault, result: Result<T, JoseError>) -> Result<(), JoseError> {
        if self.faulty(fault) { Ok(()) } else { result.map(drop) }
    }

    /// Over bytes that it leaves out; what its header says besides must hold.
    async fn check_detached(
        &self,
        signer: Signer,
        text: &str,
        over: &[u8],
        consent: &DpConsent,
    ) -> Result<(), Refusal> {
        let jws = CompactJws::parse(text)?;
        let keys = self.keys_for(signer, &jws, consent).await?;
        let header = Claims(jws.verify_over(&keys, over)?.header);
        let now = self.now();
        if header.0.contains_key("iat") {
            header.issued_within("iat", now, OLDEST, AHEAD)?;
        }
        if header.0.contains_key("jti") {
            let iss = match signer {
                Signer::PayNet => PLATFORM_AUDIENCE,
                Signer::Dc => consent.dc_id.as_str(),
            };
            let keep = SignedDuration::from_secs(OLDEST + AHEAD);
            self.seen().claims.first_use(iss, header.text("jti")?, now, keep)?;
        }
        Ok(())
    }

    async fn keys_for(
        &self,
        signer: Signer,
        jws: &CompactJws<'_>,
        consent: &DpConsent,
    ) -> Result<Arc<KeySet>, JoseError> {
        let kid = kid(jws)?;
        match signer {
            Signer::PayNet => self.paynet_keys_for(kid).await,
            Signer::Dc => self.dc_keys_for(&consent.dc_id, kid, KeyUse::Sig).await,
        }
    }

    async fn check_claims(
        &self,
        signer: Signer,
        text: &str,
        inbound: &Inbound,
        consent: &DpConsent,
    ) -> Result<(), Refusal> {
        let claims = self.verify_by(signer, text, consent).await?.claims()?;
        let (now, dc) = (self.now(), consent.dc_id.as_str());
        let iss = match signer {
            Signer::PayNet => PLATFORM_AUDIENCE,
            Signer::Dc => dc,
        };
        self.hold(DpFault::RequestIssUnchecked, claims.equals("iss", iss))?;
        let addressed = claims.addressed_to(self.config.dp_id.as_str());
        self.hold(DpFault::RequestAudUnchecked, addressed)?;
        self.check_exp(&claims)?;
        self.hold(DpFault::RequestNbfUnchecked, claims.valid_from(now, AHEAD))?;
        let issued = claims.issued_within("iat", now, OLDEST, AHEAD);
        self.hold(DpFault::RequestIatUnchecked, issued)?;
        if self.faulty(DpFault::WholeDatesOnly) {
            for name in ["iat", "nbf", "exp"] {
                if claims.0.get(name).is_some_and(Value::is_f64) {
                    return Err(Refusal::bad_request(format!("{name} is not a whole number")));
                }
            }
        }
        if claims.text("sub")? != dc && !self.faulty(DpFault::UnknownConsentServed) {
            claims.equals("sub", consent.id.as_str())?;
        }
        let quirk = claims.text("url").is_ok_and(|url| url.starts_with("http://https"));
        if quirk && self.faulty(DpFault::QuirkAsServerError) {
            return Err(Refusal::new(500, ErrorCode::ServerError, "invalid URL"));
        }
        self.check_meant_for(&claims, inbound)?;
        let keep = SignedDuration::from_secs(OLDEST + AHEAD);
        if !self.faulty(DpFault::RequestReplayed) {
            self.seen().claims.first_use(iss, claims.text("jti")?, now, keep)?;
        }
        Ok(())
    }

    fn check_exp(&self, claims: &Claims) -> Result<(), JoseError> {
        let exp = claims.0.get("exp");
        let lenient = (exp.is_none() && self.faulty(DpFault::RequestExpOptional))
            || (exp.is_some_and(Value::is_string) && self.faulty(DpFault::RequestExpAsText));
        if lenient {
            return Ok(());
        }
        self.hold(DpFault::RequestExpUnchecked, claims.not_expired(self.now()))
    }

    fn check_meant_for(&self, claims: &Claims, inbound: &Inbound) -> Result<(), JoseError> {
        let url = claims.text("url")?;
        let by_endpoint = self.faulty(DpFault::RequestUrlByEndpoint);
        let by_account = self.faulty(DpFault::RequestUrlByAccount);
        let same = match by_endpoint || by_account {
            true => same_part(url, &inbound.path, by_endpoint),
            false => url.ends_with(&inbound.path),
        };
        if !same {
            let expected = format!("a URL of {}", inbound.path);
            return Err(JoseError::ClaimValue { claim: "url", expected, actual: url.to_owned() });
        }
        let nameless = !inbound.query.contains("consent_id=");
        if nameless && self.faulty(DpFault::UserinfoConsentIdOptional) {
            return Ok(());
        }
        self.hold(DpFault::RequestQpmUnchecked, query_is_signed(claims, inbound))
    }

    async fn verify_by(
        &self,
        signer: Signer,
        text: &str,
        consent: &DpConsent,
    ) -> Result<Verified, JoseError> {
        let strict = self.verify_strictly_by(signer, text, consent).await;
        let Err(error) = strict else { return strict };
        let overlooked =
            self.overlooks(Channel::Request, Some(text), b"", Some(&consent.dc_id)).await;
        match unverified_payload(text).filter(|_| overlooked) {
            Some(payload) => Ok(Verified { header: Map::new(), payload, kid: String::new() }),
            None => Err(error),
        }
    }

    async fn verify_strictly_by(
        &self,
        signer: Signer,
        text: &str,
        consent: &DpConsent,
    ) -> Result<Verified, JoseError> {
        let jws = CompactJws::parse(text)?;
        let keys = self.keys_for(signer, &jws, consent).await?;
        jws.verify(&keys)
    }
}

impl SeenSignatures {
    /// A client assertion is for once.
    pub(crate) fn assertion(
        &mut self,
        jti: &str,
        now: Timestamp,
        keep: SignedDuration,
    ) -> Result<(), JoseError> {
        self.claims.first_use("client assertions", jti, now, keep)
    }

    /// A jti may come again with the same body, which is a redelivery, but not with another.
    fn event(&mut self, jti: &str, body: &[u8], now: Timestamp) -> Result<(), JoseError> {
        let oldest = now - SignedDuration::from_secs(OLDEST + AHEAD);
        self.events.retain(|_, (_, at)| *at > oldest);
        let hash = sha256(body);
        let (first, _) = self.events.entry(jti.to_owned()).or_insert((hash, now));
        if *first == hash {
            return Ok(());
        }
        Err(JoseError::Replayed { jti: jti.to_owned(), iss: PLATFORM_AUDIENCE.to_owned() })
    }
}

fn signature_header<'a>(inbound: &'a Inbound, name: &str) -> Result<&'a str, Refusal> {
    inbound.header(name).ok_or_else(|| {
        Refusal::new(400, ErrorCode::JwsInvalidSignature, format!("{name} is missing"))
    })
}

fn kid<'a>(jws: &'a CompactJws<'_>) -> Result<&'a str, JoseError> {
    jws.kid().ok_or(JoseError::KidMissing)
}

/// The DC that an event is about.
fn dc_of(inbound: &Inbound) -> Option<DcId> {
    let body: Value = serde_json::from_slice(&inbound.body).ok()?;
    DcId::parse(body["data"]["dc_id"].as_str()?).ok()
}

/// Everything in `qpm` is in the query.
fn query_is_signed(claims: &Claims, inbound: &Inbound) -> Result<(), JoseError> {
    let query = parse_form(inbound.query.as_bytes()).unwrap_or_default();
    let qpm = claims.0.get("qpm").ok_or(JoseError::ClaimMissing { claim: "qpm" })?;
    let holds = qpm.as_object().is_some_and(|signed| {
        signed.iter().all(|(name, value)| value.as_str() == query.get(name).map(String::as_str))
    });
    if holds {
        return Ok(());
    }
    let (expected, actual) = (serde_json::json!(query).to_string(), qpm.to_string());
    Err(JoseError::ClaimValue { claim: "qpm", expected, actual })
}
