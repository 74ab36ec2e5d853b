//! `ofp-sim schema`.

use ofp_runner::{control_openapi, exit, platform_openapi};

use ofp_scenario::target_schema;

use super::print;
use crate::{args::SchemaWhat, failure::Failure};

pub(super) fn schema(what: SchemaWhat) -> Result<u8, Failure> {
    let document = match what {
        SchemaWhat::Platform => platform_openapi(),
        SchemaWhat::Control => control_openapi(),
        SchemaWhat::Target => target_schema(),
    };
    let text = serde_json::to_string_pretty(&document).unwrap_or_default();
    print(&format!("{text}\n"))?;
    Ok(exit::PASSED)
}
