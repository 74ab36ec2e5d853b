//! The half of the preflight that needs no network: the file itself, and every file that it names.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use ofp_checks::{TestAccount, TestCustomer};
use ofp_jose::JwkSet;
use ofp_net::{Trust, bind};
use ofp_pki::describe;
use ofp_scenario::{
    AccountKindWord, Diagnostic, Listen, SecretSource, Source, TargetFile, TargetWebhooks,
    TestCustomerSpec, TextOr, parse_target,
};
use ofp_types::Profile;

use super::{
    Report,
    certificates::{self, FileAt, bounded_text},
};
use crate::{
    customer::{NoSelector, Selectors},
    profile::{ProfileError, profile},
    target::Target,
};

/// What the preflight has found out without the network.
#[derive(Debug, Default)]
pub struct Examined {
    /// Line by line.
    pub report: Report,
    /// Problems of the file's text, and of its profile's.
    pub problems: Vec<(Source, Diagnostic)>,
    /// The target, if all its files are in order.
    pub target: Option<Target>,
}

/// What a target file is read in.
pub struct Surroundings<'a> {
    /// Today.
    pub now: Timestamp,
    /// The environment, for secrets.
    pub variable: &'a dyn Fn(&str) -> Option<String>,
    /// The profile that was asked for on the command line.
    pub profile: Option<Profile>,
}

/// Reads a target file and everything that it names.
#[must_use]
pub fn examine(path: &Path, around: &Surroundings<'_>) -> Examined {
    let mut examined = Examined::default();
    let Some((source, file)) = read(path, &mut examined) else { return examined };
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let folder = parent.unwrap_or(Path::new(".")).to_owned();
    let profile = profile_of(&file, &folder, around, &mut examined);
    let report = &mut examined.report;
    let server = server_trust(report, &folder, &file, around.now);
    let client = client(report, &folder, &file, around.now);
    let keys = signing(report, &folder, &file, around.now);
    let mut secrets = Vec::new();
    let customers: Option<Vec<TestCustomer>> = file
        .test_data
        .customers
        .value
        .iter()
        .map(|one| customer(report, &folder, one, around, &mut secrets))
        .collect();
    ports(report, &file.listen);
    let selectors = selectors(report, &source, &file);
    let (issuer, webhooks, customer) = (file.issuer(), file.webhooks(), file.customer());
    if let (Some(profile), Some(server_trust), Some((client_thumbprint, client_trust))) =
        (profile, server, client)
        && let (Some(jwks), Some(customers), Some(selectors)) = (keys, customers, selectors)
        // the parser has seen to these
        && let (Ok(issuer), Ok(TargetWebhooks { authorization, resource })) = (issuer, webhooks)
    {
        examined.target = Some(Target {
            file,
            folder,
            profile,
            issuer,
            as_webhooks: authorization,
            rs_webhooks: resource,
            customer,
            server_trust,
            client_trust,
            client_thumbprint,
            jwks,
            customers,
            selectors,
            secrets,
        });
    }
    examined
}

/// The profile that was asked for, else the file's.
fn profile_of(
    file: &TargetFile,
    folder: &Path,
    around: &Surroundings<'_>,
    examined: &mut Examined,
) -> Option<Profile> {
    const CODE: &str = "T-02";
    let found = match (&around.profile, &file.profile) {
        (Some(profile), _) => Ok(profile.clone()),
        (None, Some(named)) => profile(folder, &named.value),
        (None, None) => Ok(Profile::default()),
    };
    let report = &mut examined.report;
    match found {
        Ok(profile) => {
            report.good(CODE, "profile", profile.name.clone());
            Some(profile)
        }
        Err(ProfileError::Unknown { name, known, reason }) => {
            let came = format!("`{name}` is no profile, and {reason}");
            let mend = format!("built in: {known}; or a YAML file of switches");
            report.config(CODE, "profile", came, mend);
            None
        }
        Err(ProfileError::Bad(problem)) => {
            let came = format!("{}: {}", problem.0.name, problem.1.title);
            report.config(CODE, "profile", came, "see above");
            examined.problems.push(*problem);
            None
        }
    }
}

