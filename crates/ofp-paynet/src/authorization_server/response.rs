//! The authorization response: plain with `iss` (RFC 9207), or a JWT (JARM).

use jiff::SignedDuration;
use ofp_net::Answer;
use serde_json::{Map, Value, json};
use url::Url;

use crate::{faults::spoil, platform::Platform, serve::Context, state::PkceRequest};

/// Life of a response in a JWT; at most 10 minutes are recommended (JARM §2.1).
const LIFE: SignedDuration = SignedDuration::from_mins(5);

impl Platform {
    /// `state` and `iss` go with every response.
    pub(super) fn response(
        &self,
        request: &PkceRequest,
        client_id: &str,
        parameters: &[(&str, &str)],
        context: &Context,
    ) -> Answer {
        // what is registered has been compared as text; it may still be no URL
        let Ok(mut url) = Url::parse(&request.redirect_uri) else { return Answer::empty(500) };
        let state = request.state.as_deref().map(|state| ("state", state));
        let parameters = parameters.iter().copied().chain(state);
        if request.as_jwt {
            let jwt = self.response_jwt(client_id, parameters, context);
            url.query_pairs_mut().append_pair("response", &jwt);
        } else {
            let iss = ("iss", self.issuer.as_str());
            url.query_pairs_mut().extend_pairs(parameters.chain([iss]));
        }
        Answer::empty(303).header("location", url.as_str()).header("cache-control", "no-store")
    }

    /// JARM §2.1.
    fn response_jwt<'a>(
        &self,
        client_id: &str,
        parameters: impl Iterator<Item = (&'a str, &'a str)>,
        context: &Context,
    ) -> String {
        let now = self.now();
        let mut claims = Map::from_iter([
            ("iss".to_owned(), json!(self.issuer)),
            ("aud".to_owned(), json!(client_id)),
            ("iat".to_owned(), json!(now.as_second())),
            ("exp".to_owned(), json!((now + LIFE).as_second())),
        ]);
        claims.extend(parameters.map(|(name, value)| (name.to_owned(), json!(value))));
        let jwt = self.keys.signing().sign_claims(&Value::Object(claims));
        match context.jose {
            Some(fault) => spoil(fault, &jwt),
            None => jwt,
        }
    }
}
