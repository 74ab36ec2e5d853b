//! The kinds of problems of scenario files: what each means, and what to do about it.

use std::fmt::Write as _;

/// A kind of problem, as it stands in brackets: `error[order]`.
pub struct Problem {
    /// Its code.
    pub code: &'static str,
    /// What is wrong.
    pub what: &'static str,
    /// What is usually behind it.
    pub cause: &'static str,
    /// What leads to it, in YAML.
    pub wrong: &'static str,
    /// The same, mended.
    pub right: &'static str,
}

/// Every kind.
pub const PROBLEMS: &[Problem] = &[
    Problem {
        code: "yaml",
        what: "The text is no YAML of the plain kind that scenarios are written in.",
        cause: "An unclosed bracket or quote, tabs for indentation, a second document, a tag such as `!include`.",
        wrong: "steps:\n  - customer.log_in: { username: paynet",
        right: "steps:\n  - customer.log_in: { username: paynet }",
    },
    Problem {
        code: "file",
        what: "A file cannot be read.",
        cause: "It is no UTF-8 text, too long (a megabyte), or nobody's to read.",
        wrong: "title: R\\xE9servation   # Latin-1",
        right: "title: Réservation",
    },
    Problem {
        code: "duplicate-key",
        what: "A key stands twice in one map: YAML would silently take the last.",
        cause: "Two verbs' details pasted into one step.",
        wrong: "- dc.read_balance:\n  expect: { status: 200 }\n  expect: { time: { at_most: 5s } }",
        right: "- dc.read_balance:\n  expect: { status: 200, time: { at_most: 5s } }",
    },
    Problem {
        code: "scenario",
        what: "A key of the scenario is unknown, missing, or of another type than it must be.",
        cause: "A misspelled key, or a number where a text must be. Account numbers and amounts with leading zeros are quoted.",
        wrong: "scenario: mine\ntitel: Mine",
        right: "scenario: mine\ntitle: Mine",
    },
    Problem {
        code: "step",
        what: "A step is not one verb with the keys that may stand beside it, or expects what its verb cannot have.",
        cause: "A misspelled verb; two verbs in one step, because a dash is missing; an expectation of a screen where there is none.",
        wrong: "- dc.request_consent:\n  customer.follow_authorization:",
        right: "- dc.request_consent:\n- customer.follow_authorization:",
    },
    Problem {
        code: "order",
        what: "A step comes before what it needs, or after what ended it.",
        cause: "A balance is read before the DC has a token; the customer approves after they have gone back.",
        wrong: "- dc.request_consent:\n- dc.read_balance:",
        right: "- dc.request_consent:\n- customer.follow_authorization:\n- customer.log_in:\n- customer.select_accounts:\n- customer.approve:\n- dc.exchange_code:\n- dc.read_balance:",
    },
    Problem {
        code: "name",
        what: "`{{ name }}` refers to nothing, or stands where its value cannot.",
        cause: "A misspelled name, or a capture that is made only later. Names come from a row of `for_each`, from `vars`, from `params`, and from `as` of an earlier step.",
        wrong: "vars: { user: paynet }\nsteps:\n  - customer.log_in: { username: \"{{ usr }}\" }",
        right: "vars: { user: paynet }\nsteps:\n  - customer.log_in: { username: \"{{ user }}\" }",
    },
    Problem {
        code: "vars",
        what: "A variable has no value, is not used, or is a secret that is written in the file.",
        cause: "A secret is given by `--vars FILE`, `OFP_VAR_NAME` or `--var`, never in the scenario.",
        wrong: "vars: { password: { secret: true, default: hunter2 } }",
        right: "vars: { password: { secret: true } }",
    },
    Problem {
        code: "params",
        what: "A parameter of a fragment is not used, or is no name.",
        cause: "A step that used it has gone.",
        wrong: "fragment: link\nparams: { pick: first, colour: red }",
        right: "fragment: link\nparams: { pick: first }",
    },
    Problem {
        code: "as",
        what: "A capture has nothing to capture from, is used by nothing, or its name is taken.",
        cause: "A later step that used it has gone; two sources were named where one is meant.",
        wrong: "- customer.close_tab:\n  as: { code: { status: true } }",
        right: "- dc.retrieve_consent:\n  as: { answer: { status: true } }",
    },
    Problem {
        code: "use",
        what: "A fragment cannot be used: its file is not there or is a scenario, a parameter is missing or unknown, or it returns nothing of that name.",
        cause: "The path is relative to the file that uses it.",
        wrong: "- use: link.yaml\n  with: { pik: all }",
        right: "- use: link.yaml\n  with: { pick: all }",
    },
    Problem {
        code: "fragment",
        what: "A key of a fragment is unknown, missing, or of another type than it must be.",
        cause: "A fragment has `fragment`, `title`, `params` and `steps`, and nothing else.",
        wrong: "fragment: link\ncovers: [C-05]\nsteps: []",
        right: "fragment: link\nsteps:\n  - dc.request_consent:",
    },
    Problem {
        code: "for_each",
        what: "The table is no list of rows, a row has no name, two have the same, or a value is used by nothing.",
        cause: "A row is called by its `name`, else by the word that is its first value.",
        wrong: "for_each:\n  - { status: 503 }\n  - { status: 503 }",
        right: "for_each:\n  - { name: once, status: 503 }\n  - { name: again, status: 503 }",
    },
    Problem {
        code: "covers",
        what: "The scenario claims to cover a requirement that no check is written for.",
        cause: "A misspelled id. `ofp-sim list requirements` has all.",
        wrong: "covers: [C-99]",
        right: "covers: [C-05]",
    },
    Problem {
        code: "skip",
        what: "A condition names a switch that no profile has, or none at all.",
        cause: "`ofp-sim list profiles` shows the switches that differ, docs/profiles.md all of them.",
        wrong: "skip: { when: { sig_headr: x }, because: there is no such header }",
        right: "skip: { when: { sig_header: x }, because: there is no such header }",
    },
    Problem {
        code: "only_profiles",
        what: "There is no profile of that name.",
        cause: "`ofp-sim list profiles` has all that are built in.",
        wrong: "only_profiles: [portal]",
        right: "only_profiles: [portal-1.2.2]",
    },
    Problem {
        code: "json-path",
        what: "A path is no JSONPath (RFC 9535).",
        cause: "An unclosed bracket, or a dot at the end. A leading `$.` may be left out.",
        wrong: "expect: { json: { \"data.accounts[0\": x } }",
        right: "expect: { json: { \"data.accounts[0]\": x } }",
    },
    Problem {
        code: "filter",
        what: "An expression of `--filter` cannot be read.",
        cause: "Conditions are `tag(NAME)`, requirement ids and names, joined by `&`, `|` and `not`.",
        wrong: "tag(smoke) C-05",
        right: "tag(smoke) & C-05",
    },
    Problem {
        code: "baseline",
        what: "An entry of the baseline is unknown, twice, or without a comment.",
        cause: "docs/ci.md says what a baseline looks like.",
        wrong: "known_failures: [{ requirement: C-05 }]",
        right: "known_failures: [{ requirement: C-05, comment: mended in release 7 }]",
    },
    Problem {
        code: "profile",
        what: "A switch has a value that this version does not carry out.",
        cause: "docs/profiles.md has the values.",
        wrong: "sig_body: signed",
        right: "sig_body: detached",
    },
    Problem {
        code: "target",
        what: "A key of the target file is unknown, missing, or of another type than it must be.",
        cause: "`ofp-sim init` makes one to start from; docs/schema/target.json describes every key.",
        wrong: "webhook: https://localhost:9443",
        right: "webhooks: https://localhost:9443",
    },
];

