//! What the customer does, in a browser.

use ofp_checks::TestCustomer;
use ofp_evidence::Screen;
use ofp_scenario::{LogIn, PickProvider, SelectAccounts, Step, WhichConsent};
use ofp_types::{ConsentStatus, Mutation};

use super::{Actors, Played, StepError};
use crate::{
    customer::{Visit, revoke_on_dashboard},
    play::expect::of_screen,
};

impl Actors<'_> {
    pub(super) async fn follow_authorization(&mut self, step: &Step) -> Played {
        let asked = self.asked(WhichConsent::Last)?;
        let (link, consent) = (asked.pending.authorize_url.clone(), asked.consent.clone());
        if self.sends_out(&link, step)? {
            return Ok(Vec::new());
        }
        if self.in_browser(step)? {
            self.browser_arrives(&link).await?;
            return self.shown(step);
        }
        let world = self.world;
        let mut visit = Visit::new(&world.customer, &world.journal, consent);
        let arrived = visit.arrive(&link).await;
        self.visit = Some(visit);
        arrived?;
        self.shown(step)
    }

    /// Only now is there a consent.
    pub(super) async fn pick_provider(&mut self, pick: &PickProvider, step: &Step) -> Played {
        let next = self.visit()?.pick_provider(pick.dp_id.as_deref()).await?;
        self.learn_consent();
        let consent = self.consent()?.clone();
        let visit = self.visit()?;
        visit.is_about(consent);
        visit.arrive(next.as_str()).await?;
        self.shown(step)
    }

    pub(super) async fn log_in(&mut self, login: &LogIn, step: &Step) -> Played {
        let (username, password, correct) = self.credentials(login)?;
        let told = (username.clone(), password.clone(), correct);
        if self.errand_logs_in(told, step)? {
            return Ok(Vec::new());
        }
        if self.in_browser(step)? {
            self.browser()?.log_in(&username, &password, correct).await?;
            return self.shown(step);
        }
        let visit = self.visit()?;
        visit.log_in(&username, &password, correct).await?;
        let values = visit.account_values();
        if !values.is_empty() {
            self.account_values.insert(username, values);
        }
        self.shown(step)
    }

    pub(super) async fn select_accounts(&mut self, select: &SelectAccounts, step: &Step) -> Played {
        if self.errand_selects(&select.pick, step)? {
            return Ok(Vec::new());
        }
        if self.in_browser(step)? {
            self.browser()?.select(&select.pick).await?;
            return self.shown(step);
        }
        if step.mutate.is_some() {
            let status = self.standing()?;
            let own = self.visit()?.account_values();
            let foreign = self.account_values.values().flatten().find(|value| !own.contains(value));
            let needs = "another customer's log_in";
            let foreign = foreign.cloned().ok_or(StepError::TooEarly(needs))?;
            self.visit()?.forge_account(&foreign, status).await?;
            return Ok(Vec::new());
        }
        let visit = self.visit()?;
        visit.select(&select.pick).await?;
        if visit.screen() == Screen::Review {
            self.review = self.visit()?.url().cloned();
        }
        self.shown(step)
    }

    pub(super) async fn decide(&mut self, approved: bool, step: &Step) -> Played {
        if self.errand_decides(approved, step).await? {
            return Ok(Vec::new());
        }
        if self.in_browser(step)? {
            let consent = self.consent()?.clone();
            self.browser()?.decide(approved).await?;
            self.decided.push(consent);
            return self.shown(step);
        }
        match step.mutate {
            None => {
                let consent = self.consent()?.clone();
                self.visit()?.decide(approved).await?;
                self.decided.push(consent);
            }
            Some(mutation) => {
                let status = self.standing()?;
                self.visit()?.decide_spoilt(approved, mutation, status).await?;
                // only the twin of a good press is a decision
                if mutation != Mutation::PressedTwice {
                    return Ok(Vec::new());
                }
            }
        }
        self.shown(step)
    }

    /// Where the consent stands at PayNet.
    fn standing(&self) -> Result<ConsentStatus, StepError> {
        let id = self.consent()?;
        let consent = self.world.paynet.consent(id);
        consent.map(|consent| consent.status).ok_or_else(|| StepError::NoConsent(id.clone()))
    }

    /// PayNet asks the DP once more, and the customer opens what it answers in another browser.
    pub(super) async fn open_link_again(&mut self, step: &Step) -> Played {
        self.at_rest().await;
        let id = self.consent()?.clone();
        let consent =
            self.world.paynet.consent(&id).ok_or_else(|| StepError::NoConsent(id.clone()))?;
        let plan = self.world.plans().authorize_plan(&consent);
        let exchange = self.world.probe(&plan, None).await?;
        let location = exchange.response().and_then(|answer| answer.header("location"));
        let location = location.ok_or(StepError::NoLocation)?;
        let mut visit = Visit::new(&self.world.customer, &self.world.journal, Some(id));
        let arrived = visit.arrive(location).await;
        self.other_tab = self.visit.replace(visit);
        arrived?;
        self.shown(step)
    }

    pub(super) fn switch_tab(&mut self, step: &Step) -> Played {
        if self.other_tab.is_none() {
            return Err(StepError::TooEarly("customer.open_link_again"));
        }
        std::mem::swap(&mut self.visit, &mut self.other_tab);
        self.shown(step)
    }

    pub(super) async fn skip_login(&mut self, step: &Step) -> Played {
        let needs = "customer.select_accounts that leads to a review page";
        let review = self.review.clone().ok_or(StepError::TooEarly(needs))?;
        let status = self.standing()?;
        self.visit()?.skip_login(review, status).await?;
        self.shown(step)
    }

    pub(super) async fn preflight(&mut self) -> Played {
        let status = self.standing()?;
        self.visit()?.preflight(status).await?;
        Ok(Vec::new())
    }

    pub(super) async fn revoke_at_dp(&self, login: &LogIn) -> Played {
        if self.world.dp.target().is_some() {
            // where a bank's dashboard is, and how it looks, is its own
            self.world.dp.revoke_consent(self.consent()?).await?;
            return Ok(Vec::new());
        }
        let (username, password, _) = self.credentials(login)?;
        let credentials = (username.as_str(), password.as_str());
        let (customer, dp) = (&self.world.customer, &self.world.origins.dp);
        revoke_on_dashboard(customer, dp, self.consent()?, credentials).await?;
        Ok(Vec::new())
    }

    pub(super) fn shown(&self, step: &Step) -> Played {
        let (screen, text) = match (&self.chromium, &self.visit) {
            (Some(browser), _) => (browser.screen(), browser.text()),
            (None, Some(visit)) => (visit.screen(), visit.text()),
            (None, None) => return Ok(Vec::new()),
        };
        let screen = match screen {
            Screen::Login => "login",
            Screen::AccountSelection => "account_selection",
            Screen::Review => "review",
            Screen::Result => "result",
            Screen::Left => "left the DP",
            Screen::Unrecognised if self.visit.as_ref().is_some_and(Visit::is_scripted) => {
                "not recognised, without a form (if JavaScript builds it: `driver: browser` in the target file)"
            }
            Screen::Unrecognised => "not recognised",
        };
        Ok(of_screen(step, screen, text))
    }

    /// The credentials that a step means, and whether they are right.
    pub(super) fn credentials(&self, login: &LogIn) -> Result<(String, String, bool), StepError> {
        let customers = &self.world.settings.customers;
        let of_scenario =
            |ahead: usize| customers.get((self.seat + ahead) % customers.len().max(1));
        let known = match &login.username {
            Some(name) => customers.iter().find(|customer| customer.username == *name),
            None if login.another => of_scenario(1).filter(|_| customers.len() > 1),
            None => of_scenario(0),
        };
        match (known, &login.password) {
            (Some(known), None) => Ok((known.username.clone(), known.password.clone(), true)),
            (Some(known), Some(password)) if *password == known.password => {
                Ok((known.username.clone(), password.clone(), true))
            }
            (Some(known), Some(password)) => {
                let who = self.may_be_locked(known)?;
                Ok((who.username.clone(), password.clone(), false))
            }
            (None, Some(password)) if login.username.is_some() => {
                Ok((login.username.clone().unwrap_or_default(), password.clone(), false))
            }
            (None, _) => {
                let name = login.username.clone();
                let foreign = self.world.dp.target().is_some();
                let all: Vec<&str> =
                    customers.iter().map(|customer| customer.username.as_str()).collect();
                let there_are = format!("; there are {}", all.join(", "));
                let wanted = name.map_or_else(
                    || "another customer".to_owned(),
                    |name| format!("customer `{name}`{there_are}"),
                );
                Err(StepError::NoCustomer { wanted, foreign })
            }
        }
    }

    /// Somebody who may try a wrong password: a bank's test customer may be locked out by it.
    fn may_be_locked<'c>(&'c self, known: &'c TestCustomer) -> Result<&'c TestCustomer, StepError> {
        let Some(target) = self.world.dp.target() else { return Ok(known) };
        let specs = &target.file.test_data.customers.value;
        let allowed = |customer: &&TestCustomer| {
            specs.iter().any(|spec| spec.may_be_locked && spec.username == customer.username)
        };
        let anybody = || self.world.settings.customers.iter().find(allowed);
        Some(known).filter(allowed).or_else(anybody).ok_or_else(|| StepError::NoCustomer {
            wanted: "customer with `may_be_locked: true`, to try a wrong password".into(),
            foreign: true,
        })
    }
}
