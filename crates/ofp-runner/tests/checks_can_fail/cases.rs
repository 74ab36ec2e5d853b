//! For each requirement, evidence that its check must not accept.

use std::time::Duration;

use ofp_evidence::{CustomerAct, Endpoint as E, Reader, Record, Screen};
use ofp_jose::corrupt;
use serde_json::json;

use crate::spoil::{
    Spoil, act, answer, assertion, balance, both, decryption, edit, every_seventh, exchange,
    handshake, id_token, jwe_header, lured, remove, request_json, response_jws, status, token_form,
    twice, without, without_answer, without_header,
};

/// Every case, by the group of its requirement.
pub(crate) fn cases() -> Vec<(&'static str, Spoil)> {
    let groups = [
        transport(),
        events(),
        authorize(),
        screens(),
        tokens(),
        updates(),
        update_details(),
        id_tokens(),
        returns(),
        responses(),
        contents(),
        userinfo(),
        beside(),
    ];
    groups.into_iter().flatten().collect()
}

/// Cases of profile `oidc-dp`.
pub(crate) fn token_endpoint() -> Vec<(&'static str, Spoil)> {
    let url = |change: fn(&str) -> String| {
        act(move |act| {
            if let CustomerAct::Returned { url, .. } = act {
                *url = change(url);
            }
        })
    };
    let given = |change: fn(&mut serde_json::Value)| {
        answer(E::DpToken, move |_, message| edit(&mut message.body, change))
    };
    vec![
        ("P-01", url(|url| url.replace("code=", "kode="))),
        ("P-01", url(|url| url.replace("state=", "state=x"))),
        ("P-02", status(E::DpToken, 500)),
        ("P-02", given(|body| remove(body, "id_token"))),
        ("P-02", given(|body| remove(body, "access_token"))),
        ("P-03", exchange(E::DpAuthorize, |x| x.url = x.url.replace("nonce=", "nonce=x"))),
        ("P-04", status(E::DpToken, 200)),
        ("P-04", given(|body| body["error"] = json!("invalid_request"))),
        ("P-05", status(E::DpToken, 200)),
        ("P-05", given(|body| body["error"] = json!("access_denied"))),
        ("P-06", request_json(E::UpdateConsent, |body| body["id_token"] = json!("x.y.z"))),
    ]
}

fn transport() -> Vec<(&'static str, Spoil)> {
    vec![
        ("A-01", handshake(|h| h.version = Some("TLSv1.1".into()))),
        ("A-02", handshake(|h| h.version = Some("TLSv1.1".into()))),
        ("A-10", handshake(|h| h.server.iter_mut().for_each(|server| server.key_bits = 128))),
        ("B-01", status(E::Health, 500)),
    ]
}

fn events() -> Vec<(&'static str, Spoil)> {
    vec![
        ("C-01", status(E::ConsentEvent, 500)),
        ("C-01", exchange(E::ConsentEvent, |x| x.took = Duration::from_secs(6))),
        ("C-02", answer(E::ConsentEvent, |_, m| m.body = b"ok".to_vec())),
        ("C-03", without_header(E::ConsentEvent, "x-fapi-interaction-id")),
        ("C-40", status(E::ConsentEvent, 409)),
        ("C-39", status(E::ConsentEvent, 409)),
        ("C-39", twice(E::UpdateConsent)),
    ]
}

fn authorize() -> Vec<(&'static str, Spoil)> {
    let location = |to: fn(&str) -> String| {
        exchange(E::DpAuthorize, move |x| {
            let url = x.url.clone();
            if let ofp_evidence::Outcome::Answered { message, .. } = &mut x.outcome {
                for (name, value) in &mut message.headers {
                    if name == "location" {
                        *value = to(&url);
                    }
                }
            }
        })
    };
    vec![
        ("D-01", status(E::DpAuthorize, 200)),
        ("D-01", without_header(E::DpAuthorize, "location")),
        ("D-01", status(E::DpAuthorize, 302)),
        ("D-02", location(|_| "/login".into())),
        ("D-02", status(E::DpPage, 500)),
        ("D-19", without_header(E::DpPage, "strict-transport-security")),
        ("D-21", status(E::DpAuthorize, 307)),
        ("D-23", exchange(E::DpAuthorize, |x| x.took = Duration::from_secs(6))),
        ("D-24", location(str::to_owned)),
    ]
}

