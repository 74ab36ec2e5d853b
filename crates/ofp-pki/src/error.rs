//! Why keys and certificates cannot be had.

use std::path::PathBuf;

/// Why keys and certificates cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum PkiError {
    /// The file system refused.
    #[error("cannot {attempt} {}: {source}", path.display())]
    Io {
        /// What was attempted, as an infinitive.
        attempt: &'static str,
        /// On which file or folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// A file is there but does not hold what its name says.
    #[error("{} is not {expected}: {reason}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What it should hold.
        expected: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// One half of a pair is missing.
    #[error(
        "{} is there but {} is not: restore it, or delete both and they will be made anew",
        present.display(), missing.display()
    )]
    HalfAPair {
        /// The file that is there.
        present: PathBuf,
        /// The file that is not.
        missing: PathBuf,
    },
    /// A certificate and a key that do not belong together.
    #[error("the key in {} does not belong to the certificate beside it", path.display())]
    Mismatch {
        /// The key file.
        path: PathBuf,
    },
    /// OpenSSL or rcgen refused.
    #[error("cannot {attempt}: {reason}")]
    Crypto {
        /// What was attempted, as an infinitive.
        attempt: &'static str,
        /// What the library said.
        reason: String,
    },
}

impl PkiError {
    pub(crate) fn crypto<E: std::fmt::Display>(attempt: &'static str) -> impl Fn(E) -> Self {
        move |e| Self::Crypto { attempt, reason: e.to_string() }
    }
}
