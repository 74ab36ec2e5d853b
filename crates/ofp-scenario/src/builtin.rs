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

/// Every file, with its text.
#[must_use]
pub fn files() -> Vec<(String, &'static str)> {
    fn all(dir: &'static Dir<'_>, found: &mut Vec<(String, &'static str)>) {
        for file in dir.files() {
            if let Some(text) = file.contents_utf8() {
                found.push((file.path().display().to_string(), text));
            }
        }
        dir.dirs().for_each(|dir| all(dir, found));
    }
    let mut found = Vec::new();
    all(&SCENARIOS, &mut found);
    found.sort();
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
