//! Screen 4: the result, with the way back to the DC.

use askama::Template;
use ofp_net::{Answer, Inbound};
use url::Url;

use super::{Trouble, page::html};
use crate::{
    core::Core,
    sessions::{Ending, Session, Stage},
};

#[derive(Template)]
#[template(path = "result.html")]
struct ResultPage<'a> {
    kind: &'a str,
    title: &'a str,
    text: &'a str,
    back: &'a str,
}

impl Core {
    pub(super) fn show_result(&self, inbound: &Inbound) -> Result<Answer, Trouble> {
        let (_, session) = self.session(inbound)?;
        let Stage::Done(ending) = session.stage else {
            return Ok(Self::elsewhere(&session.stage));
        };
        let (kind, title, text) = match ending {
            Ending::Approved => (
                "success",
                "Your accounts are linked",
                "You can withdraw this consent at any time.",
            ),
            Ending::Rejected => ("rejected", "You declined the request", "Nothing was shared."),
            Ending::Failed => (
                "failed",
                "We could not complete your request",
                "Nothing was shared. Please try again from the app that sent you here.",
            ),
        };
        let back = way_back(&session, ending).ok_or(Trouble::NotFound)?;
        let back = self.word_way_back(back, &session.consent);
        Ok(html(200, &ResultPage { kind, title, text, back: &back }))
    }
}

/// PayNet's callback, with what is added to its query.
pub(super) fn way_back(session: &Session, ending: Ending) -> Option<String> {
    let mut url = Url::parse(&session.redirect_uri).ok()?;
    {
        let mut query = url.query_pairs_mut();
        query.append_pair("consent_id", session.consent.as_str());
        let error = match ending {
            Ending::Approved => None,
            Ending::Rejected => Some(("access_denied", "The customer declined the consent")),
            Ending::Failed => Some(("server_error", "The decision could not be recorded")),
        };
        if let Some((code, description)) = error {
            query.append_pair("error", code).append_pair("error_description", description);
        }
        if let Some(oidc) = &session.oidc {
            if ending == Ending::Approved {
                query.append_pair("code", &oidc.code);
            }
            if !oidc.state.is_empty() {
                query.append_pair("state", &oidc.state);
            }
        }
    }
    Some(url.into())
}
