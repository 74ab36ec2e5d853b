//! Issues certificates: rcgen writes them, OpenSSL makes the keys and signs.

use jiff::{SignedDuration, Timestamp};
use openssl::{
    bn::BigNumContext,
    ec::{EcGroup, EcKey, PointConversionForm},
    hash::MessageDigest,
    nid::Nid,
    pkey::{HasPublic, PKey, Private},
    rsa::Rsa,
    sha::sha256,
    sign::Signer,
    x509::{X509, X509Req},
};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyIdMethod, KeyUsagePurpose, PublicKeyData, SanType, SerialNumber, SignatureAlgorithm,
};

use crate::{CA_DAYS, Credential, LEAF_DAYS, Leaf, Party, PkiError, Purpose};

const CA_ORGANIZATION: &str = "ofp-sim";
const CA_NAME: &str = "ofp-sim throwaway CA";
/// Extended key usage of document signing (RFC 9336).
const DOCUMENT_SIGNING: [u64; 9] = [1, 3, 6, 1, 5, 5, 7, 3, 36];
/// Certificates begin a little early, for a peer whose clock is behind.
const BACKDATED: SignedDuration = SignedDuration::from_mins(5);

/// A private key in the form that rcgen signs and certifies with.
struct RcgenKey {
    key: PKey<Private>,
    public: Vec<u8>,
}

impl RcgenKey {
    fn new(key: PKey<Private>) -> Result<Self, PkiError> {
        let public = public_bytes(&key).map_err(PkiError::crypto("encode a public key"))?;
        Ok(Self { key, public })
    }

    /// The subject key identifier: 20 bytes of SHA-256 over the public key (RFC 7093 §2 method 1).
    fn identifier(&self) -> Vec<u8> {
        sha256(&self.public)[..20].to_vec()
    }
}

impl PublicKeyData for RcgenKey {
    fn der_bytes(&self) -> &[u8] {
        &self.public
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        if self.key.rsa().is_ok() {
            &rcgen::PKCS_RSA_SHA256
        } else {
            &rcgen::PKCS_ECDSA_P256_SHA256
        }
    }
}

impl rcgen::SigningKey for RcgenKey {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        Signer::new(MessageDigest::sha256(), &self.key)
            .and_then(|mut signer| signer.sign_oneshot_to_vec(message))
            .map_err(|_| rcgen::Error::RemoteKeyError)
    }
}

/// PKCS#1 for RSA, the uncompressed point for EC.
fn public_bytes<T: HasPublic>(key: &PKey<T>) -> Result<Vec<u8>, openssl::error::ErrorStack> {
    if let Ok(rsa) = key.rsa() {
        return rsa.public_key_to_der_pkcs1();
    }
    let ec = key.ec_key()?;
    let mut context = BigNumContext::new()?;
    ec.public_key().to_bytes(ec.group(), PointConversionForm::UNCOMPRESSED, &mut context)
}

/// A new private key for `purpose`.
pub(crate) fn new_key(purpose: Purpose) -> Result<PKey<Private>, PkiError> {
    let key = if purpose.is_rsa() { Rsa::generate(2048).and_then(PKey::from_rsa) } else { p256() };
    key.map_err(PkiError::crypto("make a private key"))
}

fn p256() -> Result<PKey<Private>, openssl::error::ErrorStack> {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1)?;
    PKey::from_ec_key(EcKey::generate(&group)?)
}

/// A new CA.
pub(crate) fn new_authority(now: Timestamp) -> Result<Credential, PkiError> {
    let key = p256().map_err(PkiError::crypto("make the CA's private key"))?;
    let ca_key = RcgenKey::new(key.clone())?;
    let certificate = authority_params(&ca_key, now)?
        .self_signed(&ca_key)
        .map_err(PkiError::crypto("issue the CA certificate"))?;
    credential(certificate.der(), key)
}

