//! What a file's meaning depends on besides its text.

use std::collections::BTreeMap;

use crate::Source;

/// What a file's meaning depends on besides its text: what exists, what was said at the command line, and where
/// other files are.
pub struct Context<'a> {
    /// Which requirements exist.
    pub is_requirement: &'a dyn Fn(&str) -> bool,
    /// Reads a file that another names: its path as written, and the file that names it.
    pub read: &'a dyn Fn(&str, &Source) -> Result<Source, String>,
    /// The profiles that `only_profiles` may name; empty when any name will do.
    pub profiles: &'a [String],
    /// Values of variables, the most telling first.
    pub values: &'a Values,
    /// Whether a variable without a value is a problem: only what is played needs them.
    pub needs_values: bool,
}

static NO_VALUES: Values = Values::NONE;

impl Default for Context<'static> {
    fn default() -> Self {
        Self {
            is_requirement: &|_| true,
            read: &|path, _| Err(format!("no files are read here: {path}")),
            profiles: &[],
            values: &NO_VALUES,
            needs_values: true,
        }
    }
}

/// Values of variables from outside the scenario: a flag outweighs the environment, which outweighs a file, which
/// outweighs the scenario's own default.
#[derive(Debug, Clone, Default)]
pub struct Values {
    /// `--var NAME=VALUE`.
    pub flags: BTreeMap<String, String>,
    /// Environment variables, by their own names ([`Self::environment_name`]).
    pub environment: BTreeMap<String, String>,
    /// `--vars FILE`.
    pub file: BTreeMap<String, String>,
}

impl Values {
    /// Nothing from outside.
    pub const NONE: Self =
        Self { flags: BTreeMap::new(), environment: BTreeMap::new(), file: BTreeMap::new() };

    /// What the environment variable of a variable is called.
    #[must_use]
    pub fn environment_name(variable: &str) -> String {
        format!("OFP_VAR_{}", variable.to_ascii_uppercase().replace('-', "_"))
    }

    /// The value that outweighs the others.
    #[must_use]
    pub fn get(&self, variable: &str) -> Option<&str> {
        let environment = || self.environment.get(&Self::environment_name(variable));
        let found = self.flags.get(variable).or_else(environment);
        found.or_else(|| self.file.get(variable)).map(String::as_str)
    }
}
