//! The control surface: a small HTTP API on the loopback interface, for tests in any language.
//!
//! It makes the DC ask for a consent, reads the journal, tells why PayNet refused last, advances a
//! consent's clock, injects faults, rotates keys and seeds the reference DP's books. Whoever calls
//! must know the token that `ofp-sim up` prints, and must call it by a loopback name, so that a page
//! in a browser cannot. It never fetches a URL that a caller gives it.

mod api;
mod bodies;
mod consents;
mod data;
mod faults;
mod journal;
mod problem;
mod view;

use std::{net::TcpListener, sync::Arc};

use jiff::SignedDuration;
use ofp_dc::Pending;
use ofp_net::{
    Answer, App, Inbound, Matched, NetError, Passing, Route, RunningServer, local_port, serve_plain,
};
use ofp_types::token;
use tokio::sync::Mutex;

use crate::World;
pub use api::control_openapi;
use problem::Problem;
pub(crate) use view::DcView;
pub use view::WorldView;

/// How many requests for consent of the control surface are remembered.
const MOST_PENDING: usize = 1_000;
/// How long a request waits for its code to be redeemed.
const PENDING_LIFE: SignedDuration = SignedDuration::from_hours(1);

/// The control surface of a world.
pub(crate) struct Control {
    world: Arc<World>,
    token: String,
    port: u16,
    /// What the DC asked for here, by state.
    pending: Mutex<Passing<Pending>>,
}

/// A control surface that runs until it is stopped.
pub struct RunningControl {
    control: Arc<Control>,
    server: RunningServer,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    OpenApi,
    World,
    ListConsents,
    RequestConsent,
    Link,
    ReadConsent,
    AdvanceClock,
    ChangeStatus,
    ExchangeCode,
    Refresh,
    ReadData,
    Settle,
    Journal,
    LastRejection,
    ListFaults,
    Inject,
    ResetFaults,
    RotateKeys,
    ReadBooks,
    ReplaceBooks,
    SetAccount,
}

static ROUTES: [Route<Operation>; 17] = [
    Route { path: "/openapi.json", verbs: &[("GET", Operation::OpenApi)] },
    Route { path: "/v1/world", verbs: &[("GET", Operation::World)] },
    Route {
        path: "/v1/consents",
        verbs: &[("GET", Operation::ListConsents), ("POST", Operation::RequestConsent)],
    },
    Route { path: "/v1/links", verbs: &[("POST", Operation::Link)] },
    Route { path: "/v1/consents/{consent_id}", verbs: &[("GET", Operation::ReadConsent)] },
    Route { path: "/v1/consents/{consent_id}/clock", verbs: &[("POST", Operation::AdvanceClock)] },
    Route { path: "/v1/consents/{consent_id}/status", verbs: &[("POST", Operation::ChangeStatus)] },
    Route { path: "/v1/consents/{consent_id}/code", verbs: &[("POST", Operation::ExchangeCode)] },
    Route { path: "/v1/consents/{consent_id}/refresh", verbs: &[("POST", Operation::Refresh)] },
    Route { path: "/v1/consents/{consent_id}/data", verbs: &[("POST", Operation::ReadData)] },
    Route { path: "/v1/consents/{consent_id}/settle", verbs: &[("POST", Operation::Settle)] },
    Route { path: "/v1/journal", verbs: &[("GET", Operation::Journal)] },
    Route { path: "/v1/rejections/last", verbs: &[("GET", Operation::LastRejection)] },
    Route {
        path: "/v1/faults",
        verbs: &[
            ("GET", Operation::ListFaults),
            ("POST", Operation::Inject),
            ("DELETE", Operation::ResetFaults),
        ],
    },
    Route { path: "/v1/keys/rotate", verbs: &[("POST", Operation::RotateKeys)] },
    Route {
        path: "/v1/dp/books",
        verbs: &[("GET", Operation::ReadBooks), ("PUT", Operation::ReplaceBooks)],
    },
    Route {
        path: "/v1/dp/accounts/{account_id}/status",
        verbs: &[("POST", Operation::SetAccount)],
    },
];

impl Control {
    /// Its base URL.
    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Everything that a caller must know.
    fn view(&self) -> WorldView {
        WorldView::of(&self.world, self.url(), self.token.clone())
    }

