//! What the DP's answer, or its absence, means to the DC.

use ofp_evidence::{Failure, Message, Stage};
use ofp_jose::CompactJws;
use ofp_types::{
    ErrorCode,
    wire::{ErrorBody, wrapped_jws},
};

use crate::{platform::Platform, refusal::Refusal, state::Held};

impl Platform {
    /// A complete 200, or the refusal that the DC gets instead. A code of the platform's list
    /// that the DP gave is passed on; its words are not.
    pub(crate) fn accept(
        &self,
        result: Result<(u16, Message), Failure>,
    ) -> Result<Message, Refusal> {
        match result {
            Ok((200, message)) => Ok(message),
            Ok((status @ 400..=499, message)) => Err(refused(status, &message)),
            Ok((503, message))
                if dp_code(&message) == Some(ErrorCode::TransientAccountAccessFailure) =>
            {
                Err(refused(503, &message))
            }
            Ok((status, _)) => {
                Err(unacceptable(format!("the DP answered {status}, 200 is required")))
            }
            Err(failure) if failure.stage == Stage::Timeout => {
                let status = self.profile.timeout_status;
                let code = if status == 503 {
                    ErrorCode::TemporarilyUnavailable
                } else {
                    ErrorCode::UpstreamTimeout
                };
                let description = "the Data Provider did not answer in time";
                Err(Refusal::discreet(status, code, description, failure.to_string()))
            }
            Err(failure) => Err(unacceptable(failure.to_string())),
        }
    }

    /// The platform verifies the DP's signature; it cannot decrypt.
    pub(super) fn verify_dp_answer(&self, held: &Held, message: &Message) -> Result<(), Refusal> {
        let media_type = message.media_type().unwrap_or_default();
        let wrapped = wrapped_jws(&media_type, &message.body);
        if wrapped.is_none() && !self.profile.response_types_accepted.contains(&media_type) {
            return Err(unacceptable(format!(
                "the DP's answer is {media_type}, a JWS is required"
            )));
        }
        let dp = self.dp(&held.consent.dp_id);
        let dp = dp.ok_or_else(|| unacceptable("the DP is unknown".into()))?;
        let text = wrapped.unwrap_or_else(|| message.text().into_owned());
        CompactJws::parse(&text)
            .and_then(|jws| jws.verify(&dp.client.keys))
            .and_then(|verified| verified.claims())
            .and_then(|claims| claims.not_expired(self.now()).map(drop))
            .map_err(|e| unacceptable(format!("the DP's answer: {e}")))
    }
}

fn unacceptable(reason: String) -> Refusal {
    let description = "the Data Provider's answer is not acceptable";
    Refusal::discreet(503, ErrorCode::UpstreamInvalidResponse, description, reason)
}

fn refused(status: u16, message: &Message) -> Refusal {
    let known = dp_code(message);
    let otherwise =
        if status == 403 { ErrorCode::ConsentInvalid } else { ErrorCode::InvalidRequest };
    let said = known.map_or("no code of the platform's list", ErrorCode::as_str);
    let description = "the Data Provider refused the request";
    let reason = format!("the DP refused: {status} {said}");
    Refusal::discreet(status, known.unwrap_or(otherwise), description, reason)
}

/// The code of a DP's error body, if it is one of the platform's.
fn dp_code(message: &Message) -> Option<ErrorCode> {
    let body: ErrorBody = serde_json::from_slice(&message.body).ok()?;
    ErrorCode::exact(&body.error)
}
