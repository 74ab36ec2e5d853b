//! Scenarios against a stranger.

use std::sync::Arc;

use ofp_evidence::{ScenarioStatus, Summary, Verdict};
use ofp_net::SystemClock;
use ofp_runner::{RunOptions, World, evidence, exit, judge_evidence, load, run};
use ofp_types::{Clock as _, DpFault};

use crate::kit::{Desk, TARGET};

async fn played(world: &World, ids: &[&str]) -> Arc<Summary> {
    let mut scenarios = load(&[]).unwrap();
    scenarios.retain(|one| ids.iter().any(|id| one.id.starts_with(id)));
    assert!(!scenarios.is_empty(), "{ids:?}");
    let options = RunOptions::by("test", world, scenarios.len());
    run(world, &scenarios, &options, &|_| {}).await
}

fn because(summary: &Summary, id: &str) -> String {
    let scenario = summary.scenarios.iter().find(|one| one.id.0 == id).unwrap();
    scenario.steps.iter().find_map(|step| step.error.clone()).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_passes_the_journeys() {
    let mut desk = Desk::new();
    let (world, _dp) = desk.boot(&[]);
    let summary =
        played(&world, &["journey/", "screens/foreign-account", "data/transactions"]).await;
    for scenario in &summary.scenarios {
        let steps: Vec<_> = scenario.steps.iter().filter(|s| s.error.is_some()).collect();
        assert_eq!(scenario.status, ScenarioStatus::Passed, "{}: {steps:#?}", scenario.id.0);
    }
    let failed = summary.requirements.iter().find(|r| matches!(r.verdict, Verdict::Fail { .. }));
    assert!(failed.is_none(), "{failed:#?}");
    assert_eq!(summary.exit_code, exit::PASSED);
    let secret = "900101145678";
    assert!(summary.secrets.mask(secret).find(secret).is_none(), "id numbers are masked");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_strangers_fault_is_blamed_on_its_requirement() {
    let mut desk = Desk::new();
    let (world, _dp) = desk.boot(&[DpFault::BalanceSignatureFlipped]);
    let summary = played(&world, &["journey/approve"]).await;
    let failed: Vec<&str> = summary
        .requirements
        .iter()
        .filter(|result| matches!(result.verdict, Verdict::Fail { .. }))
        .map(|result| result.id.as_str())
        .collect();
    assert_eq!(failed, ["K-04"]);
    assert_eq!(summary.exit_code, exit::FAILED);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_target_lacks_is_not_played_and_says_so() {
    let mut desk = Desk::new();
    desk.write(
        &TARGET
            .replace("scope: [drop-1, accounts, transactions]", "scope: [drop-1]")
            .replace("      may_be_locked: true\n", ""),
    );
    let (world, _dp) = desk.boot(&[]);
    let ids = [
        "life-cycle/revoked-by-dp",
        "life-cycle/expired",
        "data/pension",
        "data/transactions",
        "journey/wrong-password",
        "resilience/core-down",
    ];
    let summary = played(&world, &ids).await;
    for (id, reason) in [
        ("life-cycle/revoked-by-dp", "it needs hook `revoke` of the target file, which names none"),
        ("life-cycle/expired", "a DP that is not ours has a clock of its own"),
        ("data/pension", "the DP's test data has no customer `siti`"),
        ("data/transactions", "the target's `scope` does not claim transactions"),
        ("journey/wrong-password", "may_be_locked: true"),
        ("resilience/core-down", "it needs hook `core_down`"),
    ] {
        assert!(because(&summary, id).contains(reason), "{id}: {}", because(&summary, id));
        let scenario = summary.scenarios.iter().find(|one| one.id.0 == id).unwrap();
        assert_eq!(scenario.status, ScenarioStatus::Skipped, "{id}");
    }
    let core = summary.requirements.iter().find(|result| result.id.as_str() == "O-13").unwrap();
    assert!(core.verdict.because().unwrap().contains("core_down"), "{:?}", core.verdict);
}

#[tokio::test(flavor = "multi_thread")]
async fn hooks_run_in_the_folder_of_the_target() {
    let mut desk = Desk::new();
    let script = desk.path("hook.sh");
    std::fs::write(&script, "echo \"$@\" >>said.txt\n").unwrap();
    desk.write(&format!("{TARGET}hooks: {{ flush_jwks: [sh, hook.sh, flush], core_down: [sh, -c, 'echo out of order >&2; exit 3'] }}\n"));
    let (world, _dp) = desk.boot(&[]);
    let summary = played(&world, &["platform/key-rotated", "resilience/core-down"]).await;
    let said = std::fs::read_to_string(desk.path("said.txt")).unwrap();
    assert!(said.starts_with("flush\n"), "{said}");
    let why = because(&summary, "resilience/core-down");
    assert_eq!(why, "hook `core_down` failed: exit status: 3: out of order");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_can_play_the_customer() {
    for (answer, wanted) in [
        (r#"{"error": "the app crashed"}"#, "the app crashed"),
        ("not json", "expected {\"callback_url\": …} or {\"error\": …}, found `not json"),
        (r#"{"callback": "https://x.test"}"#, "unknown field `callback`"),
    ] {
        let mut desk = Desk::new();
        let program = "cat >wish.json; cat answer.json";
        std::fs::write(desk.path("answer.json"), answer).unwrap();
        desk.write(&format!(
            "{TARGET}customer: {{ driver: command, command: [sh, -c, '{program}'] }}\n"
        ));
        let (world, _dp) = desk.boot(&[]);
        let summary = played(&world, &["journey/approve", "journey/wrong-password"]).await;
        let why = because(&summary, "journey/approve");
        assert!(why.contains(wanted), "{why}");
        let wish = std::fs::read_to_string(desk.path("wish.json")).unwrap();
        let wish: serde_json::Value = serde_json::from_str(&wish).unwrap();
        assert_eq!(wish["decision"], "approve");
        assert_eq!(wish["accounts"], "first");
        assert_eq!(wish["username"], "paynet");
        assert!(wish["url"].as_str().unwrap().starts_with("https://localhost:"), "{wish}");
        let why = because(&summary, "journey/wrong-password");
        assert!(why.contains("driver `command` makes a visit in one go"), "{why}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dp_whose_own_calls_are_refused_is_not_blamed() {
    let mut desk = Desk::new();
    // PayNet is told to expect another certificate than the DP presents
    let other = ofp_pki::self_signed_client(ofp_pki::Party::Dp, SystemClock.now()).unwrap();
    std::fs::write(desk.path("other.pem"), other.certificate.to_pem().unwrap()).unwrap();
    let stranger = ofp_pki::Pki::in_memory(SystemClock.now()).unwrap();
    desk.write(&TARGET.replace(
        "client_certificate: PKI/dp/client.pem, client_ca: PKI/ca.pem",
        "client_certificate: other.pem",
    ));
    let (world, _dp) = desk.boot_as(&[], stranger.dp.client);
    let summary = played(&world, &["journey/"]).await;
    assert_eq!(summary.exit_code, exit::CONFIG);
    let blamed = summary.requirements.iter().find(|r| matches!(r.verdict, Verdict::Fail { .. }));
    assert!(blamed.is_none(), "{blamed:#?}");
    let g_01 = summary.requirements.iter().find(|result| result.id.as_str() == "G-01").unwrap();
    let because = g_01.verdict.because().unwrap();
    assert!(because.contains("the client's certificate (O=Reference DP"), "{because}");
    assert!(because.contains("issued by O=ofp-sim, CN=ofp-sim throwaway CA"), "{because}");
    assert!(because.contains("tls.client_certificate"), "{because}");

    let kept = desk.path("run.evidence");
    std::fs::write(&kept, evidence(world.settings(), &summary).unwrap()).unwrap();
    let again = judge_evidence(&kept, false).unwrap();
    assert_eq!(again.exit_code, exit::CONFIG);
    for (now, then) in again.requirements.iter().zip(&summary.requirements) {
        assert_eq!(now.verdict.word(), then.verdict.word(), "{}", now.id);
    }
}