fn screens() -> Vec<(&'static str, Spoil)> {
    let decided = |wanted: bool| {
        act(move |act| {
            if let CustomerAct::Decided { approved, screen, .. } = act
                && *approved == wanted
            {
                *screen = Screen::Review;
            }
        })
    };
    let logged_in = |wanted: bool, spoilt: Screen| {
        act(move |act| {
            if let CustomerAct::LoggedIn { correct, screen, .. } = act
                && *correct == wanted
            {
                *screen = spoilt;
            }
        })
    };
    vec![
        ("E-01", logged_in(true, Screen::Login)),
        ("E-02", logged_in(false, Screen::AccountSelection)),
        (
            "E-02",
            act(|act| {
                if let CustomerAct::LoggedIn { correct: false, text, .. } = act {
                    text.clear();
                }
            }),
        ),
        (
            "E-04",
            act(|act| {
                if let CustomerAct::SawAccounts { listed, .. } = act {
                    *listed = vec!["Simpanan Aisyah 114055500011".into()];
                }
            }),
        ),
        (
            "E-06",
            act(|act| {
                if let CustomerAct::SelectedAccounts { chosen, .. } = act {
                    *chosen = vec!["Simpanan Aisyah 114055500011".into()];
                }
            }),
        ),
        (
            "E-08",
            act(|act| {
                if let CustomerAct::SawReview { text, .. } = act {
                    *text = text.replace("2027", "").replace("2026", "");
                }
            }),
        ),
        ("E-09", decided(true)),
        ("E-10", decided(false)),
        (
            "E-14",
            request_json(E::UpdateConsent, |body| {
                if let Some(accounts) = body["accounts"].as_array_mut() {
                    accounts.iter_mut().for_each(|a| {
                        if a["account_number"].as_str().is_some_and(|n| n.contains('*')) {
                            a["account_number"] = json!("5196030012345678");
                        }
                    });
                }
            }),
        ),
    ]
}

fn tokens() -> Vec<(&'static str, Spoil)> {
    vec![
        (
            "F-01",
            token_form(
                |name, value| if name == "grant_type" { "password".into() } else { value.into() },
            ),
        ),
        (
            "F-02",
            token_form(
                |name, value| {
                    if name == "client_assertion_type" { "x".into() } else { value.into() }
                },
            ),
        ),
        ("F-02", assertion(|claims| claims["x"] = json!(1))),
        ("F-03", assertion(|claims| claims["aud"] = json!([claims["aud"]]))),
        ("F-03", assertion(|claims| claims["sub"] = json!("x"))),
        ("F-04", assertion(|claims| claims["exp"] = json!(claims["iat"].as_i64().unwrap() + 601))),
        ("F-04", assertion(|claims| remove(claims, "jti"))),
        ("F-05", twice(E::Token)),
        (
            "F-07",
            exchange(E::UpdateConsent, |x| {
                x.request.headers.retain(|(name, _)| name != "authorization");
            }),
        ),
        ("F-08", exchange(E::UpdateConsent, |x| x.client_certificate = None)),
        (
            "F-09",
            Box::new(|records| {
                let mut all = Vec::new();
                for round in 0..60 {
                    for record in records {
                        let mut record = (**record).clone();
                        if let Record::Exchange(x) = &mut record {
                            if round > 0 && x.endpoint != E::Token {
                                continue;
                            }
                            x.id.0 += round * 100_000;
                        } else if round > 0 {
                            continue;
                        }
                        all.push(record);
                    }
                }
                all
            }),
        ),
    ]
}

