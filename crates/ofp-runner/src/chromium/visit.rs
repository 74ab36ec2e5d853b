//! One customer's visit to the DP in a real browser.

use std::time::Duration;

use fantoccini::{Client, Locator};
use ofp_evidence::{
    CustomerAct, Endpoint, Exchange, ExchangeId, Message, Outcome, Record, Role, Screen,
};
use ofp_scenario::Pick;
use ofp_types::ConsentId;
use serde_json::json;
use tokio::time::{Instant, timeout_at};
use url::Url;

use super::{Chromium, ChromiumError, look::Look};
use crate::World;

const LOOK: &str = include_str!("look.js");
const SETTLE: &str = include_str!("settle.js");
/// How soon to look again at a page that went away.
const GLANCE: Duration = Duration::from_millis(20);
/// How long a page may take to become one that is known.
const PATIENCE: Duration = Duration::from_secs(15);

/// One customer's visit to the DP in a real browser.
pub(crate) struct BrowserVisit<'a> {
    world: &'a World,
    chromium: &'a Chromium,
    client: Client,
    consent: ConsentId,
    /// The beginnings of PayNet's URLs.
    paynet: Vec<String>,
    shown: Shown,
    username: String,
    chosen: Vec<String>,
}

/// What the browser shows.
struct Shown {
    url: String,
    look: Look,
    screen: Screen,
    /// Its number in the journal.
    page: ExchangeId,
}

type Done = Result<(), ChromiumError>;

impl<'a> BrowserVisit<'a> {
    /// Opens what the DC gives its customer.
    pub(crate) async fn arrive(
        world: &'a World,
        chromium: &'a Chromium,
        consent: ConsentId,
        link: &str,
    ) -> Result<Self, ChromiumError> {
        let client = chromium.open().await?;
        client.goto(link).await?;
        let origins = world.origins();
        let paynet = vec![format!("{}/", origins.paynet_as), format!("{}/", origins.paynet_rs)];
        let first = look(world, &client, chromium, &paynet, &consent).await?;
        let mut visit = Self {
            world,
            chromium,
            client,
            consent,
            paynet,
            shown: first,
            username: String::new(),
            chosen: Vec::new(),
        };
        visit.settle(None).await?;
        let (screen, page) = (visit.shown.screen, visit.shown.page);
        visit.write(CustomerAct::Arrived { screen, page });
        Ok(visit)
    }

    pub(crate) fn screen(&self) -> Screen {
        self.shown.screen
    }

    pub(crate) fn text(&self) -> &str {
        &self.shown.look.text
    }

    pub(crate) async fn log_in(&mut self, username: &str, password: &str, correct: bool) -> Done {
        const WHAT: &str = "logging in";
        self.need(WHAT, Screen::Login, "the login page").await?;
        username.clone_into(&mut self.username);
        if self.shown.look.password.is_none() {
            // the name on one page, the password on the next
            self.fill(self.shown.look.username.clone(), username).await?;
            self.press_first(self.shown.look.log_in.clone()).await?;
        }
        let before = self.shown.look.text.clone();
        self.fill(self.shown.look.username.clone(), username).await?;
        self.fill(self.shown.look.password.clone(), password).await?;
        self.press_first(self.shown.look.log_in.clone()).await?;
        let (screen, page) = (self.shown.screen, self.shown.page);
        let changed = (self.shown.look.text != before).then(|| self.shown.look.text.clone());
        let text = self.shown.look.alert.clone().or(changed).unwrap_or_default();
        let username = self.username.clone();
        self.write(CustomerAct::LoggedIn { username, correct, text, screen, page });
        if screen == Screen::AccountSelection {
            let listed = self.shown.look.choices.iter().map(|c| c.label.clone()).collect();
            let username = self.username.clone();
            self.write(CustomerAct::SawAccounts { username, listed, page });
        }
        Ok(())
    }

