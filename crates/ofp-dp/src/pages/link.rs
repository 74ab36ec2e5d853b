//! The way in: the Location that PayNet handed to the browser.

use ofp_net::{Answer, Inbound};
use ofp_types::{ConsentStatus, token};

use super::{Trouble, login::login_page, page::set_cookie};
use crate::core::Core;

impl Core {
    pub(super) fn open_link(&self, inbound: &Inbound) -> Result<Answer, Trouble> {
        let now = self.now();
        let link = self.sessions().link(&inbound.parameter, now).ok_or(Trouble::NotFound)?;
        let consent = self.consents().get(&link.consent).cloned().ok_or(Trouble::NotFound)?;
        if consent.status != ConsentStatus::AwaitingAuthorization {
            return Err(Trouble::TooLate);
        }
        let (cookie, csrf) = (token(&*self.entropy), token(&*self.entropy));
        self.sessions().begin(cookie.clone(), csrf.clone(), link, now);
        Ok(set_cookie(login_page(&consent, &csrf, None), &cookie))
    }
}
