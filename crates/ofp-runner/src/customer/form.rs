//! A form, read as a browser would.

use ofp_checks::visible_text;
use scraper::{ElementRef, Html};
use url::Url;

use super::{page::selector, selectors::Selectors};

/// A form.
pub(super) struct Form {
    pub(super) action: Url,
    /// Whether it is sent as a query instead of a body.
    pub(super) is_get: bool,
    /// Fields that are sent as they are, unless the customer changes them.
    pub(super) fields: Vec<(String, String)>,
    pub(super) username: Option<String>,
    pub(super) password: Option<String>,
    pub(super) choices: Vec<Choice>,
    pub(super) buttons: Vec<Button>,
}

/// A checkbox or radio button.
pub(super) struct Choice {
    pub(super) name: String,
    pub(super) value: String,
    pub(super) label: String,
}

/// A submit button.
pub(super) struct Button {
    pub(super) label: String,
    pub(super) field: Option<(String, String)>,
    /// Where this one sends the form, if elsewhere.
    pub(super) action: Option<Url>,
}

impl Button {
    pub(super) fn of(element: ElementRef<'_>, base: &Url) -> Self {
        let name = element.attr("name").unwrap_or_default().to_owned();
        let value = element.attr("value").unwrap_or_default().to_owned();
        let is_button = element.value().name() == "button";
        let label = if is_button { visible_text(element) } else { value.clone() };
        let action = element.attr("formaction").and_then(|action| base.join(action).ok());
        Self { label, field: (!name.is_empty()).then_some((name, value)), action }
    }
}

impl Form {
    pub(super) fn parse(
        document: &Html,
        element: ElementRef<'_>,
        base: &Url,
        selectors: &Selectors,
    ) -> Self {
        let action = element.attr("action").and_then(|action| base.join(action).ok());
        let method = element.attr("method").unwrap_or("get");
        let mut form = Self {
            action: action.unwrap_or_else(|| base.clone()),
            is_get: method.eq_ignore_ascii_case("get"),
            fields: Vec::new(),
            username: None,
            password: None,
            choices: Vec::new(),
            buttons: Vec::new(),
        };
        for control in element.select(&selector("input, select, textarea, button")) {
            form.add(document, control, base, selectors);
        }
        form
    }

    /// What pressing a button sends: where to, and the body, unless all of it is in the URL.
    pub(super) fn press(
        &self,
        button: Option<&Button>,
        mut fields: Vec<(String, String)>,
    ) -> (Url, Option<Vec<(String, String)>>) {
        fields.extend(button.and_then(|button| button.field.clone()));
        let action = button.and_then(|button| button.action.as_ref()).unwrap_or(&self.action);
        if !self.is_get {
            return (action.clone(), Some(fields));
        }
        let mut url = action.clone();
        url.query_pairs_mut().clear().extend_pairs(fields);
        (url, None)
    }

    fn add(&mut self, document: &Html, control: ElementRef<'_>, base: &Url, selectors: &Selectors) {
        if control.attr("disabled").is_some() {
            return;
        }
        let tag = control.value().name();
        let name = control.attr("name").unwrap_or_default().to_owned();
        let is = |selector: &Option<scraper::Selector>| {
            selector.as_ref().map(|selector| selector.matches(&control))
        };
        let kind = control.attr("type").unwrap_or(if tag == "button" { "submit" } else { "text" });
        match kind.to_ascii_lowercase().as_str() {
            "submit" | "image" => {
                let button = Button::of(control, base);
                // the one that the target file names comes before all others
                let first =
                    is(&selectors.log_in) == Some(true) || is(&selectors.next) == Some(true);
                let at = if first { 0 } else { self.buttons.len() };
                self.buttons.insert(at, button);
            }
            "button" | "reset" | "file" => {}
            _ if name.is_empty() => {}
            "checkbox" | "radio" if is(&selectors.accounts) != Some(false) => {
                let value = control.attr("value").filter(|value| !value.is_empty());
                let value = value.unwrap_or("on").to_owned();
                self.choices.push(Choice { name, value, label: label(document, control) });
            }
            // not an account: as the page has it
            "checkbox" | "radio" => {
                if control.attr("checked").is_some() {
                    self.fields.push((name, control.attr("value").unwrap_or("on").to_owned()));
                }
            }
            _ if is(&selectors.password) == Some(true) => self.password = Some(name),
            "password" if selectors.password.is_none() => self.password = Some(name),
            _ if is(&selectors.username) == Some(true) => self.username = Some(name),
            "text" | "email" | "tel"
                if selectors.username.is_none() && self.username.is_none() && tag == "input" =>
            {
                self.username = Some(name);
            }
            _ => self.fields.push((name, value_of(control))),
        }
    }
}

/// What a control is sent with if nobody touches it.
fn value_of(control: ElementRef<'_>) -> String {
    match control.value().name() {
        "select" => {
            let options = selector("option");
            let chosen = control.select(&options).find(|option| option.attr("selected").is_some());
            let option = chosen.or_else(|| control.select(&options).next());
            let text = |option: ElementRef<'_>| visible_text(option);
            option.map_or_else(String::new, |option| {
                option.attr("value").map_or_else(|| text(option), str::to_owned)
            })
        }
        "textarea" => control.text().collect(),
        _ => control.attr("value").unwrap_or_default().to_owned(),
    }
}

/// What a control is called: the label around it, the one that names it, or `aria-label`.
fn label(document: &Html, control: ElementRef<'_>) -> String {
    let around =
        control.ancestors().filter_map(ElementRef::wrap).find(|e| e.value().name() == "label");
    let named = || {
        let id = control.attr("id")?;
        document.select(&selector("label")).find(|label| label.attr("for") == Some(id))
    };
    let aria = || control.attr("aria-label").map(str::to_owned);
    around.or_else(named).map(visible_text).or_else(aria).unwrap_or_default()
}
