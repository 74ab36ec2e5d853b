//! The reference DP over real TLS, with a stub in PayNet's place that publishes keys and takes
//! every Update Consent, and a PayNet that can say anything.

use std::{
    collections::HashSet,
    net::TcpListener,
    sync::{Arc, Mutex, OnceLock},
    time::Duration,
};

use ofp_dp::{Bank, DpConfig, DpListeners, ReferenceDp};
use ofp_jose::SigningKey;
use ofp_net::{
    Answer, App, ClientAuth, HttpClient, Inbound, Matched, OsEntropy, Reply, Request, Route,
    RunningServer, SystemClock, acceptor, bind, connector, local_port, serve,
};
use ofp_pki::{Credential, Party, Pki};
use ofp_types::{ClientId, Clock, DpId, Origin, Profile, uuid_v4, wire::malaysian};
use serde_json::{Map, Value, json};

pub(crate) const DC_ID: &str = "16f87e367071230059bff09a";
pub(crate) const OTHER_DC_ID: &str = "26f87e367071230059bff09b";
const DEADLINE: Duration = Duration::from_secs(10);

pub(crate) fn pki() -> &'static Pki {
    static PKI: OnceLock<Pki> = OnceLock::new();
    PKI.get_or_init(|| Pki::in_memory(SystemClock.now()).unwrap())
}

/// In PayNet's place.
struct StubPaynet {
    updates: Mutex<Vec<Value>>,
    /// Consents that were revoked, with the body.
    revoked: Mutex<Vec<(String, Value)>>,
}

#[derive(Clone, Copy)]
enum Hook {
    Jwks,
    Token,
    Update,
    Revoke,
}

static HOOKS: [Route<Hook>; 4] = [
    Route { path: "/v1/oauth/jwks/{owner}", verbs: &[("GET", Hook::Jwks)] },
    Route { path: "/v1/oauth/token", verbs: &[("POST", Hook::Token)] },
    Route { path: "/v1/consents/{id}", verbs: &[("PATCH", Hook::Update)] },
    Route { path: "/v1/consents/{id}/revoke", verbs: &[("POST", Hook::Revoke)] },
];

impl App for StubPaynet {
    type Endpoint = Hook;

    fn routes(&self) -> &'static [Route<Hook>] {
        &HOOKS
    }

    async fn answer(self: Arc<Self>, matched: Matched<Hook>, inbound: Inbound) -> Answer {
        match matched {
            Matched::Endpoint(Hook::Jwks) => {
                let party = match inbound.parameter.as_str() {
                    "paynet" => Party::PayNet,
                    DC_ID => Party::Dc1,
                    OTHER_DC_ID => Party::Dc2,
                    _ => return Answer::empty(404),
                };
                Answer::json(200, &serde_json::to_value(pki().jwks(party).unwrap()).unwrap())
            }
            Matched::Endpoint(Hook::Token) => Answer::json(
                200,
                &json!({ "access_token": "t", "token_type": "Bearer", "expires_in": 600 }),
            ),
            Matched::Endpoint(Hook::Update) => {
                let body = serde_json::from_slice(&inbound.body).unwrap();
                self.updates.lock().unwrap().push(body);
                Answer::json(200, &json!({}))
            }
            Matched::Endpoint(Hook::Revoke) => {
                let body = serde_json::from_slice(&inbound.body).unwrap();
                self.revoked.lock().unwrap().push((inbound.parameter.clone(), body));
                Answer::json(201, &json!({}))
            }
            _ => Answer::empty(404),
        }
    }
}

pub(crate) struct Kit {
    paynet_stub: Arc<StubPaynet>,
    pub(crate) paynet: HttpClient,
    pub(crate) stranger: HttpClient,
    pub(crate) browser: HttpClient,
    pub(crate) signing: SigningKey,
    pub(crate) dc_signing: SigningKey,
    pub(crate) webhooks: String,
    pub(crate) public: String,
    pub(crate) callback: String,
    pub(crate) rs: String,
    pub(crate) dp: ReferenceDp,
    _server: RunningServer,
}

fn listen() -> (TcpListener, Origin) {
    let listener = bind("127.0.0.1", 0).unwrap();
    let port = local_port(&listener).unwrap();
    (listener, Origin::parse(&format!("https://localhost:{port}")).unwrap())
}

fn http(identity: Option<&Credential>) -> HttpClient {
    HttpClient::new(connector(identity, &pki().ca).unwrap(), None)
}

