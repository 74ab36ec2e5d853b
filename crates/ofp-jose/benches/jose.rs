//! Sign, verify, encrypt, decrypt: each as a ratio to the raw operation of the same OpenSSL,
//! because processors differ by a factor of two and a ratio does not.
#![expect(clippy::unwrap_used, reason = "a benchmark stops at its first surprise")]

#[path = "../tests/common/mod.rs"]
mod common;

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use criterion::{Criterion, criterion_group, criterion_main};
use ofp_jose::{CompactJwe, CompactJws, KeyUse};
use openssl::{
    encrypt::{Decrypter, Encrypter},
    hash::MessageDigest,
    rsa::Padding,
    sign::{RsaPssSaltlen, Signer, Verifier},
};

/// The size of an account response, more or less.
const MESSAGE: [u8; 1024] = [b'x'; 1024];

/// What OpenSSL does below each of ours.
struct Raw {
    signature: Vec<u8>,
    wrapped_key: Vec<u8>,
}

impl Raw {
    fn new() -> Self {
        Self { signature: Self::sign(), wrapped_key: Self::wrap() }
    }

    fn sign() -> Vec<u8> {
        let mut signer = Signer::new(MessageDigest::sha256(), &common::alice().key).unwrap();
        signer.set_rsa_padding(Padding::PKCS1_PSS).unwrap();
        signer.set_rsa_pss_saltlen(RsaPssSaltlen::DIGEST_LENGTH).unwrap();
        signer.sign_oneshot_to_vec(&MESSAGE).unwrap()
    }

    fn verify(&self) -> bool {
        let mut verifier = Verifier::new(MessageDigest::sha256(), &common::alice().key).unwrap();
        verifier.set_rsa_padding(Padding::PKCS1_PSS).unwrap();
        verifier.verify_oneshot(&self.signature, &MESSAGE).unwrap()
    }

    fn wrap() -> Vec<u8> {
        let mut encrypter = Encrypter::new(&common::alice().key).unwrap();
        encrypter.set_rsa_padding(Padding::PKCS1_OAEP).unwrap();
        encrypter.set_rsa_oaep_md(MessageDigest::sha256()).unwrap();
        let mut out = vec![0; encrypter.encrypt_len(&[7; 32]).unwrap()];
        let length = encrypter.encrypt(&[7; 32], &mut out).unwrap();
        out.truncate(length);
        out
    }

    fn unwrap(&self) -> Vec<u8> {
        let mut decrypter = Decrypter::new(&common::alice().key).unwrap();
        decrypter.set_rsa_padding(Padding::PKCS1_OAEP).unwrap();
        decrypter.set_rsa_oaep_md(MessageDigest::sha256()).unwrap();
        let mut out = vec![0; decrypter.decrypt_len(&self.wrapped_key).unwrap()];
        let length = decrypter.decrypt(&self.wrapped_key, &mut out).unwrap();
        out.truncate(length);
        out
    }
}

/// The median time of one call, the two in turn so that drift of the machine hits both.
fn ratio(ours: &dyn Fn(), raw: &dyn Fn()) -> f64 {
    let once = |work: &dyn Fn()| {
        let start = Instant::now();
        (0..8).for_each(|_| work());
        start.elapsed()
    };
    let mut times: Vec<(Duration, Duration)> = (0..61).map(|_| (once(ours), once(raw))).collect();
    times.sort_by(|a, b| {
        (a.0.as_secs_f64() / a.1.as_secs_f64()).total_cmp(&(b.0.as_secs_f64() / b.1.as_secs_f64()))
    });
    let (ours, raw) = times[30];
    ours.as_secs_f64() / raw.as_secs_f64()
}

fn jose(criterion: &mut Criterion) {
    let pair = common::alice();
    let (signing, decryption) = (pair.signing(), pair.decryption());
    let (keys, encryption) = (pair.set("alice", KeyUse::Sig), pair.public(KeyUse::Enc));
    let (jws, jwe) = (signing.sign(&MESSAGE), encryption.encrypt(&MESSAGE, None).unwrap());
    let raw = Raw::new();

    let sign = || drop(black_box(signing.sign(&MESSAGE)));
    let verify = || drop(black_box(CompactJws::parse(&jws).unwrap().verify(&keys).unwrap()));
    let encrypt = || drop(black_box(encryption.encrypt(&MESSAGE, None).unwrap()));
    let decrypt =
        || drop(black_box(decryption.decrypt(&CompactJwe::parse(&jwe).unwrap()).unwrap()));
    let raw_sign = || drop(black_box(Raw::sign()));
    let raw_verify = || assert!(black_box(raw.verify()));
    let raw_encrypt = || drop(black_box(Raw::wrap()));
    let raw_decrypt = || drop(black_box(raw.unwrap()));

    type Work<'a> = &'a dyn Fn();
    let pairs: [(&str, Work<'_>, Work<'_>); 4] = [
        ("sign", &sign, &raw_sign),
        ("verify", &verify, &raw_verify),
        ("encrypt", &encrypt, &raw_encrypt),
        ("decrypt", &decrypt, &raw_decrypt),
    ];
    for (name, ours, raw) in pairs {
        #[expect(clippy::print_stdout, reason = "the ratios are what this benchmark is for")]
        {
            println!("{name}: {:.2} times the raw OpenSSL operation", ratio(ours, raw));
        }
        criterion.bench_function(&format!("{name}/ofp-jose"), |b| b.iter(ours));
        criterion.bench_function(&format!("{name}/openssl"), |b| b.iter(raw));
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().measurement_time(Duration::from_secs(2)).warm_up_time(Duration::from_millis(300));
    targets = jose
}
criterion_main!(benches);
