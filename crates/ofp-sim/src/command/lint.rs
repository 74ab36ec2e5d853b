//! `ofp-sim lint`: scenario files looked through, offline.

use ofp_runner::{LoadOptions, Reading, exit, load_with};

use super::{print, select};
use crate::{args::LintArgs, environment::Environment, failure::Failure};

pub(super) fn lint(args: &LintArgs, environment: &Environment) -> Result<u8, Failure> {
    let values = select::values(&args.variables, environment)?;
    // nothing is played: what a secret is need not be known
    let options = LoadOptions { values, open_variables: true, ..LoadOptions::default() };
    let Reading { scenarios: loaded, files, .. } = load_with(&args.paths, &options)?;
    select::check_used(&options.values, &loaded)?;
    let steps: usize = loaded.iter().map(|one| one.scenario.steps.len()).sum();
    let plural = |number: usize, one: &str| match number {
        1 => format!("1 {one}"),
        _ => format!("{number} {one}s"),
    };
    print(&format!(
        "{}, {}, {}: nothing is wrong with them\n",
        plural(files, "file"),
        plural(loaded.len(), "scenario"),
        plural(steps, "step")
    ))?;
    Ok(exit::PASSED)
}
