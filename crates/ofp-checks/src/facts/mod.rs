//! Records, as checks look at them: sorted by endpoint, every message taken apart once.

mod balance;
mod success;
mod update;

pub(crate) use balance::Balance;
pub(crate) use success::told_of_success;
pub(crate) use update::{IdToken, Update};

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use ofp_evidence::{
    AccountChange, Cause, CustomerAct, Decryption, Endpoint, Exchange, ExchangeId, Finding,
    Handshake, KeySetChange, KeySetState, OtherReading, Record, Restart, Role, Transition,
};
use ofp_types::{ConsentId, ConsentStatus, Mutation, Profile};
use serde_json::Value;

use crate::{Settings, Unserved, refusal::served};

/// What checks look at.
pub struct Facts<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) exchanges: Vec<&'a Exchange>,
    pub(crate) handshakes: Vec<&'a Handshake>,
    pub(crate) transitions: Vec<&'a Transition>,
    pub(crate) acts: Vec<(&'a ConsentId, &'a CustomerAct)>,
    pub(crate) updates: Vec<Update<'a>>,
    pub(crate) balances: Vec<Balance<'a>>,
    /// Requests that the scenario meant to be refused.
    refusals_expected: HashSet<ExchangeId>,
    /// Requests that the scenario spoilt. They stand nowhere else.
    pub(crate) spoilt: Vec<(Mutation, &'a Exchange)>,
    /// Requests that lured the DP into fetching a key.
    lured: HashSet<ExchangeId>,
    /// What became of accounts in the DP's books, and when.
    pub(crate) accounts: Vec<&'a AccountChange>,
    /// What became of PayNet's published keys, and when.
    key_sets: Vec<&'a KeySetChange>,
    /// Good requests that the scenario made itself: where their consent stood, and whether it grants
    /// what was asked for.
    standings: HashMap<ExchangeId, (ConsentStatus, bool)>,
    /// Calls that were refused, sent again in other readings of the specification. They stand nowhere else.
    readings: Vec<&'a OtherReading>,
    /// Restarts of the DP.
    pub(crate) restarts: Vec<&'a Restart>,
    /// Consents during whose authorization the DP could get no token.
    pub(crate) without_tokens: Vec<&'a ConsentId>,
}

impl<'a> Facts<'a> {
    /// Takes records apart.
    #[must_use]
    pub fn of(settings: &'a Settings, records: &'a [Arc<Record>]) -> Self {
        let mut facts = Self::empty(settings);
        let mut mutations: HashMap<ExchangeId, Mutation> = HashMap::new();
        let mut decryptions: Vec<&Decryption> = Vec::new();
        for record in records {
            match &**record {
                Record::Exchange(exchange) => facts.exchanges.push(exchange),
                Record::Handshake(handshake) => facts.handshakes.push(handshake),
                Record::Decryption(decryption) => decryptions.push(decryption),
                Record::Transition(transition) => facts.transitions.push(transition),
                Record::Customer { consent, act } => facts.acts.push((consent, act)),
                Record::Probe {
                    exchange,
                    mutation: Some(mutation),
                    lured,
                    status,
                    granted,
                    ..
                } => {
                    facts.standings.insert(*exchange, (*status, *granted));
                    mutations.insert(*exchange, *mutation);
                    facts.lured.extend(lured.then_some(*exchange));
                }
                Record::Probe { exchange, status, granted, .. } => {
                    facts.standings.insert(*exchange, (*status, *granted));
                }
                Record::TokensWithheld { consent } => facts.without_tokens.push(consent),
                Record::Restart(restart) => facts.restarts.push(restart),
                Record::OtherReading(reading) => facts.readings.push(reading),
                Record::Account(change) => facts.accounts.push(change),
                Record::KeySet(change) => facts.key_sets.push(change),
                Record::RefusalExpected { exchange } => {
                    facts.refusals_expected.insert(*exchange);
                }
            }
        }
        facts.exchanges.sort_by_key(|exchange| exchange.id);
        facts.set_spoilt_apart(&mutations);
        let readings: HashSet<ExchangeId> = facts.readings.iter().map(|r| r.exchange).collect();
        facts.exchanges.retain(|exchange| !readings.contains(&exchange.id));
        let updates = facts.at(Endpoint::UpdateConsent).map(|x| Update::of(settings, x)).collect();
        let balances = facts
            .at(Endpoint::Balances)
            .map(|exchange| Balance::of(settings, exchange, &decryptions))
            .collect();
        facts.updates = updates;
        facts.take_tokens_of_codes();
        facts.balances = balances;
        facts
    }

