//! From a plan to the wire, with one defect or none. A defect is applied to every signature that the
//! call has (`spec/requirements.md` section 2), so that refusal is due whichever the DP verifies.

use jiff::SignedDuration;
use ofp_jose::corrupt::{self, RawSigner, UNKNOWN_KID, compact};
use ofp_types::{Mutation, MutationPart};
use openssl::error::ErrorStack;
use serde_json::{Map, Value, json};

use super::{
    keys::{Key, Keys},
    plan::{Form, Place, Plan, Signed, Signer, Wire},
};

const UNKNOWN_ACCOUNT: &str = "00000000-0000-4000-8000-000000000000";
const ELSEWHERE: &str = "attacker.example";
const OTHER_HASH: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
/// What a page must escape, or an event with it be refused.
const MARKUP: &str = "pfm<ofp-sim-markup hidden>";
/// No UUID, and a header more for whoever decodes it.
const NO_UUID: &str = "not-a-uuid%0d%0aset-cookie:%20ofp-sim-injected=1";

/// The call as it is sent.
pub(super) fn wire(
    plan: &Plan,
    mutation: Option<Mutation>,
    keys: &Keys,
) -> Result<Wire, ErrorStack> {
    let part = mutation.map(Mutation::part);
    let when = |wanted| mutation.filter(|_| part == Some(wanted));
    let body = match when(MutationPart::SignedBody) {
        Some(mutation) => signed_body(mutation, plan),
        None => plan.body.clone(),
    };
    let mut wire = Wire {
        method: plan.method.clone(),
        path: plan.path.clone(),
        query: plan.query.clone(),
        headers: plan.headers.clone(),
        body,
        title_case: mutation == Some(Mutation::HeaderNamesTitleCase),
        again: mutation == Some(Mutation::SentAgain),
        form: plan.form.clone(),
    };
    let mut signatures = plan.signatures.clone();
    if let Some(mutation) = when(MutationPart::Subject) {
        change_subject(mutation, plan, keys, &mut wire, &mut signatures);
    }
    for mut signed in signatures {
        if let (Some(mutation), Form::Claims(claims)) =
            (when(MutationPart::Claims), &mut signed.form)
        {
            spoil_claims(mutation, claims, plan);
        }
        let text = sign(&signed, &wire.body, when(MutationPart::Signature), plan, keys)?;
        match (signed.place, text) {
            (_, None) => {}
            (Place::Header(name), Some(text)) => wire.headers.push((name, text)),
            (Place::Query(name), Some(text)) => wire.query.push((name.to_owned(), text)),
            (Place::Form(name), Some(text)) => wire.form.push((name, text)),
        }
    }
    if let Some(mutation) = mutation {
        spoil_sent(mutation, plan, keys, &mut wire);
    }
    Ok(wire)
}

