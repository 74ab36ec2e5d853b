//! Calls of PayNet to the DP that the scenario makes itself, good ones and spoilt ones.

use super::{Actors, Played, StepError};
use crate::{
    customer::{Visit, code_in},
    play::{expect::unmet, heard::Heard, wanted::Wanted},
    probe::Plan,
};
use futures_util::future::try_join_all;
use ofp_checks::{refused, served};
use ofp_evidence::{Endpoint, Exchange, Finding, Outcome, Record};
use ofp_net::parse_form;
use ofp_scenario::{Probe, Refused, Step, WhichConsent};
use serde_json::Value;

use ofp_types::{AccountId, Consent, ConsentId, uuid_v4, wire::UpdateConsent};

impl Actors<'_> {
    pub(super) async fn probe(&self, probe: Probe, step: &Step) -> Played {
        self.at_rest().await;
        let mut findings = Vec::new();
        for exchange in self.sent(probe, step).await? {
            findings.extend(self.weigh_probe(&exchange, step)?);
        }
        Ok(findings)
    }

    /// Sends as many as the step wants: health all at once, events one after the other.
    async fn sent(&self, probe: Probe, step: &Step) -> Result<Vec<Exchange>, StepError> {
        if let Probe::Health(ask) = probe {
            let plans = (0..ask.at_once.get()).map(|_| self.plan(probe));
            let plans: Vec<Plan> = plans.collect::<Result<_, _>>()?;
            let all = plans.iter().map(|plan| self.world.probe(plan, step.mutate));
            return Ok(try_join_all(all).await?);
        }
        let times = match probe {
            Probe::SendEvent(send) => send.times.get(),
            Probe::Userinfo(forward)
            | Probe::Account(forward)
            | Probe::Balance(forward)
            | Probe::Transactions(forward) => forward.times.get(),
            Probe::OpenAuthorize | Probe::RedeemCode | Probe::Health(_) => 1,
        };
        let mut sent = Vec::new();
        for _ in 0..times {
            sent.push(self.world.probe(&self.plan(probe)?, step.mutate).await?);
        }
        Ok(sent)
    }

    fn weigh_probe(&self, exchange: &Exchange, step: &Step) -> Played {
        if Wanted::of(step).means_refusal(exchange.status()) {
            self.world.journal.add(Record::RefusalExpected { exchange: exchange.id });
        }
        let mut findings = self.held_to(exchange, step);
        match &exchange.outcome {
            Outcome::Answered { status, message } => {
                findings.extend(self.heard(step, Heard::of(*status, message.clone())));
            }
            Outcome::Failed(failure) if Wanted::of(step).needs_answer() => {
                let failure = failure.clone();
                return Err(StepError::NoAnswer { what: "the DP", failure });
            }
            Outcome::Failed(_) => {}
        }
        Ok(findings)
    }

    /// What the step says of refusal, held to what came.
    fn held_to(&self, exchange: &Exchange, step: &Step) -> Vec<Finding> {
        let Some(expected) = &step.expect.refused else { return Vec::new() };
        let callback = &self.world.settings.paynet_callback;
        let (wanted, came) = match expected.value.is_wanted() {
            true => ("a refusal", refused(exchange, step.mutate, callback)),
            false => ("no refusal", served(exchange, callback)),
        };
        let defect =
            step.mutate.map_or(String::new(), |mutation| format!(" ({})", mutation.what()));
        let came = came.map_err(|instead| (format!("{wanted}{defect}"), instead));
        let (wanted, instead) = match (came, &expected.value) {
            (Err(both), _) => both,
            (Ok(_), Refused::Any(_)) => return Vec::new(),
            (Ok(_), Refused::Code(code)) => match error_code(exchange) {
                Some(other) if same_family(&other, code) => return Vec::new(),
                Some(other) => {
                    (format!("a refusal with {code}{defect}"), format!("one with {other}"))
                }
                None => {
                    (format!("a refusal with {code}{defect}"), "one without an error code".into())
                }
            },
        };
        vec![unmet(step, &expected.span, wanted, instead).seen_in(exchange.id)]
    }

    fn plan(&self, probe: Probe) -> Result<Plan, StepError> {
        let of = match probe {
            Probe::Userinfo(forward)
            | Probe::Account(forward)
            | Probe::Balance(forward)
            | Probe::Transactions(forward) => forward.of,
            _ => WhichConsent::Last,
        };
        let id = self.consent_of(of)?;
        let consent =
            self.world.paynet.consent(id).ok_or_else(|| StepError::NoConsent(id.clone()))?;
        let world = self.world;
        Ok(match probe {
            Probe::SendEvent(send) => {
                let ago = send.ago.map(|span| span.0);
                let mut plan =
                    world.plans().event_plan(send.event.as_str(), &consent, send.status, ago);
                plan.identity = self.known_identity();
                plan
            }
            Probe::Health(_) => world.plans().health_plan(&consent),
            Probe::OpenAuthorize => self.opening(&consent),
            Probe::RedeemCode => self.redeeming(&consent)?,
            Probe::Userinfo(_) => world.plans().userinfo_plan(&consent),
            Probe::Account(_) => self.resource(Endpoint::Account, &consent)?,
            Probe::Balance(_) => self.resource(Endpoint::Balances, &consent)?,
            Probe::Transactions(_) => self.resource(Endpoint::Transactions, &consent)?,
        })
    }

    /// Who the customer of an earlier consent was, as the DP told PayNet.
    fn known_identity(&self) -> Option<(String, String)> {
        let told = |id: &ConsentId| {
            self.world.journal.newest(|record| match record {
                Record::Exchange(exchange)
                    if exchange.endpoint == Endpoint::UpdateConsent
                        && exchange.consent.as_ref() == Some(id) =>
                {
                    let body: UpdateConsent =
                        serde_json::from_slice(&exchange.request.body).ok()?;
                    let identity = body.user_identity?;
                    Some((identity.id_type, identity.hashed_id_number))
                }
                _ => None,
            })
        };
        self.consents().iter().find_map(told)
    }

    /// With the code that is on the DP's page, or with the one that the browser brought and PayNet has redeemed.
    fn redeeming(&self, consent: &Consent) -> Result<Plan, StepError> {
        let back = self.visit.as_ref().filter(|visit| !visit.has_left()).and_then(Visit::way_back);
        let unused = back.and_then(code_in);
        let used = || self.redeemed_code(&consent.consent_id);
        let redeemed = unused.is_none();
        let code = unused.or_else(used).ok_or(StepError::NoCode)?;
        let mut plan = self.world.plans().token_plan(consent, code);
        plan.redeemed = redeemed;
        Ok(plan)
    }

    fn redeemed_code(&self, id: &ConsentId) -> Option<String> {
        let form = self.world.journal.newest(|record| match record {
            Record::Exchange(exchange)
                if exchange.endpoint == Endpoint::DpToken
                    && exchange.consent.as_ref() == Some(id)
                    && exchange.status() == Some(200) =>
            {
                parse_form(&exchange.request.body).ok()
            }
            _ => None,
        });
        form?.remove("code")
    }

    fn opening(&self, consent: &Consent) -> Plan {
        let mut plan = self.world.plans().authorize_plan(consent);
        // one that the DP knows, where the scenario has another
        if let Some(other) = self.consents().iter().rev().nth(1) {
            plan.other_consent = other.to_string();
        }
        plan
    }

    fn resource(&self, endpoint: Endpoint, consent: &Consent) -> Result<Plan, StepError> {
        let chosen = consent.accounts.first().map(|account| account.account_id.clone());
        // before anybody has chosen one, any will do: best one that the DP has shown
        let shown = || self.consents().iter().find_map(|id| self.first_account(id));
        let any = || self.any_account();
        let account = chosen.or_else(shown).or_else(any).ok_or(StepError::NoAccount)?;
        Ok(self.world.plans().resource_plan(endpoint, consent, &account))
    }

    fn first_account(&self, consent: &ConsentId) -> Option<AccountId> {
        let consent = self.world.paynet.consent(consent)?;
        consent.accounts.into_iter().next().map(|account| account.account_id)
    }

    fn any_account(&self) -> Option<AccountId> {
        let Some(bank) = self.world.dp.bank() else {
            // nobody has shared one: an id as a DP might have given it
            return AccountId::parse(uuid_v4(&*self.world.entropy).to_string()).ok();
        };
        let books = bank.books();
        books.customers.iter().flat_map(|customer| &customer.accounts).map(|a| a.id.clone()).next()
    }
}

/// The error code in an answer: `error`, or what other tools of the trade call it.
fn error_code(exchange: &Exchange) -> Option<String> {
    let body: Value = serde_json::from_slice(&exchange.response()?.body).ok()?;
    let members = ["error", "error_code", "code"];
    members.iter().find_map(|name| body.get(name)?.as_str().map(str::to_owned))
}

/// Whether two codes say the same, or different things of the same kind: which of a family it is, is for O-04 to judge.
fn same_family(a: &str, b: &str) -> bool {
    let family = |code: &str| code.split('.').next().unwrap_or_default().to_ascii_lowercase();
    a.eq_ignore_ascii_case(b) || family(a) == family(b)
}
