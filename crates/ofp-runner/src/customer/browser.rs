//! Fetches pages, keeps cookies, follows redirects, and writes down what was fetched.

use std::{sync::Arc, time::Duration};

use cookie_store::CookieStore;
use ofp_evidence::{Endpoint, ExchangeId, Failure, Journal, Message, Role, Stage};
use ofp_net::{Call, Caller, HttpClient, NetError, Request, Trust, connector};
use ofp_types::{Clock, ConsentId, Origin};
use url::Url;

use super::{page::Page, selectors::Selectors};

/// Where PayNet sends a browser, unless it relays.
const AUTHORIZE: [&str; 2] = ["/v1/oauth/authorize", "/OFM/MY/Authorize/AIS"];
/// Longer chains of redirects are loops.
const MOST_REDIRECTS: usize = 10;

/// What every browser of a run shares: connections, and who is who.
pub(crate) struct Customer {
    to_dp: Caller,
    to_dc: Caller,
    /// PayNet writes down what it is asked.
    to_paynet: HttpClient,
    places: Places,
    /// How long a page may take.
    patience: Duration,
    /// How to read the DP's pages, where the heuristics do not suffice.
    pub(super) selectors: Selectors,
}

/// Who is where; what is nobody else's is the DP's.
pub(crate) struct Places {
    pub(crate) paynet: Vec<Origin>,
    pub(crate) dc: Origin,
    /// Where the DP's authorize is, if browsers are sent there.
    pub(crate) authorize: Option<Origin>,
}

impl Customer {
    pub(crate) fn new(
        trust: &Trust,
        places: Places,
        journal: &Arc<Journal>,
        clock: &Arc<dyn Clock>,
        patience: Duration,
        selectors: Selectors,
    ) -> Result<Self, NetError> {
        let ssl = || connector(None, trust);
        let caller = |to| {
            let (journal, clock) = (Arc::clone(journal), Arc::clone(clock));
            Ok::<_, NetError>(Caller::new(ssl()?, Role::Customer, to, journal, clock))
        };
        Ok(Self {
            to_dp: caller(Role::Dp)?,
            to_dc: caller(Role::Dc)?,
            to_paynet: HttpClient::new(ssl()?, None),
            places,
            patience,
            selectors,
        })
    }

    /// Whether a URL is the DP's authorize, to which PayNet has sent the browser itself.
    fn is_authorize(&self, url: &Url) -> bool {
        let ours = |origin: &Origin| Origin::of(url).is_ok_and(|of| of == *origin);
        self.places.authorize.as_ref().is_some_and(ours) && AUTHORIZE.contains(&url.path())
    }

    /// Whose page a URL is.
    pub(crate) fn owner(&self, url: &Url) -> Role {
        match Origin::of(url) {
            Ok(origin) if self.places.paynet.contains(&origin) => Role::PayNet,
            Ok(origin) if origin == self.places.dc => Role::Dc,
            _ => Role::Dp,
        }
    }
}

/// A page as it arrived.
pub(super) struct Fetched {
    pub(super) url: Url,
    pub(super) status: u16,
    pub(super) message: Message,
    /// Its number in the journal; PayNet's pages have none here.
    pub(super) exchange: Option<ExchangeId>,
    /// That of the request which led there.
    pub(super) first: Option<ExchangeId>,
}

/// A redirect on the way: who sent it, with what status, where to, and that as written.
#[derive(Debug, Clone)]
pub(super) struct Hop {
    pub(super) from: Role,
    /// `None` for a link that the customer followed.
    pub(super) status: Option<u16>,
    pub(super) to: Url,
    pub(super) written: String,
}

/// One browser: a cookie jar.
#[derive(Clone)]
pub(super) struct Browser {
    cookies: CookieStore,
}

impl Browser {
    pub(super) fn new() -> Self {
        Self { cookies: CookieStore::default() }
    }

    /// Fetches a page, following redirects, each of which is added to `hops` before it is followed.
    pub(super) async fn fetch(
        &mut self,
        customer: &Customer,
        consent: Option<&ConsentId>,
        mut url: Url,
        mut form: Option<Vec<(String, String)>>,
        hops: &mut Vec<Hop>,
    ) -> Result<Fetched, Failure> {
        let mut first = None;
        loop {
            let owner = customer.owner(&url);
            let request = self.request(&url, form.as_deref(), customer.patience);
            let (exchange, status, message) = send(customer, owner, consent, request, &url).await?;
            first = first.or(exchange);
            self.keep_cookies(&message, &url);
            let written = message.header("location").map(str::to_owned);
            let location = written.as_ref().and_then(|location| url.join(location).ok());
            match (status, location) {
                (301 | 302 | 303 | 307 | 308, Some(next)) => {
                    if hops.len() == MOST_REDIRECTS {
                        let detail =
                            format!("more than {MOST_REDIRECTS} redirects, last to {next}");
                        return Err(Failure { stage: Stage::Receive, detail });
                    }
                    if !matches!(status, 307 | 308) {
                        form = None;
                    }
                    hops.push(Hop {
                        from: owner,
                        status: Some(status),
                        to: next.clone(),
                        written: written.unwrap_or_default(),
                    });
                    url = next;
                }
                _ => match self.leads_on(customer, owner, &message, &url) {
                    Some(next) if hops.len() < MOST_REDIRECTS => {
                        form = None;
                        let written = next.to_string();
                        hops.push(Hop { from: owner, status: None, to: next.clone(), written });
                        url = next;
                    }
                    _ => return Ok(Fetched { url, status, message, exchange, first }),
                },
            }
        }
    }

