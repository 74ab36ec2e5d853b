//! The platform's signing keys: one in use, the ones before it still published, so that messages
//! on their way can be verified (S1:L223).

use std::sync::{Arc, PoisonError, RwLock};

use ofp_jose::{Jwk, JwkSet, KeyError, KeyUse, SigningKey};
use ofp_net::{Shelf, Store};
use ofp_pki::Credential;
use ofp_types::Kid;
use openssl::{pkey::PKey, x509::X509};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::PaynetError;

/// A key as the store holds it.
#[derive(Serialize, Deserialize)]
struct StoredKey {
    /// Counts rotations; the highest is in use.
    number: u64,
    /// PEM.
    certificate: String,
    /// PEM.
    key: String,
}

struct Ring {
    stored: Shelf<StoredKey>,
    signing: Arc<SigningKey>,
    published: Arc<JwkSet>,
    /// Whether keys of a kind that nobody knows are published as well.
    unknown_kinds: bool,
}

/// The platform's signing keys.
pub(crate) struct Keys(RwLock<Ring>);

impl Keys {
    /// The keys of the store, or `first` if there are none yet.
    pub(crate) fn open(first: &Credential, store: &Store) -> Result<Self, PaynetError> {
        let mut stored = Shelf::open("keys", store)?;
        if stored.is_empty() {
            put(&mut stored, 0, first)?;
        }
        let (signing, published) = in_use(&stored)?;
        Ok(Self(RwLock::new(Ring { stored, signing, published, unknown_kinds: false })))
    }

    /// The key to sign with now.
    pub(crate) fn signing(&self) -> Arc<SigningKey> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner).signing)
    }

    /// What is published now, as JSON.
    pub(crate) fn published_json(&self) -> Value {
        let ring = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let mut set = serde_json::to_value(&*ring.published).unwrap_or_default();
        if ring.unknown_kinds {
            let unknown = json!({ "kty": "LATTICE", "kid": "of-an-unknown-kind", "use": "sig", "lat": "AQAB" });
            set["x_generation"] = json!(7);
            if let Some(keys) = set["keys"].as_array_mut() {
                keys.iter_mut().for_each(|key| key["x_unknown"] = json!(["member"]));
                keys.insert(0, unknown);
            }
        }
        set
    }

    /// Publishes keys of a kind that nobody knows beside the others, or no longer.
    pub(crate) fn publish_unknown_kinds(&self, unknown_kinds: bool) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).unknown_kinds = unknown_kinds;
    }

    /// Signs with `next` from now on, and publishes it beside the others, or alone.
    pub(crate) fn rotate(&self, next: &Credential, alone: bool) -> Result<Kid, PaynetError> {
        let mut ring = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let number = ring.stored.iter().map(|(_, key)| key.number).max().unwrap_or(0) + 1;
        let kid = put(&mut ring.stored, number, next)?;
        if alone {
            ring.stored.retain(|_, key| key.number == number);
        }
        (ring.signing, ring.published) = in_use(&ring.stored)?;
        Ok(kid)
    }
}

fn put(stored: &mut Shelf<StoredKey>, number: u64, key: &Credential) -> Result<Kid, PaynetError> {
    let kid = key.signing_key()?.kid().clone();
    let pem = |bytes: Result<Vec<u8>, openssl::error::ErrorStack>| {
        let bytes = bytes.map_err(|e| KeyError::Unusable { reason: e.to_string() })?;
        Ok::<_, KeyError>(String::from_utf8_lossy(&bytes).into_owned())
    };
    let entry = StoredKey {
        number,
        certificate: pem(key.certificate.to_pem())?,
        key: pem(key.key.private_key_to_pem_pkcs8())?,
    };
    stored.insert(kid.as_str(), entry);
    Ok(kid)
}

fn in_use(stored: &Shelf<StoredKey>) -> Result<(Arc<SigningKey>, Arc<JwkSet>), PaynetError> {
    let unusable = |e: openssl::error::ErrorStack| KeyError::Unusable { reason: e.to_string() };
    let mut keys: Vec<&StoredKey> = stored.iter().map(|(_, key)| key).collect();
    keys.sort_by_key(|key| std::cmp::Reverse(key.number));
    let mut certificates = Vec::new();
    for key in &keys {
        certificates.push(X509::from_pem(key.certificate.as_bytes()).map_err(unusable)?);
    }
    let newest = keys.first().zip(certificates.first());
    let (newest, certificate) =
        newest.ok_or_else(|| KeyError::Unusable { reason: "there is no signing key".into() })?;
    let private = PKey::private_key_from_pem(newest.key.as_bytes()).map_err(unusable)?;
    let signing = SigningKey::new(&private, certificate)?;
    let jwks: Result<Vec<Jwk>, KeyError> =
        certificates.iter().map(|c| Jwk::of_certificate(c, KeyUse::Sig)).collect();
    Ok((Arc::new(signing), Arc::new(JwkSet { keys: jwks? })))
}
