//! The whole set: opened, completed, renewed.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use jiff::{SignedDuration, Timestamp};
use ofp_jose::{Jwk, JwkSet, KeyUse};
use openssl::{
    nid::Nid,
    x509::{X509, X509Req},
};

use crate::{
    Credential, LEAF_DAYS, Leaf, Party, PkiError, Purpose, RENEW_DAYS,
    credential::is_issued_by,
    issue::{certify, issue, issue_to_itself, new_authority, new_key},
    store::Store,
};

/// The names that every server certificate carries.
const LOCAL_NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];
const CA_STEM: &str = "ca";
/// PayNet's next client certificate, which DPs know before it is used.
const NEXT_CLIENT_STEM: &str = "paynet/next-client";

/// The certificates of PayNet or the DP.
#[derive(Debug, Clone)]
pub struct Kit {
    /// To be called.
    pub server: Credential,
    /// To call.
    pub client: Credential,
    /// To sign messages.
    pub signing: Credential,
}

/// The certificates of a DC.
#[derive(Debug, Clone)]
pub struct DcKit {
    /// To be called, to call, to sign.
    pub kit: Kit,
    /// To receive encrypted data.
    pub encryption: Credential,
}

/// Keys and certificates of the whole simulated platform.
#[derive(Debug, Clone)]
pub struct Pki {
    /// The CA that issued all of them.
    pub ca: X509,
    /// The same with its key, to issue more.
    authority: Credential,
    /// The platform's.
    pub paynet: Kit,
    /// PayNet's next client certificate, not used yet.
    pub next_paynet_client: Credential,
    /// The journeys' DC, and a stranger.
    pub dcs: [DcKit; 2],
    /// The Data Provider's.
    pub dp: Kit,
    /// Where they are kept, unless only in memory.
    pub folder: Option<PathBuf>,
}

/// How to open a set.
#[derive(Debug, Clone)]
pub struct OpenOptions {
    /// Host names or IP addresses for the server certificates, beside the local ones.
    pub names: Vec<String>,
    /// The date to hold certificates to, and to issue them at.
    pub now: Timestamp,
    /// Whether to issue every leaf anew, however long it still lives.
    pub renew: bool,
}

impl OpenOptions {
    /// Only local names, nothing renewed before its time.
    #[must_use]
    pub fn at(now: Timestamp) -> Self {
        Self { names: Vec::new(), now, renew: false }
    }

    fn all_names(&self) -> Vec<String> {
        let mut names: Vec<String> = LOCAL_NAMES.map(str::to_owned).to_vec();
        names.extend(self.names.iter().filter(|n| !LOCAL_NAMES.contains(&n.as_str())).cloned());
        names
    }
}

/// What was done about one certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// It was there and stays.
    Reused,
    /// It was not there.
    Created,
    /// It was near its end, issued by another CA, or lacked a name.
    Renewed,
}

/// A client certificate that reads like `party`'s, from a CA that nobody trusts. It is not kept.
///
/// # Errors
/// [`PkiError::Crypto`] when OpenSSL refuses.
pub fn stranger_client(party: Party, now: Timestamp) -> Result<Credential, PkiError> {
    let leaf = Leaf { party, purpose: Purpose::TlsClient };
    issue(&new_authority(now)?, leaf, new_key(Purpose::TlsClient)?, &[], now)
}

/// A client certificate that reads like `party`'s and is its own issuer. It is not kept.
///
/// # Errors
/// [`PkiError::Crypto`] when OpenSSL refuses.
pub fn self_signed_client(party: Party, now: Timestamp) -> Result<Credential, PkiError> {
    issue_to_itself(Leaf { party, purpose: Purpose::TlsClient }, now)
}

impl Pki {
    /// Opens the set in `folder`, making what is missing and renewing what is near its end.
    /// Says what was done about each certificate, under its file stem.
    ///
    /// # Errors
    /// [`PkiError`] when a file cannot be read or written, or holds something else; nothing that
    /// is there is overwritten then.
    pub fn open(
        folder: &Path,
        options: &OpenOptions,
    ) -> Result<(Self, BTreeMap<String, Action>), PkiError> {
        let store = Store::open(folder)?;
        let mut actions = BTreeMap::new();
        let (ca, action) = open_authority(&store, options.now)?;
        actions.insert(CA_STEM.to_owned(), action);

        let names = options.all_names();
        let mut leaves = BTreeMap::new();
        let mut missing = Vec::new();
        for leaf in Leaf::all() {
            let found = store.load(&leaf.stem())?;
            let action = match &found {
                None => Action::Created,
                Some(old) if !options.renew && is_good(old, leaf, &ca, &names, options.now) => {
                    Action::Reused
                }
                Some(_) => Action::Renewed,
            };
            match found {
                Some(good) if action == Action::Reused => drop(leaves.insert(leaf, good)),
                _ => missing.push(leaf),
            }
            actions.insert(leaf.stem(), action);
        }
        for (leaf, credential) in issue_all(&ca, &missing, &names, options.now)? {
            store.save(&leaf.stem(), &credential)?;
            leaves.insert(leaf, credential);
        }
        let (next, action) = open_next_client(&store, &ca, options)?;
        actions.insert(NEXT_CLIENT_STEM.to_owned(), action);
        let pki = Self::assemble(ca, leaves, next, Some(folder.to_owned()))?;
        for party in Party::ALL {
            let text = serde_json::to_string_pretty(&pki.jwks(party)?)
                .map_err(PkiError::crypto("write a JWK set"))?;
            store.save_text(&format!("{}/jwks.json", party.folder()), &format!("{text}\n"))?;
        }
        Ok((pki, actions))
    }

