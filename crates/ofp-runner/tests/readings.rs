//! A DP that takes another reading of PayNet's pages than the profile is not failed: it is told which switch to set.
#![expect(clippy::unwrap_used, reason = "a test stops at its first surprise")]

use std::sync::Arc;

use ofp_evidence::{Cause, Finding, Severity, Summary};
use ofp_net::{OsEntropy, SystemClock};
use ofp_pki::Pki;
use ofp_runner::{RunOptions, World, WorldOptions, load, run};
use ofp_types::{
    Clock as _, Profile, ResourceSigner, SigBody, SigHeader, SigResource, SigUserinfo,
};

/// The journeys, two at once, against a reference DP with a reading of its own.
async fn journey(dp_profile: Profile) -> Arc<Summary> {
    let pki = Pki::in_memory(SystemClock.now()).unwrap();
    let (clock, entropy) = (Arc::new(SystemClock), Arc::new(OsEntropy));
    let options = WorldOptions { dp_profile: Some(dp_profile), ..WorldOptions::default() };
    let world = World::boot(&pki, &options, clock, entropy).unwrap();
    let mut scenarios = load(&[]).unwrap();
    scenarios.retain(|one| one.id.starts_with("journey/"));
    let options = RunOptions::by("test", &world, scenarios.len());
    run(&world, &scenarios, &options, &|_| {}).await
}

fn failures(summary: &Summary) -> Vec<&Finding> {
    let findings = summary.requirements.iter().flat_map(|result| result.verdict.findings());
    findings.filter(|finding| finding.severity == Severity::Failure).collect()
}

#[tokio::test]
async fn a_dp_with_another_reading_is_told_which_switch_to_set() {
    let portal = Profile::default;
    let cases = [
        (Profile { sig_body: SigBody::Claims, ..portal() }, "sig_body: claims"),
        (
            Profile { sig_resource: SigResource::DetachedEmpty, ..portal() },
            "sig_resource: detached-empty",
        ),
        (
            Profile { sig_userinfo: SigUserinfo::DetachedConsentId, ..portal() },
            "sig_userinfo: detached-consent-id",
        ),
        (
            Profile {
                resource_signer: ResourceSigner::Dc,
                sig_header: SigHeader::Fapi,
                ..portal()
            },
            "sig_header: fapi and resource_signer: dc",
        ),
    ];
    for (profile, switches) in cases {
        let summary = journey(profile).await;
        let failures = failures(&summary);
        assert_eq!(summary.exit_code, 2, "{switches}: {failures:#?}");
        let told = |finding: &&Finding| {
            let hint = finding.hint.as_deref().unwrap_or_default();
            finding.cause == Cause::Config && hint.contains(switches)
        };
        assert!(failures.iter().any(told), "{switches}: {failures:#?}");
        let blamed: Vec<_> = failures.iter().filter(|f| f.cause == Cause::Dp).collect();
        assert!(blamed.is_empty(), "{switches}: {blamed:#?}");
    }
}

/// Where no reading helps, nothing is excused.
#[tokio::test]
async fn a_dp_that_refuses_in_every_reading_is_at_fault() {
    let pki = Pki::in_memory(SystemClock.now()).unwrap();
    let (clock, entropy) = (Arc::new(SystemClock), Arc::new(OsEntropy));
    let faults = [ofp_types::DpFault::FirstKeyAlone].into();
    let options = WorldOptions { faults, ..WorldOptions::default() };
    let world = World::boot(&pki, &options, clock, entropy).unwrap();
    let mut scenarios = load(&[]).unwrap();
    scenarios.retain(|one| one.id == "keys/rotated");
    let options = RunOptions::by("test", &world, scenarios.len());
    let summary = run(&world, &scenarios, &options, &|_| {}).await;
    assert!(failures(&summary).iter().all(|finding| finding.cause == Cause::Dp));
    assert_eq!(summary.exit_code, 1);
}
