//! Access tokens.

use std::collections::HashMap;

use jiff::Timestamp;
use ofp_types::{ClientId, ConsentId, Kid};

/// How many tokens are kept before expired ones are dropped.
const TIDY_ABOVE: usize = 10_000;

/// How a token came to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Grant {
    /// client_credentials: the client acts for itself.
    Client,
    /// authorization_code: the client acts within a consent.
    Consent(ConsentId),
}

/// An access token.
#[derive(Debug, Clone)]
pub(crate) struct Token {
    pub(crate) client_id: ClientId,
    pub(crate) grant: Grant,
    /// Space-separated (RFC 6749 §3.3).
    pub(crate) scope: String,
    /// At the consent's own time, or at wall time without one.
    pub(crate) expires: Timestamp,
    /// Thumbprint of the certificate that it is bound to (RFC 8705 §3).
    pub(crate) certificate: Kid,
}

/// Tokens by their text.
#[derive(Default)]
pub(crate) struct Tokens(HashMap<String, Token>);

impl Tokens {
    pub(crate) fn issue(&mut self, text: String, token: Token, now: Timestamp) {
        if self.0.len() >= TIDY_ABOVE {
            self.0.retain(|_, token| token.expires > now);
        }
        self.0.insert(text, token);
    }

    pub(crate) fn get(&self, text: &str) -> Option<&Token> {
        self.0.get(text)
    }

    pub(crate) fn revoke(&mut self, text: &str) {
        self.0.remove(text);
    }
}