    /// A set that is never written.
    ///
    /// # Errors
    /// [`PkiError::Crypto`] when OpenSSL refuses.
    pub fn in_memory(now: Timestamp) -> Result<Self, PkiError> {
        let ca = new_authority(now)?;
        let names = OpenOptions::at(now).all_names();
        let leaves = issue_all(&ca, &Leaf::all(), &names, now)?;
        let next = next_client(&ca, now)?;
        Self::assemble(ca, leaves.into_iter().collect(), next, None)
    }

    /// The public keys of `party`, as it publishes them.
    ///
    /// # Errors
    /// [`PkiError::Crypto`] when a certificate cannot be expressed as a JWK.
    pub fn jwks(&self, party: Party) -> Result<JwkSet, PkiError> {
        let jwk = |credential: &Credential, key_use| {
            Jwk::of_certificate(&credential.certificate, key_use)
                .map_err(PkiError::crypto("express a certificate as a JWK"))
        };
        let dc = match party {
            Party::Dc1 => Some(&self.dcs[0]),
            Party::Dc2 => Some(&self.dcs[1]),
            Party::PayNet | Party::Dp => None,
        };
        let mut keys = vec![jwk(&self.kit(party).signing, KeyUse::Sig)?];
        if let Some(dc) = dc {
            keys.push(jwk(&dc.encryption, KeyUse::Enc)?);
        }
        Ok(JwkSet { keys })
    }

    /// The TLS and signing certificates of `party`.
    #[must_use]
    pub fn kit(&self, party: Party) -> &Kit {
        match party {
            Party::PayNet => &self.paynet,
            Party::Dc1 => &self.dcs[0].kit,
            Party::Dc2 => &self.dcs[1].kit,
            Party::Dp => &self.dp,
        }
    }

    /// One more signing certificate for `party`, for the rotation of its keys. It is not kept.
    ///
    /// # Errors
    /// [`PkiError::Crypto`] when OpenSSL refuses.
    pub fn next_signing(&self, party: Party, now: Timestamp) -> Result<Credential, PkiError> {
        let leaf = Leaf { party, purpose: Purpose::Signing };
        issue(&self.authority, leaf, new_key(Purpose::Signing)?, &[], now)
    }

    /// The same with TLS certificates for `party` whose keys are RSA. They are not kept.
    ///
    /// # Errors
    /// [`PkiError::Crypto`] when OpenSSL refuses.
    pub fn with_rsa_tls(&self, party: Party, now: Timestamp) -> Result<Self, PkiError> {
        let names = OpenOptions::at(now).all_names();
        let of = |purpose, names: &[String]| {
            // a signing key is RSA
            let key = new_key(Purpose::Signing)?;
            issue(&self.authority, Leaf { party, purpose }, key, names, now)
        };
        let (server, client) = (of(Purpose::TlsServer, &names)?, of(Purpose::TlsClient, &[])?);
        let mut set = self.clone();
        let kit = match party {
            Party::PayNet => &mut set.paynet,
            Party::Dc1 => &mut set.dcs[0].kit,
            Party::Dc2 => &mut set.dcs[1].kit,
            Party::Dp => &mut set.dp,
        };
        (kit.server, kit.client) = (server, client);
        Ok(set)
    }

    /// A certificate for the key of a DP's certificate request, under the request's own name. `names` are
    /// a server's, beside the local ones. It is not kept.
    ///
    /// # Errors
    /// [`PkiError::Crypto`] when the request is not signed, or its key is not fit for the purpose.
    pub fn certify(
        &self,
        request: &X509Req,
        purpose: Purpose,
        names: &[String],
        now: Timestamp,
    ) -> Result<X509, PkiError> {
        let options = OpenOptions { names: names.to_vec(), ..OpenOptions::at(now) };
        certify(&self.authority, request, purpose, &options.all_names(), now)
    }

    /// One more encryption certificate for `party`, for the rotation of its keys. It is not kept.
    ///
    /// # Errors
    /// [`PkiError::Crypto`] when OpenSSL refuses.
    pub fn next_encryption(&self, party: Party, now: Timestamp) -> Result<Credential, PkiError> {
        let leaf = Leaf { party, purpose: Purpose::Encryption };
        issue(&self.authority, leaf, new_key(Purpose::Encryption)?, &[], now)
    }

    /// A client certificate of `party` that was issued at another time, and so has expired, or is not
    /// valid yet. It is not kept.
    ///
    /// # Errors
    /// [`PkiError::Crypto`] when OpenSSL refuses.
    pub fn client_issued_at(&self, party: Party, time: Timestamp) -> Result<Credential, PkiError> {
        let leaf = Leaf { party, purpose: Purpose::TlsClient };
        issue(&self.authority, leaf, new_key(Purpose::TlsClient)?, &[], time)
    }

