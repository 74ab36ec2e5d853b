//! Named defects of what PayNet sends to a Data Provider: the vocabulary of negative tests.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::named::named;

/// What of a message a mutation changes, and nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MutationPart {
    /// The JOSE header, the key or the form of every signature.
    Signature,
    /// The claims of every signature that has claims, signed afresh.
    Claims,
    /// The body, after it was signed.
    Body,
    /// The body, before it is signed.
    SignedBody,
    /// Header fields other than signatures.
    Header,
    /// The query, after it was signed.
    Query,
    /// What the request is about, signed afresh: well made, and none of the caller's business.
    Subject,
    /// Who opens the connection, or how.
    Client,
    /// The method.
    Method,
    /// The path, after it was signed.
    Path,
    /// How often the same bytes are sent.
    Repeat,
    /// What the customer's browser sends with a form.
    Form,
}

macro_rules! mutations {
    ($($variant:ident $name:literal $part:ident $what:literal,)+) => {
        named! {
            /// One defect.
            Mutation { $(#[doc = $what] $variant $name,)+ }
        }

        impl Mutation {
            /// What it changes.
            #[must_use]
            pub fn part(self) -> MutationPart {
                match self { $(Self::$variant => MutationPart::$part),+ }
            }
        }
    };
}

mutations! {
    SignatureByteFlipped "signature-byte-flipped" Signature "one byte of the signature is flipped",
    UnknownKid "unknown-kid" Signature "kid names no published key; PayNet's key signs",
    ForeignKeyKnownKid "foreign-key-known-kid" Signature "kid is the sender's, the key that signs is nobody's",
    SignedByDc "signed-by-dc" Signature "the DC's key signs, under its own kid",
    SignedByOtherDc "signed-by-other-dc" Signature "another DC's key signs, under its own kid",
    SignedByDp "signed-by-dp" Signature "the DP's own key signs, under its own kid",
    SignedWithEncKey "signed-with-enc-key" Signature "the DC's encryption key signs, under its own kid",
    AlgNone "alg-none" Signature "alg is none and the signature is empty",
    AlgHs256 "alg-hs256-public-key" Signature "alg is HS256, keyed with the sender's public key as PEM",
    AlgRs256 "alg-rs256" Signature "alg is RS256, by the right key",
    UnknownCrit "unknown-crit" Signature "crit names an extension that nobody knows",
    TwoSegments "two-segments" Signature "the JWS has two segments",
    FourSegments "four-segments" Signature "the JWS has four segments",
    SignatureEmpty "signature-empty" Signature "the signature header or parameter is there and empty",
    SignedForAnother "signed-for-another-consent" Signature "the signature is a good one over another consent_id",
    SignatureMissing "signature-missing" Signature "the signature header or parameter is missing",
    XSignatureFlipped "x-signature-byte-flipped" Signature "one byte of x-signature alone is flipped",
    FapiSignatureFlipped "x-fapi-signature-byte-flipped" Signature "one byte of x-fapi-signature alone is flipped",
    HeaderIatOld "header-iat-old" Signature "iat in the header is ten minutes old",
    HeaderIatAhead "header-iat-ahead" Signature "iat in the header is two minutes ahead",
    HeaderIatSlightlyAhead "header-iat-slightly-ahead" Signature "iat in the header is five seconds ahead",
    HeaderIat30Ahead "header-iat-30s-ahead" Signature "iat in the header is 30 seconds ahead, as of a clock that is",
    HeaderIat30Old "header-iat-30s-old" Signature "iat in the header is 30 seconds old, as of a clock that is behind",
    EmbeddedJwk "embedded-jwk" Signature "the header brings its own key as jwk, and that key signs",
    Jku "jku" Signature "the header says with jku where to fetch the key that signs",
    X5u "x5u" Signature "the header says with x5u where to fetch the certificate of the key that signs",
    JtiReplayed "jti-replayed" Signature "jti is that of another message that was sent before",
    PreviousKey "signed-with-previous-key" Signature "PayNet's previous key signs, which is still published",
    RetiredKey "signed-with-retired-key" Signature "a key signs that PayNet has withdrawn",
    ExpPast "exp-past" Claims "exp was a minute ago",
    ExpMissing "exp-missing" Claims "exp is missing",
    ExpAsText "exp-as-text" Claims "exp is a text of digits",
    NbfAhead "nbf-ahead" Claims "nbf is two minutes ahead",
    IatOld "iat-old" Claims "iat is ten minutes old, exp is far ahead",
    AudWithoutDp "aud-without-dp" Claims "aud names another DP",
    IssOfOtherDc "iss-of-other-dc" Claims "iss is another DC",
    UrlOfOtherAccount "url-of-other-account" Claims "url is another account's",
    UrlOfOtherEndpoint "url-of-other-endpoint" Claims "url is another endpoint's of the same account",
    QpmDiffers "qpm-differs" Claims "qpm has another value than the query",
    FractionalDates "fractional-dates" Claims "NumericDates have a fraction",
    UrlDoubledScheme "url-doubled-scheme" Claims "url begins with http://https://, as in the sandbox",
    BodyByteAltered "body-byte-altered" Body "one byte of the body is altered after it was signed",
    BodyReordered "body-reordered" Body "members of the body change places after it was signed",
    BodyMalformed "body-malformed" SignedBody "the body is no JSON, and signed as it is",
    ConsentIdMissing "consent-id-missing" SignedBody "data.consent_id is missing",
    ConsentIdTooLong "consent-id-too-long" SignedBody "data.consent_id has 37 characters",
    DpIdOfAnother "dp-id-of-another" SignedBody "data.dp_id is another DP's",
    UnknownField "unknown-field" SignedBody "data has a field that nobody knows",
    AccountsAtTop "accounts-at-top" SignedBody "accounts stand in data",
    AccountsInAccountAccess "accounts-in-account-access" SignedBody "accounts stand in data.account_access",
    AccountsAsReference "accounts-as-reference" SignedBody "accounts stand in data as account_reference",
    MarkupInPurpose "markup-in-purpose" SignedBody "consent_purpose holds HTML",
    BodyMegabyte "body-megabyte" SignedBody "the body is a megabyte long",
    IdentityKnown "identity-known" SignedBody "hashed_id_number is the customer's own, as an earlier Update Consent gave it",
    IdentityAltered "identity-altered" SignedBody "hashed_id_number is not the customer's",
    ContentTypeText "content-type-text" Header "Content-Type is text/plain",
    InteractionIdMissing "interaction-id-missing" Header "x-fapi-interaction-id is missing",
    InteractionIdMalformed "interaction-id-malformed" Header "x-fapi-interaction-id is no UUID, but looks like a header more",
    HeaderNamesTitleCase "header-names-title-case" Header "header names are sent In-Title-Case",
    EncKidMissing "enc-kid-missing" Header "x-enc-kid is missing",
    EncKidUnknown "enc-kid-unknown" Header "x-enc-kid names no key",
    EncKidOfSigningKey "enc-kid-of-signing-key" Header "x-enc-kid is the DC's signing key",
    EncKidOfOtherDc "enc-kid-of-other-dc" Header "x-enc-kid is another DC's key",
    RedirectUriForeignHost "redirect-uri-foreign-host" Query "redirect_uri is on a host that nobody registered",
    RedirectUriExtraPath "redirect-uri-extra-path" Query "redirect_uri goes on behind the registered path",
    RedirectUriUserinfo "redirect-uri-userinfo" Query "redirect_uri has the registered host before an @",
    RedirectUriHttp "redirect-uri-http" Query "redirect_uri is the registered one without TLS",
    RedirectUriTooLong "redirect-uri-too-long" Query "redirect_uri has more than 300 characters",
    ConsentIdSwapped "consent-id-swapped" Query "consent_id is another one than was signed",
    ConsentIdTwice "consent-id-twice" Query "consent_id is there twice, with two values",
    QueryConsentIdMissing "query-consent-id-missing" Query "consent_id is missing",
    UnknownParameters "unknown-parameters" Query "the query has state, nonce and scope as well",
    ConsentUnknown "consent-unknown" Subject "the consent is one that nobody asked for",
    AccountUnknown "account-unknown" Subject "the account is one that does not exist",
    AccountNotSelected "account-not-selected" Subject "the account is the customer's own, but not part of the consent",
    AccountOfOtherCustomer "account-of-other-customer" Subject "the account is another customer's",
    DcOfAnotherConsent "dc-of-another-consent" Subject "another DC asks, with its own signature and encryption key",
    NoClientCertificate "no-client-certificate" Client "no client certificate is presented",
    ClientCertificateUntrusted "client-certificate-untrusted" Client "the client certificate is from a CA that nobody registered",
    ClientCertificateExpired "client-certificate-expired" Client "PayNet's client certificate has expired",
    ClientCertificateNotYetValid "client-certificate-not-yet-valid" Client "PayNet's client certificate is not valid yet",
    ClientCertificateOfDc "client-certificate-of-dc" Client "the client certificate is a DC's, from the right CA",
    ClientCertificateOfDp "client-certificate-of-dp" Client "the client certificate is the DP's own",
    ClientCertificateSelfSigned "client-certificate-self-signed" Client "the client certificate has PayNet's name and is signed by its own key",
    ClientCertificateRenewed "client-certificate-renewed" Client "the client certificate is PayNet's next one, registered beside the present one",
    PlainHttp "plain-http" Client "the request is sent without TLS",
    TlsTooOld "tls-too-old" Client "the ClientHello offers TLS 1.1 at most",
    TlsWeakSuites "tls-weak-suites" Client "the ClientHello offers RC4, 3DES, NULL, EXPORT and anonymous suites alone",
    TlsCbcSha1Suites "tls-cbc-sha1-suites" Client "the ClientHello offers CBC suites with SHA-1 alone",
    MethodGet "method-get" Method "the method is GET",
    MethodPost "method-post" Method "the method is POST",
    MethodPut "method-put" Method "the method is PUT",
    MethodDelete "method-delete" Method "the method is DELETE",
    MethodHead "method-head" Method "the method is HEAD",
    MethodOptions "method-options" Method "the method is OPTIONS",
    PathUnknown "path-unknown" Path "the path is one that the platform does not have",
    PathTraversal "path-traversal" Path "the account_id climbs out of its folder with ../",
    PathEncodedSlash "path-encoded-slash" Path "the account_id holds encoded slashes and dots",
    PathUniversalLink "path-universal-link" Path "the path is the Universal Link's, /OFM/MY/Authorize/AIS",
    CodeRedeemed "code-redeemed" Repeat "the code has been redeemed before",
    SentAgain "sent-again" Repeat "the very same bytes have been sent before",
    AccountForged "account-forged" Form "the account that is ticked is another customer's",
    LoginSkipped "login-skipped" Form "the page behind the login is opened without logging in",
    SessionMissing "session-missing" Form "the form comes without the browser's cookies",
    FormTokenForeign "form-token-foreign" Form "the form's hidden fields are another browser's",
    PressedTwice "pressed-twice" Form "the button is pressed twice",
    PreflightFromElsewhere "preflight-from-elsewhere" Form "a page of another origin asks whether its script may read this one",
}

impl Mutation {
    /// The one signature that it spoils, where it leaves the other alone.
    #[must_use]
    pub fn of_header(self) -> Option<&'static str> {
        match self {
            Self::XSignatureFlipped => Some("x-signature"),
            Self::FapiSignatureFlipped => Some("x-fapi-signature"),
            _ => None,
        }
    }

    /// Whether the DP must serve the request all the same: it is unusual, and nothing is wrong with it.
    #[must_use]
    pub fn is_legitimate(self) -> bool {
        matches!(
            self,
            Self::HeaderIatSlightlyAhead
                | Self::HeaderIat30Ahead
                | Self::HeaderIat30Old
                | Self::PreviousKey
                | Self::FractionalDates
                | Self::UnknownField
                | Self::AccountsAtTop
                | Self::AccountsInAccountAccess
                | Self::AccountsAsReference
                | Self::IdentityKnown
                | Self::HeaderNamesTitleCase
                | Self::UnknownParameters
                | Self::ClientCertificateRenewed
                | Self::PathUniversalLink
        )
    }
}

impl Serialize for Mutation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Mutation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Self::by_name(&name).ok_or_else(|| D::Error::custom(format!("no mutation `{name}`")))
    }
}

impl fmt::Display for Mutation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_plain_and_lead_back() {
        for mutation in Mutation::ALL.iter().copied() {
            let name = mutation.name();
            assert_eq!(Mutation::by_name(name), Some(mutation));
            assert!(
                name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            );
            assert!(!mutation.what().ends_with('.'), "{name}");
        }
        assert_eq!(Mutation::by_name("nonsense"), None);
    }
}
