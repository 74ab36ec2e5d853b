//! The reports that were asked for.

use std::{
    fs::File,
    io::{BufWriter, Write as _},
    path::{Path, PathBuf},
};

use ofp_evidence::{RunEvent, Summary};
use ofp_report::{Ndjson, html, json, junit, markdown};
use ofp_runner::exit;

use crate::failure::Failure;

/// A report that was asked for.
#[derive(Debug)]
enum Report {
    Json(PathBuf),
    Junit(PathBuf),
    Html(PathBuf),
    Markdown(PathBuf),
    Ndjson(PathBuf),
}

/// The reports that were asked for, of which one is written while the run goes on.
pub(super) struct Reports {
    asked: Vec<Report>,
    stream: Option<Stream>,
}

/// A report that is written while the run goes on.
struct Stream {
    path: PathBuf,
    lines: Ndjson<BufWriter<File>>,
    /// Whether everything could be written so far.
    outcome: std::io::Result<()>,
}

impl Reports {
    /// Takes `FORMAT=FILE`s apart.
    pub(super) fn parse(texts: &[String]) -> Result<Self, Failure> {
        let mut files: Vec<&str> = Vec::new();
        let mut asked = Vec::new();
        for text in texts {
            let (format, file) = text.split_once('=').unwrap_or((text, ""));
            if files.contains(&file) {
                return Err(Failure::SameReport(file.into()));
            }
            files.push(file);
            let file = Some(PathBuf::from(file)).filter(|file| !file.as_os_str().is_empty());
            asked.push(match (format, file) {
                ("json", Some(file)) => Report::Json(file),
                ("junit", Some(file)) => Report::Junit(file),
                ("html", Some(file)) => Report::Html(file),
                ("markdown", Some(file)) => Report::Markdown(file),
                ("ndjson", Some(file)) => Report::Ndjson(file),
                _ => return Err(Failure::BadReport(text.clone())),
            });
        }
        Ok(Self { asked, stream: None })
    }

    /// Opens what is written while the run goes on.
    pub(super) fn open(&mut self) -> Result<(), Failure> {
        for report in &self.asked {
            if let Report::Ndjson(path) = report {
                let failed = |e: std::io::Error| failed(path, &e.to_string());
                let file = File::create(path).map_err(failed)?;
                let lines = Ndjson::new(BufWriter::new(file));
                self.stream = Some(Stream { path: path.clone(), lines, outcome: Ok(()) });
            }
        }
        Ok(())
    }

    /// Tells what is written while the run goes on.
    pub(super) fn tell(&mut self, event: &RunEvent) {
        if let Some(stream) = self.stream.as_mut().filter(|stream| stream.outcome.is_ok()) {
            stream.outcome = stream.lines.show(event);
        }
    }

    /// Writes every report that can be written; a failure matters only to a run that passed.
    pub(super) fn write(&mut self, summary: &Summary) -> Result<(), Failure> {
        let mut outcome = Ok(());
        for report in &self.asked {
            let written = match report {
                Report::Json(path) => {
                    let text = serde_json::to_string_pretty(&json(summary));
                    write(path, text.map_err(|e| e.to_string()))
                }
                Report::Markdown(path) => write(path, Ok(markdown(summary))),
                Report::Junit(path) => write(path, junit(summary).map_err(|e| e.to_string())),
                Report::Html(path) => write(path, Ok(html(summary))),
                Report::Ndjson(_) => match self.stream.take() {
                    Some(Stream { path, outcome: Err(e), .. }) => {
                        Err(failed(&path, &e.to_string()))
                    }
                    _ => Ok(()),
                },
            };
            if outcome.is_ok() {
                outcome = written;
            }
        }
        match outcome {
            Err(failure) if summary.exit_code != exit::PASSED => {
                super::warn(&failure);
                Ok(())
            }
            other => other,
        }
    }
}

fn failed(path: &Path, reason: &str) -> Failure {
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
