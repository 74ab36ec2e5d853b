//! What a page shows, recognised by its structure and not by its wording or ids.

use ofp_checks::{ParsedPage, parse_page, visible_text};
use ofp_evidence::Screen;
use scraper::{ElementRef, Selector};
use url::Url;

use super::{
    form::{Button, Form},
    selectors::Selectors,
};

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
    /// Whether it has a script.
    pub(super) has_script: bool,
    /// Whether it is so long that its end was not read.
    pub(super) is_cut: bool,
    links: Vec<(String, Url)>,
    /// Where the page leads by itself, and after how many seconds.
    refresh: Option<(u32, Url)>,
    /// What the target file's selectors point at.
    approve: Option<(usize, Button)>,
    reject: Option<(usize, Button)>,
    back: Option<Url>,
}

impl Page {
    pub(super) fn parse(html: &str, base: &Url, selectors: &Selectors) -> Self {
        let ParsedPage { document, is_cut } = parse_page(html);
        let elements: Vec<ElementRef<'_>> = document.select(&selector("form")).collect();
        let forms: Vec<Form> =
            elements.iter().map(|form| Form::parse(&document, *form, base, selectors)).collect();
        let pressed = |chosen: &Option<Selector>| {
            let button = document.select(chosen.as_ref()?).next()?;
            let form = button.ancestors().filter_map(ElementRef::wrap);
            let form = form.filter(|e| e.value().name() == "form").last()?;
            let at = elements.iter().position(|element| element.id() == form.id())?;
            Some((at, Button::of(button, base)))
        };
        let back = selectors.back.as_ref().and_then(|chosen| document.select(chosen).next());
        let first = |css: &str| document.select(&selector(css)).next();
        let anchors = selector("a[href]");
        let links = document.select(&anchors).filter_map(|link| {
            let url = base.join(link.attr("href")?).ok()?;
            Some((visible_text(link), url))
        });
        Self {
            title: first("title").map(visible_text).unwrap_or_default(),
            text: first("main").or_else(|| first("body")).map(visible_text).unwrap_or_default(),
            alert: match &selectors.error {
                Some(chosen) => document.select(chosen).next().map(visible_text),
                None => first("[role=alert]").map(visible_text),
            },
            has_script: document.select(&selector("script")).next().is_some(),
            links: links.collect(),
            refresh: first("meta[http-equiv=refresh i]").and_then(|meta| refresh(meta, base)),
            approve: pressed(&selectors.approve),
            reject: pressed(&selectors.reject),
            back: back.and_then(|link| base.join(link.attr("href")?).ok()),
            forms,
            is_cut,
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
        } else if self.user_name_first().is_some() {
            Screen::Login
        } else if self.way_back(is_callback).is_some() {
            Screen::Result
        } else {
            Screen::Unrecognised
        }
    }

    pub(super) fn login(&self) -> Option<&Form> {
        self.forms.iter().find(|form| form.password.is_some())
    }

    /// The form of a bank that asks for the name on one page and for the password on the next.
    pub(super) fn user_name_first(&self) -> Option<&Form> {
        let only_name = |form: &&Form| form.username.is_some() && form.choices.is_empty();
        self.forms.iter().find(only_name)
    }

    /// Where the page leads at once, by itself.
    pub(super) fn leads_on(&self) -> Option<&Url> {
        self.refresh.as_ref().filter(|(seconds, _)| *seconds == 0).map(|(_, url)| url)
    }

    pub(super) fn selection(&self) -> Option<&Form> {
        self.forms.iter().find(|form| !form.choices.is_empty())
    }

