//! Asks for a balance, verifies who answered, and decrypts.

use ofp_evidence::Message;
use ofp_jose::{CompactJwe, CompactJws};
use ofp_net::Request;
use ofp_types::{AccountId, InteractionId, wire::wrapped_jws};
use serde_json::Value;

use crate::{DcError, Linked, MockDc};

/// What came of asking for a balance.
#[derive(Debug)]
pub struct BalanceReading {
    /// Correlates the request, through PayNet to the DP.
    pub interaction: InteractionId,
    /// HTTP status code.
    pub status: u16,
    /// PayNet's answer.
    pub message: Message,
    /// What decryption gave, if it came that far: the plaintext, or why there is none.
    pub decrypted: Option<Result<Vec<u8>, String>>,
    /// SHA-256 of the content encryption key, if it came that far.
    pub content_key: Option<String>,
    /// The balance, or why there is none.
    pub balance: Result<Value, DcError>,
}

impl MockDc {
    /// Asks for the balance of an account.
    ///
    /// # Errors
    /// [`DcError::Network`]; every answer, a refusal too, is a [`BalanceReading`].
    pub async fn read_balance(
        &self,
        linked: &Linked,
        account: &AccountId,
    ) -> Result<BalanceReading, DcError> {
        const WHAT: &str = "balance request";
        let interaction = self.new_interaction();
        let path = format!("/v1/accounts/{}/balances", account.path_segment());
        let (consent, dp) = (linked.consent_id.as_str(), linked.dp_id.as_str());
        let call = Request::get(self.config.paynet_rs.join(&path), self.config.deadline)
            .header("authorization", format!("Bearer {}", linked.access_token))
            .header("x-fapi-interaction-id", interaction.as_str())
            .header("x-signature", self.request_signature(consent, dp, &path));
        let reply = self.send(WHAT, call).await?;
        let mut reading = BalanceReading {
            interaction,
            status: reply.status,
            message: reply.message,
            decrypted: None,
            content_key: None,
            balance: Err(DcError::TooEarly("nothing has been read yet")),
        };
        reading.balance = self.open(&mut reading);
        Ok(reading)
    }

    fn open(&self, reading: &mut BalanceReading) -> Result<Value, DcError> {
        if reading.status != 200 {
            let body = reading.message.text().chars().take(300).collect();
            return Err(DcError::Refused { what: "balance", status: reading.status, body });
        }
        let jws_failed = DcError::jose("the DP's signature");
        let media_type = reading.message.media_type().unwrap_or_default();
        let wrapped = wrapped_jws(&media_type, &reading.message.body);
        let text = wrapped.unwrap_or_else(|| reading.message.text().into_owned());
        let jws = CompactJws::parse(&text).map_err(&jws_failed)?;
        let verified = jws.verify(&self.config.dp_keys).map_err(&jws_failed)?;
        let claims = verified.claims().map_err(&jws_failed)?;
        claims.not_expired(self.clock.now()).map_err(&jws_failed)?;
        let jwe_failed = DcError::jose("the encrypted balance");
        let jwe =
            CompactJwe::parse(claims.text("data").map_err(&jwe_failed)?).map_err(&jwe_failed)?;
        let plaintext = self.decryption.decrypt(&jwe);
        reading.content_key = self.decryption.content_key_fingerprint(&jwe);
        reading.decrypted = Some(plaintext.clone().map_err(|e| e.to_string()));
        let plaintext = self.unwrapped(plaintext.map_err(&jwe_failed)?)?;
        serde_json::from_slice(&plaintext)
            .map_err(|e| DcError::protocol("the balance", format!("not JSON: {e}")))
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
