//! Authorization codes.

use jiff::Timestamp;
use ofp_net::{Shelf, Store, StoreError};
use ofp_types::{ClientId, ConsentId};
use serde::{Deserialize, Serialize};

/// How many codes are kept: those that ended or will end first go.
const MOST: usize = 10_000;

/// An authorization code and what it is bound to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Code {
    pub(crate) consent: ConsentId,
    pub(crate) client_id: ClientId,
    /// At the consent's own time.
    pub(crate) expires: Timestamp,
    /// Whether it has been exchanged for tokens.
    pub(crate) used: bool,
}

/// Why a code cannot be redeemed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CodeError {
    #[error("the code is unknown")]
    Unknown,
    #[error("the code was issued to another client")]
    Foreign,
    #[error("the code has expired")]
    Expired,
    #[error("the code has been used before; the tokens that it gave are revoked (RFC 6749 §4.1.2)")]
    Used,
}

/// Codes by their text.
pub(crate) struct Codes(Shelf<Code>);

impl Codes {
    pub(super) fn open(store: &Store) -> Result<Self, StoreError> {
        Shelf::open("codes", store).map(Self)
    }

    pub(crate) fn issue(&mut self, text: &str, code: Code, now: Timestamp) {
        self.0.make_room(MOST, now, |code| code.expires);
        self.0.insert(text, code);
    }

    pub(crate) fn get(&self, text: &str) -> Option<&Code> {
        self.0.get(text)
    }

    /// Checks everything about a code that does not need the request.
    pub(crate) fn check(
        &self,
        text: &str,
        client: &ClientId,
        now: Timestamp,
    ) -> Result<Code, CodeError> {
        let code = self.0.get(text).ok_or(CodeError::Unknown)?;
        if code.client_id != *client {
            return Err(CodeError::Foreign);
        }
        if code.used {
            return Err(CodeError::Used);
        }
        if code.expires <= now { Err(CodeError::Expired) } else { Ok(code.clone()) }
    }

    /// Marks a code as used.
    pub(crate) fn used(&mut self, text: &str) {
        self.0.change(text, |code| code.used = true);
    }
}
