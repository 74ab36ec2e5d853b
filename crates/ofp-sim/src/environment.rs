//! What the process was started with: read once, passed down.

use std::io::IsTerminal as _;

/// What the process was started with.
pub(crate) struct Environment {
    /// Whether standard output may be coloured.
    pub(crate) colour: bool,
    /// Whether this is a CI job: nothing is written beside what was asked for.
    pub(crate) ci: bool,
}

impl Environment {
    /// A variable that a file of the user's names, for a secret.
    #[expect(
        clippy::disallowed_methods,
        reason = "files name variables that nobody can know before"
    )]
    #[expect(clippy::unused_self, reason = "holding it is the permission")]
    pub(crate) fn variable(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }

    #[expect(clippy::disallowed_methods, reason = "this is where the environment is read, once")]
    pub(crate) fn read() -> Self {
        let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let says_true = |name: &str| {
            std::env::var(name).is_ok_and(|value| !matches!(value.as_str(), "" | "0" | "false"))
        };
        let terminal = std::io::stdout().is_terminal();
        Self { colour: terminal && !set("NO_COLOR"), ci: says_true("CI") }
    }
}
