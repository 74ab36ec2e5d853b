//! `ofp-sim schema`.

use ofp_report::{event_schema, report_schema};
use ofp_runner::{control_openapi, exit, platform_openapi};
use ofp_scenario::{profile_schema, scenario_schema, target_schema};
use serde_json::Value;

use super::print;
use crate::{args::SchemaWhat, failure::Failure};

pub(super) fn schema(what: SchemaWhat) -> Result<u8, Failure> {
    print(&text(&match what {
        SchemaWhat::Platform => platform_openapi(),
        SchemaWhat::Control => control_openapi(),
        SchemaWhat::Target => target_schema(),
        SchemaWhat::Scenario => scenario_schema(),
        SchemaWhat::Profile => profile_schema(),
        SchemaWhat::Report => report_schema(),
        SchemaWhat::Event => event_schema(),
    }))?;
    Ok(exit::PASSED)
}

/// A document as it is printed and committed.
pub(super) fn text(document: &Value) -> String {
    format!("{}\n", serde_json::to_string_pretty(document).unwrap_or_default())
}