    fn assemble(
        authority: Credential,
        mut leaves: BTreeMap<Leaf, Credential>,
        next_paynet_client: Credential,
        folder: Option<PathBuf>,
    ) -> Result<Self, PkiError> {
        let mut take = |party, purpose| {
            leaves.remove(&Leaf { party, purpose }).ok_or(PkiError::Crypto {
                attempt: "assemble the certificates",
                reason: "one was not issued".into(),
            })
        };
        let mut kit = |party| {
            Ok::<_, PkiError>(Kit {
                server: take(party, Purpose::TlsServer)?,
                client: take(party, Purpose::TlsClient)?,
                signing: take(party, Purpose::Signing)?,
            })
        };
        let (paynet, dp, one, two) =
            (kit(Party::PayNet)?, kit(Party::Dp)?, kit(Party::Dc1)?, kit(Party::Dc2)?);
        let dcs = [
            DcKit { kit: one, encryption: take(Party::Dc1, Purpose::Encryption)? },
            DcKit { kit: two, encryption: take(Party::Dc2, Purpose::Encryption)? },
        ];
        let ca = authority.certificate.clone();
        Ok(Self { ca, authority, paynet, next_paynet_client, dcs, dp, folder })
    }
}

/// The CA must outlive the leaves that it is about to issue.
fn open_authority(store: &Store, now: Timestamp) -> Result<(Credential, Action), PkiError> {
    let found = store.load(CA_STEM)?;
    let action = match found {
        Some(ca) if ca.outlives(now, SignedDuration::from_hours(24 * LEAF_DAYS)) => {
            return Ok((ca, Action::Reused));
        }
        Some(_) => Action::Renewed,
        None => Action::Created,
    };
    let ca = new_authority(now)?;
    store.save(CA_STEM, &ca)?;
    Ok((ca, action))
}

fn next_client(ca: &Credential, now: Timestamp) -> Result<Credential, PkiError> {
    let leaf = Leaf { party: Party::PayNet, purpose: Purpose::TlsClient };
    issue(ca, leaf, new_key(Purpose::TlsClient)?, &[], now)
}

fn open_next_client(
    store: &Store,
    ca: &Credential,
    options: &OpenOptions,
) -> Result<(Credential, Action), PkiError> {
    let leaf = Leaf { party: Party::PayNet, purpose: Purpose::TlsClient };
    let action = match store.load(NEXT_CLIENT_STEM)? {
        Some(old) if !options.renew && is_good(&old, leaf, ca, &[], options.now) => {
            return Ok((old, Action::Reused));
        }
        Some(_) => Action::Renewed,
        None => Action::Created,
    };
    let next = next_client(ca, options.now)?;
    store.save(NEXT_CLIENT_STEM, &next)?;
    Ok((next, action))
}

fn is_good(
    found: &Credential,
    leaf: Leaf,
    ca: &Credential,
    names: &[String],
    now: Timestamp,
) -> bool {
    found.outlives(now, SignedDuration::from_hours(24 * RENEW_DAYS))
        && is_issued_by(&found.certificate, &ca.certificate)
        && (leaf.purpose != Purpose::TlsServer || carries(&found.certificate, names))
        && has_name(&found.certificate, &leaf.common_name())
}

fn has_name(certificate: &X509, name: &str) -> bool {
    certificate
        .subject_name()
        .entries_by_nid(Nid::COMMONNAME)
        .any(|entry| entry.data().as_slice() == name.as_bytes())
}

fn carries(certificate: &X509, names: &[String]) -> bool {
    let alternatives = certificate.subject_alt_names();
    let has = |name: &String| {
        alternatives.iter().flatten().any(|alternative| match name.parse() {
            Ok(std::net::IpAddr::V4(ip)) => alternative.ipaddress() == Some(&ip.octets()),
            Ok(std::net::IpAddr::V6(ip)) => alternative.ipaddress() == Some(&ip.octets()),
            Err(_) => alternative.dnsname() == Some(name.as_str()),
        })
    };
    names.iter().all(has)
}

/// Makes the keys on every processor at once, since each RSA key takes a tenth of a second.
fn issue_all(
    ca: &Credential,
    leaves: &[Leaf],
    names: &[String],
    now: Timestamp,
) -> Result<Vec<(Leaf, Credential)>, PkiError> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::with_capacity(leaves.len()));
    let work = || {
        while let Some(leaf) = leaves.get(next.fetch_add(1, Ordering::Relaxed)).copied() {
            let issued = new_key(leaf.purpose).and_then(|key| issue(ca, leaf, key, names, now));
            done.lock().unwrap_or_else(PoisonError::into_inner).push((leaf, issued));
        }
    };
    let threads = thread::available_parallelism().map_or(2, usize::from).min(leaves.len().max(1));
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(work);
        }
    });
    let done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.into_iter().map(|(leaf, issued)| issued.map(|credential| (leaf, credential))).collect()
}
