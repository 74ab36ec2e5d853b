//! One switch for every place where PayNet's own pages disagree or say nothing
//! (`spec/ofp.md` sections 2 and 10).

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

/// The reading of the specification that a run takes. [`Profile::default`] is `portal-1.2.2`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Profile {
    /// Its name, as `--profile` takes it.
    pub name: String,
    /// Whether it rests on pages that PayNet's portal does not bear out; every report then says so.
    pub experimental: bool,
    /// Which header carries the signature on account calls (X-01).
    pub sig_header: SigHeader,
    /// What a signature over a message with a body looks like (X-09).
    pub sig_body: SigBody,
    /// What PayNet's signature on userinfo looks like (X-53).
    pub sig_userinfo: SigUserinfo,
    /// What the signature on account calls looks like (X-09).
    pub sig_resource: SigResource,
    /// Whose key signs account calls (X-04).
    pub resource_signer: ResourceSigner,
    /// Signature algorithms that are accepted (X-18).
    pub sig_algs: Vec<String>,
    /// Whether PayNet calls the DP's authorize itself or sends the browser there (X-12).
    pub authorize_mode: AuthorizeMode,
    /// Verbs that Update Consent is accepted with (X-02); the first is the canonical one.
    pub update_verbs: Vec<UpdateVerb>,
    /// Whether Update Consent needs a Bearer token (X-14).
    pub require_bearer_on_patch: bool,
    /// Where an event carries the accounts (X-06).
    pub accounts_shape: AccountsShape,
    /// What an event calls the account number (X-07).
    pub account_number_name: AccountNumberName,
    /// `consent_type` towards the DP (X-27).
    pub consent_type_value: String,
    /// Media types that an account response may have (X-05).
    pub response_types_accepted: Vec<String>,
    /// What the JWE holds (X-26).
    pub jwe_plaintext: JwePlaintext,
    /// What `sub` of `x-signature` holds (X-19).
    pub sub_claim: SubClaim,
    /// Whether the `url` claim is sent with the sandbox's doubled scheme (X-24).
    pub quirk_url: bool,
    /// How PayNet and the DC write NumericDates (X-22).
    pub numericdate: NumericDateForm,
    /// Whether every authorization response is a JWT (JARM), asked for or not (X-35).
    pub jarm: bool,
    /// Life of an authorization code (X-34).
    #[schemars(with = "String")]
    pub code_ttl: SignedDuration,
    /// Life of an access token (X-34).
    #[schemars(with = "String")]
    pub access_ttl: SignedDuration,
    /// How long a customer has to decide (X-50).
    #[schemars(with = "String")]
    pub consent_auth_ttl: SignedDuration,
    /// How long a DP may take for balances, authorize and userinfo (X-37).
    #[schemars(with = "String")]
    pub dp_timeout: SignedDuration,
    /// The HTTP status towards the DC when a DP does not answer in time (X-39).
    pub timeout_status: u16,
    /// Statuses with which a DP may accept an event (X-52); the first is the canonical one.
    pub event_response_codes: Vec<u16>,
    /// Whether a status of Update Consent in another spelling is refused (X-08).
    pub strict_status_case: bool,
    /// How an id number is written before it is hashed (X-28).
    pub id_hash: IdHash,
    /// Whether the DP runs a token endpoint of its own (the OIDC-at-DP variant).
    pub oidc_at_dp: bool,
    /// Resource requests per minute, DC and DP (X-59); 0 for as many as one likes.
    pub rate_limit: u32,
}

impl Default for Profile {
    fn default() -> Self {
        Self {
            name: "portal-1.2.2".into(),
            experimental: false,
            sig_header: SigHeader::Both,
            sig_body: SigBody::Detached,
            sig_userinfo: SigUserinfo::Claims,
            sig_resource: SigResource::Claims,
            resource_signer: ResourceSigner::Both,
            sig_algs: vec!["PS256".into()],
            authorize_mode: AuthorizeMode::Relay,
            update_verbs: vec![UpdateVerb::Patch, UpdateVerb::Post],
            require_bearer_on_patch: true,
            accounts_shape: AccountsShape::Top,
            account_number_name: AccountNumberName::AccountNumber,
            consent_type_value: "account_access_consent".into(),
            response_types_accepted: vec!["application/jwt".into(), "application/jose".into()],
            jwe_plaintext: JwePlaintext::Json,
            sub_claim: SubClaim::ConsentId,
            quirk_url: false,
            numericdate: NumericDateForm::Int,
            jarm: false,
            code_ttl: SignedDuration::from_secs(60),
            access_ttl: SignedDuration::from_mins(10),
            consent_auth_ttl: SignedDuration::from_mins(5),
            dp_timeout: SignedDuration::from_secs(5),
            timeout_status: 504,
            event_response_codes: vec![200, 201, 202, 204],
            strict_status_case: false,
            id_hash: IdHash::DigitsOnly,
            oidc_at_dp: false,
            rate_limit: 200,
        }
    }
}

