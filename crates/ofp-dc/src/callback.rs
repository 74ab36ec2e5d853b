//! C2: the page that the browser comes back to, on the listener of the DC's pages.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use askama::Template;
use jiff::SignedDuration;
use ofp_jose::{CompactJws, JoseError, KeyUse};
use ofp_net::{Answer, App, Inbound, JwksCache, Matched, Passing, Route, parse_form};
use ofp_types::{ClientId, Clock};
use serde_json::Value;

use crate::{
    DcError, MockDc,
    pages::{Owner, style},
};

/// How many authorization requests are remembered.
pub(crate) const MOST_LANDINGS: usize = 10_000;
/// How long the DC waits for a browser to come back, and then keeps what it brought.
const LANDING_LIFE: SignedDuration = SignedDuration::from_hours(1);

/// What the authorization response said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Landing {
    /// The customer approved.
    Code(String),
    /// The customer declined, or something broke.
    Error {
        /// Its code.
        error: String,
        /// A sentence.
        description: String,
    },
}

/// The listener of the DC's pages.
pub(crate) struct CallbackApp {
    pub(crate) issuer: String,
    pub(crate) client_id: ClientId,
    pub(crate) paynet_keys: Arc<JwksCache>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) landings: Arc<Mutex<Passing<Option<Landing>>>>,
    pub(crate) owner: Owner,
}

#[derive(Clone, Copy)]
pub(crate) enum DcPage {
    Banks,
    Review,
    Link,
    Callback,
    Style,
}

static ROUTES: [Route<DcPage>; 5] = [
    Route { path: "/", verbs: &[("GET", DcPage::Banks)] },
    Route { path: "/review", verbs: &[("POST", DcPage::Review)] },
    Route { path: "/link", verbs: &[("POST", DcPage::Link)] },
    Route { path: "/callback", verbs: &[("GET", DcPage::Callback)] },
    Route { path: "/style.css", verbs: &[("GET", DcPage::Style)] },
];

#[derive(Template)]
#[template(path = "landing.html")]
struct LandingPage<'a> {
    linked: bool,
    text: &'a str,
    /// Whether there is a way back to the beginning.
    again: bool,
}

impl App for CallbackApp {
    type Endpoint = DcPage;

    fn routes(&self) -> &'static [Route<DcPage>] {
        &ROUTES
    }

    async fn answer(self: Arc<Self>, matched: Matched<DcPage>, inbound: Inbound) -> Answer {
        // only while it starts or stops is there none
        let Some(dc) = self.owner.get().and_then(Weak::upgrade) else { return Answer::empty(503) };
        match matched {
            Matched::Endpoint(DcPage::Banks) => dc.show_banks().await,
            Matched::Endpoint(DcPage::Review) => dc.show_review(&inbound).await,
            Matched::Endpoint(DcPage::Link) => dc.begin(&inbound).await,
            Matched::Endpoint(DcPage::Style) => style(),
            Matched::Endpoint(DcPage::Callback) => {
                let (state, landing) = self.land(&inbound).await;
                dc.show_landing(state.as_deref(), landing, &inbound).await
            }
            Matched::WrongVerb(allow) => Answer::empty(405).header("allow", allow),
            Matched::Unreadable(status) => page(status, false, "The request could not be read."),
            Matched::Unknown => page(404, false, "There is nothing here."),
        }
    }
}

pub(crate) fn page(status: u16, linked: bool, text: &str) -> Answer {
    let body = LandingPage { linked, text, again: !linked }.render().unwrap_or_default();
    guarded(Answer::new(status, "text/html; charset=utf-8", body))
}

/// A page that nobody may frame, and that runs no script.
pub(crate) fn guarded(answer: Answer) -> Answer {
    answer
        .header("cache-control", "no-store")
        .header("x-content-type-options", "nosniff")
        .header("referrer-policy", "no-referrer")
        .header(
            "content-security-policy",
            "default-src 'none'; style-src 'self'; frame-ancestors 'none'; base-uri 'none'",
        )
}

