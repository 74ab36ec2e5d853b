//! A1, A2: server metadata (RFC 8414; FAPI 2.0 SP §5.3.2.1).

use ofp_net::Answer;
use ofp_types::wire::CONSENT_RAR_TYPE;
use serde_json::json;

use crate::platform::Platform;

impl Platform {
    pub(crate) fn discovery(&self) -> Answer {
        let methods = ["private_key_jwt", "tls_client_auth"];
        let public = |path: &str| self.issuer.join(path);
        let mtls = |path: &str| self.as_mtls.join(path);
        // every endpoint that wants a certificate is on the listener that asks for one, alias or not
        let behind_mtls = json!({
            "token_endpoint": mtls("/v1/oauth/token"),
            "pushed_authorization_request_endpoint": mtls("/v1/oauth/par"),
            "introspection_endpoint": mtls("/v1/oauth/introspect"),
            "revocation_endpoint": mtls("/v1/oauth/revoke"),
            "userinfo_endpoint": mtls("/v1/oauth/userinfo"),
        });
        let mut metadata = json!({
            "issuer": self.issuer,
            "authorization_endpoint": public("/v1/oauth/authorize"),
            "jwks_uri": public("/v1/oauth/jwks/paynet"),
            "mtls_endpoint_aliases": behind_mtls,
            "require_pushed_authorization_requests": true,
            "require_signed_request_object": true,
            "authorization_response_iss_parameter_supported": true,
            "tls_client_certificate_bound_access_tokens": true,
            "request_parameter_supported": true,
            "request_uri_parameter_supported": true,
            "require_request_uri_registration": true,
            "claims_parameter_supported": true,
            "grant_types_supported": [
                "authorization_code", "client_credentials", "refresh_token",
            ],
            "response_types_supported": ["code"],
            "response_modes_supported": ["query", "query.jwt", "jwt"],
            "code_challenge_methods_supported": ["S256"],
            "scopes_supported": ["openid", "accounts", "profile"],
            "subject_types_supported": ["public"],
            "claim_types_supported": ["normal"],
            "token_endpoint_auth_methods_supported": methods,
            "token_endpoint_auth_signing_alg_values_supported": self.profile.sig_algs,
            "request_object_signing_alg_values_supported": self.profile.sig_algs,
            "id_token_signing_alg_values_supported": self.profile.sig_algs,
            "authorization_signing_alg_values_supported": self.profile.sig_algs,
            "introspection_signing_alg_values_supported": self.profile.sig_algs,
            "introspection_endpoint_auth_methods_supported": methods,
            "introspection_endpoint_auth_signing_alg_values_supported": self.profile.sig_algs,
            "revocation_endpoint_auth_methods_supported": methods,
            "revocation_endpoint_auth_signing_alg_values_supported": self.profile.sig_algs,
            "claims_supported": [
                "sub", "iss", "auth_time", "acr", "amr", "name", "given_name", "family_name",
                "preferred_username", "picture", "email", "email_verified", "id_type",
                "hashed_id_number",
            ],
            "authorization_details_types_supported": [CONSENT_RAR_TYPE],
        });
        if let (Some(all), Some(more)) = (metadata.as_object_mut(), behind_mtls.as_object()) {
            all.extend(more.clone());
        }
        Answer::new(200, "application/json; charset=utf-8", metadata.to_string())
    }
}
