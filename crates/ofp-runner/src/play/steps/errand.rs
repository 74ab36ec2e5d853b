//! A visit to the DP that somebody else makes: a program of the bank's, or a person. Where our own browser goes from
//! screen to screen, an errand is told everything at once, when the decision is reached.

use std::time::Duration;

use ofp_scenario::{Action, Answers, Capture, CaptureFrom, Driver, Pick, Screen, Step};
use ofp_types::{ConsentId, ConsentStatus};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::time::timeout;

use super::{Actors, StepError};
use crate::{customer::Visit, program, target::Target};

/// How often to look whether a person's browser has come back.
const GLANCE: Duration = Duration::from_millis(100);
/// How often a person is told that they are waited for.
const REMINDER: Duration = Duration::from_secs(30);

/// What is known of the visit so far.
#[derive(Debug, Clone)]
pub(super) struct Errand {
    /// What the DC gives its customer to open.
    link: String,
    login: Option<(String, String)>,
    pick: Option<Pick>,
}

/// What a program is told.
#[derive(Debug, Serialize)]
struct Wish<'a> {
    /// The DP's page that PayNet sends the customer to.
    url: &'a str,
    consent_id: String,
    username: &'a str,
    password: &'a str,
    /// `first`, `all`, `none` or numbers from 1.
    accounts: Value,
    /// `approve` or `reject`.
    decision: &'a str,
    deadline_seconds: u64,
}

/// What a program answers.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Outcome {
    /// Where the DP sent the customer at the end: PayNet's callback, not opened yet.
    #[serde(default)]
    callback_url: Option<String>,
    /// Why it did not work out.
    #[serde(default)]
    error: Option<String>,
}

/// Why an errand came to nothing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ErrandError {
    #[error("driver `{driver}` makes a visit in one go: {what} cannot be played with it")]
    InOneGo { driver: &'static str, what: &'static str },
    #[error("driver `command`, {program}: {why}")]
    Program { program: String, why: String },
    #[error("nobody decided within {0:?}: open the link that was printed, and do as it says there")]
    Nobody(Duration),
}

impl<'a> Actors<'a> {
    /// Who makes visits, if it is not our own browser.
    fn delegate(&self) -> Option<(&'a Target, Driver)> {
        let target = self.world.dp.target()?;
        let driver = target.customer.driver;
        matches!(driver, Driver::Command | Driver::Manual).then_some((target, driver))
    }

    pub(super) fn is_delegated(&self) -> bool {
        self.delegate().is_some()
    }

    /// How long a step may take: a decision that is not ours takes its time.
    pub(crate) fn patience(&self, usual: Duration) -> Duration {
        match self.delegate() {
            Some((target, _)) => usual.max(target.decision_deadline() + Duration::from_secs(10)),
            // longer than the longest page may take
            None if self.world.dp.target().is_some() => usual.max(Duration::from_secs(40)),
            None => usual,
        }
    }

    /// Whether the visit is somebody else's, who has been told to begin it.
    pub(super) fn sends_out(&mut self, link: &str, step: &Step) -> Result<bool, StepError> {
        let Some((_, driver)) = self.delegate() else { return Ok(false) };
        in_one_go(driver, step)?;
        self.errand = Some(Errand { link: link.to_owned(), login: None, pick: None });
        Ok(true)
    }

    pub(super) fn errand_logs_in(
        &mut self,
        login: (String, String, bool),
        step: &Step,
    ) -> Result<bool, StepError> {
        let Some((_, driver)) = self.delegate() else { return Ok(false) };
        in_one_go(driver, step)?;
        let (username, password, correct) = login;
        let errand = self.errand.as_mut();
        let errand = errand.ok_or(StepError::TooEarly("customer.follow_authorization"))?;
        if !correct || errand.login.is_some() {
            let what = "logging in with a wrong password, or twice,";
            return Err(ErrandError::InOneGo { driver: driver.name(), what }.into());
        }
        errand.login = Some((username, password));
        Ok(true)
    }

    pub(super) fn errand_selects(&mut self, pick: &Pick, step: &Step) -> Result<bool, StepError> {
        let Some((_, driver)) = self.delegate() else { return Ok(false) };
        in_one_go(driver, step)?;
        let errand = self.errand.as_mut();
        let errand = errand.ok_or(StepError::TooEarly("customer.follow_authorization"))?;
        errand.pick = Some(pick.clone());
        Ok(true)
    }

    /// Everything is known now: the visit is made.
    pub(super) async fn errand_decides(
        &mut self,
        approved: bool,
        step: &Step,
    ) -> Result<bool, StepError> {
        let Some((target, driver)) = self.delegate() else { return Ok(false) };
        in_one_go(driver, step)?;
        let errand = self.errand.take();
        let errand = errand.ok_or(StepError::TooEarly("customer.follow_authorization"))?;
        let consent = self.consent()?.clone();
        match driver {
            Driver::Command => self.send_program(target, &errand, &consent, approved).await?,
            _ => self.ask_person(target, &errand, &consent, approved).await?,
        }
        self.decided.push(consent);
        Ok(true)
    }

