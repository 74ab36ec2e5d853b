//! Screen 1: login.

use askama::Template;
use ofp_net::{Answer, Inbound};
use ofp_types::{DpFault, token};

use super::{
    Trouble,
    page::{html, see, set_cookie},
};
use crate::{consents::DpConsent, core::Core, sessions::Stage};

#[derive(Template)]
#[template(path = "login.html")]
struct LoginPage<'a> {
    dc: &'a str,
    csrf: &'a str,
    error: Option<&'a str>,
}

pub(super) fn login_page(consent: &DpConsent, csrf: &str, error: Option<&str>) -> Answer {
    html(200, &LoginPage { dc: consent.dc_id.as_str(), csrf, error })
}

impl Core {
    pub(super) async fn log_in(&self, inbound: &Inbound) -> Result<Answer, Trouble> {
        let (cookie, session) = self.session(inbound)?;
        let form = self.form(inbound, &session)?;
        if session.stage != Stage::Login {
            return Ok(Self::elsewhere(&session.stage));
        }
        let username = form.get("username");
        let books = self.bank.books();
        let customer = if self.faulty(DpFault::AnyPassword) {
            books.customer(username)
        } else {
            books.log_in(username, form.get("password"))
        };
        match customer {
            Some(customer) => {
                let now = self.now();
                // a new cookie for a new privilege: the old one may have been planted
                let fresh = token(&*self.entropy);
                let stage = self.after_login(customer);
                let next =
                    if matches!(stage, Stage::Selecting { .. }) { "/accounts" } else { "/review" };
                self.sessions().promote(&cookie, fresh.clone(), stage, now);
                if self.faulty(DpFault::LoginIsApproval) {
                    self.approve_everything(&session, customer).await;
                }
                Ok(set_cookie(see(next), &fresh))
            }
            None => {
                let consent = self.consents().get(&session.consent).cloned();
                let consent = consent.ok_or(Trouble::TooLate)?;
                if self.faulty(DpFault::WrongPasswordRejects) {
                    let _ = self.tell(&consent, &self.rejected()).await;
                }
                let error = self.wrong_password(&books, username);
                Ok(login_page(&consent, &session.csrf, Some(error)))
            }
        }
    }
}
