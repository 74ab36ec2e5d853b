//! A Data Provider that is not ours, with everything that its target file names.

use std::{path::PathBuf, time::Duration};

use ofp_checks::TestCustomer;
use ofp_jose::JwkSet;
use ofp_net::Trust;
use ofp_scenario::{ClientAuthWord, CustomerSpec, Hooks, Listen, ScopeWord, TargetFile};
use ofp_types::{Kid, Origin, Profile};

use crate::customer::Selectors;

/// How long a decision of a person or a program may take, unless the target says otherwise.
const DECISION: Duration = Duration::from_secs(180);

/// A Data Provider that is not ours. [`crate::doctor::examine`] makes it.
#[derive(Debug, Clone)]
pub struct Target {
    pub(crate) file: TargetFile,
    /// Where its file is: paths in it begin here.
    pub(crate) folder: PathBuf,
    pub(crate) profile: Profile,
    /// The base URL of its issuer.
    pub(crate) issuer: Origin,
    /// Base URL of its webhooks D1 to D3.
    pub(crate) as_webhooks: Origin,
    /// Base URL of its webhooks D4 to D7.
    pub(crate) rs_webhooks: Origin,
    /// Who plays the customer, and how.
    pub(crate) customer: CustomerSpec,
    /// What its server certificates come from.
    pub(crate) server_trust: Trust,
    /// What its client certificate comes from, or that itself.
    pub(crate) client_trust: Trust,
    pub(crate) client_thumbprint: Kid,
    /// The keys that it signs with; not fetched yet when they are behind a URL.
    pub(crate) jwks: JwkSet,
    pub(crate) customers: Vec<TestCustomer>,
    /// How to read its pages.
    pub(crate) selectors: Selectors,
    /// What must not show anywhere.
    pub(crate) secrets: Vec<String>,
}

impl Target {
    /// What it is called.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.file.name
    }

    /// The reading of the specification that it is held to.
    #[must_use]
    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    /// Where the simulated PayNet and DC are to answer.
    #[must_use]
    pub fn listen(&self) -> &Listen {
        &self.file.listen
    }

    /// How many customers can play at once: each has one browser.
    #[must_use]
    pub fn customers(&self) -> usize {
        self.customers.len()
    }

    /// The folder of its own snapshots.
    #[must_use]
    pub fn snapshots(&self) -> Option<PathBuf> {
        self.file.snapshots.as_ref().map(|folder| self.folder.join(&folder.value))
    }

    /// The DP's public signing keys, as far as they are known before anything is fetched.
    #[must_use]
    pub fn jwks(&self) -> &JwkSet {
        &self.jwks
    }

    pub(crate) fn uses_assertion(&self) -> bool {
        self.file.client.auth == ClientAuthWord::PrivateKeyJwt
    }

    /// Whether it claims a part of the platform.
    pub(crate) fn claims(&self, part: ScopeWord) -> bool {
        part == ScopeWord::Drop1 || self.file.scope.contains(&part)
    }

    /// A command of the file: a program with a path begins in the file's folder, and all run there.
    pub(crate) fn command(&self, command: &[String]) -> Option<tokio::process::Command> {
        let (program, arguments) = command.split_first()?;
        let folder = std::path::absolute(&self.folder).unwrap_or_else(|_| self.folder.clone());
        let program = match program.contains('/') {
            true => folder.join(program).into_os_string(),
            false => program.into(),
        };
        let mut all = tokio::process::Command::new(program);
        all.args(arguments).current_dir(folder);
        Some(all)
    }

    pub(crate) fn hooks(&self) -> &Hooks {
        &self.file.hooks
    }

    /// How long one decision may take where it is not ours to make.
    pub(crate) fn decision_deadline(&self) -> Duration {
        self.customer.deadline.map_or(DECISION, |span| span.0.unsigned_abs())
    }
}
