//! A3 to A5: JWK sets. PayNet's own under the three paths that its pages name, and every
//! DC's under its `dc_id`.

use ofp_jose::JwkSet;
use ofp_net::{Answer, Inbound};
use ofp_types::ErrorCode;

use crate::{platform::Platform, refusal::Refusal};

impl Platform {
    pub(crate) fn jwks(&self, inbound: &Inbound) -> Result<Answer, Refusal> {
        let set = match inbound.parameter.as_str() {
            "" | "paynet" | "ofp" => serde_json::to_vec(&self.keys.published_json()),
            dc => serde_json::to_vec(&self.jwks_of(dc)?),
        };
        let body = set.unwrap_or_default();
        Ok(Answer::new(200, "application/json", body).header("cache-control", "max-age=900"))
    }

    /// A DC's registered keys, and the encryption key that it has changed to.
    fn jwks_of(&self, owner: &str) -> Result<JwkSet, Refusal> {
        let dc = self.dcs.iter().find(|dc| dc.dc_id.as_str() == owner).ok_or_else(|| {
            Refusal::new(404, ErrorCode::InvalidRequest, format!("no DC `{owner}` is registered"))
        })?;
        let mut set = dc.client.jwks.clone();
        set.keys.extend(self.state().encryption_keys.get(&dc.dc_id).cloned());
        Ok(set)
    }
}
