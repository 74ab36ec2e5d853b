//! The reports that were asked for.

use std::{
    collections::HashSet,
    fs::File,
    io::{BufWriter, Write as _},
    path::{Path, PathBuf},
};

use ofp_evidence::{RunEvent, Summary};
use ofp_report::{Ndjson, html, json, junit, markdown};

use crate::failure::Failure;

/// A report that was asked for.
enum Report {
    Json(PathBuf),
    Junit(PathBuf),
    Html(PathBuf),
    Markdown(PathBuf),
    /// With what is written to it while the run goes on, once it does.
    Ndjson(PathBuf, Option<Stream>),
}

impl Report {
    fn path(&self) -> &Path {
        match self {
            Self::Json(path)
            | Self::Junit(path)
            | Self::Html(path)
            | Self::Markdown(path)
            | Self::Ndjson(path, _) => path,
        }
    }
}

/// Where a file is or would be, however it is called.
fn place(path: &Path) -> PathBuf {
    let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let there = whole.canonicalize();
    there.ok().or_else(|| in_its_folder(&whole)).unwrap_or(whole)
}

/// The same of a file that is not there yet.
fn in_its_folder(path: &Path) -> Option<PathBuf> {
    Some(path.parent()?.canonicalize().ok()?.join(path.file_name()?))
}

/// The reports that were asked for.
pub(super) struct Reports {
    asked: Vec<Report>,
}

/// A report that is written while the run goes on.
struct Stream {
    lines: Ndjson<BufWriter<File>>,
    /// Whether everything could be written so far.
    outcome: std::io::Result<()>,
}

impl Reports {
    /// Takes `FORMAT=FILE`s apart.
    pub(super) fn parse(texts: &[String]) -> Result<Self, Failure> {
        let mut asked = Vec::new();
        for text in texts {
            let (format, file) = text.split_once('=').unwrap_or((text, ""));
            let file = Some(PathBuf::from(file)).filter(|file| !file.as_os_str().is_empty());
            asked.push(match (format, file) {
                ("json", Some(file)) => Report::Json(file),
                ("junit", Some(file)) => Report::Junit(file),
                ("html", Some(file)) => Report::Html(file),
                ("markdown", Some(file)) => Report::Markdown(file),
                ("ndjson", Some(file)) => Report::Ndjson(file, None),
                _ => return Err(Failure::BadReport(text.clone())),
            });
        }
        Ok(Self { asked })
    }

    /// Makes sure that each report has a file of its own, and none the file of something that the run reads.
    pub(super) fn check(&self, evidence: Option<&Path>, read: &[&Path]) -> Result<(), Failure> {
        let read: HashSet<PathBuf> = read.iter().map(|path| place(path)).collect();
        let mut written = HashSet::new();
        for path in self.asked.iter().map(Report::path).chain(evidence) {
            let place = place(path);
            if read.contains(&place) {
                return Err(Failure::Overwrites(path.to_owned()));
            }
            if !written.insert(place) {
                return Err(Failure::SameReport(path.to_owned()));
            }
        }
        Ok(())
    }

    /// Opens what is written while the run goes on.
    pub(super) fn open(&mut self) -> Result<(), Failure> {
        for report in &mut self.asked {
            if let Report::Ndjson(path, stream) = report {
                let file = File::create(&*path).map_err(|e| failed(path, &e.to_string()))?;
                let lines = Ndjson::new(BufWriter::new(file));
                *stream = Some(Stream { lines, outcome: Ok(()) });
            }
        }
        Ok(())
    }

    /// Tells what is written while the run goes on.
    pub(super) fn tell(&mut self, event: &RunEvent) {
        for report in &mut self.asked {
            if let Report::Ndjson(_, Some(stream)) = report
                && stream.outcome.is_ok()
            {
                stream.outcome = stream.lines.show(event);
            }
        }
    }

    /// Writes every report that can be written; the others come back.
    pub(super) fn write(&mut self, summary: &Summary) -> Vec<Failure> {
        let written = self.asked.iter_mut().map(|report| match report {
            Report::Json(path) => {
                let text = serde_json::to_string_pretty(&json(summary));
                write(path, text.map_err(|e| e.to_string()))
            }
            Report::Markdown(path) => write(path, Ok(markdown(summary))),
            Report::Junit(path) => write(path, junit(summary).map_err(|e| e.to_string())),
            Report::Html(path) => write(path, Ok(html(summary))),
            Report::Ndjson(path, stream) => {
                let outcome = stream.take().map_or(Ok(()), |stream| stream.outcome);
                outcome.map_err(|e| failed(path, &e.to_string()))
            }
        });
        written.filter_map(Result::err).collect()
    }
}

pub(super) fn failed(path: &Path, reason: &str) -> Failure {
    Failure::Report { path: path.to_owned(), reason: reason.to_owned() }
}

fn write(path: &Path, text: Result<String, String>) -> Result<(), Failure> {
    let text = text.map_err(|e| failed(path, &e))?;
    let file = File::create(path);
    file.and_then(|mut file| writeln!(file, "{}", text.trim_end()))
        .map_err(|e| failed(path, &e.to_string()))
}

/// A file that nobody else may read: evidence holds tokens and passwords.
pub(super) fn write_private(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let mut options = std::fs::OpenOptions::new();
    options.create(true).write(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
        .open(path)
        .and_then(|mut file| {
            // one that was there before may have been anybody's
            #[cfg(unix)]
            file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
            file.write_all(bytes)
        })
        .map_err(|e| failed(path, &e.to_string()))
}
