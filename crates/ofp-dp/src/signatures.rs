//! Whose signature is on a webhook call, and whether it was meant for this one.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use ofp_jose::{Claims, CompactJws, JoseError, KeyUse, ReplayGuard, Verified};
use ofp_net::{Inbound, parse_form};
use ofp_types::{
    ErrorCode, PLATFORM_AUDIENCE, ResourceSigner, SigHeader, SigResource, SigUserinfo,
};
use openssl::sha::sha256;

use crate::{consents::DpConsent, core::Core, refusal::Refusal};

/// A signature is at most 5 minutes old.
const OLDEST: i64 = 300;
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
        let text = signature_header(inbound, "x-fapi-signature")?;
        let jws = CompactJws::parse(text)?;
        let keys = self.paynet_keys.holding(kid(&jws)?, KeyUse::Sig).await?;
        let header = Claims(jws.verify_over(&keys, &inbound.body)?.header);
        let now = self.now();
        if header.0.contains_key("iat") {
            header.issued_within("iat", now, OLDEST, AHEAD)?;
        }
        if header.0.contains_key("jti") {
            let jti = header.text("jti")?;
            self.seen().event(jti, &inbound.body, now)?;
        }
        Ok(())
    }

    /// D2: PayNet's signature over the bare consent id.
    pub(crate) async fn check_link_signature(&self, text: &str, id: &str) -> Result<(), Refusal> {
        let jws = CompactJws::parse(text)?;
        let keys = self.paynet_keys.holding(kid(&jws)?, KeyUse::Sig).await?;
        let verified = jws.verify(&keys)?;
        if verified.payload == id.as_bytes() {
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
        let text = signature_header(inbound, "x-fapi-signature")?;
        match self.config.profile.sig_userinfo {
            SigUserinfo::Claims => self.check_claims(Signer::PayNet, text, inbound, consent).await,
            SigUserinfo::DetachedEmpty => self.check_detached(text, b"").await,
            SigUserinfo::DetachedConsentId => {
                self.check_detached(text, consent.id.as_str().as_bytes()).await
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
            if profile.sig_header == left_out {
                continue;
            }
            let text = signature_header(inbound, name)?;
            match profile.sig_resource {
                SigResource::Claims => self.check_claims(signer, text, inbound, consent).await?,
                SigResource::DetachedEmpty => self.check_detached(text, b"").await?,
            }
        }
        Ok(())
    }

    async fn check_detached(&self, text: &str, body: &[u8]) -> Result<(), Refusal> {
        let jws = CompactJws::parse(text)?;
        let keys = self.paynet_keys.holding(kid(&jws)?, KeyUse::Sig).await?;
        jws.verify_over(&keys, body)?;
        Ok(())
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
        claims.equals("iss", iss)?;
        claims.addressed_to(self.config.dp_id.as_str())?;
        claims.not_expired(now)?;
        claims.valid_from(now, AHEAD)?;
        claims.issued_within("iat", now, OLDEST, AHEAD)?;
        if claims.text("sub")? != dc {
            claims.equals("sub", consent.id.as_str())?;
        }
        meant_for(&claims, inbound)?;
        let keep = SignedDuration::from_secs(OLDEST + AHEAD);
        self.seen().claims.first_use(iss, claims.text("jti")?, now, keep)?;
        Ok(())
    }

    async fn verify_by(
        &self,
        signer: Signer,
        text: &str,
        consent: &DpConsent,
    ) -> Result<Verified, JoseError> {
        let jws = CompactJws::parse(text)?;
        let kid = kid(&jws)?;
        let keys = match signer {
            Signer::PayNet => self.paynet_keys.holding(kid, KeyUse::Sig).await?,
            Signer::Dc => self.keys_of(&consent.dc_id).holding(kid, KeyUse::Sig).await?,
        };
        jws.verify(&keys)
    }
}

impl SeenSignatures {
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

/// The path of `url` is this one, and everything in `qpm` is in the query.
fn meant_for(claims: &Claims, inbound: &Inbound) -> Result<(), JoseError> {
    let url = claims.text("url")?;
    if !url.ends_with(&inbound.path) {
        let expected = format!("a URL of {}", inbound.path);
        return Err(JoseError::ClaimValue { claim: "url", expected, actual: url.to_owned() });
    }
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
