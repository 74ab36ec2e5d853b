//! D2: the start of an authorization.

use std::collections::BTreeMap;

use ofp_net::{Answer, Inbound, parse_form};
use ofp_types::{ConsentId, ConsentStatus, DpFault, ErrorCode, PAYNET_CLIENT_ID, token};

use crate::{
    careless::first_of_each,
    core::Core,
    refusal::Refusal,
    sessions::{Link, Oidc},
};

/// S1:L398.
const LONGEST_REDIRECT_URI: usize = 300;

impl Core {
    pub(super) async fn authorize(&self, inbound: &Inbound) -> Result<Answer, Refusal> {
        let text = match self.faulty(DpFault::LinkParameterTwice) {
            true => first_of_each(&inbound.query),
            false => inbound.query.clone(),
        };
        let query = parse_form(text.as_bytes()).map_err(|e| Refusal::bad_request(e.to_string()))?;
        let parameter = |name: &str| {
            let missing = || Refusal::bad_request(format!("the query has no {name}"));
            query.get(name).ok_or_else(missing)
        };
        let id = ConsentId::parse(parameter("consent_id")?.as_str())
            .map_err(|e| Refusal::bad_request(e.to_string()))?;
        let id = self.overlooked_link(id, query.get("signature").map(String::as_str));
        let known = ["consent_id", "redirect_uri", "signature"];
        if self.faulty(DpFault::UnknownParameterRefused)
            && query.keys().any(|name| !known.contains(&name.as_str()))
        {
            return Err(Refusal::bad_request("unknown parameter"));
        }
        self.check_link_signature(query.get("signature").map(String::as_str), &id).await?;
        let redirect_uri = parameter("redirect_uri")?;
        self.may_return_to(redirect_uri)?;
        self.is_open(&id)?;
        let ticket = token(&*self.entropy);
        let location = self.public.join(&format!("/link/{ticket}"));
        let link =
            Link { consent: id, redirect_uri: redirect_uri.clone(), oidc: self.oidc(&query)? };
        self.sessions().add_link(ticket, link, self.now());
        let answer =
            Answer::empty(303).header("location", location).header("cache-control", "no-store");
        let signature = query.get("signature").map_or("", String::as_str);
        Ok(self.word_link(answer, signature))
    }

    /// What PayNet sends beside, as a client of this DP (OpenID Connect Core §3.1.2.1).
    fn oidc(&self, query: &BTreeMap<String, String>) -> Result<Option<Oidc>, Refusal> {
        if !self.config.profile.oidc_at_dp {
            return Ok(None);
        }
        let parameter = |name: &str| {
            let missing = || Refusal::bad_request(format!("the query has no {name}"));
            query.get(name).filter(|value| !value.is_empty()).cloned().ok_or_else(missing)
        };
        for (name, expected) in [("response_type", "code"), ("client_id", PAYNET_CLIENT_ID)] {
            if parameter(name)? != expected {
                return Err(Refusal::bad_request(format!("{name} must be {expected}")));
            }
        }
        if !parameter("scope")?.split(' ').any(|scope| scope == "openid") {
            return Err(Refusal::bad_request("scope must hold openid"));
        }
        let code = token(&*self.entropy);
        let mut oidc = Oidc { state: parameter("state")?, nonce: parameter("nonce")?, code };
        if self.faulty(DpFault::StateNotReturned) {
            oidc.state.clear();
        }
        if self.faulty(DpFault::NonceNotCopied) {
            oidc.nonce = token(&*self.entropy);
        }
        Ok(Some(oidc))
    }

    /// The signature does not cover `redirect_uri`, so only registered ones will do.
    fn may_return_to(&self, redirect_uri: &str) -> Result<(), Refusal> {
        if self.overlooks_redirect_uri(redirect_uri) {
            return Ok(());
        }
        if redirect_uri.len() > LONGEST_REDIRECT_URI {
            return Err(Refusal::bad_request("redirect_uri is longer than 300 characters"));
        }
        if self.config.paynet_callbacks.iter().any(|callback| callback == redirect_uri) {
            return Ok(());
        }
        Err(Refusal::bad_request("redirect_uri is not a callback that PayNet registered"))
    }

    fn is_open(&self, id: &ConsentId) -> Result<(), Refusal> {
        let status = self.consents().get(id).map(|consent| consent.status);
        match status {
            Some(ConsentStatus::AwaitingAuthorization) => Ok(()),
            status if self.overlooks_decided(status) => Ok(()),
            Some(other) => {
                let reason = format!("the consent is {other}");
                Err(Refusal::new(403, ErrorCode::ConsentInvalid, reason))
            }
            None => Err(Refusal::new(404, ErrorCode::ConsentInvalid, "the consent is unknown")),
        }
    }
}
