//! `run --watch`: the same run whenever a file has changed.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use notify::{RecursiveMode, Watcher as _};
use ofp_runner::exit;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::print;
use crate::{args::RunArgs, environment::Environment, failure::Failure};

/// Editors write a file in several goes.
const QUIET: Duration = Duration::from_millis(60);

/// Runs, waits for a change, and runs again, until interrupted.
pub(super) fn watch(
    args: &RunArgs,
    environment: &Environment,
    run: &dyn Fn() -> Result<u8, Failure>,
) -> Result<u8, Failure> {
    let places = Places::of(args);
    if places.all().next().is_none() {
        return Err(Failure::NothingToWatch);
    }
    let (sender, changes) = unbounded_channel();
    let told = move |event: notify::Result<notify::Event>| {
        // who no longer listens is going away
        let _ = sender.send(event);
    };
    let mut watcher = notify::recommended_watcher(told)
        .map_err(|e| Failure::Watch { path: ".".into(), reason: e.to_string() })?;
    for place in places.all() {
        // a file that is replaced is another file: its folder is watched
        let folder = if place.is_dir() { place.as_path() } else { parent(place) };
        watcher
            .watch(folder, RecursiveMode::Recursive)
            .map_err(|e| Failure::Watch { path: place.clone(), reason: e.to_string() })?;
    }
    let mut wait = Wait { changes, places, runtime: super::runtime()? };
    loop {
        match run() {
            Ok(_) => {}
            Err(Failure::Interrupted) => return Ok(exit::INTERRUPTED),
            Err(failure) => super::complain(&failure, environment),
        }
        print("\nwaiting for a change (Ctrl-C ends)\n")?;
        match wait.for_change() {
            None => return Ok(exit::INTERRUPTED),
            Some(path) => print(&format!("\n{} has changed\n\n", path.display()))?,
        }
    }
}

/// What a change of leads to another run.
struct Places {
    /// Files, by name.
    files: Vec<PathBuf>,
    /// Folders that files of scenarios are in.
    beside: Vec<PathBuf>,
    /// Folders of scenarios: of these, YAML files alone.
    scenarios: Vec<PathBuf>,
    /// Whatever else was named: everything in it, but what the run itself writes.
    more: Vec<PathBuf>,
    /// What the run writes.
    written: Vec<PathBuf>,
}

impl Places {
    fn of(args: &RunArgs) -> Self {
        let there = |path: &&PathBuf| path.exists();
        let given = args.paths.iter().filter(there).cloned();
        let (scenarios, mut files): (Vec<_>, Vec<_>) = given.partition(|path| path.is_dir());
        let beside = files.iter().map(|file| parent(file).to_owned()).collect();
        let profile = args.profile.as_ref().map(PathBuf::from);
        files.extend(profile.filter(|path| path.is_file()));
        let single = args.target.iter().chain(&args.variables.vars).chain(&args.baseline);
        files.extend(single.filter(there).cloned());
        let more = args.watch.iter().filter(there).cloned().collect();
        let reports = args.report.iter().filter_map(|text| text.split_once('='));
        let reports = reports.map(|(_, file)| PathBuf::from(file));
        Self {
            files,
            beside,
            scenarios,
            more,
            written: reports.chain(args.evidence.clone()).collect(),
        }
    }

    fn all(&self) -> impl Iterator<Item = &PathBuf> {
        self.files.iter().chain(&self.scenarios).chain(&self.more)
    }

    /// Whether a change of a file leads to another run.
    fn matters(&self, path: &Path) -> bool {
        let named =
            |places: &[PathBuf]| places.iter().any(|one| one.file_name() == path.file_name());
        let inside = |places: &[PathBuf]| {
            let real = |one: &PathBuf| one.canonicalize().unwrap_or_else(|_| one.clone());
            places.iter().any(|one| path.starts_with(real(one)) || path.starts_with(one))
        };
        let name = path.to_string_lossy();
        if named(&self.written) || name.ends_with(".snap") || name.ends_with(".snap.new") {
            return false;
        }
        let is_yaml = path.extension().is_some_and(|e| e == "yaml" || e == "yml");
        // fragments are beside the files that use them
        let scenario = is_yaml && (inside(&self.scenarios) || inside(&self.beside));
        scenario || named(&self.files) || (inside(&self.more) && !name.contains("/.ofp-sim"))
    }
}

fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

struct Wait {
    changes: UnboundedReceiver<notify::Result<notify::Event>>,
    places: Places,
    runtime: tokio::runtime::Runtime,
}

impl Wait {
    /// The file that has changed; nothing when interrupted.
    fn for_change(&mut self) -> Option<PathBuf> {
        let (changes, places) = (&mut self.changes, &self.places);
        self.runtime.block_on(async {
            let changed = async {
                let path = loop {
                    if let Some(path) = changed(places, &changes.recv().await?) {
                        break path;
                    }
                };
                while let Ok(Some(_)) = tokio::time::timeout(QUIET, changes.recv()).await {}
                Some(path)
            };
            tokio::select! {
                path = changed => path,
                _ = tokio::signal::ctrl_c() => None,
            }
        })
    }
}

/// The file that an event is about, if it is one of ours.
fn changed(places: &Places, event: &notify::Result<notify::Event>) -> Option<PathBuf> {
    let event = event.as_ref().ok()?;
    let changes = event.kind.is_modify() || event.kind.is_create() || event.kind.is_remove();
    event.paths.iter().find(|path| changes && places.matters(path)).cloned()
}
