//! Everybody on one machine: PayNet, the DC, and the reference DP.

mod dp;
mod link;
mod participants;
mod provider;
mod sockets;

use std::{collections::HashSet, sync::Arc, time::Duration};

use ofp_checks::Settings;
use ofp_dc::{DcError, DcListeners, MockDc};
use ofp_dp::{Bank, Books, DpError, DpListeners, ReferenceDp};
use ofp_evidence::{Journal, JournalBound};
use ofp_jose::{DecryptionKey, Jwk, KeyUse};
use ofp_net::{NetError, Store, StoreError, Trust};
use ofp_paynet::{PayNet, PaynetError};
use ofp_pki::{Party, Pki, PkiError};
use ofp_types::{
    Clock, DpFault, DpId, DpVariant, Entropy, InvalidId, InvalidOrigin, Kid, Origin, Policy,
    Profile,
};

use tokio::sync::OnceCell;

use crate::{
    chromium::{Chromium, ChromiumError},
    control::DcView,
    customer::Customer,
    probe::{Prober, TriedReadings},
    target::Target,
};
pub(crate) use dp::{Dp, HookError};
pub use link::LinkError;
use participants::{DC_CLIENT_ID, DC_ID, OTHER_DC_CLIENT_ID, OTHER_DC_ID};
use provider::Provider;
pub use sockets::Origins;
use sockets::Sockets;

/// Where a person is told something, as it happens.
pub type Voice = Arc<dyn Fn(&str) + Send + Sync>;

/// How to boot a world.
#[derive(Clone, Default)]
pub struct WorldOptions {
    /// The reading of the specification.
    pub profile: Profile,
    /// What the reference DP does wrong on purpose.
    pub faults: HashSet<DpFault>,
    /// What the reference DP does differently, and as well.
    pub variants: HashSet<DpVariant>,
    /// The reading that the reference DP takes, where that is not PayNet's.
    pub dp_profile: Option<Profile>,
    /// The DP under test, instead of ours.
    pub target: Option<Arc<Target>>,
    /// The first of seven ports in a row; free ones without.
    pub port_base: Option<u16>,
    /// The rules that reach beyond a consent and hold for all of them.
    pub policies: HashSet<Policy>,
    /// What survives a restart.
    pub store: Store,
    /// How much the journal keeps; everything without.
    pub journal: Option<JournalBound>,
    /// Redirect URIs of a DC under development, registered beside the mock DC's own.
    pub redirect_uris: Vec<String>,
    /// Where a DC under development takes its events (C1), instead of the mock DC.
    pub dc_webhooks: Option<Origin>,
    /// Decides the reference DP's transactions; what the store holds, or 0, without.
    pub seed: Option<u64>,
    /// Where a person who plays the customer is asked for something.
    pub voice: Option<Voice>,
    /// How long the reference DP waits for PayNet; five seconds without.
    pub dp_patience: Option<Duration>,
}

impl WorldOptions {
    /// How long the reference DP waits for a PayNet that never answers, where somebody waits for the DP:
    /// long for a machine that is busy, short for a person.
    pub const SHORT_PATIENCE: Duration = Duration::from_millis(1_500);
}

