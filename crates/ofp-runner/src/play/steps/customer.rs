//! What the customer does, in a browser.

use ofp_evidence::Screen;
use ofp_scenario::{LogIn, PickProvider, Source, Step, WhichConsent};

use super::{Actors, Played};
use crate::{
    customer::{Visit, revoke_on_dashboard},
    play::expect::of_screen,
};

impl Actors<'_> {
    pub(super) async fn follow_authorization(&mut self, step: &Step, source: &Source) -> Played {
        let asked = self.asked(WhichConsent::Last)?;
        let (link, consent) = (asked.pending.authorize_url.clone(), asked.consent.clone());
        let world = self.world;
        let mut visit = Visit::new(&world.customer, &world.journal, consent);
        let arrived = visit.arrive(&link).await;
        self.visit = Some(visit);
        arrived?;
        self.shown(step, source)
    }

    /// Only now is there a consent.
    pub(super) async fn pick_provider(
        &mut self,
        pick: &PickProvider,
        step: &Step,
        source: &Source,
    ) -> Played {
        let next = self.visit()?.pick_provider(pick.dp_id.as_deref()).await?;
        self.learn_consent();
        let consent = self.consent()?.clone();
        let visit = self.visit()?;
        visit.is_about(consent);
        visit.arrive(next.as_str()).await?;
        self.shown(step, source)
    }

    pub(super) async fn log_in(&mut self, login: &LogIn, step: &Step, source: &Source) -> Played {
        let (username, password, correct) = self.credentials(login);
        self.visit()?.log_in(&username, &password, correct).await?;
        self.shown(step, source)
    }

    pub(super) async fn decide(&mut self, approved: bool, step: &Step, source: &Source) -> Played {
        self.visit()?.decide(approved).await?;
        self.shown(step, source)
    }

    pub(super) async fn revoke_at_dp(&self, login: &LogIn) -> Played {
        let (username, password, _) = self.credentials(login);
        let credentials = (username.as_str(), password.as_str());
        let (customer, dp) = (&self.world.customer, &self.world.origins.dp);
        revoke_on_dashboard(customer, dp, self.consent()?, credentials).await?;
        Ok(Vec::new())
    }

    pub(super) fn shown(&self, step: &Step, source: &Source) -> Played {
        let Some(visit) = &self.visit else { return Ok(Vec::new()) };
        let screen = match visit.screen() {
            Screen::Login => "login",
            Screen::AccountSelection => "account_selection",
            Screen::Review => "review",
            Screen::Result => "result",
            Screen::Left => "left the DP",
            Screen::Unrecognised => "not recognised",
        };
        Ok(of_screen(source, &step.expect, screen, visit.text()))
    }

    /// The credentials that a step names, or the first test customer's; and whether they are right.
    fn credentials(&self, login: &LogIn) -> (String, String, bool) {
        let customers = &self.world.settings.customers;
        let first = customers.first();
        let or_first = |named: &Option<String>, first: Option<&String>| {
            named.clone().or_else(|| first.cloned()).unwrap_or_default()
        };
        let username = or_first(&login.username, first.map(|c| &c.username));
        let known = customers.iter().find(|customer| customer.username == username);
        let password = or_first(&login.password, known.or(first).map(|c| &c.password));
        let correct = known.is_some_and(|customer| customer.password == password);
        (username, password, correct)
    }
}
