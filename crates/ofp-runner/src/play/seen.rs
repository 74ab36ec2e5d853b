//! What a step left in the journal besides its answer: pages, redirects and connections, held to what its author expects.

use std::collections::BTreeMap;

use ofp_evidence::{Exchange, ExchangeId, Finding, Handshake, Outcome, Record, Role};
use ofp_scenario::{Answers, ExpectTls, Located, Presence, Step};
use url::Url;

use super::{expect::unmet, heard::presence, steps::Actors};
use crate::World;

/// The journal since a step began.
pub(super) struct Seen<'a, 'w> {
    pub(super) world: &'a World,
    pub(super) actors: &'a Actors<'w>,
    pub(super) step: &'a Step,
    /// How many records there were before.
    pub(super) before: usize,
}

impl Seen<'_, '_> {
    /// Everything that is expected of more than the answer.
    pub(super) fn held(&self) -> Vec<Finding> {
        let expect = &self.step.expect;
        let mut findings = Vec::new();
        if self.step.answers() == Some(Answers::Page) {
            findings.extend(self.headers_of_page());
        }
        if let Some(expected) = &expect.redirect {
            findings.extend(self.redirect(expected));
        }
        if let Some(expected) = &expect.tls {
            findings.extend(self.tls(expected));
        }
        findings
    }

    /// The ids of the step's exchanges, in order.
    pub(super) fn ids(&self) -> Vec<ExchangeId> {
        self.of_step(self.before, |exchange| Some(exchange.id))
    }

    /// A header of the last page that the customer got.
    pub(super) fn header_of_page(&self, name: &str) -> Result<String, String> {
        let page = self.page().ok_or("the customer got no page")?;
        let header = page.response().and_then(|answer| answer.header(&name.to_ascii_lowercase()));
        header.map(str::to_owned).ok_or_else(|| format!("the page has no header {name}"))
    }

