//! Calls that a scenario makes to the DP in PayNet's name: as PayNet makes them, or with one named
//! defect, which is proven to be on the wire and to be the only one.

mod aspects;
mod keys;
mod mutate;
mod plan;
mod plans;

use std::{
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use jiff::SignedDuration;
use ofp_evidence::{Difference, Exchange, Journal, Record, Role};
use ofp_net::{Call, Caller, NetError, Request, certificate_facts, connector, encode_form};
use ofp_pki::{Credential, Party, Pki, PkiError, stranger_client};
use ofp_types::{Clock, Mutation};

use crate::{World, WorldError};
use keys::Keys;
pub(crate) use plan::Plan;
use plan::Wire;

/// A certificate issued so many days ago has expired.
const LONG_AGO_DAYS: i32 = 3_650;

/// Why a probe was not sent.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProbeError {
    #[error("{mutation}: PayNet sends no {header} in this profile")]
    NotInProfile { mutation: Mutation, header: &'static str },
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

/// What probes are sent with: made once.
pub(crate) struct Prober {
    /// Exchanged when PayNet's signing key is.
    keys: RwLock<Arc<Keys>>,
    /// PayNet's own connections.
    caller: Caller,
}

impl Prober {
    pub(crate) fn new(
        pki: &Pki,
        journal: &Arc<Journal>,
        clock: &Arc<dyn Clock>,
    ) -> Result<Self, WorldError> {
        let tls = connector(Some(&pki.paynet.client), &pki.ca)?;
        let (journal, clock) = (Arc::clone(journal), Arc::clone(clock));
        let caller = Caller::new(tls, Role::PayNet, Role::Dp, journal, clock);
        Ok(Self { keys: RwLock::new(Arc::new(Keys::of(pki)?)), caller })
    }

    /// PayNet signs with another key from now on.
    pub(crate) fn rotated(&self, next: &Credential) -> Result<(), PkiError> {
        let keys = self.keys().with_paynet(next)?;
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys);
        Ok(())
    }

    fn keys(&self) -> Arc<Keys> {
        Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl World {
    /// Sends a call in PayNet's name, spoilt if a mutation is named, and writes down what was spoilt.
    pub(crate) async fn probe(
        &self,
        plan: &Plan,
        mutation: Option<Mutation>,
    ) -> Result<Exchange, ProbeError> {
        let missing = mutation.and_then(|m| Some((m, self.settings.profile.lacks(m)?)));
        if let Some((mutation, header)) = missing {
            return Err(ProbeError::NotInProfile { mutation, header });
        }
        let keys = self.prober.keys();
        let wire = mutate::wire(plan, mutation, &keys)?;
        let other = self.other_client(mutation)?;
        let differences = match mutation {
            None => Vec::new(),
            Some(mutation) => self.prove(plan, &wire, mutation, other.as_ref(), &keys)?,
        };
        let caller = match other {
            None => self.prober.caller.clone(),
            Some(identity) => {
                let tls = connector(identity.as_ref(), &self.pki.ca)?;
                let (journal, clock) = (Arc::clone(&self.journal), Arc::clone(&self.clock));
                Caller::new(tls, Role::PayNet, Role::Dp, journal, clock)
            }
        };
        let deadline = self.settings.profile.dp_deadline() + Duration::from_secs(1);
        let (endpoint, consent) = (plan.endpoint, Some(plan.consent.clone()));
        let call = Call { endpoint, request: request(plan, wire, deadline), consent, cause: None };
        let exchange = caller.exchange(call).await;
        self.journal.add(Record::Probe {
            exchange: exchange.id,
            mutation,
            status: plan.status,
            granted: plan.granted,
            differences,
        });
        Ok(exchange)
    }

    /// Who opens the connection, where it is not PayNet as it is: somebody with a certificate, or
    /// without.
    fn other_client(
        &self,
        mutation: Option<Mutation>,
    ) -> Result<Option<Option<Credential>>, ProbeError> {
        let (now, day) = (self.clock.now(), SignedDuration::from_hours(24));
        let dated = |time| self.pki.client_issued_at(Party::PayNet, time);
        Ok(match mutation {
            Some(Mutation::NoClientCertificate) => Some(None),
            Some(Mutation::ClientCertificateOfDc) => Some(Some(self.pki.dcs[0].kit.client.clone())),
            Some(Mutation::ClientCertificateOfDp) => Some(Some(self.pki.dp.client.clone())),
            Some(Mutation::ClientCertificateUntrusted) => {
                Some(Some(stranger_client(Party::PayNet, now)?))
            }
            Some(Mutation::ClientCertificateExpired) => {
                Some(Some(dated(now - day * LONG_AGO_DAYS)?))
            }
            Some(Mutation::ClientCertificateNotYetValid) => Some(Some(dated(now + day)?)),
            _ => None,
        })
    }

    /// What differs from the same call without the mutation: something, and nothing that is not the
    /// mutation's.
    fn prove(
        &self,
        plan: &Plan,
        wire: &Wire,
        mutation: Mutation,
        other: Option<&Option<Credential>>,
        keys: &Keys,
    ) -> Result<Vec<Difference>, ProbeError> {
        let paynet = presented(Some(&self.pki.paynet.client));
        let client = other.map_or_else(|| paynet.clone(), |other| presented(other.as_ref()));
        let good = aspects::of(&mutate::wire(plan, None, keys)?, &paynet, keys);
        let differences = aspects::differences(&good, &aspects::of(wire, &client, keys));
        if differences.is_empty() {
            return Err(ProbeError::NoDifference { mutation });
        }
        let foreign = differences.iter().find(|d| !aspects::belongs(&d.what, mutation.part()));
        match foreign {
            Some(foreign) => Err(ProbeError::TooMuch { mutation, also: foreign.what.clone() }),
            None => Ok(differences),
        }
    }
}

/// The client certificate of a connection, in words.
fn presented(identity: Option<&Credential>) -> String {
    let facts = identity.and_then(|identity| certificate_facts(&identity.certificate));
    let Some(facts) = facts else { return "no certificate".into() };
    let until = facts.not_after.map_or_else(String::new, |end| format!(", valid until {end}"));
    format!("{} by {}{until} ({})", facts.subject, facts.issuer, facts.thumbprint)
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
