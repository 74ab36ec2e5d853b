//! Profiles by name: built in, or a file.

use std::path::Path;

use ofp_scenario::{Diagnostic, PROFILES, Source, load_profile};
use ofp_types::Profile;

use crate::doctor::bounded_text;

/// Why there is no such profile.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// Neither built in nor a file that can be read.
    #[error("profile {name} is unknown: built in are {known}; or give a file ({reason})")]
    Unknown {
        /// What was asked for.
        name: String,
        /// What there is.
        known: String,
        /// What became of the file.
        reason: String,
    },
    /// A file with something wrong in it.
    #[error("profile {} cannot be used", .0.0.name)]
    Bad(Box<(Source, Diagnostic)>),
}

/// The profile of a name: a built-in one, or a file whose path begins in `folder`.
///
/// # Errors
/// [`ProfileError`].
pub fn profile(folder: &Path, name: &str) -> Result<Profile, ProfileError> {
    let built_in = PROFILES.iter().find(|(known, _)| *known == name);
    let source = match built_in {
        Some((name, text)) => Source::new(*name, *text),
        None => {
            let path = folder.join(name);
            let text = bounded_text(&path).map_err(|error| ProfileError::Unknown {
                name: name.to_owned(),
                known: PROFILES.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", "),
                reason: format!("{}: {error}", path.display()),
            })?;
            Source::new(path.display().to_string(), text)
        }
    };
    load_profile(&source).map_err(|problem| ProfileError::Bad(Box::new((source, problem))))
}
