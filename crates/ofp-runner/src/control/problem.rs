//! An error of the control surface: what was expected, what came, where.

use ofp_net::{Answer, Inbound};
use ofp_types::{ConsentId, wire::ErrorBody};
use serde::de::DeserializeOwned;

/// An error of the control surface.
pub(super) struct Problem {
    status: u16,
    code: &'static str,
    text: String,
    header: Option<(&'static str, String)>,
}

impl Problem {
    pub(super) fn new(status: u16, code: &'static str, text: impl Into<String>) -> Self {
        Self { status, code, text: text.into(), header: None }
    }

    pub(super) fn bad_request(text: impl Into<String>) -> Self {
        Self::new(400, "invalid_request", text)
    }

    pub(super) fn header(mut self, name: &'static str, value: &str) -> Self {
        self.header = Some((name, value.to_owned()));
        self
    }

    pub(super) fn answer(self) -> Answer {
        let body = ErrorBody { error: self.code.to_owned(), error_description: Some(self.text) };
        let body = serde_json::to_vec(&body).unwrap_or_default();
        let answer = Answer::new(self.status, "application/json", body);
        match self.header {
            Some((name, value)) => answer.header(name, value),
            None => answer,
        }
    }
}

/// The body of a request; none at all is an empty object.
pub(super) fn body<T: DeserializeOwned>(inbound: &Inbound) -> Result<T, Problem> {
    let bytes: &[u8] = if inbound.body.is_empty() { b"{}" } else { &inbound.body };
    let object = ofp_jose::strict_object(bytes)
        .map_err(|e| Problem::bad_request(format!("the body is not a JSON object: {e}")))?;
    serde_json::from_value(object.into())
        .map_err(|e| Problem::bad_request(format!("the body: {e}")))
}

/// The consent that a path names.
pub(super) fn consent_id(inbound: &Inbound) -> Result<ConsentId, Problem> {
    ConsentId::parse(inbound.parameter.as_str()).map_err(|_| unknown_consent(&inbound.parameter))
}

pub(super) fn unknown_consent(id: &str) -> Problem {
    Problem::new(404, "Consent.Invalid", format!("there is no consent `{id}`"))
}
