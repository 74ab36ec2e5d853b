//! A run's evidence in a file, and the same verdicts from it: without a DP, without a network.
//!
//! The file holds everything in clear, tokens and passwords of the run as well: they are what the
//! checks look at. Private keys are never in it.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use ofp_checks::{Settings, TestCustomer};
use ofp_evidence::{Record, RunStarted, ScenarioResult, Secrets, Summary};
use ofp_jose::{JwkSet, KeySet};
use ofp_types::{ClientId, DcId, DpId, Kid, Profile};
use serde::{Deserialize, Serialize};

use crate::{
    play::played_before,
    read::read_given,
    run::{exit_code, requirements, untested_all},
};

/// What the file is called inside, with the version of its form.
const FORMAT: &str = "ofp-sim evidence 1";

/// Why evidence cannot be kept, or judged.
#[derive(Debug, thiserror::Error)]
pub enum EvidenceError {
    /// A file that cannot be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// Something else, or evidence that was cut or changed.
    #[error("{} is not evidence of a run (`ofp-sim run --evidence FILE`): {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What was expected, what came and where.
        #[source]
        source: serde_json::Error,
    },
    /// Evidence in another form.
    #[error("{} is `{found}`, and this version reads `{FORMAT}`", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What it says of itself.
        found: String,
    },
}

#[derive(Serialize, Deserialize)]
struct Written<R> {
    format: String,
    tool: String,
    profile: String,
    target: String,
    rerun_flags: String,
    took: Duration,
    settings: WrittenSettings,
    scenarios: Vec<ScenarioResult>,
    secrets: Vec<String>,
    #[serde(default)]
    calls_refused: Option<String>,
    records: Vec<R>,
}

#[derive(Serialize, Deserialize)]
struct WrittenSettings {
    profile: Profile,
    dp_id: DpId,
    dp_client_id: ClientId,
    dp_issuer: String,
    dp_jwks: JwkSet,
    dp_uses_assertion: bool,
    paynet_issuer: String,
    paynet_callback: String,
    dc_id: DcId,
    dc_client_id: ClientId,
    dc_names: Vec<String>,
    dc_enc_kid: Kid,
    customers: Vec<TestCustomer>,
}

impl WrittenSettings {
    fn of(settings: &Settings) -> Self {
        Self {
            profile: settings.profile.clone(),
            dp_id: settings.dp_id.clone(),
            dp_client_id: settings.dp_client_id.clone(),
            dp_issuer: settings.dp_issuer.clone(),
            dp_jwks: settings.dp_jwks.clone(),
            dp_uses_assertion: settings.dp_uses_assertion,
            paynet_issuer: settings.paynet_issuer.clone(),
            paynet_callback: settings.paynet_callback.clone(),
            dc_id: settings.dc_id.clone(),
            dc_client_id: settings.dc_client_id.clone(),
            dc_names: settings.dc_names.clone(),
            dc_enc_kid: settings.dc_enc_kid.clone(),
            customers: settings.customers.clone(),
        }
    }

    fn settings(self) -> Settings {
        Settings {
            dp_keys: KeySet::of_jwks("the DP", &self.dp_jwks).0,
            profile: self.profile,
            dp_id: self.dp_id,
            dp_client_id: self.dp_client_id,
            dp_issuer: self.dp_issuer,
            dp_jwks: self.dp_jwks,
            dp_uses_assertion: self.dp_uses_assertion,
            paynet_issuer: self.paynet_issuer,
            paynet_callback: self.paynet_callback,
            dc_id: self.dc_id,
            dc_client_id: self.dc_client_id,
            dc_names: self.dc_names,
            dc_enc_kid: self.dc_enc_kid,
            customers: self.customers,
        }
    }
}

/// A run's evidence as JSON.
///
/// # Errors
/// [`serde_json::Error`] when something cannot be expressed as JSON.
pub fn evidence(settings: &Settings, summary: &Summary) -> Result<Vec<u8>, serde_json::Error> {
    let started = &summary.started;
    serde_json::to_vec(&Written {
        format: FORMAT.to_owned(),
        tool: started.tool.clone(),
        profile: started.profile.clone(),
        target: started.target.clone(),
        rerun_flags: started.rerun_flags.clone(),
        took: summary.took,
        settings: WrittenSettings::of(settings),
        scenarios: summary.scenarios.clone(),
        secrets: summary.secrets.texts(),
        calls_refused: summary.calls_refused.clone(),
        records: summary.records.iter().map(AsRef::as_ref).collect::<Vec<&Record>>(),
    })
}

/// Evidence of a run that nobody could read is not read.
const LONGEST: u64 = 1024 * 1024 * 1024;

/// The summary of a run from its evidence: every requirement judged again, scenarios as they ended.
///
/// # Errors
/// [`EvidenceError`].
pub fn judge_evidence(path: &Path, fail_on_should: bool) -> Result<Arc<Summary>, EvidenceError> {
    let text = read_given(path, LONGEST)
        .map_err(|source| EvidenceError::File { path: path.to_owned(), source })?;
    let unreadable = |source| EvidenceError::Unreadable { path: path.to_owned(), source };
    let written: Written<Record> = serde_json::from_slice(&text).map_err(unreadable)?;
    if written.format != FORMAT {
        return Err(EvidenceError::Format { path: path.to_owned(), found: written.format });
    }
    let settings = written.settings.settings();
    let records: Vec<Arc<Record>> = written.records.into_iter().map(Arc::new).collect();
    let played: Vec<_> = written
        .scenarios
        .into_iter()
        .map(|scenario| played_before(scenario, &settings, &records))
        .collect();
    let mut requirements = requirements(&settings, &records, &played);
    if let Some(reason) = &written.calls_refused {
        untested_all(&mut requirements, reason, true);
    }
    let refused = written.calls_refused.is_some();
    let exit_code = exit_code(&played, &requirements, &records, refused, fail_on_should);
    let mut secrets = Secrets::default();
    written.secrets.iter().for_each(|secret| secrets.keep(secret));
    Ok(Arc::new(Summary {
        started: RunStarted {
            tool: written.tool,
            profile: written.profile,
            experimental: settings.profile.experimental,
            target: written.target,
            rerun_flags: written.rerun_flags,
            step_flags: String::new(),
            variable_flags: Vec::new(),
            scenarios: played.len(),
        },
        scenarios: played.into_iter().map(|played| played.result).collect(),
        requirements,
        calls_refused: written.calls_refused,
        stale: Vec::new(),
        records,
        secrets,
        pki_folder: None,
        took: written.took,
        exit_code,
    }))
}
