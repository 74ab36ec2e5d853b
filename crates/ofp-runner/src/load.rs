//! Finds and parses scenarios; every problem of every file at once.

use std::{
    collections::{HashMap, HashSet},
    io::Read as _,
    path::{Component, Path, PathBuf},
};

use ofp_scenario::{
    Context, Diagnostic, LONGEST_FILE, PROFILES, Scenario, Source, Values, builtin, closest,
    parse_scenarios,
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
        "there is no file {}, and no embedded scenario of that name{suggestion}",
        path.display()
    )]
    Unknown {
        /// The path.
        path: PathBuf,
        /// What may have been meant.
        suggestion: String,
    },
    /// A row that no table has.
    #[error("{file} has no row `{row}`; there are {known}")]
    NoRow {
        /// The file.
        file: String,
        /// The row.
        row: String,
        /// Those that there are.
        known: String,
    },
    /// Files of steps for others to use, and nothing that uses them.
    #[error("{} is a fragment: steps for scenarios to use, and nothing to play", path.display())]
    Fragment {
        /// The file.
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
}

/// Loads the scenarios under `paths`, or those embedded in the binary when there are none.
///
/// # Errors
/// [`LoadError`].
pub fn load(paths: &[PathBuf]) -> Result<Vec<Loaded>, LoadError> {
    load_with(paths, &LoadOptions::default())
}

/// How scenarios are loaded.
#[derive(Debug, Default)]
pub struct LoadOptions {
    /// Values for their variables.
    pub values: Values,
    /// Whether a variable may be without a value, because nothing is played.
    pub open_variables: bool,
    /// The name of a profile that is not built in.
    pub profile: Option<String>,
}

/// The same, with values for the scenarios' variables.
///
/// # Errors
/// [`LoadError`].
pub fn load_with(paths: &[PathBuf], options: &LoadOptions) -> Result<Vec<Loaded>, LoadError> {
    let wanted: Vec<Wanted> = match paths {
        [] => builtin::scenarios().into_iter().map(Wanted::whole).collect(),
        paths => read_all(paths)?,
    };
    let files = wanted.len();
    let built_in = PROFILES.iter().map(|(name, _)| (*name).to_owned());
    let profiles: Vec<String> = built_in.chain(options.profile.clone()).collect();
    let context = Context {
        values: &options.values,
        is_requirement: &is_requirement,
        read: &read_named,
        profiles: &profiles,
        needs_values: !options.open_variables,
    };
    let mut loaded: Vec<Loaded> = Vec::new();
    let mut seen: HashMap<String, String> = HashMap::new();
    let mut problems: Vec<(Source, Vec<Diagnostic>)> = Vec::new();
    for Wanted { source, row, unreadable } in wanted {
        if let Some(why) = unreadable {
            problems.push((source, vec![Diagnostic::of_file("file", why)]));
            continue;
        }
        let (scenarios, mut found) = parse_scenarios(&source, &context);
        let of_row = of_row(scenarios, &source, row.as_deref())?;
        for scenario in of_row {
            let id = id_of(&source, &scenario);
            match seen.insert(id.clone(), source.name.clone()) {
                Some(first) => {
                    let title = format!("the scenario's id, {id}, is taken by {first}");
                    found.push(Diagnostic::of_file("scenario", title));
                }
                None => loaded.push(Loaded {
                    id,
                    embedded: source.is_embedded(),
                    source: source.clone(),
                    scenario,
                }),
            }
        }
        if !found.is_empty() {
            problems.push((source, found));
        }
    }
    match (problems.is_empty(), loaded.is_empty(), paths) {
        (false, ..) => Err(LoadError::Problems { files, problems }),
        (true, true, [path]) if !options.open_variables => {
            Err(LoadError::Fragment { path: path.clone() })
        }
        _ => Ok(loaded),
    }
}

