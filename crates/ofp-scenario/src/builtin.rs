//! The scenarios and snapshots that are part of the binary.

use include_dir::{Dir, include_dir};

use crate::Source;

static SCENARIOS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../scenarios");

/// Every scenario, in the order of the file names.
#[must_use]
pub fn scenarios() -> Vec<Source> {
    let mut found = Vec::new();
    collect(&SCENARIOS, &mut found);
    found.sort_by(|a, b| a.name.cmp(&b.name));
    found
}

/// A file under `scenarios/`, such as a snapshot.
#[must_use]
pub fn file(path: &str) -> Option<&'static str> {
    SCENARIOS.get_file(path)?.contents_utf8()
}

fn collect(dir: &Dir<'_>, found: &mut Vec<Source>) {
    for file in dir.files() {
        let path = file.path();
        if path.extension().is_some_and(|e| e == "yaml")
            && let Some(text) = file.contents_utf8()
        {
            found.push(Source::embedded(path.display().to_string(), text));
        }
    }
    dir.dirs().for_each(|dir| collect(dir, found));
}