    /// What the profile would have to say so that the DP takes a good call that it refused.
    fn other_reading(&self, refused: ExchangeId) -> Option<String> {
        let exchange = self.exchanges.iter().find(|exchange| exchange.id == refused)?;
        let is_refusal = exchange.status().is_some_and(|status| (400..500).contains(&status));
        let call = exchange.endpoint.signed_call().filter(|_| is_refusal)?;
        let taken =
            self.readings.iter().find(|reading| reading.accepted && reading.call == call)?;
        Some(taken.switches.join(" and "))
    }

    /// A DP that takes the call in another reading is not at fault: the profile is.
    pub fn reread(&self, finding: &mut Finding) {
        let Some(switches) = finding.exchange.and_then(|at| self.other_reading(at)) else { return };
        finding.cause = Cause::Config;
        finding.hint = Some(format!(
            "The DP takes this call with {switches}: say so in the profile (`profile:` of the target, or --profile FILE)"
        ));
    }

    fn empty(settings: &'a Settings) -> Self {
        Self {
            settings,
            exchanges: Vec::new(),
            handshakes: Vec::new(),
            transitions: Vec::new(),
            acts: Vec::new(),
            updates: Vec::new(),
            balances: Vec::new(),
            refusals_expected: HashSet::new(),
            spoilt: Vec::new(),
            lured: HashSet::new(),
            accounts: Vec::new(),
            key_sets: Vec::new(),
            standings: HashMap::new(),
            readings: Vec::new(),
            restarts: Vec::new(),
            without_tokens: Vec::new(),
        }
    }

