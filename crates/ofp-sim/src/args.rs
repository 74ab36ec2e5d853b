//! What was typed.

use std::path::PathBuf;

use clap::{ColorChoice, CommandFactory as _, FromArgMatches as _, Parser, Subcommand, ValueEnum};

use ofp_types::{ClientId, DpId, Origin};

use crate::environment::Environment;

/// With the commit that it was built from.
const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), " (commit ", env!("OFP_SIM_COMMIT"), ")");

/// What `--timeout` is unless given.
pub(crate) const DEFAULT_TIMEOUT: &str = "30s";

/// PayNet's Open Finance Platform on one machine, and a conformance harness for Data Providers.
///
/// Exit codes: 0 all required checks passed, 1 a conformance failure, 2 bad usage, configuration or
/// scenario, 3 a report could not be written, 4 the target could not be reached or tested,
/// 5 nothing was selected, 101 a bug, 130 interrupted.
#[derive(Debug, Parser)]
#[command(name = "ofp-sim", version = VERSION, max_term_width = 100)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Play scenarios against the reference DP, or against your own (--target FILE)
    Run(RunArgs),
    /// Play again what did not pass last time in this folder, as it was played then
    Rerun(VariableArgs),
    /// Look scenario files through, without playing them: every problem of every file at once
    Lint(LintArgs),
    /// Start a scenario from a template
    New(NewArgs),
    /// The scenarios that are part of the binary
    Scenarios {
        #[command(subcommand)]
        action: ScenariosAction,
    },
    /// Accept, reject or look through conversations that are not as they were
    Snapshots(SnapshotsArgs),
    /// Take a JWS or JWE from a log apart, and hold it to the profile
    Inspect(InspectArgs),
    /// Start with a DP of your own: a target file, keys, and what the DP must be configured with
    Init(InitArgs),
    /// Preflight: whether a target's file, certificates and connections are in order
    Doctor(DoctorArgs),
    /// Judge the recorded evidence of a run again (`run --evidence FILE`), without a DP
    Judge(JudgeArgs),
    /// The simulated platform with the reference DP, for hand, browser and test use, until interrupted
    Up(UpArgs),
    /// Throwaway keys and certificates
    Pki {
        #[command(subcommand)]
        action: PkiAction,
    },
    /// Explain a requirement, a kind of problem, or a step of a scenario
    Explain(ExplainArgs),
    /// Print a machine-readable description of an interface
    Schema {
        /// Of what
        what: SchemaWhat,
    },
    /// Print a completion script for a shell
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
    /// List what there is; the first column is the name
    List {
        /// What to list
        what: ListWhat,
        /// Only what this selects: tag(NAME), requirement ids, names; joined by &, |, not
        #[arg(long, value_name = "EXPR")]
        filter: Option<String>,
        /// Of these scenario files or folders, instead of those embedded in the binary
        #[arg(value_name = "PATH")]
        paths: Vec<PathBuf>,
    },
}

#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct RunArgs {
    /// Scenario files or folders; without any, the scenarios embedded in the binary
    pub(crate) paths: Vec<PathBuf>,
    /// The DP under test, as its file describes it; without it, the reference DP
    #[arg(long, value_name = "FILE", conflicts_with_all = ["fault", "variant"])]
    pub(crate) target: Option<PathBuf>,
    /// The reading of the specification: a built-in name or a YAML file; the target's, else portal-1.2.2
    #[arg(long, value_name = "NAME|FILE")]
    pub(crate) profile: Option<String>,
    /// Only what this selects: tag(NAME), requirement ids, names; joined by &, |, not:
    /// 'tag(fapi) & not tag(slow)'
    #[arg(long, value_name = "EXPR")]
    pub(crate) filter: Option<String>,
    #[command(flatten)]
    pub(crate) variables: VariableArgs,
    /// Play again whenever a scenario, the target file or PATH changes, until interrupted
    #[arg(long, value_name = "PATH", num_args = 0..=1, require_equals = true, default_missing_value = "-")]
    pub(crate) watch: Vec<PathBuf>,
    /// Only scenarios with this tag (repeatable; any of them)
    #[arg(long, value_name = "TAG")]
    pub(crate) tag: Vec<String>,
    /// Only scenarios that claim to cover this requirement (repeatable; any of them)
    #[arg(long, value_name = "ID")]
    pub(crate) requirement: Vec<String>,
    /// How many scenarios at once; as many as there are processors, or test customers of the target, unless given
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) jobs: Option<u16>,
    /// How long one step may take
    #[arg(long, value_name = "DUR", default_value = DEFAULT_TIMEOUT)]
    pub(crate) timeout: String,
    /// The folder of keys and certificates; made at first use
    #[arg(long, value_name = "DIR", default_value = "certs-dev")]
    pub(crate) pki: PathBuf,
    /// Failures that are known: they do not fail the run, and one that no longer happens does
    #[arg(long, value_name = "FILE")]
    pub(crate) baseline: Option<PathBuf>,
    /// Write a report: json, junit, html, markdown or ndjson=FILE (repeatable)
    #[arg(long, value_name = "FORMAT=FILE")]
    pub(crate) report: Vec<String>,
    /// Keep everything that was recorded in this file, secrets as well, for `ofp-sim judge`
    #[arg(long, value_name = "FILE")]
    pub(crate) evidence: Option<PathBuf>,
    /// What to do with snapshots
    #[arg(long, value_enum, default_value_t = Snapshots::Check)]
    pub(crate) snapshots: Snapshots,
    /// The least level whose breach fails the run
    #[arg(long, value_enum, default_value_t = FailOn::Must)]
    pub(crate) fail_on: FailOn,
    /// Switch on a deliberate fault of the reference DP (repeatable; `list faults`)
    #[arg(long, value_name = "NAME")]
    pub(crate) fault: Vec<String>,
    /// Let the reference DP do something differently that is as well (repeatable; `list variants`)
    #[arg(long, value_name = "NAME")]
    pub(crate) variant: Vec<String>,
}

