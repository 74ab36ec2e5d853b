//! What a page shows, as the script in it found out.

use ofp_evidence::Screen;
use serde::Deserialize;

use crate::customer::{says_approve, says_back, says_reject};

/// What a page shows.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Look {
    pub(super) title: String,
    pub(super) text: String,
    pub(super) alert: Option<String>,
    pub(super) password: Option<String>,
    pub(super) username: Option<String>,
    pub(super) log_in: Option<String>,
    pub(super) next: Option<String>,
    approve: Option<String>,
    reject: Option<String>,
    back: Option<String>,
    pub(super) choices: Vec<Choice>,
    pub(super) buttons: Vec<Labelled>,
    links: Vec<Link>,
}

/// A checkbox or radio button.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Choice {
    pub(super) at: String,
    pub(super) label: String,
    pub(super) on: bool,
}

/// Something to press.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Labelled {
    pub(super) at: String,
    label: String,
}

#[derive(Debug, Clone, Deserialize)]
struct Link {
    at: String,
    label: String,
    href: String,
}

impl Look {
    /// Which of the four screens it is. `paynet` are the beginnings of PayNet's URLs.
    pub(super) fn screen(&self, paynet: &[String]) -> Screen {
        if self.password.is_some() {
            Screen::Login
        } else if self.decision(true).is_some() && self.decision(false).is_some() {
            Screen::Review
        } else if !self.choices.is_empty() {
            Screen::AccountSelection
        } else if self.username.is_some() {
            Screen::Login
        } else if self.way_back(paynet).is_some() {
            Screen::Result
        } else {
            Screen::Unrecognised
        }
    }

    /// What approves, or rejects.
    pub(super) fn decision(&self, approve: bool) -> Option<&str> {
        let pointed_at = if approve { &self.approve } else { &self.reject };
        let says = |label: &str| match approve {
            true => says_approve(label) && !says_reject(label),
            false => says_reject(label),
        };
        let by_words = || self.buttons.iter().find(|button| says(&button.label));
        pointed_at.as_deref().or_else(|| by_words().map(|button| button.at.as_str()))
    }

    /// What leads back to PayNet.
    pub(super) fn way_back(&self, paynet: &[String]) -> Option<&str> {
        let leads = |link: &&Link| paynet.iter().any(|origin| link.href.starts_with(origin));
        let by_target = || self.links.iter().find(leads).map(|link| link.at.as_str());
        let by_words = || {
            let link = self.links.iter().find(|link| says_back(&link.label));
            let button = || self.buttons.iter().find(|button| says_back(&button.label));
            link.map(|link| link.at.as_str()).or_else(|| button().map(|button| button.at.as_str()))
        };
        self.back.as_deref().or_else(by_target).or_else(by_words)
    }
}