    /// The reading of the specification.
    #[must_use]
    pub fn profile(&self) -> &'a Profile {
        &self.settings.profile
    }

    /// What was spoilt on purpose says nothing about how a DP treats good requests.
    fn set_spoilt_apart(&mut self, mutations: &HashMap<ExchangeId, Mutation>) {
        self.exchanges.retain(|exchange| match mutations.get(&exchange.id) {
            Some(mutation) => {
                self.spoilt.push((*mutation, exchange));
                false
            }
            None => true,
        });
    }

    /// Where the DP has a token endpoint, the id_token of an approval is the one that it gave for the code.
    fn take_tokens_of_codes(&mut self) {
        if !self.settings.profile.oidc_at_dp {
            return;
        }
        let given = self.at(Endpoint::DpToken).filter_map(|exchange| {
            let body: Value = serde_json::from_slice(&exchange.response()?.body).ok()?;
            let token = IdToken::of(self.settings, exchange, body["id_token"].as_str()?);
            Some((exchange.consent.clone(), token))
        });
        for (consent, token) in given.collect::<Vec<_>>() {
            let of = |update: &&mut Update<'_>| {
                update.exchange.consent == consent && update.is(ConsentStatus::Authorized)
            };
            if let Some(update) = self.updates.iter_mut().rfind(of) {
                update.id_token = Some(token);
            }
        }
    }

    /// Exchanges at an endpoint, in order, but those that the scenario meant to be refused, or that a
    /// consent does not stand behind: a DP that refuses those does well.
    pub(crate) fn at(&self, endpoint: Endpoint) -> impl Iterator<Item = &'a Exchange> {
        let wanted = move |exchange: &&Exchange| {
            exchange.endpoint == endpoint
                && !self.refusals_expected.contains(&exchange.id)
                && !self.is_under_other_keys(exchange)
                && !self.is_after_restart(exchange)
                && self.is_due(exchange)
        };
        self.exchanges.iter().copied().filter(wanted)
    }

    /// Whether it is about a consent that a restart may have taken along, which is for O-08 to say.
    fn is_after_restart(&self, exchange: &Exchange) -> bool {
        let about = |restart: &Restart| exchange.consent.as_ref() == Some(&restart.consent);
        self.restarts.iter().any(|restart| about(restart) && exchange.id >= restart.after)
    }

    /// Whether PayNet's key set was not as usual: for a quarter of an hour a DP need not know a new key,
    /// and what it makes of the rest is for the requirements on keys to say.
    fn is_under_other_keys(&self, exchange: &Exchange) -> bool {
        let ours = exchange.from == Role::PayNet && exchange.to == Role::Dp;
        let state = self.key_set_at(exchange).filter(|state| *state != KeySetState::AsUsual);
        ours && state.is_some()
    }

    /// How PayNet's key set was at an exchange; none if nothing happened to it.
    fn key_set_at(&self, exchange: &Exchange) -> Option<KeySetState> {
        let mut before = self.key_sets.iter().filter(|change| change.after < exchange.id);
        before.next_back().map(|change| change.state)
    }

    /// Whether a request that the scenario made itself is one that the DP must serve.
    pub(crate) fn is_due(&self, exchange: &Exchange) -> bool {
        let standing = self.standings.get(&exchange.id);
        standing.is_none_or(|(status, granted)| match exchange.endpoint {
            Endpoint::DpAuthorize => *status == ConsentStatus::AwaitingAuthorization,
            Endpoint::Account
            | Endpoint::Balances
            | Endpoint::Transactions
            | Endpoint::Userinfo => *status == ConsentStatus::Authorized && *granted,
            _ => true,
        })
    }

    /// Good requests that the scenario made itself.
    pub(crate) fn probes(&self) -> impl Iterator<Item = (&'a Exchange, ConsentStatus, bool)> {
        self.exchanges.iter().filter_map(|exchange| {
            let (status, granted) = self.standings.get(&exchange.id)?;
            Some((*exchange, *status, *granted))
        })
    }

    /// Requests of a kind that is not to be served, with what was spoilt.
    #[must_use]
    pub fn unserved(&self, kind: Unserved) -> Vec<(Option<Mutation>, &'a Exchange)> {
        let probes = |wanted: &dyn Fn(Endpoint, ConsentStatus, bool) -> bool| {
            let ours =
                self.probes().filter(|(x, status, granted)| wanted(x.endpoint, *status, *granted));
            ours.map(|(exchange, ..)| (None, exchange)).collect()
        };
        match kind {
            Unserved::Spoilt(at, mutation) => {
                let ours = self.spoilt.iter();
                let ours = ours.filter(|(m, x)| *m == mutation && x.endpoint == at);
                ours.map(|(mutation, exchange)| (Some(*mutation), *exchange)).collect()
            }
            Unserved::While(at, stands) => {
                probes(&|endpoint, status, _| endpoint == at && status == stands)
            }
            Unserved::NotGranted(at) => probes(&|endpoint, status, granted| {
                endpoint == at && status == ConsentStatus::Authorized && !granted
            }),
        }
    }

    /// Requests with a mutation.
    pub(crate) fn sent_with(
        &self,
        endpoint: Endpoint,
        mutation: Mutation,
    ) -> impl Iterator<Item = &'a Exchange> {
        let ours = self.spoilt.iter();
        ours.filter(move |(m, x)| *m == mutation && x.endpoint == endpoint).map(|(_, x)| *x)
    }

    /// Whether an event told the DP that the consent is for another customer: approval is not due.
    pub(crate) fn names_somebody_else(&self, consent: &ConsentId) -> bool {
        let mut altered = self.sent_with(Endpoint::ConsentEvent, Mutation::IdentityAltered);
        altered.any(|event| event.consent.as_ref() == Some(consent))
    }

    /// Whether a request lured the DP into fetching a key.
    pub(crate) fn was_lured(&self, exchange: &Exchange) -> bool {
        self.lured.contains(&exchange.id)
    }

    /// Exchanges at an endpoint, in order, whatever is expected of them; not those that were spoilt.
    pub(crate) fn all_at(&self, endpoint: Endpoint) -> impl Iterator<Item = &'a Exchange> {
        self.exchanges.iter().copied().filter(move |exchange| exchange.endpoint == endpoint)
    }

    /// Whether the DP served a good request there. What it may not serve at all under some consent, it
    /// may at another endpoint of the same kind.
    pub(crate) fn serves(&self, endpoint: Endpoint) -> bool {
        let data = [Endpoint::Account, Endpoint::Balances, Endpoint::Transactions];
        let alike: &[Endpoint] =
            if data.contains(&endpoint) { &data } else { std::slice::from_ref(&endpoint) };
        let callback = &self.settings.paynet_callback;
        let mut good = alike.iter().flat_map(|endpoint| self.at(*endpoint));
        good.any(|exchange| served(exchange, callback).is_ok())
    }

    /// Whether the scenario meant this request to be refused.
    pub(crate) fn is_meant_to_be_refused(&self, exchange: &Exchange) -> bool {
        self.refusals_expected.contains(&exchange.id)
    }

    /// The exchange of a number.
    pub(crate) fn exchange(&self, id: ExchangeId) -> Option<&'a Exchange> {
        self.exchanges.iter().copied().find(|exchange| exchange.id == id)
    }

    /// Token requests of the DP.
    pub(crate) fn dp_tokens(&self) -> impl Iterator<Item = &'a Exchange> {
        self.at(Endpoint::Token).filter(|exchange| exchange.from == Role::Dp)
    }

    /// Consent events whose `event_type` and `status` are these, with the exchange.
    pub(crate) fn events(&self, event_type: &str, status: &str) -> Vec<&'a Exchange> {
        let is = |exchange: &&Exchange| {
            let body: Option<Value> = serde_json::from_slice(&exchange.request.body).ok();
            body.is_some_and(|body| {
                body["event_type"] == event_type && body["data"]["status"] == status
            })
        };
        self.at(Endpoint::ConsentEvent).filter(is).collect()
    }

    /// Good events that were sent while PayNet's key set was like this.
    pub(crate) fn events_while(&self, wanted: KeySetState) -> Vec<&'a Exchange> {
        let wanted = |exchange: &&Exchange| self.key_set_at(exchange) == Some(wanted);
        let all = self.all_at(Endpoint::ConsentEvent).filter(wanted);
        all.filter(|exchange| !self.refusals_expected.contains(&exchange.id)).collect()
    }

    /// Consent events of the types that are wanted.
    pub(crate) fn events_where(
        &self,
        wanted: fn(&str) -> bool,
    ) -> impl Iterator<Item = &'a Exchange> {
        self.at(Endpoint::ConsentEvent).filter(move |exchange| {
            let body: Option<Value> = serde_json::from_slice(&exchange.request.body).ok();
            body.is_some_and(|body| body["event_type"].as_str().is_some_and(wanted))
        })
    }

    /// Updates whose status means approval.
    pub(crate) fn approvals(&self) -> impl Iterator<Item = &Update<'a>> {
        self.updates.iter().filter(|update| update.is(ConsentStatus::Authorized))
    }

    /// Updates whose status means rejection.
    pub(crate) fn rejections(&self) -> impl Iterator<Item = &Update<'a>> {
        self.updates.iter().filter(|update| update.is(ConsentStatus::Rejected))
    }

    /// The id_tokens of approvals.
    pub(crate) fn id_tokens(&self) -> impl Iterator<Item = (ExchangeId, &IdToken)> {
        let tokens = self.approvals().filter_map(|update| update.id_token.as_ref());
        tokens.map(|token| (token.at, token))
    }

    /// Balances that the DP answered with 200.
    pub(crate) fn readings(&self) -> impl Iterator<Item = &Balance<'a>> {
        self.balances.iter().filter(|balance| balance.exchange.status() == Some(200))
    }

    /// The handshake of the connection that an exchange travelled on.
    pub(crate) fn handshake(&self, exchange: &Exchange) -> Option<&'a Handshake> {
        let id = exchange.connection?;
        self.handshakes.iter().copied().find(|handshake| handshake.id == id)
    }

    /// Calls of PayNet to the DP, on whatever endpoint.
    pub(crate) fn to_dp(&self) -> impl Iterator<Item = &'a Exchange> {
        self.exchanges.iter().copied().filter(|x| x.from == Role::PayNet && x.to == Role::Dp)
    }
}
