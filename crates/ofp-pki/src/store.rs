//! The folder: who finds which file where, written so that a crash leaves no half file.

use std::{
    fs::{self, File, OpenOptions},
    io::Write,
    path::{Path, PathBuf},
};

use openssl::{pkey::PKey, x509::X509};

use crate::{Credential, PkiError};

/// A folder of keys and certificates, locked against other processes while this lives.
pub(crate) struct Store {
    folder: PathBuf,
    _lock: File,
}

impl Store {
    /// Opens the folder, making it if it is not there, and waits for its lock.
    pub(crate) fn open(folder: &Path) -> Result<Self, PkiError> {
        make_folder(folder)?;
        let ignore = folder.join(".gitignore");
        if !ignore.exists() {
            write(&ignore, b"# throwaway keys: never committed\n*\n", 0o644)?;
        }
        let path = folder.join(".lock");
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(io("open", &path))?;
        lock.lock().map_err(io("lock", &path))?;
        Ok(Self { folder: folder.to_owned(), _lock: lock })
    }

    pub(crate) fn certificate_path(&self, stem: &str) -> PathBuf {
        self.folder.join(format!("{stem}.pem"))
    }

    pub(crate) fn key_path(&self, stem: &str) -> PathBuf {
        self.folder.join(format!("{stem}-key.pem"))
    }

    /// The credential under `stem`; `None` when neither of its files is there.
    pub(crate) fn load(&self, stem: &str) -> Result<Option<Credential>, PkiError> {
        let (certificate, key) = (self.certificate_path(stem), self.key_path(stem));
        match (certificate.exists(), key.exists()) {
            (false, false) => Ok(None),
            (true, false) => Err(PkiError::HalfAPair { present: certificate, missing: key }),
            (false, true) => Err(PkiError::HalfAPair { present: key, missing: certificate }),
            (true, true) => load_pair(&certificate, &key).map(Some),
        }
    }

    /// Writes a credential under `stem`; the key only for its owner's eyes.
    pub(crate) fn save(&self, stem: &str, credential: &Credential) -> Result<(), PkiError> {
        let encode = PkiError::crypto::<openssl::error::ErrorStack>("encode a key as PEM");
        let key = credential.key.private_key_to_pem_pkcs8().map_err(&encode)?;
        let certificate = credential.certificate.to_pem().map_err(&encode)?;
        let path = self.certificate_path(stem);
        if let Some(parent) = path.parent() {
            make_folder(parent)?;
        }
        write(&self.key_path(stem), &key, 0o600)?;
        write(&path, &certificate, 0o644)
    }

    /// Writes a public file, unless it already says this.
    pub(crate) fn save_text(&self, name: &str, text: &str) -> Result<(), PkiError> {
        let path = self.folder.join(name);
        if fs::read(&path).is_ok_and(|there| there == text.as_bytes()) {
            return Ok(());
        }
        write(&path, text.as_bytes(), 0o644)
    }
}

fn load_pair(certificate_path: &Path, key_path: &Path) -> Result<Credential, PkiError> {
    let pem = fs::read(certificate_path).map_err(io("read", certificate_path))?;
    let certificate = X509::from_pem(&pem).map_err(|e| PkiError::Unreadable {
        path: certificate_path.to_owned(),
        expected: "a PEM certificate",
        reason: e.to_string(),
    })?;
    let pem = fs::read(key_path).map_err(io("read", key_path))?;
    // an empty passphrase, so that an encrypted key is an error and not a prompt
    let key =
        PKey::private_key_from_pem_passphrase(&pem, b"").map_err(|e| PkiError::Unreadable {
            path: key_path.to_owned(),
            expected: "a PEM private key without a passphrase",
            reason: e.to_string(),
        })?;
    let belongs = certificate.public_key().is_ok_and(|public| public.public_eq(&key));
    if belongs {
        Ok(Credential { certificate, key })
    } else {
        Err(PkiError::Mismatch { path: key_path.to_owned() })
    }
}

fn make_folder(path: &Path) -> Result<(), PkiError> {
    fs::create_dir_all(path).map_err(io("create the folder", path))
}

/// Writes a file whole: beside its place first, then moved there.
fn write(path: &Path, bytes: &[u8], mode: u32) -> Result<(), PkiError> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let beside = PathBuf::from(beside);
    // one left behind by a crash may have another mode
    if beside.exists() {
        fs::remove_file(&beside).map_err(io("replace", &beside))?;
    }
    let mut options = OpenOptions::new();
    options.create_new(true).write(true);
    only_for(&mut options, mode);
    let mut file = options.open(&beside).map_err(io("create", &beside))?;
    file.write_all(bytes).map_err(io("write", &beside))?;
    fs::rename(&beside, path).map_err(io("write", path))
}

#[cfg(unix)]
fn only_for(options: &mut OpenOptions, mode: u32) {
    std::os::unix::fs::OpenOptionsExt::mode(options, mode);
}

/// Elsewhere a file is as private as its folder.
#[cfg(not(unix))]
fn only_for(_: &mut OpenOptions, _: u32) {}

fn io(attempt: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> PkiError {
    let path = path.to_owned();
    move |source| PkiError::Io { attempt, path, source }
}
