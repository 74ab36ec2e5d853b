//! What DPs may do differently: legitimate, and no check may mind.

use jiff::Timestamp;
use ofp_net::Answer;
use ofp_types::{DpVariant, JwePlaintext, wire::UpdateConsent};
use openssl::{
    error::ErrorStack,
    ssl::{SslAcceptorBuilder, SslVersion},
};
use serde_json::{Value, json};

use crate::core::Core;

const JOSE: &str = "application/jose";

impl Core {
    /// Whether a variant is switched on.
    pub(crate) fn varies(&self, variant: DpVariant) -> bool {
        self.config.variants.contains(&variant)
    }

    /// A NumericDate (RFC 7519 §2).
    pub(crate) fn numeric_date(&self, time: Timestamp) -> Value {
        if self.varies(DpVariant::FractionalDates) {
            #[expect(clippy::cast_precision_loss, reason = "seconds of this century")]
            return json!(time.as_second() as f64 + 0.25);
        }
        json!(time.as_second())
    }

    /// The answer to an event that was taken.
    pub(crate) fn taken(&self) -> Answer {
        if self.varies(DpVariant::Event201) {
            Answer::json(201, &json!({ "received": true }))
        } else if self.varies(DpVariant::Event202) {
            Answer::empty(202)
        } else if self.varies(DpVariant::Event204) {
            Answer::empty(204)
        } else {
            Answer::json(200, &json!({}))
        }
    }

    /// The media type of account responses.
    pub(crate) fn response_type(&self) -> &'static str {
        let first = self.config.profile.response_types_accepted.first();
        let jose = first.is_some_and(|first| first == JOSE) || self.varies(DpVariant::ResponseJose);
        if jose { JOSE } else { "application/jwt" }
    }

    /// What is encrypted: JSON, or a JWT around it.
    pub(crate) fn within(&self, plaintext: &str) -> String {
        let nested = self.config.profile.jwe_plaintext == JwePlaintext::Nested;
        match nested || self.varies(DpVariant::NestedJwt) {
            true => self.signing.sign(plaintext.as_bytes()),
            false => plaintext.to_owned(),
        }
    }

    /// A JSON object with a member that nobody knows.
    pub(crate) fn with_extra(&self, mut object: Value) -> Value {
        if self.varies(DpVariant::UnknownExtras) && object.is_object() {
            object["x_bank_trace"] = json!({ "shard": 7 });
        }
        object
    }

    /// The body of Update Consent.
    pub(crate) fn written(&self, update: &UpdateConsent) -> Vec<u8> {
        let object = self.with_extra(serde_json::to_value(update).unwrap_or_default());
        object.to_string().into_bytes()
    }

    /// A webhook's answer on its way.
    pub(crate) fn sent(&self, mut answer: Answer) -> Answer {
        if self.varies(DpVariant::NewConnections) {
            answer = answer.header("connection", "close");
        }
        if self.varies(DpVariant::UnknownExtras) {
            answer = answer.header("x-bank-trace", "7f3a");
        }
        answer
    }
}

/// The versions of TLS that a DP speaks.
pub(crate) fn limit_versions(
    builder: &mut SslAcceptorBuilder,
    varies: &dyn Fn(DpVariant) -> bool,
) -> Result<(), ErrorStack> {
    if varies(DpVariant::Tls12) {
        builder.set_max_proto_version(Some(SslVersion::TLS1_2))?;
    }
    if varies(DpVariant::Tls13) {
        builder.set_min_proto_version(Some(SslVersion::TLS1_3))?;
    }
    Ok(())
}