fn sign(
    signed: &Signed,
    body: &[u8],
    mutation: Option<Mutation>,
    plan: &Plan,
    keys: &Keys,
) -> Result<Option<String>, ErrorStack> {
    let own = keys.signer(signed.signer);
    let mut key = own;
    let mut header = signed.extra.clone();
    header.insert("alg".into(), "PS256".into());
    header.insert("kid".into(), own.kid.clone().into());
    let mut payload = match &signed.form {
        Form::Detached => body.to_vec(),
        Form::Claims(claims) => {
            Value::Object(dated(claims, body, mutation, plan)).to_string().into_bytes()
        }
        Form::Text(text) | Form::DetachedText(text) => text.clone().into_bytes(),
    };
    match mutation {
        Some(Mutation::UnknownKid) => drop(header.insert("kid".into(), UNKNOWN_KID.into())),
        Some(Mutation::ForeignKeyKnownKid) => key = &keys.stranger,
        Some(Mutation::SignedByDc) => key = &keys.dc,
        Some(Mutation::SignedByOtherDc) => key = &keys.other_dc,
        Some(Mutation::SignedByDp) => key = &keys.dp,
        Some(Mutation::SignedWithEncKey) => key = &keys.dc_encryption,
        Some(Mutation::AlgNone) => drop(header.insert("alg".into(), "none".into())),
        Some(Mutation::AlgHs256) => drop(header.insert("alg".into(), "HS256".into())),
        Some(Mutation::AlgRs256) => drop(header.insert("alg".into(), "RS256".into())),
        Some(Mutation::UnknownCrit) => {
            header.insert("crit".into(), json!(["urn:example:unknown"]));
            header.insert("urn:example:unknown".into(), true.into());
        }
        Some(Mutation::HeaderIatOld) => shift_iat(&mut header, -600),
        Some(Mutation::HeaderIatAhead) => shift_iat(&mut header, 120),
        Some(Mutation::HeaderIatSlightlyAhead) => shift_iat(&mut header, 5),
        Some(Mutation::HeaderIat30Ahead) => shift_iat(&mut header, 30),
        Some(Mutation::HeaderIat30Old) => shift_iat(&mut header, -30),
        Some(Mutation::JtiReplayed) => {
            if let (Some(jti), Some(used)) = (header.get_mut("jti"), &plan.used_jti) {
                *jti = used.as_str().into();
            }
        }
        Some(Mutation::EmbeddedJwk | Mutation::Jku | Mutation::X5u) => key = &keys.stranger,
        Some(Mutation::PreviousKey) => key = keys.previous.as_ref().unwrap_or(own),
        Some(Mutation::RetiredKey) => key = keys.retired.as_ref().unwrap_or(own),
        Some(Mutation::SignedForAnother) => payload = plan.other_consent.clone().into_bytes(),
        _ => {}
    }
    let keeps_kid = mutation == Some(Mutation::ForeignKeyKnownKid);
    if !std::ptr::eq(key, own) && !keeps_kid {
        header.insert("kid".into(), key.kid.clone().into());
    }
    bring_a_key(mutation, &mut header, key, plan)?;
    let pem;
    let signer = match mutation {
        Some(Mutation::AlgNone) => RawSigner::Nothing,
        Some(Mutation::AlgRs256) => RawSigner::Rs256(&key.key),
        Some(Mutation::AlgHs256) => {
            pem = own.public_pem()?;
            RawSigner::Hs256(&pem)
        }
        _ => RawSigner::Ps256(&key.key),
    };
    let detached = matches!(signed.form, Form::Detached | Form::DetachedText(_));
    let text = compact(&header, &payload, detached, &signer)?;
    Ok(spoil_signature(mutation, signed.place, text))
}

/// Says in the header what key to verify with.
fn bring_a_key(
    mutation: Option<Mutation>,
    header: &mut Map<String, Value>,
    key: &Key,
    plan: &Plan,
) -> Result<(), ErrorStack> {
    let (name, value) = match mutation {
        Some(Mutation::EmbeddedJwk) => ("jwk", key.public_jwk()?),
        Some(Mutation::Jku) => ("jku", json!(format!("{}/jwks.json", plan.lure))),
        Some(Mutation::X5u) => ("x5u", json!(format!("{}/certificate.pem", plan.lure))),
        _ => return Ok(()),
    };
    header.insert(name.into(), value);
    Ok(())
}

/// What becomes of a signature that has been made; none where it is left out.
fn spoil_signature(mutation: Option<Mutation>, place: Place, text: String) -> Option<String> {
    let flipped_here = mutation.is_some_and(|mutation| match mutation.of_header() {
        Some(header) => place == Place::Header(header),
        None => mutation == Mutation::SignatureByteFlipped,
    });
    match mutation {
        _ if flipped_here => Some(corrupt::flip_signature_bit(&text)),
        Some(Mutation::SignatureMissing) => None,
        Some(Mutation::SignatureEmpty) => Some(String::new()),
        Some(Mutation::TwoSegments) => text.rsplit_once('.').map(|(rest, _)| rest.to_owned()),
        Some(Mutation::FourSegments) => Some(format!("{text}.AAAA")),
        _ => Some(text),
    }
}

/// A NumericDate some seconds later, in the form that it has.
fn shifted(date: Option<&Value>, by: i64) -> Value {
    match date {
        Some(date) if date.is_i64() => json!(date.as_i64().unwrap_or_default().saturating_add(by)),
        #[expect(clippy::cast_precision_loss, reason = "minutes and hours")]
        Some(date) => json!(date.as_f64().unwrap_or_default() + by as f64),
        None => Value::Null,
    }
}

