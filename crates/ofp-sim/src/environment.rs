//! What the process was started with: read once, passed down.

use std::{collections::BTreeMap, io::IsTerminal as _};

/// What the process was started with.
pub(crate) struct Environment {
    /// Whether standard output may be coloured.
    pub(crate) colour: bool,
    /// The arguments, without the program's own name and without values of variables: they may be secret.
    pub(crate) arguments: Vec<String>,
    /// Whether standard input and output are a person's.
    pub(crate) interactive: bool,
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

    /// The variables whose names begin with `OFP_VAR_`: values for the scenarios' own.
    #[expect(clippy::unused_self, reason = "holding it is the permission")]
    pub(crate) fn scenario_variables(&self) -> BTreeMap<String, String> {
        std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .filter(|(name, _)| name.starts_with("OFP_VAR_"))
            .collect()
    }

    #[expect(clippy::disallowed_methods, reason = "this is where the environment is read, once")]
    pub(crate) fn read() -> Self {
        let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let says_true = |name: &str| {
            std::env::var(name).is_ok_and(|value| !matches!(value.as_str(), "" | "0" | "false"))
        };
        let terminal = std::io::stdout().is_terminal();
        let interactive = terminal && std::io::stdin().is_terminal();
        Self {
            colour: terminal && !set("NO_COLOR"),
            interactive,
            ci: says_true("CI"),
            arguments: arguments(),
        }
    }
}

/// `--var NAME=VALUE` is left out: what it says may be secret, and is given anew.
fn arguments() -> Vec<String> {
    let mut arguments = Vec::new();
    let mut all = std::env::args_os().skip(1).map(|one| one.to_string_lossy().into_owned());
    while let Some(one) = all.next() {
        match one.as_str() {
            "--var" => drop(all.next()),
            text if text.starts_with("--var=") => {}
            _ => arguments.push(one),
        }
    }
    arguments
}