/// Why a world cannot be booted.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each variant is the crate whose error it carries")]
pub enum WorldError {
    #[error(transparent)]
    Pki(#[from] PkiError),
    #[error(transparent)]
    Net(#[from] NetError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("PayNet: {0}")]
    Paynet(#[from] PaynetError),
    #[error("the DC: {0}")]
    Dc(#[from] DcError),
    #[error("the reference DP: {0}")]
    Dp(#[from] DpError),
    #[error(transparent)]
    Id(#[from] InvalidId),
    #[error(transparent)]
    Origin(#[from] InvalidOrigin),
    #[error("there is neither a reference DP nor a target")]
    NoDp,
    #[error("a key: {0}")]
    Key(#[from] ofp_jose::KeyError),
}

/// Everybody on one machine.
pub struct World {
    pub(crate) paynet: PayNet,
    pub(crate) dc: Arc<MockDc>,
    pub(crate) dp: Dp,
    pub(crate) dp_id: DpId,
    /// Another DC's key, which must not open anything.
    pub(crate) stranger: DecryptionKey,
    pub(crate) customer: Customer,
    pub(crate) settings: Settings,
    pub(crate) journal: Arc<Journal>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) origins: Origins,
    pub(crate) pki: Pki,
    /// Whether the DP's private keys are ours, so that somebody else can be made to use them.
    pub(crate) dp_keys_are_ours: bool,
    /// For calls to the DP that a scenario makes itself.
    pub(crate) prober: Prober,
    pub(crate) tried_readings: TriedReadings,
    /// Where a person is asked for something.
    voice: Option<Voice>,
    /// The real browser of a target whose customers play in one: started when it is first needed.
    chromium: OnceCell<Chromium>,
    /// Whom the customer's browser trusts.
    customer_trust: Trust,
    redirect_uris: Vec<String>,
    /// What each origin and certificate is called in snapshots.
    pub(crate) names: Vec<(String, String)>,
}

impl World {
    /// What the journal of a world that stays up keeps.
    pub const SANDBOX_JOURNAL: JournalBound = JournalBound { records: 4_000, bytes: 64 << 20 };

    /// The DC that no consent is for.
    pub(crate) const OTHER_DC: &str = OTHER_DC_ID;

    /// Boots everybody on the loopback interface. Must be called within a Tokio runtime.
    ///
    /// # Errors
    /// [`WorldError`].
    pub fn boot(
        pki: &Pki,
        options: &WorldOptions,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, WorldError> {
        let pki = &match options.variants.contains(&DpVariant::RsaCertificates) {
            true => pki.with_rsa_tls(Party::Dp, clock.now())?,
            false => pki.clone(),
        };
        let journal = Arc::new(options.journal.map_or_else(Journal::default, Journal::bounded));
        let target = options.target.as_ref();
        let sockets = Sockets::of(options)?;
        let origins = sockets.origins(target.map(AsRef::as_ref))?;
        let (profile, store) = (&options.profile, &options.store);
        let bank = Bank::open(store, options.seed)?;
        let provider = Provider::of(options, pki, &origins, &bank)?;
        let config = participants::paynet_config(pki, options, &origins, &provider)?;
        let (j, c, e) = (Arc::clone(&journal), Arc::clone(&clock), Arc::clone(&entropy));
        let paynet = PayNet::start(config, sockets.paynet, j, c, e)?;
        let renewed = pki.next_paynet_client.clone();
        let settings = participants::settings(pki, profile, &paynet, &provider)?;
        let (c, e) = (Arc::clone(&clock), Arc::clone(&entropy));
        let dp = match (sockets.dp, target) {
            (Some((pages, webhooks)), _) => {
                identities(&bank.books()).iter().for_each(|secret| journal.keep_secret(secret));
                let mut config = participants::dp_config(pki, options, &origins)?;
                config.paynet_certificates.push(renewed.thumbprint()?);
                let listeners = DpListeners { webhooks: webhooks.0, public: pages };
                Dp::Reference(Box::new(ReferenceDp::start(config, listeners, bank, c, e)?))
            }
            (None, Some(target)) => {
                target.secrets.iter().for_each(|secret| journal.keep_secret(secret));
                Dp::Target(Arc::clone(target))
            }
            (None, None) => return Err(WorldError::NoDp),
        };
        let dc_config = participants::dc_config(pki, profile, store, &origins, &provider)?;
        let dc_listeners = DcListeners { public: sockets.dc, webhooks: sockets.dc_webhooks.0 };
        let (c, e) = (Arc::clone(&clock), Arc::clone(&entropy));
        let dc = MockDc::start(dc_config, dc_listeners, c, e)?;
        let trust = Trust::from(&pki.ca).and(&provider.server_trust);
        let customer = participants::customer(&trust, options, &origins, &journal, &clock)?;
        Ok(Self {
            tried_readings: TriedReadings::default(),
            prober: Prober::new(pki, &provider.server_trust, &journal, &clock, renewed)?,
            paynet,
            dc,
            dp,
            stranger: pki.dcs[1].encryption.decryption_key()?,
            customer,
            settings,
            journal,
            clock,
            entropy,
            names: participants::names(pki, &origins, &provider)?,
            origins,
            dp_keys_are_ours: provider.keys_are_ours,
            dp_id: provider.dp_id,
            pki: pki.clone(),
            redirect_uris: options.redirect_uris.clone(),
            voice: options.voice.clone(),
            chromium: OnceCell::new(),
            customer_trust: trust,
        })
    }

    /// What the checks must know besides the evidence.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Everybody's base URLs.
    #[must_use]
    pub fn origins(&self) -> &Origins {
        &self.origins
    }

    /// The clients of Data Consumers: the mock DC's, which authenticates with an assertion, and
    /// another that does with its certificate alone.
    pub(crate) fn dcs(&self) -> [(Party, DcView); 2] {
        let mut redirect_uris = vec![self.dc.redirect_uri()];
        redirect_uris.extend(self.redirect_uris.iter().cloned());
        let kid = |credential: &ofp_pki::Credential| {
            credential.thumbprint().map(|kid| kid.to_string()).unwrap_or_default()
        };
        let view = |at: usize, dc_id: &str, client_id: &str, method: &str| DcView {
            dc_id: dc_id.into(),
            client_id: client_id.into(),
            token_endpoint_auth_method: method.into(),
            redirect_uris: redirect_uris.clone(),
            certificates: None,
            signing_kid: kid(&self.pki.dcs[at].kit.signing),
            encryption_kid: kid(&self.pki.dcs[at].encryption),
        };
        [
            (Party::Dc1, view(0, DC_ID, DC_CLIENT_ID, "private_key_jwt")),
            (Party::Dc2, view(1, OTHER_DC_ID, OTHER_DC_CLIENT_ID, "tls_client_auth")),
        ]
    }

    /// A listener for the control surface: on the port after the world's, or a free one.
    ///
    /// # Errors
    /// [`NetError::Bind`] when the port is in use.
    pub fn control_socket(options: &WorldOptions) -> Result<std::net::TcpListener, NetError> {
        sockets::control_socket(options.port_base)
    }

    /// Gives PayNet a new signing key; the ones before it stay published unless it is to be alone.
    pub(crate) fn rotate_signing_key(&self, alone: bool) -> Result<Kid, WorldError> {
        let next = self.pki.next_signing(Party::PayNet, self.clock.now())?;
        let kid = self.paynet.rotate_signing_key(&next, alone)?;
        self.prober.rotated(&next, alone)?;
        Ok(kid)
    }

    /// Gives the DC a new encryption key, which PayNet publishes beside the one before it.
    pub(crate) fn rotate_encryption_key(&self) -> Result<(), WorldError> {
        let next = self.pki.next_encryption(Party::Dc1, self.clock.now())?;
        let jwk = Jwk::of_certificate(&next.certificate, KeyUse::Enc)?;
        self.dc.use_next_key(Some(next.decryption_key()?));
        self.paynet.publish_encryption_key(&self.settings.dc_id, Some(jwk));
        Ok(())
    }

    /// Takes back what an exclusive scenario did to everybody.
    pub(crate) fn as_usual(&self) {
        self.paynet.publish_encryption_key(&self.settings.dc_id, None);
        self.dc.use_next_key(None);
        self.paynet.publish_unknown_kinds(false);
        if self.prober.has_rotated() {
            // the key that everybody knew before: for a quarter of an hour nobody need know another
            let first = &self.pki.paynet.signing;
            let _ = self.paynet.rotate_signing_key(first, true);
            let _ = self.prober.started_again(&self.pki);
        }
        if let Some(bank) = self.dp.bank() {
            bank.set_down(false);
        }
    }

    /// Exchanges the reference DP's books.
    pub(crate) fn replace_books(&self, bank: &Bank, books: Books) {
        identities(&books).iter().for_each(|secret| self.journal.secret(secret));
        bank.replace(books);
    }

    /// The real browser of a target.
    pub(crate) async fn chromium(&self, target: &Target) -> Result<&Chromium, ChromiumError> {
        self.chromium.get_or_try_init(|| Chromium::start(target, &self.customer_trust)).await
    }

    /// Tells a person something.
    pub(crate) fn tell(&self, text: &str) {
        if let Some(voice) = &self.voice {
            voice(text);
        }
    }

    /// Stops everybody.
    pub async fn stop(&self) {
        // last events still find somebody
        self.paynet.stop().await;
        tokio::join!(self.dc.stop(), self.dp.stop());
    }
}

/// Id numbers of customers, as entered and as digits, which are for nobody's report.
fn identities(books: &Books) -> Vec<String> {
    let of = |customer: &ofp_dp::Customer| {
        let (_, id_number) = customer.test_credentials();
        let digits = id_number.chars().filter(char::is_ascii_digit).collect();
        [id_number.to_owned(), digits]
    };
    books.customers.iter().flat_map(of).collect()
}
