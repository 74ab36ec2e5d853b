//! The consent dashboard: what a customer has shared, and the way to withdraw it (B7).

use askama::Template;
use ofp_net::{Answer, Inbound};
use ofp_types::{ConsentId, DpFault, UpdatedBy, token};

use super::{
    Trouble,
    page::{Form, cookie, html, see, set_named_cookie},
    review::{long_date, purpose_words},
};
use crate::{bank::Books, consents::DpConsent, core::Core, sessions::Visitor};

/// The dashboard's own cookie: an authorization under way is another matter.
const COOKIE: &str = "__Host-dp-dashboard";

#[derive(Template)]
#[template(path = "dashboard_login.html")]
struct EntrancePage<'a> {
    csrf: &'a str,
    error: Option<&'a str>,
}

#[derive(Template)]
#[template(path = "dashboard.html")]
struct DashboardPage<'a> {
    csrf: &'a str,
    name: &'a str,
    error: Option<&'a str>,
    consents: Vec<ConsentRow<'a>>,
}

/// One consent in the list.
struct ConsentRow<'a> {
    id: &'a str,
    dc: &'a str,
    purpose: &'a str,
    status: &'a str,
    until: String,
    accounts: Vec<String>,
}

impl Core {
    pub(super) fn show_dashboard(&self, inbound: &Inbound) -> Answer {
        match self.logged_in(inbound) {
            Ok((_, visitor, username)) => self.dashboard(&visitor, &username, None),
            Err(_) => self.entrance(None),
        }
    }

    pub(super) fn enter_dashboard(&self, inbound: &Inbound) -> Result<Answer, Trouble> {
        let (old, visitor) = self.visitor(inbound)?;
        let form = Form::from_page(inbound, &visitor.csrf)?;
        let books = self.bank.books();
        match books.log_in(form.get("username"), form.get("password")) {
            Some(customer) => {
                let (fresh, csrf) = (token(&*self.entropy), token(&*self.entropy));
                let mut sessions = self.sessions();
                sessions.leave(&old);
                sessions.visit(fresh.clone(), csrf, Some(customer.username.clone()), self.now());
                Ok(set_named_cookie(see("/dashboard"), COOKIE, &fresh))
            }
            None => Ok(self.entrance(Some("The username or password is incorrect."))),
        }
    }

    pub(super) async fn revoke_on_dashboard(&self, inbound: &Inbound) -> Result<Answer, Trouble> {
        let (_, visitor, username) = self.logged_in(inbound)?;
        let form = Form::from_page(inbound, &visitor.csrf)?;
        let id = ConsentId::parse(form.get("consent_id")).map_err(|_| Trouble::Malformed)?;
        // only a consent of this customer can be withdrawn
        let theirs = self.consents().live_of(&username).iter().any(|consent| consent.id == id);
        if !theirs {
            return Err(Trouble::TooLate);
        }
        if self.faulty(DpFault::WithdrawalForgotten) {
            self.careless.state().withdrawn.insert(id.clone());
        }
        match self.revoke_consent(id.as_str(), UpdatedBy::DataProviderUser).await {
            Ok(()) if self.faulty(DpFault::WithdrawalForgotten) => Ok(see("/dashboard")),
            Ok(()) => {
                self.consents().revoked(&id);
                Ok(see("/dashboard"))
            }
            Err(_) => {
                let error = "The consent could not be withdrawn now. Please try again.";
                Ok(self.dashboard(&visitor, &username, Some(error)))
            }
        }
    }

    pub(super) fn leave_dashboard(&self, inbound: &Inbound) -> Result<Answer, Trouble> {
        let (cookie, visitor, _) = self.logged_in(inbound)?;
        Form::from_page(inbound, &visitor.csrf)?;
        self.sessions().leave(&cookie);
        Ok(see("/dashboard"))
    }

    fn visitor(&self, inbound: &Inbound) -> Result<(String, Visitor), Trouble> {
        let cookie = cookie(inbound, COOKIE).ok_or(Trouble::NoSession)?;
        let visitor = self.sessions().visitor(cookie, self.now()).ok_or(Trouble::NoSession)?;
        Ok((cookie.to_owned(), visitor))
    }

    fn logged_in(&self, inbound: &Inbound) -> Result<(String, Visitor, String), Trouble> {
        let (cookie, visitor) = self.visitor(inbound)?;
        let username = visitor.username.clone().ok_or(Trouble::NoSession)?;
        Ok((cookie, visitor, username))
    }

    fn entrance(&self, error: Option<&str>) -> Answer {
        let (fresh, csrf) = (token(&*self.entropy), token(&*self.entropy));
        let page = html(200, &EntrancePage { csrf: &csrf, error });
        self.sessions().visit(fresh.clone(), csrf.clone(), None, self.now());
        set_named_cookie(page, COOKIE, &fresh)
    }

    fn dashboard(&self, visitor: &Visitor, username: &str, error: Option<&str>) -> Answer {
        let books = self.bank.books();
        let name = books.customer(username).map_or(username, |customer| customer.name.as_str());
        let mut live = self.consents().live_of(username);
        live.retain(|consent| !self.careless.state().withdrawn.contains(&consent.id));
        let consents = live.iter().map(|consent| row(consent, &books)).collect();
        html(200, &DashboardPage { csrf: &visitor.csrf, name, error, consents })
    }
}

fn row<'a>(consent: &'a DpConsent, books: &Books) -> ConsentRow<'a> {
    let accounts = consent.accounts.iter().filter_map(|id| books.account(id));
    ConsentRow {
        id: consent.id.as_str(),
        dc: consent.dc_id.as_str(),
        purpose: purpose_words(&consent.purpose),
        status: consent.status.as_str(),
        until: long_date(consent),
        accounts: accounts.map(|a| format!("{} {}", a.name, a.shown_number())).collect(),
    }
}
