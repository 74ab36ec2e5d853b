//! The independent vectors of the specification, made with Python's `cryptography`.

#![expect(clippy::unwrap_used, reason = "a test stops at its first surprise")]

use ofp_jose::{
    CompactJwe, CompactJws, DecryptionKey, JoseError, JwkSet, KeySet, KeyUse, thumbprint,
};
use openssl::{pkey::PKey, x509::X509};
use serde_json::Value;

fn vectors() -> Value {
    serde_json::from_str(include_str!("data/vectors.json")).unwrap()
}

fn keys(vectors: &Value, party: &str) -> KeySet {
    let set: JwkSet =
        serde_json::from_value(serde_json::json!({ "keys": vectors["jwks"][party] })).unwrap();
    let (keys, rejected) = KeySet::of_jwks(party, &set);
    assert_eq!(rejected, []);
    keys
}

fn certificate(jwk: &Value) -> X509 {
    let der = openssl::base64::decode_block(jwk["x5c"][0].as_str().unwrap()).unwrap();
    X509::from_der(&der).unwrap()
}

#[test]
fn kid_is_the_certificates_thumbprint() {
    let vectors = vectors();
    for party in ["pn", "dp", "dc"] {
        for jwk in vectors["jwks"][party].as_array().unwrap() {
            assert_eq!(
                thumbprint(&certificate(jwk)).unwrap().as_str(),
                jwk["kid"].as_str().unwrap()
            );
        }
    }
}

#[test]
fn authorize_signature_is_over_the_bare_consent_id() {
    let vectors = vectors();
    let jws = CompactJws::parse(vectors["authorize_signature"].as_str().unwrap()).unwrap();
    let verified = jws.verify(&keys(&vectors, "pn")).unwrap();
    assert_eq!(verified.payload, b"a7cb03ff-4c70-4eaa-87f4-f2a4c4c87b0d");
    let error = jws.verify(&keys(&vectors, "dp")).unwrap_err();
    assert!(matches!(error, JoseError::UnknownKid { owner, .. } if owner == "dp"));
}

#[test]
fn event_signature_is_detached_over_the_raw_body() {
    let vectors = vectors();
    let event = &vectors["consent_event"];
    let body = event["body"].as_str().unwrap();
    let jws = CompactJws::parse(event["x-fapi-signature"].as_str().unwrap()).unwrap();
    assert!(jws.is_detached());
    let keys = keys(&vectors, "pn");
    assert!(jws.verify_over(&keys, body.as_bytes()).is_ok());
    let spaced = body.replacen(':', ": ", 1);
    let error = jws.verify_over(&keys, spaced.as_bytes()).unwrap_err();
    assert!(matches!(error, JoseError::SignatureWrong { .. }));
    assert_eq!(jws.verify(&keys).unwrap_err(), JoseError::UnexpectedlyDetached);
}

#[test]
fn dc_signature_carries_claims() {
    let vectors = vectors();
    let jws = CompactJws::parse(vectors["x_signature"].as_str().unwrap()).unwrap();
    let claims = jws.verify(&keys(&vectors, "dc")).unwrap().claims().unwrap();
    assert!(claims.addressed_to(ofp_types::PLATFORM_AUDIENCE).is_ok());
    assert_eq!(claims.text("iss").unwrap(), "16f87e367071230059bff09a");
}

#[test]
fn dp_response_is_encrypted_then_signed() {
    let vectors = vectors();
    let jws = CompactJws::parse(vectors["dp_response"].as_str().unwrap()).unwrap();
    let claims = jws.verify(&keys(&vectors, "dp")).unwrap().claims().unwrap();
    let jwe = CompactJwe::parse(claims.text("data").unwrap()).unwrap();
    assert_eq!(jwe.admit(), Ok(()));

    let private = vectors["dc_enc_private_key_pem"].as_str().unwrap();
    let private = PKey::private_key_from_pem(private.as_bytes()).unwrap();
    let enc = vectors["jwks"]["dc"].as_array().unwrap().iter().find(|k| k["use"] == "enc").unwrap();
    let key = DecryptionKey::new(&private, &certificate(enc)).unwrap();
    let plaintext: Value = serde_json::from_slice(&key.decrypt(&jwe).unwrap()).unwrap();
    assert!(plaintext["data"]["current_balance"].is_object(), "{plaintext}");

    let dc = keys(&vectors, "dc");
    assert!(matches!(dc.find(key.kid().as_str(), KeyUse::Sig), Err(JoseError::WrongUse { .. })));
}
