//! Many customers at once.

use futures_util::future::join_all;
use ofp_dc::Resource;
use ofp_scenario::{LinkMany, LogIn, Pick, WhichConsent};

use super::{Actors, Asked, Played, StepError};
use crate::customer::Visit;

impl<'a> Actors<'a> {
    /// Each from request to balance, with customers and accounts by turns.
    pub(super) async fn link_many(&mut self, many: LinkMany) -> Played {
        let (world, scenario) = (self.world, self.scenario);
        let all = (0..usize::from(many.consents.get())).map(|at| async move {
            let mut one = Actors::new(world, scenario, at);
            let done = one.link_one(at).await;
            // what was begun must be cleared away as well
            (one.asked, done)
        });
        let all: Vec<(Vec<Asked>, Result<(), StepError>)> = join_all(all).await;
        let mut failed = None;
        for (asked, done) in all {
            self.asked.extend(asked);
            failed = failed.or(done.err());
        }
        failed.map_or(Ok(Vec::new()), Err)
    }

    async fn link_one(&mut self, at: usize) -> Result<(), StepError> {
        let (username, password, correct) = self.credentials(&LogIn::default())?;
        self.request_consent().await?;
        let asked = self.asked(WhichConsent::Last)?;
        let (link, consent) = (asked.pending.authorize_url.clone(), asked.consent.clone());
        let mut visit = Visit::new(&self.world.customer, &self.world.journal, consent);
        visit.arrive(&link).await?;
        visit.log_in(&username, &password, correct).await?;
        visit.select(if at.is_multiple_of(2) { &Pick::First } else { &Pick::All }).await?;
        visit.decide(true).await?;
        self.visit = Some(visit);
        self.exchange_code().await?;
        self.at_rest().await;
        let linked = self.linked(WhichConsent::Last)?;
        for account in linked.accounts.iter().take(1) {
            self.world.dc.read(linked, account, Resource::Balances, &[]).await?;
        }
        Ok(())
    }
}
