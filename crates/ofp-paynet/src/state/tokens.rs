//! Access and refresh tokens.

use std::collections::HashMap;

use jiff::Timestamp;
use ofp_net::{Shelf, Store, StoreError};
use ofp_types::{ClientId, ConsentId, Kid};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// How many tokens of each kind are kept.
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

/// Tokens by their text. Those that clients got for themselves are apart from those of
/// customers' consents, and however many a client asks for, no other loses one.
pub(crate) struct Tokens {
    of_clients: Shelf<Token>,
    of_consents: Shelf<Token>,
    refresh: Shelf<RefreshToken>,
}

impl Tokens {
    pub(super) fn open(store: &Store) -> Result<Self, StoreError> {
        Ok(Self {
            of_clients: Shelf::open("client_tokens", store)?,
            of_consents: Shelf::open("access_tokens", store)?,
            refresh: Shelf::open("refresh_tokens", store)?,
        })
    }

    pub(crate) fn issue(&mut self, text: &str, token: Token) {
        let shelf = match token.grant {
            Grant::Client => &mut self.of_clients,
            Grant::Consent(_) => &mut self.of_consents,
        };
        make_room(shelf, |token| (&token.client_id, token.expires));
        shelf.insert(text, token);
    }

    pub(crate) fn issue_refresh(&mut self, text: &str, token: RefreshToken) {
        make_room(&mut self.refresh, |token| (&token.client_id, token.expires));
        self.refresh.insert(text, token);
    }

    pub(crate) fn access(&self, text: &str) -> Option<&Token> {
        self.of_consents.get(text).or_else(|| self.of_clients.get(text))
    }

    pub(crate) fn refresh(&self, text: &str) -> Option<&RefreshToken> {
        self.refresh.get(text)
    }

    /// Revokes an access token alone.
    pub(crate) fn revoke(&mut self, text: &str) {
        self.of_consents.remove(text);
        self.of_clients.remove(text);
    }

    /// Revokes every token that a consent stands behind.
    pub(crate) fn revoke_all_of(&mut self, consent: &ConsentId) {
        self.of_consents.retain(|_, token| token.grant != Grant::Consent(consent.clone()));
        self.refresh.retain(|_, token| token.consent != *consent);
    }
}

/// The client that has the most tokens loses the older half of them, and no other loses any.
fn make_room<T: Serialize + DeserializeOwned>(
    shelf: &mut Shelf<T>,
    about: impl Fn(&T) -> (&ClientId, Timestamp),
) {
    if shelf.len() < MOST {
        return;
    }
    let mut by_client: HashMap<&ClientId, Vec<(Timestamp, &str)>> = HashMap::new();
    for (text, token) in shelf.iter() {
        let (client, expires) = about(token);
        by_client.entry(client).or_default().push((expires, text));
    }
    let Some(mut most) = by_client.into_values().max_by_key(Vec::len) else { return };
    most.sort_unstable();
    let half = most.len().div_ceil(2);
    let go: Vec<String> = most[..half].iter().map(|(_, text)| (*text).to_owned()).collect();
    go.iter().for_each(|text| drop(shelf.remove(text)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_greedy_client_costs_nobody_else_a_token() {
        let mut tokens = Tokens::open(&Store::none()).unwrap();
        let token = |client: &str, grant, expires| Token {
            client_id: ClientId::parse(client).unwrap(),
            grant,
            scope: "accounts".into(),
            issued: Timestamp::UNIX_EPOCH,
            expires: Timestamp::from_second(expires).unwrap(),
            certificate: Kid::parse("x".repeat(43)).unwrap(),
        };
        let consent = Grant::Consent(ConsentId::parse("consent").unwrap());
        tokens.issue("customer's", token("dc", consent, 1));
        tokens.issue("modest", token("dp", Grant::Client, 1));
        for n in 0..3 * MOST {
            let expires = 2 + i64::try_from(n).unwrap();
            tokens.issue(&n.to_string(), token("dc", Grant::Client, expires));
        }
        assert!(tokens.access("customer's").is_some() && tokens.access("modest").is_some());
        assert!(tokens.access("0").is_none() && tokens.of_clients.len() <= MOST);
        assert!(tokens.access(&(3 * MOST - 1).to_string()).is_some(), "the newest stay");
    }
}
