//! What the strict pre-parse and the pinned profile refuse, each with its reason.

#![expect(clippy::unwrap_used, reason = "a test stops at its first surprise")]

mod common;

use common::{alice, mallory};
use ofp_jose::{
    CompactJwe, CompactJws, Family, JoseError, Jwk, JwkSet, KeySet, KeyUse, SigningKey, base64url,
    corrupt, thumbprint,
};
use serde_json::{Map, Value, json};

fn refused(jws: &str) -> JoseError {
    let keys = alice().set("alice", KeyUse::Sig);
    CompactJws::parse(jws).and_then(|jws| jws.verify(&keys)).unwrap_err()
}

/// A token with this header over `{}`, honestly signed by alice whatever the header says.
fn with_header(header: &Value) -> String {
    raw_header(&header.to_string())
}

fn raw_header(header: &str) -> String {
    let pair = alice();
    let input = format!("{}.{}", base64url(header.as_bytes()), base64url(b"{}"));
    let signer =
        josekit::jws::PS256.signer_from_der(pair.key.private_key_to_pkcs8().unwrap()).unwrap();
    let signature = josekit::jws::JwsSigner::sign(&signer, input.as_bytes()).unwrap();
    format!("{input}.{}", base64url(&signature))
}

#[test]
fn every_malformed_or_misaddressed_signature_has_its_own_reason() {
    let pair = alice();
    let kid = thumbprint(&pair.certificate).unwrap();
    let good = pair.signing().sign(b"{}");
    let foreign = SigningKey::with_kid(&mallory().key, kid.clone()).unwrap().sign(b"{}");
    let parts: Vec<&str> = good.split('.').collect();
    let [header, payload, signature] = parts[..] else { unreachable!("a JWS has three parts") };

    let cases = [
        (String::new(), "a compact JWS has 3 parts separated by dots, this has 1"),
        (format!("{good}.x"), "a compact JWS has 3 parts separated by dots, this has 4"),
        (
            format!("{header}.{payload}.{signature}="),
            "the signature is not base64url without padding",
        ),
        (
            format!("{header}.{payload}.{signature}\n"),
            "the signature is not base64url without padding",
        ),
        (format!("{header}.{payload}."), "the signature is empty"),
        (format!("{header}..{signature}"), "the JWS is detached, its payload must be inside"),
        (format!("e30.{payload}.{signature}"), "alg is missing, only PS256 is allowed"),
        (raw_header("[]"), "the header is unusable: expected an object, found an array"),
        (
            raw_header(&format!(r#"{{"alg":"PS256","alg":"none","kid":"{kid}"}}"#)),
            "the header is unusable: member `alg` appears twice at line 1 column 27",
        ),
        (with_header(&json!({"alg": "none", "kid": kid})), "alg is none, only PS256 is allowed"),
        (with_header(&json!({"alg": "RS256", "kid": kid})), "alg is RS256, only PS256 is allowed"),
        (with_header(&json!({"alg": "HS256", "kid": kid})), "alg is HS256, only PS256 is allowed"),
        (with_header(&json!({"alg": 1})), "the header is unusable: alg must be a string"),
        (with_header(&json!({"alg": "PS256"})), "the header has no kid"),
        (
            with_header(&json!({"alg": "PS256", "kid": kid, "crit": ["exp"], "exp": 1})),
            "crit names `exp`, which is not understood",
        ),
        (
            with_header(&json!({"alg": "PS256", "kid": kid, "crit": []})),
            "the header is unusable: crit must be a list of names",
        ),
        (
            with_header(&json!({"alg": "PS256", "kid": "nobody"})),
            "kid nobody is not in the key set of alice",
        ),
    ];
    for (token, reason) in cases {
        assert_eq!(refused(&token).to_string(), reason, "{token}");
    }
    let wrong = JoseError::SignatureWrong { kid: kid.to_string() };
    assert_eq!(refused(&foreign), wrong);
    assert_eq!(refused(&corrupt::flip_signature_bit(&good)), wrong);
    assert_eq!(wrong.family(), Family::Signature);
}

#[test]
fn a_key_serves_its_use_only() {
    let pair = alice();
    let good = pair.signing().sign(b"{}");
    let enc_only = pair.set("alice", KeyUse::Enc);
    let error = CompactJws::parse(&good).unwrap().verify(&enc_only).unwrap_err();
    assert!(matches!(error, JoseError::WrongUse { expected: "sig", actual: "enc", .. }));
    assert!(matches!(
        pair.public(KeyUse::Sig).encrypt(b"x", None),
        Err(JoseError::WrongUse { expected: "enc", .. })
    ));
    let both = KeySet::new("alice", vec![pair.public(KeyUse::Enc), pair.public(KeyUse::Sig)]);
    assert!(CompactJws::parse(&good).unwrap().verify(&both).is_ok(), "by kid, then by use");
}

#[test]
fn a_size_limit_is_kept() {
    let huge = "a".repeat(ofp_jose::MAX_TOKEN_BYTES + 1);
    assert!(matches!(CompactJws::parse(&huge), Err(JoseError::TooLarge { .. })));
    assert!(matches!(CompactJwe::parse(&huge), Err(JoseError::TooLarge { .. })));
}

#[test]
fn unencoded_detached_payloads_are_understood() {
    let pair = alice();
    let keys = pair.set("alice", KeyUse::Sig);
    let kid = thumbprint(&pair.certificate).unwrap();
    let header = json!({"alg": "PS256", "kid": kid, "b64": false, "crit": ["b64"]}).to_string();
    let header = base64url(header.as_bytes());
    let body = b"a.b";
    let signer =
        josekit::jws::PS256.signer_from_der(pair.key.private_key_to_pkcs8().unwrap()).unwrap();
    let input = [header.as_bytes(), b".", body].concat();
    let signature = josekit::jws::JwsSigner::sign(&signer, &input).unwrap();
    let token = format!("{header}..{}", base64url(&signature));
    let jws = CompactJws::parse(&token).unwrap();
    assert!(jws.verify_over(&keys, body).is_ok());
    assert!(jws.verify_over(&keys, b"a.c").is_err());
}

#[test]
fn attached_over_the_same_body_is_accepted_and_over_another_is_not() {
    let pair = alice();
    let keys = pair.set("alice", KeyUse::Sig);
    let token = pair.signing().sign(b"{\"a\":1}");
    let jws = CompactJws::parse(&token).unwrap();
    assert!(jws.verify_over(&keys, b"{\"a\":1}").is_ok());
    assert_eq!(jws.verify_over(&keys, b"{\"a\": 1}").unwrap_err(), JoseError::PayloadDiffers);
}

#[test]
fn extra_header_members_travel() {
    let extra = Map::from_iter([("iss".to_owned(), json!("Paynet OFP"))]);
    let token = alice().signing().sign_detached(extra, b"body");
    let jws = CompactJws::parse(&token).unwrap();
    assert_eq!(jws.header.keys().collect::<Vec<_>>(), ["alg", "kid", "iss"]);
}

#[test]
fn a_truncated_tag_never_reaches_josekit() {
    let pair = alice();
    let jwe = pair.public(KeyUse::Enc).encrypt(b"secret", Some("JWT")).unwrap();
    let key = pair.decryption();
    let parsed = CompactJwe::parse(&jwe).unwrap();
    assert_eq!(parsed.header_text("cty"), Some("JWT"));
    assert_eq!(key.decrypt(&parsed).unwrap(), b"secret");
    for length in 0..16 {
        let cut = corrupt::truncate_tag(&jwe, length);
        let error = key.decrypt(&CompactJwe::parse(&cut).unwrap()).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("the authentication tag has {length} bytes, 16 are required")
        );
        assert_eq!(error.family(), Family::Encryption);
    }
    let error = mallory().decryption().decrypt(&parsed).unwrap_err();
    assert!(matches!(error, JoseError::DecryptionFailed { .. }));
}

#[test]
fn a_jwe_outside_the_profile_is_refused_before_any_key_touches_it() {
    let pair = alice();
    let good = pair.public(KeyUse::Enc).encrypt(b"secret", None).unwrap();
    let (_, rest) = good.split_once('.').unwrap();
    let admit = |header: Value| {
        let token = format!("{}.{rest}", base64url(header.to_string().as_bytes()));
        CompactJwe::parse(&token).and_then(|jwe| jwe.admit()).unwrap_err().to_string()
    };
    assert_eq!(
        admit(json!({"alg": "RSA1_5", "enc": "A256GCM"})),
        "alg is RSA1_5, only RSA-OAEP-256 is allowed"
    );
    assert_eq!(
        admit(json!({"alg": "RSA-OAEP-256", "enc": "A128CBC-HS256"})),
        "enc is A128CBC-HS256, only A256GCM is allowed"
    );
    assert_eq!(
        admit(json!({"alg": "RSA-OAEP-256", "enc": "A256GCM", "zip": "DEF"})),
        "the header carries `zip`, which the profile forbids"
    );
    assert_eq!(
        admit(json!({"alg": "RSA-OAEP-256", "enc": "A256GCM", "crit": ["x"], "x": 1})),
        "the header carries `crit`, which the profile forbids"
    );
    assert_eq!(
        CompactJwe::parse("a.b.c").unwrap_err().to_string(),
        "a compact JWE has 5 parts separated by dots, this has 3"
    );
}

#[test]
fn unusable_keys_of_a_set_are_named_and_the_rest_still_serve() {
    let good = Jwk::of_certificate(&alice().certificate, KeyUse::Sig).unwrap();
    let other = Jwk::of_certificate(&mallory().certificate, KeyUse::Sig).unwrap();
    let set = JwkSet {
        keys: vec![
            Jwk { kty: "OKP".into(), ..good.clone() },
            Jwk { kid: None, ..good.clone() },
            Jwk { key_use: None, ..good.clone() },
            Jwk { e: Some("AQ".into()), ..good.clone() },
            Jwk { n: Some("AQAB".into()), x5c: None, ..good.clone() },
            Jwk { x5c: other.x5c.clone(), ..good.clone() },
            Jwk { alg: Some("RS256".into()), ..good.clone() },
            good,
        ],
    };
    let (keys, rejected) = KeySet::of_jwks("alice", &set);
    assert_eq!(keys.iter().count(), 1);
    let reasons: Vec<&str> = rejected.iter().map(|key| key.reason.as_str()).collect();
    assert_eq!(
        reasons,
        [
            "the key is OKP, an RSA key is needed",
            "the key cannot be used: it has no kid",
            "the key cannot be used: its use is neither sig nor enc",
            "the key cannot be used: its exponent e is not an odd number above 1",
            "the RSA key has 17 bits, at least 2048 are needed",
            "the key cannot be used: the key in its x5c is not the one of n and e",
            "the key cannot be used: its alg is RS256, not PS256",
        ]
    );
}

#[cfg(not(feature = "interop"))]
#[test]
#[ignore = "strangers' opinions need `--features ofp-jose/interop,ofp-pki/interop`, with openssl, python3 and jwcrypto; .ci/run installs and runs them"]
fn interoperability() {}
