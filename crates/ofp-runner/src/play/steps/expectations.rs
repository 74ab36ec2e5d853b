//! What is expected of consents, and of what the DC shows and was told.

use ofp_dc::Landing;
use ofp_scenario::{ExpectConsent, ExpectDc, ExpectDcTold, Step, WhichConsent};

use super::{Actors, Played};
use crate::play::expect::{contains, unmet_by};

impl Actors<'_> {
    pub(super) async fn expect_consent(&self, expected: &ExpectConsent, step: &Step) -> Played {
        let within = expected.within.0.unsigned_abs();
        let consent = self.consent_of(expected.of)?;
        let missed = |expected: String, actual: String| Ok(vec![unmet_by(step, expected, actual)]);
        let found = match self.world.paynet.wait_for(consent, expected.status, within).await {
            Ok(found) => found,
            Err(unsettled) => {
                let expected = format!("consent {} within {within:?}", expected.status);
                return missed(expected, unsettled.came());
            }
        };
        let actual = found.status_reason.map(|reason| reason.reason_code);
        if expected.reason.is_some() && expected.reason != actual {
            let expected = format!("reason {}", expected.reason.as_deref().unwrap_or_default());
            return missed(expected, format!("reason {}", actual.as_deref().unwrap_or("none")));
        }
        Ok(Vec::new())
    }

    pub(super) async fn expect_dc_told(&self, expected: &ExpectDcTold, step: &Step) -> Played {
        let within = expected.within.0.unsigned_abs();
        let consent = self.consent_of(expected.of)?;
        // every event that the DC takes is an exchange in PayNet's journal
        let mut news = self.world.journal.watch();
        let told = async {
            while self.world.dc.told(consent) != Some(expected.status) {
                // the journal lives as long as the world, which we borrow
                let _ = news.changed().await;
            }
        };
        if tokio::time::timeout(within, told).await.is_ok() {
            return Ok(Vec::new());
        }
        let actual = match self.world.dc.told(consent) {
            Some(status) => format!("the last event said {status}"),
            None => "no event at all".to_owned(),
        };
        let expected =
            format!("an event to the DC that says {} within {within:?}", expected.status);
        Ok(vec![unmet_by(step, expected, actual)])
    }

    pub(super) fn expect_dc(&self, expected: &ExpectDc, step: &Step) -> Played {
        let landing = self.world.dc.landing(&self.asked(WhichConsent::Last)?.pending.state);
        let page = match (&self.chromium, &self.visit) {
            (Some(browser), _) => browser.text(),
            (None, Some(visit)) => visit.text(),
            (None, None) => "",
        };
        let linked = matches!(landing, Some(Landing::Code(_)));
        let mut findings = Vec::new();
        if landing.is_none() || linked != expected.linked {
            let actual = match &landing {
                None => "the browser never came back to the DC".to_owned(),
                Some(Landing::Code(_)) => "the DC got a code".to_owned(),
                Some(Landing::Error { error, description }) => format!("{error}: {description}"),
            };
            let expected = if expected.linked { "the account linked" } else { "no account linked" };
            findings.push(unmet_by(step, expected.into(), actual));
        }
        if let Some(message) = expected.message.as_ref().filter(|m| !contains(page, m)) {
            let expected = format!("the DC's page says \"{message}\"");
            findings.push(unmet_by(step, expected, page.to_owned()));
        }
        Ok(findings)
    }
}
