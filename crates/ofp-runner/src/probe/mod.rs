//! Calls that a scenario makes to the DP in PayNet's name: as PayNet makes them, or with one named
//! defect, which is proven to be on the wire and to be the only one.

mod aspects;
mod keys;
mod mutate;
mod plan;
mod plans;

use std::time::Duration;

use jiff::SignedDuration;
use ofp_evidence::{Difference, ExchangeId, Failure, Message, Record, Role};
use ofp_net::{Call, Caller, NetError, Request, connector, encode_form};
use ofp_pki::{Credential, Party, PkiError, stranger_client};
use ofp_types::{Mutation, MutationPart};

use crate::World;
use keys::Keys;
pub(crate) use plan::Plan;
use plan::Wire;

/// A certificate issued so many days ago has expired.
const LONG_AGO_DAYS: i32 = 3_650;

/// Why a probe was not sent.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProbeError {
    #[error("{mutation} changes nothing of this message")]
    NoDifference { mutation: Mutation },
    #[error("{mutation} would also change {also}")]
    TooMuch { mutation: Mutation, also: String },
    #[error("a key of the probe: {0}")]
    Key(#[from] openssl::error::ErrorStack),
    #[error(transparent)]
    Pki(#[from] PkiError),
    #[error(transparent)]
    Net(#[from] NetError),
}

/// A probe that was sent.
pub(crate) struct Probed {
    pub(crate) exchange: ExchangeId,
    pub(crate) result: Result<(u16, Message), Failure>,
}

impl World {
    /// Sends a call in PayNet's name, spoilt if a mutation is named, and writes down what was spoilt.
    pub(crate) async fn probe(
        &self,
        plan: &Plan,
        mutation: Option<Mutation>,
    ) -> Result<Probed, ProbeError> {
        let keys = Keys::of(&self.pki)?;
        let wire = mutate::wire(plan, mutation, &keys)?;
        let differences = match mutation {
            None => Vec::new(),
            Some(mutation) => prove(plan, &wire, mutation, &keys)?,
        };
        let caller = self.caller_of(mutation)?;
        let (endpoint, consent) = (plan.endpoint, plan.consent.clone());
        let deadline = self.settings.profile.dp_deadline() + Duration::from_secs(1);
        let call = Call { endpoint, request: request(plan, wire, deadline), consent, cause: None };
        let (exchange, result) = caller.call(call).await;
        let (status, granted) = (Some(plan.status), plan.granted);
        self.journal.add(Record::Probe { exchange, mutation, status, granted, differences });
        Ok(Probed { exchange, result })
    }

    /// PayNet on its own connections, or whoever the mutation wants.
    fn caller_of(&self, mutation: Option<Mutation>) -> Result<Caller, ProbeError> {
        let spoilt = mutation.filter(|mutation| mutation.part() == MutationPart::Client);
        let Some(mutation) = spoilt else { return Ok(self.prober.clone()) };
        let (now, day) = (self.clock.now(), SignedDuration::from_hours(24));
        let dated = |time| self.pki.client_issued_at(Party::PayNet, time);
        let made: Option<Credential> = match mutation {
            Mutation::ClientCertificateUntrusted => Some(stranger_client(Party::PayNet, now)?),
            Mutation::ClientCertificateExpired => Some(dated(now - day * LONG_AGO_DAYS)?),
            Mutation::ClientCertificateNotYetValid => Some(dated(now + day)?),
            _ => None,
        };
        let identity = match mutation {
            Mutation::ClientCertificateOfDc => Some(&self.pki.dcs[0].kit.client),
            Mutation::ClientCertificateOfDp => Some(&self.pki.dp.client),
            _ => made.as_ref(),
        };
        let tls = connector(identity, &self.pki.ca)?;
        let (journal, clock) = (self.journal.clone(), self.clock.clone());
        Ok(Caller::new(tls, Role::PayNet, Role::Dp, journal, clock))
    }
}

/// What differs from the same call without the mutation: something, and nothing that is not the
/// mutation's.
fn prove(
    plan: &Plan,
    wire: &Wire,
    mutation: Mutation,
    keys: &Keys<'_>,
) -> Result<Vec<Difference>, ProbeError> {
    let good = mutate::wire(plan, None, keys)?;
    let differences = aspects::differences(
        &aspects::of(&good, None, keys),
        &aspects::of(wire, Some(mutation), keys),
    );
    if differences.is_empty() {
        return Err(ProbeError::NoDifference { mutation });
    }
    let foreign = differences.iter().find(|d| !aspects::belongs(&d.what, mutation.part()));
    match foreign {
        Some(foreign) => Err(ProbeError::TooMuch { mutation, also: foreign.what.clone() }),
        None => Ok(differences),
    }
}

fn request(plan: &Plan, wire: Wire, deadline: Duration) -> Request {
    let pairs: Vec<(&str, &str)> =
        wire.query.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let url = match pairs.is_empty() {
        true => plan.base.join(&wire.path),
        false => format!("{}?{}", plan.base.join(&wire.path), encode_form(&pairs)),
    };
    let mut request = Request::get(url, deadline);
    request.method = plan.method.clone();
    request.headers = wire.headers;
    request.body = wire.body;
    request
}
