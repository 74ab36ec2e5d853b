//! The platform's OpenAPI document. Each endpoint is described by a function that does nothing; a test
//! holds the descriptions to the routes.
#![expect(dead_code, reason = "only the descriptions are used")]

use std::collections::BTreeMap;

use serde_json::Value;
use utoipa::{
    IntoResponses, Modify, OpenApi, ToSchema,
    openapi::{
        ContentBuilder, Ref, RefOr, Response, ResponseBuilder,
        security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};

/// An error (S1:L376-379).
#[derive(ToSchema)]
struct ErrorAnswer {
    /// A code of RFC 6749, RFC 6750, RFC 9101, RFC 9396 or PayNet's list.
    error: String,
    /// A sentence.
    error_description: Option<String>,
}

/// RFC 9126 §2.2.
#[derive(ToSchema)]
struct Pushed {
    /// What the browser brings.
    request_uri: String,
    /// Seconds.
    expires_in: u64,
}

/// RFC 9126 §2.1.
#[derive(ToSchema)]
struct ParForm {
    /// The client.
    client_id: String,
    /// The signed request object.
    request: String,
    /// For private_key_jwt.
    client_assertion_type: Option<String>,
    /// For private_key_jwt.
    client_assertion: Option<String>,
}

/// RFC 6749 §4.1.3, §4.4.2, §6.
#[derive(ToSchema)]
struct TokenForm {
    /// The client.
    client_id: String,
    /// `client_credentials`, `authorization_code` or `refresh_token`.
    grant_type: String,
    /// What for.
    scope: Option<String>,
    /// For authorization_code.
    code: Option<String>,
    /// For authorization_code.
    code_verifier: Option<String>,
    /// For authorization_code.
    redirect_uri: Option<String>,
    /// For refresh_token.
    refresh_token: Option<String>,
    /// For private_key_jwt.
    client_assertion_type: Option<String>,
    /// For private_key_jwt.
    client_assertion: Option<String>,
}

/// RFC 7662 §2.1; RFC 7009 §2.1.
#[derive(ToSchema)]
struct TokenOfForm {
    /// The client.
    client_id: String,
    /// The token.
    token: String,
    /// For private_key_jwt.
    client_assertion_type: Option<String>,
    /// For private_key_jwt.
    client_assertion: Option<String>,
}

/// The customer's pick.
#[derive(ToSchema)]
struct PickForm {
    /// From the page.
    pick: String,
    /// The DP.
    dp_id: String,
}

type Responses = BTreeMap<String, RefOr<Response>>;

/// Refusals that have [`ErrorAnswer`] as body.
fn refusals(rows: &[(u16, &str)]) -> Responses {
    let schema = Ref::from_schema_name("ErrorAnswer");
    let content = ContentBuilder::new().schema(Some(schema)).build();
    let response = |description: &str| {
        let response = ResponseBuilder::new().description(description);
        response.content("application/json", content.clone()).build().into()
    };
    rows.iter().map(|(status, what)| (status.to_string(), response(what))).collect()
}

/// Those of endpoints that want a bearer token, and `more`.
fn bearer_refusals(more: &[(u16, &str)]) -> Responses {
    let mut all = refusals(more);
    all.append(&mut refusals(&[(400, "refused")]));
    let none =
        "no token: no body (RFC 6750 §3.1); one that is not good: `error` is `invalid_token`";
    all.insert("401".into(), ResponseBuilder::new().description(none).build().into());
    all
}

/// Declares a set of refusals by its name.
macro_rules! refusal_set {
    ($name:ident, $build:ident, $rows:expr) => {
        struct $name;

        impl IntoResponses for $name {
            fn responses() -> Responses {
                $build(&$rows)
            }
        }
    };
}

const NOT_COVERED: (u16, &str) = (403, "not covered by the consent");
const NOT_ACCEPTABLE: (u16, &str) = (503, "the DP's answer is not acceptable");
const TOO_LATE: (u16, &str) = (504, "the DP did not answer in time");

refusal_set!(ClientRefusals, refusals, [(400, "refused"), (401, "client authentication failed")]);
refusal_set!(BearerRefusals, bearer_refusals, [NOT_COVERED]);
refusal_set!(UserinfoRefusals, bearer_refusals, [NOT_COVERED, NOT_ACCEPTABLE, TOO_LATE]);
refusal_set!(
    DataRefusals,
    bearer_refusals,
    [
        NOT_COVERED,
        NOT_ACCEPTABLE,
        TOO_LATE,
        (404, "refused by the DP"),
        (429, "more than so many a minute"),
    ]
);
refusal_set!(
    ConsentRefusals,
    bearer_refusals,
    [(403, "another participant's, or not in a state for it"), (404, "no such consent")]
);

/// A1, A2: server metadata
///
/// RFC 8414; FAPI 2.0 SP §5.3.2.1.
#[utoipa::path(get, path = "/.well-known/openid-configuration", tag = "AS", operation_id = "openidConfiguration",
    responses((status = 200, description = "metadata", body = Value, content_type = "application/json; charset=utf-8")))]
