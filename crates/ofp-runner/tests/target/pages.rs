//! Pages of a stranger that lead nowhere: the run ends in time, and says what they did.

use std::time::Duration;

use ofp_evidence::{Cause, ScenarioStatus, Summary};
use ofp_runner::{RunOptions, exit, load, run};
use tokio::io::AsyncWriteExt as _;
use tokio_openssl::SslStream;

use crate::{kit::Desk, server::requests};

type Stream = SslStream<tokio::net::TcpStream>;

/// The journey with a DP whose pages are answered by `answer`: the summary, and why the first step that did not work
/// out did not.
async fn visit<F>(
    answer: impl Fn(Stream) -> F + Clone + Send + 'static,
) -> (std::sync::Arc<Summary>, String)
where
    F: Future<Output = ()> + Send + 'static,
{
    let mut desk = Desk::new();
    let pages = desk.pages_elsewhere();
    requests(pages, answer);
    let (world, _dp) = desk.boot(&[]);
    let mut scenarios = load(&[]).unwrap();
    scenarios.retain(|one| one.id == "journey/approve");
    let options = RunOptions::by("test", &world, scenarios.len());
    let summary = run(&world, &scenarios, &options, &|_| {}).await;
    let errors = summary.scenarios[0].steps.iter().find_map(|step| step.error.clone());
    (summary, errors.unwrap_or_default())
}

/// What pages do is the DP's to answer for, and a login page that never comes breaks D-02.
fn blamed(summary: &Summary) {
    assert_ne!(summary.scenarios[0].status, ScenarioStatus::Passed);
    let d_02 = summary.requirements.iter().find(|result| result.id.as_str() == "D-02").unwrap();
    let finding = d_02.verdict.findings().first().unwrap_or_else(|| panic!("{d_02:?}"));
    assert_eq!(finding.cause, Cause::Dp, "{finding:?}");
    assert_eq!(summary.exit_code, exit::FAILED);
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_that_redirect_in_a_loop_are_given_up() {
    let (summary, why) = visit(|mut stream: Stream| async move {
        let _ = stream
            .write_all(b"HTTP/1.1 303 See Other\r\nlocation: /again\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
            .await;
    })
    .await;
    assert!(why.contains("more than 10 redirects, last to https://localhost:"), "{why}");
    assert!(why.contains("/again"), "{why}");
    blamed(&summary);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_a_hundred_megabytes_is_not_read_to_its_end() {
    let (summary, why) = visit(|mut stream: Stream| async move {
        let head =
            "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 104857600\r\n\r\n";
        let _ = stream.write_all(head.as_bytes()).await;
        let megabyte = vec![b'x'; 1 << 20];
        for _ in 0..100 {
            if stream.write_all(&megabyte).await.is_err() {
                return;
            }
        }
    })
    .await;
    assert!(why.contains("length limit"), "{why}");
    blamed(&summary);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_drips_costs_no_more_than_the_deadline() {
    let (summary, why) = visit(|mut stream: Stream| async move {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n").await;
        let mut second = tokio::time::interval(Duration::from_secs(1));
        while stream.write_all(b"x").await.is_ok() {
            second.tick().await;
        }
    })
    .await;
    // half a minute is a DP's to wait for PayNet (G-16), and a bit more a browser's to wait for it
    assert!(why.contains("nothing complete within 35s"), "{why}");
    blamed(&summary);
    assert!(summary.took < Duration::from_secs(50), "{:?}", summary.took);
}
