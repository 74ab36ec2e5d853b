//! What a careless DP says. Only deliberate faults change anything here.

use ofp_jose::corrupt;
use ofp_net::Answer;
use ofp_types::{ConsentId, DpFault, wire::UpdateConsent};
use serde_json::{Value, json};

use crate::core::Core;

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

    /// The answer to a request for data.
    pub(crate) fn word_sent(&self, mut answer: Answer) -> Answer {
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

    /// Whether an event is refused for what it says.
    pub(crate) fn dislikes(&self, event_type: &str, status: &str) -> bool {
        (event_type == "consent_updated" && self.faulty(DpFault::UpdatedEventRefused))
            || (status == "suspended" && self.faulty(DpFault::SuspendedEventRefused))
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
