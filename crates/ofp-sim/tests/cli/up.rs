//! `ofp-sim up` as a process: what it acknowledged survives its death.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    path::Path,
    process::{Child, Stdio},
    sync::mpsc,
    thread,
};

use serde_json::{Value, json};

use crate::{command, pki};

/// The reference DP's customers: each makes consents of its own, so the newer supersede the older.
const CUSTOMERS: [&str; 4] = ["paynet", "aisyah", "farid", "siti"];

/// How many consents are acknowledged before the process is killed, while more are on their way.
const ACKNOWLEDGED: usize = 12;

/// A running `ofp-sim up`, killed at the latest when it is dropped.
struct Up {
    process: Child,
    control: Control,
}

/// Its control surface.
#[derive(Clone)]
struct Control {
    address: String,
    token: String,
}

impl Up {
    /// Starts it on free ports and waits for its line of JSON.
    fn start(state: &Path) -> Self {
        Self::start_with(state, &[])
    }

    fn start_with(state: &Path, more: &[&str]) -> Self {
        let mut process = command(state.parent().unwrap())
            .args(["up", "--port-base", "0", "--json", "--state"])
            .arg(state)
            .arg("--pki")
            .arg(pki())
            .args(more)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let world: Value = serde_json::from_str(&line).unwrap();
        let text = |name: &str| world["control"][name].as_str().unwrap().to_owned();
        let address = text("url").trim_start_matches("http://").trim_end_matches('/').to_owned();
        Self { process, control: Control { address, token: text("token") } }
    }

    /// SIGKILL: no handler runs, nothing is flushed.
    fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Control {
    /// The answer's JSON; none when the connection broke or the call failed.
    fn call(&self, method: &str, path: &str, body: &str) -> Option<Value> {
        let mut stream = TcpStream::connect(&self.address).ok()?;
        let (token, length) = (&self.token, body.len());
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}",
            self.address
        )
        .ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        let (head, body) = answer.split_once("\r\n\r\n")?;
        let good = head.starts_with("HTTP/1.1 2");
        good.then(|| serde_json::from_str(body).ok()).flatten()
    }

    /// Makes consents of a customer until the process is gone, and tells of each that was acknowledged.
    fn link_until_gone(&self, customer: &str, tell: &mpsc::Sender<String>) {
        let body = json!({ "username": customer }).to_string();
        while let Some(linked) = self.call("POST", "/v1/links", &body) {
            tell.send(linked["consent_id"].as_str().unwrap().to_owned()).unwrap();
        }
    }
}

#[test]
fn nothing_acknowledged_is_lost_when_the_process_is_killed_under_load() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state.redb");
    let mut up = Up::start(&state);
    // Nobody supersedes this one: the others are for another purpose.
    let first = json!({ "consent": { "purpose": "credit_underwriting" } }).to_string();
    let first = up.control.call("POST", "/v1/links", &first).unwrap();
    let (tell, told) = mpsc::channel();
    let workers = CUSTOMERS.map(|customer| {
        let (control, tell) = (up.control.clone(), tell.clone());
        thread::spawn(move || control.link_until_gone(customer, &tell))
    });
    drop(tell);
    let mut acknowledged: Vec<String> = told.iter().take(ACKNOWLEDGED).collect();
    assert_eq!(acknowledged.len(), ACKNOWLEDGED, "the workers stopped before the kill");
    up.kill();
    workers.into_iter().for_each(|worker| worker.join().unwrap());
    acknowledged.extend(told);

    let up = Up::start(&state);
    let kept = up.control.call("GET", "/v1/consents", "").unwrap();
    let kept = kept["consents"].as_array().unwrap();
    for id in &acknowledged {
        let consent = kept.iter().find(|c| c["consent_id"] == **id);
        let consent = consent.unwrap_or_else(|| panic!("{id} is gone"));
        let superseded = consent["reason_code"] == "duplicate" && consent["status"] == "revoked";
        assert!(superseded || consent["status"] == "authorized", "{consent}");
        assert_eq!(consent["dc_linked"], true, "{consent}");
        let is_heir = |c: &&Value| {
            c["consent_purpose"] == "pfm"
                && c["status"] == "authorized"
                && c["accounts"] == consent["accounts"]
        };
        assert_eq!(kept.iter().filter(is_heir).count(), 1, "one authorized consent: {consent}");
    }
    let path = format!("/v1/consents/{}/data", first["consent_id"].as_str().unwrap());
    let read = up.control.call("POST", &path, r#"{"resource":"balances"}"#).unwrap();
    assert_eq!(read["status"], 200, "its token still works: {read}");
}

#[test]
fn an_event_that_is_owed_when_the_process_is_killed_is_sent_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state.redb");
    let mut up = Up::start(&state);
    let linked = up.control.call("POST", "/v1/links", "{}").unwrap();
    let consent = linked["consent_id"].as_str().unwrap().to_owned();
    let fault = json!({ "at": "consent_event", "delay": "60s", "consent_id": consent });
    up.control.call("POST", "/v1/faults", &fault.to_string()).unwrap();
    let at = |what: &str| format!("/v1/consents/{consent}/{what}");
    let suspend = r#"{"change":"suspend","reason_code":"not_allowed"}"#;
    up.control.call("POST", &at("status"), suspend).unwrap();
    up.kill();

    let up = Up::start(&state);
    up.control.call("POST", &at("settle"), "").unwrap();
    let journal = format!("/v1/journal?consent_id={consent}");
    let journal = up.control.call("GET", &journal, "").unwrap();
    let exchanges = journal["exchanges"].as_array().unwrap().iter();
    let event: Vec<&Value> = exchanges.filter(|x| x["endpoint"] == "consent_event").collect();
    assert_eq!(event.len(), 1, "{journal}");
    assert_eq!(event[0]["status"], 200, "{journal}");
    assert!(event[0]["request_body"].as_str().unwrap().contains("suspended"), "{journal}");
}

#[test]
fn events_go_to_a_dc_under_development() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state.redb");
    let hooks = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let origin = format!("https://localhost:{}", hooks.local_addr().unwrap().port());
    let up = Up::start_with(&state, &["--dc-webhooks", &origin]);
    let called = thread::spawn(move || {
        let (mut stream, _) = hooks.accept().unwrap();
        let mut first = [0];
        stream.read_exact(&mut first).unwrap();
        first
    });
    up.control.call("POST", "/v1/links", "{}").unwrap();
    assert_eq!(called.join().unwrap(), [22], "a TLS handshake begins (RFC 8446 §5.1)");
}
