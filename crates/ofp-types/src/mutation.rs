//! Named defects of what PayNet sends to a Data Provider: the vocabulary of negative tests.

use std::fmt;

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
    /// Who opens the connection.
    Client,
}

macro_rules! mutations {
    ($($variant:ident $name:literal $part:ident $what:literal,)+) => {
        /// One defect.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Mutation { $(#[doc = $what] $variant),+ }

        impl Mutation {
            /// Every mutation, by part.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// Its name in scenarios.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// What it does, in one sentence without a full stop.
            #[must_use]
            pub fn what(self) -> &'static str {
                match self { $(Self::$variant => $what),+ }
            }

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
    BodyByteAltered "body-byte-altered" Body "one byte of the body is altered after it was signed",
    BodyReordered "body-reordered" Body "members of the body change places after it was signed",
    BodyMalformed "body-malformed" SignedBody "the body is no JSON, and signed as it is",
    ConsentIdMissing "consent-id-missing" SignedBody "data.consent_id is missing",
    ConsentIdTooLong "consent-id-too-long" SignedBody "data.consent_id has 37 characters",
    DpIdOfAnother "dp-id-of-another" SignedBody "data.dp_id is another DP's",
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

    /// The mutation called `name`.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|mutation| mutation.name() == name)
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
