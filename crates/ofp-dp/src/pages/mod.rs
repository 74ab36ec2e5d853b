//! The customer's four screens and the consent dashboard, served in public.

mod accounts;
mod dashboard;
mod link;
mod login;
mod page;
mod result;
mod review;

use std::sync::Arc;

use ofp_net::{Answer, App, Inbound, Matched, Route};

use crate::core::Core;
pub(crate) use page::{Form, Trouble, submitted};

/// The screens' listener.
pub(crate) struct Pages(pub(crate) Arc<Core>);

/// A page, shown or submitted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Page {
    Link,
    Login,
    ShowAccounts,
    Select,
    ShowReview,
    Decide,
    Cancel,
    Result,
    Dashboard,
    DashboardLogin,
    Revoke,
    Leave,
    Style,
}

static ROUTES: [Route<Page>; 11] = [
    Route { path: "/link/{ticket}", verbs: &[("GET", Page::Link)] },
    Route { path: "/login", verbs: &[("POST", Page::Login)] },
    Route { path: "/accounts", verbs: &[("GET", Page::ShowAccounts), ("POST", Page::Select)] },
    Route { path: "/review", verbs: &[("GET", Page::ShowReview), ("POST", Page::Decide)] },
    Route { path: "/cancel", verbs: &[("POST", Page::Cancel)] },
    Route { path: "/result", verbs: &[("GET", Page::Result)] },
    Route { path: "/dashboard", verbs: &[("GET", Page::Dashboard)] },
    Route { path: "/dashboard/login", verbs: &[("POST", Page::DashboardLogin)] },
    Route { path: "/dashboard/revoke", verbs: &[("POST", Page::Revoke)] },
    Route { path: "/dashboard/leave", verbs: &[("POST", Page::Leave)] },
    Route { path: "/style.css", verbs: &[("GET", Page::Style)] },
];

impl App for Pages {
    type Endpoint = Page;

    fn routes(&self) -> &'static [Route<Page>] {
        &ROUTES
    }

    async fn answer(self: Arc<Self>, matched: Matched<Page>, inbound: Inbound) -> Answer {
        let core = &self.0;
        let result = match matched {
            Matched::Endpoint(Page::Link) => core.open_link(&inbound),
            Matched::Endpoint(Page::Login) => core.log_in(&inbound).await,
            Matched::Endpoint(Page::ShowAccounts) => core.show_accounts(&inbound),
            Matched::Endpoint(Page::Select) => core.select_accounts(&inbound),
            Matched::Endpoint(Page::ShowReview) => core.show_review(&inbound),
            Matched::Endpoint(Page::Decide) => core.decide(&inbound).await,
            Matched::Endpoint(Page::Cancel) => core.cancel(&inbound).await,
            Matched::Endpoint(Page::Result) => core.show_result(&inbound),
            Matched::Endpoint(Page::Dashboard) => Ok(core.show_dashboard(&inbound)),
            Matched::Endpoint(Page::DashboardLogin) => core.enter_dashboard(&inbound),
            Matched::Endpoint(Page::Revoke) => core.revoke_on_dashboard(&inbound).await,
            Matched::Endpoint(Page::Leave) => core.leave_dashboard(&inbound),
            Matched::Endpoint(Page::Style) => Ok(page::style()),
            Matched::WrongVerb(allow) => Ok(Answer::empty(405).header("allow", allow)),
            Matched::Unreadable(_) => Err(Trouble::Malformed),
            Matched::Unknown => Err(Trouble::NotFound),
        };
        core.page_of(result)
    }
}
