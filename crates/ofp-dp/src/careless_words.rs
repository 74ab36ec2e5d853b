//! What a careless DP says. Only deliberate faults change anything here.

use std::time::Duration;

use ofp_jose::{KeyUse, PublicKey, corrupt};
use ofp_net::{Answer, Inbound, Request};
use ofp_types::{ConsentId, ConsentStatus, DpFault, ErrorCode, wire::UpdateConsent};
use serde_json::{Value, json};

use crate::{
    careless::header,
    consents::{Decision, DpConsent},
    core::Core,
    refusal::Refusal,
    webhooks::Resource,
};

const NOBODY: &str = "https://nobody.example";
const STATIC_JTI: &str = "11111111-1111-4111-8111-111111111111";
const OTHER_HASH: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

impl Core {
    /// Sets members of a JSON object where a fault is switched on.
    fn say(&self, object: &mut Value, said: &[(DpFault, &str, Value)]) {
        for (fault, member, value) in said {
            if self.faulty(*fault) {
                object[*member] = value.clone();
            }
        }
    }

    /// The claims of an answer to a request for data.
    pub(crate) fn word_answer(&self, mut claims: Value) -> Value {
        let iat = claims["iat"].as_i64().unwrap_or_default();
        self.say(
            &mut claims,
            &[
                (DpFault::BalanceJtiStatic, "jti", json!(STATIC_JTI)),
                (DpFault::BalanceAudOfAnother, "aud", json!([NOBODY])),
                (DpFault::BalanceIssOfAnother, "iss", json!(NOBODY)),
                (DpFault::BalanceLivesTooLong, "exp", json!(iat + 86_400)),
            ],
        );
        claims
    }

    /// A balance object, before it is encrypted.
    pub(crate) fn word_balance(&self, mut object: Value) -> Value {
        if self.faulty(DpFault::BalanceInDollars) {
            object = replaced(object, "currency", &|_| json!("USD"));
        }
        if self.faulty(DpFault::BalanceAmountsAsNumbers) {
            object = replaced(object, "amount", &|value| match value.as_str() {
                Some(text) => text.parse::<f64>().map_or(value.clone(), |number| json!(number)),
                None => value.clone(),
            });
        }
        if self.faulty(DpFault::BalanceIndicatorSpelt) {
            object = replaced(object, "credit_debit_indicator", &|_| json!("CR"));
        }
        match object.get_mut("data") {
            Some(data) if self.faulty(DpFault::BalanceWithoutData) => data.take(),
            _ => object,
        }
    }

    /// Whether an encryption key of somebody else's will do.
    pub(crate) fn knows_elsewhere(&self, enc_kid: &str) -> bool {
        self.faulty(DpFault::EncKidOfAnyDc)
            && self.config.other_keys.find(enc_kid, KeyUse::Enc).is_ok()
    }

    /// The plaintext under algorithms that the profile does not have.
    pub(crate) fn weak_jwe(&self, key: &PublicKey, plaintext: &str) -> Option<String> {
        let algorithms = if self.faulty(DpFault::BalanceA128) {
            ("RSA-OAEP-256", "A128GCM")
        } else if self.faulty(DpFault::BalanceOaepSha1) {
            ("RSA-OAEP", "A128CBC-HS256")
        } else {
            return None;
        };
        corrupt::weak_jwe(key, algorithms, plaintext.as_bytes())
    }

    /// The tenth balance of a consent takes its time.
    pub(crate) async fn dawdle(&self, resource: Resource, consent: &DpConsent) {
        if resource != Resource::Balances || !self.faulty(DpFault::BalanceSlow) {
            return;
        }
        let count = {
            let mut state = self.careless.state();
            let count = state.balances.entry(consent.id.clone()).or_insert(0);
            *count += 1;
            *count
        };
        if count == 10 {
            tokio::time::sleep(Duration::from_millis(5_300)).await;
        }
    }

    /// What was sent before to the same question.
    pub(crate) fn same_again(&self, inbound: &Inbound, fresh: Value) -> Value {
        if !self.faulty(DpFault::BalanceCiphertextReused) {
            return fresh;
        }
        let question = format!("{}?{}", inbound.path, inbound.query);
        self.careless.state().ciphertexts.entry(question).or_insert(fresh).clone()
    }

    /// The answer to a request for data.
    pub(crate) fn word_sent(&self, mut answer: Answer) -> Answer {
        if self.faulty(DpFault::BalanceAnswered201) {
            answer.status = 201;
        }
        if self.faulty(DpFault::BalanceKidUnknown) {
            let jws = String::from_utf8_lossy(&answer.body).into_owned();
            answer.body = corrupt::with_unknown_kid(&jws).into_bytes();
        }
        if self.faulty(DpFault::BalanceWithNewline) {
            answer.body.extend_from_slice(b"\r\n");
        }
        if self.faulty(DpFault::BalanceCacheable) {
            answer.headers.retain(|(name, _)| *name != "cache-control");
        }
        if self.faulty(DpFault::BalanceInHeader) {
            answer = answer.header("x-current-balance", "25000.75");
        }
        answer
    }

