//! Client authentication at the AS (S1:L130-150; FAPI 2.0 SP §5.3.2.1).

use std::collections::BTreeMap;

use jiff::SignedDuration;
use ofp_jose::{Claims, CompactJws, JoseError};
use ofp_net::Peer;
use ofp_types::{Kid, wire::ASSERTION_TYPE};

use crate::{
    config::{AuthMethod, Client},
    platform::{Participant, Platform},
    refusal::Refusal,
};

/// An assertion lives at most 10 minutes (S1:L139).
const ASSERTION_LIFE: i64 = 600;
/// FAPI 2.0 SP §5.3.2.1: 10 s ahead must be accepted, more than 60 s must not.
pub(crate) const AHEAD: i64 = 60;

impl Platform {
    /// The participant that sent this form, and the certificate that it presented.
    pub(crate) fn authenticate(
        &self,
        form: &BTreeMap<String, String>,
        peer: &Peer,
    ) -> Result<(Participant<'_>, Kid), Refusal> {
        let certificate = peer
            .certificate
            .as_ref()
            .ok_or_else(|| Refusal::invalid_client("no client certificate was presented"))?;
        // RFC 7521 §4.2: an assertion names its client by itself
        let client_id =
            form.get("client_id").cloned().or_else(|| subject_of(form)).ok_or_else(|| {
                Refusal::invalid_client("the form has neither client_id nor a client_assertion")
            })?;
        let participant = self.participant(&client_id).ok_or_else(|| {
            Refusal::invalid_client(format!("no client `{client_id}` is registered"))
        })?;
        let client = participant.client();
        if !client.certificates.contains(&certificate.thumbprint) {
            return Err(Refusal::invalid_client(format!(
                "the TLS certificate presented ({}, {}) is not one that {} registered",
                certificate.subject, certificate.thumbprint, client.name
            )));
        }
        match (client.auth, form.get("client_assertion")) {
            (AuthMethod::TlsClientAuth, None) => {}
            (AuthMethod::TlsClientAuth, Some(_)) => {
                return Err(Refusal::invalid_client(
                    "the client is registered for tls_client_auth but sent a client_assertion",
                ));
            }
            (AuthMethod::PrivateKeyJwt, None) => {
                return Err(Refusal::invalid_client(
                    "the client is registered for private_key_jwt but sent no client_assertion",
                ));
            }
            (AuthMethod::PrivateKeyJwt, Some(assertion)) => {
                self.check_assertion(client, form, assertion)?;
            }
        }
        Ok((participant, certificate.thumbprint.clone()))
    }

    fn check_assertion(
        &self,
        client: &Client,
        form: &BTreeMap<String, String>,
        assertion: &str,
    ) -> Result<(), Refusal> {
        let kind = form.get("client_assertion_type").map(String::as_str);
        if kind != Some(ASSERTION_TYPE) {
            let actual = kind.unwrap_or("missing");
            return Err(Refusal::invalid_client(format!(
                "client_assertion_type must be {ASSERTION_TYPE}, not {actual}"
            )));
        }
        CompactJws::parse(assertion)
            .and_then(|jws| jws.verify(&client.keys))
            .and_then(|verified| verified.claims())
            .and_then(|claims| self.check_assertion_claims(client, &claims))
            .map_err(|e| Refusal::invalid_client(format!("client_assertion: {e}")))
    }

    fn check_assertion_claims(&self, client: &Client, claims: &Claims) -> Result<(), JoseError> {
        let (now, id) = (self.now(), client.client_id.as_str());
        claims.equals("iss", id)?;
        claims.equals("sub", id)?;
        claims.addressed_only_to(self.issuer.as_str())?;
        claims.not_expired(now)?;
        claims.issued_within("iat", now, ASSERTION_LIFE, AHEAD)?;
        claims.valid_from(now, AHEAD)?;
        claims.lives_at_most("iat", ASSERTION_LIFE)?;
        let keep = SignedDuration::from_secs(ASSERTION_LIFE + AHEAD);
        self.state().replay.first_use(id, claims.text("jti")?, now, keep)
    }
}

/// Whom a client assertion speaks of, before anything of it has been verified.
fn subject_of(form: &BTreeMap<String, String>) -> Option<String> {
    let payload = CompactJws::parse(form.get("client_assertion")?).ok()?.payload;
    let claims = Claims::parse(&payload).ok()?;
    claims.text("sub").ok().map(str::to_owned)
}