fn openid_configuration() {}

/// A1, A2: server metadata
///
/// RFC 8414; FAPI 2.0 SP §5.3.2.1.
#[utoipa::path(get, path = "/.well-known/oauth-authorization-server", tag = "AS", operation_id = "authorizationServerMetadata",
    responses((status = 200, description = "metadata", body = Value, content_type = "application/json; charset=utf-8")))]
fn authorization_server_metadata() {}

/// A4: the platform's JWK set
///
/// RFC 7517; S1:L156.
#[utoipa::path(get, path = "/v1/oauth/jwks", tag = "AS", operation_id = "jwks",
    responses((status = 200, description = "the keys", body = Value, content_type = "application/json")))]
fn jwks() {}

/// A3, A5: the JWK set of the platform (`paynet`) or of a DC (`dc_id`)
///
/// S1:L67-70.
#[utoipa::path(get, path = "/v1/oauth/jwks/{owner}", tag = "AS", operation_id = "jwksOf",
    params(("owner" = String, Path, description = "`paynet`, `ofp` or a dc_id")),
    responses((status = 200, description = "the keys", body = Value, content_type = "application/json"),
        (status = 404, description = "no such DC", body = ErrorAnswer)))]
fn jwks_of() {}

/// A7: the authorization endpoint
///
/// RFC 9126 §4: brings the browser to the DP, or to the provider picker.
#[utoipa::path(get, path = "/v1/oauth/authorize", tag = "AS", operation_id = "authorize",
    params(("client_id" = String, Query, description = "the client"), ("request_uri" = String, Query, description = "from PAR")),
    responses((status = 200, description = "the provider picker", body = String, content_type = "text/html; charset=utf-8"),
        (status = 303, description = "on to the DP, or back to the DC"),
        (status = 400, description = "refused", body = ErrorAnswer)))]
fn authorize() {}

/// A7: the customer's pick of a DP
///
/// Only after a request that named none.
#[utoipa::path(post, path = "/v1/oauth/authorize/provider", tag = "AS", operation_id = "pickProvider",
    request_body(content = PickForm, content_type = "application/x-www-form-urlencoded"),
    responses((status = 303, description = "on to the DP, or back to the DC"),
        (status = 400, description = "refused", body = ErrorAnswer)))]
fn pick_provider() {}

/// A8: where the DP returns the browser to
///
/// S4:L191; X-49.
#[utoipa::path(get, path = "/v1/oauth/callback", tag = "AS", operation_id = "callback",
    params(("consent_id" = Option<String>, Query, description = "the consent")),
    responses((status = 303, description = "back to the DC"),
        (status = 400, description = "refused", body = ErrorAnswer)))]
fn callback() {}

/// The style sheet of the platform's pages
#[utoipa::path(get, path = "/style.css", tag = "AS", operation_id = "style",
    responses((status = 200, description = "CSS", body = String, content_type = "text/css; charset=utf-8")))]
fn style() {}

