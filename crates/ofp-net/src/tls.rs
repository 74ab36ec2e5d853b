//! TLS settings (FAPI 2.0 SP §5.2: TLS 1.2 or later, BCP 195).

use std::sync::{Mutex, OnceLock, PoisonError};

use ofp_pki::{Credential, describe};
use openssl::{
    error::ErrorStack,
    ex_data::Index,
    ssl::{
        Ssl, SslAcceptor, SslAcceptorBuilder, SslContext, SslContextBuilder, SslMethod, SslMode,
        SslOptions, SslRef, SslVerifyMode, SslVersion,
    },
    stack::Stack,
    x509::{
        X509, X509PurposeId, X509Ref, X509StoreContext, X509StoreContextRef, X509VerifyResult,
        store::{X509Store, X509StoreBuilder},
        verify::{X509CheckFlags, X509VerifyFlags, X509VerifyParam},
    },
};

use crate::NetError;

/// Key exchange groups: the fast ones, the same on both sides, so that no handshake needs a retry.
const GROUPS: &str = "X25519:P-256";
/// What a client offers besides: a DP's certificate may be on a larger curve.
const CLIENT_GROUPS: &str = "X25519:P-256:P-384:P-521";

/// Whom one side of TLS trusts: CAs, or single certificates.
#[derive(Debug, Clone)]
pub struct Trust(Vec<X509>);

impl Trust {
    /// Whoever one of these issued, and these themselves.
    #[must_use]
    pub fn of(anchors: Vec<X509>) -> Self {
        Self(anchors)
    }

    /// These as well.
    #[must_use]
    pub fn and(mut self, others: &Self) -> Self {
        self.0.extend(others.0.iter().cloned());
        self
    }

    /// What it rests on.
    pub fn anchors(&self) -> impl Iterator<Item = &X509> {
        self.0.iter()
    }

    /// Whether a certificate is acceptable for a purpose, and if not, why: its chain, its dates, its
    /// extended key usage.
    ///
    /// # Errors
    /// [`NetError::Tls`] when OpenSSL cannot tell.
    pub fn judge(
        &self,
        certificate: &X509Ref,
        between: &[X509],
        purpose: X509PurposeId,
    ) -> Result<Result<(), X509VerifyResult>, NetError> {
        let verify = || {
            let mut store = self.builder()?;
            let mut param = X509VerifyParam::new()?;
            param.set_flags(X509VerifyFlags::PARTIAL_CHAIN)?;
            param.set_purpose(purpose)?;
            store.set_param(&param)?;
            let mut chain = Stack::new()?;
            for one in between {
                chain.push(one.clone())?;
            }
            X509StoreContext::new()?.init(&store.build(), certificate, &chain, |context| {
                let good = context.verify_cert()?;
                Ok(if good { Ok(()) } else { Err(context.error()) })
            })
        };
        verify().map_err(NetError::tls)
    }

    fn store(&self) -> Result<X509Store, ErrorStack> {
        let mut store = self.builder()?;
        // without it OpenSSL insists on a root, where a bank may have an intermediate or the leaf alone
        store.set_flags(X509VerifyFlags::PARTIAL_CHAIN)?;
        Ok(store.build())
    }

    fn builder(&self) -> Result<X509StoreBuilder, ErrorStack> {
        let mut store = X509StoreBuilder::new()?;
        for anchor in &self.0 {
            store.add_cert(anchor.clone())?;
        }
        Ok(store)
    }
}

impl From<&X509> for Trust {
    fn from(ca: &X509) -> Self {
        Self(vec![ca.clone()])
    }
}

impl From<&Self> for Trust {
    fn from(trust: &Self) -> Self {
        trust.clone()
    }
}

/// Whether a server asks its callers for a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientAuth {
    /// It does not.
    None,
    /// It refuses the handshake of whoever has none from the CA.
    Required,
}

/// The server side: `identity` is presented, callers are held to `trust`.
///
/// # Errors
/// [`NetError::Tls`] when OpenSSL refuses the identity.
pub fn acceptor(
    identity: &Credential,
    trust: impl Into<Trust>,
    auth: ClientAuth,
) -> Result<SslAcceptorBuilder, NetError> {
    build_acceptor(identity, &trust.into(), auth).map_err(NetError::tls)
}

fn build_acceptor(
    identity: &Credential,
    trust: &Trust,
    auth: ClientAuth,
) -> Result<SslAcceptorBuilder, ErrorStack> {
    let mut builder = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls_server())?;
    identify(&mut builder, identity)?;
    builder.set_groups_list(GROUPS)?;
    // without it, a client that resumes a session is turned away with internal_error
    builder.set_session_id_context(b"ofp-sim")?;
    // our clients keep connections alive; each ticket would cost an eighth of a handshake
    builder.set_num_tickets(0)?;
    if auth == ClientAuth::Required {
        builder.set_verify_cert_store(trust.store()?)?;
        for anchor in trust.anchors() {
            builder.add_client_ca(anchor)?;
        }
        let mode = SslVerifyMode::PEER | SslVerifyMode::FAIL_IF_NO_PEER_CERT;
        builder.set_verify_callback(mode, |good, context| {
            if !good {
                remember(context);
            }
            good
        });
    }
    Ok(builder)
}

