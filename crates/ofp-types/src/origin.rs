//! The base URL of a server.

use serde::{Deserialize, Serialize};
use url::Url;

/// A text that is not the base URL of an https server.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a base URL must be https://host[:port] without path, query or user, not `{got}`")]
pub struct InvalidOrigin {
    /// What came.
    pub got: String,
}

/// The base URL of a server, `https://host[:port]`, without a trailing slash.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Origin(String);

impl Origin {
    /// Takes `text` if it is an https base URL.
    ///
    /// # Errors
    /// [`InvalidOrigin`] with what came.
    pub fn parse(text: &str) -> Result<Self, InvalidOrigin> {
        let invalid = || InvalidOrigin { got: text.to_owned() };
        let url = Url::parse(text).map_err(|_| invalid())?;
        let plain = url.scheme() == "https"
            && url.has_host()
            && url.path() == "/"
            && url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none();
        if plain { Ok(Self(url.as_str().trim_end_matches('/').to_owned())) } else { Err(invalid()) }
    }

    /// The origin of `url`, if it is an https URL.
    ///
    /// # Errors
    /// [`InvalidOrigin`] with what came.
    pub fn of(url: &Url) -> Result<Self, InvalidOrigin> {
        Self::parse(&url.origin().ascii_serialization())
    }

    /// `https://host[:port]`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The absolute URL of `path`, which must begin with a slash.
    #[must_use]
    pub fn join(&self, path: &str) -> String {
        debug_assert!(path.starts_with('/'), "a path begins with a slash");
        format!("{}{path}", self.0)
    }
}

impl TryFrom<String> for Origin {
    type Error = InvalidOrigin;
    fn try_from(text: String) -> Result<Self, InvalidOrigin> {
        Self::parse(&text)
    }
}

impl From<Origin> for String {
    fn from(origin: Origin) -> Self {
        origin.0
    }
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_bare_https_bases_pass() {
        assert_eq!(
            Origin::parse("https://localhost:8443/").unwrap().join("/v1"),
            "https://localhost:8443/v1"
        );
        for bad in ["http://a", "https://u@a", "https://a/b", "https://a?x", "https://a#x", "a", ""]
        {
            assert!(Origin::parse(bad).is_err(), "{bad}");
        }
    }
}
