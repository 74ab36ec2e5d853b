//! Finds and parses scenarios; every problem of every file at once.

use std::{
    collections::{HashMap, HashSet},
    path::{Component, Path, PathBuf},
};

use ofp_scenario::{
    Candidate, Context, Diagnostic, LONGEST_FILE, PROFILES, Scenario, Source, Values, builtin,
    closest, outlines, parse_scenarios,
};

use crate::read;

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
    /// A path with characters that a terminal would obey, and reports would show.
    #[error("the name of {} has a character that is no letter: rename it", path.display())]
    Name {
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
}

/// Loads the scenarios under `paths`, or those embedded in the binary when there are none.
///
/// # Errors
/// [`LoadError`].
pub fn load(paths: &[PathBuf]) -> Result<Vec<Loaded>, LoadError> {
    load_with(paths, &LoadOptions::default()).map(|reading| reading.scenarios)
}

/// How scenarios are loaded.
#[derive(Default)]
pub struct LoadOptions<'a> {
    /// Values for their variables.
    pub values: Values,
    /// Whether a variable may be without a value, because nothing is played.
    pub open_variables: bool,
    /// The name of a profile that is not built in.
    pub profile: Option<String>,
    /// What is asked for. A file that cannot be used is no obstacle to what is asked of others.
    pub asked: Asked<'a>,
}

/// What was read.
#[derive(Debug, Default)]
pub struct Reading {
    /// The scenarios, those too that nobody asks for.
    pub scenarios: Vec<Loaded>,
    /// How many files there were: fragments hold nothing to play.
    pub files: usize,
    /// Files that cannot be used, and that nobody asks for.
    pub unusable: Vec<String>,
}

/// The same, with values for the scenarios' variables.
///
/// # Errors
/// [`LoadError`].
pub fn load_with(paths: &[PathBuf], options: &LoadOptions<'_>) -> Result<Reading, LoadError> {
    let wanted: Vec<Wanted> = match paths {
        [] => builtin::scenarios().into_iter().map(Wanted::whole).collect(),
        paths => read_all(paths)?,
    };
    let has_control = |one: &&Wanted| one.source.name.chars().any(char::is_control);
    if let Some(bad) = wanted.iter().find(has_control) {
        return Err(LoadError::Name { path: PathBuf::from(&bad.source.name) });
    }
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
    let mut shelf = Shelf::default();
    for one in wanted {
        shelf.take(one, &context, options.asked);
    }
    let Shelf { loaded, problems, no_row, unusable, .. } = shelf;
    if let Some(unknown) = no_row.filter(|_| problems.is_empty()) {
        return Err(unknown);
    }
    match (problems.is_empty(), loaded.is_empty(), paths) {
        (false, ..) => Err(LoadError::Problems { files, problems }),
        (true, true, [path]) if !options.open_variables => {
            Err(LoadError::Fragment { path: path.clone() })
        }
        _ => Ok(Reading { scenarios: loaded, files, unusable }),
    }
}

/// What is asked for, where not everything is.
pub type Asked<'a> = Option<&'a dyn Fn(&Candidate<'_>) -> bool>;

/// What has been read so far.
#[derive(Default)]
struct Shelf {
    loaded: Vec<Loaded>,
    /// Ids, each with the file that has it.
    seen: HashMap<String, String>,
    problems: Vec<(Source, Vec<Diagnostic>)>,
    /// The first row that was asked for and is not there.
    no_row: Option<LoadError>,
    unusable: Vec<String>,
}

impl Shelf {
    fn take(&mut self, wanted: Wanted, context: &Context<'_>, asked: Asked<'_>) {
        let Wanted { source, row, unreadable } = wanted;
        if let Some(why) = unreadable {
            self.problems.push((source, vec![Diagnostic::of_file("file", why)]));
            return;
        }
        let (scenarios, mut found) = parse_scenarios(&source, context);
        match of_row(scenarios, &source, row.as_deref()) {
            Ok(scenarios) => {
                found.extend(scenarios.into_iter().filter_map(|one| self.put(&source, one)));
            }
            Err(unknown) => {
                self.no_row.get_or_insert(unknown);
            }
        }
        if found.is_empty() {
            return;
        }
        if asked.is_some_and(|asked| !is_asked_for(&source, asked)) {
            self.unusable.push(source.name);
            return;
        }
        let found = found.into_iter().filter_map(|one| merged(&mut self.problems, &source, one));
        let found = found.collect();
        self.problems.push((source, found));
    }

    /// Keeps a scenario, unless its id is another's.
    fn put(&mut self, source: &Source, scenario: Scenario) -> Option<Diagnostic> {
        let id = id(source, &scenario.name, scenario.row.as_deref());
        if let Some(first) = self.seen.insert(id.clone(), source.name.clone()) {
            let title = format!("the scenario's id, {id}, is taken by {first}");
            return Some(Diagnostic::of_file("scenario", title));
        }
        let (embedded, source) = (source.is_embedded(), source.clone());
        self.loaded.push(Loaded { id, source, scenario, embedded });
        None
    }
}

/// Whether anything is asked for that a file would hold if it could be used; a file that does not say is.
fn is_asked_for(source: &Source, asked: &dyn Fn(&Candidate<'_>) -> bool) -> bool {
    let Some(outlines) = outlines(source) else { return true };
    outlines.iter().any(|outline| {
        let name = id(source, &outline.name, outline.row.as_deref());
        let requirements: Vec<&str> = outline.covers.iter().map(String::as_str).collect();
        asked(&Candidate { name: &name, tags: &outline.tags, requirements: &requirements })
    })
}

/// A problem that no other file has shown yet; what is wrong with a fragment is told once, with whoever uses it.
fn merged(
    problems: &mut [(Source, Vec<Diagnostic>)],
    source: &Source,
    problem: Diagnostic,
) -> Option<Diagnostic> {
    let known = problems.iter_mut().find_map(|(other, found)| {
        found.iter_mut().find(|known| known.is_same(other, &problem, source))
    });
    match known {
        Some(known) => {
            known.used.extend(problem.used);
            None
        }
        None => Some(problem),
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
    let read = read::read_found(&beside, LONGEST_FILE).and_then(read::text);
    read.map(|text| Source::new(&*name, text)).map_err(|why| match path == name {
        true => why.to_string(),
        false => format!("{name}: {why}"),
    })
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

/// What names a scenario within the run.
fn id(source: &Source, name: &str, row: Option<&str>) -> String {
    let folder = Path::new(&source.name).parent().and_then(Path::file_name);
    let row = row.map(|row| format!("[{row}]")).unwrap_or_default();
    match folder {
        Some(folder) => format!("{}/{name}{row}", folder.display()),
        None => format!("{name}{row}"),
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
            all.push(read_file(path, read::read_given));
            continue;
        }
        let (file, row) = row_of(path);
        let mut found = match file.is_file() && row.is_some() {
            true => vec![read_file(&file, read::read_given)],
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
            all.push(read_file(&path, read::read_found));
        }
    }
    Ok(())
}

/// A file, or why it cannot be read: the others are looked at all the same.
fn read_file(path: &Path, read: impl Fn(&Path, u64) -> std::io::Result<Vec<u8>>) -> Wanted {
    let name = plain(path).display().to_string();
    match read(path, LONGEST_FILE).and_then(read::text) {
        Ok(text) => Wanted::whole(Source::new(name, text)),
        Err(why) => {
            let unreadable = Some(format!("cannot read the file: {why}"));
            Wanted { source: Source::new(name, ""), row: None, unreadable }
        }
    }
}