impl CallbackApp {
    /// The authorization response: its `state`, and what it says.
    async fn land(&self, inbound: &Inbound) -> (Option<String>, Result<Landing, String>) {
        match self.parameters(inbound).await {
            Ok(query) => (query.get("state").cloned(), self.accept(&query)),
            Err(reason) => (None, Err(reason)),
        }
    }

    async fn parameters(&self, inbound: &Inbound) -> Result<BTreeMap<String, String>, String> {
        let query = parse_form(inbound.query.as_bytes()).map_err(|e| e.to_string())?;
        match query.get("response") {
            Some(response) => self
                .inside(response)
                .await
                .map_err(|e| format!("The response is not a JWT of PayNet's for this app: {e}.")),
            None => Ok(query),
        }
    }

    /// Who sent it first, then `state`, once.
    fn accept(&self, query: &BTreeMap<String, String>) -> Result<Landing, String> {
        match query.get("iss") {
            Some(iss) if *iss == self.issuer => {}
            Some(iss) => {
                return Err(format!("The response is from {iss}, not from {}.", self.issuer));
            }
            None => return Err("The response does not say who sent it (iss).".into()),
        }
        // RFC 9207 §2.4
        let landing = landing(query)?;
        let state = query.get("state").ok_or("The response has no state.")?;
        let mut landings = self.landings.lock().unwrap_or_else(PoisonError::into_inner);
        match landings.get_mut(state, self.clock.now()) {
            Some(slot @ None) => {
                *slot = Some(landing.clone());
                Ok(landing)
            }
            Some(Some(_)) => Err("This response has been used before.".into()),
            None => Err("The response does not belong to any request of ours (state).".into()),
        }
    }
}

impl CallbackApp {
    /// The parameters of a response in a JWT, once it holds (JARM §2.4).
    async fn inside(&self, response: &str) -> Result<BTreeMap<String, String>, JoseError> {
        let jws = CompactJws::parse(response)?;
        let kid = jws.kid().ok_or(JoseError::KidMissing)?;
        let keys = self.paynet_keys.holding(kid, KeyUse::Sig).await?;
        let claims = jws.verify(&keys)?.claims()?;
        claims.equals("iss", &self.issuer)?;
        claims.addressed_to(self.client_id.as_str())?;
        claims.not_expired(self.clock.now())?;
        let texts = claims.0.into_iter().filter_map(|(name, value)| match value {
            Value::String(text) => Some((name, text)),
            _ => None,
        });
        Ok(texts.collect())
    }
}

fn landing(query: &BTreeMap<String, String>) -> Result<Landing, String> {
    match (query.get("code"), query.get("error")) {
        (Some(code), None) => Ok(Landing::Code(code.clone())),
        (None, Some(error)) => Ok(Landing::Error {
            error: error.clone(),
            description: query.get("error_description").cloned().unwrap_or_default(),
        }),
        _ => Err("The response has neither a code nor an error.".into()),
    }
}

impl MockDc {
    /// What came back for `state`, if the browser has come back.
    #[must_use]
    pub fn landing(&self, state: &str) -> Option<Landing> {
        self.landings().get(state, self.clock.now()).cloned().flatten()
    }

    /// Makes ready for what comes back for `state`.
    pub(crate) fn expect_landing(&self, state: &str) {
        let now = self.clock.now();
        self.landings().insert(state, None, now, now + LANDING_LIFE);
    }

    pub(crate) fn landed_code(&self, state: &str) -> Result<String, DcError> {
        match self.landing(state) {
            Some(Landing::Code(code)) => Ok(code),
            Some(Landing::Error { error, description }) => {
                let reason = format!("the authorization response is {error}: {description}");
                Err(DcError::protocol("authorization", reason))
            }
            None => Err(DcError::TooEarly("the browser has not come back with a code")),
        }
    }
}
