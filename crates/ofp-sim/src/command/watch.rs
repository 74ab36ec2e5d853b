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
    let places = places(args);
    if places.is_empty() {
        return Err(Failure::NothingToWatch);
    }
    let (sender, changes) = unbounded_channel();
    let told = move |event: notify::Result<notify::Event>| {
        // who no longer listens is going away
        let _ = sender.send(event);
    };
    let mut watcher = notify::recommended_watcher(told)
        .map_err(|e| Failure::Watch { path: ".".into(), reason: e.to_string() })?;
    for place in &places {
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
fn places(args: &RunArgs) -> Vec<PathBuf> {
    let given = args.paths.iter().chain(&args.target).chain(&args.variables.vars);
    let more = args.watch.iter().filter(|path| *path != Path::new("-"));
    given.chain(&args.baseline).chain(more).filter(|path| path.exists()).cloned().collect()
}

fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

struct Wait {
    changes: UnboundedReceiver<notify::Result<notify::Event>>,
    places: Vec<PathBuf>,
    runtime: tokio::runtime::Runtime,
}

impl Wait {
    /// The file that has changed; nothing when interrupted.
    fn for_change(&mut self) -> Option<PathBuf> {
        // what the run itself has written is old news
        while self.changes.try_recv().is_ok() {}
        let (changes, places) = (&mut self.changes, &self.places);
        self.runtime.block_on(async {
            let changed = async {
                let path = loop {
                    if let Some(path) = changed(places, &changes.recv().await?) {
                        break path;
                    }
                };
                while tokio::time::timeout(QUIET, changes.recv()).await.is_ok() {}
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
fn changed(places: &[PathBuf], event: &notify::Result<notify::Event>) -> Option<PathBuf> {
    let event = event.as_ref().ok()?;
    let matters = event.kind.is_modify() || event.kind.is_create() || event.kind.is_remove();
    let ours = |path: &&PathBuf| {
        let name = path.to_string_lossy();
        let written = name.ends_with(".snap.new") || name.contains(".ofp-sim");
        let is = |place: &PathBuf| place.is_dir() || place.file_name() == path.file_name();
        !written && places.iter().any(is)
    };
    event.paths.iter().find(ours).filter(|_| matters).cloned()
}
