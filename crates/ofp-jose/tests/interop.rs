//! Both directions against Python's jwcrypto.
#![cfg(feature = "interop")]
#![expect(clippy::unwrap_used, reason = "a test stops at its first surprise")]

mod common;

use std::{
    io::Write,
    process::{Command, Stdio},
};

use ofp_jose::{CompactJwe, CompactJws, Jwk, JwkSet, KeySet, KeyUse};
use serde_json::{Map, Value, json};

const BODY: &str = r#"{"data":{"amount":"25000.75"}}"#;

fn ask_jwcrypto(given: &Value) -> Value {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/interop/jwcrypto_peer.py");
    let mut python = Command::new("python3")
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    python.stdin.take().unwrap().write_all(given.to_string().as_bytes()).unwrap();
    let output = python.wait_with_output().unwrap();
    assert!(output.status.success(), "jwcrypto refused; its traceback is above");
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn jwcrypto_opens_ours_and_we_open_jwcryptos() {
    let pair = common::alice();
    let signing = pair.signing();
    let kid = signing.kid().to_string();
    let mut jwk = Jwk::of_certificate(&pair.certificate, KeyUse::Sig).unwrap();
    // one key for both uses here; jwcrypto would rightly refuse to encrypt to use=sig
    jwk.key_use = None;
    jwk.alg = None;
    let given = json!({
        "private_pem": String::from_utf8(pair.key.private_key_to_pem_pkcs8().unwrap()).unwrap(),
        "jwks": JwkSet { keys: vec![jwk.clone()] },
        "kid": kid,
        "body": BODY,
        "jws": signing.sign(BODY.as_bytes()),
        "detached": signing.sign_detached(Map::new(), BODY.as_bytes()),
        "jwe": pair.public(KeyUse::Enc).encrypt(BODY.as_bytes(), Some("JWT")).unwrap(),
    });
    let answer = ask_jwcrypto(&given);

    assert_eq!(answer["signed"], BODY);
    assert_eq!(answer["opened"], BODY);
    let header = &answer["opened_header"];
    assert_eq!((&header["kid"], &header["cty"]), (&json!(kid), &json!("JWT")));
    assert_eq!(answer["x5c_is_the_key"], true);

    jwk.key_use = Some("sig".into());
    let (keys, rejected) = KeySet::of_jwks("jwcrypto", &JwkSet { keys: vec![jwk] });
    assert_eq!(rejected, []);
    let jws = CompactJws::parse(answer["jws"].as_str().unwrap()).unwrap();
    assert_eq!(jws.verify(&keys).unwrap().payload, BODY.as_bytes());
    let detached = CompactJws::parse(answer["detached"].as_str().unwrap()).unwrap();
    assert!(detached.verify_over(&keys, BODY.as_bytes()).is_ok());
    assert!(detached.verify_over(&keys, b"another body").is_err());
    let jwe = CompactJwe::parse(answer["jwe"].as_str().unwrap()).unwrap();
    assert_eq!(pair.decryption().decrypt(&jwe).unwrap(), BODY.as_bytes());
}