/// The row that was asked for, of those that a file has.
fn of_row(
    scenarios: Vec<Scenario>,
    source: &Source,
    row: Option<&str>,
) -> Result<Vec<Scenario>, LoadError> {
    let Some(row) = row.filter(|_| !scenarios.is_empty()) else { return Ok(scenarios) };
    let known: Vec<&str> = scenarios.iter().filter_map(|one| one.row.as_deref()).collect();
    if !known.contains(&row) {
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        return Err(LoadError::NoRow { file: source.name.clone(), row: row.to_owned(), known });
    }
    Ok(scenarios.into_iter().filter(|one| one.row.as_deref() == Some(row)).collect())
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
    text_of_file(&beside).map(|text| Source::new(name, text))
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

/// A file that is to be loaded, or one row of it.
struct Wanted {
    source: Source,
    row: Option<String>,
    /// Why it cannot be read, if it cannot.
    unreadable: Option<String>,
}

impl Wanted {
    fn whole(source: Source) -> Self {
        Self { source, row: None, unreadable: None }
    }
}

/// Reads files and folders; a path that is not there may name what is embedded, or with a row in brackets one row.
fn read_all(paths: &[PathBuf]) -> Result<Vec<Wanted>, LoadError> {
    let mut all = Vec::new();
    for path in paths {
        if path.is_dir() {
            let before = all.len();
            read_folder(path, &mut HashSet::new(), &mut all)?;
            if all.len() == before {
                return Err(LoadError::Empty { path: path.clone() });
            }
            continue;
        }
        if path.exists() {
            all.push(read_file(path, text_of));
            continue;
        }
        let (file, row) = row_of(path);
        let mut found = match file.is_file() && row.is_some() {
            true => vec![read_file(&file, text_of)],
            false => embedded(&file).into_iter().map(Wanted::whole).collect(),
        };
        if found.is_empty() {
            let suggestion = suggestion(path);
            return Err(LoadError::Unknown { path: path.clone(), suggestion });
        }
        found.iter_mut().for_each(|one| one.row.clone_from(&row));
        all.extend(found);
    }
    Ok(all)
}

/// `event/spoilt[alg-none]`: the file, and the row.
fn row_of(path: &Path) -> (PathBuf, Option<String>) {
    let text = path.to_string_lossy();
    match text.strip_suffix(']').and_then(|text| text.rsplit_once('[')) {
        Some((file, row)) => (PathBuf::from(file), Some(row.to_owned())),
        None => (path.to_owned(), None),
    }
}

/// What may have been meant by a path that names nothing.
fn suggestion(path: &Path) -> String {
    let names: Vec<String> = builtin::scenarios()
        .iter()
        .map(|source| {
            let name = Path::new(&source.name).with_extension("");
            let parts: Vec<_> = name.components().rev().take(2).collect();
            parts.into_iter().rev().collect::<PathBuf>().display().to_string()
        })
        .collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    match closest(&path.display().to_string(), &names) {
        Some(meant) => format!(": did you mean {meant}?"),
        None => " (`ofp-sim list scenarios`)".to_owned(),
    }
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
    all: &mut Vec<Wanted>,
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
            read_folder(&path, been, all)?;
        } else if path.extension().is_some_and(|e| e == "yaml" || e == "yml") {
            all.push(read_file(&path, text_of_file));
        }
    }
    Ok(())
}

/// A file, or why it cannot be read: the others are looked at all the same.
fn read_file(path: &Path, text_of: impl Fn(&Path) -> Result<String, String>) -> Wanted {
    let name = plain(path).display().to_string();
    match text_of(path) {
        Ok(text) => Wanted::whole(Source::new(name, text)),
        Err(why) => Wanted { source: Source::new(name, ""), row: None, unreadable: Some(why) },
    }
}

/// The text of a file, read no further than a scenario may be long: what never ends is no scenario.
fn text_of(path: &Path) -> Result<String, String> {
    let unreadable = |e: std::io::Error| format!("cannot read the file: {e}");
    let file = std::fs::File::open(path).map_err(unreadable)?;
    let length = file.metadata().map_err(unreadable)?.len();
    let mut text = String::new();
    let read = file.take(LONGEST_FILE + 1).read_to_string(&mut text).map_err(unreadable)?;
    if read as u64 > LONGEST_FILE {
        // a device says that it has none
        let length = length.max(read as u64);
        return Err(format!(
            "the file has {length} bytes or more, at most {LONGEST_FILE} are read"
        ));
    }
    Ok(text)
}

/// The same for a file that nobody gave by hand: a pipe would be waited for.
fn text_of_file(path: &Path) -> Result<String, String> {
    match std::fs::metadata(path).map_err(|e| e.to_string())?.is_file() {
        true => text_of(path),
        false => Err("it is no file".to_owned()),
    }
}