    async fn send_program(
        &mut self,
        target: &Target,
        errand: &Errand,
        consent: &ConsentId,
        approved: bool,
    ) -> Result<(), StepError> {
        let world = self.world;
        let mut visit = Visit::new(&world.customer, &world.journal, Some(consent.clone()));
        let url = visit.handed_over(&errand.link).await?;
        let (username, password) = errand.login.clone().unwrap_or_default();
        let deadline = target.decision_deadline();
        let wish = Wish {
            url: url.as_str(),
            consent_id: consent.to_string(),
            username: &username,
            password: &password,
            accounts: accounts(errand.pick.as_ref()),
            decision: if approved { "approve" } else { "reject" },
            deadline_seconds: deadline.as_secs(),
        };
        let outcome = run(target, &wish, deadline).await?;
        if let Some(callback) = outcome.callback_url {
            visit.came_back(&callback).await?;
        }
        self.visit = Some(visit);
        Ok(())
    }

    async fn ask_person(
        &self,
        target: &Target,
        errand: &Errand,
        consent: &ConsentId,
        approved: bool,
    ) -> Result<(), StepError> {
        let deadline = target.decision_deadline();
        let (username, _) = errand.login.clone().unwrap_or_default();
        let accounts = words(errand.pick.as_ref());
        let verb = if approved { "approve" } else { "reject" };
        let link = &errand.link;
        self.world.tell(&format!(
            "\n  Please open  {link}\n  log in as {username}, select {accounts}, and {verb}. \
             Waiting for Update Consent, {} s at most.\n",
            deadline.as_secs()
        ));
        let wanted = if approved { ConsentStatus::Authorized } else { ConsentStatus::Rejected };
        let state = self.asked(ofp_scenario::WhichConsent::Last)?.pending.state.clone();
        let decided = async {
            let mut waited = Duration::ZERO;
            loop {
                let reached = self.world.paynet.wait_for(consent, wanted, REMINDER).await;
                if reached.is_ok() {
                    return;
                }
                waited += REMINDER;
                let left = deadline.saturating_sub(waited).as_secs();
                self.world.tell(&format!("  still waiting for {wanted}, {left} s left\n"));
            }
        };
        timeout(deadline, decided).await.map_err(|_| ErrandError::Nobody(deadline))?;
        self.world.tell(&format!("  {wanted}; waiting for the browser to come back to the DC\n"));
        let back = async {
            // a person's browser leaves nothing in the journal when it gets to the DC
            while self.world.dc.landing(&state).is_none() {
                tokio::time::sleep(GLANCE).await;
            }
        };
        timeout(deadline, back).await.map_err(|_| ErrandError::Nobody(deadline))?;
        Ok(())
    }
}

/// Whoever makes a visit in one go must meet the usual screens, or could not go on; there is no asking for
/// another one, for a text, or for a trick.
fn in_one_go(driver: Driver, step: &Step) -> Result<(), StepError> {
    let screen = step.expect.screen.as_ref().map(|screen| screen.value);
    let usual = matches!(
        (&step.action, screen),
        (_, None)
            | (Action::FollowAuthorization, Some(Screen::Login))
            | (Action::LogIn(_), Some(Screen::AccountSelection))
            | (Action::SelectAccounts(_), Some(Screen::Review))
            | (Action::Approve | Action::Reject, Some(Screen::Result))
    );
    let expects = !usual || step.expect.text.is_some();
    let what = match (step.mutate.is_some(), expects) {
        (true, _) => "what a careless customer or an attacker does",
        (_, true) => "an expectation of another screen, or of a text,",
        _ if looks_behind_pages(step) => BEHIND_PAGES,
        _ => return Ok(()),
    };
    Err(ErrandError::InOneGo { driver: driver.name(), what }.into())
}

/// What nobody sees who looks at pages.
pub(super) const BEHIND_PAGES: &str = "an expectation of a page's headers, connection or redirect,";

/// Whether a step that is answered with a page expects something that only who makes the requests can see.
pub(super) fn looks_behind_pages(step: &Step) -> bool {
    let expect = &step.expect;
    let captures = |capture: &Capture| {
        matches!(capture.from, CaptureFrom::Header(_) | CaptureFrom::Redirect(_))
    };
    step.answers() == Some(Answers::Page)
        && (expect.headers.is_some()
            || expect.tls.is_some()
            || expect.redirect.is_some()
            || step.captures.iter().any(captures))
}

fn accounts(pick: Option<&Pick>) -> Value {
    match pick {
        None | Some(Pick::First) => json!("first"),
        Some(Pick::All) => json!("all"),
        Some(Pick::None) => json!("none"),
        Some(Pick::Numbers(numbers)) => json!(numbers),
    }
}

fn words(pick: Option<&Pick>) -> String {
    match pick {
        None | Some(Pick::First) => "the first account".into(),
        Some(Pick::All) => "all accounts".into(),
        Some(Pick::None) => "no account".into(),
        Some(Pick::Numbers(numbers)) => format!("accounts {numbers:?}, counted from 1"),
    }
}

async fn run(target: &Target, wish: &Wish<'_>, deadline: Duration) -> Result<Outcome, ErrandError> {
    let command = &target.customer.command;
    let program = command.first().cloned().unwrap_or_default();
    let failed = |why: String| ErrandError::Program { program: program.clone(), why };
    let text = serde_json::to_vec(wish).map_err(|e| failed(e.to_string()))?;
    let mut ready = target.command(command).ok_or_else(|| failed("no program is named".into()))?;
    let answer = program::finish(&mut ready, &text, deadline).await.map_err(failed)?;
    let outcome: Outcome = serde_json::from_slice(&answer).map_err(|e| {
        let start = ofp_evidence::cut(&String::from_utf8_lossy(&answer), 120);
        let expected = "{\"callback_url\": …} or {\"error\": …}";
        failed(format!("expected {expected}, found `{start}`: {e}"))
    })?;
    match outcome.error {
        Some(why) => Err(failed(why)),
        None => Ok(outcome),
    }
}
