//! Asks for a consent: a pushed authorization request with a signed request object.

use jiff::{SignedDuration, Timestamp};
use ofp_net::{Request, encode_form};
use ofp_types::{
    DpId, InteractionId, Permission, Purpose, RequestClaims, token, uuid_v4,
    wire::{ASSERTION_TYPE, CONSENT_RAR_TYPE, ParResponse, malaysian},
};
use openssl::sha::sha256;
use serde_json::{Map, Value, json};

use crate::{
    DcError, Linked, MockDc,
    client::{Metadata, parse, success},
};

/// Life of a request object and of a client assertion, as in the sandbox's samples.
const LIFE: SignedDuration = SignedDuration::from_secs(300);

/// What to ask the customer for.
#[derive(Debug, Clone)]
pub struct ConsentRequest {
    /// Whom to ask; the customer picks at PayNet when left out.
    pub dp_id: Option<DpId>,
    /// What for.
    pub purpose: Purpose,
    /// What to read.
    pub permissions: Vec<Permission>,
    /// Until when.
    pub expiration: Timestamp,
    /// Whether the authorization response is to be a JWT (JARM).
    pub as_jwt: bool,
}

/// An authorization under way.
#[derive(Debug, Clone)]
pub struct Pending {
    /// Where to send the browser.
    pub authorize_url: String,
    /// Binds the response to this request (RFC 6749 §10.12).
    pub state: String,
    /// Binds the id_token to this request.
    pub nonce: String,
    /// Proves that whoever redeems the code is whoever asked (RFC 7636).
    pub code_verifier: String,
    /// Correlates the push.
    pub interaction: InteractionId,
}

impl MockDc {
    /// Pushes an authorization request.
    ///
    /// # Errors
    /// [`DcError`], with PayNet's answer when it refused.
    pub async fn request_consent(&self, request: &ConsentRequest) -> Result<Pending, DcError> {
        const WHAT: &str = "pushed authorization request";
        let metadata = self.metadata().await?;
        let interaction = self.new_interaction();
        let mut pending = Pending {
            authorize_url: String::new(),
            state: token(&*self.entropy),
            nonce: token(&*self.entropy),
            code_verifier: token(&*self.entropy),
            interaction: interaction.clone(),
        };
        let object = self.request_object(request, &pending);
        let url = &metadata.pushed_authorization_request_endpoint;
        let call = self
            .form(url, &[("request", &object)])
            .header("x-fapi-interaction-id", interaction.as_str());
        let reply = success(WHAT, self.send(WHAT, call).await?, 201)?;
        let pushed: ParResponse = parse(WHAT, &reply)?;
        pending.authorize_url = self.authorize_url(metadata, &pushed);
        self.expect_landing(&pending.state);
        Ok(pending)
    }

    /// Only `client_id` and `request_uri` (FAPI 2.0 SP §5.3.3.2).
    fn authorize_url(&self, metadata: &Metadata, pushed: &ParResponse) -> String {
        let query = encode_form(&[
            ("client_id", self.config.client_id.as_str()),
            ("request_uri", &pushed.request_uri),
        ]);
        format!("{}?{query}", metadata.authorization_endpoint)
    }

    /// The request object (`spec/ofp.md` 5.6).
    fn request_object(&self, request: &ConsentRequest, pending: &Pending) -> String {
        let now = self.clock.now();
        let challenge = ofp_jose::base64url(&sha256(pending.code_verifier.as_bytes()));
        let mut consent = json!({
            "dc_id": self.config.dc_id,
            "consent_type": CONSENT_RAR_TYPE,
            "consent_purpose": request.purpose,
            "permissions": request.permissions,
            "expiration_datetime": malaysian(request.expiration),
        });
        if let Some(dp) = &request.dp_id {
            consent["dp_id"] = json!(dp);
        }
        let mut claims = json!({
            "iss": self.config.client_id,
            "client_id": self.config.client_id,
            "aud": self.config.issuer,
            "nbf": now.as_second(),
            "exp": (now + LIFE).as_second(),
            "response_type": "code",
            "redirect_uri": self.redirect_uri(),
            "scope": "accounts profile",
            "state": pending.state,
            "nonce": pending.nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
            "authorization_details": [{ "type": CONSENT_RAR_TYPE, "consent": consent }],
        });
        if request.as_jwt {
            claims["response_mode"] = json!("jwt");
        }
        let kind = Map::from_iter([("typ".to_owned(), json!("oauth-authz-req+jwt"))]);
        self.signing.sign_with(kind, claims.to_string().as_bytes())
    }

    /// A form that this client has authenticated, as it is registered to.
    pub(crate) fn form(&self, url: &str, fields: &[(&str, &str)]) -> Request {
        let mut all = vec![("client_id", self.config.client_id.as_str())];
        all.extend_from_slice(fields);
        let assertion =
            if self.config.uses_assertion { self.client_assertion() } else { String::new() };
        if self.config.uses_assertion {
            all.push(("client_assertion_type", ASSERTION_TYPE));
            all.push(("client_assertion", &assertion));
        }
        Request::form(url, &all, self.config.deadline)
    }

    /// private_key_jwt (`spec/ofp.md` 5.5).
    fn client_assertion(&self) -> String {
        let now = self.clock.now();
        self.signing.sign_claims(&json!({
            "iss": self.config.client_id,
            "sub": self.config.client_id,
            "aud": self.config.issuer,
            "iat": now.as_second(),
            "exp": (now + LIFE).as_second(),
            "jti": uuid_v4(&*self.entropy),
        }))
    }

    /// A signature over a resource request (`spec/ofp.md` 5.3).
    pub(crate) fn request_signature(
        &self,
        linked: &Linked,
        path: &str,
        query: &[(&str, &str)],
    ) -> String {
        let profile = &self.config.profile;
        let (now, jti) = (self.clock.now(), uuid_v4(&*self.entropy).to_string());
        if profile.sig_resource == ofp_types::SigResource::DetachedEmpty {
            let dc = self.config.dc_id.as_str();
            let header = ofp_types::signature_header(dc, now, jti, profile.numericdate);
            return self.signing.sign_detached(header, b"");
        }
        let url = self.config.paynet_rs.join(path);
        let url = if profile.quirk_url { format!("http://{url}") } else { url };
        let sub = match profile.sub_claim {
            ofp_types::SubClaim::ConsentId => linked.consent_id.as_str(),
            ofp_types::SubClaim::DcId => self.config.dc_id.as_str(),
        };
        let claims = RequestClaims {
            iss: self.config.dc_id.as_str(),
            sub,
            aud: &[linked.dp_id.as_str(), ofp_types::PLATFORM_AUDIENCE],
            url: &url,
            qpm: query,
            jti,
            body: None,
            now,
        };
        let claims = claims.in_form(profile.numericdate);
        self.signing.sign_claims(&Value::Object(claims))
    }

    pub(crate) fn new_interaction(&self) -> InteractionId {
        let uuid = uuid_v4(&*self.entropy).to_string();
        InteractionId::parse(uuid).expect("a UUID has the form of an interaction id")
    }
}
