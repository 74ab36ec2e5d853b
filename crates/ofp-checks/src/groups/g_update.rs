//! G: Update Consent, B5.

use ofp_evidence::{CustomerAct, Endpoint, Screen};
use ofp_jose::base64url;
use ofp_types::{ConsentStatus, InteractionId, ReasonCode};
use serde_json::Value;

use super::{g_failure as failure, is_text, row, shown};
use crate::{Facts, Requirement, facts::Update, ruling::Ruling};

const NO_APPROVAL: &str = "the DP sent no Update Consent with an approval";
const NO_REJECTION: &str = "the DP sent no Update Consent with a rejection";
const NO_UPDATE: &str = "the DP sent no Update Consent";
const NO_DECISION: &str = "no customer approved or rejected";

pub(super) const ROWS: &[Requirement] = &[
    row!("G-01" Must, "A decision is told to PayNet by PATCH /v1/consents/{consent_id} with the right id", "S1:L76; S1:L245; S1:L313; X-02",
        "Call PATCH {RS}/v1/consents/{consent_id} as soon as the customer decides", NO_DECISION, patched),
    row!("G-02" Must, "Update Consent arrives before the browser reaches PayNet's callback", "S4:L198; S1:L301-303",
        "Wait for PayNet's answer to Update Consent, then send the browser back", "no browser came back after a decision", before_callback),
    row!("G-03" Must, "Update Consent has Content-Type application/json and a JSON object as body", "S4:L199-221",
        "Send the body as application/json, no member twice", NO_UPDATE, json_body),
    row!("G-04" Must, "Update Consent carries a UUID as x-fapi-interaction-id", "S4:L205",
        "Send a fresh UUID as x-fapi-interaction-id", NO_UPDATE, interaction_id),
    row!("G-05" Must, "x-fapi-signature verifies over the raw body with the DP's registered key", "S1:L461; X-09; RFC 7515 Appendix F",
        "Sign exactly the bytes that are sent, with PS256 and the kid of the registered signing certificate", NO_UPDATE, signature),
    row!("G-06" Must, "On approval the status means authorized", "S4:L208; X-08", "Send \"status\": \"authorized\"", "no Update Consent followed an approval", approval_status),
    row!("G-07" Must, "On approval there is an id_token of at most 3000 characters", "S1:L572", "Send the id_token as a compact JWS", NO_APPROVAL, id_token),
    row!("G-08" Must, "On approval user_identity has id_type and hashed_id_number", "S4:L210-213; S1:L572", "Send both as non-empty strings", NO_APPROVAL, identity),
    row!("G-09" Must, "On approval there is at least one account, each with account_id, account_number and account_name", "S4:L214-220; S1:L547-608",
        "Send all three as non-empty strings for each chosen account", NO_APPROVAL, accounts),
    row!("G-10" Should, "On approval there is no status_reason", "S1:L584", "Leave status_reason out when authorized", NO_APPROVAL, no_reason),
    row!("G-11" Must, "Update Consent shows no id number, mobile number or password in clear", "S1:L547-608; X-40", "Send hashes and masked values only", NO_UPDATE, nothing_in_clear),
    row!("G-12" Must, "On rejection status is rejected and status_reason has a code and a description", "S1:L584; S3:L122-138",
        "Send \"status\": \"rejected\" with status_reason.reason_code and reason_description", "no Update Consent followed a rejection", rejection),
    row!("G-13" Should, "reason_code is one of the known codes", "3P enum", "Use not_allowed when the customer declines", NO_REJECTION, reason_code),
    row!("G-14" Must, "A consent_id in the body equals the one in the path", "S1:L556-562", "Send the same consent_id, or leave it out of the body", "no Update Consent had a consent_id in its body", same_id),
    row!("G-15" Must, "Where PayNet does not take the decision, the customer is not told of success", "S1:L301; X-47",
        "Try again once, and then show a failure and return with an error", "Update Consent never failed for good", failure::never_taken),
    row!("G-16" Should, "Where PayNet never answers, the DP gives up within 30 s and says so", "S1:L301; X-37; X-47",
        "Set a deadline on the call, and return with server_error or temporarily_unavailable", "PayNet answered every Update Consent", failure::never_answered),
    row!("G-17" Should, "Where PayNet answers 403 Consent.Invalid, the customer is told that it is too late", "S1:L328-370; X-50",
        "Show that the request has expired, and return with an error", "PayNet refused no decision", failure::too_late),
    row!("G-18" Should, "A repeated Update Consent says the same under a fresh signature", "X-23; S1:L461",
        "Sign again, with a fresh iat and jti, whenever you send again", "no Update Consent was repeated", failure::repeated),
    row!("G-19" Must, "A wrong password alone leads to no Update Consent", "S1:L298", "Call Update Consent only after a decision", "no customer used a wrong password only", bad_password_only),
    row!("G-20" Must, "A customer who leaves without deciding is never told to PayNet as authorized", "S3:L127; X-50", "Call Update Consent only after a decision", "no customer left without deciding", left),
    row!("G-21" Should, "account_id is opaque: it is not the account number", "P-wiki/Account v1.4.1", "Assign a random or derived id to each account", NO_APPROVAL, opaque_id),
    row!("G-22" Should, "A customer who is not the one that the event names is not authorized", "X-28; S4:L127-175",
        "Compare hashed_id_number of the event with the customer who logged in", "no event named a customer", failure::identity),
    row!("G-23" Should, "On approval the status is spelled exactly authorized", "X-08", "Write authorized in lower case, with z", NO_APPROVAL, exact_status),
    row!("G-24" Should, "id_type is nric or passport, hashed_id_number is base64 of 32 bytes", "X-28", "Send the SHA-256 hash in standard base64, 44 characters", NO_APPROVAL, identity_form),
    row!("G-25" Should, "On rejection there is no id_token and no account", "S1:L569-584", "Leave id_token and accounts out when rejected", NO_REJECTION, rejection_is_bare),
];

