//! One customer's visit to the DP: from the DC's link to the way back, each act written down.

use ofp_checks::MOST_TAGS;
use ofp_evidence::{CustomerAct, ExchangeId, Failure, Journal, Record, Role, Screen};
use ofp_scenario::Pick;
use ofp_types::{ConsentId, Mutation, Origin};
use url::Url;

use super::{
    browser::{Browser, Customer, Fetched, Hop},
    form::{Button, Form},
    page::Page,
};

/// One customer's visit.
pub(crate) struct Visit<'a> {
    pub(super) customer: &'a Customer,
    pub(super) journal: &'a Journal,
    /// Unknown as long as the customer has not picked a DP.
    pub(super) consent: Option<ConsentId>,
    pub(super) browser: Browser,
    pub(super) page: Option<Page>,
    pub(super) screen: Screen,
    pub(super) at: Option<ExchangeId>,
    /// Who logged in last.
    username: String,
    /// What was ticked.
    chosen: Vec<String>,
    /// Where the DP's pages are: a bank may have its login on one host and its consents on another.
    dp: Vec<Origin>,
    /// Redirects and links on the way to the page that is shown.
    pub(super) hops: Vec<Hop>,
    /// Where the page that is shown is.
    url: Option<Url>,
}

/// Why a customer cannot do what a step asks.
#[derive(Debug, thiserror::Error)]
pub(crate) enum VisitError {
    /// A page did not load.
    #[error("{what}: {failure}")]
    Page {
        /// What the customer did.
        what: &'static str,
        /// How far it got.
        failure: Failure,
    },
    /// The wrong screen for it.
    #[error("{what} needs {needed}, the browser shows {actual}")]
    WrongScreen {
        /// What the customer wanted to do.
        what: &'static str,
        /// The screen that it needs.
        needed: Screen,
        /// The screen, with the page's title and start.
        actual: String,
    },
    /// An account that is not there.
    #[error("the page lists {listed} accounts, there is no number {number}")]
    NoSuchAccount {
        /// How many there are.
        listed: usize,
        /// Which was asked for.
        number: usize,
    },
    /// A DP that PayNet does not offer.
    #[error("PayNet's page offers no DP `{wanted}` to pick: {actual}")]
    NoProvider {
        /// Which was wanted.
        wanted: String,
        /// What the page says.
        actual: String,
    },
    /// A consent that the dashboard does not list.
    #[error("the DP's dashboard does not offer to withdraw consent {consent}: {actual}")]
    NotListed {
        /// Which.
        consent: ConsentId,
        /// What the page says.
        actual: String,
    },
    /// A page without what was to be spoilt.
    #[error("{0}: the page has nothing that it could be done to")]
    NothingToSpoil(Mutation),
    /// A link that is none.
    #[error("`{0}` is not a URL")]
    NotAUrl(String),
}

impl<'a> Visit<'a> {
    pub(crate) fn new(
        customer: &'a Customer,
        journal: &'a Journal,
        consent: Option<ConsentId>,
    ) -> Self {
        Self {
            customer,
            journal,
            consent,
            browser: Browser::new(),
            page: None,
            screen: Screen::Unrecognised,
            at: None,
            username: String::new(),
            chosen: Vec::new(),
            dp: Vec::new(),
            hops: Vec::new(),
            url: None,
        }
    }

    /// Where the page that is shown is.
    pub(crate) fn url(&self) -> Option<&Url> {
        self.url.as_ref()
    }

    /// The values behind the accounts that the page lists.
    pub(crate) fn account_values(&self) -> Vec<String> {
        let form = self.page.as_ref().and_then(Page::selection);
        form.iter().flat_map(|form| &form.choices).map(|choice| choice.value.clone()).collect()
    }

    pub(crate) fn screen(&self) -> Screen {
        self.screen
    }

    /// Whether the page has nothing that can be used as it stands, and a script that may make something of it.
    pub(crate) fn is_scripted(&self) -> bool {
        self.page.as_ref().is_some_and(|page| page.forms.is_empty() && page.has_script)
    }

    /// What the page says to people.
    pub(crate) fn text(&self) -> &str {
        self.page.as_ref().map_or("", |page| page.text.as_str())
    }

    pub(crate) fn has_left(&self) -> bool {
        self.screen == Screen::Left
    }

    pub(crate) async fn arrive(&mut self, link: &str) -> Result<(), VisitError> {
        let url = Url::parse(link).map_err(|_| VisitError::NotAUrl(link.to_owned()))?;
        let fetched = self.fetch("following the DC's link", url, None).await?;
        self.show(&fetched);
        if let Some(page) = self.at {
            let screen = self.screen;
            self.write(CustomerAct::Arrived { screen, page });
        }
        Ok(())
    }

