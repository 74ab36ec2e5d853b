//! Words of a command line as a shell takes them.

/// A word of a command line: as it is where a shell takes it so, in single quotes otherwise.
#[must_use]
pub fn shell_word(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./=:,@%+…".contains(c);
    // what begins with # is a comment, what has it inside is a word
    let plain = |(at, c): (usize, char)| plain(c) || c == '#' && at > 0;
    match !word.is_empty() && word.char_indices().all(plain) {
        true => word.to_owned(),
        false => quoted(word),
    }
}

/// A path as a word: never one that a program takes for an option.
#[must_use]
pub fn shell_path(path: &str) -> String {
    match path.starts_with('-') {
        true => shell_word(&format!("./{path}")),
        false => shell_word(path),
    }
}

/// The same, always in quotes.
pub(crate) fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(all(test, unix))]
mod tests {
    use std::process::Command;

    use super::shell_word;

    #[test]
    fn a_shell_takes_each_as_one_word() {
        for plain in ["a.yaml#3", "journey/approve", "--var=name=1", "x@y"] {
            assert_eq!(shell_word(plain), plain);
        }
        let words =
            ["", "#3", "a b", "it's", "x[row]", "$HOME", "a\nb", "`id`", "~", "*", "a\\b", "\"q\""];
        for word in words.iter().chain(&["a.yaml#3", "n=é…", "x%20,y+z"]) {
            let echo = format!("printf %s {}", shell_word(word));
            let said = Command::new("sh").args(["-c", &echo]).output().unwrap().stdout;
            assert_eq!(String::from_utf8(said).unwrap(), *word);
        }
    }
}
