//! The control surface's OpenAPI document.

use ofp_paynet::BearerScheme;
use serde_json::Value;
use utoipa::OpenApi;

use super::{consents, data, faults, journal};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "ofp-sim control surface",
        description = "What a test may do to the simulated platform of `ofp-sim up`. On the loopback interface only; the token is printed at start."
    ),
    modifiers(&BearerScheme),
    paths(
        journal::world,
        consents::list_consents,
        consents::request_consent,
        consents::link,
        consents::read_consent,
        consents::advance_clock,
        consents::change_status,
        consents::settle,
        data::exchange_code,
        data::refresh,
        data::read_data,
        journal::read_journal,
        journal::last_rejection,
        faults::list_faults,
        faults::inject_fault,
        faults::reset_faults,
        faults::rotate_keys,
        data::read_books,
        data::replace_books,
        data::set_account,
        openapi_document,
    )
)]
struct Api;

/// This document
#[utoipa::path(get, path = "/openapi.json", tag = "world", operation_id = "readOpenApi",
    responses((status = 200, description = "OpenAPI 3.1", body = Value)))]
#[expect(dead_code, reason = "only its description is used")]
fn openapi_document() {}

/// The control surface's OpenAPI document.
#[must_use]
pub fn control_openapi() -> Value {
    serde_json::to_value(Api::openapi()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_is_described_and_every_description_is_an_operation() {
        let api = control_openapi();
        let mut described: Vec<(String, String)> = Vec::new();
        for (path, verbs) in api["paths"].as_object().unwrap() {
            for verb in verbs.as_object().unwrap().keys() {
                described.push((verb.to_uppercase(), path.clone()));
            }
        }
        let mut real: Vec<(String, String)> = super::super::operations()
            .into_iter()
            .map(|(verb, path)| (verb.to_owned(), path.to_owned()))
            .collect();
        described.sort();
        real.sort();
        assert_eq!(described, real);
    }
}
