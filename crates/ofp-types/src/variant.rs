//! Legitimate differences between Data Providers: none of them may fail a check.

use crate::named::named;

named! {
    /// One thing that the reference DP does differently and as well.
    DpVariant {
    /// Account responses are application/jose.
    ResponseJose "response-jose",
    /// Events are answered 201.
    Event201 "event-201",
    /// Events are answered 202 without a body.
    Event202 "event-202",
    /// Events are answered 204.
    Event204 "event-204",
    /// After a rejection the browser is redirected at once, without a result page.
    RejectionRedirects "rejection-redirects",
    /// After an approval the browser is redirected at once, without a result page.
    ApprovalRedirects "approval-redirects",
    /// The JWE holds a nested JWT of the DP's.
    NestedJwt "nested-jwt",
    /// The DP authenticates at the token endpoint with its certificate alone.
    TlsClientAuth "tls-client-auth",
    /// Answers, claims and Update Consent have headers and members that nobody knows.
    UnknownExtras "unknown-extras",
    /// The DP speaks TLS 1.2 alone.
    Tls12 "tls-1-2-only",
    /// The DP speaks TLS 1.3 alone.
    Tls13 "tls-1-3-only",
    /// The DP's TLS certificates have RSA keys.
    RsaCertificates "rsa-certificates",
    /// Every answer ends its connection.
    NewConnections "new-connections",
    /// NumericDates have a fraction.
    FractionalDates "fractional-dates",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_back() {
        for variant in DpVariant::ALL.iter().copied() {
            assert_eq!(DpVariant::by_name(variant.name()), Some(variant));
            assert!(variant.what().ends_with('.'), "{}", variant.name());
        }
        assert_eq!(DpVariant::by_name("event-205"), None);
    }
}
