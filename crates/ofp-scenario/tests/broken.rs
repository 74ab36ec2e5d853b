//! A corpus of scenario files with one mistake each: every message names line, mistake and cure.
#![expect(clippy::unwrap_used, reason = "a test stops at its first surprise")]

use std::path::{Path, PathBuf};

use ofp_scenario::{Context, Source, parse_scenarios, render};

fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/broken");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "yaml"))
        .collect();
    files.sort();
    files
}

fn read(path: &str, from: &Source) -> Result<Source, String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/broken");
    let file = folder.join(Path::new(&from.name).parent().unwrap()).join(path);
    let text = std::fs::read_to_string(file).map_err(|_| "there is no such file".to_owned())?;
    Ok(Source::new(path, text))
}

#[test]
fn each_message_names_line_mistake_and_cure() {
    let profiles = ["portal-1.2.2".to_owned(), "sandbox".to_owned(), "oidc-dp".to_owned()];
    let is_requirement = |id: &str| id != "C-99";
    let context = Context {
        is_requirement: &is_requirement,
        read: &read,
        profiles: &profiles,
        ..Context::default()
    };
    let files = files();
    assert!(files.len() >= 20);
    for path in files {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let source = Source::new(name.clone(), std::fs::read_to_string(&path).unwrap());
        let (scenarios, problems) = parse_scenarios(&source, &context);
        assert!(scenarios.is_empty() && !problems.is_empty(), "{name}");
        let one = problems.len() == 1 || name.starts_with("33");
        let shown: Vec<String> = problems.iter().map(|p| render(&source, p, false)).collect();
        assert!(one, "{name} has one mistake: {}", shown.join("\n"));
        insta::assert_snapshot!(name.trim_end_matches(".yaml"), shown.join("\n\n"));
    }
}

/// What a file says of a password or a secret is in no message.
#[test]
fn no_message_shows_a_secret() {
    let text = "scenario: a\ntitle: A\nvars: { word: { secret: true } }\nsteps:\n  - dc.request_consent:\n  \
                - customer.follow_authorization:\n  - customer.log_in: { username: a, password: hunter2xyz, colour: red }\n  \
                - customer.select_accounts: { pick: \"{{ word }}\" }\n";
    let mut values = ofp_scenario::Values::NONE;
    values.flags.insert("word".into(), "swordfish1".into());
    let context = Context { values: &values, ..Context::default() };
    let source = Source::new("a.yaml", text);
    let (_, problems) = parse_scenarios(&source, &context);
    assert_eq!(problems.len(), 2, "{problems:?}");
    for problem in &problems {
        let shown = render(&source, problem, false);
        assert!(!shown.contains("hunter2xyz") && !shown.contains("swordfish1"), "{shown}");
    }
}
