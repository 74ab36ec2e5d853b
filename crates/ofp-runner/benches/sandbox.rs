//! The standing platform under load, as a ratio to the RSA private operations that each request cannot
//! do without, measured with `openssl speed` in the same run; and its memory over 100,000 requests.
//!
//! A balance through DC, PayNet and DP takes four of them: the DC signs its request and decrypts the
//! answer, PayNet signs its hop, the DP signs its answer. A token takes one, the client's assertion.
#![expect(clippy::unwrap_used, reason = "a benchmark stops at its first surprise")]
#![expect(clippy::print_stdout, reason = "the ratios are what this benchmark is for")]

use std::{collections::HashSet, process::Command, sync::Arc, time::Instant};

use jiff::SignedDuration;
use ofp_dc::{ConsentRequest, Linked, Resource};
use ofp_net::{OsEntropy, SystemClock};
use ofp_pki::Pki;
use ofp_runner::{World, WorldOptions};
use ofp_types::{Clock, DpId, Permission, Purpose};

/// RSA private operations of one balance.
const PER_BALANCE: f64 = 4.0;
/// RSA private operations of one token.
const PER_TOKEN: f64 = 1.0;
const AT_ONCE: usize = 16;
const WARM_UP: usize = 2_000;
const BALANCES: usize = 8_000;
const TOKENS: usize = 20_000;

fn main() {
    let many = std::env::args().any(|arg| arg == "--memory");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(measure(many));
}

async fn measure(many: bool) {
    let pki = Pki::in_memory(SystemClock.now()).unwrap();
    let options = WorldOptions {
        journal: Some(World::SANDBOX_JOURNAL),
        policies: HashSet::new(),
        ..WorldOptions::default()
    };
    let world = World::boot(&pki, &options, Arc::new(SystemClock), Arc::new(OsEntropy)).unwrap();
    let world = Arc::new(world);
    let linked = Arc::new(world.link("paynet", &request()).await.unwrap());

    balances(&world, &linked, WARM_UP).await;
    let before = openssl_speed();
    let rate = balances(&world, &linked, BALANCES).await;
    let token_rate = tokens(&world, TOKENS).await;
    let ceiling = f64::midpoint(before, openssl_speed());
    println!("openssl speed: {ceiling:.0} RSA-2048 private operations a second on all processors");
    report("balances through DC, PayNet and DP", rate, ceiling / PER_BALANCE);
    report("tokens (client_credentials, private_key_jwt)", token_rate, ceiling / PER_TOKEN);
    if many {
        memory(&world, &linked).await;
    }
    world.stop().await;
}

fn report(what: &str, rate: f64, ceiling: f64) {
    println!(
        "{what}: {rate:.0} requests a second, {:.2} of the ceiling of {ceiling:.0}",
        rate / ceiling
    );
}

fn request() -> ConsentRequest {
    ConsentRequest {
        dp_id: Some(DpId::parse("DP9876543210").unwrap()),
        purpose: Purpose::Pfm,
        permissions: vec![Permission::ReadAccounts, Permission::ReadBalances],
        expiration: SystemClock.now() + SignedDuration::from_hours(48),
        as_jwt: false,
    }
}

async fn balances(world: &Arc<World>, linked: &Arc<Linked>, count: usize) -> f64 {
    rate(count, || {
        let (world, linked) = (Arc::clone(world), Arc::clone(linked));
        async move {
            let account = &linked.accounts[0];
            let reading = world.read(&linked, account, Resource::Balances).await.unwrap();
            assert!(reading.data.is_ok(), "{:?}", reading.data);
        }
    })
    .await
}

async fn tokens(world: &Arc<World>, count: usize) -> f64 {
    rate(count, || {
        let world = Arc::clone(world);
        async move { world.own_token().await.unwrap() }
    })
    .await
}

/// Requests a second, `AT_ONCE` of them in hand.
#[expect(clippy::cast_precision_loss, reason = "counts fit a double")]
async fn rate<F>(count: usize, one: impl Fn() -> F + Clone) -> f64
where
    F: Future<Output = ()> + Send + 'static,
{
    let started = Instant::now();
    let mut in_hand = tokio::task::JoinSet::new();
    for _ in 0..count {
        if in_hand.len() == AT_ONCE {
            in_hand.join_next().await.unwrap().unwrap();
        }
        in_hand.spawn(one());
    }
    in_hand.join_all().await;
    count as f64 / started.elapsed().as_secs_f64()
}

/// Resident memory after each tenth of 100,000 requests, half of them balances. An access token lives
/// ten minutes, and a run may take longer.
async fn memory(world: &Arc<World>, linked: &Arc<Linked>) {
    let mut linked = Arc::clone(linked);
    let mut sizes = Vec::new();
    for _ in 0..10 {
        balances(world, &linked, 5_000).await;
        tokens(world, 5_000).await;
        linked = Arc::new(world.refresh(&linked).await.unwrap());
        sizes.push(resident_mib());
    }
    let shown: Vec<String> = sizes.iter().map(|mib| format!("{mib:.0}")).collect();
    println!("resident MiB after each 10,000 of 100,000 requests: {}", shown.join(" "));
    let (middle, last) = (sizes[4], sizes[9]);
    assert!(last <= middle * 1.1, "memory grows: {middle:.0} MiB after half, {last:.0} at the end");
}

fn resident_mib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    let kib: f64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kib / 1024.0
}

/// RSA-2048 private operations a second on all processors, by the openssl command.
fn openssl_speed() -> f64 {
    let processors = std::thread::available_parallelism().unwrap().to_string();
    let ran = Command::new("openssl")
        .args(["speed", "-seconds", "2", "-mr", "-multi", &processors, "rsa2048"])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&ran.stdout).into_owned();
    // +F2:<n>:2048:<private operations a second>:<public operations a second>, of all processes
    let line = text.lines().rev().find(|line| line.starts_with("+F2:")).unwrap();
    line.split(':').nth(3).unwrap().parse().unwrap()
}
