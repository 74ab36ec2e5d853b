//! What a careless DP gets wrong on the customer's screens. Only deliberate faults lead here.

use ofp_net::{Answer, Inbound};
use ofp_types::{AccountId, DpFault};

use crate::{
    bank::{Account, Books, Customer},
    core::Core,
    pages::{Trouble, submitted},
    sessions::{Ending, Session, Stage},
};

impl Core {
    /// Where the right password leads.
    pub(crate) fn after_login(&self, customer: &Customer) -> Stage {
        let username = customer.username.clone();
        if self.faulty(DpFault::SelectionSkipped) {
            let accounts = customer.eligible().map(|account| account.id.clone()).collect();
            return Stage::Reviewing { username, accounts };
        }
        Stage::Selecting { username }
    }

    /// What a wrong password is told.
    pub(crate) fn wrong_password(&self, books: &Books, username: &str) -> &'static str {
        if self.faulty(DpFault::NamesEnumerable) && books.customer(username).is_none() {
            return "There is no customer of this name.";
        }
        // the same words for an unknown name and a wrong password
        "The username or password is incorrect."
    }

    /// The accounts that a page offers.
    pub(crate) fn offered<'b>(&self, books: &'b Books, customer: &'b Customer) -> Vec<&'b Account> {
        let mut offered: Vec<&Account> = customer.eligible().collect();
        if self.faulty(DpFault::AccountsOfOthersListed) {
            let others = books.customers.iter().filter(|c| c.username != customer.username);
            offered.extend(others.flat_map(Customer::eligible).take(1));
        }
        offered
    }

    /// The account that a form names, if it may be chosen.
    pub(crate) fn choosable(
        &self,
        books: &Books,
        customer: &Customer,
        id: &str,
    ) -> Option<AccountId> {
        let own = customer.eligible().find(|account| account.id.as_str() == id);
        let any = || {
            let id =
                AccountId::parse(id).ok().filter(|_| self.faulty(DpFault::AccountForgeable))?;
            books.account(&id)
        };
        let account = own.or_else(any)?;
        self.careless.state().chosen = vec![account.id.clone()];
        Some(account.id.clone())
    }

    /// What was chosen, by this customer or by whoever chose last.
    pub(crate) fn recall(&self, accounts: &[AccountId]) -> Vec<AccountId> {
        match self.faulty(DpFault::ChoiceShared) {
            true => self.careless.state().chosen.clone(),
            false => accounts.to_vec(),
        }
    }

    /// Where a decision leads.
    pub(crate) fn after_decision(&self, session: &Session, ending: Ending) -> Stage {
        let nowhere = match ending {
            Ending::Approved => self.faulty(DpFault::ApprovalLeadsNowhere),
            Ending::Rejected => self.faulty(DpFault::RejectionLeadsNowhere),
            Ending::Failed => false,
        };
        if nowhere { session.stage.clone() } else { Stage::Done(ending) }
    }

    /// A form that came from who knows where.
    pub(crate) fn unchecked_form(&self, inbound: &Inbound) -> Option<crate::pages::Form> {
        self.faulty(DpFault::FormTokenUnchecked).then(|| submitted(inbound))
    }

    /// The review page for whoever asks.
    pub(crate) fn review_for_anybody(&self, session: &Session) -> Option<Vec<AccountId>> {
        let open = session.stage == Stage::Login && self.faulty(DpFault::ReviewWithoutLogin);
        let books = self.bank.books();
        let first = books.customers.first().filter(|_| open)?;
        Some(first.eligible().map(|account| account.id.clone()).take(1).collect())
    }

    /// A page as carelessness writes it.
    pub(crate) fn word_page(&self, mut answer: Answer) -> Answer {
        if self.faulty(DpFault::CorsForAll) {
            answer = answer.header("access-control-allow-origin", "*");
        }
        if self.faulty(DpFault::MarkupUnescaped) {
            let text = String::from_utf8_lossy(&answer.body);
            answer.body = text.replace("&#60;", "<").replace("&#62;", ">").into_bytes();
        }
        answer
    }

    /// A trouble on a page.
    pub(crate) fn page_of(&self, result: Result<Answer, Trouble>) -> Answer {
        self.word_page(result.unwrap_or_else(Trouble::answer))
    }
}