fn selectors(report: &mut Report, source: &Source, file: &TargetFile) -> Option<Selectors> {
    match Selectors::parse(&file.customer().pages) {
        Ok(selectors) => Some(selectors),
        Err(NoSelector { written, why }) => {
            let line = source.line(written.span.start);
            let came =
                format!("{}:{line}: `{}` is no CSS selector: {why}", source.name, written.value);
            report.config("T-16", "customer.pages", came, "such as button[name=approve]");
            None
        }
    }
}

fn read(path: &Path, examined: &mut Examined) -> Option<(Source, TargetFile)> {
    const CODE: &str = "T-01";
    let (checked, name) = ("target file", path.display().to_string());
    let text = match bounded_text(path) {
        Ok(text) => text,
        Err(error) => {
            let mend = "`ofp-sim init` writes one to start from";
            examined.report.config(CODE, checked, format!("cannot read {name}: {error}"), mend);
            return None;
        }
    };
    let source = Source::new(name.clone(), text);
    match parse_target(&source) {
        Ok(file) => {
            examined.report.good(CODE, checked, name);
            Some((source, file))
        }
        Err(problems) => {
            for problem in problems {
                let line = problem.labels.first().map_or(1, |label| source.line(label.span.start));
                let came = format!("{name}:{line}: {}", problem.title);
                let mend = problem.help.clone();
                let mend = mend.unwrap_or_else(|| "`ofp-sim schema target` has its shape".into());
                examined.report.config(CODE, checked, came, mend);
                examined.problems.push((source.clone(), problem));
            }
            None
        }
    }
}

fn server_trust(
    report: &mut Report,
    folder: &Path,
    file: &TargetFile,
    now: Timestamp,
) -> Option<Trust> {
    const CODE: &str = "T-03";
    let at = FileAt::new(folder, "tls.server_ca", &file.tls.server_ca.value);
    let found = at.certificates(report, CODE)?;
    for certificate in &found {
        if !certificates::dates(report, CODE, "tls.server_ca", certificate, now) {
            return None;
        }
    }
    let names: Vec<String> = found.iter().map(|ca| describe(ca.subject_name())).collect();
    report.good(CODE, format!("tls.server_ca {}", at.written), names.join("; "));
    Some(Trust::of(found))
}

fn client(
    report: &mut Report,
    folder: &Path,
    file: &TargetFile,
    now: Timestamp,
) -> Option<(ofp_types::Kid, Trust)> {
    let at = FileAt::new(folder, "tls.client_certificate", &file.tls.client_certificate.value);
    let ca = file.tls.client_ca.as_ref();
    let ca = ca.map(|ca| FileAt::new(folder, "tls.client_ca", &ca.value));
    let (certificate, trust) = certificates::client(report, &at, ca.as_ref(), now)?;
    Some((ofp_jose::thumbprint(&certificate).ok()?, trust))
}

fn signing(
    report: &mut Report,
    folder: &Path,
    file: &TargetFile,
    now: Timestamp,
) -> Option<JwkSet> {
    let signing = &file.signing.value;
    if let Some(written) = &signing.certificate {
        let at = FileAt::new(folder, "signing.certificate", &written.value);
        return certificates::signing(report, &at, now);
    }
    let written = signing.jwks.as_ref()?;
    if written.value.starts_with("https://") {
        // fetched when the DP is called
        return Some(JwkSet { keys: Vec::new() });
    }
    let at = FileAt::new(folder, "signing.jwks", &written.value);
    let bytes = at.read(report, "T-06")?;
    certificates::jwks(report, &format!("signing.jwks {}", written.value), &bytes)
}