    /// Where PayNet sends the customer: the DP's page, which is left to somebody else.
    pub(crate) async fn handed_over(&mut self, link: &str) -> Result<Url, VisitError> {
        let url = Url::parse(link).map_err(|_| VisitError::NotAUrl(link.to_owned()))?;
        let what = "following the DC's link";
        let found = self.browser.until(self.customer, self.consent.as_ref(), url, Role::Dp).await;
        let found = found.map_err(|failure| VisitError::Page { what, failure })?;
        found.ok_or(VisitError::NotAUrl("where PayNet sends the customer".into()))
    }

    /// The end of a visit that somebody else made: PayNet's callback, as the DP wrote it.
    pub(crate) async fn came_back(&mut self, callback: &str) -> Result<(), VisitError> {
        let url = Url::parse(callback).map_err(|_| VisitError::NotAUrl(callback.to_owned()))?;
        let fetched = self.fetch("coming back from the DP", url.clone(), None).await?;
        let written = callback.to_owned();
        self.hops.insert(0, Hop { from: Role::Dp, status: None, to: url, written });
        self.show(&fetched);
        self.write_return(Some(&fetched));
        Ok(())
    }

    /// Picks a DP on PayNet's page, the first unless one is named; says where that leads.
    pub(crate) async fn pick_provider(&mut self, dp: Option<&str>) -> Result<Url, VisitError> {
        const WHAT: &str = "picking a DP";
        let wanted = |button: &&Button| match (&button.field, dp) {
            (Some((_, value)), Some(dp)) => value == dp,
            (field, None) => field.is_some(),
            (None, Some(_)) => false,
        };
        let forms = self.page.iter().flat_map(|page| &page.forms);
        let mut found = forms.filter_map(|form| Some((form, form.buttons.iter().find(wanted)?)));
        let (form, button) = found.next().ok_or_else(|| VisitError::NoProvider {
            wanted: dp.unwrap_or("any").to_owned(),
            actual: self.text().chars().take(160).collect(),
        })?;
        let mut fields = form.fields.clone();
        fields.extend(button.field.clone());
        let action = form.action.clone();
        let next = self.browser.submit(self.customer, &action, &fields).await;
        let next = next.map_err(|failure| VisitError::Page { what: WHAT, failure })?;
        next.ok_or(VisitError::NotAUrl("the Location of PayNet's answer".into()))
    }

    /// What the visit is about, once the customer has picked a DP.
    pub(crate) fn is_about(&mut self, consent: ConsentId) {
        self.consent = Some(consent);
    }

    pub(crate) async fn log_in(
        &mut self,
        username: &str,
        password: &str,
        correct: bool,
    ) -> Result<(), VisitError> {
        const WHAT: &str = "logging in";
        self.name_first(username).await?;
        let form = self.need(WHAT, Screen::Login, Page::login)?;
        let before = self.text().to_owned();
        let mut fields = form.fields.clone();
        if let Some(name) = form.password.clone() {
            // as the form sends it: the bare password may be a word of every other line
            self.journal.secret(&ofp_net::encode_form(&[(&name, password)]));
        }
        let names = [(&form.username, username), (&form.password, password)];
        for (name, value) in names {
            fields.extend(name.clone().map(|name| (name, value.to_owned())));
        }
        username.clone_into(&mut self.username);
        self.press_only_button(WHAT, Screen::Login, Page::login, fields).await?;
        if let Some(page) = self.at {
            let text = self.news(&before);
            let (screen, username) = (self.screen, self.username.clone());
            self.write(CustomerAct::LoggedIn { username, correct, text, screen, page });
            self.write_accounts(page);
        }
        Ok(())
    }

    /// Some banks ask for the name on one page and for the password on the next.
    async fn name_first(&mut self, username: &str) -> Result<(), VisitError> {
        let page = self.page.as_ref().filter(|page| page.login().is_none());
        let Some(form) = page.and_then(Page::user_name_first) else { return Ok(()) };
        let mut fields = form.fields.clone();
        fields.extend(form.username.clone().map(|name| (name, username.to_owned())));
        let (url, body) = form.press(form.buttons.first(), fields);
        let fetched = self.fetch("entering the user name", url, body).await?;
        self.show(&fetched);
        Ok(())
    }

