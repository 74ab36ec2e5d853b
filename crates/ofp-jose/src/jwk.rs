//! JWK sets (RFC 7517) as the platform publishes them, and the keys made of them.

use jiff::Timestamp;
use josekit::{
    jwe::{RSA_OAEP_256 as OAEP, alg::rsaes::RsaesJweEncrypter},
    jws::{PS256 as PSS, alg::rsassa_pss::RsassaPssJwsVerifier},
};
use ofp_types::Kid;
use openssl::{
    bn::{BigNum, BigNumRef},
    pkey::{PKey, Public},
    rsa::Rsa,
    sha::sha256,
    x509::X509Ref,
};
use serde::{Deserialize, Serialize};

use crate::{
    base64url, base64url_decode,
    error::JoseError,
    jwe::encrypt_compact,
    key::{KeyError, openssl_failed},
};

/// What a key may be used for: `use` of a JWK (RFC 7517 §4.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyUse {
    /// Signatures.
    Sig,
    /// Encryption.
    Enc,
}

impl KeyUse {
    /// `sig` or `enc`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sig => "sig",
            Self::Enc => "enc",
        }
    }

    /// The one algorithm that the platform has for it.
    #[must_use]
    pub fn alg(self) -> &'static str {
        match self {
            Self::Sig => crate::PS256,
            Self::Enc => crate::RSA_OAEP_256,
        }
    }
}

/// One key of a JWK set, with the members that the platform publishes (S4:L370-383).
/// Members beyond these are ignored (RFC 7517 §5).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Jwk {
    /// Key id: the certificate's thumbprint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kid: Option<String>,
    /// Key type; only `RSA` is used.
    pub kty: String,
    /// `sig` or `enc`.
    #[serde(rename = "use", default, skip_serializing_if = "Option::is_none")]
    pub key_use: Option<String>,
    /// The algorithm that the key is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alg: Option<String>,
    /// RSA modulus.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub n: Option<String>,
    /// RSA exponent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub e: Option<String>,
    /// Certificate chain, standard base64 (RFC 7517 §4.7).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub x5c: Option<Vec<String>>,
    /// base64url(SHA-256(DER certificate)) (RFC 7517 §4.9).
    #[serde(rename = "x5t#S256", default, skip_serializing_if = "Option::is_none")]
    pub x5t_s256: Option<String>,
}

impl Jwk {
    /// The JWK of a certificate's RSA key.
    ///
    /// # Errors
    /// [`KeyError`] when the key is not RSA.
    pub fn of_certificate(certificate: &X509Ref, key_use: KeyUse) -> Result<Self, KeyError> {
        let key = certificate.public_key().map_err(openssl_failed("read a certificate's key"))?;
        let rsa = key.rsa().map_err(|_| KeyError::NotRsa { kind: format!("{:?}", key.id()) })?;
        let kid = thumbprint(certificate)?;
        let der = certificate.to_der().map_err(openssl_failed("encode a certificate"))?;
        Ok(Self {
            kid: Some(kid.to_string()),
            kty: "RSA".into(),
            key_use: Some(key_use.as_str().into()),
            alg: Some(key_use.alg().into()),
            n: Some(base64url(&rsa.n().to_vec())),
            e: Some(base64url(&rsa.e().to_vec())),
            x5c: Some(vec![openssl::base64::encode_block(&der)]),
            x5t_s256: Some(kid.to_string()),
        })
    }
}

/// `{"keys": […]}` (RFC 7517 §5).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct JwkSet {
    /// The keys. What does not even have the shape of a JWK is left out (RFC 7517 §5).
    #[serde(deserialize_with = "jwks_only")]
    pub keys: Vec<Jwk>,
}

fn jwks_only<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<Jwk>, D::Error> {
    let keys: Vec<serde_json::Value> = Deserialize::deserialize(deserializer)?;
    Ok(keys.into_iter().filter_map(|key| serde_json::from_value(key).ok()).collect())
}

/// The kid of a certificate: base64url(SHA-256(DER)).
///
/// # Errors
/// [`KeyError`] when OpenSSL cannot encode the certificate.
pub fn thumbprint(certificate: &X509Ref) -> Result<Kid, KeyError> {
    let der = certificate.to_der().map_err(openssl_failed("encode a certificate"))?;
    Kid::parse(base64url(&sha256(&der))).map_err(|e| KeyError::Unusable { reason: e.to_string() })
}

