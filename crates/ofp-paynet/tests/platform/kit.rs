//! A platform over real sockets and real TLS, with raw clients that can say anything, and a DP
//! that takes every event and sends every browser to a fixed page.

use std::{
    collections::{BTreeMap, HashSet, VecDeque},
    sync::{Arc, Mutex, OnceLock},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use ofp_evidence::{Journal, Record};
use ofp_jose::{JwkSet, KeySet, SigningKey, base64url};
use ofp_net::{
    Answer, App, ClientAuth, HttpClient, Inbound, Matched, OsEntropy, Reply, Request, Route,
    RunningServer, Store, SystemClock, acceptor, bind, connector, local_port, serve,
};
use ofp_paynet::{
    AuthMethod, Client, DcRegistration, DpRegistration, Listeners, PayNet, PaynetConfig,
    ProviderType, Webhooks,
};
use ofp_pki::{Credential, Party, Pki};
use ofp_types::{
    ClientId, Clock, ConsentId, DcId, DpId, Origin, Policy, Profile, uuid_v4,
    wire::{ASSERTION_TYPE, CONSENT_RAR_TYPE, malaysian},
};
use openssl::sha::sha256;
use serde_json::{Value, json};

pub(crate) const DC: &str = "dc-client";
pub(crate) const OTHER_DC: &str = "other-dc-client";
pub(crate) const DP: &str = "dp-client";
pub(crate) const DC_ID: &str = "16f87e367071230059bff09a";
pub(crate) const CALLBACK: &str = "https://dc.test/callback";
pub(crate) const VERIFIER: &str = "a-verifier-of-enough-characters-for-rfc-7636-43";
pub(crate) const DEADLINE: Duration = Duration::from_secs(10);

pub(crate) fn pki() -> &'static Pki {
    static PKI: OnceLock<Pki> = OnceLock::new();
    PKI.get_or_init(|| Pki::in_memory(SystemClock.now()).unwrap())
}

pub(crate) struct Kit {
    pub(crate) paynet: PayNet,
    pub(crate) journal: Arc<Journal>,
    pub(crate) issuer: String,
    pub(crate) mtls: String,
    pub(crate) rs: String,
    pub(crate) dc: Participant,
    pub(crate) other_dc: Participant,
    pub(crate) dp: Participant,
    pub(crate) browser: HttpClient,
    /// What the DP saw and what it answers.
    pub(crate) stub_dp: Arc<StubDp>,
    /// What the DC was told.
    pub(crate) stub_dc: Arc<StubDc>,
    _servers: [RunningServer; 2],
}

/// How a kit differs from the usual one.
pub(crate) struct Options {
    pub(crate) auth: AuthMethod,
    pub(crate) profile: Profile,
    pub(crate) policies: HashSet<Policy>,
    pub(crate) store: Store,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            auth: AuthMethod::PrivateKeyJwt,
            profile: Profile::default(),
            policies: HashSet::new(),
            store: Store::none(),
        }
    }
}

/// Somebody with a certificate and a signing key.
pub(crate) struct Participant {
    pub(crate) client_id: &'static str,
    pub(crate) http: HttpClient,
    pub(crate) signing: SigningKey,
    issuer: String,
}

/// Takes every event and sends every browser to a fixed page, unless a script says otherwise.
#[derive(Default)]
pub(crate) struct StubDp {
    pub(crate) events: Mutex<Vec<Value>>,
    /// Statuses of the next answers to events; 200 after them.
    pub(crate) event_answers: Mutex<VecDeque<u16>>,
    /// What was asked for: path and query.
    pub(crate) asked: Mutex<Vec<String>>,
    /// Status, media type and body of the next answers to requests for data and userinfo; silence
    /// when there is none.
    pub(crate) answers: Mutex<VecDeque<(u16, &'static str, String)>>,
}

#[derive(Clone, Copy)]
pub(crate) enum Hook {
    Event,
    Authorize,
    Data,
}

static HOOKS: [Route<Hook>; 6] = [
    Route { path: "/v1/consents/events", verbs: &[("POST", Hook::Event)] },
    Route { path: "/v1/oauth/authorize", verbs: &[("GET", Hook::Authorize)] },
    Route { path: "/v1/oauth/userinfo", verbs: &[("GET", Hook::Data)] },
    Route { path: "/v1/accounts/{account_id}", verbs: &[("GET", Hook::Data)] },
    Route { path: "/v1/accounts/{account_id}/balances", verbs: &[("GET", Hook::Data)] },
    Route { path: "/v1/accounts/{account_id}/transactions", verbs: &[("GET", Hook::Data)] },
];

impl App for StubDp {
    type Endpoint = Hook;

