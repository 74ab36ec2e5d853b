//! A3 to A5: JWK sets. PayNet's own under the three paths that its pages name, and every
//! DC's under its `dc_id`.

use ofp_jose::JwkSet;
use ofp_net::{Answer, Inbound};
use ofp_types::ErrorCode;

use crate::{platform::Platform, refusal::Refusal};

impl Platform {
    pub(crate) fn jwks(&self, inbound: &Inbound) -> Result<Answer, Refusal> {
        let set = self.jwks_of(&inbound.parameter)?;
        let body = serde_json::to_vec(set).unwrap_or_default();
        Ok(Answer::new(200, "application/json", body).header("cache-control", "max-age=900"))
    }

    fn jwks_of(&self, owner: &str) -> Result<&JwkSet, Refusal> {
        if matches!(owner, "" | "paynet" | "ofp") {
            return Ok(&self.jwks);
        }
        let dc = self.dcs.iter().find(|dc| dc.dc_id.as_str() == owner);
        dc.map(|dc| &dc.client.jwks).ok_or_else(|| {
            Refusal::new(404, ErrorCode::InvalidRequest, format!("no DC `{owner}` is registered"))
        })
    }
}
