//! D2 in `relay` mode: PayNet calls the DP's authorize itself and hands the Location on.

use ofp_evidence::Endpoint;
use ofp_net::{Call, Request};
use ofp_types::{Consent, Effect, uuid_v4};
use url::Url;

use super::forward::excused;
use crate::{platform::Platform, serve::Context};

impl Platform {
    /// Where the DP wants the browser to go, or why there is no such place.
    pub(crate) async fn relay(
        &self,
        consent: &Consent,
        link: String,
        effect: Option<Effect>,
        context: &Context,
    ) -> Result<String, String> {
        let caller = self.dp_callers.get(&consent.dp_id).ok_or("the DP is not registered")?;
        let request = Request::get(link, self.profile.dp_deadline())
            .header("x-fapi-interaction-id", uuid_v4(&*self.entropy).to_string());
        let (consent, cause) = (Some(consent.consent_id.clone()), Some(context.exchange));
        let call = Call { endpoint: Endpoint::DpAuthorize, request, consent, cause };
        let (_, result) = excused(caller, caller.call(call).await, effect);
        let (status, message) =
            result.map_err(|failure| format!("the DP's authorize: {failure}"))?;
        if !matches!(status, 302 | 303) {
            return Err(format!("the DP's authorize answered {status}, a 303 is required"));
        }
        let location = message.header("location").ok_or("the DP's redirect has no Location")?;
        match Url::parse(location) {
            Ok(url) if url.scheme() == "https" => Ok(location.to_owned()),
            _ => Err(format!("the DP's Location `{location}` is not an absolute https URL")),
        }
    }
}
