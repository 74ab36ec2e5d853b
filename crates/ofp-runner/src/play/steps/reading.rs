//! The DC reads account data; what it got out of it becomes evidence.

use std::time::Duration;

use ofp_dc::{DcError, Linked, Reading, Resource};
use ofp_evidence::{Decryption, Endpoint, Exchange, ExchangeId, Finding, Reader, Record};
use ofp_jose::CompactJwe;
use ofp_scenario::{Read, ReadTransactions, Step, WhichAccount, WhichConsent};
use ofp_types::{AccountId, ConsentId, InteractionId, Kid};
use serde_json::json;

use super::{Actors, Played, StepError};
use crate::play::{
    expect::unmet_by,
    heard::{Heard, encrypted_part},
    wanted::Wanted,
};

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
        let mut outcome = Outcome::default();
        for account in accounts(linked, &read.account)? {
            for _ in 0..read.times.get() {
                let reading = self.world.dc.read(linked, &account, resource, &[]).await?;
                outcome.findings.extend(self.weigh(&reading, endpoint(resource), step));
                outcome.failed(reading.data.err(), step);
            }
        }
        outcome.concluded()
    }

    /// Page after page; what is expected of the JSON is expected of all the pages together.
    pub(super) async fn read_transactions(&self, read: &ReadTransactions, step: &Step) -> Played {
        self.at_rest().await;
        let linked = self.linked(WhichConsent::Last)?;
        let mut outcome = Outcome::default();
        for account in accounts(linked, &read.account)? {
            self.pages(linked, &account, read, step, &mut outcome).await?;
        }
        outcome.concluded()
    }

    /// The pages of one account, as many as are asked for; a refusal ends them.
    async fn pages(
        &self,
        linked: &Linked,
        account: &AccountId,
        read: &ReadTransactions,
        step: &Step,
        outcome: &mut Outcome,
    ) -> Result<(), StepError> {
        let size = read.page_size.map(|size| size.to_string());
        let given =
            [("page_size", &size), ("from_date", &read.from_date), ("to_date", &read.to_date)];
        let given = given.iter().filter_map(|(name, value)| Some((*name, value.as_ref()?.clone())));
        let mut query: Vec<(&str, String)> = given.collect();
        let (mut all, mut last) = (Vec::new(), None);
        for page in 1_u32.. {
            let fields: Vec<(&str, &str)> = query.iter().map(|(n, v)| (*n, v.as_str())).collect();
            let reading =
                self.world.dc.read(linked, account, Resource::Transactions, &fields).await?;
            let Ok(data) = &reading.data else {
                outcome.findings.extend(self.weigh(&reading, Endpoint::Transactions, step));
                outcome.failed(reading.data.err(), step);
                return Ok(());
            };
            self.write_down(&reading, Endpoint::Transactions, step);
            all.extend(data["data"].as_array().cloned().unwrap_or_default());
            let next = data["meta"]["next_page_params"].as_str().map(str::to_owned);
            last = Some(reading.message);
            if read.pages.is_some_and(|pages| pages.get() <= page) {
                break;
            }
            let Some(next) = next else { break };
            if page == MOST_PAGES {
                let wanted = format!("the last page within {MOST_PAGES}");
                let came = "still another one: `pages` says how many to read".to_owned();
                outcome.findings.push(unmet_by(step, wanted, came));
                break;
            }
            query = vec![("next_page_params", next)];
        }
        let heard = Heard::of(200, last.unwrap_or_default()).saying(json!({ "data": all }));
        outcome.findings.extend(self.heard(step, heard));
        Ok(())
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
        self.write_down(reading, endpoint, step);
        let heard = Heard::of(reading.status, reading.message.clone());
        let heard = match &reading.data {
            Ok(data) => heard.saying(data.clone()),
            Err(_) => heard,
        };
        self.heard(step, heard)
    }

    /// What the journal cannot know of an answer.
    fn write_down(&self, reading: &Reading, endpoint: Endpoint, step: &Step) {
        self.write_decryptions(reading, endpoint);
        if Wanted::of(step).means_refusal(Some(reading.status))
            && let Some(exchange) = self.find(endpoint, &reading.interaction)
        {
            self.world.journal.add(Record::RefusalExpected { exchange: exchange.id });
        }
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

pub(super) fn accounts(linked: &Linked, which: &WhichAccount) -> Result<Vec<AccountId>, StepError> {
    let accounts: Vec<AccountId> = match which {
        WhichAccount::First => linked.accounts.first().cloned().into_iter().collect(),
        WhichAccount::Last => linked.accounts.last().cloned().into_iter().collect(),
        WhichAccount::Each => linked.accounts.clone(),
        WhichAccount::Id(id) => {
            let parsed = AccountId::parse(id.clone());
            vec![parsed.map_err(|why| StepError::NoAccountId(why.to_string()))?]
        }
    };
    if accounts.is_empty() { Err(StepError::NoAccount) } else { Ok(accounts) }
}

/// What came of all the calls of a step.
#[derive(Default)]
struct Outcome {
    findings: Vec<Finding>,
    /// The first failure that the author did not expect.
    failed: Option<DcError>,
}

impl Outcome {
    fn failed(&mut self, failure: Option<DcError>, step: &Step) {
        let unexpected = failure.filter(|failure| !Wanted::of(step).excuses(failure));
        self.failed = self.failed.take().or(unexpected);
    }

    /// What differs from what was expected says more than that it failed.
    fn concluded(self) -> Played {
        match self.failed {
            Some(error) if self.findings.is_empty() => Err(error.into()),
            _ => Ok(self.findings),
        }
    }
}
