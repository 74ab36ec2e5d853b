//! Authorization codes.

use std::collections::HashMap;

use jiff::Timestamp;
use ofp_types::{ClientId, ConsentId};

/// An authorization code and what it is bound to.
#[derive(Debug, Clone)]
pub(crate) struct Code {
    pub(crate) consent: ConsentId,
    pub(crate) client_id: ClientId,
    /// At the consent's own time.
    pub(crate) expires: Timestamp,
    /// The access token that it was exchanged for.
    pub(crate) token: Option<String>,
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
    #[error("the code has been used before; the token that it gave is revoked")]
    Used {
        /// The token to revoke (RFC 6749 §4.1.2).
        token: String,
    },
}

/// Codes by their text.
#[derive(Default)]
pub(crate) struct Codes(HashMap<String, Code>);

impl Codes {
    pub(crate) fn issue(&mut self, text: String, code: Code) {
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
        if let Some(token) = &code.token {
            return Err(CodeError::Used { token: token.clone() });
        }
        if code.expires <= now { Err(CodeError::Expired) } else { Ok(code.clone()) }
    }

    /// Marks a code as used.
    pub(crate) fn used(&mut self, text: &str, token: String) {
        if let Some(code) = self.0.get_mut(text) {
            code.token = Some(token);
        }
    }
}
