//! Pushed authorization requests (RFC 9126).

use jiff::Timestamp;
use ofp_net::{Shelf, Store, StoreError};
use ofp_types::{ClientId, ConsentId, DcId};
use serde::{Deserialize, Serialize};

use crate::authorization_server::RequestObject;

/// How many requests are kept: those that ended or will end first go.
const MOST: usize = 10_000;

/// What a pushed request is for.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Target {
    /// A consent: the request named the DP.
    Consent(ConsentId),
    /// Nothing yet: the customer picks the DP, and only then is there a consent.
    Unchosen(DcId, Box<RequestObject>),
}

/// A request that waits for the browser to bring its `request_uri`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct PushedRequest {
    pub(crate) client_id: ClientId,
    pub(crate) target: Target,
    /// At the consent's own time, or at wall time without one.
    pub(crate) expires: Timestamp,
}

/// Why a `request_uri` cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RequestError {
    #[error("request_uri is unknown or has been used before")]
    Unknown,
    #[error("request_uri belongs to another client")]
    Foreign,
    #[error("request_uri has expired")]
    Expired,
}

/// Requests by `request_uri`; one is gone once it is used (FAPI 2.0 SP §5.3.2.2).
pub(crate) struct Requests(Shelf<PushedRequest>);

impl Requests {
    pub(super) fn open(store: &Store) -> Result<Self, StoreError> {
        Shelf::open("requests", store).map(Self)
    }

    pub(crate) fn push(&mut self, request_uri: &str, request: PushedRequest, now: Timestamp) {
        self.0.make_room(MOST, now, |request| request.expires);
        self.0.insert(request_uri, request);
    }

    /// The consent that `request_uri` is for, before it is used.
    pub(crate) fn consent(&self, request_uri: &str) -> Option<&ConsentId> {
        match &self.0.get(request_uri)?.target {
            Target::Consent(consent) => Some(consent),
            Target::Unchosen(..) => None,
        }
    }

    /// Whose a request is.
    pub(crate) fn client(&self, request_uri: &str) -> Option<&ClientId> {
        self.0.get(request_uri).map(|request| &request.client_id)
    }

    /// Takes a request out. Another client's stays.
    pub(crate) fn redeem(
        &mut self,
        request_uri: &str,
        client_id: &str,
        now: Timestamp,
    ) -> Result<PushedRequest, RequestError> {
        let request = self.0.get(request_uri).ok_or(RequestError::Unknown)?;
        if request.client_id.as_str() != client_id {
            return Err(RequestError::Foreign);
        }
        let request = self.0.remove(request_uri).ok_or(RequestError::Unknown)?;
        if request.expires <= now { Err(RequestError::Expired) } else { Ok(request) }
    }
}
