//! `application/x-www-form-urlencoded`, in bodies and queries.

use std::collections::BTreeMap;

/// Why a form or query cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FormError {
    /// RFC 6749 §3.1: parameters must not be included more than once.
    #[error("parameter {name} appears more than once")]
    Repeated {
        /// Which.
        name: String,
    },
    /// Another media type.
    #[error("Content-Type must be application/x-www-form-urlencoded, not {media_type}")]
    NotAForm {
        /// What it is.
        media_type: String,
    },
    /// Not UTF-8.
    #[error("the form is not UTF-8")]
    NotUtf8,
}

/// The parameters of a form or query, each of which may appear only once.
///
/// # Errors
/// [`FormError`].
pub fn parse_form(text: &[u8]) -> Result<BTreeMap<String, String>, FormError> {
    let text = std::str::from_utf8(text).map_err(|_| FormError::NotUtf8)?;
    let mut fields = BTreeMap::new();
    for (name, value) in url::form_urlencoded::parse(text.as_bytes()) {
        if fields.insert(name.clone().into_owned(), value.into_owned()).is_some() {
            return Err(FormError::Repeated { name: name.into_owned() });
        }
    }
    Ok(fields)
}

/// The fields of a form that was posted; its media type must say that it is one.
///
/// # Errors
/// [`FormError`].
pub fn posted_form(inbound: &crate::Inbound) -> Result<BTreeMap<String, String>, FormError> {
    let media_type = inbound.header("content-type").unwrap_or("missing");
    let essence = media_type.split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return Err(FormError::NotAForm { media_type: media_type.to_owned() });
    }
    parse_form(&inbound.body)
}

/// `fields` as a form or query.
#[must_use]
pub fn encode_form(fields: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_survive_and_repetition_is_refused() {
        let text = encode_form(&[("a", "x y"), ("b", "ä&=")]);
        let fields = parse_form(text.as_bytes()).unwrap();
        assert_eq!((fields["a"].as_str(), fields["b"].as_str()), ("x y", "ä&="));
        assert_eq!(parse_form(b"a=1&a=2"), Err(FormError::Repeated { name: "a".into() }));
        assert_eq!(parse_form(b"\xff"), Err(FormError::NotUtf8));
    }
}
