//! What is part of the binary, and what the cookbook shows, is right.

use std::path::{Path, PathBuf};

use ofp_scenario::{Context, Source, builtin, parse_scenarios, render};

fn problems(source: &Source, folder: &Path) -> Vec<String> {
    let read = |path: &str, _: &Source| {
        let text = std::fs::read_to_string(folder.join(path)).map_err(|e| e.to_string())?;
        Ok(Source::new(path, text))
    };
    let context = Context { read: &read, ..Context::default() };
    let (scenarios, problems) = parse_scenarios(source, &context);
    assert!(!scenarios.is_empty() || !problems.is_empty(), "{}", source.name);
    problems.iter().map(|problem| render(source, problem, false)).collect()
}

#[test]
fn every_scenario_of_the_binary_is_right() {
    let all = builtin::scenarios();
    assert!(all.len() > 50);
    for source in all {
        let found = problems(&source, Path::new("."));
        assert!(found.is_empty(), "{}", found.join("\n"));
    }
}

#[test]
fn every_recipe_is_right() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/cookbook");
    let files: Vec<PathBuf> =
        std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    let files: Vec<&PathBuf> = files.iter().filter(|path| path.is_file()).collect();
    assert!(files.len() >= 20);
    for path in files {
        let source =
            Source::new(path.display().to_string(), std::fs::read_to_string(path).unwrap());
        let found = problems(&source, &folder);
        assert!(found.is_empty(), "{}", found.join("\n"));
    }
}
