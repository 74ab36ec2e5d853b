//! A stranger: the reference DP on ports of its own, and a target file that describes it.

use std::{
    collections::HashSet,
    net::TcpListener,
    path::{Path, PathBuf},
    sync::{Arc, LazyLock},
    time::Duration,
};

use ofp_dp::{Bank, DpConfig, DpListeners, ReferenceDp};
use ofp_jose::KeySet;
use ofp_net::{OsEntropy, Store, SystemClock, bind, local_port};
use ofp_pki::{Credential, Kit, OpenOptions, Pki};
use ofp_runner::{
    Target, World, WorldOptions,
    doctor::{Examined, Surroundings, examine},
};
use ofp_types::{ClientId, Clock as _, DpFault, DpId, Origin, Profile};

/// Keys for all tests of this process: made once.
pub(crate) static KEYS: LazyLock<(tempfile::TempDir, Pki)> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let (pki, _) = Pki::open(folder.path(), &OpenOptions::at(SystemClock.now())).unwrap();
    (folder, pki)
});

pub(crate) const TARGET: &str = r#"name: a stranger
dp_id: DP9876543210
issuer: https://localhost:PAGES
client: { id: 7f0c3c1e-2f4b-4c8f-9a55-0d5d2f6a9b10, auth: private_key_jwt }
webhooks: https://localhost:WEBHOOKS
tls: { server_ca: PKI/ca.pem, client_certificate: PKI/dp/client.pem, client_ca: PKI/ca.pem }
signing: { certificate: PKI/dp/signing.pem }
listen: { as: 0, as_mtls: 0, rs: 0, dc: 0 }
scope: [drop-1, accounts, transactions]
test_data:
  customers:
    - username: paynet
      password: paynet
      may_be_locked: true
      id_number: { file: nric.txt }
      accounts:
        - { number: "114098765432", name: Everyday Savings }
        - { number: "514012345678", name: Business of Living }
        - { number: "5196030012345678", name: Platinum Card, kind: credit_card }
    - { username: aisyah, password: aisyah, accounts: [ { number: "114055500011", name: Simpanan Aisyah } ] }
"#;

/// A folder with a target file in it.
pub(crate) struct Desk {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) pages: Option<TcpListener>,
    pub(crate) webhooks: Option<TcpListener>,
    pages_port: u16,
    webhooks_port: u16,
}

impl Desk {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("nric.txt"), "900101-14-5678\n").unwrap();
        let (pages, webhooks) = (bind("127.0.0.1", 0).unwrap(), bind("127.0.0.1", 0).unwrap());
        let ports = (local_port(&pages).unwrap(), local_port(&webhooks).unwrap());
        let desk = Self {
            folder,
            pages: Some(pages),
            webhooks: Some(webhooks),
            pages_port: ports.0,
            webhooks_port: ports.1,
        };
        desk.write(TARGET);
        desk
    }

    /// Puts ports and keys into a text and keeps it as the target file.
    pub(crate) fn write(&self, text: &str) {
        let text = text
            .replace("PAGES", &self.pages_port.to_string())
            .replace("WEBHOOKS", &self.webhooks_port.to_string())
            .replace("PKI", KEYS.0.path().to_str().unwrap());
        std::fs::write(self.file(), text).unwrap();
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.folder.path().join("target.yaml")
    }

    /// The listener of the DP's pages, for somebody else; the DP gets one that nobody comes to.
    pub(crate) fn pages_elsewhere(&mut self) -> TcpListener {
        self.pages.replace(bind("127.0.0.1", 0).unwrap()).unwrap()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn examine(&self) -> Examined {
        examined(&self.file())
    }

    pub(crate) fn target(&self) -> Target {
        let examined = self.examine();
        let bad: Vec<_> = examined.report.bad().collect();
        examined.target.unwrap_or_else(|| panic!("{bad:#?}"))
    }

    /// PayNet and DC for the target, and the stranger that knows them.
    pub(crate) fn boot(&mut self, faults: &[DpFault]) -> (World, ReferenceDp) {
        self.boot_as(faults, KEYS.1.dp.client.clone())
    }

    /// The same with a stranger that presents another certificate to PayNet.
    pub(crate) fn boot_as(
        &mut self,
        faults: &[DpFault],
        client: Credential,
    ) -> (World, ReferenceDp) {
        let target = Arc::new(self.target());
        let options = WorldOptions { target: Some(target), ..WorldOptions::default() };
        let (clock, entropy) = (Arc::new(SystemClock), Arc::new(OsEntropy));
        let world = World::boot(&KEYS.1, &options, clock, entropy).unwrap();
        let dp = self.stranger(&world, faults, client);
        (world, dp)
    }

    fn stranger(&mut self, world: &World, faults: &[DpFault], client: Credential) -> ReferenceDp {
        let (pki, origins) = (&KEYS.1, world.origins());
        let pages = Origin::parse(&format!("https://localhost:{}", self.pages_port)).unwrap();
        let config = DpConfig {
            dp_id: DpId::parse("DP9876543210").unwrap(),
            client_id: ClientId::parse("7f0c3c1e-2f4b-4c8f-9a55-0d5d2f6a9b10").unwrap(),
            issuer: pages.to_string(),
            kit: Kit { client, ..pki.dp.clone() },
            ca: pki.ca.clone(),
            paynet_certificates: vec![pki.paynet.client.thumbprint().unwrap()],
            paynet_as: origins.paynet_as.clone(),
            paynet_token_endpoint: origins.paynet_as_mtls.join("/v1/oauth/token"),
            paynet_rs: origins.paynet_rs.clone(),
            paynet_callbacks: vec![origins.paynet_as.join("/v1/oauth/callback")],
            profile: Profile::default(),
            faults: faults.iter().copied().collect(),
            store: Store::none(),
            variants: HashSet::new(),
            other_keys: Arc::new(KeySet::new("nobody", Vec::new())),
            patience: Duration::from_secs(5),
        };
        let listeners = DpListeners {
            webhooks: self.webhooks.take().unwrap(),
            public: (self.pages.take().unwrap(), pages),
        };
        let bank = Bank::open(&Store::none(), None).unwrap();
        ReferenceDp::start(config, listeners, bank, Arc::new(SystemClock), Arc::new(OsEntropy))
            .unwrap()
    }
}

pub(crate) fn examined(file: &Path) -> Examined {
    let variable = |name: &str| (name == "SET").then(|| "a-secret-of-the-bank".to_owned());
    examine(file, &Surroundings { now: SystemClock.now(), variable: &variable, profile: None })
}
