//! The folder of certificates: complete, strict, private, reused, renewed, never guessed at.

#![expect(clippy::unwrap_used, reason = "a test stops at its first surprise")]

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use jiff::{SignedDuration, Timestamp};
use ofp_pki::{Action, Leaf, OpenOptions, Party, Pki, PkiError, Purpose};
use openssl::{
    stack::Stack,
    x509::{
        X509, X509StoreContext,
        store::X509StoreBuilder,
        verify::{X509VerifyFlags, X509VerifyParam},
    },
};

fn now() -> Timestamp {
    #[expect(clippy::disallowed_methods, reason = "OpenSSL verifies at wall time")]
    Timestamp::now()
}

fn open(folder: &Path, options: &OpenOptions) -> (Pki, Vec<Action>) {
    let (pki, actions) = Pki::open(folder, options).unwrap();
    (pki, actions.into_values().collect())
}

fn strictly_valid(ca: &X509, leaf: &X509) -> Result<(), String> {
    let mut store = X509StoreBuilder::new().unwrap();
    store.add_cert(ca.clone()).unwrap();
    let mut param = X509VerifyParam::new().unwrap();
    param.set_flags(X509VerifyFlags::X509_STRICT | X509VerifyFlags::CHECK_SS_SIGNATURE).unwrap();
    store.set_param(&param).unwrap();
    let store = store.build();
    let mut context = X509StoreContext::new().unwrap();
    let (valid, error) = context
        .init(&store, leaf, &Stack::new().unwrap(), |c| Ok((c.verify_cert()?, c.error())))
        .unwrap();
    if valid { Ok(()) } else { Err(error.error_string().to_owned()) }
}

#[test]
fn a_new_folder_is_complete_strict_and_private() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("deep/certs-dev");
    let mut options = OpenOptions::at(now());
    options.names = vec!["dp.paybank.test".into(), "10.1.2.3".into()];
    let (pki, actions) = open(&folder, &options);
    assert!(actions.iter().all(|action| *action == Action::Created), "{actions:?}");

    assert_eq!(strictly_valid(&pki.ca, &pki.ca), Ok(()));
    let mut subjects = vec![ofp_pki::describe(pki.ca.subject_name())];
    for leaf in Leaf::all() {
        let path = folder.join(format!("{}.pem", leaf.stem()));
        let certificate = X509::from_pem(&fs::read(&path).unwrap()).unwrap();
        assert_eq!(strictly_valid(&pki.ca, &certificate), Ok(()), "{}", leaf.stem());
        subjects.push(ofp_pki::describe(certificate.subject_name()));
        let key = folder.join(format!("{}-key.pem", leaf.stem()));
        assert_eq!(fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600, "{key:?}");
    }
    let all = subjects.len();
    subjects.sort();
    subjects.dedup();
    assert_eq!(subjects.len(), all, "every subject is distinct");
    assert_eq!(fs::read_to_string(folder.join(".gitignore")).unwrap().lines().last(), Some("*"));

    let names = pki.dp.server.certificate.subject_alt_names().unwrap();
    let names: Vec<&str> = names.iter().filter_map(|name| name.dnsname()).collect();
    assert_eq!(names, ["localhost", "dp.paybank.test"]);
}

#[test]
fn jwks_carry_the_thumbprint_as_kid_and_only_public_members() {
    let pki = Pki::in_memory(now()).unwrap();
    let set = pki.jwks(Party::Dc1).unwrap();
    let uses: Vec<&str> = set.keys.iter().filter_map(|key| key.key_use.as_deref()).collect();
    assert_eq!(uses, ["sig", "enc"]);
    let signing = pki.dcs[0].kit.signing.thumbprint().unwrap();
    assert_eq!(set.keys[0].kid.as_deref(), Some(signing.as_str()));
    assert_eq!(set.keys[0].x5t_s256, set.keys[0].kid);
    let text = serde_json::to_string(&set).unwrap();
    assert!(!text.contains("\"d\"") && !text.contains("\"p\""), "no private member: {text}");
}