/// What the caller whose certificate is refused presented: OpenSSL keeps it for nobody.
type Refused = Mutex<Option<String>>;

/// Where a connection keeps it. An index is drawn once for a process.
fn refused_index() -> Option<Index<Ssl, Refused>> {
    static INDEX: OnceLock<Option<Index<Ssl, Refused>>> = OnceLock::new();
    *INDEX.get_or_init(|| Ssl::new_ex_index().ok())
}

/// A server's side of a connection, which remembers a certificate that it refuses.
pub(crate) fn incoming(tls: &SslAcceptor) -> Option<Ssl> {
    let mut ssl = Ssl::new(tls.context()).ok()?;
    if let Some(index) = refused_index() {
        ssl.set_ex_data(index, Mutex::new(None));
    }
    Some(ssl)
}

/// The certificate that was refused, in words.
pub(crate) fn refused(ssl: &SslRef) -> Option<String> {
    let kept = ssl.ex_data(refused_index()?)?;
    kept.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

fn remember(context: &X509StoreContextRef) {
    let ssl = X509StoreContext::ssl_idx().ok().and_then(|index| context.ex_data(index));
    let kept = refused_index().and_then(|index| ssl.and_then(|ssl| ssl.ex_data(index)));
    // the leaf is who the caller says they are, whatever is wrong higher up
    let leaf = context.chain().and_then(|chain| chain.get(0).map(ToOwned::to_owned));
    let certificate = leaf.or_else(|| context.current_cert().map(ToOwned::to_owned));
    if let (Some(kept), Some(certificate)) = (kept, certificate) {
        let (of, by) = (certificate.subject_name(), certificate.issuer_name());
        let words = format!("{}, issued by {}", describe(of), describe(by));
        *kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(words);
    }
}

/// The client side of TLS: an identity, and whom to trust.
#[derive(Clone)]
pub struct ClientTls(SslContext);

impl ClientTls {
    /// A connection to `host`, whose certificate must name it (RFC 9525).
    pub(crate) fn to_host(&self, host: &str) -> Result<Ssl, ErrorStack> {
        let mut ssl = Ssl::new(&self.0)?;
        let param = ssl.param_mut();
        param.set_hostflags(X509CheckFlags::NO_PARTIAL_WILDCARDS);
        match host.parse() {
            Ok(ip) => param.set_ip(ip)?,
            Err(_) => {
                param.set_host(host)?;
                ssl.set_hostname(host)?;
            }
        }
        Ok(ssl)
    }

    /// The certificate that it presents to servers that ask.
    pub(crate) fn certificate(&self) -> Option<&X509Ref> {
        self.0.certificate()
    }
}

/// The client side: servers are held to `trust`, `identity` is presented to those that ask.
///
/// # Errors
/// [`NetError::Tls`] when OpenSSL refuses the identity.
pub fn connector(
    identity: Option<&Credential>,
    trust: impl Into<Trust>,
) -> Result<ClientTls, NetError> {
    build_connector(identity, &trust.into()).map(ClientTls).map_err(NetError::tls)
}

/// A connection that [`crate::inspect()`] makes: to `host`, as a client makes it.
pub(crate) fn inspecting(
    identity: Option<&Credential>,
    trust: &Trust,
    host: &str,
) -> Result<Ssl, ErrorStack> {
    ClientTls(build_connector(identity, trust)?).to_host(host)
}

/// Not `SslConnector::builder`, which first reads every root of the system: many milliseconds for
/// certificates that are not to be trusted.
fn build_connector(identity: Option<&Credential>, trust: &Trust) -> Result<SslContext, ErrorStack> {
    let mut builder = SslContextBuilder::new(SslMethod::tls_client())?;
    builder.set_cert_store(trust.store()?);
    builder.set_verify(SslVerifyMode::PEER);
    builder.set_min_proto_version(Some(SslVersion::TLS1_2))?;
    builder.set_options(SslOptions::NO_COMPRESSION);
    builder.set_mode(
        SslMode::ACCEPT_MOVING_WRITE_BUFFER
            | SslMode::ENABLE_PARTIAL_WRITE
            | SslMode::RELEASE_BUFFERS
            | SslMode::AUTO_RETRY,
    );
    builder.set_cipher_list("ECDHE+AESGCM:ECDHE+CHACHA20")?;
    builder.set_groups_list(CLIENT_GROUPS)?;
    if let Some(identity) = identity {
        identify(&mut builder, identity)?;
    }
    Ok(builder.build())
}

fn identify(builder: &mut SslContextBuilder, identity: &Credential) -> Result<(), ErrorStack> {
    builder.set_certificate(&identity.certificate)?;
    builder.set_private_key(&identity.key)
}