    fn routes(&self) -> &'static [Route<Hook>] {
        &HOOKS
    }

    async fn answer(self: Arc<Self>, matched: Matched<Hook>, inbound: Inbound) -> Answer {
        match matched {
            Matched::Endpoint(Hook::Event) => {
                self.events.lock().unwrap().push(serde_json::from_slice(&inbound.body).unwrap());
                let status = self.event_answers.lock().unwrap().pop_front().unwrap_or(200);
                Answer::json(status, &json!({}))
            }
            Matched::Endpoint(Hook::Authorize) => {
                Answer::empty(303).header("location", "https://dp.test/login")
            }
            Matched::Endpoint(Hook::Data) => {
                self.asked.lock().unwrap().push(format!("{}?{}", inbound.path, inbound.query));
                let answer = self.answers.lock().unwrap().pop_front();
                match answer {
                    Some((status, media_type, body)) => Answer::new(status, media_type, body),
                    None => std::future::pending().await,
                }
            }
            _ => Answer::empty(404),
        }
    }
}

impl StubDp {
    /// `event_type status` of the events so far.
    pub(crate) fn told(&self) -> Vec<String> {
        told(&self.events)
    }
}

fn told(events: &Mutex<Vec<Value>>) -> Vec<String> {
    let line = |event: &Value| {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        format!("{} {}", text(&event["event_type"]), text(&event["data"]["status"]))
    };
    events.lock().unwrap().iter().map(line).collect()
}

/// Where the DC takes its events (C1).
#[derive(Default)]
pub(crate) struct StubDc {
    pub(crate) events: Mutex<Vec<Value>>,
}

static DC_HOOKS: [Route<()>; 1] = [Route { path: "/v1/consents/events", verbs: &[("POST", ())] }];

impl App for StubDc {
    type Endpoint = ();

    fn routes(&self) -> &'static [Route<()>] {
        &DC_HOOKS
    }

    async fn answer(self: Arc<Self>, _: Matched<()>, inbound: Inbound) -> Answer {
        self.events.lock().unwrap().push(serde_json::from_slice(&inbound.body).unwrap());
        Answer::empty(204)
    }
}

impl StubDc {
    pub(crate) fn told(&self) -> Vec<String> {
        told(&self.events)
    }
}

fn listen() -> (std::net::TcpListener, Origin) {
    let listener = bind("127.0.0.1", 0).unwrap();
    let port = local_port(&listener).unwrap();
    (listener, Origin::parse(&format!("https://localhost:{port}")).unwrap())
}

fn registered(client_id: &str, party: Party, auth: AuthMethod) -> Client {
    let jwks: JwkSet = pki().jwks(party).unwrap();
    Client {
        client_id: ClientId::parse(client_id).unwrap(),
        name: party.organization().into(),
        auth,
        certificates: vec![pki().kit(party).client.thumbprint().unwrap()],
        keys: KeySet::of_jwks(party.organization(), &jwks).0,
        jwks,
    }
}

fn http(identity: Option<&Credential>) -> HttpClient {
    HttpClient::new(connector(identity, &pki().ca).unwrap(), None)
}

impl Kit {
    pub(crate) fn start() -> Self {
        Self::start_with(Options::default())
    }

