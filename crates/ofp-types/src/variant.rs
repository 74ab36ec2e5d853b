//! Legitimate differences between Data Providers: none of them may fail a check.

macro_rules! variants {
    ($(#[doc = $what:literal] $variant:ident $name:literal,)+) => {
        /// One thing that the reference DP does differently and as well.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum DpVariant { $(#[doc = $what] $variant),+ }

        impl DpVariant {
            /// Every variant.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The name on the command line, such as `event-204`.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// What it does, in one sentence.
            #[must_use]
            pub fn what(self) -> &'static str {
                match self { $(Self::$variant => $what.trim_ascii()),+ }
            }
        }
    };
}

variants! {
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

impl DpVariant {
    /// The variant called `name`.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|variant| variant.name() == name)
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
