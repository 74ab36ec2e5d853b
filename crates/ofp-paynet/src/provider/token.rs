//! D9: the token endpoint of a DP that is an OpenID provider of its own (profile switch `oidc_at_dp`, an experimental
//! reading: P-dpC shows it, PayNet's portal does not).

use std::sync::Arc;

use ofp_evidence::{Endpoint, Message};
use ofp_jose::{CompactJws, JoseError};
use ofp_net::{Call, Inbound, Request, parse_form};
use ofp_types::{
    ConsentId, NumericDateForm, PAYNET_CLIENT_ID, token, uuid_v4,
    wire::{ASSERTION_TYPE, UserIdentity},
};
use serde::Deserialize;
use serde_json::json;

use crate::{
    DpRegistration,
    platform::Platform,
    serve::Context,
    state::{Held, Upstream},
};

/// Life of PayNet's client assertion.
const ASSERTION_LIFE: i64 = 300;

/// What a DP's token endpoint must answer (OpenID Connect Core §3.1.3.3).
#[derive(Deserialize)]
struct Tokens {
    id_token: String,
    /// PayNet has no use for it; that it is there is what the check needs.
    #[expect(dead_code, reason = "required, and not used")]
    access_token: String,
}

impl Upstream {
    /// What goes into the DP's authorize beside its three parameters.
    pub(crate) fn parameters(&self) -> [(&'static str, &str); 5] {
        [
            ("response_type", "code"),
            ("client_id", PAYNET_CLIENT_ID),
            ("scope", "openid"),
            ("state", &self.state),
            ("nonce", &self.nonce),
        ]
    }
}

impl Platform {
    /// A state and a nonce for a consent's authorization at the DP.
    pub(crate) fn upstream(&self, id: &ConsentId) -> Upstream {
        let upstream = Upstream { state: token(&*self.entropy), nonce: token(&*self.entropy) };
        self.state().consents.change(id, |held| held.upstream = Some(upstream.clone()));
        upstream
    }

    /// Redeems the code that the browser brings back, and writes down whom the id_token names.
    pub(crate) async fn redeem_at_dp(
        self: &Arc<Self>,
        held: &Held,
        upstream: &Upstream,
        inbound: &Inbound,
        context: &Context,
    ) -> Result<(), String> {
        let query = parse_form(inbound.query.as_bytes()).map_err(|e| e.to_string())?;
        match query.get("state") {
            Some(state) if *state == upstream.state => {}
            Some(_) => return Err("state is not the one that PayNet gave the DP".into()),
            None => return Err("the DP sent the browser back without state".into()),
        }
        let code = query.get("code").ok_or("the DP sent the browser back without code")?;
        let unknown = "the DP is not registered";
        let dp = self.dp(&held.consent.dp_id).ok_or(unknown)?;
        let tokens = self.ask_for_tokens(dp, held, code, context).await?;
        let (subject, auth_time) = self
            .check_dp_id_token(dp, held, upstream, &tokens.id_token)
            .map_err(|e| format!("the id_token of the DP's token endpoint: {e}"))?;
        self.state().consents.change(&held.consent.consent_id, |held| {
            held.subject = Some(subject);
            held.auth_time = auth_time;
        });
        self.touched();
        Ok(())
    }

    async fn ask_for_tokens(
        &self,
        dp: &DpRegistration,
        held: &Held,
        code: &str,
        context: &Context,
    ) -> Result<Tokens, String> {
        let caller = self.dp_callers.get(&dp.dp_id).ok_or("the DP is not registered")?;
        let (assertion, callback) = (self.assertion_for(dp), self.callback_uri());
        let form = [
            ("grant_type", "authorization_code"),
            ("client_id", PAYNET_CLIENT_ID),
            ("code", code),
            ("redirect_uri", callback.as_str()),
            ("client_assertion_type", ASSERTION_TYPE),
            ("client_assertion", &assertion),
        ];
        let url = dp.as_webhooks.join("/v1/oauth/token");
        let request = Request::form(&url, &form, self.profile.dp_deadline())
            .header("x-fapi-interaction-id", uuid_v4(&*self.entropy).to_string());
        let (consent, cause) = (Some(held.consent.consent_id.clone()), Some(context.exchange));
        let call = Call { endpoint: Endpoint::DpToken, request, consent, cause };
        let (_, result) = caller.call(call).await;
        let (status, message) =
            result.map_err(|failure| format!("the DP's token endpoint: {failure}"))?;
        Self::tokens_in(status, &message)
    }

    fn tokens_in(status: u16, message: &Message) -> Result<Tokens, String> {
        if status != 200 {
            return Err(format!("the DP's token endpoint answered {status}, 200 is required"));
        }
        // what serde has to say would quote a token
        serde_json::from_slice(&message.body).map_err(|_| {
            "the DP's token endpoint answered 200, and no JSON with the texts id_token and access_token"
                .to_owned()
        })
    }

    /// private_key_jwt, with PayNet as the client.
    fn assertion_for(&self, dp: &DpRegistration) -> String {
        let now = self.now();
        let iat = NumericDateForm::Int.of(now);
        self.keys.signing().sign_claims(&json!({
            "iss": PAYNET_CLIENT_ID,
            "sub": PAYNET_CLIENT_ID,
            "aud": dp.issuer,
            "iat": iat,
            "exp": now.as_second() + ASSERTION_LIFE,
            "jti": uuid_v4(&*self.entropy),
        }))
    }

    fn check_dp_id_token(
        &self,
        dp: &DpRegistration,
        held: &Held,
        upstream: &Upstream,
        text: &str,
    ) -> Result<(String, Option<i64>), JoseError> {
        let claims = CompactJws::parse(text)?.verify_with_any(&dp.client.keys)?.claims()?;
        claims.equals("nonce", &upstream.nonce)?;
        let (id_type, hashed_id_number) = held.consent.identity.clone().unwrap_or_default();
        let identity = UserIdentity { id_type, hashed_id_number };
        self.check_id_token(dp, held, &identity, &claims)
    }
}
