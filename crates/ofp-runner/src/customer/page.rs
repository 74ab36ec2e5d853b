//! What a page shows, recognised by its structure and not by its wording or ids.

use ofp_checks::visible_text;
use ofp_evidence::Screen;
use scraper::{ElementRef, Html, Selector};
use url::Url;

/// Words on a button that approves, in English and Malay.
const APPROVE: [&str; 14] = [
    "approve",
    "authorize",
    "authorise",
    "allow",
    "agree",
    "accept",
    "confirm",
    "consent",
    "setuju",
    "benarkan",
    "terima",
    "luluskan",
    "sahkan",
    "izinkan",
];
/// Words on a button that rejects; they outweigh the words above ("do not allow", "tidak setuju").
const REJECT: [&str; 14] = [
    "reject", "decline", "deny", "refuse", "disagree", "cancel", "not", "don t", "no", "tolak",
    "batal", "batalkan", "tidak", "jangan",
];
/// Words on the way back.
const BACK: [&str; 5] = ["back to", "return to", "kembali", "continue to", "teruskan ke"];

/// A page, as a customer sees it.
pub(super) struct Page {
    pub(super) title: String,
    pub(super) text: String,
    pub(super) alert: Option<String>,
    pub(super) forms: Vec<Form>,
    links: Vec<(String, Url)>,
}

/// A form.
pub(super) struct Form {
    pub(super) action: Url,
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
}

impl Page {
    pub(super) fn parse(html: &str, base: &Url) -> Self {
        let document = Html::parse_document(html);
        let first = |css: &str| document.select(&selector(css)).next();
        let anchors = selector("a[href]");
        let links = document.select(&anchors).filter_map(|link| {
            let url = base.join(link.attr("href")?).ok()?;
            Some((visible_text(link), url))
        });
        Self {
            title: first("title").map(visible_text).unwrap_or_default(),
            text: first("main").or_else(|| first("body")).map(visible_text).unwrap_or_default(),
            alert: first("[role=alert]").map(visible_text),
            links: links.collect(),
            forms: document.select(&selector("form")).map(|f| form(&document, f, base)).collect(),
        }
    }

    /// Which of the four screens it is. `is_callback` knows PayNet's callback.
    pub(super) fn screen(&self, is_callback: &dyn Fn(&Url) -> bool) -> Screen {
        let reviews = self.decision(true).is_some() && self.decision(false).is_some();
        if self.login().is_some() {
            Screen::Login
        } else if reviews {
            Screen::Review
        } else if self.selection().is_some() {
            Screen::AccountSelection
        } else if self.way_back(is_callback).is_some() {
            Screen::Result
        } else {
            Screen::Unrecognised
        }
    }

    pub(super) fn login(&self) -> Option<&Form> {
        self.forms.iter().find(|form| form.password.is_some())
    }

    pub(super) fn selection(&self) -> Option<&Form> {
        self.forms.iter().find(|form| !form.choices.is_empty())
    }

    /// The form and button that approve, or that reject.
    pub(super) fn decision(&self, approve: bool) -> Option<(&Form, &Button)> {
        let wanted = |label: &str| match approve {
            true => says(label, &APPROVE) && !says(label, &REJECT),
            false => says(label, &REJECT),
        };
        self.forms.iter().find_map(|form| {
            let button = form.buttons.iter().find(|button| wanted(&button.label))?;
            Some((form, button))
        })
    }

    /// The link or form that leads to PayNet's callback, else the link that says so.
    pub(super) fn way_back(&self, is_callback: &dyn Fn(&Url) -> bool) -> Option<&Url> {
        let links = || self.links.iter();
        let by_target = links().find(|(_, url)| is_callback(url)).map(|(_, url)| url);
        let by_form = || self.forms.iter().map(|form| &form.action).find(|url| is_callback(url));
        let by_words = || links().find(|(label, _)| says(label, &BACK)).map(|(_, url)| url);
        by_target.or_else(by_form).or_else(by_words)
    }
}

/// Whether a label has one of these words, as a whole word or phrase. "Disagree" does not agree.
fn says(label: &str, words: &[&str]) -> bool {
    let label: String =
        label.to_lowercase().chars().map(|c| if c.is_alphanumeric() { c } else { ' ' }).collect();
    let label = format!(" {} ", label.split_whitespace().collect::<Vec<_>>().join(" "));
    words.iter().any(|word| label.contains(&format!(" {word} ")))
}

