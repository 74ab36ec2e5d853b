//! D3: who the customer is, as far as they agreed to say.

use ofp_net::{Answer, Inbound, parse_form};
use ofp_types::{DpFault, ErrorCode};
use serde_json::json;

use crate::{core::Core, refusal::Refusal};

impl Core {
    pub(super) async fn userinfo(&self, inbound: &Inbound) -> Result<Answer, Refusal> {
        let query = parse_form(inbound.query.as_bytes())
            .map_err(|e| Refusal::bad_request(e.to_string()))?;
        let consent = self.consent_of(&query, inbound)?;
        self.check_userinfo_signature(inbound, &consent).await?;
        if !consent.is_live(self.now()) && !self.faulty(DpFault::UserinfoOfAnyConsent) {
            let reason = format!("the consent is {}", consent.status);
            return Err(Refusal::new(403, ErrorCode::ConsentInvalid, reason));
        }
        let books = self.bank.books();
        let customer = consent.username.as_deref().and_then(|name| books.customer(name));
        let unknown = || Refusal::new(403, ErrorCode::ConsentInvalid, "nobody approved it here");
        let customer = customer.ok_or_else(unknown)?;
        let mut claims = customer.profile();
        claims["sub"] = json!(customer.subject());
        claims["hashed_id_number"] = json!(customer.hashed_id_number(self.config.profile.id_hash));
        let claims = self.word_userinfo(claims);
        Ok(Answer::json(200, &claims).header("cache-control", "no-store"))
    }
}