fn updates() -> Vec<(&'static str, Spoil)> {
    let b5 = E::UpdateConsent;
    let set = |name: &'static str, to: serde_json::Value| {
        request_json(b5, move |body| {
            if body["status"] == "authorized" || body["status"] == "rejected" {
                body[name] = to.clone();
            }
        })
    };
    let drop = |name: &'static str| request_json(b5, move |body| remove(body, name));
    let header = |name: &'static str, to: &'static str| {
        exchange(b5, move |x| {
            for (n, value) in &mut x.request.headers {
                if n == name {
                    to.clone_into(value);
                }
            }
        })
    };
    let is_update = move |r: &Record| matches!(r, Record::Exchange(x) if x.endpoint == b5);
    vec![
        ("G-01", without(is_update)),
        ("G-01", exchange(b5, |x| x.method = "POST".into())),
        ("G-02", exchange(b5, |x| x.id.0 += 100_000)),
        ("G-03", header("content-type", "text/plain")),
        ("G-03", exchange(b5, |x| x.request.body = b"{\"a\":1,\"a\":2}".to_vec())),
        ("G-04", header("x-fapi-interaction-id", "1")),
        ("G-05", exchange(b5, |x| x.request.body.push(b' '))),
        (
            "G-05",
            exchange(b5, |x| x.request.headers.retain(|(name, _)| name != "x-fapi-signature")),
        ),
        ("G-06", set("status", json!("approved"))),
        ("G-07", drop("id_token")),
        ("G-07", set("id_token", json!("x".repeat(3001)))),
        ("G-08", drop("user_identity")),
        ("G-09", set("accounts", json!([]))),
        ("G-09", set("accounts", json!([{"account_id": "a", "account_name": "n"}]))),
        ("G-10", set("status_reason", json!({"reason_code": "x"}))),
        ("G-11", set("extra", json!("900101-14-5678"))),
        ("G-11", set("extra", json!("+60 12-345 6789"))),
    ]
}

fn update_details() -> Vec<(&'static str, Spoil)> {
    let b5 = E::UpdateConsent;
    let json = |change: fn(&mut serde_json::Value)| request_json(b5, change);
    vec![
        ("G-12", json(|body| remove(body, "status_reason"))),
        ("G-13", json(|body| body["status_reason"]["reason_code"] = serde_json::json!("whim"))),
        ("G-14", json(|body| body["consent_id"] = serde_json::json!("another"))),
        (
            "G-19",
            act(|act| {
                if let CustomerAct::LoggedIn { correct, .. } = act {
                    *correct = false;
                }
            }),
        ),
        (
            "G-20",
            without(|record| {
                matches!(record, Record::Customer { act: CustomerAct::Decided { .. }, .. })
            }),
        ),
        (
            "G-21",
            json(|body| {
                for account in body["accounts"].as_array_mut().into_iter().flatten() {
                    account["account_id"] = account["account_number"].clone();
                }
            }),
        ),
        ("G-23", json(|body| body["status"] = serde_json::json!("Authorised"))),
        ("G-24", json(|body| body["user_identity"]["id_type"] = serde_json::json!("mykad"))),
        (
            "G-24",
            json(|body| body["user_identity"]["hashed_id_number"] = serde_json::json!("eA==")),
        ),
        (
            "G-25",
            json(|body| {
                if body["status"] == "rejected" {
                    body["id_token"] = serde_json::json!("x");
                }
            }),
        ),
    ]
}