    /// An approval on its way to PayNet.
    pub(crate) fn word_approval(&self, mut update: UpdateConsent, nric: &str) -> UpdateConsent {
        if self.faulty(DpFault::UpdateWithoutIdToken) {
            update.id_token = None;
        }
        if self.faulty(DpFault::UpdateWithoutIdentity) {
            update.user_identity = None;
        }
        if self.faulty(DpFault::UpdateStatusApproved) {
            update.status = "approved".into();
        }
        if self.faulty(DpFault::UpdateOfAnotherConsent) {
            update.consent_id = Some(STATIC_JTI.into());
        }
        if self.faulty(DpFault::UpdateAccountsUnnamed) {
            update.accounts.iter_mut().flatten().for_each(|account| account.account_name.clear());
        }
        if let Some(identity) = update.user_identity.as_mut()
            && self.faulty(DpFault::UpdateClearNric)
        {
            identity.hashed_id_number = nric.chars().filter(char::is_ascii_digit).collect();
        }
        update
    }

    /// The claims of an id_token.
    pub(crate) fn word_id_token(&self, mut claims: Value) -> Value {
        let iat = claims["iat"].as_i64().unwrap_or_default();
        self.say(
            &mut claims,
            &[
                (DpFault::IdTokenIssOfAnother, "iss", json!(NOBODY)),
                (DpFault::IdTokenAudOfAnother, "aud", json!("nobody")),
                (DpFault::IdTokenExpired, "exp", json!(iat - 60)),
                (DpFault::IdTokenOtherHash, "hashed_id_number", json!(OTHER_HASH)),
            ],
        );
        claims
    }

    /// The claims of a client assertion.
    pub(crate) fn word_assertion(&self, mut claims: Value) -> Value {
        let iat = claims["iat"].as_i64().unwrap_or_default();
        self.say(
            &mut claims,
            &[
                (DpFault::AssertionLivesTooLong, "exp", json!(iat + 3_600)),
                (DpFault::AssertionJtiStatic, "jti", json!(STATIC_JTI)),
            ],
        );
        claims
    }

    /// Userinfo.
    pub(crate) fn word_userinfo(&self, mut claims: Value) -> Value {
        self.say(
            &mut claims,
            &[
                (DpFault::UserinfoOtherSub, "sub", json!("somebody-else")),
                (DpFault::UserinfoOtherHash, "hashed_id_number", json!(OTHER_HASH)),
            ],
        );
        if self.faulty(DpFault::UserinfoWithoutSub)
            && let Some(object) = claims.as_object_mut()
        {
            object.remove("sub");
        }
        claims
    }

    /// The answer to a good link.
    pub(crate) fn word_link(&self, mut answer: Answer, signature: &str) -> Answer {
        if self.faulty(DpFault::LinkAnswered200) {
            return Answer::new(200, "text/html", "<p>Please open our app.</p>");
        }
        if self.faulty(DpFault::LinkAnswered307) {
            answer.status = 307;
        }
        for (name, value) in &mut answer.headers {
            if *name == "location" && self.faulty(DpFault::LinkToPlainHttp) {
                *value = value.replacen("https://", "http://", 1);
            }
            if *name == "location" && self.faulty(DpFault::LocationWithSignature) {
                *value = format!("{value}?signature={signature}");
            }
        }
        answer
    }

    /// The URL by which the customer returns.
    pub(crate) fn word_way_back(&self, url: String, consent: &ConsentId) -> String {
        if self.faulty(DpFault::CallbackElsewhere) {
            return url.replacen("/callback?", "/return?", 1);
        }
        let rejected = url.contains("&error=access_denied");
        if rejected && self.faulty(DpFault::RejectionElsewhere) {
            return url.replacen("/callback?", "/return?", 1);
        }
        if rejected && self.faulty(DpFault::RejectionSaysSuccess) {
            return format!("{url}&status=success");
        }
        if rejected && self.faulty(DpFault::ReturnUnencoded) {
            return format!("{url}&reason=100%_declined");
        }
        if !url.contains("&error=") && self.faulty(DpFault::ReturnOfAnother) {
            return url.replace(consent.as_str(), STATIC_JTI);
        }
        if self.faulty(DpFault::RejectionWithoutError) {
            return url.split("&error=").next().unwrap_or_default().to_owned();
        }
        if self.faulty(DpFault::CallbackWithNric) {
            let consent = self.consents().get(consent).and_then(|consent| consent.username.clone());
            let books = self.bank.books();
            let nric = consent.and_then(|name| books.customer(&name).map(|c| c.nric().to_owned()));
            return format!("{url}&id={}", nric.unwrap_or_default().replace('-', ""));
        }
        url
    }

