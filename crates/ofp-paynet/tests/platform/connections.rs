//! What never becomes a request is refused all the same, and leaves its reason in the journal.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
};

use ofp_evidence::{Outcome, Record};
use ofp_pki::{Credential, Party, Pki};
use ofp_types::Clock as _;
use openssl::ssl::{SslConnector, SslMethod, SslVerifyMode, SslVersion};

use crate::kit::{DEADLINE, Kit, pki};

/// Where a URL's socket is.
fn address(origin: &str) -> String {
    origin.trim_start_matches("https://").to_owned()
}

/// A TLS client that checks nothing and offers what it is told to.
struct RawClient {
    identity: Option<Credential>,
    newest: SslVersion,
    /// In OpenSSL's form.
    suites: &'static str,
}

const ALL_SUITES: &str = "ALL:@SECLEVEL=0";

impl RawClient {
    fn with(identity: Option<&Credential>) -> Self {
        Self { identity: identity.cloned(), newest: SslVersion::TLS1_3, suites: ALL_SUITES }
    }

    /// Sends bytes and reads until the server closes; none when the handshake was refused.
    fn say(&self, origin: &str, bytes: &[u8]) -> Option<String> {
        let mut builder = SslConnector::builder(SslMethod::tls_client()).unwrap();
        builder.set_verify(SslVerifyMode::NONE);
        builder.set_min_proto_version(None).unwrap();
        builder.set_max_proto_version(Some(self.newest)).unwrap();
        // without it, OpenSSL itself refuses to speak the old versions
        builder.set_cipher_list(self.suites).unwrap();
        if let Some(identity) = &self.identity {
            builder.set_certificate(&identity.certificate).unwrap();
            builder.set_private_key(&identity.key).unwrap();
        }
        let tcp = TcpStream::connect(address(origin)).unwrap();
        let mut stream = builder.build().connect("localhost", tcp).ok()?;
        stream.write_all(bytes).ok()?;
        let mut answer = Vec::new();
        // a server that refuses the certificate says so at the first read (TLS 1.3)
        match stream.read_to_end(&mut answer) {
            Err(_) if answer.is_empty() => None,
            _ => Some(String::from_utf8_lossy(&answer).into_owned()),
        }
    }
}

impl Kit {
    /// What the journal says of the next connection that brings no request.
    async fn next_trouble(&self, what: impl FnOnce() + Send + 'static) -> String {
        let before = self.troubles().len();
        let mut journal = self.journal.watch();
        tokio::task::spawn_blocking(what).await.unwrap();
        let there = async {
            while self.troubles().len() == before {
                journal.changed().await.unwrap();
            }
        };
        tokio::time::timeout(DEADLINE, there).await.expect("the journal says nothing");
        let troubles = self.troubles();
        assert_eq!(troubles.len(), before + 1, "one line: {troubles:?}");
        troubles.last().unwrap().clone()
    }

    fn troubles(&self) -> Vec<String> {
        let records = self.journal.records();
        let line = |record: &Record| match record {
            Record::Exchange(exchange) if exchange.method.is_empty() => {
                Some(match &exchange.outcome {
                    Outcome::Failed(failure) => failure.to_string(),
                    Outcome::Answered { status, .. } => {
                        format!("{status} {}", exchange.note.clone().unwrap_or_default())
                    }
                })
            }
            _ => None,
        };
        records.iter().filter_map(|record| line(record)).collect()
    }
}

const HEALTHY: &[u8] =
    b"GET /v1/providers HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

#[tokio::test]
async fn a_handshake_that_is_refused_leaves_its_reason() {
    let kit = Kit::start();
    let good = &pki().kit(Party::Dp).client;
    let stranger = Pki::in_memory(ofp_net::SystemClock.now()).unwrap();
    let old = |newest| RawClient { newest, ..RawClient::with(Some(good)) };
    let cases = [
        (RawClient::with(None), "the client presented no certificate"),
        (
            RawClient::with(Some(&stranger.kit(Party::Dp).client)),
            "is not acceptable: unable to get local issuer certificate",
        ),
        (old(SslVersion::TLS1), "the client offers no TLS version from 1.2 on"),
        (old(SslVersion::TLS1_1), "the client offers no TLS version from 1.2 on"),
    ];
    for (client, expected) in cases {
        for origin in [kit.mtls.clone(), kit.rs.clone()] {
            let raw =
                RawClient { newest: client.newest, ..RawClient::with(client.identity.as_ref()) };
            let said = kit.next_trouble(move || assert_eq!(raw.say(&origin, HEALTHY), None)).await;
            assert!(said.starts_with("TLS handshake refused: "), "{said}");
            assert!(said.contains(expected), "{said}");
        }
    }
    for newest in [SslVersion::TLS1, SslVersion::TLS1_1] {
        let raw = RawClient { newest, ..RawClient::with(None) };
        let origin = kit.issuer.clone();
        let said = kit.next_trouble(move || assert_eq!(raw.say(&origin, HEALTHY), None)).await;
        assert!(said.contains("no TLS version from 1.2 on"), "the public AS: {said}");
    }
    let origin = address(&kit.rs);
    let plain = kit.next_trouble(move || {
        let mut tcp = TcpStream::connect(origin).unwrap();
        tcp.write_all(HEALTHY).unwrap();
        let _ = tcp.read_to_end(&mut Vec::new());
    });
    assert!(plain.await.contains("speaks HTTP without TLS"));
    let healthy = old(SslVersion::TLS1_2).say(&kit.rs, HEALTHY).unwrap();
    assert!(healthy.starts_with("HTTP/1.1 401"), "TLS 1.2 is fine: {healthy}");
}

