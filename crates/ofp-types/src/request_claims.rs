//! What PayNet and a DC say in their signatures (`spec/ofp.md` 5.2 to 5.4).

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use crate::{Mutation, NumericDateForm, PLATFORM_AUDIENCE, Profile, ResourceSigner, SigHeader};

/// What a signature over a request without a body says.
#[derive(Debug, Clone)]
pub struct RequestClaims<'a> {
    /// Who signs.
    pub iss: &'a str,
    /// The consent, or the DC.
    pub sub: &'a str,
    /// Whom it is for.
    pub aud: &'a [&'a str],
    /// The URL that is asked for, without its query.
    pub url: &'a str,
    /// The query, as far as it is signed.
    pub qpm: &'a [(&'a str, &'a str)],
    /// Tells it from every other.
    pub jti: String,
    /// When it is signed.
    pub now: Timestamp,
}

impl RequestClaims<'_> {
    /// How long the signature is good for.
    pub const LIFE: SignedDuration = SignedDuration::from_secs(300);

    /// The claims, with dates in the profile's form.
    #[must_use]
    pub fn in_form(&self, form: NumericDateForm) -> Map<String, Value> {
        let qpm: Map<String, Value> =
            self.qpm.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
        let ends = self.now.saturating_add(Self::LIFE).unwrap_or(Timestamp::MAX);
        let claims = [
            ("iss", json!(self.iss)),
            ("sub", json!(self.sub)),
            ("aud", json!(self.aud)),
            ("iat", form.of(self.now)),
            ("nbf", form.of(self.now)),
            ("exp", form.of(ends)),
            ("jti", json!(self.jti)),
            ("url", json!(self.url)),
            ("qpm", Value::Object(qpm)),
        ];
        claims.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

impl NumericDateForm {
    /// `time` in this form.
    #[must_use]
    pub fn of(self, time: Timestamp) -> Value {
        match self {
            Self::Int => json!(time.as_second()),
            #[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 fit a double")]
            Self::Float => json!(time.as_millisecond() as f64 / 1000.0),
        }
    }
}

/// What goes into the header of a detached signature of PayNet's beside `alg` and `kid` (`spec/ofp.md` 5.2).
#[must_use]
pub fn event_signature_header(
    now: Timestamp,
    jti: String,
    form: NumericDateForm,
) -> Map<String, Value> {
    let members = [("iss", json!(PLATFORM_AUDIENCE)), ("iat", form.of(now)), ("jti", json!(jti))];
    members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Whose signature a header on a request for data is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestSigner {
    /// PayNet's, for its hop.
    PayNet,
    /// The DC's, end to end.
    Dc,
}

impl Profile {
    /// The signatures on a request for data as PayNet sends them: header and signer.
    pub fn request_signatures(&self) -> impl Iterator<Item = (&'static str, RequestSigner)> {
        use RequestSigner::{Dc, PayNet};
        let (fapi, x) = match self.resource_signer {
            ResourceSigner::Both => (PayNet, Dc),
            ResourceSigner::Pn => (PayNet, PayNet),
            ResourceSigner::Dc => (Dc, Dc),
        };
        let fapi = (self.sig_header != SigHeader::X).then_some(("x-fapi-signature", fapi));
        let x = (self.sig_header != SigHeader::Fapi).then_some(("x-signature", x));
        fapi.into_iter().chain(x)
    }

    /// The header that a mutation spoils alone, where PayNet does not send it.
    #[must_use]
    pub fn lacks(&self, mutation: Mutation) -> Option<&'static str> {
        let header = mutation.of_header()?;
        (!self.request_signatures().any(|(name, _)| name == header)).then_some(header)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_profile_has_its_headers_and_signers() {
        let said = |resource_signer, sig_header| {
            let profile = Profile { resource_signer, sig_header, ..Profile::default() };
            profile.request_signatures().collect::<Vec<_>>()
        };
        use RequestSigner::{Dc, PayNet};
        let both = [("x-fapi-signature", PayNet), ("x-signature", Dc)];
        assert_eq!(said(ResourceSigner::Both, SigHeader::Both), both);
        assert_eq!(said(ResourceSigner::Dc, SigHeader::X), [("x-signature", Dc)]);
        assert_eq!(said(ResourceSigner::Pn, SigHeader::Fapi), [("x-fapi-signature", PayNet)]);
    }

    #[test]
    fn a_header_that_is_not_sent_cannot_be_spoilt() {
        let profile = Profile { sig_header: SigHeader::Fapi, ..Profile::default() };
        assert_eq!(profile.lacks(Mutation::XSignatureFlipped), Some("x-signature"));
        assert_eq!(profile.lacks(Mutation::FapiSignatureFlipped), None);
        assert_eq!(profile.lacks(Mutation::SignatureByteFlipped), None);
        assert_eq!(Profile::default().lacks(Mutation::XSignatureFlipped), None);
    }

    #[test]
    fn dates_come_in_the_profiles_form() {
        let now = Timestamp::from_millisecond(1_500).unwrap();
        assert_eq!(NumericDateForm::Int.of(now), json!(1));
        assert_eq!(NumericDateForm::Float.of(now), json!(1.5));
    }
}