/// The kind of a code.
#[must_use]
pub fn problem(code: &str) -> Option<&'static Problem> {
    PROBLEMS.iter().find(|problem| problem.code == code)
}

impl Problem {
    /// What a person reads.
    #[must_use]
    pub fn page(&self) -> String {
        let indented =
            |text: &str| -> String { text.lines().map(|l| format!("    {l}\n")).collect() };
        let Self { code, what, cause, wrong, right } = self;
        format!(
            "error[{code}]\n\n{what}\n{cause}\n\nwrong:\n{}\nright:\n{}",
            indented(wrong),
            indented(right)
        )
    }
}

/// `docs/problems.md`.
#[must_use]
pub fn problems_page() -> String {
    let mut text = String::from(
        "# Kinds of problems\n\n\
         What stands in brackets in a message, such as `error[order]`. Made by `ofp-sim explain problems`; CI fails when it \
         is stale.\n`ofp-sim explain order` shows one of them.\n",
    );
    for Problem { code, what, cause, wrong, right } in PROBLEMS {
        let _ = write!(
            text,
            "\n## {code}\n\n{what} {cause}\n\nWrong:\n\n```yaml\n{wrong}\n```\n\nRight:\n\n```yaml\n{right}\n```\n"
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// Codes as the sources of this crate write them.
    fn codes() -> Vec<String> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut codes = Vec::new();
        for file in std::fs::read_dir(folder).unwrap() {
            let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
            for call in ["Diagnostic::new(\"", "about(\"", "in_use(\""] {
                let found = text.split(call).skip(1).filter_map(|rest| rest.split('"').next());
                codes.extend(found.map(str::to_owned));
            }
        }
        codes
    }

    #[test]
    fn every_code_is_explained() {
        let codes = codes();
        assert!(codes.len() > 30, "{codes:?}");
        for code in codes.iter().filter(|code| code.chars().all(|c| c != '{' && c != ',')) {
            assert!(problem(code).is_some(), "{code} is not explained");
        }
    }
}