    /// The page's error message, or what it says that the page before did not.
    fn news(&self, before: &str) -> String {
        let alert = self.page.as_ref().and_then(|page| page.alert.clone());
        let changed = || (self.text() != before).then(|| self.text().to_owned());
        alert.or_else(changed).unwrap_or_default()
    }

    fn write_accounts(&self, page: ExchangeId) {
        let form = self.page.as_ref().and_then(Page::selection);
        if let Some(form) = form.filter(|_| self.screen == Screen::AccountSelection) {
            let listed = form.choices.iter().map(|choice| choice.label.clone()).collect();
            let username = self.username.clone();
            self.write(CustomerAct::SawAccounts { username, listed, page });
        }
    }

    pub(crate) async fn select(&mut self, pick: &Pick) -> Result<(), VisitError> {
        const WHAT: &str = "selecting accounts";
        let form = self.need(WHAT, Screen::AccountSelection, Page::selection)?;
        let picked = picked(form.choices.len(), pick)?;
        let mut fields = form.fields.clone();
        let mut chosen = Vec::new();
        for choice in picked.into_iter().filter_map(|at| form.choices.get(at)) {
            fields.push((choice.name.clone(), choice.value.clone()));
            chosen.push(choice.label.clone());
        }
        self.chosen.clone_from(&chosen);
        self.press_only_button(WHAT, Screen::AccountSelection, Page::selection, fields).await?;
        if let Some(page) = self.at {
            let (screen, text) = (self.screen, self.text().to_owned());
            self.write(CustomerAct::SelectedAccounts { chosen, text: text.clone(), screen, page });
            if screen == Screen::Review {
                let chosen = self.chosen.clone();
                self.write(CustomerAct::SawReview { text, chosen, page });
            }
        }
        Ok(())
    }

    pub(crate) async fn decide(&mut self, approved: bool) -> Result<(), VisitError> {
        let what = if approved { "approving" } else { "rejecting" };
        let decision = self.page.as_ref().and_then(|page| page.decision(approved));
        let Some((form, button)) = decision.filter(|_| self.screen == Screen::Review) else {
            return Err(self.wrong_screen(what, Screen::Review));
        };
        let mut fields = form.fields.clone();
        if approved {
            // terms and conditions
            let ticked = form.choices.iter().map(|terms| (terms.name.clone(), terms.value.clone()));
            fields.extend(ticked);
        }
        let (url, body) = form.press(Some(button), fields);
        let fetched = self.fetch(what, url, body).await;
        self.conclude(approved, fetched)
    }

    /// What came of a decision that was sent.
    pub(super) fn conclude(
        &mut self,
        approved: bool,
        fetched: Result<Fetched, VisitError>,
    ) -> Result<(), VisitError> {
        // the decision was sent, whatever became of the page that follows
        self.screen = Screen::Unrecognised;
        if let Ok(fetched) = &fetched {
            self.show(fetched);
        }
        if let Some(page) = self.at {
            let failed = fetched.as_ref().err().map(ToString::to_string);
            let (screen, text) = (self.screen, failed.unwrap_or_else(|| self.text().to_owned()));
            self.write(CustomerAct::Decided { approved, text, screen, page });
        }
        self.write_return(fetched.as_ref().ok());
        fetched.map(drop)
    }

    /// Where the page that is shown leads back to PayNet.
    pub(crate) fn way_back(&self) -> Option<&Url> {
        let is_callback = |url: &Url| self.customer.owner(url) == Role::PayNet;
        self.page.as_ref().and_then(|page| page.way_back(&is_callback))
    }

    pub(crate) async fn go_back(&mut self) -> Result<(), VisitError> {
        const WHAT: &str = "going back to the DC";
        if self.has_left() {
            return Ok(());
        }
        let back = self.way_back().cloned();
        let back = back.ok_or_else(|| self.wrong_screen(WHAT, Screen::Result))?;
        let fetched = self.fetch(WHAT, back.clone(), None).await;
        let link = Hop { from: Role::Dp, status: None, to: back.clone(), written: back.into() };
        self.hops.insert(0, link);
        if let Ok(fetched) = &fetched {
            self.show(fetched);
        }
        self.write_return(fetched.as_ref().ok());
        fetched.map(drop)
    }

