//! The queries that lists take: pages, and for transactions dates.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::Resource;
use crate::refusal::Refusal;

/// The largest page; the sandbox's sample asks for 5, other readings start at 10.
pub(super) const LARGEST_PAGE: u32 = 500;
/// Longer ones are no cursors.
const LONGEST_CURSOR: usize = 2_048;

/// What a resource's query may hold. The DP's own parameter is the platform's to add.
pub(super) fn check(resource: Resource, query: &BTreeMap<String, String>) -> Result<(), Refusal> {
    let known: &[&str] = match resource {
        Resource::Transactions => &["page_size", "next_page_params", "from_date", "to_date"],
        Resource::Account | Resource::Balances => &[],
    };
    if query.contains_key("consent_id") {
        return Err(Refusal::bad_request("consent_id is the platform's to add, not the DC's"));
    }
    if !known.is_empty() {
        page_size(query)?;
        cursor(query)?;
        dates(query)?;
    }
    Ok(())
}

/// `page_size`, if it was asked for.
pub(super) fn page_size(query: &BTreeMap<String, String>) -> Result<Option<u32>, Refusal> {
    let Some(text) = query.get("page_size") else { return Ok(None) };
    let size = text.parse().ok().filter(|size| (1..=LARGEST_PAGE).contains(size));
    size.map(Some).ok_or_else(|| {
        Refusal::bad_request(format!(
            "page_size must be a whole number from 1 to {LARGEST_PAGE}, not {text}"
        ))
    })
}

/// `next_page_params`, opaque to whoever did not make it.
pub(super) fn cursor(query: &BTreeMap<String, String>) -> Result<Option<&str>, Refusal> {
    match query.get("next_page_params") {
        Some(text) if text.len() > LONGEST_CURSOR => {
            let reason = format!("next_page_params is longer than {LONGEST_CURSOR} characters");
            Err(Refusal::bad_request(reason))
        }
        other => Ok(other.map(String::as_str)),
    }
}

fn dates(query: &BTreeMap<String, String>) -> Result<(), Refusal> {
    let date = |name: &str| -> Result<Option<Date>, Refusal> {
        let Some(text) = query.get(name) else { return Ok(None) };
        let date = text.parse::<Date>().ok().filter(|_| text.len() == 10);
        date.map(Some).ok_or_else(|| {
            Refusal::bad_request(format!("{name} must be a date such as 2026-01-31, not {text}"))
        })
    };
    match (date("from_date")?, date("to_date")?) {
        (Some(from), Some(to)) if from > to => {
            Err(Refusal::bad_request(format!("from_date {from} is after to_date {to}")))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries() {
        let ask = |text: &str| {
            let query = ofp_net::parse_form(text.as_bytes()).unwrap();
            check(Resource::Transactions, &query).map_err(|refusal| refusal.reason)
        };
        for good in [
            "",
            "page_size=1",
            "page_size=500",
            "from_date=2026-01-01&to_date=2026-01-01",
            "to_date=2026-02-28",
            "next_page_params=abc",
            "something=else",
        ] {
            assert_eq!(ask(good), Ok(()), "{good}");
        }
        for (bad, why) in [
            ("page_size=0", "from 1 to 500, not 0"),
            ("page_size=501", "not 501"),
            ("page_size=-5", "not -5"),
            ("page_size=", "not "),
            ("from_date=2026-02-30", "from_date must be a date"),
            ("from_date=20260201", "from_date must be a date"),
            ("to_date=yesterday", "to_date must be a date"),
            ("from_date=2026-03-01&to_date=2026-02-01", "is after to_date"),
            ("consent_id=x", "the platform's to add"),
        ] {
            assert!(ask(bad).unwrap_err().contains(why), "{bad}");
        }
        let long = format!("next_page_params={}", "a".repeat(3000));
        assert!(ask(&long).unwrap_err().contains("longer than 2048"));
    }
}
