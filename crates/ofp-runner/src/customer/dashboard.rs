//! A customer on the reference DP's consent dashboard.

use ofp_types::{ConsentId, Origin};
use url::Url;

use super::{
    VisitError,
    browser::{Browser, Customer, Fetched},
    page::Page,
};

/// Logs in on the dashboard and withdraws a consent there.
pub(crate) async fn revoke_on_dashboard(
    customer: &Customer,
    dp: &Origin,
    consent: &ConsentId,
    (username, password): (&str, &str),
) -> Result<(), VisitError> {
    let mut visitor = Visitor { customer, consent, browser: Browser::new() };
    let entrance = dp.join("/dashboard");
    let entrance = Url::parse(&entrance).map_err(|_| VisitError::NotAUrl(entrance.clone()))?;
    let page = visitor.fetch("opening the dashboard", entrance, None).await?;
    let login = page.login().ok_or_else(|| visitor.not_listed(&page))?;
    let mut fields = login.fields.clone();
    for (name, value) in [(&login.username, username), (&login.password, password)] {
        fields.extend(name.clone().map(|name| (name, value.to_owned())));
    }
    let page = visitor.fetch("logging in", login.action.clone(), Some(fields)).await?;
    let is_ours = |(_, value): &&(String, String)| value == consent.as_str();
    let form = page.forms.iter().find(|form| form.fields.iter().any(|field| is_ours(&field)));
    let form = form.ok_or_else(|| visitor.not_listed(&page))?;
    let (action, fields) = (form.action.clone(), form.fields.clone());
    let page = visitor.fetch("withdrawing a consent", action, Some(fields)).await?;
    let still = page.forms.iter().any(|form| form.fields.iter().any(|field| is_ours(&field)));
    if still { Err(visitor.not_listed(&page)) } else { Ok(()) }
}

struct Visitor<'a> {
    customer: &'a Customer,
    consent: &'a ConsentId,
    browser: Browser,
}

impl Visitor<'_> {
    async fn fetch(
        &mut self,
        what: &'static str,
        url: Url,
        form: Option<Vec<(String, String)>>,
    ) -> Result<Page, VisitError> {
        let consent = Some(self.consent);
        let fetched: Fetched = self
            .browser
            .fetch(self.customer, consent, url, form, &mut Vec::new())
            .await
            .map_err(|failure| VisitError::Page { what, failure })?;
        Ok(Page::parse(&fetched.message.text(), &fetched.url, &self.customer.selectors))
    }

    fn not_listed(&self, page: &Page) -> VisitError {
        let actual = page.text.chars().take(160).collect();
        VisitError::NotListed { consent: self.consent.clone(), actual }
    }
}