/// A key of a JWK set that cannot be used, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RejectedKey {
    /// Its kid, if it has one.
    pub kid: Option<String>,
    /// Why it cannot be used.
    pub reason: String,
}

/// A public key, ready for use: parsed once.
pub struct PublicKey {
    kid: String,
    key_use: KeyUse,
    key: PKey<Public>,
    primitive: Primitive,
}

enum Primitive {
    Verify(Box<RsassaPssJwsVerifier>),
    Encrypt(Box<RsaesJweEncrypter>),
}

impl PublicKey {
    /// A key under the id `kid`.
    ///
    /// # Errors
    /// [`KeyError`] when the key is not RSA of at least 2048 bits.
    pub fn new(kid: &str, key_use: KeyUse, key: PKey<Public>) -> Result<Self, KeyError> {
        let rsa = key.rsa().map_err(|_| KeyError::NotRsa { kind: format!("{:?}", key.id()) })?;
        if rsa.n().num_bits() < 2048 {
            return Err(KeyError::TooShort { bits: rsa.n().num_bits() });
        }
        let der = key.public_key_to_der().map_err(openssl_failed("encode a public key"))?;
        let unusable = |e: josekit::JoseError| KeyError::Unusable { reason: e.to_string() };
        let primitive = match key_use {
            KeyUse::Sig => {
                Primitive::Verify(Box::new(PSS.verifier_from_der(&der).map_err(unusable)?))
            }
            KeyUse::Enc => {
                Primitive::Encrypt(Box::new(OAEP.encrypter_from_der(&der).map_err(unusable)?))
            }
        };
        Ok(Self { kid: kid.to_owned(), key_use, key, primitive })
    }

    /// The key of a certificate, under its thumbprint.
    ///
    /// # Errors
    /// [`KeyError`] when the key is not RSA of at least 2048 bits.
    pub fn of_certificate(certificate: &X509Ref, key_use: KeyUse) -> Result<Self, KeyError> {
        let key = certificate.public_key().map_err(openssl_failed("read a certificate's key"))?;
        Self::new(thumbprint(certificate)?.as_str(), key_use, key)
    }

    /// Its id.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// As X.509 writes it, for tokens that are wrong on purpose.
    pub(crate) fn to_der(&self) -> Option<Vec<u8>> {
        self.key.public_key_to_der().ok()
    }

    /// What it may be used for.
    #[must_use]
    pub fn key_use(&self) -> KeyUse {
        self.key_use
    }

    /// Encrypts to this key: RSA-OAEP-256 and A256GCM, `kid` and `cty` in the header.
    ///
    /// # Errors
    /// [`JoseError::WrongUse`] for a signature key.
    pub fn encrypt(&self, plaintext: &[u8], cty: Option<&str>) -> Result<String, JoseError> {
        match &self.primitive {
            Primitive::Encrypt(encrypter) => encrypt_compact(encrypter, &self.kid, plaintext, cty),
            Primitive::Verify(_) => Err(self.wrong_use(KeyUse::Enc)),
        }
    }

    pub(crate) fn verify(&self, input: &[u8], signature: &[u8]) -> Result<(), JoseError> {
        match &self.primitive {
            Primitive::Verify(verifier) => {
                josekit::jws::JwsVerifier::verify(verifier.as_ref(), input, signature)
                    .map_err(|_| JoseError::SignatureWrong { kid: self.kid.clone() })
            }
            Primitive::Encrypt(_) => Err(self.wrong_use(KeyUse::Sig)),
        }
    }

    fn wrong_use(&self, expected: KeyUse) -> JoseError {
        JoseError::WrongUse {
            kid: self.kid.clone(),
            expected: expected.as_str(),
            actual: self.key_use.as_str(),
        }
    }
}

/// The usable keys of one party.
#[derive(Default)]
pub struct KeySet {
    owner: String,
    keys: Vec<PublicKey>,
}

impl KeySet {
    /// The keys of `owner`, whose name stands in messages.
    #[must_use]
    pub fn new(owner: &str, keys: Vec<PublicKey>) -> Self {
        Self { owner: owner.to_owned(), keys }
    }

