//! The DC reads account data; what it got out of it becomes evidence.

use std::{num::NonZeroU32, time::Duration};

use ofp_dc::{DcError, Linked, Reading, Resource};
use ofp_evidence::{Decryption, Endpoint, Exchange, ExchangeId, Finding, Reader, Record};
use ofp_jose::CompactJwe;
use ofp_scenario::{Read, ReadTransactions, Step, WhichAccount, WhichConsent};
use ofp_types::{AccountId, ConsentId, InteractionId, Kid};
use serde_json::json;

use super::{Actors, Played, StepError};
use crate::play::heard::{Heard, encrypted_part};

/// How long a decision may be on its way.
const A_MOMENT: Duration = Duration::from_secs(1);
/// More pages than any account has.
const MOST_PAGES: u32 = 1_000;

impl Actors<'_> {
    pub(super) async fn read(
        &self,
        what: ofp_scenario::Resource,
        read: &Read,
        step: &Step,
    ) -> Played {
        self.at_rest().await;
        let linked = self.linked(read.of)?;
        let resource = match what {
            ofp_scenario::Resource::Account => Resource::Account,
            ofp_scenario::Resource::Balance => Resource::Balances,
        };
        let mut findings = Vec::new();
        let mut failed = None;
        for account in accounts(linked, read.account)? {
            for _ in 0..read.times.get() {
                let reading = self.world.dc.read(linked, account, resource, &[]).await?;
                findings.extend(self.weigh(&reading, endpoint(resource), step));
                failed = failed.or(reading.data.err());
            }
        }
        concluded(findings, failed, step)
    }

    /// Page after page; what is expected of the JSON is expected of all the pages together.
    pub(super) async fn read_transactions(&self, read: &ReadTransactions, step: &Step) -> Played {
        self.at_rest().await;
        let linked = self.linked(WhichConsent::Last)?;
        let size = read.page_size.map(|size| size.to_string());
        let given =
            [("page_size", &size), ("from_date", &read.from_date), ("to_date", &read.to_date)];
        let mut findings = Vec::new();
        for account in accounts(linked, read.account)? {
            let mut query: Vec<(&str, String)> = given
                .iter()
                .filter_map(|(name, value)| Some((*name, value.as_ref()?.clone())))
                .collect();
            let (mut all, mut last) = (Vec::new(), None);
            for _ in 0..read.pages.map_or(MOST_PAGES, NonZeroU32::get) {
                let fields: Vec<(&str, &str)> =
                    query.iter().map(|(n, v)| (*n, v.as_str())).collect();
                let reading =
                    self.world.dc.read(linked, account, Resource::Transactions, &fields).await?;
                self.write_decryptions(&reading, Endpoint::Transactions);
                let Ok(page) = reading.data else {
                    let heard = Heard::of(reading.status, reading.message);
                    findings.extend(self.heard(step, heard));
                    return concluded(findings, reading.data.err(), step);
                };
                last = Some(reading.message);
                all.extend(page["data"].as_array().cloned().unwrap_or_default());
                match page["meta"]["next_page_params"].as_str() {
                    Some(next) => query = vec![("next_page_params", next.to_owned())],
                    None => break,
                }
            }
            let heard = Heard::of(200, last.unwrap_or_default()).saying(json!({ "data": all }));
            findings.extend(self.heard(step, heard));
        }
        Ok(findings)
    }

    /// The DC asks when the DP has been told of every change, or has had the time to be: an event that
    /// is still on its way says nothing against the DP.
    pub(crate) async fn at_rest(&self) {
        for consent in &self.decided {
            self.told_of(consent).await;
        }
        for consent in self.consents() {
            let _ = self.world.paynet.settled(&consent, Duration::from_secs(10)).await;
        }
    }

    /// Waits a moment for an Update Consent that the DP may send after it has answered the customer: what
    /// comes too late is for G-02 to say, and not that it never came.
    async fn told_of(&self, consent: &ConsentId) {
        let mut news = self.world.journal.watch();
        let told = || {
            self.world.journal.newest(|record| match record {
                Record::Exchange(exchange)
                    if exchange.endpoint == Endpoint::UpdateConsent
                        && exchange.consent.as_ref() == Some(consent) =>
                {
                    Some(())
                }
                _ => None,
            })
        };
        let waiting = async {
            while told().is_none() {
                // the journal lives as long as the world, which we borrow
                let _ = news.changed().await;
            }
        };
        let _ = tokio::time::timeout(A_MOMENT, waiting).await;
    }

    fn weigh(&self, reading: &Reading, endpoint: Endpoint, step: &Step) -> Vec<Finding> {
        self.write_decryptions(reading, endpoint);
        if step.expect.status.as_ref().is_some_and(|status| status.value.are_errors())
            && let Some(exchange) = self.find(endpoint, &reading.interaction)
        {
            self.world.journal.add(Record::RefusalExpected { exchange: exchange.id });
        }
        let heard = Heard::of(reading.status, reading.message.clone());
        let heard = match &reading.data {
            Ok(data) => heard.saying(data.clone()),
            Err(_) => heard,
        };
        self.heard(step, heard)
    }

    /// What the DC got out of the DP's answer, and what another DC would.
    fn write_decryptions(&self, reading: &Reading, endpoint: Endpoint) {
        let Some(exchange) = self.find(endpoint, &reading.interaction) else { return };
        let answer = exchange.response();
        if let Some(outcome) = &reading.decrypted {
            let jwe = reading.jwe.as_deref().and_then(|jwe| CompactJwe::parse(jwe).ok());
            if let Some(jwe) = jwe {
                let key = self.world.dc.decryption_key(&jwe);
                let content_key = key.content_key_fingerprint(&jwe);
                let (reader, kid) = (Reader::Addressee, key.kid().clone());
                self.write(exchange.id, reader, kid, outcome.clone(), content_key);
            }
        }
        if let Some(jwe) = answer.and_then(encrypted_part)
            && let Ok(jwe) = CompactJwe::parse(&jwe)
        {
            let outcome = self.world.stranger.decrypt(&jwe).map_err(|e| e.to_string());
            let kid = self.world.stranger.kid().clone();
            self.write(exchange.id, Reader::Stranger, kid, outcome, None);
        }
    }

    fn write(
        &self,
        exchange: ExchangeId,
        reader: Reader,
        kid: Kid,
        outcome: Result<Vec<u8>, String>,
        content_key: Option<String>,
    ) {
        let decryption = Decryption { exchange, reader, kid, outcome, content_key };
        self.world.journal.add(Record::Decryption(decryption));
    }

    /// The exchange at an endpoint with this interaction id.
    fn find(&self, endpoint: Endpoint, interaction: &InteractionId) -> Option<Exchange> {
        self.world.journal.newest(|record| match record {
            Record::Exchange(exchange)
                if exchange.endpoint == endpoint
                    && exchange.request.header("x-fapi-interaction-id")
                        == Some(interaction.as_str()) =>
            {
                Some(exchange.clone())
            }
            _ => None,
        })
    }
}

fn endpoint(resource: Resource) -> Endpoint {
    match resource {
        Resource::Account => Endpoint::Account,
        Resource::Balances => Endpoint::Balances,
        Resource::Transactions => Endpoint::Transactions,
    }
}

pub(super) fn accounts(linked: &Linked, which: WhichAccount) -> Result<Vec<&AccountId>, StepError> {
    let accounts: Vec<&AccountId> = match which {
        WhichAccount::First => linked.accounts.first().into_iter().collect(),
        WhichAccount::Last => linked.accounts.last().into_iter().collect(),
        WhichAccount::Each => linked.accounts.iter().collect(),
    };
    if accounts.is_empty() { Err(StepError::NoAccount) } else { Ok(accounts) }
}

/// A refusal that was expected is no error of the step.
fn concluded(findings: Vec<Finding>, failed: Option<DcError>, step: &Step) -> Played {
    let expected = step.expect.status.as_ref();
    let refusal_expected =
        expected.is_some_and(|status| status.value.exclude_success()) || step.until.is_some();
    match failed {
        Some(error) if findings.is_empty() && !refusal_expected => Err(error.into()),
        _ => Ok(findings),
    }
}
