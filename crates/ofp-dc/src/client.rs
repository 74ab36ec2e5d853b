//! The DC's keys, its connections, and what it discovers about PayNet.

use std::{
    net::TcpListener,
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock},
    time::Duration,
};

use ofp_jose::{CompactJwe, DecryptionKey, KeySet, SigningKey};
use ofp_net::{
    ClientAuth, HttpClient, JwksCache, Passing, Reply, Request, RunningServer, Shelf, Store,
    acceptor, connector, serve,
};
use ofp_pki::DcKit;
use ofp_types::{ClientId, Clock, ConsentId, ConsentStatus, DcId, Entropy, Kid, Origin, Profile};
use openssl::x509::X509;
use serde::Deserialize;
use tokio::sync::OnceCell;

use crate::{
    DcError, Linked,
    callback::{CallbackApp, Landing, MOST_LANDINGS},
    events::{EventsApp, Told},
    pages::{MOST_STARTED, Owner, Started},
};

/// How many links are kept.
const MOST_LINKS: usize = 10_000;

/// Everything that the DC is configured with.
pub struct DcConfig {
    /// The legal entity.
    pub dc_id: DcId,
    /// Its client at PayNet's AS.
    pub client_id: ClientId,
    /// Its certificates.
    pub kit: DcKit,
    /// The CA that PayNet's certificates come from.
    pub ca: X509,
    /// PayNet's issuer, where discovery begins.
    pub issuer: Origin,
    /// PayNet's RS.
    pub paynet_rs: Origin,
    /// The client certificates that PayNet may present.
    pub paynet_certificates: Vec<Kid>,
    /// Whether it authenticates with an assertion (else with its certificate alone).
    pub uses_assertion: bool,
    /// The DPs' published keys.
    pub dp_keys: Arc<KeySet>,
    /// The reading of the specification.
    pub profile: Profile,
    /// What survives a restart.
    pub store: Store,
    /// How long to wait for PayNet; longer than PayNet waits for a DP.
    pub deadline: Duration,
}

/// Sockets to answer on.
pub struct DcListeners {
    /// The page that the browser comes back to.
    pub public: (TcpListener, Origin),
    /// PayNet's events, behind mutual TLS.
    pub webhooks: TcpListener,
}

/// The running DC.
pub struct MockDc {
    pub(crate) config: DcConfig,
    pub(crate) origin: Origin,
    pub(crate) signing: SigningKey,
    /// The newest last.
    pub(crate) decryption: RwLock<Vec<Arc<DecryptionKey>>>,
    pub(crate) client: HttpClient,
    pub(crate) paynet_keys: Arc<JwksCache>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    metadata: OnceCell<Metadata>,
    landings: Arc<Mutex<Passing<Option<Landing>>>>,
    links: Mutex<Shelf<Linked>>,
    /// Authorizations that a person began on the pages, by `state`.
    started: Mutex<Passing<Started>>,
    told: Told,
    servers: [RunningServer; 2],
}

/// What the DC needs of PayNet's server metadata (RFC 8414).
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Metadata {
    issuer: String,
    pub(crate) authorization_endpoint: String,
    pub(crate) token_endpoint: String,
    pub(crate) pushed_authorization_request_endpoint: String,
    pub(crate) introspection_endpoint: String,
    pub(crate) revocation_endpoint: String,
    pub(crate) userinfo_endpoint: String,
}

