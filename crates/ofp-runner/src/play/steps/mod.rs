//! The verbs: each actor doing one thing, an actor a file.

mod chromium;
mod customer;
mod dc;
mod errand;
mod expectations;
mod many;
mod paynet;
mod probe;
mod reading;

use std::{
    cell::{Ref, RefCell},
    collections::HashMap,
    time::Duration,
};

use ofp_dc::{DcError, Linked, Pending};
use ofp_evidence::{Exchange, ExchangeId, Failure, Finding, Message};
use ofp_paynet::{ForwardError, Unsettled};
use ofp_scenario::{Action, Scenario, Step, WhichConsent};
use ofp_types::{ConsentId, IllegalTransition};
use url::Url;

pub(crate) use dc::end_of_day;
use errand::{Errand, ErrandError};

use super::{heard::Heard, wanted::Wanted};
use crate::{
    World, WorldError,
    chromium::{BrowserVisit, ChromiumError},
    customer::{Visit, VisitError},
    probe::ProbeError,
    world::HookError,
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
    #[error("{0}")]
    Transition(#[from] IllegalTransition),
    #[error("{0}")]
    World(#[from] WorldError),
    #[error("{0}")]
    Probe(#[from] ProbeError),
    #[error("{what} got no answer: {failure}")]
    NoAnswer { what: &'static str, failure: Failure },
    #[error("{what}: PayNet answered {status}: {body}")]
    Refused { what: &'static str, status: u16, body: String },
    #[error("this step needs {0} before it")]
    TooEarly(&'static str),
    #[error("the step did not end within {0:?} (--timeout)")]
    Deadline(Duration),
    #[error("the DP's way back has no code, and PayNet has redeemed none")]
    NoCode,
    #[error("the consent covers no account")]
    NoAccount,
    #[error("`account: {{ id: … }}` has no account's id: {0}")]
    NoAccountId(String),
    #[error("the DP's authorize answered without a Location")]
    NoLocation,
    #[error("PayNet did not take the DP's revocation of consent {0}")]
    NotRevoked(ConsentId),
    #[error("PayNet took the DP's revocation of consent {0}, which it was to refuse")]
    Revoked(ConsentId),
    #[error(transparent)]
    Hook(#[from] HookError),
    #[error(transparent)]
    Chromium(#[from] ChromiumError),
    #[error("driver `browser` does not play {0}")]
    NotInBrowser(&'static str),
    #[error(transparent)]
    Errand(#[from] ErrandError),
    #[error("the DP's test data has no {wanted}")]
    NoCustomer { wanted: String, foreign: bool },
    #[error("consent {0} is not known to the platform")]
    NoConsent(ConsentId),
}

/// What it means for the scenario that a step could not be carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stopped {
    /// Its steps are in an order that cannot work: its author's error.
    OutOfOrder,
    /// The profile, or the target, has nothing that it could be about.
    NotInProfile,
    /// Something that another party did, or did not do.
    ByTheOthers,
}

impl StepError {
    pub(super) fn stops(&self) -> Stopped {
        match self {
            Self::TooEarly(_) | Self::NoAccountId(_) | Self::NoCustomer { foreign: false, .. } => {
                Stopped::OutOfOrder
            }
            Self::NoCustomer { foreign: true, .. } => Stopped::NotInProfile,
            Self::Probe(ProbeError::TooEarly { .. }) => Stopped::OutOfOrder,
            Self::Probe(ProbeError::NotInProfile { .. } | ProbeError::NotOurs { .. })
            | Self::Hook(HookError::Missing(_) | HookError::Clock)
            | Self::NotInBrowser(_)
            | Self::NoCode
            | Self::Errand(ErrandError::InOneGo { .. })
            | Self::Visit(VisitError::NothingToSpoil(_)) => Stopped::NotInProfile,
            _ => Stopped::ByTheOthers,
        }
    }
}

/// One of the scenario's requests for consent, and how far it has come.
struct Asked {
    pending: Pending,
    /// Unknown as long as the customer has not picked a DP.
    consent: Option<ConsentId>,
    linked: Option<Linked>,
}

/// Everybody in one scenario, and how far they have come.
pub(super) struct Actors<'a> {
    world: &'a World,
    scenario: &'a Scenario,
    asked: Vec<Asked>,
    visit: Option<Visit<'a>>,
    /// The browser that the customer was in before.
    other_tab: Option<Visit<'a>>,
    /// What customers' pages had behind their accounts, by the name that they logged in with.
    account_values: HashMap<String, Vec<String>>,
    /// Where a review page was.
    review: Option<Url>,
    /// Consents on which a customer decided.
    decided: Vec<ConsentId>,
    /// A visit in a real browser.
    chromium: Option<BrowserVisit<'a>>,
    /// A visit that somebody else is to make.
    errand: Option<Errand>,
    /// Which test customer the scenario has for its own.
    seat: usize,
    /// The answers that the step got.
    answers: RefCell<Vec<Heard>>,
    /// Calls of the step that may be about no consent.
    calls: RefCell<Vec<ExchangeId>>,
}

type Played = Result<Vec<Finding>, StepError>;

impl<'a> Actors<'a> {
    pub(super) fn new(world: &'a World, scenario: &'a Scenario, seat: usize) -> Self {
        Self {
            seat,
            answers: RefCell::default(),
            calls: RefCell::default(),
            errand: None,
            chromium: None,
            world,
            scenario,
            asked: Vec::new(),
            visit: None,
            other_tab: None,
            account_values: HashMap::new(),
            review: None,
            decided: Vec::new(),
        }
    }

    /// The scenario's consents, in the order in which they were asked for.
    pub(super) fn consents(&self) -> Vec<ConsentId> {
        self.asked.iter().filter_map(|asked| asked.consent.clone()).collect()
    }

    /// Carries out a step; what was not as expected comes back.
    pub(super) async fn play(&mut self, step: &Step) -> Played {
        self.answers.borrow_mut().clear();
        self.calls.borrow_mut().clear();
        match &step.action {
            Action::RequestConsent => self.request_consent().await,
            Action::ExchangeCode => self.exchange_code().await,
            Action::Read(resource, read) => self.read(*resource, read, step).await,
            Action::ReadTransactions(read) => self.read_transactions(read, step).await,
            Action::RefreshToken => self.refresh_token(step).await,
            Action::IntrospectToken => self.introspect_token(step).await,
            Action::RevokeToken(which) => self.revoke_token(which.token).await,
            Action::ReadUserinfo => self.read_userinfo(step).await,
            Action::ListProviders => self.list_providers(step).await,
            Action::RetrieveConsent => self.retrieve_consent(step).await,
            Action::DcChanges(change) => self.dc_changes(*change, step).await,
            Action::FollowAuthorization => self.follow_authorization(step).await,
            Action::PickProvider(pick) => self.pick_provider(pick, step).await,
            Action::LogIn(login) => self.log_in(login, step).await,
            Action::SelectAccounts(select) => self.select_accounts(select, step).await,
            Action::OpenLinkAgain => self.open_link_again(step).await,
            Action::SwitchTab => self.switch_tab(step),
            Action::SkipLogin => self.skip_login(step).await,
            Action::Preflight => self.preflight().await,
            Action::LinkMany(many) => self.link_many(*many).await,
            Action::RotateEncryptionKey => self.rotate_encryption_key(),
            Action::SetCore(set) => self.set_core(*set).await,
            Action::FlushKeys => {
                self.world.dp.flush_keys().await?;
                self.flushed()
            }
            Action::Restart => self.restart().await,
            Action::Approve => self.decide(true, step).await,
            Action::Reject => self.decide(false, step).await,
            // whoever makes a visit in one go is back already
            Action::ReturnToDc if self.visit.is_none() && self.is_delegated() => Ok(Vec::new()),
            Action::ReturnToDc if self.chromium.is_some() => self.browser_goes_back().await,
            Action::ReturnToDc => Ok(self.visit()?.go_back().await.map(|()| Vec::new())?),
            Action::CloseTab => {
                self.close_browser().await;
                self.visit = None;
                Ok(Vec::new())
            }
            Action::RevokeAtDp(login) => self.revoke_at_dp(login).await,
            Action::AdvanceClock(by) => self.advance_clock(by.0),
            Action::SetAccount(set) => self.set_account(set).await,
            Action::DpRevokes(revokes) => self.dp_revokes(*revokes).await,
            Action::CheckHealth => self.check_health(step).await,
            Action::CallUserinfo => self.call_userinfo(step).await,
            Action::PaynetChanges(change) => self.paynet_changes(*change),
            Action::Probe(probe) => self.probe(*probe, step).await,
            Action::RotateKeys(rotate) => self.rotate_keys(*rotate),
            Action::Inject(inject) => self.inject(*inject),
            Action::ResetFaults => self.reset_faults(),
            Action::ExpectConsent(expected) => self.expect_consent(expected, step).await,
            Action::ExpectDc(expected) => self.expect_dc(expected, step),
            Action::ExpectDcTold(expected) => self.expect_dc_told(expected, step).await,
        }
    }

    fn asked(&self, which: WhichConsent) -> Result<&Asked, StepError> {
        let asked = match which {
            WhichConsent::First => self.asked.first(),
            WhichConsent::Last => self.asked.last(),
        };
        asked.ok_or(StepError::TooEarly("dc.request_consent"))
    }

    fn consent_of(&self, which: WhichConsent) -> Result<&ConsentId, StepError> {
        let consent = self.asked(which)?.consent.as_ref();
        consent.ok_or(StepError::TooEarly("customer.pick_provider"))
    }

    fn consent(&self) -> Result<&ConsentId, StepError> {
        self.consent_of(WhichConsent::Last)
    }

    fn linked(&self, which: WhichConsent) -> Result<&Linked, StepError> {
        self.asked(which)?.linked.as_ref().ok_or(StepError::TooEarly("dc.exchange_code"))
    }

    fn visit(&mut self) -> Result<&mut Visit<'a>, StepError> {
        self.visit.as_mut().ok_or(StepError::TooEarly("customer.follow_authorization"))
    }

    /// Leaves nothing behind: no live consent, no fault.
    pub(super) async fn tear_down(&mut self) {
        self.close_browser().await;
        let _ = self.reset_faults();
        if self.scenario.exclusive {
            self.world.as_usual();
            // a foreign DP without the hook asks again when it meets a key that it does not know
            let _ = self.world.dp.flush_keys().await;
        }
        for consent in self.consents() {
            if self.world.paynet.revoke(&consent) {
                // the DP is told, and its answer awaited, so that nothing is under way at the end
                let _ = self.world.paynet.settled(&consent, Duration::from_secs(10)).await;
            }
        }
    }

    /// An answer, held to what the step expects; without an expectation, what came is for the checks to
    /// judge.
    fn answered(
        &self,
        what: &'static str,
        step: &Step,
        (exchange, result): (ExchangeId, Result<(u16, Message), Failure>),
    ) -> Played {
        self.calls.borrow_mut().push(exchange);
        match result {
            Ok((status, message)) => Ok(self.heard(step, Heard::of(status, message))),
            Err(failure) if Wanted::of(step).needs_answer() => {
                Err(StepError::NoAnswer { what, failure })
            }
            Err(_) => Ok(Vec::new()),
        }
    }

    /// Keeps an answer, and holds it to what the step expects.
    fn heard(&self, step: &Step, heard: Heard) -> Vec<Finding> {
        let findings = heard.held_to(step, &self.world.settings.dp_keys);
        self.answers.borrow_mut().push(heard);
        findings
    }

    /// Whether an exchange belongs to the scenario: it is about one of its consents, or a call of the step that is under
    /// way and about none.
    pub(super) fn is_ours(&self, exchange: &Exchange) -> bool {
        match &exchange.consent {
            Some(consent) => self.asked.iter().any(|asked| asked.consent.as_ref() == Some(consent)),
            None => self.calls.borrow().contains(&exchange.id),
        }
    }

    /// The answers that the step got.
    pub(super) fn answers(&self) -> Ref<'_, [Heard]> {
        Ref::map(self.answers.borrow(), Vec::as_slice)
    }
}