/// The claims of a signature, with the body where there is one. What is spoilt in the header of a detached signature,
/// when it was made and for once, is spoilt here.
fn dated(
    claims: &Map<String, Value>,
    body: &[u8],
    mutation: Option<Mutation>,
    plan: &Plan,
) -> Map<String, Value> {
    let mut claims = claims.clone();
    if let Some(signed) = claims.get_mut("body") {
        *signed = String::from_utf8_lossy(body).into();
    }
    let by = match mutation {
        Some(Mutation::HeaderIatOld) => -600,
        Some(Mutation::HeaderIatAhead) => 120,
        Some(Mutation::HeaderIatSlightlyAhead) => 5,
        Some(Mutation::HeaderIat30Ahead) => 30,
        Some(Mutation::HeaderIat30Old) => -30,
        _ => 0,
    };
    for name in ["iat", "nbf"] {
        if let Some(date) = claims.get_mut(name).filter(|_| by != 0) {
            *date = shifted(Some(date), by);
        }
    }
    if let (Some(Mutation::JtiReplayed), Some(used)) = (mutation, &plan.used_jti) {
        claims.insert("jti".into(), used.as_str().into());
    }
    claims
}

/// Where the header has an iat.
fn shift_iat(header: &mut Map<String, Value>, by: i64) {
    if let Some(iat) = header.get_mut("iat") {
        *iat = shifted(Some(iat), by);
    }
}

fn spoil_claims(mutation: Mutation, claims: &mut Map<String, Value>, plan: &Plan) {
    let iat = claims.get("iat").cloned();
    let from_iat = |by| shifted(iat.as_ref(), by);
    let mut set = |name: &str, value: Value| drop(claims.insert(name.to_owned(), value));
    match mutation {
        Mutation::ExpPast => set("exp", from_iat(-60)),
        Mutation::NbfAhead => set("nbf", from_iat(120)),
        Mutation::IatOld => {
            let hour = SignedDuration::from_hours(1).as_secs();
            set("iat", from_iat(-600));
            set("nbf", from_iat(-600));
            set("exp", from_iat(hour));
        }
        Mutation::AudWithoutDp => set("aud", json!(["DP0000000000"])),
        Mutation::IssOfOtherDc => set("iss", json!(plan.other_dc)),
        Mutation::QpmDiffers => {
            set("qpm", json!({ "consent_id": plan.other_consent, "page_size": "7" }));
        }
        Mutation::FractionalDates => {
            for name in ["iat", "nbf", "exp"] {
                if let Some(seconds) = claims.get(name).and_then(Value::as_i64) {
                    #[expect(clippy::cast_precision_loss, reason = "seconds of this century")]
                    let fractional = seconds as f64 + 0.25;
                    claims.insert(name.into(), json!(fractional));
                }
            }
        }
        Mutation::UrlDoubledScheme => {
            let url = claims.get("url").and_then(Value::as_str).unwrap_or_default();
            if !url.starts_with("http://http") {
                let url = format!("http://{url}");
                claims.insert("url".into(), url.into());
            }
        }
        Mutation::ExpMissing => drop(claims.remove("exp")),
        Mutation::ExpAsText => {
            let exp = claims.get("exp").map(ToString::to_string);
            claims.insert("exp".into(), exp.into());
        }
        Mutation::UrlOfOtherAccount | Mutation::UrlOfOtherEndpoint => {
            let url = claims.get("url").and_then(Value::as_str).unwrap_or_default();
            let other = plan.unselected_account.as_ref().or(plan.foreign_account.as_ref());
            let url = spoilt_url(mutation, url, other.map_or("", String::as_str));
            claims.insert("url".into(), url.into());
        }
        _ => {}
    }
}

/// The same request about something else, and signed for that.
fn change_subject(
    mutation: Mutation,
    plan: &Plan,
    keys: &Keys,
    wire: &mut Wire,
    signatures: &mut [Signed],
) {
    let unknown = Some(UNKNOWN_ACCOUNT.to_owned());
    let account = match mutation {
        Mutation::AccountUnknown => &unknown,
        Mutation::AccountNotSelected => &plan.unselected_account,
        Mutation::AccountOfOtherCustomer => &plan.foreign_account,
        _ => &None,
    };
    if let Some(account) = account {
        wire.path = spoilt_url(Mutation::UrlOfOtherAccount, &wire.path, account);
    }
    if mutation == Mutation::ConsentUnknown {
        set(&mut wire.query, "consent_id", plan.unknown_consent.clone());
    }
    if mutation == Mutation::DcOfAnotherConsent {
        set_enc_kid(wire, &keys.stranger.kid);
    }
    for signed in signatures {
        match (mutation, &mut signed.form) {
            (Mutation::ConsentUnknown, Form::Text(text) | Form::DetachedText(text)) => {
                text.clone_from(&plan.unknown_consent);
            }
            (Mutation::ConsentUnknown, Form::Claims(claims)) => name_unknown_consent(claims, plan),
            (Mutation::DcOfAnotherConsent, Form::Claims(claims)) if signed.signer == Signer::Dc => {
                signed.signer = Signer::OtherDc;
                claims.insert("iss".into(), plan.other_dc.into());
            }
            (_, Form::Claims(claims)) => {
                let url = claims.get("url").and_then(Value::as_str).map(str::to_owned);
                if let (Some(account), Some(url)) = (account, url) {
                    let url = spoilt_url(Mutation::UrlOfOtherAccount, &url, account);
                    claims.insert("url".into(), url.into());
                }
            }
            _ => {}
        }
    }
}