impl Profile {
    /// Switches whose value this version does not carry out, each with what it does carry out.
    #[must_use]
    pub fn unsupported(&self) -> Vec<(&'static str, &'static str)> {
        let one_signature_twice =
            self.resource_signer == ResourceSigner::Dc && self.sig_header == SigHeader::Both;
        let in_range = |d: SignedDuration| d.is_positive() && d <= SignedDuration::from_hours(8784);
        let range = "more than nothing, at most a year";
        let checks = [
            (
                "resource_signer",
                !one_signature_twice,
                "both or pn, or dc with sig_header fapi or x",
            ),
            ("sig_algs", self.sig_algs == ["PS256"], "[PS256]"),
            ("update_verbs", !self.update_verbs.is_empty(), "PATCH, POST or both"),
            ("response_types_accepted", !self.response_types_accepted.is_empty(), "at least one"),
            (
                "event_response_codes",
                !self.event_response_codes.is_empty()
                    && self.event_response_codes.iter().all(|code| (200..300).contains(code)),
                "at least one 2xx",
            ),
            ("timeout_status", matches!(self.timeout_status, 503 | 504), "503 or 504"),
            (
                "code_ttl",
                in_range(self.code_ttl) && self.code_ttl.as_secs() <= 60,
                "at most 60 s (FAPI 2.0 SP §5.3.2.2)",
            ),
            ("access_ttl", in_range(self.access_ttl), range),
            ("consent_auth_ttl", in_range(self.consent_auth_ttl), range),
            ("dp_timeout", in_range(self.dp_timeout), range),
        ];
        checks.into_iter().filter(|(_, ok, _)| !ok).map(|(name, _, has)| (name, has)).collect()
    }

    /// The DP's time limit for one answer.
    #[must_use]
    pub fn dp_deadline(&self) -> std::time::Duration {
        self.dp_timeout.unsigned_abs()
    }
}

macro_rules! switch {
    ($(#[$doc:meta])* $name:ident, $case:literal { $($(#[$vdoc:meta])* $variant:ident),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
        #[serde(rename_all = $case)]
        pub enum $name { $($(#[$vdoc])* $variant),+ }
    };
}

switch! {
    /// Which header carries the signature on account calls.
    SigHeader, "kebab-case" {
        /// `x-fapi-signature` only.
        Fapi,
        /// `x-signature` only.
        X,
        /// Both.
        Both,
    }
}
switch! {
    /// What a signature over a message with a body looks like.
    SigBody, "kebab-case" {
        /// A compact JWS whose payload, the raw body, is left out (RFC 7515 Appendix F).
        Detached,
        /// An attached JWT with claims.
        Claims,
    }
}
switch! {
    /// What PayNet's signature on userinfo looks like.
    SigUserinfo, "kebab-case" {
        /// An attached JWT with claims.
        Claims,
        /// Detached over no bytes.
        DetachedEmpty,
        /// Detached over the consent id.
        DetachedConsentId,
    }
}
switch! {
    /// What the signature on account calls looks like.
    SigResource, "kebab-case" {
        /// An attached JWT with claims.
        Claims,
        /// Detached over no bytes.
        DetachedEmpty,
    }
}
switch! {
    /// Whose key signs account calls.
    ResourceSigner, "kebab-case" {
        /// The DC, end to end.
        Dc,
        /// PayNet, for its hop.
        Pn,
        /// Each in its own header.
        Both,
    }
}
switch! {
    /// How the customer's browser gets to the DP.
    AuthorizeMode, "kebab-case" {
        /// PayNet calls the DP over mTLS and hands the Location on.
        Relay,
        /// The browser is sent to the DP's authorize endpoint.
        Browser,
    }
}
switch! {
    /// A verb of Update Consent.
    UpdateVerb, "UPPERCASE" {
        /// PATCH.
        Patch,
        /// POST.
        Post,
    }
}
switch! {
    /// Where an event carries the accounts.
    AccountsShape, "snake_case" {
        /// `accounts` beside the other members.
        Top,
        /// `account_access.accounts`.
        AccountAccess,
        /// Both.
        Both,
    }
}
switch! {
    /// What an event calls the account number.
    AccountNumberName, "snake_case" {
        /// `account_number`.
        AccountNumber,
        /// `account_reference`.
        AccountReference,
        /// Both.
        Both,
    }
}
switch! {
    /// What the JWE of an account response holds.
    JwePlaintext, "kebab-case" {
        /// JSON.
        Json,
        /// A nested compact JWS.
        Nested,
    }
}
switch! {
    /// What `sub` of `x-signature` holds.
    SubClaim, "snake_case" {
        /// The consent id, as in the sandbox's sample.
        ConsentId,
        /// The DC's id, as in the sandbox's guide.
        DcId,
    }
}
switch! {
    /// How NumericDates are written.
    NumericDateForm, "kebab-case" {
        /// Whole seconds.
        Int,
        /// With a fraction, as the sandbox's requests do.
        Float,
    }
}
switch! {
    /// How an id number is written before it is hashed.
    IdHash, "kebab-case" {
        /// Digits only, no salt.
        DigitsOnly,
        /// As entered.
        AsEntered,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_survives_its_own_text() {
        let text = serde_json::to_string(&Profile::default()).unwrap();
        assert_eq!(serde_json::from_str::<Profile>(&text).unwrap(), Profile::default());
        assert!(text.contains(r#""update_verbs":["PATCH","POST"]"#), "{text}");
    }

    #[test]
    fn a_code_lives_for_a_minute_at_most() {
        let code_ttl = |seconds| {
            let code_ttl = SignedDuration::from_secs(seconds);
            Profile { code_ttl, ..Profile::default() }.unsupported()
        };
        assert!(code_ttl(60).is_empty());
        assert_eq!(code_ttl(61), [("code_ttl", "at most 60 s (FAPI 2.0 SP §5.3.2.2)")]);
    }

    #[test]
    fn an_unknown_switch_is_refused() {
        let error = serde_json::from_str::<Profile>(r#"{"jram":true}"#).unwrap_err();
        assert!(error.to_string().contains("unknown field `jram`"), "{error}");
    }
}
