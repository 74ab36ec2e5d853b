//! The preflight: what is broken on purpose must be named, with its cure, and classed.

use std::time::{Duration, Instant};

use ofp_net::SystemClock;
use ofp_pki::{Party, Pki};
use ofp_runner::{
    doctor::{DoctorLine, Finding, reach},
    exit,
};
use ofp_types::Clock as _;
use openssl::ssl::SslVersion;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::{
    kit::{Desk, KEYS, TARGET},
    server::{accepted, identified, requests, server},
};

/// The line that stops the run, with its cure, and the exit code.
fn told(lines: &[DoctorLine]) -> String {
    let bad = lines.iter().filter_map(|line| match &line.finding {
        Finding::Bad { cause, mend } => {
            Some(format!("{} {cause}: {}: {}; {mend}", line.code, line.checked, line.came))
        }
        _ => None,
    });
    bad.collect::<Vec<_>>().join("\n")
}

/// What is broken, by what; the code, what must be said to have come, and how to mend it.
const BROKEN: &[(&str, &str, &str, &str, &str)] = &[
    ("dp_id:", "dp-id:", "T-01", "target.yaml:2: unknown key `dp-id`", "did you mean `dp_id`"),
    ("PKI/ca.pem, client_c", "PKI/none.pem, client_c", "T-03", "cannot read", "relative to"),
    (
        "server_ca: PKI/ca.pem",
        "server_ca: PKI/dp/server-key.pem",
        "T-03",
        "a private key and no",
        "the certificate's file",
    ),
    (
        "PKI/dp/client.pem",
        "PKI/dp/server.pem",
        "T-04",
        "unsuitable certificate purpose",
        "TLS client authentication",
    ),
    (
        "client_ca: PKI/ca.pem",
        "client_ca: PKI/dc-1/server.pem",
        "T-05",
        "unable to get local issuer",
        "it was issued by O=ofp-sim",
    ),
    (
        "certificate: PKI/dp/signing.pem",
        "certificate: PKI/dp/client.pem",
        "T-06",
        "its key is an elliptic curve's",
        "RSA key of at least 2048",
    ),
    (
        "certificate: PKI/dp/signing.pem",
        "jwks: PKI/ca.pem",
        "T-06",
        "it is not a JWK set",
        "RFC 7517",
    ),
    (
        "certificate: PKI/dp/signing.pem",
        "jwks: enc-only.json",
        "T-06",
        "no key of use=sig",
        "use=sig",
    ),
    (
        "password: paynet\n",
        "password: { env: NOT_SET }\n",
        "T-07",
        "the environment variable NOT_SET is not set",
        "before ofp-sim is started",
    ),
    ("nric.txt", "empty.txt", "T-07", "the first line of", "write the file"),
    (
        "as: 0, as_mtls: 0",
        "as: 18441, as_mtls: 18441",
        "T-08",
        "listen.as and listen.as_mtls are both 18441",
        "a port of its own",
    ),
    (
        "dp_id:",
        "profile: portal-9\ndp_id:",
        "T-02",
        "`portal-9` is no profile",
        "built in: portal-1.2.2",
    ),
    (
        "test_data:",
        "customer: { pages: { approve: 'a[' } }\ntest_data:",
        "T-16",
        "`a[` is no CSS selector",
        "such as",
    ),
    ("issuer: https", "issuer: http", "T-01", "an issuer is an https URL", "RFC 8414"),
];

