//! D3 to D7: userinfo, health, account, balances and transactions.

use std::time::Duration;

use ofp_evidence::{Endpoint, ExchangeId, Failure, Message, Record};
use ofp_net::{Call, Caller, Request, encode_form};
use ofp_types::{
    AccountId, Consent, ConsentId, DpId, Effect, FaultPoint, InteractionId, Origin,
    PLATFORM_AUDIENCE, RequestClaims, RequestSigner, SigResource, SigUserinfo, signature_header,
    uuid_v4,
};
use serde_json::Value;

use crate::{
    faults::{Struck, spoil},
    platform::Platform,
    resource_server::Resource,
};

/// How long a DP may take for what is not held to the limit of 5 s.
const PATIENCE: Duration = Duration::from_secs(30);

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

/// A request for account data on its way from a DC to the DP.
pub(crate) struct Forward<'a> {
    pub(crate) resource: Resource,
    pub(crate) consent: &'a Consent,
    pub(crate) account: &'a AccountId,
    /// The DC's own query.
    pub(crate) query: Vec<(&'a str, &'a str)>,
    pub(crate) interaction: &'a InteractionId,
    pub(crate) enc_kid: &'a str,
    pub(crate) dc_signature: Option<&'a str>,
    pub(crate) cause: Option<ExchangeId>,
}

type Called = (ExchangeId, Result<(u16, Message), Failure>);

impl Platform {
    pub(crate) async fn forward(&self, forward: &Forward<'_>) -> Called {
        let consent = forward.consent;
        let (dp, caller) = match self.reachable(&consent.dp_id) {
            Ok(found) => found,
            // consents are only ever created for registered DPs
            Err(e) => return (ExchangeId(0), Err(never_called(&e))),
        };
        let effect =
            self.call_fault(FaultPoint::DpResource, consent, Some(forward.interaction)).await;
        let path = format!(
            "/v1/accounts/{}{}",
            forward.account.path_segment(),
            forward.resource.path_suffix()
        );
        let mut query = forward.query.clone();
        query.push(("consent_id", consent.consent_id.as_str()));
        let url = format!("{}?{}", dp.join(&path), encode_form(&query));
        let deadline = match forward.resource {
            Resource::Balances => self.profile.dp_deadline(),
            Resource::Account | Resource::Transactions => self.profile.dp_deadline().max(PATIENCE),
        };
        let mut request = Request::get(url, deadline)
            .header("x-fapi-interaction-id", forward.interaction.as_str())
            .header("x-enc-kid", forward.enc_kid);
        for (name, value) in self.resource_signatures(forward, &path) {
            request = request.header(name, spoilt(value, effect));
        }
        let endpoint = forward.resource.dp_endpoint();
        let id = Some(consent.consent_id.clone());
        let call = Call { endpoint, request, consent: id, cause: forward.cause };
        excused(caller, caller.call(call).await, effect)
    }

    /// The fault that strikes a call of PayNet to the DP; a delay has passed when this returns.
    pub(crate) async fn call_fault(
        &self,
        at: FaultPoint,
        consent: &Consent,
        interaction: Option<&InteractionId>,
    ) -> Option<Effect> {
        let client = self.dp(&consent.dp_id).map(|dp| &dp.client.client_id);
        let effect = self.strike(&Struck {
            at,
            consent: Some(&consent.consent_id),
            client,
            interaction: interaction.map(InteractionId::as_str),
        })?;
        if let Effect::Delay(delay) = effect {
            tokio::time::sleep(delay.unsigned_abs()).await;
        }
        Some(effect)
    }

    /// PayNet's signature for this hop and the DC's own, as the profile wants.
    fn resource_signatures(
        &self,
        forward: &Forward<'_>,
        path: &str,
    ) -> Vec<(&'static str, String)> {
        let own = || match self.profile.sig_resource {
            SigResource::Claims => {
                self.claims_signature(forward.consent, &self.rs, path, &forward.query)
            }
            SigResource::DetachedEmpty => self.detached_signature(b""),
        };
        let signed = |signer| match signer {
            RequestSigner::PayNet => Some(own()),
            RequestSigner::Dc => forward.dc_signature.map(str::to_owned),
        };
        let each = self.profile.request_signatures();
        each.filter_map(|(name, signer)| Some((name, signed(signer)?))).collect()
    }

