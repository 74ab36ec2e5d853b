//! Files read no further than what is in them can be meant.

use std::{
    fs::File,
    io::{Error, ErrorKind, Read as _},
    path::Path,
};

/// Longer texts are not read: vars, baselines, bodies, what was kept of a run.
pub const LONGEST_TEXT: u64 = 16 * 1024 * 1024;

/// What is in a file that somebody named, who may have meant a pipe.
///
/// # Errors
/// What the system said; that it is longer than `most`.
pub fn read_given(path: &Path, most: u64) -> std::io::Result<Vec<u8>> {
    let file = File::open(path)?;
    // a device says that it has none
    let length = file.metadata()?.len();
    let mut bytes = Vec::new();
    file.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    match bytes.len() as u64 > most {
        true => {
            let length = length.max(bytes.len() as u64);
            let why = format!("it has {length} bytes or more, at most {most} are read");
            Err(Error::new(ErrorKind::FileTooLarge, why))
        }
        false => Ok(bytes),
    }
}

/// What is in a file that was found, where a pipe would be waited for in vain.
///
/// # Errors
/// The same, and that it is no file.
pub fn read_found(path: &Path, most: u64) -> std::io::Result<Vec<u8>> {
    match std::fs::metadata(path)?.is_file() {
        true => read_given(path, most),
        false => Err(Error::new(ErrorKind::InvalidInput, "it is no file")),
    }
}

/// Bytes that are to be a text.
///
/// # Errors
/// That they are not UTF-8.
pub fn text(bytes: Vec<u8>) -> std::io::Result<String> {
    String::from_utf8(bytes).map_err(|e| {
        let place = e.utf8_error().valid_up_to();
        Error::new(ErrorKind::InvalidData, format!("byte {place} of it is not UTF-8"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_is_read_than_is_allowed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        std::fs::write(&path, b"12345").unwrap();
        assert_eq!(read_given(&path, 5).unwrap(), b"12345");
        let said = read_given(&path, 4).unwrap_err().to_string();
        assert_eq!(said, "it has 5 bytes or more, at most 4 are read");
        let said = read_found(folder.path(), 5).unwrap_err().to_string();
        assert_eq!(said, "it is no file");
        assert!(text(vec![b'a', 0xff]).unwrap_err().to_string().contains("byte 1"));
        #[cfg(unix)]
        assert!(read_given(Path::new("/dev/zero"), 5).is_err());
    }
}
