//! The calls of PayNet to the DP, as PayNet makes them (`spec/ofp.md` 5.2 to 5.4).

use std::ops::Deref;

use jiff::SignedDuration;
use ofp_evidence::{Endpoint, Record};
use ofp_types::{
    AccountId, Consent, ConsentStatus, PAYNET_CLIENT_ID, PLATFORM_AUDIENCE, Permission, Profile,
    RequestClaims, RequestSigner, SigBody, SigResource, SigUserinfo, SubClaim, signature_header,
    token, uuid_v4,
    wire::{ASSERTION_TYPE, EventType, UpdateConsent, consent_event},
};
use serde_json::{Map, Value, json};

use super::plan::{Form, Place, Plan, Signed, Signer};
use crate::World;

/// Makes calls as PayNet makes them in a reading of the specification.
pub(crate) struct Plans<'a> {
    world: &'a World,
    profile: &'a Profile,
}

impl Deref for Plans<'_> {
    type Target = World;

    fn deref(&self) -> &World {
        self.world
    }
}

impl World {
    /// Calls as PayNet makes them.
    pub(crate) fn plans(&self) -> Plans<'_> {
        self.plans_in(&self.settings.profile)
    }

    /// Calls as PayNet would make them in another reading.
    pub(crate) fn plans_in<'a>(&'a self, profile: &'a Profile) -> Plans<'a> {
        Plans { world: self, profile }
    }
}