fn selector(css: &str) -> Selector {
    Selector::parse(css).expect("the selectors here are literals that the tests use")
}

fn form(document: &Html, element: ElementRef<'_>, base: &Url) -> Form {
    let action = element.attr("action").and_then(|action| base.join(action).ok());
    let mut form = Form {
        action: action.unwrap_or_else(|| base.clone()),
        fields: Vec::new(),
        username: None,
        password: None,
        choices: Vec::new(),
        buttons: Vec::new(),
    };
    for input in element.select(&selector("input, select, textarea, button")) {
        add_control(&mut form, document, input);
    }
    form
}

fn add_control(form: &mut Form, document: &Html, control: ElementRef<'_>) {
    let tag = control.value().name();
    let name = control.attr("name").unwrap_or_default().to_owned();
    let value = control.attr("value").unwrap_or_default().to_owned();
    let kind = control.attr("type").unwrap_or(if tag == "button" { "submit" } else { "text" });
    match kind {
        "submit" | "image" => {
            let label = if tag == "button" { visible_text(control) } else { value.clone() };
            let field = (!name.is_empty()).then_some((name, value));
            form.buttons.push(Button { label, field });
        }
        "button" | "reset" | "file" => {}
        _ if name.is_empty() => {}
        "checkbox" | "radio" => {
            let value = if value.is_empty() { "on".to_owned() } else { value };
            form.choices.push(Choice { name, value, label: label(document, control) });
        }
        "password" => form.password = Some(name),
        "text" | "email" | "tel" if form.username.is_none() && tag == "input" => {
            form.username = Some(name);
        }
        _ => form.fields.push((name, value)),
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

#[cfg(test)]
mod tests {
    use super::*;

    fn page(html: &str) -> Page {
        Page::parse(html, &Url::parse("https://bank.test/a/b").unwrap())
    }

    #[test]
    fn screens_are_recognised_by_structure() {
        let cases = [
            ("<form><input name=u><input type=password name=p></form>", Screen::Login),
            (
                "<form><label><input type=checkbox name=a value=1>One</label></form>",
                Screen::AccountSelection,
            ),
            (
                "<form><button>Setuju</button></form><form><button>Tolak</button></form>",
                Screen::Review,
            ),
            (
                "<form><input type=submit value='I agree'><button>I disagree</button></form>",
                Screen::Review,
            ),
            ("<form><button>Benarkan</button><button>Tidak setuju</button></form>", Screen::Review),
            (
                "<form><input type=checkbox name=t>I agree<button>Accept</button><button>No</button></form>",
                Screen::Review,
            ),
            ("<p>Done</p><a href='/x'>Back to DC</a>", Screen::Result),
            ("<h1>It works!</h1>", Screen::Unrecognised),
            ("", Screen::Unrecognised),
        ];
        for (html, screen) in cases {
            assert_eq!(page(html).screen(&|_| false), screen, "{html}");
        }
    }

    #[test]
    fn the_way_back_is_known_by_where_it_leads() {
        let page = page("<a href='https://paynet.test/cb?x=1'>Selesai</a>");
        let callback = |url: &Url| url.host_str() == Some("paynet.test");
        assert_eq!(page.screen(&callback), Screen::Result);
        assert_eq!(page.screen(&|_| false), Screen::Unrecognised);
    }

    #[test]
    fn forms_are_read_as_a_browser_would() {
        let page = page(
            "<form action='../do' method=post><input type=hidden name=csrf value=x>\
             <input id=c type=checkbox name=acc value=7><label for=c>Savings <b>123</b></label>\
             <button name=go value=yes>Continue</button></form>",
        );
        let form = page.selection().unwrap();
        assert_eq!(form.action.as_str(), "https://bank.test/do");
        assert_eq!(form.fields, [("csrf".to_owned(), "x".to_owned())]);
        assert_eq!(form.choices[0].label, "Savings 123");
        assert_eq!(form.buttons[0].field, Some(("go".into(), "yes".into())));
    }

    #[test]
    fn scripts_and_styles_are_not_text() {
        let page = page("<body><style>p{}</style><p>a  b</p><script>c</script></body>");
        assert_eq!(page.text, "a b");
    }
}