fn id_tokens() -> Vec<(&'static str, Spoil)> {
    vec![
        ("H-01", id_token(|claims| claims["x"] = json!(1))),
        (
            "H-02",
            request_json(E::UpdateConsent, |body| {
                if let Some(token) = body["id_token"].as_str() {
                    let (_, rest) = token.split_once('.').unwrap();
                    let header = ofp_jose::base64url(br#"{"alg":"PS256","kid":"dp-key-id-001"}"#);
                    body["id_token"] = json!(format!("{header}.{rest}"));
                }
            }),
        ),
        ("H-03", id_token(|claims| claims["iss"] = json!("https://elsewhere"))),
        ("H-04", id_token(|claims| claims["aud"] = json!("somebody"))),
        ("H-05", id_token(|claims| claims["exp"] = json!(1))),
        ("H-05", id_token(|claims| claims["iat"] = json!(claims["iat"].as_i64().unwrap() + 3600))),
        ("H-06", id_token(|claims| claims["sub"] = claims["jti"].clone())),
        ("H-07", id_token(|claims| claims["auth_time"] = json!(1))),
        ("H-08", id_token(|claims| claims["hashed_id_number"] = json!("x"))),
        ("H-09", id_token(|claims| claims["nric"] = json!("900101145678"))),
        (
            "H-10",
            request_json(E::UpdateConsent, |body| {
                if body["id_token"].is_string() {
                    body["id_token"] = json!("the.same.token");
                }
            }),
        ),
        ("H-11", id_token(|claims| claims["exp"] = json!(claims["iat"].as_i64().unwrap() + 3601))),
    ]
}

fn returns() -> Vec<(&'static str, Spoil)> {
    let url = |change: fn(&str) -> String| {
        act(move |act| {
            if let CustomerAct::Returned { url, .. } = act {
                *url = change(url);
            }
        })
    };
    vec![
        ("I-01", url(|url| url.replace("/callback", "/callback/"))),
        ("I-01", url(|_| "https://evil.test/v1/oauth/callback".into())),
        ("I-02", url(|url| format!("{url}&error_description=said \"no\""))),
        ("I-02", url(|url| format!("{url}&x=%zz"))),
        (
            "I-03",
            act(|act| {
                if let CustomerAct::Returned { status, .. } = act {
                    *status = Some(307);
                }
            }),
        ),
        ("I-04", url(|url| url.replace("error=", "oops="))),
        ("I-05", url(|url| format!("{url}&status=Authorized"))),
        ("I-06", url(|url| format!("{url}&ic=900101-14-5678"))),
        ("I-06", url(|url| format!("{url}&id_token=x"))),
        ("I-07", exchange(E::DcCallback, |x| x.url = x.url.replace("iss=", "was="))),
        (
            "I-08",
            exchange(E::DcCallback, |x| x.url = x.url.replace("access_denied", "server_error")),
        ),
    ]
}

fn responses() -> Vec<(&'static str, Spoil)> {
    vec![
        ("J-01", status(E::Balances, 403)),
        (
            "K-01",
            answer(E::Balances, |_, m| {
                m.headers = vec![("content-type".into(), "text/plain".into())];
            }),
        ),
        ("K-02", answer(E::Balances, |_, m| m.body = b"a.b".to_vec())),
        ("K-02", answer(E::Balances, |_, m| m.body.push(b'\n'))),
        ("K-03", response_jws(0, |header| header["jwk"] = json!({}))),
        ("K-03", response_jws(0, |header| header["alg"] = json!("RS256"))),
        (
            "K-04",
            answer(E::Balances, |_, m| {
                m.body = corrupt::flip_signature_bit(&m.text()).into_bytes();
            }),
        ),
        ("K-05", response_jws(1, |claims| claims["exp"] = json!(1))),
        (
            "K-05",
            response_jws(1, |claims| claims["nbf"] = json!(claims["nbf"].as_i64().unwrap() + 60)),
        ),
        ("K-06", response_jws(1, |claims| claims["jti"] = json!("always"))),
        ("K-07", response_jws(1, |claims| claims["aud"] = json!("somebody"))),
        ("K-08", response_jws(1, |claims| claims["iss"] = json!("somebody"))),
        ("K-09", response_jws(1, |claims| claims["data"] = json!({"current_balance": 1}))),
        ("K-10", jwe_header(|header| header["enc"] = json!("A128GCM"))),
        ("K-11", jwe_header(|header| header["alg"] = json!("RSA1_5"))),
        (
            "K-12",
            decryption(|d| {
                if d.reader == Reader::Addressee {
                    d.outcome = Err("it does not decrypt".into());
                }
            }),
        ),
        ("K-13", decryption(|d| d.outcome = Ok(b"{}".to_vec()))),
        ("K-14", decryption(|d| d.content_key = Some("always".into()))),
    ]
}

fn contents() -> Vec<(&'static str, Spoil)> {
    vec![
        ("K-15", decryption(|d| d.outcome = Ok(b"[]".to_vec()))),
        ("K-16", balance(|data| data["account_id"] = json!("another"))),
        ("K-17", balance(|data| data["current_balance"]["amount"]["currency"] = json!("USD"))),
        ("K-17", balance(|data| remove(data, "current_balance"))),
        ("K-18", balance(|data| data["available_balance"]["credit_debit_indicator"] = json!("CR"))),
        ("K-19", balance(|data| data["credit_lines_included"] = json!("false"))),
        ("K-20", balance(|data| data["statement_date"] = json!("20/11/2026"))),
        ("K-21", balance(|data| data["current_balance"]["amount"]["amount"] = json!("1.00"))),
        ("K-22", without_header(E::Balances, "x-fapi-interaction-id")),
        ("K-23", exchange(E::Balances, |x| x.took = Duration::from_secs(6))),
        ("K-24", response_jws(1, |claims| claims["copy"] = json!("{\"b\":25000.75}"))),
        ("K-25", without_header(E::Balances, "cache-control")),
        ("K-26", balance(|data| data["custom_data"] = json!({"k": "v".repeat(301)}))),
        (
            "K-28",
            response_jws(1, |claims| claims["exp"] = json!(claims["iat"].as_i64().unwrap() + 3601)),
        ),
        ("K-29", balance(|data| data["current_balance"]["amount"] = json!(25000.75))),
    ]
}

fn userinfo() -> Vec<(&'static str, Spoil)> {
    let body = |change: fn(&mut serde_json::Value)| {
        answer(E::Userinfo, move |_, message| edit(&mut message.body, change))
    };
    vec![
        ("L-01", status(E::Userinfo, 403)),
        ("L-01", body(|claims| remove(claims, "sub"))),
        ("L-02", body(|claims| claims["sub"] = json!("another"))),
        ("L-03", body(|claims| claims["hashed_id_number"] = json!("x"))),
        ("L-04", body(|claims| claims["email_verified"] = json!("true"))),
        ("L-08", without_header(E::Userinfo, "x-fapi-interaction-id")),
    ]
}

/// What the journeys show beside what they are about.
fn beside() -> Vec<(&'static str, Spoil)> {
    let header = |name: &'static str, text: &'static str| {
        exchange(E::UpdateConsent, move |x| {
            for (n, value) in &mut x.request.headers {
                if n == name {
                    text.clone_into(value);
                }
            }
        })
    };
    vec![
        ("C-30", status(E::ConsentEvent, 400)),
        ("F-10", header("authorization", "Bearer always")),
        ("G-18", header("x-fapi-signature", "a..b")),
        ("I-09", without(|record| matches!(record, Record::Transition(_)))),
        ("N-05", status(E::Balances, 403)),
        ("O-10", header("x-fapi-interaction-id", "1")),
    ]
}

/// Ways to spoil the answers and pages of a DP, whatever they are about.
pub(crate) fn anything() -> Vec<Spoil> {
    let endpoints = [
        E::ConsentEvent,
        E::DpAuthorize,
        E::Balances,
        E::Userinfo,
        E::Health,
        E::DpPage,
        E::UpdateConsent,
        E::RevokeConsent,
    ];
    let with = |at, code: u16, body: &'static str| {
        answer(at, move |status, message| {
            *status = code;
            message.body = body.as_bytes().to_vec();
        })
    };
    let mut all = Vec::new();
    for at in endpoints {
        all.extend([with(at, 200, "{}"), with(at, 500, "{}"), with(at, 403, "{}")]);
        all.push(without_answer(at));
    }
    let text = |said: &'static str| {
        act(move |act| {
            if let CustomerAct::Decided { text, .. } | CustomerAct::LoggedIn { text, .. } = act {
                *text = format!("{said} {}", text.len());
            }
        })
    };
    let screen = |shown| {
        act(move |act| {
            if let CustomerAct::Tried { screen, .. }
            | CustomerAct::SelectedAccounts { screen, .. } = act
            {
                *screen = shown;
            }
        })
    };
    all.extend([text("Approved, thank you"), screen(Screen::Review), screen(Screen::Result)]);
    all.push(answer(E::Balances, |_, m| m.body = b"{\"balance\":1}".to_vec()));
    all.push(answer(E::DpPage, |_, m| {
        m.headers.push(("access-control-allow-origin".into(), "*".into()));
        m.body = b"<ofp-sim-markup hidden>".to_vec();
    }));
    all.push(answer(E::ConsentEvent, |_, m| {
        m.headers.push(("set-cookie".into(), "ofp-sim-injected=1".into()));
    }));
    all.push(twice(E::UpdateConsent));
    all.push(twice(E::Jwks));
    all.push(exchange(E::UpdateConsent, |x| x.request.headers.clear()));
    all.push(exchange(E::RevokeConsent, |x| x.request.headers.clear()));
    all.push(exchange(E::ConsentEvent, |x| {
        x.outcome = ofp_evidence::Outcome::Failed(ofp_evidence::Failure {
            stage: ofp_evidence::Stage::Greeted,
            detail: "ServerHello with TLSv1.1".into(),
        });
    }));
    all.push(lured());
    all.push(request_json(E::UpdateConsent, |body| {
        body["accounts"] =
            json!([{ "account_id": "x", "account_number": "9", "account_name": "x" }]);
        body["status"] = json!("authorized");
    }));
    all.push(act(|act| {
        if let CustomerAct::LoggedIn { username, text, .. } = act {
            *text = if username.starts_with("nobody") { "No such name" } else { "Wrong" }.into();
        }
    }));
    all.push(both(with(E::DpPage, 200, "{}"), screen(Screen::Result)));
    // the copies come later
    all.push(both(
        twice(E::UpdateConsent),
        exchange(E::UpdateConsent, |x| {
            if x.id.0 > 100_000 {
                edit(&mut x.request.body, |body| body["status"] = json!("rejected"));
            }
        }),
    ));
    all.push(every_seventh(E::ConsentEvent, E::Jwks));
    all
}

/// Ways to spoil the refusals that a requirement wants.
pub(crate) fn not_refused(id: &str) -> Vec<Spoil> {
    let refusals = [E::ConsentEvent, E::DpAuthorize, E::Balances, E::Userinfo];
    let body = |text: &'static str| -> Vec<Spoil> {
        refusals.map(|at| answer(at, move |_, m| m.body = text.as_bytes().to_vec())).into()
    };
    match id {
        "O-01" => body("<html>"),
        "O-02" => refusals.map(|at| status(at, 500)).into(),
        "O-03" => body(r#"{"error":"invalid_request","trace":"Exception in thread main"}"#),
        "O-04" | "O-14" => body(r#"{"error":"oops"}"#),
        "O-15" => refusals.map(|at| status(at, 418)).into(),
        // TLS let it through, or the application did
        _ => refusals
            .map(|at| {
                exchange(at, |x| {
                    let message =
                        ofp_evidence::Message { headers: Vec::new(), body: b"{}".to_vec() };
                    x.outcome = ofp_evidence::Outcome::Answered { status: 200, message };
                })
            })
            .into(),
    }
}