/// Values of variables. A flag outweighs the environment (`OFP_VAR_NAME`), which outweighs a file.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct VariableArgs {
    /// The value of a variable of the scenarios (repeatable)
    #[arg(long, value_name = "NAME=VALUE")]
    pub(crate) var: Vec<String>,
    /// A YAML map of variables to values
    #[arg(long, value_name = "FILE")]
    pub(crate) vars: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct LintArgs {
    /// Scenario files or folders; without any, the scenarios embedded in the binary
    pub(crate) paths: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) variables: VariableArgs,
}

#[derive(Debug, clap::Args)]
pub(crate) struct NewArgs {
    /// Its file; the name of the file names the scenario
    #[arg(value_name = "NAME")]
    pub(crate) file: PathBuf,
    /// What to start from
    #[arg(long, value_enum, default_value_t = TemplateName::Balance)]
    pub(crate) template: TemplateName,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum TemplateName {
    /// The customer approves; the DC reads a balance
    Balance,
    /// The customer rejects
    Reject,
    /// A call of PayNet that is spoilt on purpose, a row for each way
    Refusal,
    /// The platform misbehaves
    Trouble,
    /// Steps for other scenarios to use
    Fragment,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ScenariosAction {
    /// Write them to a folder, snapshots and fragments as well
    Export {
        /// The folder; nothing that is there is overwritten
        #[arg(value_name = "DIR")]
        folder: PathBuf,
    },
}

#[derive(Debug, clap::Args)]
pub(crate) struct SnapshotsArgs {
    /// What to do with conversations that are waiting
    pub(crate) what: SnapshotsWhat,
    /// Where: folders, or snapshot files
    #[arg(value_name = "PATH", default_value = ".")]
    pub(crate) paths: Vec<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SnapshotsWhat {
    /// Show each difference and ask; without a terminal, show them all
    Review,
    /// Take the new conversations
    Accept,
    /// Keep the old ones
    Reject,
}

#[derive(Debug, clap::Args)]
pub(crate) struct InspectArgs {
    /// The token; `-` or nothing to read it from standard input
    #[arg(value_name = "TOKEN", default_value = "-")]
    pub(crate) token: String,
    /// The DP whose keys to try, as its file describes it
    #[arg(long, value_name = "FILE")]
    pub(crate) target: Option<PathBuf>,
    /// The folder of PayNet's and the DC's keys
    #[arg(long, value_name = "DIR", default_value = "certs-dev")]
    pub(crate) pki: PathBuf,
    /// The body that a detached signature is over
    #[arg(long, value_name = "FILE")]
    pub(crate) body: Option<PathBuf>,
    /// The reading of the specification: a built-in name or a YAML file
    #[arg(long, value_name = "NAME|FILE")]
    pub(crate) profile: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ExplainArgs {
    /// Such as C-08, or the code of a problem in a scenario (`order`); `step` for a step; without it, all
    /// requirements as Markdown (docs/requirements.md)
    #[arg(value_name = "ID|step")]
    pub(crate) id: Option<String>,
    /// With `step`: the file and a line of the step, or its number: FILE#3. A row stands in brackets behind the file.
    /// Played up to there, the step is shown as written and as sent
    #[arg(value_name = "FILE:LINE|FILE#NUMBER")]
    pub(crate) place: Option<String>,
    #[command(flatten)]
    pub(crate) variables: VariableArgs,
    /// With `step`: the DP to play it against; without it, the reference DP
    #[arg(long, value_name = "FILE")]
    pub(crate) target: Option<PathBuf>,
    /// With `step`: the reading of the specification
    #[arg(long, value_name = "NAME|FILE")]
    pub(crate) profile: Option<String>,
    /// With `step`: the folder of keys and certificates
    #[arg(long, value_name = "DIR", default_value = "certs-dev")]
    pub(crate) pki: PathBuf,
    /// With `step`: how long one step may take
    #[arg(long, value_name = "DUR", default_value = DEFAULT_TIMEOUT)]
    pub(crate) timeout: String,
    /// With `step`: a deliberate fault of the reference DP (repeatable)
    #[arg(long, value_name = "NAME")]
    pub(crate) fault: Vec<String>,
    /// With `step`: something that the reference DP may do differently (repeatable)
    #[arg(long, value_name = "NAME")]
    pub(crate) variant: Vec<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct InitArgs {
    /// The folder; nothing that is there is overwritten
    #[arg(value_name = "DIR", default_value = "ofp-target")]
    pub(crate) folder: PathBuf,
    /// What the DP is called in reports
    #[arg(long, default_value = "my DP")]
    pub(crate) name: String,
    /// The DP's issuer, where its pages are
    #[arg(long, value_name = "URL", value_parser = origin, default_value = "https://localhost:9444")]
    pub(crate) issuer: Origin,
    /// Base URL of the DP's webhooks
    #[arg(long, value_name = "URL", value_parser = origin, default_value = "https://localhost:9443")]
    pub(crate) webhooks: Origin,
    /// The DP's id at PayNet
    #[arg(long, value_name = "ID", value_parser = dp_id, default_value = "DP9876543210")]
    pub(crate) dp_id: DpId,
    /// The DP's client at PayNet's Authorization Server
    #[arg(long, value_name = "ID", value_parser = client_id, default_value = "7f0c3c1e-2f4b-4c8f-9a55-0d5d2f6a9b10")]
    pub(crate) client_id: ClientId,
    /// Have our CA sign a certificate request of yours, instead of making a key: server=, client= or
    /// signing=FILE (repeatable)
    #[arg(long, value_name = "PURPOSE=FILE")]
    pub(crate) csr: Vec<String>,
    /// Use a certificate of your own: server-ca=, client=, client-ca= or signing=FILE (repeatable)
    #[arg(long, value_name = "WHICH=FILE")]
    pub(crate) certificate: Vec<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct DoctorArgs {
    /// The DP under test, as its file describes it
    #[arg(long, value_name = "FILE")]
    pub(crate) target: PathBuf,
    /// The folder of PayNet's and the DC's keys and certificates; made at first use
    #[arg(long, value_name = "DIR", default_value = "certs-dev")]
    pub(crate) pki: PathBuf,
}

#[derive(Debug, clap::Args)]
pub(crate) struct JudgeArgs {
    /// What `run --evidence FILE` wrote
    pub(crate) file: PathBuf,
    /// Write a report as well (repeatable)
    #[arg(long, value_name = "FORMAT=FILE")]
    pub(crate) report: Vec<String>,
    /// What turns into a failure of the run
    #[arg(long, value_enum, default_value_t = FailOn::Must)]
    pub(crate) fail_on: FailOn,
}

#[derive(Debug, clap::Args)]
pub(crate) struct UpArgs {
    /// A DP of your own, as its file describes it, instead of the reference DP
    #[arg(long, value_name = "FILE", conflicts_with_all = ["fault", "variant", "port_base", "seed"])]
    pub(crate) target: Option<PathBuf>,
    /// The reading of the specification: a built-in name or a YAML file; the target's, else portal-1.2.2
    #[arg(long, value_name = "NAME|FILE")]
    pub(crate) profile: Option<String>,
    /// The first of eight ports in a row on 127.0.0.1; 0 for free ones
    #[arg(long, value_name = "N", default_value_t = 8441, value_parser = port_base)]
    pub(crate) port_base: u16,
    /// Keep consents, tokens and keys in this file, over restarts
    #[arg(long, value_name = "FILE")]
    pub(crate) state: Option<PathBuf>,
    /// The folder of keys and certificates; made at first use
    #[arg(long, value_name = "DIR", default_value = "certs-dev")]
    pub(crate) pki: PathBuf,
    /// One more redirect URI for the DCs' clients, for a DC under development (repeatable)
    #[arg(long, value_name = "URI", value_parser = redirect_uri)]
    pub(crate) redirect_uri: Vec<String>,
    /// Send the DCs' events (C1) to https://host:port, for a DC under development; its certificate
    /// must be from the folder of --pki
    #[arg(long, value_name = "ORIGIN", value_parser = origin)]
    pub(crate) dc_webhooks: Option<Origin>,
    /// Decides the reference DP's transactions; 0 unless given or kept in --state
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// Switch on a deliberate fault of the reference DP (repeatable; `list faults`)
    #[arg(long, value_name = "NAME")]
    pub(crate) fault: Vec<String>,
    /// Let the reference DP do something differently that is as well (repeatable; `list variants`)
    #[arg(long, value_name = "NAME")]
    pub(crate) variant: Vec<String>,
    /// Print URLs and credentials as one line of JSON instead of text
    #[arg(long)]
    pub(crate) json: bool,
}

/// Eight ports must fit behind it.
fn port_base(text: &str) -> Result<u16, String> {
    let most = u16::MAX - 7;
    let port = text.parse().ok().filter(|port| *port == 0 || (1024..=most).contains(port));
    port.ok_or_else(|| format!("expected 0, or a port from 1024 to {most}"))
}

fn origin(text: &str) -> Result<Origin, String> {
    Origin::parse(text).map_err(|e| e.to_string())
}

fn dp_id(text: &str) -> Result<DpId, String> {
    DpId::parse(text).map_err(|e| e.to_string())
}

fn client_id(text: &str) -> Result<ClientId, String> {
    ClientId::parse(text).map_err(|e| e.to_string())
}

fn redirect_uri(text: &str) -> Result<String, String> {
    let is_https = text.starts_with("https://") && text.len() > "https://".len();
    if is_https && text.bytes().all(|b| b.is_ascii_graphic()) && !text.contains('#') {
        Ok(text.to_owned())
    } else {
        Err("expected an absolute https URL without fragment (FAPI 2.0 SP §5.3.2.2)".into())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SchemaWhat {
    /// OpenAPI of the simulated PayNet
    Platform,
    /// OpenAPI of the control surface of `up`
    Control,
    /// JSON Schema (draft-07) of a target file
    Target,
    /// JSON Schema (draft-07) of a scenario file or fragment
    Scenario,
    /// JSON Schema (draft-07) of a profile file
    Profile,
    /// JSON Schema (draft-07) of the JSON report
    Report,
    /// JSON Schema (draft-07) of one line of the NDJSON report: an event of a run
    Event,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Snapshots {
    /// Compare
    #[default]
    Check,
    /// Write what was seen
    Accept,
    /// Leave them alone
    Off,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum FailOn {
    /// Musts only
    #[default]
    Must,
    /// Shoulds too
    Should,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ListWhat {
    /// The embedded scenarios
    Scenarios,
    /// The requirements that a check is written for
    Requirements,
    /// Deliberate defects of what PayNet sends
    Mutations,
    /// Deliberate faults of the reference DP
    Faults,
    /// What the reference DP may do differently, and as well
    Variants,
    /// Built-in profiles
    Profiles,
}

#[derive(Debug, Subcommand)]
pub(crate) enum PkiAction {
    /// Make what is missing, renew what is near its end
    Init(PkiArgs),
    /// Issue every certificate anew under the same CA
    Renew(PkiArgs),
    /// Show what there is
    Show(PkiArgs),
}

#[derive(Debug, clap::Args)]
pub(crate) struct PkiArgs {
    /// The folder
    #[arg(long, value_name = "DIR", default_value = "certs-dev")]
    pub(crate) pki: PathBuf,
    /// One more host name or IP address for the server certificates (repeatable)
    #[arg(long, value_name = "HOST")]
    pub(crate) name: Vec<String>,
}

impl Args {
    /// The arguments of this process. Usage errors end it with exit code 2.
    pub(crate) fn parse_from_environment(environment: &Environment) -> Self {
        let colour = if environment.colour { ColorChoice::Auto } else { ColorChoice::Never };
        let matches = Self::command().color(colour).get_matches();
        Self::from_arg_matches(&matches).unwrap_or_else(|e| e.exit())
    }
}