fn customer(
    report: &mut Report,
    folder: &Path,
    spec: &TestCustomerSpec,
    around: &Surroundings<'_>,
    secrets: &mut Vec<String>,
) -> Option<TestCustomer> {
    const CODE: &str = "T-07";
    let checked = format!("test customer {}", spec.username);
    let mut read = |what: &str, from: &TextOr<SecretSource>| match secret(folder, from, around) {
        Ok(text) => Some(text),
        Err(came) => {
            let mend = "set the variable, or write the file, before ofp-sim is started";
            report.config(CODE, checked.clone(), format!("{what}: {came}"), mend);
            None
        }
    };
    let password = read("password", &spec.password.value)?;
    let id_number = match &spec.id_number {
        Some(from) => Some(read("id_number", &from.value)?),
        None => None,
    };
    let inline = matches!(&spec.password.value, TextOr::Text(_)) && password != spec.username;
    if inline {
        let mend =
            "write password: { env: NAME } or { file: PATH }, so that it is in no repository";
        report.warn(CODE, checked.clone(), "its password stands in the target file", mend);
    }
    if password != spec.username {
        secrets.push(password.clone());
    }
    let digits = |text: &String| text.chars().filter(char::is_ascii_digit).collect::<String>();
    secrets.extend(id_number.iter().flat_map(|id| [id.clone(), digits(id)]));
    let accounts: Vec<TestAccount> = spec
        .accounts
        .iter()
        .map(|account| TestAccount {
            number: account.number.clone(),
            full_number: account.number.clone(),
            name: account.name.clone(),
            is_card: account.kind == AccountKindWord::CreditCard,
            balance: account.balance.clone(),
        })
        .collect();
    if accounts.is_empty() {
        let mend =
            "name them under `accounts`, so that what the DP shows and sends can be held to them";
        report.warn(CODE, checked, "no accounts are named", mend);
    } else {
        report.good(CODE, checked, format!("{} accounts", accounts.len()));
    }
    Some(TestCustomer {
        username: spec.username.clone(),
        password,
        id_number: id_number.as_ref().map(digits),
        accounts,
    })
}

fn secret(
    folder: &Path,
    from: &TextOr<SecretSource>,
    around: &Surroundings<'_>,
) -> Result<String, String> {
    match from {
        TextOr::Text(text) => Ok(text.clone()),
        TextOr::Map(SecretSource::Env(name)) => (around.variable)(name)
            .filter(|value| !value.is_empty())
            .ok_or_else(|| format!("the environment variable {name} is not set")),
        TextOr::Map(SecretSource::File(file)) => {
            let path: PathBuf = folder.join(file);
            let text = bounded_text(&path)
                .map_err(|error| format!("cannot read {}: {error}", path.display()))?;
            let line = text.lines().next().unwrap_or_default().trim_end().to_owned();
            match line.is_empty() {
                true => Err(format!("the first line of {} is empty", path.display())),
                false => Ok(line),
            }
        }
    }
}

/// Whether the simulated PayNet and DC can answer where the DP expects them.
fn ports(report: &mut Report, listen: &Listen) {
    const CODE: &str = "T-08";
    let all = [
        ("as", listen.authorization),
        ("as_mtls", listen.authorization_mtls),
        ("rs", listen.resource),
        ("dc", listen.dc),
    ];
    let fixed: Vec<(&str, u16)> = all.into_iter().filter(|(_, port)| *port != 0).collect();
    for (at, (name, port)) in fixed.iter().enumerate() {
        if let Some((other, _)) = fixed[..at].iter().find(|(_, before)| before == port) {
            let came = format!("listen.{other} and listen.{name} are both {port}");
            report.config(CODE, "listen", came, "give each a port of its own");
            return;
        }
    }
    let mut taken = Vec::new();
    for (name, port) in &fixed {
        if let Err(error) = bind(&listen.bind, *port) {
            taken.push(format!("listen.{name}: {error}"));
        }
    }
    let checked = format!("listen on {}", listen.bind);
    if taken.is_empty() {
        let ports: Vec<String> = fixed.iter().map(|(_, port)| port.to_string()).collect();
        let came = match ports.is_empty() {
            true => "any free ports will do".to_owned(),
            false => format!("ports {} are free", ports.join(", ")),
        };
        report.good(CODE, checked, came);
    } else {
        let mend = "another ofp-sim may still be running (`ss -ltnp`); or give other ports, also to the DP";
        report.config(CODE, checked, taken.join("; "), mend);
    }
}