    /// The form and button that approve, or that reject.
    pub(super) fn decision(&self, approve: bool) -> Option<(&Form, &Button)> {
        let pointed_at = if approve { &self.approve } else { &self.reject };
        if let Some((at, button)) = pointed_at {
            return Some((self.forms.get(*at)?, button));
        }
        let wanted = |label: &str| match approve {
            true => says_approve(label) && !says_reject(label),
            false => says_reject(label),
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
        let by_words = || links().find(|(label, _)| says_back(label)).map(|(_, url)| url);
        let by_itself = self.refresh.as_ref().map(|(_, url)| url).filter(|url| is_callback(url));
        let pointed_at = self.back.as_ref();
        pointed_at.or(by_target).or_else(by_form).or(by_itself).or_else(by_words)
    }
}

/// Whether a label approves.
pub(crate) fn says_approve(label: &str) -> bool {
    says(label, &APPROVE)
}

/// Whether a label rejects, which outweighs approval.
pub(crate) fn says_reject(label: &str) -> bool {
    says(label, &REJECT)
}

/// Whether a label leads back.
pub(crate) fn says_back(label: &str) -> bool {
    says(label, &BACK)
}

/// Whether a label has one of these words, as a whole word or phrase. "Disagree" does not agree.
fn says(label: &str, words: &[&str]) -> bool {
    let label: String =
        label.to_lowercase().chars().map(|c| if c.is_alphanumeric() { c } else { ' ' }).collect();
    let label = format!(" {} ", label.split_whitespace().collect::<Vec<_>>().join(" "));
    words.iter().any(|word| label.contains(&format!(" {word} ")))
}

/// `5; url=…`.
fn refresh(meta: ElementRef<'_>, base: &Url) -> Option<(u32, Url)> {
    let content = meta.attr("content")?;
    let (seconds, rest) = content.split_once([';', ',']).unwrap_or((content, ""));
    let rest = rest.trim_start();
    let is_url = rest.get(..3).is_some_and(|key| key.eq_ignore_ascii_case("url"));
    let url = if is_url { rest[3..].trim_start().strip_prefix('=')? } else { return None };
    let url = base.join(url.trim().trim_matches(['\'', '"'])).ok()?;
    Some((seconds.trim().split('.').next()?.parse().ok()?, url))
}

pub(super) fn selector(css: &str) -> Selector {
    Selector::parse(css).expect("the selectors here are literals that the tests use")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(html: &str) -> Page {
        Page::parse(html, &Url::parse("https://bank.test/a/b").unwrap(), &Selectors::default())
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
            (
                "<form><label>Username<input name=user></label><button>Next</button></form>",
                Screen::Login,
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
    fn what_the_heuristics_miss_can_be_pointed_at() {
        let html = "<form action=/no><button class=n>X</button></form>\
                    <form action=/yes><input name=o value=1 type=hidden><button class=y name=d value=1>✓</button></form>";
        let base = Url::parse("https://bank.test/").unwrap();
        let selectors = Selectors {
            approve: Selector::parse("button.y").ok(),
            reject: Selector::parse(".n").ok(),
            ..Selectors::default()
        };
        assert_eq!(page(html).screen(&|_| false), Screen::Unrecognised);
        let page = Page::parse(html, &base, &selectors);
        assert_eq!(page.screen(&|_| false), Screen::Review);
        let (form, button) = page.decision(true).unwrap();
        assert_eq!(form.action.path(), "/yes");
        assert_eq!(button.field, Some(("d".into(), "1".into())));
        assert_eq!(page.decision(false).unwrap().0.action.path(), "/no");
    }

    #[test]
    fn a_page_may_lead_on_by_itself() {
        let go = |content: &str| {
            let page = page(&format!("<meta http-equiv=Refresh content=\"{content}\">"));
            (page.leads_on().map(ToString::to_string), page.refresh.map(|(seconds, _)| seconds))
        };
        assert_eq!(go("0; url=/next"), (Some("https://bank.test/next".into()), Some(0)));
        assert_eq!(go("5;URL='https://paynet.test/cb'"), (None, Some(5)));
        for no in ["5", "", "x; url=/a", "0; uri=/a", "0;"] {
            assert_eq!(go(no), (None, None), "{no}");
        }
    }

    /// As much as a DP's page may be (`ofp_net::MAX_BODY_BYTES`) of what parsers dislike.
    #[test]
    fn a_hostile_page_is_read_in_time() {
        let all = |part: &str| part.repeat(ofp_net::MAX_BODY_BYTES / part.len());
        for part in [
            "<div>",
            "<form><input type=checkbox name=a>",
            "<a href=/x>",
            "<b><i>",
            "<table><tr><td>",
            "<p>x",
            "&amp;",
        ] {
            let started = std::time::Instant::now();
            let page = page(&all(part));
            let _ = page.screen(&|_| false);
            let took = started.elapsed();
            assert!(took < std::time::Duration::from_secs(10), "{part}: {took:?}");
        }
    }

    #[test]
    fn scripts_and_styles_are_not_text() {
        let page = page("<body><style>p{}</style><p>a  b</p><script>c</script></body>");
        assert_eq!(page.text, "a b");
    }
}
