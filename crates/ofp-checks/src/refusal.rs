//! What a refusal is, by channel (`spec/requirements.md` section 2).

use ofp_evidence::{Endpoint, Exchange, Message, Outcome, Stage};
use ofp_types::{Mutation, MutationPart};

/// Whether the DP refused a request, and if not, what it did instead.
///
/// # Errors
/// What came, in words.
pub fn refused(
    exchange: &Exchange,
    mutation: Option<Mutation>,
    callback: &str,
) -> Result<(), String> {
    let by_tls = mutation.is_some_and(|mutation| mutation.part() == MutationPart::Client);
    match &exchange.outcome {
        Outcome::Failed(failure) if by_tls && failure.stage != Stage::Timeout => Ok(()),
        Outcome::Failed(failure) => Err(format!("no answer ({failure})")),
        Outcome::Answered { status, message } if by_tls => match status {
            400 | 401 | 403 => Ok(()),
            _ => Err(answered(*status, message)),
        },
        Outcome::Answered { status: 400..=499, .. } => Ok(()),
        Outcome::Answered { status, message } if exchange.endpoint == Endpoint::DpAuthorize => {
            page_refuses(*status, message, callback)
        }
        Outcome::Answered { status, message } => Err(answered(*status, message)),
    }
}

/// D2: an error page, or a redirect to the registered callback with an error.
fn page_refuses(status: u16, message: &Message, callback: &str) -> Result<(), String> {
    let location = message.header("location").unwrap_or_default();
    let back = location.strip_prefix(callback).is_some_and(|rest| {
        rest.strip_prefix('?')
            .is_some_and(|query| query.split('&').any(|pair| pair.starts_with("error=")))
    });
    let html = message.media_type().is_some_and(|media_type| media_type.contains("html"));
    let asks_to_log_in = message.text().to_lowercase().contains("type=\"password\"");
    match status {
        302 | 303 if back => Ok(()),
        302 | 303 => Err(format!("{status} to {location}")),
        200 if html && !asks_to_log_in => Ok(()),
        _ => Err(answered(status, message)),
    }
}

fn answered(status: u16, message: &Message) -> String {
    let start: String = message.text().chars().take(120).collect();
    format!("{status} {start}").trim_end().to_owned()
}
