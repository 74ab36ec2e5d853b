//! What a fault does to a message.

use ofp_evidence::Endpoint;
use ofp_jose::corrupt;
use ofp_net::Answer;
use ofp_types::{Effect, ErrorCode, FaultPoint, JoseFault, wire::ErrorBody};

/// Where faults strike the answers of an endpoint.
pub(crate) fn point_of(endpoint: Endpoint) -> Option<FaultPoint> {
    Some(match endpoint {
        Endpoint::Discovery => FaultPoint::Discovery,
        Endpoint::Jwks => FaultPoint::Jwks,
        Endpoint::Par => FaultPoint::Par,
        Endpoint::PaynetAuthorize => FaultPoint::Authorize,
        Endpoint::Callback => FaultPoint::Callback,
        Endpoint::Token => FaultPoint::Token,
        Endpoint::Introspection => FaultPoint::Introspection,
        Endpoint::Revocation => FaultPoint::Revocation,
        Endpoint::PaynetUserinfo => FaultPoint::Userinfo,
        Endpoint::Providers => FaultPoint::Providers,
        Endpoint::PaynetAccount => FaultPoint::Account,
        Endpoint::PaynetBalances => FaultPoint::Balances,
        Endpoint::PaynetTransactions => FaultPoint::Transactions,
        Endpoint::UpdateConsent => FaultPoint::UpdateConsent,
        Endpoint::RetrieveConsent => FaultPoint::RetrieveConsent,
        Endpoint::RevokeConsent => FaultPoint::RevokeConsent,
        Endpoint::SuspendConsent => FaultPoint::SuspendConsent,
        Endpoint::ReactivateConsent => FaultPoint::ReactivateConsent,
        _ => return None,
    })
}

/// The answer in place of carrying anything out, for effects that prevent it.
pub(crate) fn answer_instead(effect: Effect) -> Option<Answer> {
    match effect {
        Effect::Status(status) => {
            let code = if status == 503 {
                ErrorCode::TemporarilyUnavailable
            } else {
                ErrorCode::ServerError
            };
            let body = ErrorBody { error: code.as_str().to_owned(), error_description: None };
            let body = serde_json::to_vec(&body).unwrap_or_default();
            Some(Answer::new(status, "application/json", body).header("cache-control", "no-store"))
        }
        Effect::Reset => {
            let mut answer = Answer::new(200, "application/json", "{");
            answer.cut_short = true;
            Some(answer)
        }
        Effect::Silent => {
            let mut answer = Answer::empty(200);
            answer.withheld = true;
            Some(answer)
        }
        _ => None,
    }
}

/// What a fault makes of an answer.
pub(crate) fn answer_struck(effect: Effect, mut answer: Answer) -> Answer {
    match effect {
        Effect::Empty => answer.body.clear(),
        Effect::Malformed => answer.body = b"<<<not what was asked for>>>".to_vec(),
        Effect::Truncated => answer.body.truncate(answer.body.len() / 2),
        Effect::ContentType => {
            answer.headers.retain(|(name, _)| *name != "content-type");
            answer.headers.push(("content-type", "text/html; charset=utf-8".into()));
        }
        _ => return answer_instead(effect).unwrap_or(answer),
    }
    answer
}

/// A signature of the platform, spoilt.
pub(crate) fn spoil(fault: JoseFault, jws: &str) -> String {
    match fault {
        JoseFault::BadSignature => corrupt::flip_signature_bit(jws),
        JoseFault::UnknownKid => corrupt::with_unknown_kid(jws),
        JoseFault::AlgNone => corrupt::with_alg_none(jws),
    }
}