#[tokio::test]
async fn a_request_that_is_no_http_leaves_its_reason() {
    let kit = Kit::start();
    let client = || RawClient::with(Some(&pki().kit(Party::Dp).client));
    let long = format!("GET / HTTP/1.1\r\nX-Long: {}\r\n\r\n", "x".repeat(200_000));
    let cases = [
        ("NONSENSE\r\n\r\n".to_owned(), "400"),
        ("GET / HTTP/9.9\r\n\r\n".to_owned(), "400"),
        ("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: many\r\n\r\n".to_owned(), "400"),
        ("GET / HTTP/1.1\r\nNo colon\r\n\r\n".to_owned(), "400"),
        (long, "431"),
    ];
    for (bytes, status) in cases {
        let (raw, origin, sent) = (client(), kit.rs.clone(), bytes.clone());
        let said = kit.next_trouble(move || {
            let answer = raw.say(&origin, sent.as_bytes()).unwrap_or_default();
            assert!(answer.starts_with("HTTP/1.1 4"), "{answer}");
        });
        let said = said.await;
        assert!(said.starts_with(&format!("{status} not an HTTP/1.1 request: ")), "{said}");
    }
    // a body that is wrongly chunked makes an exchange like any other
    let head = "POST /v1/consents/x/revoke HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n";
    let chunked = format!("{head}Transfer-Encoding: chunked\r\n\r\nzz\r\nnot a chunk\r\n");
    let (raw, origin) = (client(), kit.rs.clone());
    let said = tokio::task::spawn_blocking(move || raw.say(&origin, chunked.as_bytes()));
    let said = said.await.unwrap().unwrap_or_default();
    assert!(said.is_empty() || said.starts_with("HTTP/1.1 400"), "{said}");
    let mut journal = kit.journal.watch();
    let there = async {
        while !kit.reason().contains("could not be read") {
            journal.changed().await.unwrap();
        }
    };
    tokio::time::timeout(DEADLINE, there).await.expect("the journal says nothing");
}

/// An answer that comes before the request has been read arrives all the same.
#[tokio::test]
async fn a_body_that_is_too_long_is_answered() {
    let kit = Kit::start();
    let raw = RawClient::with(Some(&pki().kit(Party::Dp).client));
    let head = "POST /v1/consents/x/revoke HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n";
    let body = "x".repeat(2_000_000);
    let bytes = format!("{head}Content-Length: {}\r\n\r\n{body}", body.len());
    let origin = kit.rs.clone();
    let said = tokio::task::spawn_blocking(move || raw.say(&origin, bytes.as_bytes()));
    let said = said.await.unwrap().unwrap_or_default();
    assert!(said.starts_with("HTTP/1.1 413"), "{said}");
}

/// BCP 195: suites with SHA-1, CBC or without forward secrecy are not spoken.
#[tokio::test]
async fn weak_suites_are_refused_on_every_listener() {
    let kit = Kit::start();
    let good = &pki().kit(Party::Dp).client;
    let with =
        |suites| RawClient { newest: SslVersion::TLS1_2, suites, ..RawClient::with(Some(good)) };
    let weak = [
        "AES128-SHA:AES256-SHA:@SECLEVEL=0",
        "AES128-GCM-SHA256:@SECLEVEL=0",
        "ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES128-SHA:@SECLEVEL=0",
        "ECDHE-ECDSA-AES256-SHA384:ECDHE-RSA-AES256-SHA384:@SECLEVEL=0",
    ];
    for suites in weak {
        for origin in [kit.issuer.clone(), kit.mtls.clone(), kit.rs.clone()] {
            let raw = with(suites);
            let said = kit.next_trouble(move || assert_eq!(raw.say(&origin, HEALTHY), None)).await;
            assert!(said.contains("no cipher suite that the profile allows"), "{suites}: {said}");
        }
    }
    let strong = with("ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256");
    assert!(strong.say(&kit.rs, HEALTHY).unwrap().starts_with("HTTP/1.1 401"));
}