    /// Where a page of the DP's leads at once, by itself.
    fn leads_on(
        &self,
        customer: &Customer,
        owner: Role,
        message: &Message,
        url: &Url,
    ) -> Option<Url> {
        if owner != Role::Dp || !message.text().to_ascii_lowercase().contains("http-equiv") {
            return None;
        }
        Page::parse(&message.text(), url, &customer.selectors).leads_on().cloned()
    }

    /// Asks whether a script of `origin` may read a page (Fetch §3.2.2).
    pub(super) async fn preflight(
        &self,
        customer: &Customer,
        consent: Option<&ConsentId>,
        url: &Url,
        origin: &str,
    ) -> Result<Fetched, Failure> {
        let mut request = self.request(url, None, customer.patience);
        request.method = http::Method::OPTIONS;
        let request =
            request.header("origin", origin).header("access-control-request-method", "GET");
        let owner = customer.owner(url);
        let (exchange, status, message) = send(customer, owner, consent, request, url).await?;
        Ok(Fetched { url: url.clone(), status, message, exchange, first: exchange })
    }

    /// Follows redirects until one leads to `stop`; says where it leads.
    pub(super) async fn until(
        &mut self,
        customer: &Customer,
        consent: Option<&ConsentId>,
        mut url: Url,
        stop: Role,
    ) -> Result<Option<Url>, Failure> {
        for _ in 0..MOST_REDIRECTS {
            let owner = customer.owner(&url);
            if owner == stop {
                return Ok(Some(url));
            }
            let request = self.request(&url, None, customer.patience);
            let (_, _, message) = send(customer, owner, consent, request, &url).await?;
            self.keep_cookies(&message, &url);
            let next = message.header("location").and_then(|location| url.join(location).ok());
            let Some(next) = next else { return Ok(None) };
            url = next;
        }
        Ok(None)
    }

    /// Sends a form and goes no further: where the answer would lead, if it would.
    pub(super) async fn submit(
        &mut self,
        customer: &Customer,
        url: &Url,
        form: &[(String, String)],
    ) -> Result<Option<Url>, Failure> {
        let request = self.request(url, Some(form), customer.patience);
        let owner = customer.owner(url);
        let (_, _, message) = send(customer, owner, None, request, url).await?;
        self.keep_cookies(&message, url);
        Ok(message.header("location").and_then(|location| url.join(location).ok()))
    }

    fn request(&self, url: &Url, form: Option<&[(String, String)]>, patience: Duration) -> Request {
        let request = match form {
            None => Request::get(url.as_str(), patience),
            Some(fields) => {
                let fields: Vec<(&str, &str)> =
                    fields.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
                Request::form(url.as_str(), &fields, patience)
            }
        };
        let cookies: Vec<String> =
            self.cookies.get_request_values(url).map(|(n, v)| format!("{n}={v}")).collect();
        let request = request.header("accept", "text/html");
        if cookies.is_empty() { request } else { request.header("cookie", cookies.join("; ")) }
    }

    fn keep_cookies(&mut self, message: &Message, url: &Url) {
        let set = message.headers.iter().filter(|(name, _)| name == "set-cookie");
        for (_, value) in set {
            // a cookie that a browser would refuse is refused here too
            let _ = self.cookies.parse(value, url);
        }
    }
}

async fn send(
    customer: &Customer,
    owner: Role,
    consent: Option<&ConsentId>,
    request: Request,
    url: &Url,
) -> Result<(Option<ExchangeId>, u16, Message), Failure> {
    if url.scheme() != "https" {
        let detail = format!("{url} is not an https URL");
        return Err(Failure { stage: Stage::Connect, detail });
    }
    let (caller, endpoint) = match owner {
        Role::PayNet => {
            let reply = customer.to_paynet.send(request).await?;
            return Ok((None, reply.status, reply.message));
        }
        Role::Dc => (&customer.to_dc, Endpoint::DcCallback),
        _ if customer.is_authorize(url) => (&customer.to_dp, Endpoint::DpAuthorize),
        _ => (&customer.to_dp, Endpoint::DpPage),
    };
    let call = Call { endpoint, request, consent: consent.cloned(), cause: None };
    let (id, result) = caller.call(call).await;
    let (status, message) = result?;
    Ok((Some(id), status, message))
}