/// A6: pushed authorization request
///
/// RFC 9126; RFC 9101; FAPI 2.0 MS §5.3.
#[utoipa::path(post, path = "/v1/oauth/par", tag = "AS behind mutual TLS", operation_id = "par",
    request_body(content = ParForm, content_type = "application/x-www-form-urlencoded"),
    responses((status = 201, description = "pushed", body = Pushed, content_type = "application/json"),
        ClientRefusals))]
fn par() {}

/// A9: the token endpoint
///
/// client_credentials, authorization_code, refresh_token (RFC 6749; RFC 8705; RFC 7636).
#[utoipa::path(post, path = "/v1/oauth/token", tag = "AS behind mutual TLS", operation_id = "token",
    request_body(content = TokenForm, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, description = "tokens", body = Value, content_type = "application/json"),
        ClientRefusals))]
fn token() {}

/// A9: the token endpoint
///
/// client_credentials, authorization_code, refresh_token (RFC 6749; RFC 8705; RFC 7636).
#[utoipa::path(post, path = "/token", tag = "AS behind mutual TLS", operation_id = "tokenAlias",
    request_body(content = TokenForm, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, description = "tokens", body = Value, content_type = "application/json"),
        ClientRefusals))]
fn token_alias() {}

/// A10: introspection
///
/// RFC 7662; RFC 9701 with `Accept: application/token-introspection+jwt`.
#[utoipa::path(post, path = "/v1/oauth/introspect", tag = "AS behind mutual TLS", operation_id = "introspect",
    request_body(content = TokenOfForm, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, description = "what is known of the token", content((Value = "application/json"), (String = "application/token-introspection+jwt"))),
        ClientRefusals))]
fn introspect() {}

/// A11: revocation of a token
///
/// RFC 7009.
#[utoipa::path(post, path = "/v1/oauth/revoke", tag = "AS behind mutual TLS", operation_id = "revokeToken",
    request_body(content = TokenOfForm, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, description = "revoked, or unknown"),
        ClientRefusals))]
fn revoke_token() {}

/// A12: userinfo
///
/// OpenID Connect Core §5.3; asks the DP (D3).
#[utoipa::path(get, path = "/v1/oauth/userinfo", tag = "AS behind mutual TLS", operation_id = "userinfoGet",
    responses((status = 200, description = "claims", body = Value, content_type = "application/json"),
        UserinfoRefusals),
    security(("token" = [])))]
fn userinfo_get() {}

/// A12: userinfo
///
/// OpenID Connect Core §5.3; asks the DP (D3).
#[utoipa::path(get, path = "/userinfo", tag = "AS behind mutual TLS", operation_id = "userinfoAliasGet",
    responses((status = 200, description = "claims", body = Value, content_type = "application/json"),
        UserinfoRefusals),
    security(("token" = [])))]
fn userinfo_alias_get() {}

/// A12: userinfo
///
/// OpenID Connect Core §5.3; asks the DP (D3).
#[utoipa::path(post, path = "/v1/oauth/userinfo", tag = "AS behind mutual TLS", operation_id = "userinfoPost",
    responses((status = 200, description = "claims", body = Value, content_type = "application/json"),
        UserinfoRefusals),
    security(("token" = [])))]
fn userinfo_post() {}

/// A12: userinfo
///
/// OpenID Connect Core §5.3; asks the DP (D3).
#[utoipa::path(post, path = "/userinfo", tag = "AS behind mutual TLS", operation_id = "userinfoAliasPost",
    responses((status = 200, description = "claims", body = Value, content_type = "application/json"),
        UserinfoRefusals),
    security(("token" = [])))]
fn userinfo_alias_post() {}

/// B1: the directory of DPs
///
/// P-sb/dg-05.
#[utoipa::path(get, path = "/v1/providers", tag = "RS behind mutual TLS", operation_id = "providers",
    params(("page_size" = Option<u32>, Query, description = "how many, 1 to 500"), ("next_page_params" = Option<String>, Query, description = "from the page before")),
    responses((status = 200, description = "a page of providers", body = Value, content_type = "application/json"),
        BearerRefusals),
    security(("token" = [])))]