    /// The usable keys of a JWK set, and those that are not, each with the reason.
    #[must_use]
    pub fn of_jwks(owner: &str, set: &JwkSet) -> (Self, Vec<RejectedKey>) {
        let mut usable = Vec::new();
        let mut rejected = Vec::new();
        for jwk in &set.keys {
            match public_key(jwk) {
                Ok(key) => usable.push(key),
                Err(e) => {
                    rejected.push(RejectedKey { kid: jwk.kid.clone(), reason: e.to_string() });
                }
            }
        }
        (Self::new(owner, usable), rejected)
    }

    /// Whose keys these are.
    #[must_use]
    pub fn owner(&self) -> &str {
        &self.owner
    }

    /// Every key.
    pub fn iter(&self) -> impl Iterator<Item = &PublicKey> {
        self.keys.iter()
    }

    /// The key that `kid` names for `key_use`: first by kid, then by use (FAPI 2.0 SP §5.4.3).
    ///
    /// # Errors
    /// [`JoseError::UnknownKid`] or [`JoseError::WrongUse`].
    pub fn find(&self, kid: &str, key_use: KeyUse) -> Result<&PublicKey, JoseError> {
        let mut named = self.keys.iter().filter(|key| key.kid == kid).peekable();
        let Some(first) = named.peek().copied() else {
            return Err(JoseError::UnknownKid { kid: kid.to_owned(), owner: self.owner.clone() });
        };
        named.find(|key| key.key_use == key_use).ok_or_else(|| first.wrong_use(key_use))
    }

    /// The first key for `key_use`, for a sender that is not told which to use.
    #[must_use]
    pub fn first(&self, key_use: KeyUse) -> Option<&PublicKey> {
        self.keys.iter().find(|key| key.key_use == key_use)
    }
}

fn public_key(jwk: &Jwk) -> Result<PublicKey, KeyError> {
    let unusable = |reason: &str| KeyError::Unusable { reason: reason.to_owned() };
    if jwk.kty != "RSA" {
        return Err(KeyError::NotRsa { kind: jwk.kty.clone() });
    }
    let kid = jwk.kid.as_deref().ok_or_else(|| unusable("it has no kid"))?;
    let key_use = match jwk.key_use.as_deref() {
        Some("sig") => KeyUse::Sig,
        Some("enc") => KeyUse::Enc,
        _ => return Err(unusable("its use is neither sig nor enc")),
    };
    if let Some(alg) = jwk.alg.as_deref().filter(|alg| *alg != key_use.alg()) {
        return Err(unusable(&format!("its alg is {alg}, not {}", key_use.alg())));
    }
    let n = number(jwk.n.as_deref()).ok_or_else(|| unusable("its n is not base64url"))?;
    let e = number(jwk.e.as_deref()).ok_or_else(|| unusable("its e is not base64url"))?;
    if !is_safe_exponent(&e) {
        return Err(unusable("its exponent e is not an odd number above 1"));
    }
    let key = Rsa::from_public_components(n, e)
        .and_then(PKey::from_rsa)
        .map_err(openssl_failed("build an RSA key"))?;
    if let Some(leaf) = jwk.x5c.as_ref().and_then(|chain| chain.first()) {
        agrees_with_certificate(leaf, &key)?;
    }
    PublicKey::new(kid, key_use, key)
}

fn number(text: Option<&str>) -> Option<BigNum> {
    BigNum::from_slice(&base64url_decode(text?)?).ok()
}

fn is_safe_exponent(e: &BigNumRef) -> bool {
    e.is_bit_set(0) && e.num_bits() > 1
}

fn agrees_with_certificate(x5c: &str, key: &PKey<Public>) -> Result<(), KeyError> {
    let unusable = |reason: &str| KeyError::Unusable { reason: reason.to_owned() };
    let der = openssl::base64::decode_block(x5c).map_err(|_| unusable("its x5c is not base64"))?;
    let certificate = openssl::x509::X509::from_der(&der)
        .map_err(|_| unusable("its x5c is not a DER certificate"))?;
    match certificate.public_key() {
        Ok(inside) if inside.public_eq(key) => Ok(()),
        _ => Err(unusable("the key in its x5c is not the one of n and e")),
    }
}

impl std::fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PublicKey")
            .field("kid", &self.kid)
            .field("use", &self.key_use.as_str())
            .field("bits", &self.key.bits())
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for KeySet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeySet").field("owner", &self.owner).field("keys", &self.keys).finish()
    }
}

/// Seconds since 1970 of `time`, as NumericDates have them.
pub(crate) fn seconds(time: Timestamp) -> i64 {
    time.as_second()
}
