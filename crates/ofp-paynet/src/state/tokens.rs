//! Access and refresh tokens.

use jiff::Timestamp;
use ofp_net::{Shelf, Store, StoreError};
use ofp_types::{ClientId, ConsentId, Kid};
use serde::{Deserialize, Serialize};

/// How many tokens of each kind are kept: those that ended or will end first go.
const MOST: usize = 20_000;

/// How a token came to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Grant {
    /// client_credentials: the client acts for itself.
    Client,
    /// authorization_code or refresh_token: the client acts within a consent.
    Consent(ConsentId),
}

/// An access token.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Token {
    pub(crate) client_id: ClientId,
    pub(crate) grant: Grant,
    /// Space-separated (RFC 6749 §3.3).
    pub(crate) scope: String,
    /// At the consent's own time, or at wall time without one.
    pub(crate) issued: Timestamp,
    /// At the consent's own time, or at wall time without one.
    pub(crate) expires: Timestamp,
    /// Thumbprint of the certificate that it is bound to (RFC 8705 §3).
    pub(crate) certificate: Kid,
}

/// A refresh token: as long as the consent, never rotated, bound to its client (S3:L103).
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct RefreshToken {
    pub(crate) client_id: ClientId,
    pub(crate) consent: ConsentId,
    /// Space-separated.
    pub(crate) scope: String,
    /// At the consent's own time.
    pub(crate) issued: Timestamp,
    /// When the consent ends.
    pub(crate) expires: Timestamp,
}

/// Tokens by their text.
pub(crate) struct Tokens {
    access: Shelf<Token>,
    refresh: Shelf<RefreshToken>,
}

impl Tokens {
    pub(super) fn open(store: &Store) -> Result<Self, StoreError> {
        let (access, refresh) =
            (Shelf::open("access_tokens", store)?, Shelf::open("refresh_tokens", store)?);
        Ok(Self { access, refresh })
    }

    pub(crate) fn issue(&mut self, text: &str, token: Token, now: Timestamp) {
        self.access.make_room(MOST, now, |token| token.expires);
        self.access.insert(text, token);
    }

    pub(crate) fn issue_refresh(&mut self, text: &str, token: RefreshToken, now: Timestamp) {
        self.refresh.make_room(MOST, now, |token| token.expires);
        self.refresh.insert(text, token);
    }

    pub(crate) fn access(&self, text: &str) -> Option<&Token> {
        self.access.get(text)
    }

    pub(crate) fn refresh(&self, text: &str) -> Option<&RefreshToken> {
        self.refresh.get(text)
    }

    /// Revokes an access token alone.
    pub(crate) fn revoke(&mut self, text: &str) {
        self.access.remove(text);
    }

    /// Revokes every token that a consent stands behind.
    pub(crate) fn revoke_all_of(&mut self, consent: &ConsentId) {
        self.access.retain(|_, token| token.grant != Grant::Consent(consent.clone()));
        self.refresh.retain(|_, token| token.consent != *consent);
    }
}
