//! D3, D4, D6: userinfo, health and balances.

use jiff::SignedDuration;
use ofp_evidence::{Endpoint, ExchangeId, Failure, Message};
use ofp_net::{Call, Caller, Request, encode_form};
use ofp_types::{
    AccountId, Consent, ConsentId, DpId, InteractionId, Origin, PLATFORM_AUDIENCE, ResourceSigner,
    SigHeader, SigResource, SigUserinfo, uuid_v4,
};
use serde_json::{Map, Value, json};

use crate::platform::Platform;

/// PayNet's own signatures live as long as a DC's.
const SIGNATURE_LIFE: SignedDuration = SignedDuration::from_secs(300);

/// Why PayNet could not even call.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ForwardError {
    /// No such consent.
    #[error("there is no consent {0}")]
    UnknownConsent(ConsentId),
    /// No such DP.
    #[error("no DP {0} is registered")]
    UnknownDp(DpId),
}

/// A balance request on its way from a DC to the DP.
pub(crate) struct Forward<'a> {
    pub(crate) consent: &'a Consent,
    pub(crate) account: &'a AccountId,
    pub(crate) interaction: &'a InteractionId,
    pub(crate) enc_kid: &'a str,
    pub(crate) dc_signature: Option<&'a str>,
    pub(crate) cause: Option<ExchangeId>,
}

type Called = (ExchangeId, Result<(u16, Message), Failure>);

impl Platform {
    pub(crate) async fn forward_balances(&self, forward: &Forward<'_>) -> Called {
        let consent = forward.consent;
        let (dp, caller) = match self.reachable(&consent.dp_id) {
            Ok(found) => found,
            // consents are only ever created for registered DPs
            Err(e) => return (ExchangeId(0), Err(never_called(&e))),
        };
        let path = format!("/v1/accounts/{}/balances", forward.account.path_segment());
        let query = [("consent_id", consent.consent_id.as_str())];
        let url = format!("{}?{}", dp.join(&path), encode_form(&query));
        let mut request = Request::get(url, self.profile.dp_deadline())
            .header("x-fapi-interaction-id", forward.interaction.as_str())
            .header("x-enc-kid", forward.enc_kid);
        for (name, value) in self.resource_signatures(forward, &path) {
            request = request.header(name, value);
        }
        let endpoint = Endpoint::Balances;
        let id = Some(consent.consent_id.clone());
        caller.call(Call { endpoint, request, consent: id, cause: forward.cause }).await
    }

    /// PayNet's signature for this hop and the DC's own, as the profile wants.
    fn resource_signatures(
        &self,
        forward: &Forward<'_>,
        path: &str,
    ) -> Vec<(&'static str, String)> {
        let (header, signer) = (self.profile.sig_header, self.profile.resource_signer);
        let own = || match self.profile.sig_resource {
            SigResource::Claims => self.claims_signature(forward.consent, &self.rs, path, &[]),
            SigResource::DetachedEmpty => self.signing.sign_detached(Map::new(), b""),
        };
        let dcs = forward.dc_signature.map(str::to_owned);
        let fapi = match signer {
            ResourceSigner::Dc => dcs.clone(),
            ResourceSigner::Pn | ResourceSigner::Both => Some(own()),
        };
        let x = match signer {
            ResourceSigner::Pn => Some(own()),
            ResourceSigner::Dc | ResourceSigner::Both => dcs,
        };
        let fapi = fapi.filter(|_| header != SigHeader::X).map(|v| ("x-fapi-signature", v));
        let x = x.filter(|_| header != SigHeader::Fapi).map(|v| ("x-signature", v));
        fapi.into_iter().chain(x).collect()
    }

    pub(crate) async fn call_userinfo(&self, consent: &Consent) -> Result<Called, ForwardError> {
        let (_, caller) = self.reachable(&consent.dp_id)?;
        let unknown = || ForwardError::UnknownDp(consent.dp_id.clone());
        let dp = &self.dp(&consent.dp_id).ok_or_else(unknown)?.as_webhooks;
        let id = consent.consent_id.as_str();
        let path = "/v1/oauth/userinfo";
        let signature = match self.profile.sig_userinfo {
            SigUserinfo::Claims => {
                self.claims_signature(consent, &self.issuer, path, &[("consent_id", id)])
            }
            SigUserinfo::DetachedEmpty => self.signing.sign_detached(Map::new(), b""),
            SigUserinfo::DetachedConsentId => self.signing.sign_detached(Map::new(), id.as_bytes()),
        };
        let url = format!("{}?{}", dp.join(path), encode_form(&[("consent_id", id)]));
        let request = Request::get(url, self.profile.dp_deadline())
            .header("x-fapi-interaction-id", uuid_v4(&*self.entropy).to_string())
            .header("x-fapi-signature", signature);
        let consent = Some(consent.consent_id.clone());
        let call = Call { endpoint: Endpoint::Userinfo, request, consent, cause: None };
        Ok(caller.call(call).await)
    }

    pub(crate) async fn call_health(
        &self,
        dp: &DpId,
        consent: Option<ConsentId>,
    ) -> Result<Called, ForwardError> {
        let (origin, caller) = self.reachable(dp)?;
        let request = Request::get(origin.join("/v1/health"), self.profile.dp_deadline())
            .header("x-fapi-interaction-id", uuid_v4(&*self.entropy).to_string());
        let call = Call { endpoint: Endpoint::Health, request, consent, cause: None };
        Ok(caller.call(call).await)
    }

    /// The base URL of the DP's Resource Server webhooks, and who calls them.
    fn reachable(&self, dp: &DpId) -> Result<(&Origin, &Caller), ForwardError> {
        let found = self.dp(dp).zip(self.callers.get(dp));
        let unknown = || ForwardError::UnknownDp(dp.clone());
        found.map(|(dp, caller)| (&dp.rs_webhooks, caller)).ok_or_else(unknown)
    }

    /// A claims JWT in the layout of a resource request's (`spec/ofp.md` 5.3, 5.4).
    fn claims_signature(
        &self,
        consent: &Consent,
        host: &Origin,
        path: &str,
        query: &[(&str, &str)],
    ) -> String {
        let now = self.now();
        let url = host.join(path);
        let url = if self.profile.quirk_url { format!("http://{url}") } else { url };
        let qpm: Map<String, Value> =
            query.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
        self.signing.sign_claims(&json!({
            "iss": PLATFORM_AUDIENCE,
            "sub": consent.consent_id,
            "aud": [consent.dp_id],
            "iat": self.numeric_date(now),
            "nbf": self.numeric_date(now),
            "exp": self.numeric_date(now + SIGNATURE_LIFE),
            "jti": uuid_v4(&*self.entropy),
            "url": url,
            "qpm": qpm,
        }))
    }
}

fn never_called(error: &ForwardError) -> Failure {
    Failure { stage: ofp_evidence::Stage::Connect, detail: error.to_string() }
}
