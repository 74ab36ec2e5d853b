//! The platform's id_token for the DC (`spec/ofp.md` 5.8).

use jiff::SignedDuration;
use ofp_types::{ClientId, uuid_v4};
use serde_json::json;

use crate::{faults::spoil, platform::Platform, serve::Context, state::Held};

const LIFE: SignedDuration = SignedDuration::from_mins(10);

impl Platform {
    pub(super) fn id_token(&self, client: &ClientId, held: &Held, context: &Context) -> String {
        let now = self.now().as_second();
        let mut claims = json!({
            "iss": self.issuer,
            "sub": held.subject,
            "aud": client,
            "iat": now,
            "exp": now + LIFE.as_secs(),
            "jti": uuid_v4(&*self.entropy),
        });
        if let Some(auth_time) = held.auth_time {
            claims["auth_time"] = json!(auth_time);
        }
        if let Some(nonce) = &held.request.nonce {
            claims["nonce"] = json!(nonce);
        }
        if let Some((id_type, hashed)) = &held.consent.identity {
            claims["id_type"] = json!(id_type);
            claims["hashed_id_number"] = json!(hashed);
        }
        let token = self.keys.signing().sign_claims(&claims);
        match context.jose {
            Some(fault) => spoil(fault, &token),
            None => token,
        }
    }
}
