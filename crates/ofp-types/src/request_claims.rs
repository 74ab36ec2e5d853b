//! What PayNet and a DC say in their signatures (`spec/ofp.md` 5.2 to 5.4).

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::{
    Mutation, MutationPart, NumericDateForm, Profile, ResourceSigner, SigBody, SigHeader,
    SigResource, SigUserinfo,
};

/// What a signature with claims says.
///
/// Of a request with a body nothing is public but that such a reading exists (`spec/ofp.md` 5.2): the text of the body,
/// as it is sent, is claim `body`, so that no JSON has to be written again to verify it.
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
    /// The body, as it is sent, of a request that has one.
    pub body: Option<&'a str>,
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
        let body = self.body.map(|body| ("body", json!(body)));
        claims.into_iter().chain(body).map(|(name, value)| (name.to_owned(), value)).collect()
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

/// What goes into the header of a detached signature beside `alg` and `kid` (`spec/ofp.md` 5.2).
#[must_use]
pub fn signature_header(
    iss: &str,
    now: Timestamp,
    jti: String,
    form: NumericDateForm,
) -> Map<String, Value> {
    let members = [("iss", json!(iss)), ("iat", form.of(now)), ("jti", json!(jti))];
    members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// A call of PayNet's to a DP that is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignedCall {
    /// D1, a consent event.
    Event,
    /// D2, the start of an authorization.
    Link,
    /// D3, userinfo.
    Userinfo,
    /// D5 to D7, data of an account.
    Data,
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

    /// Whether PayNet's signature on a call has claims.
    #[must_use]
    pub fn has_claims(&self, call: SignedCall) -> bool {
        match call {
            SignedCall::Event => self.sig_body == SigBody::Claims,
            SignedCall::Link => false,
            SignedCall::Userinfo => self.sig_userinfo == SigUserinfo::Claims,
            SignedCall::Data => self.sig_resource == SigResource::Claims,
        }
    }

    /// Whether every request is in this profile as a mutation would make it.
    #[must_use]
    pub fn is_usual(&self, mutation: Mutation) -> bool {
        self.unusual(mutation).is_some()
    }

    /// What there is none of, where every request is as a mutation would make it.
    fn unusual(&self, mutation: Mutation) -> Option<&'static str> {
        let (usual, without) = match mutation {
            Mutation::FractionalDates => {
                (self.numericdate == NumericDateForm::Float, "date without a fraction")
            }
            Mutation::UrlDoubledScheme => (self.quirk_url, "url without the doubled scheme"),
            Mutation::UnknownParameters => (self.oidc_at_dp, "link without state, nonce and scope"),
            _ => (false, ""),
        };
        usual.then_some(without)
    }

    /// What a mutation spoils, where PayNet does not send it in this profile.
    #[must_use]
    pub fn lacks(&self, mutation: Mutation, call: Option<SignedCall>) -> Option<&'static str> {
        if let Some(header) = mutation.of_header() {
            return (!self.request_signatures().any(|(name, _)| name == header)).then_some(header);
        }
        let claims = self.has_claims(call?);
        if let Some(without) = self.unusual(mutation) {
            return Some(without);
        }
        match mutation {
            // no server takes a header of a megabyte
            Mutation::BodyMegabyte if claims => Some("signature that leaves the body out"),
            _ if mutation.part() == MutationPart::Claims && !claims => {
                Some("claims in this signature")
            }
            _ => None,
        }
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
        let lacks = |profile: &Profile, mutation| profile.lacks(mutation, Some(SignedCall::Data));
        assert_eq!(lacks(&profile, Mutation::XSignatureFlipped), Some("x-signature"));
        assert_eq!(lacks(&profile, Mutation::FapiSignatureFlipped), None);
        assert_eq!(lacks(&profile, Mutation::SignatureByteFlipped), None);
        assert_eq!(lacks(&Profile::default(), Mutation::XSignatureFlipped), None);
        let sig_resource = SigResource::DetachedEmpty;
        let detached = Profile { sig_resource, ..Profile::default() };
        assert_eq!(lacks(&detached, Mutation::AudWithoutDp), Some("claims in this signature"));
        assert_eq!(lacks(&Profile::default(), Mutation::AudWithoutDp), None);
    }

    #[test]
    fn dates_come_in_the_profiles_form() {
        let now = Timestamp::from_millisecond(1_500).unwrap();
        assert_eq!(NumericDateForm::Int.of(now), json!(1));
        assert_eq!(NumericDateForm::Float.of(now), json!(1.5));
    }
}
