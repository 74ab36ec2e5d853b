//! Calls of PayNet to the DP that the scenario makes itself, good ones and spoilt ones.

use ofp_checks::{refused, served};
use ofp_evidence::{Endpoint, Exchange, Finding, Outcome, Record};
use ofp_scenario::{Expect, Probe, Source, Step, WhichConsent};
use ofp_types::{AccountId, Consent, ConsentId};

use super::{Actors, Played, StepError};
use crate::{
    play::expect::{of_answer, unmet},
    probe::Plan,
};

impl Actors<'_> {
    pub(super) async fn probe(&self, probe: Probe, step: &Step, source: &Source) -> Played {
        self.at_rest().await;
        let exchange = self.world.probe(&self.plan(probe)?, step.mutate).await?;
        if wants_refusal(&step.expect) {
            self.world.journal.add(Record::RefusalExpected { exchange: exchange.id });
        }
        let mut findings = self.held_to(&exchange, step, source);
        match &exchange.outcome {
            Outcome::Answered { status, message } => {
                let json = serde_json::from_slice(&message.body).ok();
                let text = message.text();
                findings.extend(of_answer(source, &step.expect, *status, json.as_ref(), &text));
            }
            Outcome::Failed(failure)
                if step.expect.status.is_some() || step.expect.json.is_some() =>
            {
                let failure = failure.clone();
                return Err(StepError::NoAnswer { what: "the DP", failure });
            }
            Outcome::Failed(_) => {}
        }
        Ok(findings)
    }

    /// What the step says of refusal, held to what came.
    fn held_to(&self, exchange: &Exchange, step: &Step, source: &Source) -> Vec<Finding> {
        let Some(expected) = &step.expect.refused else { return Vec::new() };
        let callback = &self.world.settings.paynet_callback;
        let (wanted, came) = match expected.value {
            true => ("a refusal", refused(exchange, step.mutate, callback)),
            false => ("no refusal", served(exchange, callback)),
        };
        let Err(instead) = came else { return Vec::new() };
        let defect =
            step.mutate.map_or(String::new(), |mutation| format!(" ({})", mutation.what()));
        let line = source.line(expected.span.start);
        vec![unmet(&source.name, line, format!("{wanted}{defect}"), instead)]
    }

    fn plan(&self, probe: Probe) -> Result<Plan, StepError> {
        let id = self.consent_of(WhichConsent::Last)?;
        let consent =
            self.world.paynet.consent(id).ok_or_else(|| StepError::NoConsent(id.clone()))?;
        let world = self.world;
        Ok(match probe {
            Probe::SendEvent(send) => world.event_plan(send.event.as_str(), &consent, send.status),
            Probe::OpenAuthorize => self.opening(&consent),
            Probe::Userinfo => world.userinfo_plan(&consent),
            Probe::Account => self.resource(Endpoint::Account, &consent)?,
            Probe::Balance => self.resource(Endpoint::Balances, &consent)?,
            Probe::Transactions => self.resource(Endpoint::Transactions, &consent)?,
        })
    }

    fn opening(&self, consent: &Consent) -> Plan {
        let mut plan = self.world.authorize_plan(consent);
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
        Ok(self.world.resource_plan(endpoint, consent, &account))
    }

    fn first_account(&self, consent: &ConsentId) -> Option<AccountId> {
        let consent = self.world.paynet.consent(consent)?;
        consent.accounts.into_iter().next().map(|account| account.account_id)
    }

    fn any_account(&self) -> Option<AccountId> {
        let books = self.world.dp.bank().books();
        books.customers.iter().flat_map(|customer| &customer.accounts).map(|a| a.id.clone()).next()
    }
}

/// Whether the author wants the request refused, in so many words or by a status.
fn wants_refusal(expect: &Expect) -> bool {
    let by_status = expect.status.as_ref().is_some_and(|status| status.value >= 400);
    by_status || expect.refused.as_ref().is_some_and(|refused| refused.value)
}
