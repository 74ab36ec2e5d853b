//! `ofp-sim init`: what a bank team needs to point ofp-sim at a DP of its own.

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use ofp_net::SystemClock;
use ofp_pki::{OpenOptions, Pki, Purpose};
use ofp_runner::exit;
use ofp_scenario::Listen;
use ofp_types::Clock as _;
use openssl::x509::{X509, X509Req};
use url::Url;

use super::print;
use crate::{args::InitArgs, failure::Failure};

const TARGET: &str = "target.yaml";
const ENVIRONMENT: &str = "dp.env";
/// Where keys and certificates are, beside the target file.
const PKI: &str = "pki";

/// The files that the target file names.
struct Files {
    server_ca: String,
    client: String,
    client_ca: Option<String>,
    signing: String,
}

pub(super) fn init(args: &InitArgs) -> Result<u8, Failure> {
    let own = own(&args.certificate)?;
    let requests = requests(&args.csr)?;
    let (target, environment) = (args.folder.join(TARGET), args.folder.join(ENVIRONMENT));
    for path in [&target, &environment] {
        if path.exists() {
            return Err(Failure::Exists(path.clone()));
        }
    }
    fs::create_dir_all(&args.folder).map_err(|e| failed(&args.folder, &e))?;
    let names = names(args);
    let now = SystemClock.now();
    let (pki, _) = Pki::open(
        &args.folder.join(PKI),
        &OpenOptions { names: names.clone(), ..OpenOptions::at(now) },
    )?;
    let mut files = Files {
        server_ca: format!("{PKI}/ca.pem"),
        client: format!("{PKI}/dp/client.pem"),
        client_ca: Some(format!("{PKI}/ca.pem")),
        signing: format!("{PKI}/dp/signing.pem"),
    };
    for (purpose, request) in &requests {
        let certificate = pki.certify(request, *purpose, &names, now)?;
        let name = format!("dp-{}.pem", purpose.file());
        let path = args.folder.join(&name);
        let pem = certificate.to_pem().map_err(|e| failed(&path, &e))?;
        fs::write(&path, pem).map_err(|e| failed(&path, &e))?;
        match purpose {
            Purpose::TlsClient => files.client = name,
            Purpose::Signing => files.signing = name,
            Purpose::TlsServer | Purpose::Encryption => {}
        }
    }
    for (which, path) in own {
        let path = path.display().to_string();
        match which {
            Which::ServerCa => files.server_ca = path,
            // its CA is somebody else's now
            Which::Client => (files.client, files.client_ca) = (path, None),
            Which::ClientCa => files.client_ca = Some(path),
            Which::Signing => files.signing = path,
        }
    }
    write(&target, &target_text(args, &files))?;
    write(&environment, &environment_text(args, &requests)?)?;
    print(&next_steps(args, &requests))?;
    Ok(exit::PASSED)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Which {
    ServerCa,
    Client,
    ClientCa,
    Signing,
}

/// The bank's own certificates, by absolute path: the target file may be moved.
fn own(given: &[String]) -> Result<Vec<(Which, PathBuf)>, Failure> {
    let expected = "server-ca=FILE, client=FILE, client-ca=FILE or signing=FILE";
    let mut all = Vec::new();
    for text in given {
        let bad = || Failure::BadFile { option: "certificate", given: text.clone(), expected };
        let (which, file) = text.split_once('=').ok_or_else(bad)?;
        let which = match which {
            "server-ca" => Which::ServerCa,
            "client" => Which::Client,
            "client-ca" => Which::ClientCa,
            "signing" => Which::Signing,
            _ => return Err(bad()),
        };
        let path = std::path::absolute(file).map_err(|e| failed(Path::new(file), &e))?;
        let bytes = fs::read(&path).map_err(|e| failed(&path, &e))?;
        if X509::stack_from_pem(&bytes).unwrap_or_default().is_empty() {
            return Err(failed(&path, &"there is no PEM certificate in it"));
        }
        all.push((which, path));
    }
    // a client certificate takes our CA away, which the next may give back
    all.sort_by_key(|(which, _)| *which);
    Ok(all)
}

fn requests(given: &[String]) -> Result<Vec<(Purpose, X509Req)>, Failure> {
    let expected = "server=FILE, client=FILE or signing=FILE";
    let one = |text: &String| {
        let bad = || Failure::BadFile { option: "csr", given: text.clone(), expected };
        let (purpose, file) = text.split_once('=').ok_or_else(bad)?;
        let purpose = match purpose {
            "server" => Purpose::TlsServer,
            "client" => Purpose::TlsClient,
            "signing" => Purpose::Signing,
            _ => return Err(bad()),
        };
        let path = Path::new(file);
        let bytes = fs::read(path).map_err(|e| failed(path, &e))?;
        let request = X509Req::from_pem(&bytes)
            .map_err(|_| failed(path, &"it is no certificate request in PEM (openssl req -new)"))?;
        Ok((purpose, request))
    };
    given.iter().map(one).collect()
}

/// The host names that the DP's server certificate must carry.
fn names(args: &InitArgs) -> Vec<String> {
    let host = |origin: &ofp_types::Origin| {
        let url = Url::parse(origin.as_str()).ok()?;
        Some(url.host_str()?.trim_matches(['[', ']']).to_owned())
    };
    let mut names: Vec<String> =
        [&args.issuer, &args.webhooks].into_iter().filter_map(host).collect();
    names.dedup();
    names
}

fn port(origin: &ofp_types::Origin) -> u16 {
    let url = Url::parse(origin.as_str()).ok();
    url.and_then(|url| url.port_or_known_default()).unwrap_or(443)
}

fn failed(path: &Path, reason: &dyn ToString) -> Failure {
    Failure::File { path: path.to_owned(), reason: reason.to_string() }
}

/// Writes a file that was not there before.
fn write(path: &Path, text: &str) -> Result<(), Failure> {
    use std::io::Write as _;
    let file = fs::OpenOptions::new().write(true).create_new(true).open(path);
    file.and_then(|mut file| file.write_all(text.as_bytes())).map_err(|e| failed(path, &e))
}

fn target_text(args: &InitArgs, files: &Files) -> String {
    let quoted = |text: &str| serde_json::to_string(text).unwrap_or_default();
    let Listen { bind, host, authorization, authorization_mtls, resource, dc } = Listen::default();
    let (name, issuer, webhooks) = (quoted(&args.name), &args.issuer, &args.webhooks);
    let (dp_id, client_id) = (quoted(args.dp_id.as_str()), quoted(args.client_id.as_str()));
    let client_ca = match &files.client_ca {
        Some(ca) => format!("  client_ca: {}\n", quoted(ca)),
        None => "  # client_ca: the CA of the DP's client certificate; without it that certificate alone is trusted\n".into(),
    };
    let (server_ca, client) = (quoted(&files.server_ca), quoted(&files.client));
    let signing = quoted(&files.signing);
    format!(
        r#"# A Data Provider under test. Paths are relative to this file. All keys: `ofp-sim schema target`.
name: {name}
profile: portal-1.2.2
dp_id: {dp_id}
# `iss` of the DP's id_tokens; here its pages are expected as well
issuer: {issuer}
client:
  id: {client_id}
  auth: private_key_jwt           # or tls_client_auth
# where the DP takes events, authorize, userinfo, health and data: one base URL, or {{ as: …, rs: … }}
webhooks: {webhooks}
tls:
  server_ca: {server_ca}          # what the DP's server certificate comes from
  client_certificate: {client}    # what the DP presents when it calls PayNet
{client_ca}signing:
  certificate: {signing}          # or jwks: a file, or an https URL
# where the simulated PayNet and DC answer: the DP is configured with these (dp.env)
listen: {{ bind: {bind}, host: {host}, as: {authorization}, as_mtls: {authorization_mtls}, rs: {resource}, dc: {dc} }}
scope: [drop-1]                   # also: accounts, transactions
customer:
  driver: form                    # or browser, command, manual
  # pages: {{ approve: "button.primary", reject: "a.decline" }}   # CSS, for what is not found by itself
test_data:
  customers:
    # replace by customers of the DP's own test data; the first plays unless a scenario says otherwise
    - username: paynet
      password: paynet            # or {{ env: NAME }}, {{ file: PATH }}
      # may_be_locked: true       # whether wrong passwords may be tried with this one
      # id_type: nric
      # id_number: {{ env: DP_TEST_NRIC }}
      accounts: []                # - {{ number: "114098765432", name: Everyday Savings, balance: "25000.75" }}
# Commands that do to the DP what nobody can do from outside; what needs one that is missing is not tested.
# hooks: {{ flush_jwks: [./flush.sh], core_down: […], core_up: […], revoke: […], set_account: […] }}
"#
    )
}

fn environment_text(args: &InitArgs, requests: &[(Purpose, X509Req)]) -> Result<String, Failure> {
    let Listen { host, authorization, authorization_mtls, resource, .. } = Listen::default();
    let folder = std::path::absolute(&args.folder).map_err(|e| failed(&args.folder, &e))?;
    let folder = folder.display();
    let (issuer, rs) =
        (format!("https://{host}:{authorization}"), format!("https://{host}:{resource}"));
    let mut text = format!(
        "# What the DP must be configured with, as `ofp-sim up` and `run` answer with this folder's target.yaml.\n\
         PAYNET_ISSUER={issuer}\n\
         PAYNET_JWKS_URI={issuer}/v1/oauth/jwks/paynet\n\
         # a DC's keys: PAYNET_ISSUER/v1/oauth/jwks/{{dc_id}}\n\
         PAYNET_TOKEN_ENDPOINT=https://{host}:{authorization_mtls}/v1/oauth/token\n\
         PAYNET_RS={rs}\n\
         PAYNET_CALLBACK={issuer}/v1/oauth/callback\n\
         # trust this CA for PayNet's servers and for its client certificate, which is the next line's\n\
         PAYNET_CA={folder}/{PKI}/ca.pem\n\
         PAYNET_CLIENT_CERTIFICATE={folder}/{PKI}/paynet/client.pem\n\
         DP_ID={}\nDP_CLIENT_ID={}\nDP_ISSUER={}\nDP_PORT={}\nDP_WEBHOOKS_PORT={}\n",
        args.dp_id,
        args.client_id,
        args.issuer,
        port(&args.issuer),
        port(&args.webhooks),
    );
    let asked = |purpose| requests.iter().any(|(known, _)| *known == purpose);
    for (name, purpose) in [
        ("SERVER", Purpose::TlsServer),
        ("CLIENT", Purpose::TlsClient),
        ("SIGNING", Purpose::Signing),
    ] {
        let file = purpose.file();
        let _ = match asked(purpose) {
            true => writeln!(text, "DP_{name}_CERTIFICATE={folder}/dp-{file}.pem"),
            false => writeln!(
                text,
                "DP_{name}_CERTIFICATE={folder}/{PKI}/dp/{file}.pem\nDP_{name}_KEY={folder}/{PKI}/dp/{file}-key.pem"
            ),
        };
    }
    Ok(text)
}

fn next_steps(args: &InitArgs, requests: &[(Purpose, X509Req)]) -> String {
    let folder = args.folder.display();
    let mut text = format!(
        "wrote {folder}/{TARGET}      the DP under test, with comments\n\
         wrote {folder}/{ENVIRONMENT}           what the DP must be configured with\n\
         wrote {folder}/{PKI}/             PayNet's, the DC's and throwaway DP keys and certificates (in no repository: it ignores itself)\n"
    );
    for (purpose, _) in requests {
        let _ = writeln!(text, "wrote {folder}/dp-{}.pem    from your request", purpose.file());
    }
    let _ = write!(
        text,
        "\nNext:\n\
         1. Configure the DP with {folder}/{ENVIRONMENT} and start it (webhooks on {}).\n\
         2. Put customers and accounts of its test data into {folder}/{TARGET}.\n\
         3. ofp-sim doctor --target {folder}/{TARGET} --pki {folder}/{PKI}\n\
         4. ofp-sim run journey/approve --target {folder}/{TARGET} --pki {folder}/{PKI}\n\
         5. ofp-sim run --target {folder}/{TARGET} --pki {folder}/{PKI}\n\
         By hand, in a browser: ofp-sim up --target {folder}/{TARGET} --pki {folder}/{PKI}\n",
        args.webhooks
    );
    text
}