    pub(crate) async fn select(&mut self, pick: &Pick) -> Done {
        const WHAT: &str = "selecting accounts";
        self.need(WHAT, Screen::AccountSelection, "the account selection").await?;
        let choices = self.shown.look.choices.clone();
        let wanted: Vec<usize> = match pick {
            Pick::First => vec![0],
            Pick::All => (0..choices.len()).collect(),
            Pick::None => Vec::new(),
            Pick::Numbers(numbers) => numbers.iter().map(|number| number - 1).collect(),
        };
        if let Some(number) = wanted.iter().find(|at| **at >= choices.len()) {
            let (listed, number) = (choices.len(), number + 1);
            return Err(ChromiumError::NoSuchAccount { listed, number });
        }
        self.chosen.clear();
        for (at, choice) in choices.iter().enumerate() {
            if wanted.contains(&at) {
                self.chosen.push(choice.label.clone());
            }
            if wanted.contains(&at) != choice.on {
                self.client.find(Locator::Css(&choice.at)).await?.click().await?;
            }
        }
        self.press_first(self.shown.look.next.clone()).await?;
        let (screen, page) = (self.shown.screen, self.shown.page);
        let (chosen, text) = (self.chosen.clone(), self.shown.look.text.clone());
        self.write(CustomerAct::SelectedAccounts {
            chosen: chosen.clone(),
            text: text.clone(),
            screen,
            page,
        });
        if screen == Screen::Review {
            self.write(CustomerAct::SawReview { text, chosen, page });
        }
        Ok(())
    }

    pub(crate) async fn decide(&mut self, approved: bool) -> Done {
        let what = if approved { "approving" } else { "rejecting" };
        self.need(what, Screen::Review, "the review page").await?;
        if approved {
            // terms and conditions
            for choice in self.shown.look.choices.clone().iter().filter(|choice| !choice.on) {
                self.client.find(Locator::Css(&choice.at)).await?.click().await?;
            }
        }
        let at = self.shown.look.decision(approved).map(str::to_owned).unwrap_or_default();
        self.press(&at).await?;
        let (screen, page) = (self.shown.screen, self.shown.page);
        let text = self.shown.look.text.clone();
        self.write(CustomerAct::Decided { approved, text, screen, page });
        if screen == Screen::Left {
            self.write_return();
        }
        Ok(())
    }

    pub(crate) async fn go_back(&mut self) -> Done {
        if self.shown.screen == Screen::Left {
            return Ok(());
        }
        self.need("going back to the DC", Screen::Result, "the result page").await?;
        let at = self.shown.look.way_back(&self.paynet).map(str::to_owned).unwrap_or_default();
        self.press(&at).await?;
        self.write_return();
        Ok(())
    }

    /// Closes the browser.
    pub(crate) async fn close(self) {
        // one that hangs ends with its WebDriver
        let _ = tokio::time::timeout(PATIENCE, self.client.close()).await;
    }

    /// How the DP returned the browser, as PayNet saw it, and what the DC shows.
    fn write_return(&self) {
        let callback = self.world.journal.newest(|record| match record {
            Record::Exchange(x)
                if x.endpoint == Endpoint::Callback
                    && x.consent.as_ref() == Some(&self.consent) =>
            {
                Some(x.url.clone())
            }
            _ => None,
        });
        let page = self.shown.page;
        if let Some(url) = callback {
            self.write(CustomerAct::Returned { url, status: None, page });
        }
        let dc = self.world.origins().dc.as_str();
        if self.shown.url.starts_with(dc) {
            let message = self.shown.look.text.clone();
            let linked = !message.to_lowercase().contains("not linked");
            self.write(CustomerAct::SawOutcome { linked, message, page });
        }
    }

    async fn fill(&self, at: Option<String>, value: &str) -> Done {
        let Some(at) = at else { return Ok(()) };
        let field = self.client.find(Locator::Css(&at)).await?;
        field.clear().await?;
        field.send_keys(value).await?;
        Ok(())
    }

    /// Presses what the target file points at, else the first button.
    async fn press_first(&mut self, pointed_at: Option<String>) -> Done {
        let first = self.shown.look.buttons.first().map(|button| button.at.clone());
        let at = pointed_at.or(first).ok_or(ChromiumError::WrongScreen {
            what: "going on",
            needed: "a button",
            actual: self.describe(),
            screenshot: String::new(),
        })?;
        self.press(&at).await
    }

    async fn press(&mut self, at: &str) -> Done {
        let before = (self.shown.url.clone(), self.shown.look.text.clone(), self.shown.screen);
        self.client.find(Locator::Css(at)).await?.click().await?;
        self.settle(Some(before)).await
    }

