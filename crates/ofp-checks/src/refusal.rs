//! What a refusal is, by channel (`spec/requirements.md` section 2).

use ofp_evidence::{Endpoint, Exchange, Message, Outcome, Stage};
use ofp_types::{Mutation, MutationPart};
use scraper::Selector;

use crate::visible_text;

/// What a framework or a gateway answers that never looked: wrong verb, too slow, too large, not this
/// media type, too many.
const BEFORE_THE_DP: [u16; 5] = [405, 408, 413, 415, 429];

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
        // an alert, or a connection that ends before there is an answer; everything else is no doing
        // of the DP's, or has begun to answer
        Outcome::Failed(failure)
            if by_tls && matches!(failure.stage, Stage::Tls | Stage::Receive) =>
        {
            Ok(())
        }
        Outcome::Failed(failure) => Err(format!("no answer ({failure})")),
        Outcome::Answered { status, message } if by_tls => match status {
            400 | 401 | 403 => Ok(()),
            _ => Err(answered(*status, message)),
        },
        Outcome::Answered { status, message } if BEFORE_THE_DP.contains(status) => {
            Err(answered(*status, message))
        }
        Outcome::Answered { status: 400..=499, .. } => Ok(()),
        Outcome::Answered { status, message } if exchange.endpoint == Endpoint::DpAuthorize => {
            page_refuses(*status, message, callback)
        }
        Outcome::Answered { status, message } => Err(answered(*status, message)),
    }
}

/// Whether the DP did what a good request asks for, and if not, what it did instead.
///
/// # Errors
/// What came, in words.
pub fn served(exchange: &Exchange, callback: &str) -> Result<(), String> {
    match &exchange.outcome {
        Outcome::Answered { status, message } if exchange.endpoint == Endpoint::DpAuthorize => {
            let led_on = match status {
                302 | 303 => message.header("location").is_some(),
                status => (200..300).contains(status),
            };
            let refuses = page_refuses(*status, message, callback).is_ok();
            if led_on && !refuses { Ok(()) } else { Err(answered(*status, message)) }
        }
        Outcome::Answered { status: 200..=299, .. } => Ok(()),
        Outcome::Answered { status, message } => Err(answered(*status, message)),
        Outcome::Failed(failure) => Err(format!("no answer ({failure})")),
    }
}

/// D2: an error page, or a redirect to the registered callback with an error.
fn page_refuses(status: u16, message: &Message, callback: &str) -> Result<(), String> {
    let location = message.header("location").unwrap_or_default();
    let back = location.strip_prefix(callback).is_some_and(|rest| {
        rest.strip_prefix('?')
            .is_some_and(|query| query.split('&').any(|pair| pair.starts_with("error=")))
    });
    match status {
        302 | 303 if back => Ok(()),
        302 | 303 => Err(format!("{status} to {location}")),
        200 if says_something_and_asks_nothing(message) => Ok(()),
        _ => Err(answered(status, message)),
    }
}

/// A page of text without a form, a field or a way on: all that an error page needs. A login page has
/// them, and the shell of an application has no text.
fn says_something_and_asks_nothing(message: &Message) -> bool {
    let html = message.media_type().is_some_and(|media_type| media_type.contains("html"));
    html && {
        let page = crate::parse_page(&message.text());
        let first = |css: &str| page.document.select(&Selector::parse(css).ok()?).next();
        let asks = first("form, input, button, meta[http-equiv]").is_some();
        // what was not read may ask
        !asks && !page.is_cut && first("body").is_some_and(|body| !visible_text(body).is_empty())
    }
}

fn answered(status: u16, message: &Message) -> String {
    format!("{status} {}", beginning(message, 120)).trim_end().to_owned()
}