fn authority_params(key: &RcgenKey, now: Timestamp) -> Result<CertificateParams, PkiError> {
    let mut params = base_params(CA_ORGANIZATION, CA_NAME, key.identifier(), now, CA_DAYS)?;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok(params)
}

/// A certificate for `key`, issued by `ca`. `names` are host names or IP addresses of servers.
pub(crate) fn issue(
    ca: &Credential,
    leaf: Leaf,
    key: PKey<Private>,
    names: &[String],
    now: Timestamp,
) -> Result<Credential, PkiError> {
    let ca_key = RcgenKey::new(ca.key.clone())?;
    let issuer = Issuer::new(authority_params(&ca_key, now)?, ca_key);
    let leaf_key = RcgenKey::new(key.clone())?;
    let name = leaf.common_name();
    let subject = (leaf.party.organization(), name.as_str());
    let certificate = leaf_params(subject, leaf.purpose, leaf_key.identifier(), names, now)?
        .signed_by(&leaf_key, &issuer)
        .map_err(PkiError::crypto("issue a certificate"))?;
    credential(certificate.der(), key)
}

/// A certificate that nobody but itself vouches for.
pub(crate) fn issue_to_itself(leaf: Leaf, now: Timestamp) -> Result<Credential, PkiError> {
    let key = new_key(leaf.purpose)?;
    let leaf_key = RcgenKey::new(key.clone())?;
    let name = leaf.common_name();
    let subject = (leaf.party.organization(), name.as_str());
    let certificate = leaf_params(subject, leaf.purpose, leaf_key.identifier(), &[], now)?
        .self_signed(&leaf_key)
        .map_err(PkiError::crypto("issue a certificate"))?;
    credential(certificate.der(), key)
}

/// The key of a certificate request: only its owner has the private half.
struct RequestedKey {
    public: Vec<u8>,
    algorithm: &'static SignatureAlgorithm,
}

impl PublicKeyData for RequestedKey {
    fn der_bytes(&self) -> &[u8] {
        &self.public
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        self.algorithm
    }
}

impl RequestedKey {
    fn of(request: &X509Req) -> Result<Self, PkiError> {
        let key = request.public_key().map_err(PkiError::crypto("read the request's key"))?;
        let signed = request.verify(&key).map_err(PkiError::crypto("verify the request"))?;
        let unfit = |reason: &str| PkiError::Crypto {
            attempt: "certify a request",
            reason: reason.to_owned(),
        };
        if !signed {
            return Err(unfit("it is not signed with its own key"));
        }
        let algorithm = match key.ec_key() {
            Ok(ec) => match ec.group().curve_name() {
                Some(Nid::X9_62_PRIME256V1) => &rcgen::PKCS_ECDSA_P256_SHA256,
                Some(Nid::SECP384R1) => &rcgen::PKCS_ECDSA_P384_SHA384,
                _ => return Err(unfit("its curve is neither P-256 nor P-384")),
            },
            Err(_) if key.rsa().is_ok() && key.bits() >= 2048 => &rcgen::PKCS_RSA_SHA256,
            Err(_) => return Err(unfit("its key is neither RSA of 2048 bits nor on a curve")),
        };
        let public = public_bytes(&key).map_err(PkiError::crypto("encode a public key"))?;
        Ok(Self { public, algorithm })
    }
}