    /// Waits for a page that is known and another than before.
    async fn settle(&mut self, before: Option<(String, String, Screen)>) -> Done {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let shown = look(self.world, &self.client, self.chromium, &self.paynet, &self.consent);
            match timeout_at(deadline, shown).await {
                Ok(Ok(shown)) => self.shown = shown,
                // the page went away while it was looked at
                Ok(Err(_)) if Instant::now() < deadline => {
                    // a WebDriver tells nobody when the next page is there
                    tokio::time::sleep(GLANCE).await;
                    continue;
                }
                Ok(Err(error)) => return Err(error),
                Err(_) => return Ok(()),
            }
            let shown = &self.shown;
            let changed = before.as_ref().is_none_or(|(url, text, screen)| {
                *url != shown.url || *text != shown.look.text || *screen != shown.screen
            });
            if (changed && shown.screen != Screen::Unrecognised) || Instant::now() >= deadline {
                return Ok(());
            }
        }
    }

    async fn need(&self, what: &'static str, screen: Screen, needed: &'static str) -> Done {
        if self.shown.screen == screen {
            return Ok(());
        }
        let (actual, screenshot) = (self.describe(), self.screenshot().await);
        Err(ChromiumError::WrongScreen { what, needed, actual, screenshot })
    }

    fn describe(&self) -> String {
        let start: String = self.shown.look.text.chars().take(160).collect();
        let start = start.split_whitespace().collect::<Vec<_>>().join(" ");
        format!("{} (\"{}\": {start})", self.shown.screen, self.shown.look.title)
    }

    /// Keeps a picture of the page, where the target file says so.
    async fn screenshot(&self) -> String {
        let Some(folder) = &self.chromium.screenshots else { return String::new() };
        let path = folder.join(format!("{}.png", self.consent));
        let kept = match self.client.screenshot().await {
            Ok(png) => std::fs::create_dir_all(folder)
                .and_then(|()| std::fs::write(&path, png))
                .map_err(|e| e.to_string()),
            Err(error) => Err(error.to_string()),
        };
        match kept {
            Ok(()) => format!("; a picture of it is {}", path.display()),
            Err(why) => format!("; no picture could be kept: {why}"),
        }
    }

    fn write(&self, act: CustomerAct) {
        self.world.journal.add(Record::Customer { consent: self.consent.clone(), act });
    }
}

/// Looks at the page once it has come to rest, and writes down what it shows.
async fn look(
    world: &World,
    client: &Client,
    chromium: &Chromium,
    paynet: &[String],
    consent: &ConsentId,
) -> Result<Shown, ChromiumError> {
    client.execute_async(SETTLE, Vec::new()).await?;
    let chosen = |written: &Option<ofp_scenario::Located<String>>| {
        written.as_ref().map(|written| written.value.clone())
    };
    let pages = &chromium.pages;
    let chosen = json!({
        "username": chosen(&pages.username),
        "password": chosen(&pages.password),
        "log_in": chosen(&pages.log_in),
        "accounts": chosen(&pages.accounts),
        "next": chosen(&pages.next),
        "approve": chosen(&pages.approve),
        "reject": chosen(&pages.reject),
        "back": chosen(&pages.back),
        "error": chosen(&pages.error),
    });
    let seen = client.execute(LOOK, vec![chosen]).await?;
    let look: Look =
        serde_json::from_value(seen).map_err(|e| ChromiumError::Command(e.to_string()))?;
    let url = client.current_url().await?.to_string();
    let parsed = Url::parse(&url).ok();
    let is_dp = parsed.as_ref().is_some_and(|url| world.customer.owner(url) == Role::Dp);
    let screen = if is_dp { look.screen(paynet) } else { Screen::Left };
    let at_dc = url.starts_with(world.origins().dc.as_str());
    let page = world.journal.next_exchange();
    world.journal.add(Record::Exchange(Exchange {
        id: page,
        at: world.clock.now(),
        took: Duration::ZERO,
        from: Role::Customer,
        to: if is_dp { Role::Dp } else { Role::Dc },
        endpoint: if at_dc { Endpoint::DcCallback } else { Endpoint::Screen },
        method: "GET".into(),
        url: url.clone(),
        request: Message::default(),
        // what the browser got is its own affair: this is what it shows
        outcome: Outcome::Answered {
            status: 200,
            message: Message { headers: Vec::new(), body: look.text.clone().into_bytes() },
        },
        connection: None,
        client_certificate: None,
        consent: Some(consent.clone()),
        cause: None,
        note: None,
    }));
    Ok(Shown { url, look, screen, page })
}
