//! Finds and parses scenarios; every problem of every file at once.

use std::{
    collections::{HashMap, HashSet},
    path::{Component, Path, PathBuf},
};

use ofp_scenario::{
    Context, Diagnostic, PROFILES, Scenario, Source, Values, builtin, parse_scenarios,
};

/// A scenario that is ready to be played.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// Names it within the run: its folder and its own name, `journey/approve`.
    pub id: String,
    /// Its text, under the file name as given or as embedded.
    pub source: Source,
    /// What it says.
    pub scenario: Scenario,
    /// Whether it is part of the binary.
    pub embedded: bool,
}

/// Why scenarios cannot be played.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A path that cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        /// The path.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// A path that names nothing.
    #[error(
        "there is no file {}, and no embedded scenario of that name (`ofp-sim list scenarios`)",
        path.display()
    )]
    Unknown {
        /// The path.
        path: PathBuf,
    },
    /// A folder without scenarios.
    #[error("there is no scenario (*.yaml) in {}", path.display())]
    Empty {
        /// The folder.
        path: PathBuf,
    },
    /// Files with problems.
    #[error("{} of {files} scenario files cannot be used", problems.len())]
    Problems {
        /// How many files were read.
        files: usize,
        /// Each file that cannot be used, with everything that is wrong with it.
        problems: Vec<(Source, Vec<Diagnostic>)>,
    },
    /// Two scenarios under one id.
    #[error("two scenarios are called {id}: {first} and {second}")]
    Twice {
        /// The id.
        id: String,
        /// One file.
        first: String,
        /// The other.
        second: String,
    },
}

/// Loads the scenarios under `paths`, or those embedded in the binary when there are none.
///
/// # Errors
/// [`LoadError`].
pub fn load(paths: &[PathBuf]) -> Result<Vec<Loaded>, LoadError> {
    load_with(paths, &Values::NONE)
}

/// The same, with values for the scenarios' variables.
///
/// # Errors
/// [`LoadError`].
pub fn load_with(paths: &[PathBuf], values: &Values) -> Result<Vec<Loaded>, LoadError> {
    let sources = if paths.is_empty() {
        builtin::scenarios().into_iter().map(|source| (source, true)).collect()
    } else {
        read_all(paths)?
    };
    let files = sources.len();
    let profiles: Vec<String> = PROFILES.iter().map(|(name, _)| (*name).to_owned()).collect();
    let context =
        Context { values, is_requirement: &is_requirement, read: &read_named, profiles: &profiles };
    let mut loaded: Vec<Loaded> = Vec::new();
    let mut seen: HashMap<String, String> = HashMap::new();
    let mut problems = Vec::new();
    for (source, embedded) in sources {
        let (scenarios, found) = parse_scenarios(&source, &context);
        if !found.is_empty() {
            problems.push((source, found));
            continue;
        }
        for scenario in scenarios {
            let id = id_of(&source, &scenario);
            if let Some(first) = seen.insert(id.clone(), source.name.clone()) {
                return Err(LoadError::Twice { id, first, second: source.name });
            }
            loaded.push(Loaded { id, source: source.clone(), scenario, embedded });
        }
    }
    if problems.is_empty() { Ok(loaded) } else { Err(LoadError::Problems { files, problems }) }
}

fn is_requirement(id: &str) -> bool {
    ofp_checks::find(id).is_some()
}

/// The file that another names: beside it, on disk or in the binary.
fn read_named(path: &str, from: &Source) -> Result<Source, String> {
    let beside = Path::new(&from.name).parent().unwrap_or(Path::new("")).join(path);
    let plain = plain(&beside);
    let name = plain.display().to_string();
    // scenarios of the binary use fragments of the binary
    if from.is_embedded() {
        let text = builtin::file(&name).ok_or("the binary has no such file")?;
        return Ok(Source::embedded(name, text));
    }
    let text = std::fs::read_to_string(&beside).map_err(|e| e.to_string())?;
    Ok(Source::new(name, text))
}

/// A path without `.` and without `..` behind a name.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if plain.file_name().is_some_and(|name| name != "..") => {
                plain.pop();
            }
            part => plain.push(part),
        }
    }
    plain
}

fn id_of(source: &Source, scenario: &Scenario) -> String {
    let folder = Path::new(&source.name).parent().and_then(Path::file_name);
    let row = scenario.row.as_ref().map(|row| format!("[{row}]")).unwrap_or_default();
    match folder {
        Some(folder) => format!("{}/{}{row}", folder.display(), scenario.name),
        None => format!("{}{row}", scenario.name),
    }
}

/// Reads files and folders; a path that is not there may name what is embedded.
fn read_all(paths: &[PathBuf]) -> Result<Vec<(Source, bool)>, LoadError> {
    let mut sources = Vec::new();
    for path in paths {
        if path.is_dir() {
            let mut found = Vec::new();
            read_folder(path, &mut HashSet::new(), &mut found)?;
            if found.is_empty() {
                return Err(LoadError::Empty { path: path.clone() });
            }
            sources.extend(found.into_iter().map(|source| (source, false)));
            continue;
        }
        if path.exists() {
            sources.push((read_file(path)?, false));
            continue;
        }
        let named = embedded(path);
        if named.is_empty() {
            return Err(LoadError::Unknown { path: path.clone() });
        }
        sources.extend(named.into_iter().map(|source| (source, true)));
    }
    Ok(sources)
}

/// Embedded scenarios that a path names: a folder, or a file with or without its ending, by the end of its
/// path as ids are.
fn embedded(path: &Path) -> Vec<Source> {
    let named = |source: &Source| {
        let name = Path::new(&source.name);
        let is = |name: &Path| !path.as_os_str().is_empty() && name.ends_with(path);
        is(&name.with_extension("")) || name.ancestors().any(is)
    };
    builtin::scenarios().into_iter().filter(named).collect()
}

/// Each folder once, however many links lead to it.
fn read_folder(
    folder: &Path,
    been: &mut HashSet<PathBuf>,
    sources: &mut Vec<Source>,
) -> Result<(), LoadError> {
    let unreadable = |source| LoadError::Unreadable { path: folder.to_owned(), source };
    if !been.insert(folder.canonicalize().map_err(unreadable)?) {
        return Ok(());
    }
    let mut entries = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        entries.push(entry.map_err(unreadable)?.path());
    }
    entries.sort();
    for path in entries {
        if path.is_dir() {
            read_folder(&path, been, sources)?;
        } else if path.extension().is_some_and(|e| e == "yaml" || e == "yml") {
            sources.push(read_file(&path)?);
        }
    }
    Ok(())
}

fn read_file(path: &Path) -> Result<Source, LoadError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| LoadError::Unreadable { path: path.to_owned(), source })?;
    Ok(Source::new(path.display().to_string(), text))
}
