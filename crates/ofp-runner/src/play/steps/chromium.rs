//! The customer in a real browser, for a target that says so.

use ofp_scenario::{Driver, Step};

use super::{
    Actors, Played, StepError,
    errand::{BEHIND_PAGES, looks_behind_pages},
};
use crate::chromium::BrowserVisit;

impl<'a> Actors<'a> {
    /// Whether the step is played in a real browser: what an attacker would do is not.
    pub(super) fn in_browser(&self, step: &Step) -> Result<bool, StepError> {
        let target = self.world.dp.target();
        if target.is_none_or(|target| target.customer.driver != Driver::Browser) {
            return Ok(false);
        }
        match step.mutate {
            Some(_) => Err(StepError::NotInBrowser("what a careless customer or an attacker does")),
            None if looks_behind_pages(step) => Err(StepError::NotInBrowser(BEHIND_PAGES)),
            None => Ok(true),
        }
    }

    pub(super) fn browser(&mut self) -> Result<&mut BrowserVisit<'a>, StepError> {
        self.chromium.as_mut().ok_or(StepError::TooEarly("customer.follow_authorization"))
    }

    pub(super) async fn browser_arrives(&mut self, link: &str) -> Result<(), StepError> {
        let world = self.world;
        let Some(target) = world.dp.target() else { return Ok(()) };
        self.close_browser().await;
        let chromium = world.chromium(target).await?;
        let consent = self.consent()?.clone();
        self.chromium = Some(BrowserVisit::arrive(world, chromium, consent, link).await?);
        Ok(())
    }

    pub(super) async fn browser_goes_back(&mut self) -> Played {
        self.browser()?.go_back().await?;
        Ok(Vec::new())
    }

    pub(super) async fn close_browser(&mut self) {
        if let Some(browser) = self.chromium.take() {
            browser.close().await;
        }
    }
}