    pub(crate) fn start_with(options: Options) -> Self {
        let (pki, auth) = (pki(), options.auth);
        let dc_hooks = listen();
        let webhooks_of_dc = Webhooks { origin: dc_hooks.1.clone(), trust: (&pki.ca).into() };
        let (as_public, as_mtls, rs, webhooks) = (listen(), listen(), listen(), listen());
        let dc = |id: &str, client_id, party, redirect_uris, webhooks| DcRegistration {
            dc_id: DcId::parse(id).unwrap(),
            client: registered(client_id, party, auth),
            redirect_uris,
            webhooks,
        };
        let dp = |id: &str, client_id: &str, webhooks: &Origin| DpRegistration {
            dp_id: DpId::parse(id).unwrap(),
            provider_type: ProviderType::Bank,
            client: registered(client_id, Party::Dp, auth),
            issuer: "https://dp.test".into(),
            as_webhooks: webhooks.clone(),
            rs_webhooks: webhooks.clone(),
            trust: (&pki.ca).into(),
        };
        let config = PaynetConfig {
            profile: options.profile,
            kit: pki.paynet.clone(),
            client_trust: (&pki.ca).into(),
            dcs: vec![
                dc(DC_ID, DC, Party::Dc1, vec![CALLBACK.to_owned()], Some(webhooks_of_dc)),
                dc("other", OTHER_DC, Party::Dc2, Vec::new(), None),
            ],
            policies: options.policies,
            store: options.store,
            dps: vec![
                dp("DP9876543210", DP, &webhooks.1),
                dp("DP0000000002", "other-dp-client", &webhooks.1),
            ],
        };
        let tls = |party| acceptor(&pki.kit(party).server, &pki.ca, ClientAuth::Required).unwrap();
        let (stub_dp, stub_dc) = (Arc::new(StubDp::default()), Arc::new(StubDc::default()));
        let servers = [
            serve(Arc::clone(&stub_dp), webhooks.0, tls(Party::Dp)).unwrap(),
            serve(Arc::clone(&stub_dc), dc_hooks.0, tls(Party::Dc1)).unwrap(),
        ];
        let (issuer, mtls, rs_origin) =
            (as_public.1.to_string(), as_mtls.1.to_string(), rs.1.to_string());
        let journal = Arc::new(Journal::default());
        let paynet = PayNet::start(
            config,
            Listeners { as_public, as_mtls, rs },
            Arc::clone(&journal),
            Arc::new(SystemClock),
            Arc::new(OsEntropy),
        )
        .unwrap();
        let participant = |client_id, party| Participant {
            client_id,
            http: http(Some(&pki.kit(party).client)),
            signing: pki.kit(party).signing.signing_key().unwrap(),
            issuer: issuer.clone(),
        };
        Self {
            paynet,
            journal,
            mtls,
            rs: rs_origin,
            dc: participant(DC, Party::Dc1),
            other_dc: participant(OTHER_DC, Party::Dc2),
            dp: participant(DP, Party::Dp),
            browser: http(None),
            stub_dp,
            stub_dc,
            _servers: servers,
            issuer,
        }
    }

    /// Claims of a good request object.
    pub(crate) fn object(&self) -> Value {
        let now = now();
        json!({
            "iss": DC, "client_id": DC, "aud": self.issuer, "nbf": now, "exp": now + 300,
            "response_type": "code", "redirect_uri": CALLBACK, "scope": "accounts profile",
            "state": "the-state", "nonce": "the-nonce",
            "code_challenge": base64url(&sha256(VERIFIER.as_bytes())),
            "code_challenge_method": "S256",
            "authorization_details": [{ "type": CONSENT_RAR_TYPE, "consent": {
                "dc_id": DC_ID, "dp_id": "DP9876543210", "consent_purpose": "pfm",
                "permissions": ["read_accounts", "read_balances"],
                "expiration_datetime": malaysian(SystemClock.now() + SignedDuration::from_hours(48)),
            }}],
        })
    }

    pub(crate) async fn post(&self, who: &Participant, url: &str, form: &Form) -> Reply {
        let fields: Vec<(&str, &str)> =
            form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        who.http.send(Request::form(url, &fields, DEADLINE)).await.unwrap()
    }