fn patched(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for (consent, act) in &facts.acts {
        let CustomerAct::Decided { page, .. } = act else { continue };
        let expected = format!("PATCH /v1/consents/{consent}");
        let update = facts.updates.iter().find(|u| u.exchange.consent.as_ref() == Some(*consent));
        match update.map(|update| update.exchange) {
            // without a token there is no call
            None if facts.without_tokens.contains(consent) => {}
            None => ruling.broken(*page, expected, "no Update Consent for this consent"),
            Some(exchange) if exchange.method == "PATCH" => ruling.holds(exchange.id),
            Some(exchange) => {
                let actual = format!("{} {}", exchange.method, exchange.path());
                ruling.bent(exchange.id, expected, actual);
            }
        }
    }
}

fn before_callback(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for callback in facts.at(Endpoint::Callback) {
        let decided = facts.acts.iter().any(|(consent, act)| {
            matches!(act, CustomerAct::Decided { .. })
                && callback.consent.as_ref() == Some(*consent)
        });
        if !decided {
            continue;
        }
        let earlier = facts.updates.iter().any(|update| {
            update.exchange.consent == callback.consent && update.exchange.id < callback.id
        });
        let actual = "the browser was there first";
        ruling.judge(callback.id, earlier, "Update Consent before the browser", actual);
    }
}

fn json_body(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for update in &facts.updates {
        let media_type = update.exchange.request.media_type().unwrap_or_else(|| "missing".into());
        let actual = match &update.body {
            Ok(_) => format!("Content-Type: {media_type}"),
            Err(reason) => format!("Content-Type: {media_type}; {reason}"),
        };
        let ok = media_type == "application/json" && update.body.is_ok();
        ruling.judge(update.exchange.id, ok, "a JSON object as application/json", actual);
    }
}

fn interaction_id(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for update in &facts.updates {
        let id = update.exchange.request.header("x-fapi-interaction-id").unwrap_or("missing");
        ruling.judge(update.exchange.id, InteractionId::parse(id).is_ok(), "a UUID", id);
    }
}