fn providers() {}

/// B2: an account
///
/// P-sb/dg-09.
#[utoipa::path(get, path = "/v1/accounts/{account_id}", tag = "RS behind mutual TLS", operation_id = "account",
    params(("account_id" = String, Path, description = "the account"), ("x-fapi-interaction-id" = String, Header, description = "a UUID"), ("x-signature" = String, Header, description = "the DC's signature over the request")),
    responses((status = 200, description = "the DP's JWS with the JWE inside", content((String = "application/jose"), (Value = "application/json"))),
        DataRefusals),
    security(("token" = [])))]
fn account() {}

/// B3: its balances
///
/// P-sb/60.
#[utoipa::path(get, path = "/v1/accounts/{account_id}/balances", tag = "RS behind mutual TLS", operation_id = "balances",
    params(("account_id" = String, Path, description = "the account"), ("x-fapi-interaction-id" = String, Header, description = "a UUID"), ("x-signature" = String, Header, description = "the DC's signature over the request")),
    responses((status = 200, description = "the DP's JWS with the JWE inside", content((String = "application/jose"), (Value = "application/json"))),
        DataRefusals),
    security(("token" = [])))]
fn balances() {}

/// B4: its transactions
///
/// S2.
#[utoipa::path(get, path = "/v1/accounts/{account_id}/transactions", tag = "RS behind mutual TLS", operation_id = "transactions",
    params(("account_id" = String, Path, description = "the account"), ("x-fapi-interaction-id" = String, Header, description = "a UUID"), ("x-signature" = String, Header, description = "the DC's signature over the request"), ("page_size" = Option<u32>, Query, description = "how many, 1 to 500"), ("next_page_params" = Option<String>, Query, description = "from the page before"), ("from_date" = Option<String>, Query, description = "not before this day"), ("to_date" = Option<String>, Query, description = "not after this day")),
    responses((status = 200, description = "the DP's JWS with the JWE inside", content((String = "application/jose"), (Value = "application/json"))),
        DataRefusals),
    security(("token" = [])))]
fn transactions() {}

/// B6: Retrieve Consent
///
/// S1:L77.
#[utoipa::path(get, path = "/v1/consents/{consent_id}", tag = "RS behind mutual TLS", operation_id = "retrieveConsent",
    params(("consent_id" = String, Path, description = "the consent"), ("x-fapi-interaction-id" = String, Header, description = "a UUID")),
    responses((status = 200, description = "the consent", body = Value, content_type = "application/json"),
        ConsentRefusals),
    security(("token" = [])))]
fn retrieve_consent() {}

/// B5: Update Consent
///
/// S1:L547-608; POST as an alias.
#[utoipa::path(patch, path = "/v1/consents/{consent_id}", tag = "RS behind mutual TLS", operation_id = "updateConsent",
    params(("consent_id" = String, Path, description = "the consent"), ("x-fapi-interaction-id" = String, Header, description = "a UUID"), ("x-fapi-signature" = String, Header, description = "the DP's signature over the body")),
    request_body = Value,
    responses((status = 200, description = "taken", body = Value, content_type = "application/json"),
        ConsentRefusals),
    security(("token" = [])))]
fn update_consent() {}

/// B5: Update Consent
///
/// S1:L547-608; POST as an alias.
#[utoipa::path(post, path = "/v1/consents/{consent_id}", tag = "RS behind mutual TLS", operation_id = "updateConsentByPost",
    params(("consent_id" = String, Path, description = "the consent"), ("x-fapi-interaction-id" = String, Header, description = "a UUID"), ("x-fapi-signature" = String, Header, description = "the DP's signature over the body")),
    request_body = Value,
    responses((status = 200, description = "taken", body = Value, content_type = "application/json"),
        ConsentRefusals),
    security(("token" = [])))]
fn update_consent_by_post() {}

