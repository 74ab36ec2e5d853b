//! Strangers' opinions of our certificates: the `openssl` command and Python's strict TLS.
#![cfg(feature = "interop")]
#![expect(clippy::unwrap_used, reason = "a test stops at its first surprise")]

use std::process::{Command, Output};

use jiff::Timestamp;
use ofp_pki::{Leaf, OpenOptions, Pki};

fn folder() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    #[expect(clippy::disallowed_methods, reason = "strangers verify at wall time")]
    Pki::open(dir.path(), &OpenOptions::at(Timestamp::now())).unwrap();
    dir
}

fn succeeds(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    text
}

#[test]
fn openssl_verify_x509_strict_accepts_every_leaf() {
    let dir = folder();
    for leaf in Leaf::all() {
        let output = Command::new("openssl")
            .args(["verify", "-x509_strict", "-CAfile", "ca.pem"])
            .arg(format!("{}.pem", leaf.stem()))
            .current_dir(dir.path())
            .output()
            .unwrap();
        assert_eq!(succeeds(&output), format!("{}.pem: OK\n", leaf.stem()));
    }
}

#[test]
fn openssl_computes_the_same_kid() {
    let dir = folder();
    let script = "openssl x509 -in dp/signing.pem -outform DER | openssl dgst -sha256 -binary \
                  | basenc --base64url | tr -d =";
    let output = Command::new("sh").args(["-c", script]).current_dir(dir.path()).output().unwrap();
    let jwks = std::fs::read_to_string(dir.path().join("dp/jwks.json")).unwrap();
    let kid = succeeds(&output);
    assert!(jwks.contains(&format!("\"kid\": \"{}\"", kid.trim())), "{kid} {jwks}");
}

/// Python 3.13 sets `VERIFY_X509_STRICT` by default; setting it by hand proves the same on 3.11.
#[test]
fn python_completes_a_strict_mutual_handshake() {
    let dir = folder();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/interop/strict_handshake.py");
    let output = Command::new("python3").arg(script).arg(dir.path()).output().unwrap();
    assert_eq!(succeeds(&output), "TLSv1.3 Mock DC One TLS client\n");
}
