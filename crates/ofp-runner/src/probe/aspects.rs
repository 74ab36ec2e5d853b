//! What there is to say of a call on the wire, so that two can be compared. Signatures differ at every
//! signing, so it is said whose they are instead.

use std::collections::BTreeMap;

use ofp_evidence::Difference;
use ofp_jose::{base64url, base64url_decode};
use ofp_types::MutationPart;
use serde_json::Value;

use super::{keys::Keys, plan::Wire};

/// Header fields, query parameters and form fields that hold a signature.
const SIGNATURES: [&str; 4] = ["x-fapi-signature", "x-signature", "signature", "client_assertion"];

type Aspects = BTreeMap<String, String>;

pub(super) fn of(wire: &Wire, client: &str, keys: &Keys) -> Aspects {
    let mut aspects = Aspects::new();
    let texts = wire.headers.iter().map(|(name, value)| ("header", *name, value));
    let query = wire.query.iter().map(|(name, value)| ("query", name.as_str(), value));
    let form = wire.form.iter().map(|(name, value)| ("form", *name, value));
    for (kind, name, value) in texts.chain(query).chain(form) {
        if SIGNATURES.contains(&name) {
            signature(&mut aspects, name, value, wire, keys);
        } else {
            let said = aspects.entry(format!("{kind} {name}")).or_default();
            if !said.is_empty() {
                said.push_str(" and ");
            }
            said.push_str(value);
        }
    }
    aspects.insert("path".into(), wire.path.clone());
    aspects.insert("method".into(), wire.method.to_string());
    let case = if wire.title_case { "In-Title-Case" } else { "in-lower-case" };
    aspects.insert("header names".into(), case.into());
    aspects.insert("sent before".into(), if wire.again { "yes" } else { "no" }.into());
    aspects.insert("body".into(), String::from_utf8_lossy(&wire.body).into_owned());
    aspects.insert("client".into(), client.to_owned());
    aspects
}

fn signature(aspects: &mut Aspects, name: &str, text: &str, wire: &Wire, keys: &Keys) {
    let segments: Vec<&str> = text.split('.').collect();
    let mut say = |what: &str, value: String| drop(aspects.insert(format!("{name} {what}"), value));
    say("segments", if text.is_empty() { "none".into() } else { segments.len().to_string() });
    let decoded = |at: usize| segments.get(at).and_then(|text| base64url_decode(text));
    let object = |bytes: Vec<u8>| match serde_json::from_slice(&bytes) {
        Ok(Value::Object(object)) => Ok(object),
        _ => Err(String::from_utf8_lossy(&bytes).into_owned()),
    };
    if let Some(Ok(header)) = decoded(0).map(object) {
        header
            .iter()
            .for_each(|(member, value)| say(&format!("header.{member}"), value.to_string()));
    }
    match decoded(1).filter(|payload| !payload.is_empty()).map(object) {
        Some(Ok(claims)) => {
            claims
                .iter()
                .for_each(|(claim, value)| say(&format!("claims.{claim}"), value.to_string()));
        }
        Some(Err(payload)) => say("payload", payload),
        None => {}
    }
    let header = segments.first().copied().unwrap_or_default();
    let signature = decoded(2).unwrap_or_default();
    let payloads = match segments.get(1) {
        Some(payload) if !payload.is_empty() => vec![(*payload).to_owned()],
        _ => left_out(wire),
    };
    let mut inputs = payloads.iter().map(|payload| format!("{header}.{payload}"));
    let whose = inputs.find_map(|input| keys.whose(input.as_bytes(), &signature));
    say("signed with", whose.unwrap_or("nobody's").to_owned());
}

/// What a JWS without a payload may be over: the body, or the bare consent_id.
fn left_out(wire: &Wire) -> Vec<String> {
    let consent = wire.query.iter().find(|(name, _)| name == "consent_id");
    let consent = consent.map(|(_, id)| base64url(id.as_bytes()));
    std::iter::once(base64url(&wire.body)).chain(consent).collect()
}

/// What one says and the other does not, or says otherwise.
pub(super) fn differences(good: &Aspects, sent: &Aspects) -> Vec<Difference> {
    let mut names: Vec<&String> = good.keys().chain(sent.keys()).collect();
    names.sort_unstable();
    names.dedup();
    let said = |aspects: &Aspects, name: &String| {
        aspects.get(name).cloned().unwrap_or_else(|| "missing".into())
    };
    names
        .into_iter()
        .map(|name| Difference {
            what: name.clone(),
            good: said(good, name),
            sent: said(sent, name),
        })
        .filter(|difference| difference.good != difference.sent)
        .collect()
}

/// Whether a difference is of a mutation's part.
pub(super) fn belongs(what: &str, part: MutationPart) -> bool {
    let (name, rest) = what.split_once(' ').unwrap_or((what, ""));
    let is_signature = SIGNATURES.contains(&name);
    // what is no longer as it was signed is nobody's signature
    let undone = is_signature && rest == "signed with";
    match part {
        MutationPart::Signature => is_signature,
        MutationPart::Claims => is_signature && rest.starts_with("claims."),
        MutationPart::Body => what == "body" || undone,
        MutationPart::SignedBody => what == "body" || (is_signature && rest == "claims.body"),
        MutationPart::Header => name == "header",
        MutationPart::Query => name == "query" || undone,
        MutationPart::Subject => is_signature || ["path", "query", "header"].contains(&name),
        MutationPart::Client => what == "client",
        MutationPart::Method => what == "method",
        MutationPart::Path => what == "path",
        MutationPart::Repeat => what == "sent before",
        MutationPart::Form => false,
    }
}