    async fn operate(&self, operation: Operation, inbound: &Inbound) -> Result<Answer, Problem> {
        match operation {
            Operation::OpenApi => Ok(Answer::json(200, &control_openapi())),
            Operation::World => journal::world(self),
            Operation::ListConsents => consents::list_consents(self),
            Operation::RequestConsent => consents::request_consent(self, inbound).await,
            Operation::Link => consents::link(self, inbound).await,
            Operation::ReadConsent => consents::read_consent(self, inbound),
            Operation::AdvanceClock => consents::advance_clock(self, inbound),
            Operation::ChangeStatus => consents::change_status(self, inbound),
            Operation::ExchangeCode => data::exchange_code(self, inbound).await,
            Operation::Refresh => data::refresh(self, inbound).await,
            Operation::ReadData => data::read_data(self, inbound).await,
            Operation::Settle => consents::settle(self, inbound).await,
            Operation::Journal => journal::read_journal(self, inbound),
            Operation::LastRejection => journal::last_rejection(self, inbound),
            Operation::ListFaults => faults::list_faults(self),
            Operation::Inject => faults::inject_fault(self, inbound),
            Operation::ResetFaults => faults::reset_faults(self),
            Operation::RotateKeys => faults::rotate_keys(self, inbound),
            Operation::ReadBooks => data::read_books(self),
            Operation::ReplaceBooks => data::replace_books(self, inbound),
            Operation::SetAccount => data::set_account(self, inbound),
        }
    }

    /// By a loopback name, so that no page that merely resolves to this machine gets through, and with
    /// the token.
    fn admit(&self, inbound: &Inbound) -> Result<(), Problem> {
        let host = inbound.header("host").unwrap_or_default();
        let name = host.strip_suffix(&format!(":{}", self.port)).unwrap_or(host);
        if !matches!(name, "127.0.0.1" | "localhost" | "[::1]") {
            return Err(Problem::new(
                403,
                "access_denied",
                format!("Host `{host}` is not this machine's loopback name"),
            ));
        }
        let given = inbound.header("authorization").and_then(|value| value.split_once(' '));
        let given = match given {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim(),
            _ => "",
        };
        if ofp_net::same_secret(given, &self.token) {
            return Ok(());
        }
        let wanted =
            "the header `Authorization: Bearer <token>` with the token that `ofp-sim up` printed";
        Err(Problem::new(401, "invalid_token", format!("{wanted} is needed")))
    }

    async fn remember(&self, pending: Pending) {
        let now = self.world.clock.now();
        self.pending.lock().await.insert(pending.state.clone(), pending, now, now + PENDING_LIFE);
    }
}

impl App for Control {
    type Endpoint = Operation;

    fn routes(&self) -> &'static [Route<Operation>] {
        &ROUTES
    }

    async fn answer(self: Arc<Self>, matched: Matched<Operation>, inbound: Inbound) -> Answer {
        let answered = match matched {
            Matched::Endpoint(Operation::OpenApi) => {
                self.operate(Operation::OpenApi, &inbound).await
            }
            Matched::Endpoint(operation) => match self.admit(&inbound) {
                Ok(()) => self.operate(operation, &inbound).await,
                Err(problem) => Err(problem),
            },
            Matched::WrongVerb(allow) => {
                let reason = format!("{} is not allowed here, only {allow}", inbound.method);
                Err(Problem::new(405, "invalid_request", reason).header("allow", &allow))
            }
            Matched::Unreadable(status) => {
                let reason = "the body could not be read: too long, or cut short";
                Err(Problem::new(status, "invalid_request", reason))
            }
            Matched::Unknown => {
                let reason = format!("there is no {}; see /openapi.json", inbound.path);
                Err(Problem::new(404, "invalid_request", reason))
            }
        };
        let answer = answered.unwrap_or_else(Problem::answer);
        // what a change rests on is on disk before it is acknowledged
        match self.world.paynet.stored().await {
            Ok(()) => answer.header("cache-control", "no-store"),
            Err(error) => Problem::new(500, "server_error", error.to_string()).answer(),
        }
    }
}

impl RunningControl {
    /// Starts the control surface of `world` on `listener`. Must be called within a Tokio runtime.
    ///
    /// # Errors
    /// [`NetError::Start`].
    pub fn start(world: Arc<World>, listener: TcpListener) -> Result<Self, NetError> {
        let control = Arc::new(Control {
            token: token(&*world.entropy),
            port: local_port(&listener)?,
            world,
            pending: Mutex::new(Passing::new(MOST_PENDING)),
        });
        control.world.journal.keep_secret(&control.token);
        let server = serve_plain(Arc::clone(&control), listener)?;
        Ok(Self { control, server })
    }

    /// Everything that a caller must know.
    #[must_use]
    pub fn view(&self) -> WorldView {
        self.control.view()
    }

    /// Stops the control surface; the world goes on.
    pub async fn stop(&self) {
        self.server.stop().await;
    }
}

/// The paths and verbs of the control surface.
#[cfg(test)]
fn operations() -> Vec<(&'static str, &'static str)> {
    let verbs = |route: &Route<Operation>| {
        let path = route.path;
        route.verbs.iter().map(|(verb, _)| (*verb, path)).collect::<Vec<_>>()
    };
    ROUTES.iter().flat_map(verbs).collect()
}
