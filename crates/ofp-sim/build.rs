//! The commit that `--version` names.
#![expect(clippy::disallowed_methods, reason = "a build script has no other source")]

use std::{path::Path, process::Command};

fn main() {
    println!("cargo:rerun-if-env-changed=OFP_SIM_COMMIT");
    for file in ["../../.git/HEAD", "../../.git/logs/HEAD"] {
        if Path::new(file).exists() {
            println!("cargo:rerun-if-changed={file}");
        }
    }
    let given = std::env::var("OFP_SIM_COMMIT").ok().filter(|given| !given.is_empty());
    let commit = given.or_else(commit).unwrap_or_else(|| "unknown".to_owned());
    println!("cargo:rustc-env=OFP_SIM_COMMIT={commit}");
}

/// None where there is no git, or no repository.
fn commit() -> Option<String> {
    let output = Command::new("git").args(["rev-parse", "--short=12", "HEAD"]).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    Some(text.trim().to_owned()).filter(|text| output.status.success() && !text.is_empty())
}