impl Kit {
    pub(crate) fn start() -> Self {
        let pki = pki();
        let (stub, webhooks, public) = (listen(), listen(), listen());
        let paynet_stub =
            Arc::new(StubPaynet { updates: Mutex::default(), revoked: Mutex::default() });
        let tls = acceptor(&pki.paynet.server, &pki.ca, ClientAuth::None).unwrap();
        let server = serve(Arc::clone(&paynet_stub), stub.0, tls).unwrap();
        let callback = stub.1.join("/v1/oauth/callback");
        let config = DpConfig {
            dp_id: DpId::parse("DP9876543210").unwrap(),
            client_id: ClientId::parse("dp-client").unwrap(),
            issuer: public.1.to_string(),
            kit: pki.dp.clone(),
            ca: pki.ca.clone(),
            paynet_certificates: vec![pki.paynet.client.thumbprint().unwrap()],
            paynet_as: stub.1.clone(),
            paynet_token_endpoint: stub.1.join("/v1/oauth/token"),
            paynet_rs: stub.1.clone(),
            paynet_callbacks: vec![callback.clone()],
            profile: Profile::default(),
            faults: HashSet::new(),
            store: ofp_net::Store::none(),
            variants: HashSet::new(),
            other_keys: Arc::default(),
            patience: Duration::from_secs(5),
        };
        let (webhooks_url, public_url) = (webhooks.1.to_string(), public.1.to_string());
        let listeners = DpListeners { webhooks: webhooks.0, public };
        let (clock, entropy) = (Arc::new(SystemClock), Arc::new(OsEntropy));
        let bank = Bank::open(&ofp_net::Store::none(), None).unwrap();
        Self {
            dp: ReferenceDp::start(config, listeners, bank, clock, entropy).unwrap(),
            _server: server,
            paynet_stub,
            paynet: http(Some(&pki.paynet.client)),
            stranger: http(Some(&pki.dcs[0].kit.client)),
            browser: http(None),
            signing: pki.paynet.signing.signing_key().unwrap(),
            dc_signing: pki.dcs[0].kit.signing.signing_key().unwrap(),
            webhooks: webhooks_url,
            public: public_url,
            callback,
            rs: stub.1.to_string(),
        }
    }

    pub(crate) fn updates(&self) -> Vec<Value> {
        self.paynet_stub.updates.lock().unwrap().clone()
    }

    pub(crate) fn revoked(&self) -> Vec<(String, Value)> {
        self.paynet_stub.revoked.lock().unwrap().clone()
    }

    /// A good event's body.
    pub(crate) fn event(&self, consent: &str, status: &str) -> Value {
        let now = SystemClock.now();
        json!({ "event_type": "consent_created", "data": {
            "consent_id": consent, "dc_id": DC_ID, "dp_id": "DP9876543210",
            "consent_type": "account_access_consent", "consent_purpose": "pfm",
            "permissions": ["read_accounts", "read_balances", "read_transactions"],
            "expiration_datetime": malaysian(now + jiff::SignedDuration::from_hours(48)),
            "status": status, "updated_at": now.to_string(),
        }})
    }

    pub(crate) async fn send_event(&self, body: &[u8], signature: Option<&str>) -> Reply {
        let url = format!("{}/v1/consents/events", self.webhooks);
        let mut request = Request::get(url, DEADLINE)
            .header("content-type", "application/json")
            .header("x-fapi-interaction-id", uuid_v4(&OsEntropy).to_string());
        if let Some(signature) = signature {
            request = request.header("x-fapi-signature", signature);
        }
        request.method = http::Method::POST;
        request.body = body.to_vec();
        self.paynet.send(request).await.unwrap()
    }

    pub(crate) fn signed(&self, key: &SigningKey, body: &[u8]) -> String {
        let now = SystemClock.now().as_second();
        let header = Map::from_iter([
            ("iat".to_owned(), json!(now)),
            ("jti".to_owned(), json!(uuid_v4(&OsEntropy))),
        ]);
        key.sign_detached(header, body)
    }

    /// Tells the DP of a consent.
    pub(crate) async fn tell(&self, consent: &str, status: &str) {
        let body = self.event(consent, status).to_string().into_bytes();
        let reply = self.send_event(&body, Some(&self.signed(&self.signing, &body))).await;
        assert_eq!(reply.status, 200, "{}", reply.message.text());
    }