    /// The first step off the DP's pages, wherever it led; then what the DC shows.
    fn write_return(&self, fetched: Option<&Fetched>) {
        let Some(page) = self.at else { return };
        // a host of which no page was ever recognised is not the DP's
        let strange = |url: &Url| {
            let known = Origin::of(url).is_ok_and(|origin| self.dp.contains(&origin));
            !known && (fetched.is_none() || self.screen == Screen::Unrecognised)
        };
        let leaves = |hop: &&Hop| match self.customer.owner(&hop.to) {
            Role::Dp => hop.from == Role::Dp && strange(&hop.to),
            _ => hop.from == Role::Dp,
        };
        if let Some(hop) = self.hops.iter().find(leaves) {
            let (url, status) = (hop.written.clone(), hop.status);
            self.write(CustomerAct::Returned { url, status, page });
        }
        let dc = fetched.filter(|fetched| self.customer.owner(&fetched.url) == Role::Dc);
        if let Some(fetched) = dc {
            let message = self.text().to_owned();
            let linked = !message.to_lowercase().contains("not linked") && fetched.status == 200;
            self.write(CustomerAct::SawOutcome { linked, message, page });
        }
    }

    async fn press_only_button(
        &mut self,
        what: &'static str,
        needed: Screen,
        form: fn(&Page) -> Option<&Form>,
        fields: Vec<(String, String)>,
    ) -> Result<(), VisitError> {
        let form = self.need(what, needed, form)?;
        let (url, body) = form.press(form.buttons.first(), fields);
        let fetched = self.fetch(what, url, body).await?;
        self.show(&fetched);
        Ok(())
    }

    pub(super) fn need(
        &self,
        what: &'static str,
        needed: Screen,
        form: fn(&Page) -> Option<&Form>,
    ) -> Result<&Form, VisitError> {
        let found = self.page.as_ref().and_then(form).filter(|_| self.screen == needed);
        found.ok_or_else(|| self.wrong_screen(what, needed))
    }

    pub(super) fn wrong_screen(&self, what: &'static str, needed: Screen) -> VisitError {
        let page = self.page.as_ref();
        let start: String = page.map_or("", |p| p.text.as_str()).chars().take(160).collect();
        let title = page.map_or("", |page| page.title.as_str());
        let actual = if page.is_none() {
            "no page yet".to_owned()
        } else {
            let cut = match page.is_some_and(|page| page.is_cut) {
                true => format!(
                    "; the page has too many tags, what follows the first {MOST_TAGS} is not read"
                ),
                false => String::new(),
            };
            format!("{} (\"{title}\": {start}){cut}", self.screen)
        };
        VisitError::WrongScreen { what, needed, actual }
    }

    async fn fetch(
        &mut self,
        what: &'static str,
        url: Url,
        form: Option<Vec<(String, String)>>,
    ) -> Result<Fetched, VisitError> {
        self.hops.clear();
        let (customer, consent, hops) = (self.customer, self.consent.as_ref(), &mut self.hops);
        let fetched = self.browser.fetch(customer, consent, url, form, hops).await;
        fetched.map_err(|failure| VisitError::Page { what, failure })
    }

    fn show(&mut self, fetched: &Fetched) {
        let page = Page::parse(&fetched.message.text(), &fetched.url, &self.customer.selectors);
        self.screen = match self.customer.owner(&fetched.url) {
            Role::Dp => page.screen(&|url| self.customer.owner(url) == Role::PayNet),
            _ => Screen::Left,
        };
        if !matches!(self.screen, Screen::Left | Screen::Unrecognised) {
            self.dp.extend(Origin::of(&fetched.url));
        }
        self.at = fetched.exchange.or(self.at);
        self.url = Some(fetched.url.clone());
        self.page = Some(page);
        // a code is worth something until PayNet has redeemed it
        if let Some(code) = self.way_back().and_then(code_in) {
            self.journal.secret_of_peer(&code);
        }
    }

    pub(super) fn write(&self, act: CustomerAct) {
        if let Some(consent) = self.consent.clone() {
            self.journal.add(Record::Customer { consent, act });
        }
    }
}

/// The code that a URL brings along.
pub(crate) fn code_in(url: &Url) -> Option<String> {
    url.query_pairs().find(|(name, _)| name == "code").map(|(_, code)| code.into_owned())
}

/// Which of `listed` accounts, counted from 0.
fn picked(listed: usize, pick: &Pick) -> Result<Vec<usize>, VisitError> {
    match pick {
        Pick::First => Ok(vec![0]),
        Pick::All => Ok((0..listed).collect()),
        Pick::None => Ok(Vec::new()),
        Pick::Numbers(numbers) => match numbers.iter().find(|number| **number > listed) {
            Some(number) => Err(VisitError::NoSuchAccount { listed, number: *number }),
            None => Ok(numbers.iter().map(|number| number - 1).collect()),
        },
    }
}
