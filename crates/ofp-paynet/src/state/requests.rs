//! Pushed authorization requests (RFC 9126).

use std::collections::HashMap;

use jiff::Timestamp;
use ofp_types::{ClientId, ConsentId};

/// A request that waits for the browser to bring its `request_uri`.
#[derive(Debug, Clone)]
pub(crate) struct PushedRequest {
    pub(crate) client_id: ClientId,
    pub(crate) consent: ConsentId,
    /// At the consent's own time.
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
#[derive(Default)]
pub(crate) struct Requests(HashMap<String, PushedRequest>);

impl Requests {
    pub(crate) fn push(&mut self, request_uri: String, request: PushedRequest) {
        self.0.insert(request_uri, request);
    }

    /// The consent that `request_uri` is for, before it is used.
    pub(crate) fn consent(&self, request_uri: &str) -> Option<&ConsentId> {
        self.0.get(request_uri).map(|request| &request.consent)
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
