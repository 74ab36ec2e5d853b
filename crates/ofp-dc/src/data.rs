//! Asks for account data, verifies who answered, and decrypts.

use ofp_evidence::Message;
use ofp_jose::{CompactJwe, CompactJws};
use ofp_net::{Request, encode_form};
use ofp_types::{AccountId, InteractionId, wire::wrapped_jws};
use serde_json::Value;

use crate::{DcError, Linked, MockDc};

/// What of an account is asked for (B2 to B4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resource {
    /// What it is.
    Account,
    /// What is on it.
    Balances,
    /// What moved, a page of it.
    Transactions,
}

impl Resource {
    fn path(self, account: &AccountId) -> String {
        let account = account.path_segment();
        match self {
            Self::Account => format!("/v1/accounts/{account}"),
            Self::Balances => format!("/v1/accounts/{account}/balances"),
            Self::Transactions => format!("/v1/accounts/{account}/transactions"),
        }
    }

    fn what(self) -> &'static str {
        match self {
            Self::Account => "account request",
            Self::Balances => "balance request",
            Self::Transactions => "transactions request",
        }
    }
}

/// What came of asking for account data.
#[derive(Debug)]
pub struct Reading {
    /// Correlates the request, through PayNet to the DP.
    pub interaction: InteractionId,
    /// HTTP status code.
    pub status: u16,
    /// PayNet's answer.
    pub message: Message,
    /// What decryption gave, if it came that far: the plaintext, or why there is none.
    pub decrypted: Option<Result<Vec<u8>, String>>,
    /// The JWE that was decrypted, if it came that far.
    pub jwe: Option<String>,
    /// The data, or why there is none.
    pub data: Result<Value, DcError>,
}

impl MockDc {
    /// Asks for data of an account.
    ///
    /// # Errors
    /// [`DcError::Network`]; every answer, a refusal too, is a [`Reading`].
    pub async fn read(
        &self,
        linked: &Linked,
        account: &AccountId,
        resource: Resource,
        query: &[(&str, &str)],
    ) -> Result<Reading, DcError> {
        let interaction = self.new_interaction();
        let path = resource.path(account);
        let mut url = self.config.paynet_rs.join(&path);
        if !query.is_empty() {
            url = format!("{url}?{}", encode_form(query));
        }
        let signature = self.request_signature(linked, &path, query);
        let call = Request::get(url, self.config.deadline)
            .header("authorization", format!("Bearer {}", linked.access_token))
            .header("x-fapi-interaction-id", interaction.as_str())
            .header("x-signature", signature);
        let reply = self.send(resource.what(), call).await?;
        let mut reading = Reading {
            interaction,
            status: reply.status,
            message: reply.message,
            decrypted: None,
            jwe: None,
            data: Err(DcError::TooEarly("nothing has been read yet")),
        };
        reading.data = self.open(&mut reading, resource.what());
        Ok(reading)
    }

    fn open(&self, reading: &mut Reading, what: &'static str) -> Result<Value, DcError> {
        if reading.status != 200 {
            let body = reading.message.text().chars().take(300).collect();
            return Err(DcError::Refused { what, status: reading.status, body });
        }
        let jws_failed = DcError::jose("the DP's signature");
        let media_type = reading.message.media_type().unwrap_or_default();
        let wrapped = wrapped_jws(&media_type, &reading.message.body);
        let text = wrapped.unwrap_or_else(|| reading.message.text().into_owned());
        let jws = CompactJws::parse(&text).map_err(&jws_failed)?;
        let verified = jws.verify(&self.config.dp_keys).map_err(&jws_failed)?;
        let claims = verified.claims().map_err(&jws_failed)?;
        claims.not_expired(self.clock.now()).map_err(&jws_failed)?;
        let jwe_failed = DcError::jose("the encrypted data");
        let text = claims.text("data").map_err(&jwe_failed)?;
        let jwe = CompactJwe::parse(text).map_err(&jwe_failed)?;
        let plaintext = self.decryption_key(&jwe).decrypt(&jwe);
        reading.jwe = Some(text.to_owned());
        reading.decrypted = Some(plaintext.clone().map_err(|e| e.to_string()));
        let plaintext = self.unwrapped(plaintext.map_err(&jwe_failed)?)?;
        serde_json::from_slice(&plaintext)
            .map_err(|e| DcError::protocol(what, format!("the data is not JSON: {e}")))
    }

    /// The JSON inside: as it is, or in a nested compact JWS by the DP.
    fn unwrapped(&self, plaintext: Vec<u8>) -> Result<Vec<u8>, DcError> {
        let text = String::from_utf8_lossy(&plaintext);
        match CompactJws::parse(&text) {
            Err(_) => Ok(plaintext),
            Ok(jws) => {
                let verified = jws.verify(&self.config.dp_keys);
                Ok(verified.map_err(DcError::jose("the nested signature"))?.payload)
            }
        }
    }
}