    /// A parameter of the redirect that the step ends with.
    pub(super) fn parameter(&self, name: &str) -> Result<String, String> {
        let location = self.location().ok_or("no redirect")?;
        let found = parameters(&location).into_iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value).ok_or_else(|| format!("the redirect has no parameter {name}"))
    }

    fn page(&self) -> Option<Exchange> {
        self.exchanges(self.before).into_iter().rev().find(|x| x.from == Role::Customer)
    }

    fn headers_of_page(&self) -> Vec<Finding> {
        let Some(headers) = &self.step.expect.headers else { return Vec::new() };
        let page = self.page();
        let answer = page.as_ref().and_then(Exchange::response);
        let each = headers.iter().filter_map(|(name, wanted)| {
            let what = format!("header {name} of the page");
            match answer {
                // where there is no page, that a header is not on it says nothing
                None => Some(missing(self.step, &what, wanted, "no page")),
                Some(answer) => {
                    let came = answer.header(&name.to_ascii_lowercase());
                    presence(self.step, &what, wanted, came)
                }
            }
        });
        each.collect()
    }

    fn redirect(&self, expected: &BTreeMap<String, Located<Presence>>) -> Vec<Finding> {
        let location = self.location();
        let query = location.as_deref().map(parameters);
        let each = expected.iter().filter_map(|(name, wanted)| {
            let what = format!("redirect parameter {name}");
            match &query {
                None => Some(missing(self.step, &what, wanted, "no redirect")),
                Some(query) => {
                    let came = query.iter().find(|(known, _)| known == name);
                    presence(self.step, &what, wanted, came.map(|(_, value)| value.as_str()))
                }
            }
        });
        each.collect()
    }

    /// Where the last redirect of the step leads that has parameters; the last one, where none has. The way back to the DC
    /// may have been gone before: some DPs redirect when the customer has decided, and some customers are played in one go.
    fn location(&self) -> Option<String> {
        let of = |before: usize| {
            let redirects = self.exchanges(before).into_iter();
            let redirects: Vec<String> = redirects
                .filter_map(|exchange| Some(exchange.response()?.header("location")?.to_owned()))
                .collect();
            let with_query = redirects.iter().rev().find(|location| location.contains(['?', '#']));
            with_query.or(redirects.last()).cloned()
        };
        let is_way_back = self.step.answers() == Some(Answers::WayBack);
        of(self.before).or_else(|| is_way_back.then(|| of(0)).flatten())
    }

    fn tls(&self, expected: &Located<ExpectTls>) -> Vec<Finding> {
        // what a DC asks of PayNet is no TLS connection of the DP's
        let to_dp = self.exchanges(self.before).into_iter().filter(|x| x.to == Role::Dp);
        let exchange = to_dp.last();
        let handshake = exchange.as_ref().and_then(|exchange| self.handshake(exchange));
        let failure = exchange.as_ref().and_then(|exchange| match &exchange.outcome {
            Outcome::Failed(failure) => Some(failure.to_string()),
            Outcome::Answered { .. } => None,
        });
        let failure = failure.or_else(|| handshake.as_ref()?.failure.clone());
        let version = handshake.and_then(|handshake| handshake.version);
        let ExpectTls { version: wanted, alert } = &expected.value;
        let mut findings = Vec::new();
        let mut missed = |wanted: String, came: Option<String>| {
            let came = came.unwrap_or_else(|| "nothing of the kind".into());
            findings.push(unmet(self.step, &expected.span, wanted, came));
        };
        if wanted.is_some() && *wanted != version {
            missed(format!("TLS version {}", wanted.as_deref().unwrap_or_default()), version);
        }
        if let Some(alert) = alert {
            let spaced = alert.replace('_', " ").to_lowercase();
            let said = |text: &String| text.replace('_', " ").to_lowercase().contains(&spaced);
            if !failure.as_ref().is_some_and(said) {
                let came = failure.or_else(|| Some("the connection was accepted".into()));
                missed(format!("TLS alert {alert}"), came);
            }
        }
        findings
    }

    fn handshake(&self, exchange: &Exchange) -> Option<Handshake> {
        let wanted = exchange.connection?;
        self.world.journal.newest(|record| match record {
            Record::Handshake(handshake) if handshake.id == wanted => Some(handshake.clone()),
            _ => None,
        })
    }

    /// The exchanges that one of our actors began, in order.
    fn exchanges(&self, before: usize) -> Vec<Exchange> {
        self.of_step(before, |x| (x.from != Role::Dp).then(|| x.clone()))
    }

    /// Something of each exchange that is ours, in order.
    fn of_step<T>(&self, before: usize, take: impl Fn(&Exchange) -> Option<T>) -> Vec<T> {
        let records = self.world.journal.since(before);
        let ours = records.iter().filter_map(|record| match &**record {
            Record::Exchange(x) if self.actors.is_ours(x) => Some((x.id, take(x)?)),
            _ => None,
        });
        let mut ours: Vec<(ExchangeId, T)> = ours.collect();
        ours.sort_unstable_by_key(|(id, _)| *id);
        ours.into_iter().map(|(_, one)| one).collect()
    }
}

/// An expectation of something that did not come at all, so that not even its absence is shown.
fn missing(step: &Step, what: &str, wanted: &Located<Presence>, came: &str) -> Finding {
    unmet(step, &wanted.span, format!("{what}: {}", wanted.value), came.to_owned())
}

/// The parameters of a URL: those of the query, then those of the fragment.
fn parameters(location: &str) -> Vec<(String, String)> {
    let base = Url::parse("https://relative.invalid/").ok();
    let Ok(url) = Url::options().base_url(base.as_ref()).parse(location) else { return Vec::new() };
    let fragment = url.fragment().unwrap_or_default().to_owned();
    let of_fragment = url::form_urlencoded::parse(fragment.as_bytes()).into_owned();
    url.query_pairs().into_owned().chain(of_fragment).collect()
}
