//! No check that cannot fail: for every requirement that a good run passes there is a way to spoil
//! the recorded evidence at which its check takes offence.
#![expect(clippy::unwrap_used, reason = "a test stops at its first surprise")]
#![expect(clippy::too_many_lines, reason = "tables of cases")]

mod cases;
mod spoil;

use std::{collections::BTreeSet, sync::Arc};

use ofp_checks::{Facts, Requirement, Unserved, catalogue, find, judge};
use ofp_evidence::{Record, Verdict};
use ofp_net::{OsEntropy, SystemClock};
use ofp_pki::Pki;
use ofp_runner::{RunOptions, World, WorldOptions, load, run};
use ofp_types::{Clock, Profile};

/// A world in which these scenarios have passed, with what was recorded.
async fn good_run(wanted: impl Fn(&str) -> bool) -> (World, Vec<Arc<Record>>) {
    good_run_in(Profile::default(), wanted).await
}

async fn good_run_in(profile: Profile, wanted: impl Fn(&str) -> bool) -> (World, Vec<Arc<Record>>) {
    let pki = Pki::in_memory(SystemClock.now()).unwrap();
    let (clock, entropy) = (Arc::new(SystemClock), Arc::new(OsEntropy));
    let options = WorldOptions { profile, ..WorldOptions::default() };
    let world = World::boot(&pki, &options, clock, entropy).unwrap();
    let options = RunOptions::by("test", &world, 5);
    let mut scenarios = load(&[]).unwrap();
    scenarios.retain(|one| wanted(&one.id));
    let summary = run(&world, &scenarios, &options, &|_| {}).await;
    assert_eq!(summary.exit_code, 0);
    let records = summary.records.clone();
    (world, records)
}

#[tokio::test]
async fn every_check_that_passes_fails_on_spoilt_evidence() {
    // the rest adds no verdict, only messages that the spoilt evidence would have to be told apart from
    let wanted = |id: &str| id.starts_with("journey/") || id == "platform/token-endpoint-down";
    let (world, records) = good_run(wanted).await;
    let verdict = |id: &str, records: &[Arc<Record>]| {
        judge(find(id).unwrap(), &Facts::of(world.settings(), records))
    };
    let passing: BTreeSet<&str> = catalogue()
        .map(|requirement| requirement.id)
        .filter(|id| matches!(verdict(id, &records), Verdict::Pass { .. }))
        .collect();
    let mut proven = BTreeSet::new();
    for (id, spoil) in cases::cases() {
        let spoilt: Vec<Arc<Record>> = spoil(&records).into_iter().map(Arc::new).collect();
        let verdict = verdict(id, &spoilt);
        let broken = matches!(verdict, Verdict::Fail { .. } | Verdict::Warn { .. });
        assert!(broken, "{id} does not notice: {verdict:?}");
        proven.insert(id);
    }
    let unproven: Vec<_> = passing.difference(&proven).collect();
    assert!(unproven.is_empty(), "no spoilt evidence for {unproven:?}");
    assert!(passing.len() >= 95, "{}", passing.len());
}

/// Everything that the journeys do not come to: refusals, what must be served, and the rest.
#[tokio::test]
async fn every_refusal_that_does_not_come_is_noticed() {
    let (world, records) = good_run(|_| true).await;
    let verdict = |requirement: &Requirement, records: &[Arc<Record>]| {
        judge(requirement, &Facts::of(world.settings(), records))
    };
    let facts = Facts::of(world.settings(), &records);
    // group P has a profile of its own, below
    for requirement in catalogue().filter(|r| !r.id.starts_with('P')) {
        for unserved in requirement.refusals {
            let sent = !facts.unserved(*unserved).is_empty();
            assert!(sent, "no scenario sends what {} wants refused: {unserved:?}", requirement.id);
        }
        for (endpoint, mutation) in requirement.services {
            let sent = !facts.unserved(Unserved::Spoilt(*endpoint, *mutation)).is_empty();
            assert!(sent, "no scenario sends what {} wants served: {mutation}", requirement.id);
        }
    }
    let shown: BTreeSet<&str> = cases::cases().into_iter().map(|(id, _)| id).collect();
    let passes =
        |requirement: &&Requirement| matches!(verdict(requirement, &records), Verdict::Pass { .. });
    let passing: Vec<&Requirement> =
        catalogue().filter(|r| !shown.contains(r.id)).filter(passes).collect();
    assert!(passing.len() >= 140, "{}", passing.len());
    let mut blind = passing;
    let mut try_out = |spoil: &spoil::Spoil| {
        let spoilt: Vec<Arc<Record>> = spoil(&records).into_iter().map(Arc::new).collect();
        let facts = Facts::of(world.settings(), &spoilt);
        blind.retain(|requirement| judge(requirement, &facts).findings().is_empty());
    };
    let kinds = ["O-01", "O-02", "O-03", "O-04", "O-15", "any"];
    kinds.into_iter().flat_map(cases::not_refused).for_each(|spoil| try_out(&spoil));
    cases::anything().iter().for_each(try_out);
    let blind: Vec<&str> = blind.into_iter().map(|requirement| requirement.id).collect();
    assert!(blind.is_empty(), "these notice nothing: {blind:?}");
}

/// The DP as an OpenID provider of its own.
#[tokio::test]
async fn every_check_of_the_token_endpoint_can_fail() {
    let profile = ofp_runner::profile(std::path::Path::new("."), "oidc-dp").unwrap();
    let wanted = |id: &str| id.starts_with("token/") || id == "journey/approve";
    let (world, records) = good_run_in(profile, wanted).await;
    let verdict = |id: &str, records: &[Arc<Record>]| {
        judge(find(id).unwrap(), &Facts::of(world.settings(), records))
    };
    let facts = Facts::of(world.settings(), &records);
    let mut unproven: BTreeSet<&str> =
        catalogue().map(|requirement| requirement.id).filter(|id| id.starts_with('P')).collect();
    for id in &unproven {
        let before = verdict(id, &records);
        assert!(matches!(before, Verdict::Pass { .. }), "{id}: {before:?}");
        for unserved in find(id).unwrap().refusals {
            assert!(!facts.unserved(*unserved).is_empty(), "{id}: nobody sends {unserved:?}");
        }
    }
    for (id, spoil) in cases::token_endpoint() {
        let spoilt: Vec<Arc<Record>> = spoil(&records).into_iter().map(Arc::new).collect();
        let verdict = verdict(id, &spoilt);
        let broken = matches!(verdict, Verdict::Fail { .. } | Verdict::Warn { .. });
        assert!(broken, "{id} does not notice: {verdict:?}");
        unproven.remove(id);
    }
    assert!(unproven.is_empty(), "no spoilt evidence for {unproven:?}");
}