    pub(crate) async fn call_userinfo(
        &self,
        consent: &Consent,
        interaction: &InteractionId,
        cause: Option<ExchangeId>,
    ) -> Result<Called, ForwardError> {
        let (_, caller) = self.reachable(&consent.dp_id)?;
        let unknown = || ForwardError::UnknownDp(consent.dp_id.clone());
        let dp = &self.dp(&consent.dp_id).ok_or_else(unknown)?.as_webhooks;
        let effect = self.call_fault(FaultPoint::DpUserinfo, consent, Some(interaction)).await;
        let id = consent.consent_id.as_str();
        let path = "/v1/oauth/userinfo";
        let signature = match self.profile.sig_userinfo {
            SigUserinfo::Claims => {
                self.claims_signature(consent, &self.issuer, path, &[("consent_id", id)])
            }
            SigUserinfo::DetachedEmpty => self.detached_signature(b""),
            SigUserinfo::DetachedConsentId => self.detached_signature(id.as_bytes()),
        };
        let url = format!("{}?{}", dp.join(path), encode_form(&[("consent_id", id)]));
        let request = Request::get(url, self.profile.dp_deadline())
            .header("x-fapi-interaction-id", interaction.as_str())
            .header("x-fapi-signature", spoilt(signature, effect));
        let consent = Some(consent.consent_id.clone());
        let call = Call { endpoint: Endpoint::Userinfo, request, consent, cause };
        Ok(excused(caller, caller.call(call).await, effect))
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
        let found = self.dp(dp).zip(self.dp_callers.get(dp));
        let unknown = || ForwardError::UnknownDp(dp.clone());
        found.map(|(dp, caller)| (&dp.rs_webhooks, caller)).ok_or_else(unknown)
    }

    /// Over bytes that it leaves out; the header says when and for once.
    fn detached_signature(&self, over: &[u8]) -> String {
        let jti = uuid_v4(&*self.entropy).to_string();
        let form = self.profile.numericdate;
        let header = signature_header(PLATFORM_AUDIENCE, self.now(), jti, form);
        self.keys.signing().sign_detached(header, over)
    }

    /// A claims JWT in the layout of a resource request's (`spec/ofp.md` 5.3, 5.4).
    fn claims_signature(
        &self,
        consent: &Consent,
        host: &Origin,
        path: &str,
        query: &[(&str, &str)],
    ) -> String {
        let url = host.join(path);
        let url = if self.profile.quirk_url { format!("http://{url}") } else { url };
        let claims = RequestClaims {
            iss: PLATFORM_AUDIENCE,
            sub: consent.consent_id.as_str(),
            aud: &[consent.dp_id.as_str()],
            url: &url,
            qpm: query,
            jti: uuid_v4(&*self.entropy).to_string(),
            body: None,
            now: self.now(),
        };
        let claims = claims.in_form(self.profile.numericdate);
        self.keys.signing().sign_claims(&Value::Object(claims))
    }
}

/// A call whose signature a fault has spoilt: that it is refused says nothing against the DP.
pub(super) fn excused(caller: &Caller, called: Called, effect: Option<Effect>) -> Called {
    if matches!(effect, Some(Effect::Jose(_))) {
        caller.journal().add(Record::RefusalExpected { exchange: called.0 });
    }
    called
}

/// A signature as the fault that strikes it leaves it.
fn spoilt(signature: String, effect: Option<Effect>) -> String {
    match effect {
        Some(Effect::Jose(fault)) => spoil(fault, &signature),
        _ => signature,
    }
}

fn never_called(error: &ForwardError) -> Failure {
    Failure { stage: ofp_evidence::Stage::Connect, detail: error.to_string() }
}