#[test]
fn a_file_that_is_wrong_says_what_and_where() {
    for &(from, to, code, came, mend) in BROKEN {
        let desk = Desk::new();
        assert!(TARGET.contains(from), "{from}");
        desk.write(&TARGET.replace(from, to));
        std::fs::write(desk.path("enc-only.json"), r#"{"keys":[]}"#).unwrap();
        std::fs::write(desk.path("empty.txt"), "\n").unwrap();
        let examined = desk.examine();
        let text = told(&examined.report.lines);
        assert!(text.starts_with(code), "{to}: {text}");
        assert!(text.contains(came) && text.contains(mend), "{to}: {text}");
        assert!(!text.contains('\n'), "one cause, one line: {text}");
        assert_eq!(examined.report.exit_code(), exit::CONFIG, "{text}");
    }
}

#[test]
fn expired_certificates_and_missing_files_are_found_without_a_dp() {
    let desk = Desk::new();
    let long_ago = SystemClock.now() - jiff::SignedDuration::from_hours(24 * 400);
    let old = KEYS.1.client_issued_at(Party::Dp, long_ago).unwrap();
    std::fs::write(desk.path("old.pem"), old.certificate.to_pem().unwrap()).unwrap();
    desk.write(&TARGET.replace("PKI/dp/client.pem", "old.pem"));
    let text = told(&desk.examine().report.lines);
    assert!(
        text.starts_with("T-04") && text.contains("expired") && text.contains("renew"),
        "{text}"
    );

    let text = told(&crate::kit::examined(&desk.path("nothing.yaml")).report.lines);
    assert!(text.contains("cannot read") && text.contains("ofp-sim init"), "{text}");
}

#[test]
fn a_password_in_the_file_is_worth_a_warning() {
    let desk = Desk::new();
    desk.write(&TARGET.replace("password: paynet\n", "password: s3cret\n"));
    let examined = desk.examine();
    let warned = examined.report.lines.iter().any(|line| {
        matches!(&line.finding, Finding::Warning { mend } if mend.contains("{ env: NAME }"))
            && line.came.contains("stands in the target file")
    });
    assert!(warned, "{:#?}", examined.report.lines);
    assert!(examined.target.is_some());
}

async fn reached(desk: &Desk, pki: &Pki) -> (String, u8, Duration) {
    let mut examined = desk.examine();
    let mut target = examined.target.take().unwrap();
    let started = Instant::now();
    reach(&mut target, pki, &SystemClock, &mut examined.report).await;
    (told(&examined.report.lines), examined.report.exit_code(), started.elapsed())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dp_in_order_is_reached() {
    let mut desk = Desk::new();
    let (_world, _dp) = desk.boot(&[]);
    let (text, code, _) = reached(&desk, &KEYS.1).await;
    assert_eq!((text.as_str(), code), ("", exit::PASSED));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dp_that_does_not_trust_us_is_told_from_one_that_is_down() {
    let mut desk = Desk::new();
    let (_world, _dp) = desk.boot(&[]);
    let stranger = Pki::in_memory(SystemClock.now()).unwrap();
    let (text, code, _) = reached(&desk, &stranger).await;
    assert!(text.starts_with("T-10 configuration"), "{text}");
    assert!(
        text.contains("the DP refused PayNet's client certificate (TLS alert unknown ca)"),
        "{text}"
    );
    assert!(text.contains("issued by O=ofp-sim"), "{text}");
    assert_eq!(code, exit::CONFIG);

    desk.webhooks.take();
    let gone = Desk::new();
    let mut gone = gone;
    gone.webhooks.take();
    let (text, code, _) = reached(&gone, &KEYS.1).await;
    assert!(text.starts_with("T-09 the network") && text.contains("refused"), "{text}");
    assert_eq!(code, exit::UNTESTED);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_name_and_another_ca_are_told_apart() {
    let mut desk = Desk::new();
    let (_world, _dp) = desk.boot(&[]);
    let other = Pki::in_memory(SystemClock.now()).unwrap();
    std::fs::write(desk.path("other.pem"), other.ca.to_pem().unwrap()).unwrap();
    let text = std::fs::read_to_string(desk.file()).unwrap();
    let ca = format!("server_ca: {}/ca.pem", KEYS.0.path().display());
    std::fs::write(desk.file(), text.replace(&ca, "server_ca: other.pem")).unwrap();
    let (told, code, _) = reached(&desk, &KEYS.1).await;
    assert!(told.starts_with("T-11 configuration"), "{told}");
    assert!(
        told.contains("It is O=Reference DP") && told.contains("tls.server_ca holds"),
        "{told}"
    );
    assert_eq!(code, exit::CONFIG);

    std::fs::write(
        desk.file(),
        text.replace("webhooks: https://localhost", "webhooks: https://127.0.0.2"),
    )
    .unwrap();
    let (told, _, _) = reached(&desk, &KEYS.1).await;
    // where the system has that address at all
    assert!(told.starts_with("T-12") || told.starts_with("T-09"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dp_that_speaks_http_is_a_matter_of_configuration() {
    let mut desk = Desk::new();
    server(desk.webhooks.take().unwrap(), |mut stream| async move {
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
    });
    let (text, code, _) = reached(&desk, &KEYS.1).await;
    assert!(
        text.starts_with("T-10 configuration")
            && text.contains("it speaks no TLS (wrong version number)"),
        "{text}"
    );
    assert_eq!(code, exit::CONFIG);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dp_with_nothing_newer_than_tls_1_1_is_told_so() {
    let mut desk = Desk::new();
    server(desk.webhooks.take().unwrap(), |stream| async move {
        let mut tls = identified();
        tls.set_min_proto_version(None).unwrap();
        tls.set_max_proto_version(Some(SslVersion::TLS1_1)).unwrap();
        let _ = std::pin::Pin::new(&mut accepted(&tls.build(), stream)).accept().await;
    });
    let (text, code, _) = reached(&desk, &KEYS.1).await;
    assert!(text.contains("neither TLS 1.2 nor 1.3") && text.contains("A-02"), "{text}");
    assert_eq!(code, exit::CONFIG);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dp_that_says_nothing_costs_no_more_than_the_deadline() {
    let mut desk = Desk::new();
    server(desk.webhooks.take().unwrap(), |mut stream| async move {
        // a byte now and then would be the same: the handshake has one deadline
        let mut space = [0; 4096];
        while stream.read(&mut space).await.is_ok_and(|read| read > 0) {}
    });
    let (text, code, took) = reached(&desk, &KEYS.1).await;
    assert!(text.starts_with("T-09 the network") && text.contains("no answer within 5s"), "{text}");
    assert_eq!(code, exit::UNTESTED);
    assert!(took < Duration::from_secs(9), "{took:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_of_a_hundred_megabytes_is_not_read_to_its_end() {
    let mut desk = Desk::new();
    requests(desk.webhooks.take().unwrap(), |mut stream| async move {
        let head = "HTTP/1.1 200 OK\r\ncontent-length: 104857600\r\n\r\n";
        let _ = stream.write_all(head.as_bytes()).await;
        let megabyte = vec![b'x'; 1 << 20];
        for _ in 0..100 {
            if stream.write_all(&megabyte).await.is_err() {
                return;
            }
        }
    });
    let (text, code, _) = reached(&desk, &KEYS.1).await;
    assert!(text.starts_with("T-13 the network") && text.contains("length limit"), "{text}");
    assert_eq!(code, exit::UNTESTED);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_drips_costs_no_more_than_the_deadline() {
    let mut desk = Desk::new();
    requests(desk.webhooks.take().unwrap(), |mut stream| async move {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n").await;
        let mut second = tokio::time::interval(Duration::from_secs(1));
        while stream.write_all(b"x").await.is_ok() {
            second.tick().await;
        }
    });
    let (text, code, took) = reached(&desk, &KEYS.1).await;
    assert!(text.starts_with("T-13 the network"), "{text}");
    assert!(text.contains("nothing complete within 5s"), "{text}");
    assert_eq!(code, exit::UNTESTED);
    assert!(took < Duration::from_secs(12), "{took:?}");
}