    pub(crate) async fn par(&self, who: &Participant, form: &Form) -> Reply {
        self.post(who, &format!("{}/v1/oauth/par", self.mtls), form).await
    }

    pub(crate) async fn token(&self, who: &Participant, form: &Form) -> Reply {
        self.post(who, &format!("{}/v1/oauth/token", self.mtls), form).await
    }

    /// A pushed request, and the consent that it made.
    pub(crate) async fn pushed(&self) -> (String, ConsentId) {
        self.pushed_object(&self.object()).await
    }

    pub(crate) async fn pushed_object(&self, object: &Value) -> (String, ConsentId) {
        let mut form = self.dc.authenticated();
        form.insert("request".into(), self.dc.signing.sign_claims(object));
        let reply = self.par(&self.dc, &form).await;
        assert_eq!(reply.status, 201, "{}", reply.message.text());
        let body = json_of(&reply);
        (body["request_uri"].as_str().unwrap().to_owned(), self.last_consent())
    }

    /// The consent that was created last.
    pub(crate) fn last_consent(&self) -> ConsentId {
        let newest = self.journal.newest(|record| match record {
            Record::Transition(transition) if transition.from.is_none() => {
                Some(transition.consent.clone())
            }
            _ => None,
        });
        newest.unwrap()
    }

    pub(crate) async fn authorize(&self, client_id: &str, request_uri: &str) -> Reply {
        let query = ofp_net::encode_form(&[("client_id", client_id), ("request_uri", request_uri)]);
        self.get(&format!("{}/v1/oauth/authorize?{query}", self.issuer), None).await
    }

    pub(crate) async fn get(&self, url: &str, cookie: Option<&str>) -> Reply {
        let request = Request::get(url, DEADLINE);
        let request = match cookie {
            Some(cookie) => request.header("cookie", cookie),
            None => request,
        };
        self.browser.send(request).await.unwrap()
    }

    /// The DP's own access token.
    pub(crate) async fn dp_token(&self) -> String {
        self.client_token(&self.dp).await
    }

    /// A client's token for itself.
    pub(crate) async fn client_token(&self, who: &Participant) -> String {
        let mut form = who.authenticated();
        form.insert("grant_type".into(), "client_credentials".into());
        access_token(&self.token(who, &form).await)
    }

    /// Update Consent with everything right but what `amend` changes.
    pub(crate) async fn update(
        &self,
        consent: &ConsentId,
        body: &Value,
        amend: impl FnOnce(&mut Request),
    ) -> Reply {
        let token = self.dp_token().await;
        let body = body.to_string().into_bytes();
        let url = format!("{}/v1/consents/{consent}", self.rs);
        let mut request = Request::get(url, DEADLINE)
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", "application/json")
            .header("x-fapi-interaction-id", uuid_v4(&OsEntropy).to_string())
            .header("x-fapi-signature", self.dp.signing.sign_detached(Default::default(), &body));
        request.method = http::Method::PATCH;
        request.body = body;
        amend(&mut request);
        self.dp.http.send(request).await.unwrap()
    }

    /// The body of a good approval.
    pub(crate) fn approval(&self) -> Value {
        self.approval_by(&openssl::base64::encode_block(&sha256(b"900101145678")))
    }

    /// The body of a good approval by the customer with this hashed id number.
    pub(crate) fn approval_by(&self, hashed: &str) -> Value {
        let now = now();
        let id_token = self.dp.signing.sign_claims(&json!({
            "iss": "https://dp.test", "sub": "customer-1", "aud": DC_ID, "iat": now,
            "exp": now + 600, "id_type": "nric", "hashed_id_number": hashed,
        }));
        json!({
            "status": "authorized", "id_token": id_token,
            "user_identity": { "id_type": "nric", "hashed_id_number": hashed },
            "accounts": [{ "account_id": "acc-1", "account_number": "1", "account_name": "One" }],
        })
    }

