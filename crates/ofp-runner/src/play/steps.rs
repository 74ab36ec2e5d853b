//! The verbs: each actor doing one thing.

use std::time::Duration;

use jiff::{
    SignedDuration, Timestamp,
    tz::{Offset, TimeZone},
};
use ofp_dc::{BalanceReading, ConsentRequest, DcError, Landing, Linked, Pending};
use ofp_evidence::{
    Decryption, Endpoint, Exchange, ExchangeId, Failure, Finding, Message, Reader, Record, Screen,
};
use ofp_jose::{CompactJwe, CompactJws};
use ofp_paynet::{ForwardError, Unsettled};
use ofp_scenario::{Action, Expect, Scenario, Source, Step, WhichAccount};
use ofp_types::{AccountId, ConsentId, InteractionId, wire::wrapped_jws};

use super::expect::{contains, of_answer, of_screen, unmet};
use crate::{
    World,
    customer::{Visit, VisitError},
};

/// Why a step could not be carried out.
#[derive(Debug, thiserror::Error)]
pub(super) enum StepError {
    #[error("{0}")]
    Dc(#[from] DcError),
    #[error("{0}")]
    Visit(#[from] VisitError),
    #[error("{0}")]
    Unsettled(#[from] Unsettled),
    #[error("{0}")]
    Forward(#[from] ForwardError),
    #[error("{what} got no answer: {failure}")]
    NoAnswer { what: &'static str, failure: Failure },
    #[error("this step needs {0} before it")]
    TooEarly(&'static str),
    #[error("the step did not end within {0:?} (--timeout)")]
    Deadline(Duration),
    #[error("the consent covers no account")]
    NoAccount,
    #[error("consent {0} is not known to the platform")]
    NoConsent(ConsentId),
}

/// Everybody in one scenario, and how far they have come.
pub(super) struct Actors<'a> {
    world: &'a World,
    scenario: &'a Scenario,
    pending: Option<(Pending, ConsentId)>,
    visit: Option<Visit<'a>>,
    linked: Option<Linked>,
}

type Played = Result<Vec<Finding>, StepError>;

impl<'a> Actors<'a> {
    pub(super) fn new(world: &'a World, scenario: &'a Scenario) -> Self {
        Self { world, scenario, pending: None, visit: None, linked: None }
    }

    pub(super) fn consent(&self) -> Option<&ConsentId> {
        self.pending.as_ref().map(|(_, consent)| consent)
    }

    /// Carries out a step; what was not as expected comes back.
    pub(super) async fn play(&mut self, step: &Step, source: &Source) -> Played {
        match &step.action {
            Action::RequestConsent => self.request_consent().await,
            Action::FollowAuthorization => {
                let link = self.pending()?.0.authorize_url.clone();
                let consent = self.pending()?.1.clone();
                let world = self.world;
                let mut visit = Visit::new(&world.customer, &world.journal, consent);
                let arrived = visit.arrive(&link).await;
                self.visit = Some(visit);
                arrived?;
                self.shown(step, source)
            }
            Action::LogIn(login) => {
                let (username, password, correct) = self.credentials(login);
                self.visit()?.log_in(&username, &password, correct).await?;
                self.shown(step, source)
            }
            Action::SelectAccounts(select) => {
                self.visit()?.select(&select.pick).await?;
                self.shown(step, source)
            }
            Action::Approve => self.decide(true, step, source).await,
            Action::Reject => self.decide(false, step, source).await,
            Action::ReturnToDc => Ok(self.visit()?.go_back().await.map(|()| Vec::new())?),
            Action::CloseTab => {
                self.visit = None;
                Ok(Vec::new())
            }
            Action::AdvanceClock(by) => self.advance_clock(by.0),
            Action::CheckHealth => {
                let consent = self.consent().cloned();
                let (_, result) = self.world.paynet.call_health(&self.world.dp_id, consent).await?;
                answered("paynet.check_health", step, source, result)
            }
            Action::CallUserinfo => {
                let consent = self.pending()?.1.clone();
                let (_, result) = self.world.paynet.call_userinfo(&consent).await?;
                answered("paynet.call_userinfo", step, source, result)
            }
            Action::ExchangeCode => self.exchange_code().await,
            Action::ReadBalance(read) => {
                self.read_balances(read.account, read.times.get(), step, source).await
            }
            Action::ExpectConsent(expected) => {
                let within = expected.within.0.unsigned_abs();
                let consent = self.pending()?.1.clone();
                match self.world.paynet.wait_for(&consent, expected.status, within).await {
                    Ok(_) => Ok(Vec::new()),
                    Err(unsettled) => Ok(vec![unmet(
                        &source.name,
                        step.line,
                        format!("consent {} within {within:?}", expected.status),
                        unsettled.to_string(),
                    )]),
                }
            }
            Action::ExpectDc(expected) => self.expect_dc(expected, step, source),
        }
    }

    fn pending(&self) -> Result<&(Pending, ConsentId), StepError> {
        self.pending.as_ref().ok_or(StepError::TooEarly("dc.request_consent"))
    }

    fn visit(&mut self) -> Result<&mut Visit<'a>, StepError> {
        self.visit.as_mut().ok_or(StepError::TooEarly("customer.follow_authorization"))
    }

    fn shown(&self, step: &Step, source: &Source) -> Played {
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

    async fn decide(&mut self, approved: bool, step: &Step, source: &Source) -> Played {
        self.visit()?.decide(approved).await?;
        self.shown(step, source)
    }

    async fn request_consent(&mut self) -> Played {
        let spec = &self.scenario.consent;
        let now = self.world.clock.now();
        let request = ConsentRequest {
            dp_id: self.world.dp_id.clone(),
            purpose: spec.purpose,
            permissions: spec.permissions.clone(),
            expiration: end_of_day(now + spec.valid_for.0),
        };
        let pending = self.world.dc.request_consent(&request).await?;
        let consent = self
            .find(Endpoint::Par, &pending.interaction)
            .and_then(|exchange| exchange.consent)
            .ok_or(StepError::TooEarly("a consent in PayNet's record of the request"))?;
        self.pending = Some((pending, consent));
        Ok(Vec::new())
    }

    /// The credentials that a step names, or the first test customer's; and whether they are right.
    fn credentials(&self, login: &ofp_scenario::LogIn) -> (String, String, bool) {
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

    fn advance_clock(&self, by: SignedDuration) -> Played {
        let consent = &self.pending()?.1;
        // the reference DP shares the offset of the consent that it knows
        let _ = self.world.dp.advance_clock(consent, by);
        if self.world.paynet.advance_clock(consent, by) {
            Ok(Vec::new())
        } else {
            Err(StepError::NoConsent(consent.clone()))
        }
    }

    async fn exchange_code(&mut self) -> Played {
        if let Some(visit) = &mut self.visit
            && !visit.has_left()
        {
            visit.go_back().await?;
        }
        let linked = self.world.dc.exchange_code(&self.pending()?.0).await?;
        self.linked = Some(linked);
        Ok(Vec::new())
    }

    async fn read_balances(
        &self,
        which: WhichAccount,
        times: u16,
        step: &Step,
        source: &Source,
    ) -> Played {
        let linked = self.linked.as_ref().ok_or(StepError::TooEarly("dc.exchange_code"))?;
        let accounts: Vec<&AccountId> = match which {
            WhichAccount::First => linked.accounts.first().into_iter().collect(),
            WhichAccount::Last => linked.accounts.last().into_iter().collect(),
            WhichAccount::Each => linked.accounts.iter().collect(),
        };
        if accounts.is_empty() {
            return Err(StepError::NoAccount);
        }
        let mut findings = Vec::new();
        let mut failed = None;
        for account in accounts {
            for _ in 0..times {
                let reading = self.world.dc.read_balance(linked, account).await?;
                self.write_decryptions(&reading);
                let raw = reading.message.text();
                let json = reading.balance.as_ref().ok();
                findings.extend(of_answer(source, &step.expect, reading.status, json, &raw));
                failed = failed.or(reading.balance.err());
            }
        }
        // a refusal that was expected is no error of the step
        let expected = step.expect.status.as_ref().map(|status| status.value);
        let refusal_expected = expected.is_some_and(|status| !(200..300).contains(&status));
        match failed {
            Some(error) if findings.is_empty() && !refusal_expected => Err(error.into()),
            _ => Ok(findings),
        }
    }

    /// What the DC got out of the DP's answer, and what another DC would.
    fn write_decryptions(&self, reading: &BalanceReading) {
        let Some(exchange) = self.find(Endpoint::Balances, &reading.interaction) else { return };
        if let Some(outcome) = &reading.decrypted {
            let kid = self.world.dc.decryption_key().kid().clone();
            let content_key = reading.content_key.clone();
            self.write(exchange.id, Reader::Addressee, kid, outcome.clone(), content_key);
        }
        if let Some(jwe) = encrypted_part(&exchange)
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
        kid: ofp_types::Kid,
        outcome: Result<Vec<u8>, String>,
        content_key: Option<String>,
    ) {
        let decryption = Decryption { exchange, reader, kid, outcome, content_key };
        self.world.journal.add(Record::Decryption(decryption));
    }

    /// The exchange at an endpoint with this interaction id.
    fn find(&self, endpoint: Endpoint, interaction: &InteractionId) -> Option<Exchange> {
        let records = self.world.journal.records();
        records.iter().rev().find_map(|record| match &**record {
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

    fn expect_dc(&self, expected: &ofp_scenario::ExpectDc, step: &Step, source: &Source) -> Played {
        let landing = self.world.dc.landing(&self.pending()?.0.state);
        let page = self.visit.as_ref().map_or("", |visit| visit.text());
        let linked = matches!(landing, Some(Landing::Code(_)));
        let mut findings = Vec::new();
        if landing.is_none() || linked != expected.linked {
            let actual = match &landing {
                None => "the browser never came back to the DC".to_owned(),
                Some(Landing::Code(_)) => "the DC got a code".to_owned(),
                Some(Landing::Error { error, description }) => format!("{error}: {description}"),
            };
            let expected = if expected.linked { "the account linked" } else { "no account linked" };
            findings.push(unmet(&source.name, step.line, expected.into(), actual));
        }
        if let Some(message) = expected.message.as_ref().filter(|m| !contains(page, m)) {
            let expected = format!("the DC's page says \"{message}\"");
            findings.push(unmet(&source.name, step.line, expected, page.to_owned()));
        }
        Ok(findings)
    }

    /// Leaves nothing live behind.
    pub(super) async fn tear_down(&self) {
        if let Some(consent) = self.consent()
            && self.world.paynet.revoke(consent)
        {
            // the DP is told, and its answer awaited, so that nothing is under way at the end
            let _ = self.world.paynet.settled(consent, Duration::from_secs(10)).await;
        }
    }
}

fn answered(
    what: &'static str,
    step: &Step,
    source: &Source,
    result: Result<(u16, Message), Failure>,
) -> Played {
    let (status, message) = match result {
        Ok(answer) => answer,
        // without an expectation, what came is for the checks to judge
        Err(_) if step.expect == Expect::default() => return Ok(Vec::new()),
        Err(failure) => return Err(StepError::NoAnswer { what, failure }),
    };
    let json = serde_json::from_slice(&message.body).ok();
    Ok(of_answer(source, &step.expect, status, json.as_ref(), &message.text()))
}

/// The JWE inside the DP's signed answer.
fn encrypted_part(exchange: &Exchange) -> Option<String> {
    let message = exchange.response()?;
    let wrapped = wrapped_jws(&message.media_type().unwrap_or_default(), &message.body);
    let text = wrapped.unwrap_or_else(|| message.text().into_owned());
    let payload = CompactJws::parse(&text).ok()?.payload;
    let claims: serde_json::Value = serde_json::from_slice(&payload).ok()?;
    claims.get("data")?.as_str().map(str::to_owned)
}

/// The last second of a day in Malaysia: consents end then.
fn end_of_day(time: Timestamp) -> Timestamp {
    let local = time.to_zoned(TimeZone::fixed(Offset::constant(8)));
    let end = local.with().hour(23).minute(59).second(59).subsec_nanosecond(0).build();
    end.map_or(time, |end| end.timestamp())
}
