//! Bearer tokens at the RS (RFC 6750; FAPI 2.0 SP §5.3.4).

use ofp_net::{Inbound, parse_form};
use ofp_types::ErrorCode;

use crate::{
    platform::{Participant, Platform},
    refusal::Refusal,
    state::{Grant, Token},
};

impl Platform {
    /// The token that a request carries and the participant it was issued to, if both are good.
    pub(crate) fn bearer(&self, inbound: &Inbound) -> Result<(Token, Participant<'_>), Refusal> {
        let query = parse_form(inbound.query.as_bytes())
            .map_err(|e| Refusal::bad_request(e.to_string()))?;
        if query.contains_key("access_token") {
            return Err(Refusal::bad_request("an access token must not be sent in the URL"));
        }
        // RFC 6750 §3.1: no error code when there were no credentials, or those of another scheme
        let unasked =
            |reason: &str| Refusal::without_code(401, reason).header("www-authenticate", "Bearer");
        let header = inbound.header("authorization");
        let header = header.ok_or_else(|| unasked("no Authorization header"))?;
        let text = match header.split_once(' ') {
            Some((scheme, text)) if scheme.eq_ignore_ascii_case("bearer") => text.trim(),
            _ => return Err(unasked("the Authorization header is not `Bearer <token>`")),
        };
        let state = self.state();
        let token = state.tokens.access(text).cloned();
        let token = token.ok_or_else(|| invalid("the access token is unknown or was revoked"))?;
        let now = match &token.grant {
            Grant::Client => self.now(),
            Grant::Consent(id) => {
                state.consents.get(id).map_or_else(|| self.now(), |held| held.now(self.now()))
            }
        };
        drop(state);
        if token.expires <= now {
            return Err(invalid("the access token has expired"));
        }
        let presented = inbound.peer.certificate.as_ref().map(|c| &c.thumbprint);
        if presented != Some(&token.certificate) {
            return Err(invalid(&format!(
                "the access token is bound to certificate {}, this connection presented {}",
                token.certificate,
                presented.map_or("none", |kid| kid.as_str()),
            )));
        }
        let participant = self
            .participant(token.client_id.as_str())
            .ok_or_else(|| invalid("the token's client is no longer registered"))?;
        Ok((token, participant))
    }
}

impl Platform {
    /// The same, for whatever needs scope `accounts`.
    pub(crate) fn bearer_for_accounts(
        &self,
        inbound: &Inbound,
    ) -> Result<(Token, Participant<'_>), Refusal> {
        let found = self.bearer(inbound)?;
        if found.0.scope.split(' ').any(|scope| scope == "accounts") {
            return Ok(found);
        }
        Err(insufficient("the access token lacks scope accounts"))
    }
}

/// 401 `invalid_token` (RFC 6750 §3.1).
fn invalid(reason: &str) -> Refusal {
    let description =
        "the access token is missing, expired, revoked or bound to another certificate";
    Refusal::discreet(401, ErrorCode::InvalidToken, description, reason)
        .header("www-authenticate", "Bearer error=\"invalid_token\"")
}

/// 403 at the RS: the challenge says `insufficient_scope` (RFC 6750 §3.1), the body PayNet's own code
/// (`spec/ofp.md` section 7).
pub(crate) fn insufficient(reason: impl Into<String>) -> Refusal {
    with_challenge(ErrorCode::AccessTokenInvalidScope, reason)
}

/// 403 at the AS, where challenge and body say the same.
pub(crate) fn insufficient_at_as(reason: &str) -> Refusal {
    with_challenge(ErrorCode::InsufficientScope, reason)
}

fn with_challenge(code: ErrorCode, reason: impl Into<String>) -> Refusal {
    Refusal::new(403, code, reason)
        .header("www-authenticate", "Bearer error=\"insufficient_scope\"")
}
