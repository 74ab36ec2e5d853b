//! Browsers in the middle of an authorization.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use ofp_types::{AccountId, ConsentId};

/// A browser that does nothing for this long is forgotten.
const LIFE: SignedDuration = SignedDuration::from_mins(15);
/// Above this many, forgotten ones are cleared away.
const TIDY_ABOVE: usize = 1_000;

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
    touched: Timestamp,
}

/// A link that PayNet handed to a browser.
#[derive(Debug, Clone)]
pub(crate) struct Link {
    pub(crate) consent: ConsentId,
    pub(crate) redirect_uri: String,
    made: Timestamp,
}

/// A browser on the consent dashboard.
#[derive(Debug, Clone)]
pub(crate) struct Visitor {
    pub(crate) csrf: String,
    /// Who logged in; nobody yet on the login page.
    pub(crate) username: Option<String>,
    touched: Timestamp,
}

/// Sessions by cookie, links by ticket, visitors of the dashboard by their own cookie.
#[derive(Default)]
pub(crate) struct Sessions {
    sessions: HashMap<String, Session>,
    links: HashMap<String, Link>,
    visitors: HashMap<String, Visitor>,
}

impl Sessions {
    pub(crate) fn add_link(
        &mut self,
        ticket: String,
        consent: ConsentId,
        redirect_uri: String,
        now: Timestamp,
    ) {
        if self.links.len() >= TIDY_ABOVE {
            self.links.retain(|_, link| now.duration_since(link.made) < LIFE);
        }
        self.links.insert(ticket, Link { consent, redirect_uri, made: now });
    }

    pub(crate) fn link(&self, ticket: &str, now: Timestamp) -> Option<Link> {
        let link = self.links.get(ticket)?;
        (now.duration_since(link.made) < LIFE).then(|| link.clone())
    }

    pub(crate) fn begin(&mut self, cookie: String, csrf: String, link: Link, now: Timestamp) {
        if self.sessions.len() >= TIDY_ABOVE {
            self.sessions.retain(|_, session| now.duration_since(session.touched) < LIFE);
        }
        let session = Session {
            consent: link.consent,
            redirect_uri: link.redirect_uri,
            csrf,
            authenticated_at: None,
            stage: Stage::Login,
            touched: now,
        };
        self.sessions.insert(cookie, session);
    }

    pub(crate) fn get(&mut self, cookie: &str, now: Timestamp) -> Option<Session> {
        let session = self.sessions.get_mut(cookie)?;
        if now.duration_since(session.touched) >= LIFE {
            self.sessions.remove(cookie);
            return None;
        }
        session.touched = now;
        Some(session.clone())
    }

    pub(crate) fn advance(&mut self, cookie: &str, stage: Stage) {
        if let Some(session) = self.sessions.get_mut(cookie) {
            session.stage = stage;
        }
    }

    /// The customer logged in: the session goes on under a fresh cookie.
    pub(crate) fn promote(&mut self, cookie: &str, fresh: String, stage: Stage, now: Timestamp) {
        if let Some(mut session) = self.sessions.remove(cookie) {
            session.authenticated_at = Some(now);
            session.stage = stage;
            self.sessions.insert(fresh, session);
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
        if self.visitors.len() >= TIDY_ABOVE {
            self.visitors.retain(|_, visitor| now.duration_since(visitor.touched) < LIFE);
        }
        self.visitors.insert(cookie, Visitor { csrf, username, touched: now });
    }

    pub(crate) fn visitor(&mut self, cookie: &str, now: Timestamp) -> Option<Visitor> {
        let visitor = self.visitors.get_mut(cookie)?;
        if now.duration_since(visitor.touched) >= LIFE {
            self.visitors.remove(cookie);
            return None;
        }
        visitor.touched = now;
        Some(visitor.clone())
    }

    pub(crate) fn leave(&mut self, cookie: &str) {
        self.visitors.remove(cookie);
    }
}
