//! What every page has: headers, a session, a form that only this session may send.

use askama::Template;
use ofp_net::{Answer, Inbound};

use crate::{
    core::Core,
    sessions::{Session, Stage},
};

/// The session cookie. `__Host-` ties it to this host, to https and to the whole site.
const COOKIE: &str = "__Host-dp-session";

/// Why a page cannot be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// No such page, or a link that is not (or no longer) known.
    NotFound,
    /// No session, or it timed out.
    NoSession,
    /// The form did not come from this session's page.
    Forged,
    /// The form cannot be read.
    Malformed,
    /// The consent was decided elsewhere, or its time is over.
    TooLate,
}

#[derive(Template)]
#[template(path = "trouble.html")]
struct TroublePage {
    title: &'static str,
    text: &'static str,
}

impl Trouble {
    pub(crate) fn answer(self) -> Answer {
        let (status, title, text) = match self {
            Self::NotFound => {
                (404, "This link does not work", "Start again from the app that sent you here.")
            }
            Self::NoSession => (
                403,
                "You are not logged in",
                "The session has ended. Start again from the app that sent you here.",
            ),
            Self::Forged => (
                403,
                "This request was refused",
                "It did not come from the page that we showed you. Nothing was changed.",
            ),
            Self::Malformed => (
                400,
                "This request was refused",
                "The form could not be read. Nothing was changed.",
            ),
            Self::TooLate => (
                403,
                "This request is closed",
                "It was decided before, or took too long. Start again from the app that sent you here.",
            ),
        };
        html(status, &TroublePage { title, text })
    }
}

/// A page that only this browser may see, that nobody may frame, and that runs no script.
pub(super) fn html(status: u16, page: &impl Template) -> Answer {
    // a template over plain values renders unless memory runs out
    let Ok(body) = page.render() else { return Answer::empty(500) };
    Answer::new(status, "text/html; charset=utf-8", body)
        .header("cache-control", "no-store")
        .header("strict-transport-security", "max-age=31536000")
        .header("x-frame-options", "DENY")
        .header("x-content-type-options", "nosniff")
        .header("referrer-policy", "no-referrer")
        .header(
            "content-security-policy",
            "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
        )
}

pub(super) fn style() -> Answer {
    Answer::new(200, "text/css; charset=utf-8", include_str!("../../templates/style.css"))
        .header("cache-control", "max-age=3600")
}

/// On to another page; POST becomes GET.
pub(super) fn see(path: &str) -> Answer {
    Answer::empty(303).header("location", path).header("cache-control", "no-store")
}

pub(super) fn set_cookie(answer: Answer, value: &str) -> Answer {
    set_named_cookie(answer, COOKIE, value)
}

pub(super) fn set_named_cookie(answer: Answer, name: &str, value: &str) -> Answer {
    let cookie = format!("{name}={value}; Path=/; Secure; HttpOnly; SameSite=Lax");
    answer.header("set-cookie", cookie)
}

/// The value of a cookie.
pub(super) fn cookie<'a>(inbound: &'a Inbound, name: &str) -> Option<&'a str> {
    let mut pairs = inbound.header("cookie")?.split(';').filter_map(|p| p.trim().split_once('='));
    pairs.find(|(n, _)| *n == name).map(|(_, value)| value)
}

/// A form's fields, in order; a name may come more than once.
pub(crate) struct Form(Vec<(String, String)>);

/// The fields that came, from whatever page.
pub(crate) fn submitted(inbound: &Inbound) -> Form {
    Form(url::form_urlencoded::parse(&inbound.body).into_owned().collect())
}

impl Form {
    /// A submitted form, if it came from the page that has this secret.
    pub(super) fn from_page(inbound: &Inbound, csrf: &str) -> Result<Self, Trouble> {
        if std::str::from_utf8(&inbound.body).is_err() {
            return Err(Trouble::Malformed);
        }
        let form = submitted(inbound);
        let (given, known) = (form.get("csrf").as_bytes(), csrf.as_bytes());
        if given.len() == known.len() && openssl::memcmp::eq(given, known) {
            Ok(form)
        } else {
            Err(Trouble::Forged)
        }
    }

    pub(super) fn get(&self, name: &str) -> &str {
        self.all(name).next().unwrap_or_default()
    }

    pub(super) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(n, _)| n == name).map(|(_, value)| value.as_str())
    }
}

impl Core {
    /// The browser's session, with its cookie.
    pub(super) fn session(&self, inbound: &Inbound) -> Result<(String, Session), Trouble> {
        let cookie = cookie(inbound, COOKIE).map(str::to_owned).ok_or(Trouble::NoSession)?;
        let session = self.sessions().get(&cookie, self.now()).ok_or(Trouble::NoSession)?;
        Ok((cookie, session))
    }

    /// A submitted form, if it came from this session's page.
    pub(super) fn form(&self, inbound: &Inbound, session: &Session) -> Result<Form, Trouble> {
        match self.unchecked_form(inbound) {
            Some(form) => Ok(form),
            None => Form::from_page(inbound, &session.csrf),
        }
    }

    /// Where a session that is at another stage belongs.
    pub(super) fn elsewhere(stage: &Stage) -> Answer {
        match stage {
            Stage::Login => Trouble::NoSession.answer(),
            Stage::Selecting { .. } => see("/accounts"),
            Stage::Reviewing { .. } => see("/review"),
            Stage::Done(_) => see("/result"),
        }
    }
}