fn signature(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for update in &facts.updates {
        let at = update.exchange.id;
        let expected = "a PS256 signature over the raw body, under the kid of the registered key";
        match &update.signature {
            None => ruling.broken(at, expected, "no x-fapi-signature"),
            Some(Err(error)) => ruling.broken(at, expected, error.to_string()),
            Some(Ok(_)) if update.exchange.request.header("x-fapi-signature").is_none() => {
                ruling.bent(at, "header x-fapi-signature", "header x-signature");
            }
            Some(Ok(_)) => ruling.holds(at),
        }
    }
}

/// Updates that follow a customer's approval (or rejection), whatever they say.
fn after_decision<'f, 'a>(facts: &'f Facts<'a>, approved: bool) -> Vec<&'f Update<'a>> {
    let decided = |update: &&Update<'_>| {
        facts.acts.iter().any(|(consent, act)| {
            matches!(act, CustomerAct::Decided { approved: a, .. } if *a == approved)
                && update.exchange.consent.as_ref() == Some(*consent)
                && !facts.names_somebody_else(consent)
        })
    };
    facts.updates.iter().filter(decided).collect()
}

fn approval_status(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for update in after_decision(facts, true) {
        let ok = update.is(ConsentStatus::Authorized);
        ruling.judge(update.exchange.id, ok, "status authorized", shown(update.member("status")));
    }
}

fn exact_status(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for update in facts.approvals() {
        let ok = update.text("status") == Some("authorized");
        ruling.judge(update.exchange.id, ok, "\"authorized\"", shown(update.member("status")));
    }
}

fn id_token(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for update in facts.approvals() {
        let token = update.id_token.as_ref();
        // of a code that gave no token P-02 tells
        if token.is_none() && facts.settings.profile.oidc_at_dp {
            continue;
        }
        let length = token.map_or(0, |token| token.text.len());
        let ok = (1..=3000).contains(&length);
        let actual = format!("{length} characters");
        ruling.judge(
            token.map_or(update.exchange.id, |token| token.at),
            ok,
            "an id_token of 1 to 3000 characters",
            actual,
        );
    }
}

fn identity(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for update in facts.approvals() {
        let has = |name| update.identity(name).is_some_and(|text| !text.is_empty());
        let ok = has("id_type") && has("hashed_id_number");
        let expected = "user_identity with id_type and hashed_id_number";
        ruling.judge(update.exchange.id, ok, expected, shown(update.member("user_identity")));
    }
}

fn identity_form(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for update in facts.approvals() {
        let id_type = update.identity("id_type").unwrap_or("missing");
        let hashed = update.identity("hashed_id_number").unwrap_or("missing");
        let bytes = decoded_length(hashed);
        let ok = matches!(id_type, "nric" | "passport") && hashed.len() == 44 && bytes == Some(32);
        let expected =
            "id_type nric or passport, hashed_id_number 44 characters of base64 for 32 bytes";
        let length = bytes.map_or_else(|| "not base64".into(), |n| format!("{n} bytes"));
        let actual =
            format!("id_type {id_type}, hashed_id_number of {} characters, {length}", hashed.len());
        ruling.judge(update.exchange.id, ok, expected, actual);
    }
}

/// How many bytes a text in standard base64 stands for.
fn decoded_length(text: &str) -> Option<usize> {
    let url_safe = text.trim_end_matches('=').replace('+', "-").replace('/', "_");
    let bytes = ofp_jose::base64url_decode(&url_safe)?;
    (base64url(&bytes) == url_safe).then_some(bytes.len())
}

fn accounts(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for update in facts.approvals() {
        let complete = |account: &serde_json::Map<String, Value>| {
            ["account_id", "account_number", "account_name"]
                .iter()
                .all(|n| is_text(account.get(*n)))
        };
        let listed = update.member("accounts").and_then(Value::as_array).map_or(0, Vec::len);
        let good = update.accounts().filter(|account| complete(account)).count();
        let expected = "at least one account, each with account_id, account_number, account_name";
        let ok = listed > 0 && good == listed;
        ruling.judge(update.exchange.id, ok, expected, shown(update.member("accounts")));
    }
}

fn opaque_id(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for update in facts.approvals() {
        for account in update.accounts() {
            let id = account.get("account_id").and_then(Value::as_str).unwrap_or_default();
            let number = account.get("account_number").and_then(Value::as_str).unwrap_or_default();
            let full = facts.settings.resolve(number).map_or(number, |known| &known.full_number);
            let ok = id != number && id != full;
            ruling.judge(update.exchange.id, ok, "an account_id that is not the number", id);
        }
    }
}