/// The beginning of a body, without the tokens in it.
pub(crate) fn beginning(message: &Message, characters: usize) -> String {
    const TOKENS: [&str; 3] = ["access_token", "refresh_token", "id_token"];
    let text = match serde_json::from_slice(&message.body) {
        Ok(serde_json::Value::Object(mut object)) => {
            let tokens: Vec<_> = TOKENS.iter().filter(|name| object.contains_key(**name)).collect();
            for name in &tokens {
                object.insert((**name).to_owned(), "…".into());
            }
            (!tokens.is_empty()).then(|| serde_json::Value::Object(object).to_string())
        }
        _ => None,
    };
    let text = text.map_or_else(|| message.text(), Into::into);
    text.chars().take(characters).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jiff::Timestamp;
    use ofp_evidence::{ExchangeId, Failure, Role};

    use super::*;

    const CALLBACK: &str = "https://paynet.test/callback";

    fn exchange(endpoint: Endpoint, outcome: Outcome) -> Exchange {
        Exchange {
            id: ExchangeId(1),
            at: Timestamp::UNIX_EPOCH,
            took: Duration::ZERO,
            from: Role::PayNet,
            to: Role::Dp,
            endpoint,
            method: "GET".into(),
            url: "https://dp.test/".into(),
            request: Message::default(),
            outcome,
            connection: None,
            client_certificate: None,
            consent: None,
            cause: None,
            note: None,
        }
    }

    fn failed(stage: Stage) -> Outcome {
        Outcome::Failed(Failure { stage, detail: "x".into() })
    }

    fn answer(status: u16, header: (&str, &str), body: &str) -> Outcome {
        let headers = vec![(header.0.to_owned(), header.1.to_owned())];
        Outcome::Answered { status, message: Message { headers, body: body.into() } }
    }

    #[test]
    fn who_does_not_answer_neither_refuses_nor_serves() {
        let tls = Some(Mutation::NoClientCertificate);
        for (stage, by_tls) in [
            (Stage::Connect, false),
            (Stage::Timeout, false),
            (Stage::Trust, false),
            (Stage::Send, false),
            (Stage::Body, false),
            (Stage::Tls, true),
            (Stage::Receive, true),
        ] {
            let exchange = exchange(Endpoint::ConsentEvent, failed(stage));
            assert_eq!(refused(&exchange, tls, CALLBACK).is_ok(), by_tls, "{stage:?}");
            assert!(refused(&exchange, Some(Mutation::AlgNone), CALLBACK).is_err(), "{stage:?}");
            assert!(served(&exchange, CALLBACK).is_err(), "{stage:?}");
        }
    }

    #[test]
    fn each_channel_refuses_and_serves_in_its_own_way() {
        let json = ("content-type", "application/json");
        let html = ("content-type", "text/html");
        let to = |location| ("location", location);
        let (event, link) = (Endpoint::ConsentEvent, Endpoint::DpAuthorize);
        let cases = [
            (event, answer(200, json, "{}"), false, true),
            (event, answer(400, json, "{}"), true, false),
            (event, answer(500, json, "{}"), false, false),
            (event, answer(302, to("https://x"), ""), false, false),
            (link, answer(303, to("https://dp.test/login"), ""), false, true),
            (link, answer(303, to("https://paynet.test/callback?error=x"), ""), true, false),
            (link, answer(303, to("https://paynet.test/callback.evil?error=x"), ""), false, true),
            (link, answer(303, json, ""), false, false),
            (link, answer(200, html, "<p>Sorry</p>"), true, false),
            (link, answer(200, html, &"<p>Sorry".repeat(crate::MOST_TAGS + 1)), false, true),
            (link, answer(200, html, "<header>Bank</header><p>Sorry</p>"), true, false),
            (link, answer(200, html, "<input type=\"password\">"), false, true),
            (link, answer(404, html, ""), true, false),
            (
                link,
                answer(200, html, "<head><title>Bank</title></head><div id=app></div>"),
                false,
                true,
            ),
            (link, answer(200, html, "<script>go()</script><style>p{}</style>"), false, true),
            (link, answer(200, html, "<meta http-equiv='refresh'>Wait"), false, true),
            (event, answer(405, json, ""), false, false),
            (event, answer(429, json, ""), false, false),
        ];
        for (at, outcome, refuses, serves) in cases {
            let exchange = exchange(at, outcome);
            assert_eq!(refused(&exchange, None, CALLBACK).is_ok(), refuses, "{exchange:?}");
            assert_eq!(served(&exchange, CALLBACK).is_ok(), serves, "{exchange:?}");
        }
    }
}
