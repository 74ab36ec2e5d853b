//! Browsers in the middle of an authorization.

use jiff::{SignedDuration, Timestamp};
use ofp_net::Passing;
use ofp_types::{AccountId, ConsentId};

/// A browser that does nothing for this long is forgotten.
const LIFE: SignedDuration = SignedDuration::from_mins(15);
/// FAPI 2.0 SP §5.3.2.2.
const CODE_LIFE: SignedDuration = SignedDuration::from_secs(60);
/// How many of each kind are remembered.
const MOST: usize = 5_000;

/// How far a browser has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Stage {
    /// It must log in.
    Login,
    /// It must choose accounts.
    Selecting {
        /// Who logged in.
        username: String,
    },
    /// It must decide.
    Reviewing {
        /// Who logged in.
        username: String,
        /// What they chose.
        accounts: Vec<AccountId>,
    },
    /// It is over.
    Done(Ending),
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// The customer approved, and PayNet knows.
    Approved,
    /// The customer rejected, and PayNet knows.
    Rejected,
    /// PayNet could not be told, or no longer waits.
    Failed,
}

/// A browser in the middle of an authorization.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    pub(crate) consent: ConsentId,
    pub(crate) redirect_uri: String,
    pub(crate) csrf: String,
    pub(crate) authenticated_at: Option<Timestamp>,
    pub(crate) stage: Stage,
    /// What is owed to PayNet as a client of this DP.
    pub(crate) oidc: Option<Oidc>,
}

/// An authorization request of PayNet's as a client of this DP (profile switch `oidc_at_dp`).
#[derive(Debug, Clone)]
pub(crate) struct Oidc {
    pub(crate) state: String,
    pub(crate) nonce: String,
    /// The code that an approval is answered with.
    pub(crate) code: String,
}

/// A link that PayNet handed to a browser.
#[derive(Debug, Clone)]
pub(crate) struct Link {
    pub(crate) consent: ConsentId,
    pub(crate) redirect_uri: String,
    pub(crate) oidc: Option<Oidc>,
}

/// What a code stands for.
#[derive(Debug, Clone)]
pub(crate) struct Code {
    pub(crate) consent: ConsentId,
    pub(crate) redirect_uri: String,
    pub(crate) nonce: String,
    pub(crate) username: String,
    pub(crate) authenticated_at: Option<Timestamp>,
}

/// A browser on the consent dashboard.
#[derive(Debug, Clone)]
pub(crate) struct Visitor {
    pub(crate) csrf: String,
    /// Who logged in; nobody yet on the login page.
    pub(crate) username: Option<String>,
}

/// Sessions by cookie, links by ticket, visitors of the dashboard by their own cookie.
pub(crate) struct Sessions {
    sessions: Passing<Session>,
    links: Passing<Link>,
    visitors: Passing<Visitor>,
    codes: Passing<Code>,
}

impl Default for Sessions {
    fn default() -> Self {
        Self {
            sessions: Passing::new(MOST),
            links: Passing::new(MOST),
            visitors: Passing::new(MOST),
            codes: Passing::new(MOST),
        }
    }
}

impl Sessions {
    pub(crate) fn add_link(&mut self, ticket: String, link: Link, now: Timestamp) {
        self.links.insert(ticket, link, now, now + LIFE);
    }

    /// A code that PayNet may redeem, once.
    pub(crate) fn add_code(&mut self, text: String, code: Code, now: Timestamp) {
        self.codes.insert(text, code, now, now + CODE_LIFE);
    }

    /// What a code stands for, which is then used up.
    pub(crate) fn take_code(&mut self, text: &str, now: Timestamp) -> Option<Code> {
        self.codes.get(text, now)?;
        self.codes.remove(text)
    }

    /// For a careless DP alone.
    pub(crate) fn look_at_code(&self, text: &str, now: Timestamp) -> Option<Code> {
        self.codes.get(text, now).cloned()
    }

    pub(crate) fn link(&self, ticket: &str, now: Timestamp) -> Option<Link> {
        self.links.get(ticket, now).cloned()
    }

    pub(crate) fn begin(&mut self, cookie: String, csrf: String, link: Link, now: Timestamp) {
        let session = Session {
            consent: link.consent,
            redirect_uri: link.redirect_uri,
            csrf,
            authenticated_at: None,
            stage: Stage::Login,
            oidc: link.oidc,
        };
        self.sessions.insert(cookie, session, now, now + LIFE);
    }

    pub(crate) fn get(&mut self, cookie: &str, now: Timestamp) -> Option<Session> {
        self.sessions.renew(cookie, now, now + LIFE).cloned()
    }

    pub(crate) fn advance(&mut self, cookie: &str, stage: Stage, now: Timestamp) {
        if let Some(session) = self.sessions.get_mut(cookie, now) {
            session.stage = stage;
        }
    }

    /// The customer logged in: the session goes on under a fresh cookie.
    pub(crate) fn promote(&mut self, cookie: &str, fresh: String, stage: Stage, now: Timestamp) {
        if let Some(mut session) = self.sessions.remove(cookie) {
            session.authenticated_at = Some(now);
            session.stage = stage;
            self.sessions.insert(fresh, session, now, now + LIFE);
        }
    }

    /// A browser comes to the dashboard, or logs in there, each time under a fresh cookie.
    pub(crate) fn visit(
        &mut self,
        cookie: String,
        csrf: String,
        username: Option<String>,
        now: Timestamp,
    ) {
        self.visitors.insert(cookie, Visitor { csrf, username }, now, now + LIFE);
    }

    pub(crate) fn visitor(&mut self, cookie: &str, now: Timestamp) -> Option<Visitor> {
        self.visitors.renew(cookie, now, now + LIFE).cloned()
    }

    pub(crate) fn leave(&mut self, cookie: &str) {
        self.visitors.remove(cookie);
    }
}