fn no_reason(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for update in facts.approvals() {
        let reason = update.member("status_reason");
        let ok = reason.is_none_or(Value::is_null);
        ruling.judge(update.exchange.id, ok, "no status_reason", shown(reason));
    }
}

fn nothing_in_clear(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for update in &facts.updates {
        let body = update.body.as_ref().map(shown_whole).unwrap_or_default();
        let token = update.id_token.as_ref().and_then(|token| token.claims.as_ref());
        let text = body + &token.map(|claims| shown_whole(&claims.0)).unwrap_or_default();
        if let Some(leak) = facts.settings.leak(&text) {
            ruling.broken(update.exchange.id, "hashes and masked values only", leak);
        } else if facts.settings.knows_identities() {
            ruling.holds(update.exchange.id);
        }
    }
}

fn shown_whole(claims: &serde_json::Map<String, Value>) -> String {
    Value::Object(claims.clone()).to_string()
}

fn rejection(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for update in after_decision(facts, false) {
        let reason = update.member("status_reason");
        let has = |name: &str| is_text(reason.and_then(|reason| reason.get(name)));
        let ok =
            update.is(ConsentStatus::Rejected) && has("reason_code") && has("reason_description");
        let expected = "status rejected, status_reason with reason_code and reason_description";
        let actual =
            format!("status {}, status_reason {}", shown(update.member("status")), shown(reason));
        ruling.judge(update.exchange.id, ok, expected, actual);
    }
}

fn reason_code(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for update in facts.rejections() {
        let code = update.member("status_reason").and_then(|r| r.get("reason_code")?.as_str());
        let Some(code) = code else { continue };
        let expected = "inactive_account, not_allowed, provider_error or another known code";
        ruling.judge(update.exchange.id, ReasonCode::exact(code).is_some(), expected, code);
    }
}

fn rejection_is_bare(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for update in facts.rejections() {
        let there: Vec<&str> = ["id_token", "accounts"]
            .into_iter()
            .filter(|name| {
                update.member(name).is_some_and(|v| !v.is_null() && *v != Value::Array(vec![]))
            })
            .collect();
        let actual = there.join(" and ");
        ruling.judge(update.exchange.id, there.is_empty(), "no id_token, no accounts", actual);
    }
}

fn same_id(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for update in &facts.updates {
        let Some(body) = update.text("consent_id") else { continue };
        let path = update.exchange.path().rsplit('/').next().unwrap_or_default();
        ruling.judge(update.exchange.id, body == path, format!("consent_id {path}"), body);
    }
}

fn bad_password_only(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for (consent, act) in &facts.acts {
        let CustomerAct::LoggedIn { correct: false, page, .. } = act else { continue };
        let logged_in = facts.acts.iter().find_map(|(other, act)| match act {
            CustomerAct::LoggedIn { correct: true, page, .. } if other == consent => Some(*page),
            _ => None,
        });
        let before = facts.updates.iter().find(|update| {
            update.exchange.consent.as_ref() == Some(*consent)
                && logged_in.is_none_or(|right| update.exchange.id < right)
        });
        match before {
            None => ruling.holds(*page),
            Some(update) => {
                ruling.broken(update.exchange.id, "no Update Consent", "Update Consent");
            }
        }
    }
}

fn left(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for (consent, act) in &facts.acts {
        let CustomerAct::Arrived { page, screen } = act else { continue };
        if matches!(screen, Screen::Left | Screen::Unrecognised) {
            continue; // never was at the DP, so did not leave it
        }
        let decided = facts
            .acts
            .iter()
            .any(|(other, act)| other == consent && matches!(act, CustomerAct::Decided { .. }));
        if decided {
            continue;
        }
        let told = facts.approvals().find(|u| u.exchange.consent.as_ref() == Some(*consent));
        match told {
            None => ruling.holds(*page),
            Some(update) => {
                ruling.broken(update.exchange.id, "no approval without a decision", "authorized");
            }
        }
    }
}
