//! What a customer may try on the DP's pages and must not get. What the visit shows stays as it was, so
//! that the good act can follow.

use ofp_evidence::{CustomerAct, Difference, Record, Role, Screen};
use ofp_types::{ConsentStatus, Mutation};
use url::Url;

use super::{
    browser::{Browser, Fetched, Hop},
    page::Page,
    visit::{Visit, VisitError},
};

/// Whose script asks.
const ELSEWHERE: &str = "https://elsewhere.example";

impl Visit<'_> {
    /// Chooses an account that the page does not list.
    pub(crate) async fn forge_account(
        &self,
        foreign: &str,
        status: ConsentStatus,
    ) -> Result<(), VisitError> {
        const WHAT: &str = "selecting another customer's account";
        let form = self.need(WHAT, Screen::AccountSelection, Page::selection)?;
        let (action, mut fields) = (form.action.clone(), form.fields.clone());
        let listed = form.choices.first().map(|choice| (choice.name.clone(), choice.value.clone()));
        let (name, own) = listed.ok_or(VisitError::NothingToSpoil(Mutation::AccountForged))?;
        fields.extend(form.buttons.first().and_then(|button| button.field.clone()));
        fields.push((name.clone(), foreign.to_owned()));
        let mut browser = self.browser.clone();
        let (fetched, _) = self.send(WHAT, &mut browser, action, fields).await?;
        let difference =
            Difference { what: format!("form {name}"), good: own, sent: foreign.to_owned() };
        self.tried(Mutation::AccountForged, &fetched, status, difference);
        Ok(())
    }

    /// Decides as somebody else might, or once more.
    pub(crate) async fn decide_spoilt(
        &mut self,
        approved: bool,
        mutation: Mutation,
        status: ConsentStatus,
    ) -> Result<(), VisitError> {
        let what = if approved { "approving" } else { "rejecting" };
        let decision = self.page.as_ref().and_then(|page| page.decision(approved));
        let Some((form, button)) = decision.filter(|_| self.screen == Screen::Review) else {
            return Err(self.wrong_screen(what, Screen::Review));
        };
        let (action, mut fields) = (form.action.clone(), form.fields.clone());
        let (mut browser, difference) = match mutation {
            Mutation::SessionMissing => (Browser::new(), said("cookies", "the session's", "none")),
            Mutation::FormTokenForeign if fields.is_empty() => {
                return Err(VisitError::NothingToSpoil(mutation));
            }
            Mutation::FormTokenForeign => {
                fields.iter_mut().for_each(|(_, value)| *value = turned(value));
                (self.browser.clone(), said("hidden fields", "the session's", "another's"))
            }
            _ => (self.browser.clone(), said("presses", "1", "2")),
        };
        fields.extend(button.field.clone());
        if mutation == Mutation::PressedTwice {
            let mut again = self.browser.clone();
            let (first, second) = tokio::join!(
                self.send(what, &mut browser, action.clone(), fields.clone()),
                self.send(what, &mut again, action.clone(), fields.clone())
            );
            let ((first, hops), (second, other_hops)) = (first?, second?);
            // a DP may show the result to whichever press it took
            let swap = self.shows_result(&second) && !self.shows_result(&first);
            let (taken, hops, other) =
                if swap { (second, other_hops, first) } else { (first, hops, second) };
            (self.browser, self.hops) = (browser, hops);
            self.tried(mutation, &other, status, difference);
            return self.conclude(approved, Ok(taken));
        }
        let (fetched, _) = self.send(what, &mut browser, action, fields).await?;
        self.tried(mutation, &fetched, status, difference);
        Ok(())
    }

    /// Opens a page behind the login.
    pub(crate) async fn skip_login(
        &self,
        behind: Url,
        status: ConsentStatus,
    ) -> Result<(), VisitError> {
        const WHAT: &str = "opening the review page without logging in";
        let (mut browser, mut hops) = (self.browser.clone(), Vec::new());
        let fetched =
            browser.fetch(self.customer, self.consent.as_ref(), behind.clone(), None, &mut hops);
        let fetched = fetched.await.map_err(|failure| VisitError::Page { what: WHAT, failure })?;
        let here = self.url().map_or_else(String::new, ToString::to_string);
        let difference = Difference { what: "page".into(), good: here, sent: behind.into() };
        self.tried(Mutation::LoginSkipped, &fetched, status, difference);
        Ok(())
    }

    /// Asks, as a browser does for a script of another origin, whether it may read the page.
    pub(crate) async fn preflight(&self, status: ConsentStatus) -> Result<(), VisitError> {
        const WHAT: &str = "asking for leave to read the page";
        let failed = |failure| VisitError::Page { what: WHAT, failure };
        let url = self.url().cloned().ok_or_else(|| self.wrong_screen(WHAT, Screen::Login))?;
        let answered =
            self.browser.preflight(self.customer, self.consent.as_ref(), &url, ELSEWHERE);
        let fetched = answered.await.map_err(failed)?;
        let difference = said("origin", "the DP's own", ELSEWHERE);
        self.tried(Mutation::PreflightFromElsewhere, &fetched, status, difference);
        Ok(())
    }

    async fn send(
        &self,
        what: &'static str,
        browser: &mut Browser,
        action: Url,
        fields: Vec<(String, String)>,
    ) -> Result<(Fetched, Vec<Hop>), VisitError> {
        let (customer, consent, mut hops) = (self.customer, self.consent.as_ref(), Vec::new());
        let fetched = browser.fetch(customer, consent, action, Some(fields), &mut hops).await;
        let fetched = fetched.map_err(|failure| VisitError::Page { what, failure })?;
        Ok((fetched, hops))
    }

    fn screen_of(&self, fetched: &Fetched) -> (Screen, String) {
        let page = Page::parse(&fetched.message.text(), &fetched.url, &self.customer.selectors);
        let screen = match self.customer.owner(&fetched.url) {
            Role::Dp => page.screen(&|url| self.customer.owner(url) == Role::PayNet),
            _ => Screen::Left,
        };
        (screen, page.text)
    }

    fn shows_result(&self, fetched: &Fetched) -> bool {
        matches!(self.screen_of(fetched).0, Screen::Result | Screen::Left)
    }

    /// Writes down what was tried, and that it was on purpose.
    fn tried(
        &self,
        what: Mutation,
        fetched: &Fetched,
        status: ConsentStatus,
        difference: Difference,
    ) {
        let Some(page) = fetched.first else { return };
        let (screen, text) = self.screen_of(fetched);
        self.journal.add(Record::Probe {
            exchange: page,
            mutation: Some(what),
            status,
            granted: true,
            differences: vec![difference],
            lured: false,
        });
        self.write(CustomerAct::Tried { what, text, screen, page });
    }
}

fn said(what: &str, good: &str, sent: &str) -> Difference {
    Difference { what: what.into(), good: good.into(), sent: sent.into() }
}

/// A value of the same length and look that is another one.
fn turned(value: &str) -> String {
    value.chars().rev().map(|c| if c.is_ascii_digit() { '7' } else { c }).collect()
}