/// B7: revoke a consent
///
/// By its own DC or DP (S1:L78).
#[utoipa::path(post, path = "/v1/consents/{consent_id}/revoke", tag = "RS behind mutual TLS", operation_id = "revokeConsent",
    params(("consent_id" = String, Path, description = "the consent"), ("x-fapi-interaction-id" = String, Header, description = "a UUID")),
    request_body = Value,
    responses((status = 201, description = "the consent as it stands now", body = Value, content_type = "application/json"),
        ConsentRefusals),
    security(("token" = [])))]
fn revoke_consent() {}

/// B8: suspend a consent
///
/// By its own DC or DP (S1:L78).
#[utoipa::path(post, path = "/v1/consents/{consent_id}/suspend", tag = "RS behind mutual TLS", operation_id = "suspendConsent",
    params(("consent_id" = String, Path, description = "the consent"), ("x-fapi-interaction-id" = String, Header, description = "a UUID")),
    request_body = Value,
    responses((status = 201, description = "the consent as it stands now", body = Value, content_type = "application/json"),
        ConsentRefusals),
    security(("token" = [])))]
fn suspend_consent() {}

/// B8: reactivate a consent
///
/// By its own DC or DP (S1:L78).
#[utoipa::path(post, path = "/v1/consents/{consent_id}/reactivate", tag = "RS behind mutual TLS", operation_id = "reactivateConsent",
    params(("consent_id" = String, Path, description = "the consent"), ("x-fapi-interaction-id" = String, Header, description = "a UUID")),
    request_body = Value,
    responses((status = 201, description = "the consent as it stands now", body = Value, content_type = "application/json"),
        ConsentRefusals),
    security(("token" = [])))]
fn reactivate_consent() {}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Simulated PayNet",
        description = "The Authorization Server and Resource Server of the Open Finance Platform, as ofp-sim simulates them. Endpoints behind mutual TLS want a registered client certificate. Labels A1 to B8 are explained in docs/platform.md."
    ),
    modifiers(&BearerScheme),
    paths(openid_configuration,
        authorization_server_metadata,
        jwks,
        jwks_of,
        authorize,
        pick_provider,
        callback,
        style,
        par,
        token,
        token_alias,
        introspect,
        revoke_token,
        userinfo_get,
        userinfo_alias_get,
        userinfo_post,
        userinfo_alias_post,
        providers,
        account,
        balances,
        transactions,
        retrieve_consent,
        update_consent,
        update_consent_by_post,
        revoke_consent,
        suspend_consent,
        reactivate_consent)
)]
struct Api;

/// Describes the bearer token that operations name as `token`.
pub struct BearerScheme;

impl Modify for BearerScheme {
    fn modify(&self, api: &mut utoipa::openapi::OpenApi) {
        let components = api.components.get_or_insert_with(Default::default);
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
        components.add_security_scheme("token", SecurityScheme::Http(scheme));
        api.info.license = None;
    }
}

/// The platform's OpenAPI document.
#[must_use]
pub fn platform_openapi() -> Value {
    serde_json::to_value(Api::openapi()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::ListenerKind;

    #[test]
    fn every_route_is_described_and_every_description_is_a_route() {
        let api = platform_openapi();
        let mut described = BTreeSet::new();
        for (path, verbs) in api["paths"].as_object().unwrap() {
            for verb in verbs.as_object().unwrap().keys() {
                described.insert(format!("{} {path}", verb.to_uppercase()));
            }
        }
        let routes = ListenerKind::ALL.into_iter().flat_map(ListenerKind::routes);
        let real: BTreeSet<String> = routes
            .flat_map(|route| route.verbs.iter().map(move |(verb, _)| (verb, route.path)))
            .map(|(verb, path)| format!("{verb} {path}"))
            .collect();
        assert_eq!(described, real);
    }

    #[test]
    fn the_platforms_document_names_every_route() {
        let document = include_str!("../../../docs/platform.md");
        for route in ListenerKind::ALL.into_iter().flat_map(ListenerKind::routes) {
            let quoted = |before: char| document.contains(&format!("{before}{}`", route.path));
            assert!(quoted(' ') || quoted('`'), "docs/platform.md lacks {}", route.path);
        }
    }
}
