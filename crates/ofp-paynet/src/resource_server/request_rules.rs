//! The DC's end-to-end signature on a request for data (`spec/ofp.md` 5.3).

use jiff::SignedDuration;
use ofp_jose::{Claims, CompactJws, JoseError};
use ofp_net::{Inbound, parse_form};
use ofp_types::{PLATFORM_AUDIENCE, SigResource};

use crate::{
    DcRegistration,
    client_auth::AHEAD,
    platform::{Participant, Platform},
    state::Held,
};

/// A request signature lives 5 minutes.
const SIGNATURE_LIFE: i64 = 300;

impl Platform {
    pub(super) fn check_request_signature(
        &self,
        dc: &DcRegistration,
        held: &Held,
        inbound: &Inbound,
        signature: &str,
    ) -> Result<(), JoseError> {
        let jws = CompactJws::parse(signature)?;
        if self.profile.sig_resource == SigResource::DetachedEmpty {
            let header = jws.verify_over(&dc.client.keys, b"")?.header;
            return self.check_signature_header(Participant::Dc(dc), header);
        }
        let claims = jws.verify(&dc.client.keys)?.claims()?;
        let now = self.now();
        claims.equals("iss", dc.dc_id.as_str())?;
        // the consent, as in the sandbox's sample, or the DC, as in its guide
        if claims.text("sub")? != dc.dc_id.as_str() {
            claims.equals("sub", held.consent.consent_id.as_str())?;
        }
        claims.addressed_to(PLATFORM_AUDIENCE)?;
        claims.addressed_to(held.consent.dp_id.as_str())?;
        claims.not_expired(now)?;
        claims.valid_from(now, AHEAD)?;
        claims.issued_within("iat", now, SIGNATURE_LIFE, AHEAD)?;
        claims.lives_at_most("iat", SIGNATURE_LIFE)?;
        same_request(&claims, &self.rs.join(&inbound.path), inbound)?;
        let keep = SignedDuration::from_secs(SIGNATURE_LIFE + AHEAD);
        self.state().replay.first_use(dc.dc_id.as_str(), claims.text("jti")?, now, keep)
    }
}

/// `url` names this endpoint of ours, also with the sandbox's doubled scheme, and `qpm` this
/// query.
fn same_request(claims: &Claims, ours: &str, inbound: &Inbound) -> Result<(), JoseError> {
    let url = claims.text("url")?;
    if url.strip_prefix("http://").unwrap_or(url) != ours {
        let (expected, actual) = (ours.to_owned(), url.to_owned());
        return Err(JoseError::ClaimValue { claim: "url", expected, actual });
    }
    let query = parse_form(inbound.query.as_bytes()).unwrap_or_default();
    let query = serde_json::json!(query);
    let qpm = claims.0.get("qpm").ok_or(JoseError::ClaimMissing { claim: "qpm" })?;
    if *qpm == query {
        return Ok(());
    }
    let (expected, actual) = (query.to_string(), qpm.to_string());
    Err(JoseError::ClaimValue { claim: "qpm", expected, actual })
}
