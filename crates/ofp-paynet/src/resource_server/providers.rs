//! B1: the directory of DPs.

use ofp_net::{Answer, Inbound, parse_form};
use serde_json::{Value, json};

use super::paging;
use crate::{
    DpRegistration,
    bearer::insufficient,
    platform::{Participant, Platform},
    refusal::Refusal,
    state::Grant,
};

/// How many providers a page has unless it says otherwise.
const PAGE: u32 = 100;

impl Platform {
    pub(crate) fn providers(&self, inbound: &Inbound) -> Result<Answer, Refusal> {
        let (token, participant) = self.bearer_for_accounts(inbound)?;
        if !matches!(participant, Participant::Dc(_)) {
            return Err(insufficient("only a DC may read the directory"));
        }
        if token.grant != Grant::Client {
            return Err(insufficient("a client_credentials token is needed"));
        }
        let query = parse_form(inbound.query.as_bytes())
            .map_err(|e| Refusal::bad_request(e.to_string()))?;
        let size = paging::page_size(&query)?.unwrap_or(PAGE) as usize;
        let start = match paging::cursor(&query)? {
            None => 0,
            Some(cursor) => self.position(cursor)?,
        };
        let page: Vec<Value> = self.dps.iter().skip(start).take(size).map(provider).collect();
        let next =
            self.dps.get(start + size).map(|dp| ofp_jose::base64url(dp.dp_id.as_str().as_bytes()));
        let meta = next.map_or(json!({}), |next| json!({ "next_page_params": next }));
        Ok(Answer::json(200, &json!({ "data": page, "meta": meta })))
    }

    /// Where a page begins: with the DP that the cursor names.
    fn position(&self, cursor: &str) -> Result<usize, Refusal> {
        let id = ofp_jose::base64url_decode(cursor).and_then(|id| String::from_utf8(id).ok());
        id.and_then(|id| self.dps.iter().position(|dp| dp.dp_id.as_str() == id))
            .ok_or_else(|| Refusal::bad_request("next_page_params is not one of ours"))
    }
}

fn provider(dp: &DpRegistration) -> Value {
    json!({
        "provider_id": dp.dp_id,
        "name": dp.client.name,
        "status": "online",
        "provider_type": dp.provider_type,
        "authorization_server_url": dp.as_webhooks,
        "resource_server_url": dp.rs_webhooks,
        "supported_use_cases": ["pfm", "credit_underwriting"],
    })
}
