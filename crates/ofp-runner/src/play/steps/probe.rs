//! Calls of PayNet to the DP that the scenario makes itself, good ones and spoilt ones.

use ofp_checks::{refused, served};
use ofp_evidence::{Endpoint, Exchange, Record};
use ofp_scenario::{
    Action, Forward, Forwarded, ForwardedAccount, SendEvent, Source, Step, WhichConsent,
};
use ofp_types::{AccountId, Consent};

use super::{Actors, Played, StepError, answered};
use crate::{play::expect::unmet, probe::Plan};

impl Actors<'_> {
    pub(super) async fn probe(&self, step: &Step, source: &Source) -> Played {
        self.at_rest().await;
        let plan = match &step.action {
            Action::SendEvent(send) => self.event(send)?,
            Action::OpenAuthorize => self.opening()?,
            Action::AskUserinfo => self.world.userinfo_plan(&self.held(WhichConsent::Last)?),
            Action::Forward(what, forward) => self.forwarded(*what, forward)?,
            _ => return Ok(Vec::new()),
        };
        let probed = self.world.probe(&plan, step.mutate).await?;
        let expected = step.expect.refused.as_ref();
        let Some(expected) = expected else {
            return answered("the DP", step, source, probed.result);
        };
        let exchange = self.world.journal.newest(|record| match record {
            Record::Exchange(exchange) if exchange.id == probed.exchange => Some(exchange.clone()),
            _ => None,
        });
        let Some(exchange) = exchange else { return Ok(Vec::new()) };
        if expected.value {
            self.world.journal.add(Record::RefusalExpected { exchange: exchange.id });
        }
        Ok(self.held_to(expected.value, source.line(expected.span.start), &exchange, step, source))
    }

    fn held_to(
        &self,
        expected: bool,
        line: usize,
        exchange: &Exchange,
        step: &Step,
        source: &Source,
    ) -> Vec<ofp_evidence::Finding> {
        let callback = &self.world.settings.paynet_callback;
        let (wanted, came) = match expected {
            true => ("a refusal", refused(exchange, step.mutate, callback)),
            false => ("no refusal", served(exchange, callback)),
        };
        let Err(instead) = came else { return Vec::new() };
        let defect =
            step.mutate.map_or(String::new(), |mutation| format!(" ({})", mutation.what()));
        vec![unmet(&source.name, line, format!("{wanted}{defect}"), instead)]
    }

    fn held(&self, which: WhichConsent) -> Result<Consent, StepError> {
        let id = self.consent_of(which)?;
        self.world.paynet.consent(id).ok_or_else(|| StepError::NoConsent(id.clone()))
    }

    fn event(&self, send: &SendEvent) -> Result<Plan, StepError> {
        Ok(self.world.event_plan(send.event.as_str(), &self.held(send.of)?, send.status))
    }

    fn opening(&self) -> Result<Plan, StepError> {
        let mut plan = self.world.authorize_plan(&self.held(WhichConsent::Last)?);
        // one that the DP knows, where the scenario has another
        if let Some(other) = self.consents().iter().rev().nth(1) {
            plan.other_consent = other.to_string();
        }
        Ok(plan)
    }

    fn forwarded(&self, what: Forwarded, forward: &Forward) -> Result<Plan, StepError> {
        let endpoint = match what {
            Forwarded::Account => Endpoint::Account,
            Forwarded::Balance => Endpoint::Balances,
            Forwarded::Transactions => Endpoint::Transactions,
        };
        let consent = self.held(forward.of)?;
        let chosen = |consent: &Consent| consent.accounts.first().map(|a| a.account_id.clone());
        let account = match forward.account {
            ForwardedAccount::First => chosen(&consent),
            ForwardedAccount::OfFirstConsent => chosen(&self.held(WhichConsent::First)?),
        };
        // before anybody has chosen one, any will do: there is nothing to be had
        let any = || self.any_account();
        let account = account.or_else(any).ok_or(StepError::NoAccount)?;
        Ok(self.world.resource_plan(endpoint, &consent, &account))
    }

    fn any_account(&self) -> Option<AccountId> {
        let books = self.world.dp.bank().books();
        books.customers.iter().flat_map(|customer| &customer.accounts).map(|a| a.id.clone()).next()
    }
}