#[test]
fn what_is_good_is_reused_and_what_nears_its_end_is_renewed() {
    let dir = tempfile::tempdir().unwrap();
    let start = now();
    let (first, _) = open(dir.path(), &OpenOptions::at(start));

    let (again, actions) =
        open(dir.path(), &OpenOptions::at(start + SignedDuration::from_hours(24)));
    assert!(actions.iter().all(|action| *action == Action::Reused), "{actions:?}");
    assert_eq!(again.dp.signing.thumbprint().unwrap(), first.dp.signing.thumbprint().unwrap());

    let late = start + SignedDuration::from_hours(24 * 25);
    let (renewed, actions) = open(dir.path(), &OpenOptions::at(late));
    assert_eq!(actions[0], Action::Reused, "the CA lives on");
    assert!(actions[1..].iter().all(|action| *action == Action::Renewed), "{actions:?}");
    assert_ne!(renewed.dp.signing.thumbprint().unwrap(), first.dp.signing.thumbprint().unwrap());
    assert_eq!(renewed.ca.to_der().unwrap(), first.ca.to_der().unwrap());

    let (_, actions) =
        open(dir.path(), &OpenOptions::at(start + SignedDuration::from_hours(24 * 340)));
    assert!(actions.iter().all(|action| *action == Action::Renewed), "{actions:?}");
}

#[test]
fn a_new_name_renews_the_servers_only() {
    let dir = tempfile::tempdir().unwrap();
    let mut options = OpenOptions::at(now());
    open(dir.path(), &options);
    options.names.push("as.ofp.test".into());
    let (_, actions) = Pki::open(dir.path(), &options).unwrap();
    for (stem, action) in actions {
        let expected = if stem.ends_with("/server") { Action::Renewed } else { Action::Reused };
        assert_eq!(action, expected, "{stem}");
    }
}

#[test]
fn a_broken_folder_is_an_error_that_names_the_file_and_touches_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let options = OpenOptions::at(now());
    open(dir.path(), &options);
    let file = |name: &str| -> PathBuf { dir.path().join(name) };
    let error = |expected: &str| {
        let text = Pki::open(dir.path(), &options).unwrap_err().to_string();
        let text = text.replace(&format!("{}/", dir.path().display()), "");
        assert!(text.starts_with(expected), "{text}");
    };

    let good = fs::read(file("dp/signing.pem")).unwrap();
    fs::write(file("dp/signing.pem"), "not a certificate").unwrap();
    error("dp/signing.pem is not a PEM certificate: ");
    assert_eq!(fs::read(file("dp/signing.pem")).unwrap(), b"not a certificate");

    fs::copy(file("paynet/signing.pem"), file("dp/signing.pem")).unwrap();
    error("the key in dp/signing-key.pem does not belong to the certificate beside it");

    fs::remove_file(file("dp/signing.pem")).unwrap();
    error("dp/signing-key.pem is there but dp/signing.pem is not: restore it, or delete both");

    fs::write(file("dp/signing.pem"), good).unwrap();
    fs::write(file("dp/signing-key.pem"), "x").unwrap();
    error("dp/signing-key.pem is not a PEM private key without a passphrase: ");
}

#[test]
fn a_folder_that_cannot_be_made_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("file"), "x").unwrap();
    let folder = dir.path().join("file/certs-dev");
    let error = Pki::open(&folder, &OpenOptions::at(now())).unwrap_err();
    assert!(matches!(error, PkiError::Io { attempt: "create the folder", .. }), "{error}");
}

#[test]
fn every_leaf_has_its_usages() {
    let pki = Pki::in_memory(now()).unwrap();
    let text = |credential: &ofp_pki::Credential| {
        String::from_utf8(credential.certificate.to_text().unwrap()).unwrap()
    };
    let kit = pki.kit(Party::PayNet);
    assert!(text(&kit.server).contains("TLS Web Server Authentication"));
    assert!(text(&kit.client).contains("TLS Web Client Authentication"));
    assert!(!text(&kit.signing).contains("TLS Web"), "a signing certificate is no TLS certificate");
    assert!(text(&pki.dcs[0].encryption).contains("Key Encipherment"));
    assert_eq!(Leaf { party: Party::Dp, purpose: Purpose::Signing }.stem(), "dp/signing");
}
