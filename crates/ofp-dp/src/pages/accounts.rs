//! Screen 2: account selection.

use askama::Template;
use ofp_net::{Answer, Inbound};
use ofp_types::{AccountId, DpFault};

use super::{
    Trouble,
    page::{html, see},
};
use crate::{
    bank::{Account, Books, Customer},
    core::Core,
    sessions::{Session, Stage},
};

#[derive(Template)]
#[template(path = "accounts.html")]
struct AccountsPage<'a> {
    dc: &'a str,
    csrf: &'a str,
    name: &'a str,
    accounts: Vec<AccountRow<'a>>,
    error: Option<&'a str>,
}

/// An account as a customer sees it.
pub(super) struct AccountRow<'a> {
    pub(super) id: &'a str,
    pub(super) name: &'a str,
    pub(super) number: String,
}

impl<'a> From<&'a Account> for AccountRow<'a> {
    fn from(account: &'a Account) -> Self {
        Self { id: account.id.as_str(), name: &account.name, number: account.shown_number() }
    }
}

impl Core {
    pub(super) fn show_accounts(&self, inbound: &Inbound) -> Result<Answer, Trouble> {
        let (_, session) = self.session(inbound)?;
        let books = self.bank.books();
        match selecting(&books, &session) {
            Some(customer) => self.accounts_page(&session, customer, None),
            None => Ok(Self::elsewhere(&session.stage)),
        }
    }

    pub(super) fn select_accounts(&self, inbound: &Inbound) -> Result<Answer, Trouble> {
        let (cookie, session) = self.session(inbound)?;
        let form = self.form(inbound, &session)?;
        let books = self.bank.books();
        let Some(customer) = selecting(&books, &session) else {
            return Ok(Self::elsewhere(&session.stage));
        };
        let mut accounts: Vec<AccountId> = Vec::new();
        for id in form.all("account") {
            // only what was offered to this customer can be chosen
            let id = self.choosable(&books, customer, id).ok_or(Trouble::Forged)?;
            if !accounts.contains(&id) {
                accounts.push(id);
            }
        }
        if accounts.is_empty() && !self.faulty(DpFault::NothingChosen) {
            return self.accounts_page(&session, customer, Some("Choose at least one account."));
        }
        let stage = Stage::Reviewing { username: customer.username.clone(), accounts };
        self.sessions().advance(&cookie, stage, self.now());
        Ok(see("/review"))
    }

    fn accounts_page(
        &self,
        session: &Session,
        customer: &Customer,
        error: Option<&str>,
    ) -> Result<Answer, Trouble> {
        let consent = self.consents().get(&session.consent).cloned().ok_or(Trouble::TooLate)?;
        let books = self.bank.books();
        Ok(html(
            200,
            &AccountsPage {
                dc: consent.dc_id.as_str(),
                csrf: &session.csrf,
                name: &customer.name,
                accounts: self
                    .offered(&books, customer)
                    .into_iter()
                    .map(AccountRow::from)
                    .collect(),
                error,
            },
        ))
    }
}

fn selecting<'b>(books: &'b Books, session: &Session) -> Option<&'b Customer> {
    match &session.stage {
        Stage::Selecting { username } => books.customer(username),
        _ => None,
    }
}
