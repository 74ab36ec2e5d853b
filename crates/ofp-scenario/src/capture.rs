//! What of a step later steps want to know: `as: { amount: { json: data.amount } }`.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::Located;

/// A value that a step keeps under a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capture {
    /// The name, by which later steps say `{{ name }}`.
    pub name: String,
    /// Where the value is.
    pub from: CaptureFrom,
    /// Whether no report may show it.
    pub secret: bool,
    /// Bytes of the source.
    pub span: std::ops::Range<usize>,
}

/// Where a captured value is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CaptureFrom {
    /// The HTTP status of the answer.
    Status,
    /// A header of the answer.
    Header(String),
    /// A JSONPath in the answer's JSON.
    Json(String),
    /// A parameter of the redirect that the step ends with.
    Redirect(String),
    /// A JSONPath in `{ header: …, claims: … }` of the signed message in the answer.
    Jwt(String),
    /// The consent's id or status.
    Consent(ConsentMember),
}

/// What of a consent can be captured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConsentMember {
    /// Its id.
    Id,
    /// Its status at PayNet.
    Status,
}

/// A capture as it is written: one source, and whether the value is secret.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct CaptureSpec {
    /// `true`: the HTTP status of the answer.
    status: Option<bool>,
    /// The name of a header of the answer.
    header: Option<String>,
    /// A JSONPath in the answer's JSON; a leading `$.` may be left out.
    pub(crate) json: Option<Located<String>>,
    /// A parameter of the redirect that the step ends with: code, state, iss, response, error.
    redirect: Option<String>,
    /// A JSONPath in the signed message of the answer: `header.kid`, `claims.iat`.
    pub(crate) jwt: Option<Located<String>>,
    /// The consent's `id` or `status`.
    consent: Option<ConsentMember>,
    /// Whether no report may show the value.
    pub(crate) secret: bool,
}

impl CaptureSpec {
    /// The one source that it names.
    pub(crate) fn from(self) -> Result<CaptureFrom, String> {
        let secret_free = Self { secret: false, ..self };
        let Self { status, header, json, redirect, jwt, consent, .. } = secret_free;
        let all = [
            status.filter(|wanted| *wanted).map(|_| CaptureFrom::Status),
            header.map(|name| CaptureFrom::Header(name.to_ascii_lowercase())),
            json.map(|path| CaptureFrom::Json(path.value)),
            redirect.map(CaptureFrom::Redirect),
            jwt.map(|path| CaptureFrom::Jwt(path.value)),
            consent.map(CaptureFrom::Consent),
        ];
        let mut named = all.into_iter().flatten();
        let expected =
            "expected one of status: true, header, json, redirect, jwt, consent to capture from";
        match (named.next(), named.next()) {
            (Some(one), None) => Ok(one),
            (None, _) => Err(format!("{expected}, found none")),
            (Some(_), Some(_)) => Err(format!("{expected}, found several")),
        }
    }
}
