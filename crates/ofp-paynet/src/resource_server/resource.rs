//! B2 to B4: account, balances, transactions. Everything is checked here before the DP is asked, and
//! the DP's answer is verified before it passes.

use std::sync::Arc;

use ofp_evidence::Endpoint;
use ofp_jose::KeyUse;
use ofp_net::{Answer, Inbound, parse_form};
use ofp_types::{AccountId, ConsentStatus, ErrorCode, InteractionId, Permission, Policy};

use super::paging;
use crate::{
    DcRegistration,
    bearer::insufficient,
    platform::{Participant, Platform},
    provider::Forward,
    refusal::Refusal,
    serve::Context,
    state::{Grant, Held, Token},
};

/// What of an account is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Resource {
    Account,
    Balances,
    Transactions,
}

impl Resource {
    fn permission(self) -> Permission {
        match self {
            Self::Account => Permission::ReadAccounts,
            Self::Balances => Permission::ReadBalances,
            Self::Transactions => Permission::ReadTransactions,
        }
    }

    /// What follows the account in the path.
    pub(crate) fn path_suffix(self) -> &'static str {
        match self {
            Self::Account => "",
            Self::Balances => "/balances",
            Self::Transactions => "/transactions",
        }
    }

    /// The DP's endpoint for it.
    pub(crate) fn dp_endpoint(self) -> Endpoint {
        match self {
            Self::Account => Endpoint::Account,
            Self::Balances => Endpoint::Balances,
            Self::Transactions => Endpoint::Transactions,
        }
    }
}

impl Platform {
    pub(crate) async fn resource(
        self: &Arc<Self>,
        resource: Resource,
        inbound: &Inbound,
        context: &mut Context,
    ) -> Result<Answer, Refusal> {
        let (token, participant) = self.bearer_for_accounts(inbound)?;
        let (held, dc) = self.consent_behind(&token, participant, context)?;
        if !held.consent.permissions.contains(&resource.permission()) {
            let reason = format!("the consent does not grant {}", resource.permission().as_str());
            return Err(insufficient(reason));
        }
        self.within_rate(dc, &held)?;
        let interaction = inbound.header("x-fapi-interaction-id").unwrap_or_default();
        let interaction =
            InteractionId::parse(interaction).map_err(|e| Refusal::bad_request(e.to_string()))?;
        let query = parse_form(inbound.query.as_bytes())
            .map_err(|e| Refusal::bad_request(e.to_string()))?;
        paging::check(resource, &query)?;
        let account = covered(&held, &inbound.parameter)?;
        let signature = inbound.header("x-signature").ok_or_else(|| {
            Refusal::new(400, ErrorCode::JwsInvalidSignature, "x-signature is missing")
        })?;
        self.check_request_signature(dc, &held, inbound, signature)
            .map_err(|e| Refusal::jws("x-signature", &e))?;
        let enc_kid = self.encryption_kid(dc, inbound)?;
        let forward = Forward {
            resource,
            consent: &held.consent,
            account: &account,
            query: query.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect(),
            interaction: &interaction,
            enc_kid: &enc_kid,
            dc_signature: Some(signature),
            cause: Some(context.exchange),
        };
        let (_, result) = self.forward(&forward).await;
        let message = self.accept(result)?;
        self.verify_dp_answer(&held, &message)?;
        // passed on byte for byte
        let is_json = message.media_type().as_deref() == Some("application/json");
        let media_type = if is_json { "application/json" } else { "application/jose" };
        Ok(Answer::new(200, media_type, message.body).header("cache-control", "no-store"))
    }

    /// The consent behind a DC's token, if data may flow now.
    pub(crate) fn consent_behind<'a>(
        self: &Arc<Self>,
        token: &Token,
        participant: Participant<'a>,
        context: &mut Context,
    ) -> Result<(Held, &'a DcRegistration), Refusal> {
        let (Grant::Consent(id), Participant::Dc(dc)) = (&token.grant, participant) else {
            return Err(insufficient("a token that a customer's consent stands behind is needed"));
        };
        context.consent = Some(id.clone());
        let gone = || Refusal::consent(403, "the consent is unknown");
        let held = self.held(id).ok_or_else(gone)?;
        if held.consent.status != ConsentStatus::Authorized {
            return Err(Refusal::consent(403, format!("the consent is {}", held.consent.status)));
        }
        Ok((held, dc))
    }

    /// so many requests a minute, DC and DP.
    fn within_rate(&self, dc: &DcRegistration, held: &Held) -> Result<(), Refusal> {
        let limit = self.profile.rate_limit;
        if limit == 0 || !held.policies.contains(&Policy::RateLimit) {
            return Ok(());
        }
        let now = self.now();
        let taken = self.state().rates.take(&dc.dc_id, &held.consent.dp_id, limit, now);
        taken.map_err(|seconds| {
            let reason = format!("more than {limit} requests a minute; again in {seconds} s");
            let refusal = Refusal::new(429, ErrorCode::RateLimited, reason);
            refusal.header("retry-after", seconds.to_string())
        })
    }
}

/// The account that a path names, if the customer chose it.
fn covered(held: &Held, path: &str) -> Result<AccountId, Refusal> {
    let chosen = held.consent.accounts.iter().find(|account| account.account_id.as_str() == path);
    chosen.map(|account| account.account_id.clone()).ok_or_else(|| {
        let reason = format!("account {path} is not part of the consent");
        Refusal::new(403, ErrorCode::PermanentAccountAccessFailure, reason)
    })
}

impl Platform {
    /// The DC's choice of its own encryption key, or its newest.
    fn encryption_kid(&self, dc: &DcRegistration, inbound: &Inbound) -> Result<String, Refusal> {
        let newest = self.state().encryption_keys.get(&dc.dc_id).and_then(|jwk| jwk.kid.clone());
        let named = inbound.header("x-enc-kid");
        match newest {
            Some(newest) if named.is_none_or(|named| named == newest) => Ok(newest),
            _ => registered_kid(dc, named),
        }
    }
}

fn registered_kid(dc: &DcRegistration, named: Option<&str>) -> Result<String, Refusal> {
    match named {
        Some(kid) => {
            let found = dc.client.keys.find(kid, KeyUse::Enc);
            found.map(|key| key.kid().to_owned()).map_err(|e| {
                let description = "x-enc-kid names no encryption key of this DC";
                Refusal::discreet(400, ErrorCode::JweDecryptionError, description, e.to_string())
            })
        }
        None => dc
            .client
            .keys
            .first(KeyUse::Enc)
            .map(|key| key.kid().to_owned())
            .ok_or_else(|| Refusal::bad_request("the DC has no encryption key registered")),
    }
}