impl Plans<'_> {
    fn plan(&self, endpoint: Endpoint, path: &str, consent: &Consent) -> Plan {
        let interaction = uuid_v4(&*self.entropy).to_string();
        Plan {
            endpoint,
            method: http::Method::GET,
            base: match endpoint {
                Endpoint::Health
                | Endpoint::Account
                | Endpoint::Balances
                | Endpoint::Transactions => self.origins.dp_rs_webhooks.clone(),
                _ => self.origins.dp_webhooks.clone(),
            },
            path: path.to_owned(),
            query: Vec::new(),
            headers: vec![("x-fapi-interaction-id", interaction)],
            body: Vec::new(),
            form: Vec::new(),
            redeemed: false,
            signatures: Vec::new(),
            consent: consent.consent_id.clone(),
            other_consent: uuid_v4(&*self.entropy).to_string(),
            unknown_consent: uuid_v4(&*self.entropy).to_string(),
            other_dc: World::OTHER_DC,
            unselected_account: None,
            foreign_account: None,
            status: consent.status,
            granted: true,
            lure: String::new(),
            used_jti: None,
            identity: None,
        }
    }

    /// D4: health.
    pub(crate) fn health_plan(&self, consent: &Consent) -> Plan {
        self.plan(Endpoint::Health, "/v1/health", consent)
    }

    /// D1: an event about a consent, which says that it has `status`.
    pub(crate) fn event_plan(
        &self,
        event: &str,
        consent: &Consent,
        status: Option<ConsentStatus>,
        ago: Option<SignedDuration>,
    ) -> Plan {
        let mut plan = self.plan(Endpoint::ConsentEvent, "/v1/consents/events", consent);
        let mut consent = consent.clone();
        if let Some(status) = status {
            consent.status = status;
            consent.updated_at = self.clock.now();
        }
        if let Some(ago) = ago {
            consent.updated_at = self.clock.now() - ago;
        }
        plan.method = http::Method::POST;
        plan.headers.push(("content-type", "application/json".into()));
        let mut body = consent_event(EventType::ConsentStatusUpdated, &consent, self.profile);
        body["event_type"] = json!(event);
        plan.body = body.to_string().into_bytes();
        let (extra, form) = match self.profile.sig_body {
            SigBody::Detached => (self.signed_now(PLATFORM_AUDIENCE), Form::Detached),
            SigBody::Claims => {
                let url = plan.base.join(&plan.path);
                let mut claims = self.claims(Signer::PayNet, &consent, url, &[]);
                // as the body is when it is signed
                claims.insert("body".into(), Value::Null);
                (Map::new(), Form::Claims(claims))
            }
        };
        let place = Place::Header("x-fapi-signature");
        plan.signatures = vec![Signed { place, signer: Signer::PayNet, extra, form }];
        plan
    }

    /// D2: the start of an authorization.
    pub(crate) fn authorize_plan(&self, consent: &Consent) -> Plan {
        let id = consent.consent_id.to_string();
        let mut plan = self.plan(Endpoint::DpAuthorize, "/v1/oauth/authorize", consent);
        plan.query = vec![
            ("consent_id".into(), id.clone()),
            ("redirect_uri".into(), self.settings.paynet_callback.clone()),
        ];
        if self.profile.oidc_at_dp {
            plan.query.extend(self.as_client());
        }
        let (place, extra) = (Place::Query("signature"), Map::new());
        plan.signatures =
            vec![Signed { place, signer: Signer::PayNet, extra, form: Form::Text(id) }];
        plan
    }

    /// D5 to D7: data of an account.
    pub(crate) fn resource_plan(
        &self,
        endpoint: Endpoint,
        consent: &Consent,
        account: &AccountId,
    ) -> Plan {
        let suffix = match endpoint {
            Endpoint::Balances => "/balances",
            Endpoint::Transactions => "/transactions",
            _ => "",
        };
        let path = format!("/v1/accounts/{}{suffix}", account.path_segment());
        let mut plan = self.plan(endpoint, &path, consent);
        plan.query = vec![("consent_id".into(), consent.consent_id.to_string())];
        plan.headers.push(("x-enc-kid", self.settings.dc_enc_kid.to_string()));
        plan.signatures = self.resource_signatures(consent, &path);
        plan.granted = consent.permissions.contains(&match endpoint {
            Endpoint::Balances => Permission::ReadBalances,
            Endpoint::Transactions => Permission::ReadTransactions,
            _ => Permission::ReadAccounts,
        });
        self.name_strangers(&mut plan, consent, account);
        plan
    }

    /// What PayNet sends beside as a client of the DP.
    fn as_client(&self) -> [(String, String); 5] {
        let random = || token(&*self.entropy);
        [
            ("response_type", "code".to_owned()),
            ("client_id", PAYNET_CLIENT_ID.to_owned()),
            ("scope", "openid".to_owned()),
            ("state", random()),
            ("nonce", random()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
    }

    /// D9: a code for an id_token, which PayNet has asked for already.
    pub(crate) fn token_plan(&self, consent: &Consent, code: String) -> Plan {
        let mut plan = self.plan(Endpoint::DpToken, "/v1/oauth/token", consent);
        plan.method = http::Method::POST;
        plan.headers.push(("content-type", "application/x-www-form-urlencoded".into()));
        plan.form = vec![
            ("grant_type", "authorization_code".into()),
            ("client_id", PAYNET_CLIENT_ID.into()),
            ("code", code),
            ("redirect_uri", self.settings.paynet_callback.clone()),
            ("client_assertion_type", ASSERTION_TYPE.into()),
        ];
        let now = self.clock.now().as_second();
        let claims = [
            ("iss", json!(PAYNET_CLIENT_ID)),
            ("sub", json!(PAYNET_CLIENT_ID)),
            ("aud", json!(self.settings.dp_issuer)),
            ("iat", json!(now)),
            ("exp", json!(now + RequestClaims::LIFE.as_secs())),
            ("jti", json!(uuid_v4(&*self.entropy))),
        ];
        let claims = claims.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let (place, signer) = (Place::Form("client_assertion"), Signer::PayNet);
        let form = Form::Claims(claims);
        plan.signatures = vec![Signed { place, signer, extra: Map::new(), form }];
        plan
    }

    /// D3: the customer's claims.
    pub(crate) fn userinfo_plan(&self, consent: &Consent) -> Plan {
        let (path, id) = ("/v1/oauth/userinfo", consent.consent_id.as_str());
        let mut plan = self.plan(Endpoint::Userinfo, path, consent);
        plan.query = vec![("consent_id".into(), id.to_owned())];
        let form = match self.profile.sig_userinfo {
            SigUserinfo::Claims => {
                let url = self.origins.paynet_as.join(path);
                Form::Claims(self.claims(Signer::PayNet, consent, url, &[("consent_id", id)]))
            }
            SigUserinfo::DetachedEmpty => Form::Detached,
            SigUserinfo::DetachedConsentId => Form::DetachedText(id.to_owned()),
        };
        let extra = match form {
            Form::Claims(_) => Map::new(),
            _ => self.signed_now(PLATFORM_AUDIENCE),
        };
        let place = Place::Header("x-fapi-signature");
        plan.signatures = vec![Signed { place, signer: Signer::PayNet, extra, form }];
        plan
    }

    /// Accounts that the request must not be about.
    fn name_strangers(&self, plan: &mut Plan, consent: &Consent, account: &AccountId) {
        let Some(bank) = self.dp.bank() else {
            return self.name_strangers_by_evidence(plan, consent, account);
        };
        let books = bank.books();
        let owns =
            |customer: &&ofp_dp::Customer| customer.accounts.iter().any(|a| a.id == *account);
        let owner = books.customers.iter().find(owns).map(|customer| customer.username.clone());
        let chosen = |id: &AccountId| consent.accounts.iter().any(|a| a.account_id == *id);
        for customer in &books.customers {
            let own = Some(&customer.username) == owner.as_ref();
            let other = customer.eligible().find(|a| a.id != *account && !chosen(&a.id));
            let slot = match own {
                true => &mut plan.unselected_account,
                false => &mut plan.foreign_account,
            };
            if slot.is_none() {
                *slot = other.map(|account| account.id.to_string());
            }
        }
    }

    /// The same where the DP's books are its own: what the target file names, and what the DP has told
    /// PayNet of other consents.
    fn name_strangers_by_evidence(&self, plan: &mut Plan, consent: &Consent, account: &AccountId) {
        let mut told: Vec<(String, Vec<AccountId>)> = Vec::new();
        for record in self.journal.records() {
            let Record::Exchange(exchange) = &*record else { continue };
            if exchange.endpoint != Endpoint::UpdateConsent {
                continue;
            }
            let body = serde_json::from_slice::<UpdateConsent>(&exchange.request.body);
            if let Ok(UpdateConsent { user_identity: Some(who), accounts: Some(all), .. }) = body {
                let ids = all.into_iter().map(|one| one.account_id).collect();
                told.push((who.hashed_id_number, ids));
            }
        }
        let owner = told.iter().find(|(_, ids)| ids.contains(account)).map(|(who, _)| who.clone());
        let chosen = |id: &AccountId| consent.accounts.iter().any(|a| a.account_id == *id);
        for (who, ids) in &told {
            let other = ids.iter().find(|id| *id != account && !chosen(id));
            let slot = match Some(who) == owner.as_ref() {
                true => &mut plan.unselected_account,
                false => &mut plan.foreign_account,
            };
            if slot.is_none() {
                *slot = other.map(ToString::to_string);
            }
        }
        let Some(target) = self.dp.target() else { return };
        for customer in &target.file.test_data.customers.value {
            let ids = || customer.accounts.iter().filter_map(|account| account.id.as_deref());
            let other = ids().find(|id| *id != account.as_str() && !chosen_text(consent, id));
            let slot = match ids().any(|id| id == account.as_str()) {
                true => &mut plan.unselected_account,
                false => &mut plan.foreign_account,
            };
            if slot.is_none() {
                *slot = other.map(str::to_owned);
            }
        }
    }

    fn resource_signatures(&self, consent: &Consent, path: &str) -> Vec<Signed> {
        let signed = |(name, signer)| {
            let signer = match signer {
                RequestSigner::PayNet => Signer::PayNet,
                RequestSigner::Dc => Signer::Dc,
            };
            let (extra, form) = match self.profile.sig_resource {
                SigResource::Claims => {
                    let url = self.origins.paynet_rs.join(path);
                    (Map::new(), Form::Claims(self.claims(signer, consent, url, &[])))
                }
                SigResource::DetachedEmpty => {
                    let by_paynet = signer == Signer::PayNet;
                    let iss = if by_paynet { PLATFORM_AUDIENCE } else { consent.dc_id.as_str() };
                    (self.signed_now(iss), Form::Detached)
                }
            };
            Signed { place: Place::Header(name), signer, extra, form }
        };
        self.profile.request_signatures().map(signed).collect()
    }

    /// The header of a detached signature that is made now.
    fn signed_now(&self, iss: &str) -> Map<String, Value> {
        let jti = uuid_v4(&*self.entropy).to_string();
        signature_header(iss, self.clock.now(), jti, self.profile.numericdate)
    }

    fn claims(
        &self,
        signer: Signer,
        consent: &Consent,
        url: String,
        qpm: &[(&str, &str)],
    ) -> Map<String, Value> {
        let profile = self.profile;
        let (dp, consent_id) = (consent.dp_id.as_str(), consent.consent_id.as_str());
        let dc = consent.dc_id.as_str();
        let by_paynet = signer == Signer::PayNet;
        let url = if profile.quirk_url { format!("http://{url}") } else { url };
        let claims = RequestClaims {
            iss: if by_paynet { PLATFORM_AUDIENCE } else { dc },
            sub: if !by_paynet && profile.sub_claim == SubClaim::DcId { dc } else { consent_id },
            aud: if by_paynet { &[dp] } else { &[dp, PLATFORM_AUDIENCE] },
            url: &url,
            qpm,
            jti: uuid_v4(&*self.entropy).to_string(),
            body: None,
            now: self.clock.now(),
        };
        claims.in_form(profile.numericdate)
    }
}

fn chosen_text(consent: &Consent, id: &str) -> bool {
    consent.accounts.iter().any(|account| account.account_id.as_str() == id)
}