/// Wherever claims name the consent; a DC's `sub` is the DC in some profiles.
fn name_unknown_consent(claims: &mut Map<String, Value>, plan: &Plan) {
    for claim in ["sub", "qpm"] {
        let named = match claims.get_mut(claim) {
            Some(Value::Object(qpm)) => qpm.get_mut("consent_id"),
            other => other,
        };
        if let Some(named) = named.filter(|named| **named == plan.consent.as_str()) {
            *named = plan.unknown_consent.clone().into();
        }
    }
}

fn spoilt_url(mutation: Mutation, url: &str, other_account: &str) -> String {
    const ACCOUNTS: &str = "/v1/accounts/";
    let Some((start, rest)) = url.split_once(ACCOUNTS) else { return url.to_owned() };
    let (account, suffix) = rest.split_once('/').map_or((rest, ""), |(id, rest)| (id, rest));
    if mutation == Mutation::UrlOfOtherAccount {
        let slash = if suffix.is_empty() { "" } else { "/" };
        return format!("{start}{ACCOUNTS}{other_account}{slash}{suffix}");
    }
    let other = if suffix == "transactions" { "balances" } else { "transactions" };
    format!("{start}{ACCOUNTS}{account}/{other}")
}

fn signed_body(mutation: Mutation, plan: &Plan) -> Vec<u8> {
    let Ok(mut json) = serde_json::from_slice::<Value>(&plan.body) else {
        return plan.body.clone();
    };
    match mutation {
        Mutation::BodyMalformed => {
            let whole = plan.body.len();
            return plan.body[..whole.saturating_sub(1)].to_vec();
        }
        Mutation::ConsentIdMissing => {
            if let Some(data) = json["data"].as_object_mut() {
                data.remove("consent_id");
            }
        }
        Mutation::ConsentIdTooLong => json["data"]["consent_id"] = json!("c".repeat(37)),
        Mutation::DpIdOfAnother => json["data"]["dp_id"] = json!("DP0000000000"),
        Mutation::UnknownField => json["data"]["x_unknown"] = json!({ "since": 2027 }),
        Mutation::MarkupInPurpose => json["data"]["consent_purpose"] = json!(MARKUP),
        Mutation::BodyMegabyte => json["data"]["padding"] = json!("x".repeat(1 << 20)),
        Mutation::IdentityKnown | Mutation::IdentityAltered => {
            if let Some((id_type, hash)) = &plan.identity {
                let altered = mutation == Mutation::IdentityAltered;
                json["data"]["id_type"] = json!(id_type);
                json["data"]["hashed_id_number"] =
                    if altered { json!(OTHER_HASH) } else { json!(hash) };
            }
        }
        _ => place_accounts(mutation, &mut json["data"]),
    }
    json.to_string().into_bytes()
}

/// The three places where PayNet's pages show accounts.
fn place_accounts(mutation: Mutation, data: &mut Value) {
    let (place, accounts) = match mutation {
        Mutation::AccountsAtTop => ("accounts", json!([an_account()])),
        Mutation::AccountsInAccountAccess => {
            ("account_access", json!({ "accounts": [an_account()] }))
        }
        Mutation::AccountsAsReference => ("account_reference", json!([an_account()])),
        _ => return,
    };
    if let Some(data) = data.as_object_mut() {
        for other in ["accounts", "account_access", "account_reference"] {
            data.shift_remove(other);
        }
        data.insert(place.into(), accounts);
    }
}

fn an_account() -> Value {
    json!({ "account_id": UNKNOWN_ACCOUNT, "account_number": "1234567890", "account_name": "Savings" })
}