/// A certificate for the key of a request, under the request's own name.
pub(crate) fn certify(
    ca: &Credential,
    request: &X509Req,
    purpose: Purpose,
    names: &[String],
    now: Timestamp,
) -> Result<X509, PkiError> {
    let key = RequestedKey::of(request)?;
    if purpose.is_rsa() && key.algorithm != &rcgen::PKCS_RSA_SHA256 {
        let reason = "PS256 and RSA-OAEP need an RSA key".into();
        return Err(PkiError::Crypto { attempt: "certify a request", reason });
    }
    let ca_key = RcgenKey::new(ca.key.clone())?;
    let issuer = Issuer::new(authority_params(&ca_key, now)?, ca_key);
    let subject = |nid| {
        let entry = request.subject_name().entries_by_nid(nid).next();
        entry.and_then(|entry| entry.data().to_string().ok())
    };
    let organization = subject(Nid::ORGANIZATIONNAME);
    let leaf = Leaf { party: Party::Dp, purpose };
    let organization = organization.unwrap_or_else(|| leaf.party.organization().to_owned());
    let name = subject(Nid::COMMONNAME).unwrap_or_else(|| leaf.common_name());
    let identifier = sha256(&key.public)[..20].to_vec();
    let certificate = leaf_params((&organization, &name), purpose, identifier, names, now)?
        .signed_by(&key, &issuer)
        .map_err(PkiError::crypto("issue a certificate"))?;
    X509::from_der(certificate.der()).map_err(PkiError::crypto("read back a certificate"))
}

fn leaf_params(
    (organization, name): (&str, &str),
    purpose: Purpose,
    identifier: Vec<u8>,
    names: &[String],
    now: Timestamp,
) -> Result<CertificateParams, PkiError> {
    let mut params = base_params(organization, name, identifier, now, LEAF_DAYS)?;
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = match purpose {
        Purpose::Encryption => vec![KeyUsagePurpose::KeyEncipherment],
        _ => vec![KeyUsagePurpose::DigitalSignature],
    };
    params.extended_key_usages = vec![match purpose {
        Purpose::TlsServer => ExtendedKeyUsagePurpose::ServerAuth,
        Purpose::TlsClient => ExtendedKeyUsagePurpose::ClientAuth,
        Purpose::Signing => ExtendedKeyUsagePurpose::Other(DOCUMENT_SIGNING.to_vec()),
        Purpose::Encryption => ExtendedKeyUsagePurpose::EmailProtection,
    }];
    if purpose == Purpose::TlsServer {
        params.subject_alt_names = alternative_names(names)?;
    }
    Ok(params)
}

fn base_params(
    organization: &str,
    name: &str,
    key_identifier: Vec<u8>,
    now: Timestamp,
    days: i64,
) -> Result<CertificateParams, PkiError> {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::OrganizationName, organization);
    params.distinguished_name.push(DnType::CommonName, name);
    params.serial_number = Some(serial_number()?);
    params.key_identifier_method = KeyIdMethod::PreSpecified(key_identifier);
    params.use_authority_key_identifier_extension = true;
    params.not_before = offset_time(now - BACKDATED)?;
    params.not_after = offset_time(now + SignedDuration::from_hours(24 * days))?;
    Ok(params)
}

/// 127 random bits, positive and never zero (RFC 5280 §4.1.2.2).
fn serial_number() -> Result<SerialNumber, PkiError> {
    let mut bytes = [0; 16];
    openssl::rand::rand_bytes(&mut bytes).map_err(PkiError::crypto("draw a serial number"))?;
    bytes[0] = bytes[0] & 0x7f | 0x40;
    Ok(SerialNumber::from_slice(&bytes))
}

fn offset_time(time: Timestamp) -> Result<time::OffsetDateTime, PkiError> {
    time::OffsetDateTime::from_unix_timestamp(time.as_second())
        .map_err(PkiError::crypto("express a date"))
}

fn alternative_names(names: &[String]) -> Result<Vec<SanType>, PkiError> {
    let mut alternatives = Vec::new();
    for name in names {
        alternatives.push(match name.parse() {
            Ok(address) => SanType::IpAddress(address),
            Err(_) => SanType::DnsName(
                name.as_str()
                    .try_into()
                    .map_err(PkiError::crypto("use a name that is not ASCII in a certificate"))?,
            ),
        });
    }
    Ok(alternatives)
}

fn credential(der: &[u8], key: PKey<Private>) -> Result<Credential, PkiError> {
    let certificate = X509::from_der(der).map_err(PkiError::crypto("read back a certificate"))?;
    Ok(Credential { certificate, key })
}