    /// What a careless DP answers to an event before it looks into it.
    pub(crate) fn misjudge_event(&self, inbound: &Inbound) -> Option<Refusal> {
        /// More than any event needs.
        const LARGE: usize = 500_000;
        let wrong = |reason| Refusal::new(500, ErrorCode::ServerError, reason);
        if inbound.body.len() > LARGE && self.faulty(DpFault::LargeEventAsServerError) {
            return Some(wrong("out of memory"));
        }
        let anonymous = inbound.header("x-fapi-interaction-id").is_none();
        if anonymous && self.faulty(DpFault::InteractionIdNeeded) {
            return Some(wrong("x-fapi-interaction-id is null"));
        }
        let body: Value = serde_json::from_slice(&inbound.body).unwrap_or_default();
        let data = body["data"].as_object()?;
        let unknown = data.keys().any(|name| !KNOWN_FIELDS.contains(&name.as_str()));
        if unknown && self.faulty(DpFault::UnknownFieldRefused) {
            return Some(Refusal::bad_request("unknown field"));
        }
        let elsewhere = ["account_access", "account_reference"];
        let elsewhere = elsewhere.iter().any(|name| data.contains_key(*name));
        if elsewhere && self.faulty(DpFault::AccountsElsewhereRefused) {
            return Some(Refusal::bad_request("accounts are not where they should be"));
        }
        let id = ConsentId::parse(data.get("consent_id")?.as_str()?).ok()?;
        let known = self.consents().get(&id).cloned()?;
        if body["event_type"] == "consent_created" && self.faulty(DpFault::RedeliveryRefused) {
            return Some(Refusal::bad_request("the consent exists"));
        }
        let echo = known.decision != Decision::Open
            && data.get("status").and_then(Value::as_str) == Some("authorized")
            && known.status != ConsentStatus::Suspended;
        if echo && self.faulty(DpFault::EchoRefused) {
            return Some(Refusal::bad_request("this was decided here"));
        }
        None
    }

    /// Whether an event without consent_id is good enough.
    pub(crate) fn overlooks_missing_id(&self, body: &[u8]) -> bool {
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        self.faulty(DpFault::EventConsentIdOptional)
            && body["data"].is_object()
            && body["data"]["consent_id"].is_null()
    }

    /// Takes the news of an event, now or a second later, or not at all.
    pub(crate) fn take_carelessly(&self, told: &DpConsent) -> bool {
        if told.status != ConsentStatus::Revoked {
            return false;
        }
        if self.careless.state().withdrawn.contains(&told.id) {
            return true;
        }
        let Some(this) = self.careless.this().filter(|_| self.faulty(DpFault::RevocationLate))
        else {
            return false;
        };
        let told = told.clone();
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(900)).await;
            this.consents().take_event(told, this.now());
        });
        true
    }

    /// Fetches what the header of an event points to.
    pub(crate) async fn follow_header(&self, inbound: &Inbound) {
        if !self.faulty(DpFault::EventJkuFetched) {
            return;
        }
        let header = inbound.header("x-fapi-signature").and_then(header);
        let url = header.and_then(|header| header.get("jku")?.as_str().map(str::to_owned));
        if let Some(url) = url {
            let _ = self.client.send(Request::get(url, self.config.patience)).await;
        }
    }

    /// Whether an event is refused for what it says.
    pub(crate) fn dislikes(&self, event_type: &str, status: &str) -> bool {
        (event_type == "consent_updated" && self.faulty(DpFault::UpdatedEventRefused))
            || (status == "suspended" && self.faulty(DpFault::SuspendedEventRefused))
            || (status == "revoked" && self.faulty(DpFault::RevokedEventRefused))
    }
}

/// What S4:L127-175 has, and what the profile's shapes add.
const KNOWN_FIELDS: [&str; 17] = [
    "consent_id",
    "dc_id",
    "dp_id",
    "id_type",
    "hashed_id_number",
    "consent_type",
    "consent_purpose",
    "permissions",
    "expiration_datetime",
    "status",
    "status_reason",
    "accounts",
    "account_access",
    "account_reference",
    "created_at",
    "updated_at",
    "updated_by",
];

/// An answer with an id that was decoded, whatever header it then ends and begins.
pub(crate) fn injected(answer: Answer, id: &str) -> Answer {
    let decoded = id.replace("%20", " ").replace("%0d", "\r").replace("%0a", "\n");
    match decoded.split_once("\r\n") {
        Some((id, rest)) => {
            let cookie = rest.strip_prefix("set-cookie: ").unwrap_or(rest).to_owned();
            answer.header("x-fapi-interaction-id", id).header("set-cookie", cookie)
        }
        None => answer.header("x-fapi-interaction-id", id),
    }
}

/// The JSON with every member of this name replaced.
fn replaced(value: Value, name: &str, with: &dyn Fn(&Value) -> Value) -> Value {
    match value {
        Value::Object(object) => Value::Object(
            object
                .into_iter()
                .map(|(member, value)| {
                    let leaf = !value.is_object() && !value.is_array();
                    let value = match member == name && leaf {
                        true => with(&value),
                        false => replaced(value, name, with),
                    };
                    (member, value)
                })
                .collect(),
        ),
        Value::Array(items) => {
            Value::Array(items.into_iter().map(|item| replaced(item, name, with)).collect())
        }
        other => other,
    }
}