fn spoil_sent(mutation: Mutation, plan: &Plan, keys: &Keys, wire: &mut Wire) {
    match mutation {
        Mutation::BodyByteAltered => {
            let digit = wire.body.iter().rposition(u8::is_ascii_digit);
            if let Some(at) = digit {
                wire.body[at] ^= 1; // another digit
            }
        }
        Mutation::BodyReordered => wire.body = reordered(&wire.body),
        Mutation::ContentTypeText => set_header(wire, "content-type", "text/plain"),
        Mutation::InteractionIdMissing => wire.headers.retain(|(name, _)| *name != INTERACTION),
        Mutation::InteractionIdMalformed => set_header(wire, INTERACTION, NO_UUID),
        Mutation::UnknownParameters => {
            let unknown = [("state", "s-1"), ("nonce", "n-1"), ("scope", "openid")];
            wire.query.extend(unknown.map(|(name, value)| (name.to_owned(), value.to_owned())));
        }
        Mutation::EncKidMissing => wire.headers.retain(|(name, _)| *name != ENC_KID),
        Mutation::EncKidUnknown => set_enc_kid(wire, UNKNOWN_KID),
        Mutation::EncKidOfSigningKey => set_enc_kid(wire, &keys.dc.kid),
        Mutation::EncKidOfOtherDc => set_enc_kid(wire, &keys.stranger.kid),
        Mutation::ConsentIdSwapped => {
            set(&mut wire.query, "consent_id", plan.other_consent.clone());
        }
        Mutation::QueryConsentIdMissing => wire.query.retain(|(name, _)| name != "consent_id"),
        Mutation::ConsentIdTwice => {
            wire.query.push(("consent_id".into(), plan.other_consent.clone()));
        }
        _ if mutation.part() == MutationPart::Method => wire.method = method(mutation),
        _ if mutation.part() == MutationPart::Path => wire.path = spoilt_path(mutation, &wire.path),
        _ => {
            let registered = wire.query.iter().find(|(name, _)| name == "redirect_uri");
            if let Some(spoilt) = registered.and_then(|(_, uri)| spoilt_redirect(mutation, uri)) {
                set(&mut wire.query, "redirect_uri", spoilt);
            }
        }
    }
}

const ENC_KID: &str = "x-enc-kid";
const INTERACTION: &str = "x-fapi-interaction-id";

fn set_enc_kid(wire: &mut Wire, kid: &str) {
    set_header(wire, ENC_KID, kid);
}

/// Where the request has it.
fn set_header(wire: &mut Wire, wanted: &str, text: &str) {
    for (name, value) in &mut wire.headers {
        if *name == wanted {
            text.clone_into(value);
        }
    }
}

fn method(mutation: Mutation) -> http::Method {
    match mutation {
        Mutation::MethodPost => http::Method::POST,
        Mutation::MethodPut => http::Method::PUT,
        Mutation::MethodDelete => http::Method::DELETE,
        Mutation::MethodHead => http::Method::HEAD,
        Mutation::MethodOptions => http::Method::OPTIONS,
        _ => http::Method::GET,
    }
}

fn spoilt_path(mutation: Mutation, path: &str) -> String {
    let of_account = |id: &str| spoilt_url(Mutation::UrlOfOtherAccount, path, id);
    match mutation {
        Mutation::PathTraversal => of_account("../../../etc/passwd"),
        Mutation::PathEncodedSlash => of_account("..%2f..%2f..%2fetc%2fpasswd"),
        Mutation::PathUniversalLink => "/OFM/MY/Authorize/AIS".into(),
        _ => "/v1/nope".into(),
    }
}

fn set(query: &mut [(String, String)], name: &str, value: String) {
    if let Some(found) = query.iter_mut().find(|(known, _)| known == name) {
        found.1 = value;
    }
}

fn spoilt_redirect(mutation: Mutation, registered: &str) -> Option<String> {
    let rest = registered.strip_prefix("https://")?;
    let (host, path) = rest.split_once('/')?;
    Some(match mutation {
        Mutation::RedirectUriForeignHost => format!("https://{ELSEWHERE}/{path}"),
        Mutation::RedirectUriExtraPath => format!("{registered}/extra"),
        Mutation::RedirectUriUserinfo => format!("https://{host}@{ELSEWHERE}/{path}"),
        Mutation::RedirectUriHttp => format!("http://{rest}"),
        Mutation::RedirectUriTooLong => format!("{registered}?{}", "x".repeat(300)),
        _ => return None,
    })
}

/// The same JSON with its first member last.
fn reordered(body: &[u8]) -> Vec<u8> {
    let Ok(Value::Object(mut object)) = serde_json::from_slice(body) else { return body.to_vec() };
    let first = object.iter().next().map(|(name, value)| (name.clone(), value.clone()));
    if let Some((name, value)) = first {
        object.shift_remove(&name);
        object.insert(name, value);
    }
    Value::Object(object).to_string().into_bytes()
}