    /// A consent that the customer approved, and the code that the DC got for it.
    pub(crate) async fn approved(&self) -> (ConsentId, String) {
        let (request_uri, consent) = self.pushed().await;
        let code = self.approve(&request_uri, &consent).await;
        (consent, code)
    }

    /// The code for a pushed request that the customer approves.
    pub(crate) async fn approve(&self, request_uri: &str, consent: &ConsentId) -> String {
        let sent = self.authorize(DC, request_uri).await;
        let cookie = cookie_of(&sent);
        let body = self.approval();
        assert_eq!(self.update(consent, &body, |_| {}).await.status, 200, "{}", self.reason());
        let back = self.get(&format!("{}/v1/oauth/callback", self.issuer), Some(&cookie)).await;
        parameter(&back, "code").unwrap()
    }

    /// The form that redeems a code.
    pub(crate) fn redemption(&self, code: &str) -> Form {
        let mut form = self.dc.authenticated();
        for (name, value) in [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("code_verifier", VERIFIER),
            ("redirect_uri", CALLBACK),
        ] {
            form.insert(name.into(), value.into());
        }
        form
    }

    pub(crate) async fn balances(
        &self,
        who: &Participant,
        token: Option<&str>,
        query: &str,
    ) -> Reply {
        let url = format!("{}/v1/accounts/acc-1/balances{query}", self.rs);
        let mut request = Request::get(url, DEADLINE)
            .header("x-fapi-interaction-id", uuid_v4(&OsEntropy).to_string());
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        who.http.send(request).await.unwrap()
    }

    /// Why PayNet answered its last call as it did.
    pub(crate) fn reason(&self) -> String {
        let note = self.journal.newest(|record| match record {
            Record::Exchange(exchange) => exchange.note.clone(),
            _ => None,
        });
        note.unwrap_or_default()
    }
}

pub(crate) type Form = BTreeMap<String, String>;

impl Participant {
    pub(crate) fn assertion(&self, amend: impl FnOnce(&mut Value)) -> String {
        let now = now();
        let mut claims = json!({
            "iss": self.client_id, "sub": self.client_id, "aud": self.issuer,
            "iat": now, "exp": now + 300, "jti": uuid_v4(&OsEntropy),
        });
        amend(&mut claims);
        self.signing.sign_claims(&claims)
    }

    /// A form with nothing but good client authentication.
    pub(crate) fn authenticated(&self) -> Form {
        self.with_assertion(self.assertion(|_| {}))
    }

    pub(crate) fn with_assertion(&self, assertion: String) -> Form {
        Form::from([
            ("client_id".into(), self.client_id.into()),
            ("client_assertion_type".into(), ASSERTION_TYPE.into()),
            ("client_assertion".into(), assertion),
        ])
    }
}

pub(crate) fn now() -> i64 {
    let now: Timestamp = SystemClock.now();
    now.as_second()
}

pub(crate) fn json_of(reply: &Reply) -> Value {
    serde_json::from_slice(&reply.message.body).unwrap()
}

pub(crate) fn error_of(reply: &Reply) -> String {
    let body: Value = serde_json::from_slice(&reply.message.body).unwrap_or_default();
    format!("{} {}", reply.status, body["error"].as_str().unwrap_or_default())
}

pub(crate) fn access_token(reply: &Reply) -> String {
    assert_eq!(reply.status, 200, "{}", reply.message.text());
    let body: Value = serde_json::from_slice(&reply.message.body).unwrap();
    body["access_token"].as_str().unwrap().to_owned()
}

/// A parameter of the URL that a redirect leads to.
pub(crate) fn parameter(reply: &Reply, name: &str) -> Option<String> {
    let location = url::Url::parse(reply.message.header("location")?).ok()?;
    location.query_pairs().find(|(n, _)| n == name).map(|(_, value)| value.into_owned())
}

pub(crate) fn cookie_of(reply: &Reply) -> String {
    let set = reply.message.header("set-cookie").unwrap();
    set.split(';').next().unwrap().to_owned()
}