    pub(crate) async fn get(
        &self,
        client: &HttpClient,
        url: &str,
        headers: &[(&'static str, String)],
    ) -> Reply {
        let mut request = Request::get(url, DEADLINE);
        request.headers.extend(headers.iter().cloned());
        client.send(request).await.unwrap()
    }

    /// D2 with these parameters.
    pub(crate) async fn authorize(&self, query: &[(&str, &str)]) -> Reply {
        let query = ofp_net::encode_form(query);
        self.get(&self.paynet, &format!("{}/v1/oauth/authorize?{query}", self.webhooks), &[]).await
    }

    /// The Location for a consent.
    pub(crate) async fn link(&self, consent: &str) -> String {
        let signature = self.signing.sign(consent.as_bytes());
        let query =
            [("consent_id", consent), ("redirect_uri", &self.callback), ("signature", &signature)];
        let reply = self.authorize(&query).await;
        assert_eq!(reply.status, 303, "{}", reply.message.text());
        reply.message.header("location").unwrap().to_owned()
    }

    pub(crate) async fn submit(&self, path: &str, cookie: &str, fields: &[(&str, &str)]) -> Reply {
        let request = Request::form(format!("{}{path}", self.public), fields, DEADLINE);
        self.browser.send(request.header("cookie", cookie)).await.unwrap()
    }

    /// A browser that has logged in as `username`: its cookie and form token.
    pub(crate) async fn logged_in(&self, consent: &str, username: &str) -> (String, String) {
        let page = self.get(&self.browser, &self.link(consent).await, &[]).await;
        let (cookie, csrf) = (cookie_of(&page), csrf_of(&page));
        let fields = [("csrf", csrf.as_str()), ("username", username), ("password", username)];
        let reply = self.submit("/login", &cookie, &fields).await;
        assert_eq!(reply.message.header("location"), Some("/accounts"), "{}", reply.message.text());
        (cookie_of(&reply), csrf)
    }

    /// The ids that the account page offers to a browser.
    pub(crate) async fn offered(&self, cookie: &str) -> Vec<String> {
        let headers = [("cookie", cookie.to_owned())];
        let page = self.get(&self.browser, &format!("{}/accounts", self.public), &headers).await;
        let text = page.message.text().into_owned();
        let after = text.split("name=\"account\" value=\"").skip(1);
        after.map(|part| part.split('"').next().unwrap().to_owned()).collect()
    }

    /// An authorized consent of `paynet`, and the one account that it covers.
    pub(crate) async fn authorized(&self, consent: &str) -> String {
        self.authorized_by(consent, "paynet", 0).await
    }

    /// An authorized consent, and the one account that it covers.
    pub(crate) async fn authorized_by(&self, consent: &str, who: &str, which: usize) -> String {
        self.tell(consent, "awaiting_authorization").await;
        let (cookie, csrf) = self.logged_in(consent, who).await;
        let account = self.offered(&cookie).await.remove(which);
        let csrf = csrf.as_str();
        self.submit("/accounts", &cookie, &[("csrf", csrf), ("account", &account)]).await;
        self.submit("/review", &cookie, &[("csrf", csrf), ("decision", "approve")]).await;
        account
    }

    /// Claims of a good signature on a balance request.
    pub(crate) fn claims(&self, iss: &str, consent: &str, account: &str) -> Value {
        let now = SystemClock.now().as_second();
        json!({
            "iss": iss, "sub": consent, "aud": ["DP9876543210", "Paynet OFP"], "iat": now,
            "nbf": now, "exp": now + 300, "jti": uuid_v4(&OsEntropy),
            "url": format!("{}/v1/accounts/{account}/balances", self.rs), "qpm": {},
        })
    }

    /// A balance request with everything right but what `amend` changes.
    pub(crate) async fn balance(
        &self,
        consent: &str,
        account: &str,
        amend: impl FnOnce(&mut Balance),
    ) -> Reply {
        let mut balance = Balance {
            consent: consent.to_owned(),
            account: account.to_owned(),
            what: "balances?".into(),
            enc_kid: pki().dcs[0].encryption.thumbprint().unwrap().to_string(),
            fapi: self.signing.sign_claims(&self.claims("Paynet OFP", consent, account)),
            x: self.dc_signing.sign_claims(&self.claims(DC_ID, consent, account)),
        };
        amend(&mut balance);
        let url = format!(
            "{}/v1/accounts/{}/{}consent_id={}",
            self.webhooks, balance.account, balance.what, balance.consent
        );
        let all = [
            ("x-fapi-signature", balance.fapi),
            ("x-signature", balance.x),
            ("x-enc-kid", balance.enc_kid),
            ("x-fapi-interaction-id", uuid_v4(&OsEntropy).to_string()),
        ];
        let headers: Vec<_> = all.into_iter().filter(|(_, value)| !value.is_empty()).collect();
        self.get(&self.paynet, &url, &headers).await
    }
}

/// A balance request.
pub(crate) struct Balance {
    pub(crate) consent: String,
    pub(crate) account: String,
    /// `balances?`, or `transactions?` with a query.
    pub(crate) what: String,
    pub(crate) enc_kid: String,
    pub(crate) fapi: String,
    pub(crate) x: String,
}

pub(crate) fn error_of(reply: &Reply) -> String {
    let body: Value = serde_json::from_slice(&reply.message.body).unwrap_or_default();
    format!("{} {}", reply.status, body["error"].as_str().unwrap_or_default())
}

pub(crate) fn cookie_of(reply: &Reply) -> String {
    let set = reply.message.header("set-cookie").unwrap();
    set.split(';').next().unwrap().to_owned()
}

pub(crate) fn csrf_of(reply: &Reply) -> String {
    let text = reply.message.text().into_owned();
    text.split("name=\"csrf\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
}
