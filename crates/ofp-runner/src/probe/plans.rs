//! The calls of PayNet to the DP, as PayNet makes them (`spec/ofp.md` 5.2 to 5.4).

use jiff::{SignedDuration, Timestamp};
use ofp_evidence::Endpoint;
use ofp_types::{
    AccountId, Consent, ConsentStatus, NumericDateForm, PLATFORM_AUDIENCE, Permission,
    ResourceSigner, SigHeader, SigUserinfo, uuid_v4,
    wire::{EventType, consent_event},
};
use serde_json::{Map, Value, json};

use super::plan::{Form, Place, Plan, Signed, Signer};
use crate::World;

/// How long the signatures of a request for data live.
const LIFE: SignedDuration = SignedDuration::from_secs(300);

impl World {
    fn plan(&self, endpoint: Endpoint, path: &str, consent: &Consent) -> Plan {
        let interaction = uuid_v4(&*self.entropy).to_string();
        Plan {
            endpoint,
            method: http::Method::GET,
            base: self.origins.dp_webhooks.clone(),
            path: path.to_owned(),
            query: Vec::new(),
            headers: vec![("x-fapi-interaction-id", interaction)],
            body: Vec::new(),
            signatures: Vec::new(),
            consent: Some(consent.consent_id.clone()),
            other_consent: uuid_v4(&*self.entropy).to_string(),
            unknown_consent: uuid_v4(&*self.entropy).to_string(),
            other_dc: Self::OTHER_DC,
            unselected_account: None,
            foreign_account: None,
            status: consent.status,
            granted: true,
        }
    }

    /// D1: an event about a consent, which says that it has `status`.
    pub(crate) fn event_plan(
        &self,
        event: &str,
        consent: &Consent,
        status: Option<ConsentStatus>,
    ) -> Plan {
        let mut consent = consent.clone();
        if let Some(status) = status {
            consent.status = status;
            consent.updated_at = self.clock.now();
        }
        let mut plan = self.plan(Endpoint::ConsentEvent, "/v1/consents/events", &consent);
        plan.method = http::Method::POST;
        plan.headers.push(("content-type", "application/json".into()));
        let mut body =
            consent_event(EventType::ConsentStatusUpdated, &consent, &self.settings.profile);
        body["event_type"] = json!(event);
        plan.body = body.to_string().into_bytes();
        let extra = Map::from_iter([
            ("iss".to_owned(), json!(PLATFORM_AUDIENCE)),
            ("iat".to_owned(), self.numeric_date(self.clock.now())),
            ("jti".to_owned(), json!(uuid_v4(&*self.entropy))),
        ]);
        let place = Place::Header("x-fapi-signature");
        plan.signatures =
            vec![Signed { place, signer: Signer::PayNet, extra, form: Form::Detached }];
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

    /// D3: the customer's claims.
    pub(crate) fn userinfo_plan(&self, consent: &Consent) -> Plan {
        let (path, id) = ("/v1/oauth/userinfo", consent.consent_id.as_str());
        let mut plan = self.plan(Endpoint::Userinfo, path, consent);
        plan.query = vec![("consent_id".into(), id.to_owned())];
        let form = match self.settings.profile.sig_userinfo {
            SigUserinfo::Claims => {
                let mut claims = self.claims(Signer::PayNet, consent, path);
                claims.insert("url".into(), json!(self.origins.paynet_as.join(path)));
                claims.insert("qpm".into(), json!({ "consent_id": id }));
                Form::Claims(claims)
            }
            SigUserinfo::DetachedEmpty => Form::Detached,
            SigUserinfo::DetachedConsentId => Form::DetachedText(id.to_owned()),
        };
        let (place, extra) = (Place::Header("x-fapi-signature"), Map::new());
        plan.signatures = vec![Signed { place, signer: Signer::PayNet, extra, form }];
        plan
    }

    /// Accounts that the request must not be about.
    fn name_strangers(&self, plan: &mut Plan, consent: &Consent, account: &AccountId) {
        let books = self.dp.bank().books();
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

    fn resource_signatures(&self, consent: &Consent, path: &str) -> Vec<Signed> {
        let profile = &self.settings.profile;
        let signed = |name, signer| {
            let form = Form::Claims(self.claims(signer, consent, path));
            Signed { place: Place::Header(name), signer, extra: Map::new(), form }
        };
        let (fapi, x) = match profile.resource_signer {
            ResourceSigner::Both => (Signer::PayNet, Signer::Dc),
            ResourceSigner::Pn => (Signer::PayNet, Signer::PayNet),
            ResourceSigner::Dc => (Signer::Dc, Signer::Dc),
        };
        let fapi = (profile.sig_header != SigHeader::X).then(|| signed("x-fapi-signature", fapi));
        let x = (profile.sig_header != SigHeader::Fapi).then(|| signed("x-signature", x));
        fapi.into_iter().chain(x).collect()
    }

    fn claims(&self, signer: Signer, consent: &Consent, path: &str) -> Map<String, Value> {
        let now = self.clock.now();
        let (iss, aud) = match signer {
            Signer::PayNet => (PLATFORM_AUDIENCE.to_owned(), json!([consent.dp_id])),
            Signer::Dc | Signer::OtherDc => {
                (consent.dc_id.to_string(), json!([consent.dp_id, PLATFORM_AUDIENCE]))
            }
        };
        Map::from_iter([
            ("iss".to_owned(), json!(iss)),
            ("sub".to_owned(), json!(consent.consent_id)),
            ("aud".to_owned(), aud),
            ("iat".to_owned(), self.numeric_date(now)),
            ("nbf".to_owned(), self.numeric_date(now)),
            ("exp".to_owned(), self.numeric_date(now + LIFE)),
            ("jti".to_owned(), json!(uuid_v4(&*self.entropy))),
            ("url".to_owned(), json!(self.origins.paynet_rs.join(path))),
            ("qpm".to_owned(), json!({})),
        ])
    }

    /// `time` in the profile's form.
    fn numeric_date(&self, time: Timestamp) -> Value {
        match self.settings.profile.numericdate {
            NumericDateForm::Int => json!(time.as_second()),
            #[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 fit a double")]
            NumericDateForm::Float => json!(time.as_millisecond() as f64 / 1000.0),
        }
    }
}