impl MockDc {
    /// Starts the DC. Must be called within a Tokio runtime.
    ///
    /// # Errors
    /// [`DcError`].
    pub fn start(
        config: DcConfig,
        listeners: DcListeners,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Arc<Self>, DcError> {
        let kit = &config.kit.kit;
        let client = HttpClient::new(connector(Some(&kit.client), &config.ca)?, None);
        let tls = acceptor(&kit.server, &config.ca, ClientAuth::None)?;
        let landings = Arc::new(Mutex::new(Passing::new(MOST_LANDINGS)));
        let issuer = config.issuer.to_string();
        let owner = Owner::default();
        let keys_url = config.issuer.join("/v1/oauth/jwks/paynet");
        let keys = JwksCache::new(client.clone(), Arc::clone(&clock), "PayNet", keys_url);
        let paynet_keys = Arc::new(keys);
        let callback = CallbackApp {
            issuer,
            client_id: config.client_id.clone(),
            paynet_keys: Arc::clone(&paynet_keys),
            clock: Arc::clone(&clock),
            landings: Arc::clone(&landings),
            owner: Arc::clone(&owner),
        };
        let links = Shelf::open("dc_links", &config.store)?;
        let told: Told = Arc::new(Mutex::new(Shelf::open("dc_told", &config.store)?));
        let events = EventsApp {
            paynet_keys: Arc::clone(&paynet_keys),
            paynet_certificates: config.paynet_certificates.clone(),
            told: Arc::clone(&told),
            sig_body: config.profile.sig_body,
        };
        let events_tls = acceptor(&kit.server, &config.ca, ClientAuth::Required)?;
        let servers = [
            serve(Arc::new(callback), listeners.public.0, tls)?,
            serve(Arc::new(events), listeners.webhooks, events_tls)?,
        ];
        let encryption = &config.kit.encryption;
        let dc = Arc::new(Self {
            origin: listeners.public.1,
            signing: kit.signing.signing_key()?,
            decryption: RwLock::new(vec![Arc::new(encryption.decryption_key()?)]),
            paynet_keys,
            servers,
            metadata: OnceCell::new(),
            config,
            client,
            clock,
            entropy,
            landings,
            links: Mutex::new(links),
            started: Mutex::new(Passing::new(MOST_STARTED)),
            told,
        });
        // nobody else knows the cell yet
        let _ = owner.set(Arc::downgrade(&dc));
        Ok(dc)
    }

    /// Where PayNet sends browsers back to.
    #[must_use]
    pub fn redirect_uri(&self) -> String {
        self.origin.join("/callback")
    }

    /// The key that a JWE names, or the newest where it names none of this DC's.
    #[must_use]
    pub fn decryption_key(&self, jwe: &CompactJwe<'_>) -> Arc<DecryptionKey> {
        let keys = self.decryption.read().unwrap_or_else(PoisonError::into_inner);
        let kid = jwe.header.get("kid").and_then(serde_json::Value::as_str);
        let named = keys.iter().find(|key| Some(key.kid().as_str()) == kid);
        // there is one from the beginning on
        Arc::clone(named.unwrap_or_else(|| &keys[keys.len() - 1]))
    }

    /// Decrypts with another key as well, which PayNet publishes; or no longer.
    pub fn use_next_key(&self, next: Option<DecryptionKey>) {
        let mut keys = self.decryption.write().unwrap_or_else(PoisonError::into_inner);
        keys.truncate(1);
        keys.extend(next.map(Arc::new));
    }

    /// Stops the DC.
    pub async fn stop(&self) {
        for server in &self.servers {
            server.stop().await;
        }
    }

    /// The consents that this DC holds tokens for, with what PayNet said last of each (C1).
    #[must_use]
    pub fn consents(&self) -> Vec<(Linked, Option<ConsentStatus>)> {
        let told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let links = self.links();
        let mut all: Vec<_> =
            links.iter().map(|(id, linked)| (linked.clone(), told.get(id).copied())).collect();
        all.sort_by(|(a, _), (b, _)| a.consent_id.as_str().cmp(b.consent_id.as_str()));
        all
    }

    /// What this DC holds for a consent.
    #[must_use]
    pub fn linked(&self, consent: &ConsentId) -> Option<Linked> {
        self.links().get(consent.as_str()).cloned()
    }

    /// What PayNet said last of a consent, whatever the DC holds for it (C1).
    #[must_use]
    pub fn told(&self, consent: &ConsentId) -> Option<ConsentStatus> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).get(consent.as_str()).copied()
    }

    /// Keeps a link for later; above ten thousand, any other goes.
    pub(crate) fn remember(&self, linked: &Linked) {
        let mut links = self.links();
        let any = links.iter().next().map(|(id, _)| id.to_owned());
        if let Some(any) = any.filter(|_| links.len() >= MOST_LINKS) {
            links.remove(&any);
        }
        links.insert(linked.consent_id.as_str(), linked.clone());
    }

    pub(crate) fn started(&self) -> MutexGuard<'_, Passing<Started>> {
        self.started.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn links(&self) -> MutexGuard<'_, Shelf<Linked>> {
        self.links.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// PayNet's metadata, fetched once; its issuer must be the one asked (RFC 8414 §3.3).
    pub(crate) async fn metadata(&self) -> Result<&Metadata, DcError> {
        self.metadata.get_or_try_init(|| self.discover()).await
    }

    async fn discover(&self) -> Result<Metadata, DcError> {
        let url = self.config.issuer.join("/.well-known/openid-configuration");
        let reply = self.send("discovery", Request::get(url, self.config.deadline)).await?;
        let metadata: Metadata = parse("discovery", &success("discovery", reply, 200)?)?;
        if metadata.issuer == self.config.issuer.as_str() {
            return Ok(metadata);
        }
        let reason = format!("issuer is {}, not {}", metadata.issuer, self.config.issuer);
        Err(DcError::protocol("discovery", reason))
    }

    pub(crate) async fn send(
        &self,
        what: &'static str,
        request: Request,
    ) -> Result<Reply, DcError> {
        self.client.send(request).await.map_err(|failure| DcError::Network { what, failure })
    }

    pub(crate) fn landings(&self) -> MutexGuard<'_, Passing<Option<Landing>>> {
        self.landings.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The reply, if it has the status that means success.
pub(crate) fn success(what: &'static str, reply: Reply, status: u16) -> Result<Reply, DcError> {
    if reply.status == status {
        return Ok(reply);
    }
    let body = reply.message.text().chars().take(300).collect();
    Err(DcError::Refused { what, status: reply.status, body })
}

pub(crate) fn parse<T: serde::de::DeserializeOwned>(
    what: &'static str,
    reply: &Reply,
) -> Result<T, DcError> {
    serde_json::from_slice(&reply.message.body)
        .map_err(|e| DcError::protocol(what, format!("the answer is not as specified: {e}")))
}
