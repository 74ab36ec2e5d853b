//! One approve journey in a fresh world, as a ratio to its floor: the RSA operations, handshakes
//! and hops that it cannot do without, each measured on this machine in this run.
#![expect(clippy::unwrap_used, reason = "a benchmark stops at its first surprise")]
#![expect(clippy::print_stdout, reason = "the ratios are what this benchmark is for")]

use std::{
    collections::HashSet,
    hint::black_box,
    os::unix::net::UnixStream,
    sync::Arc,
    time::{Duration, Instant},
};

use ofp_evidence::{Endpoint, Record, ScenarioStatus, Summary};
use ofp_jose::{CompactJwe, CompactJws, KeySet, KeyUse, PublicKey};
use ofp_net::{ClientAuth, OsEntropy, SystemClock, acceptor};
use ofp_pki::Pki;
use ofp_runner::{RunOptions, SnapshotMode, World, WorldOptions, load, run};
use ofp_types::Clock;
use openssl::{
    ssl::{SslAcceptor, SslConnector, SslMethod},
    x509::store::X509StoreBuilder,
};

/// Connections of a fresh world on which both sides show a certificate: the DC's to the AS and the
/// RS, the DP's to the AS and the RS, PayNet's to the DP.
const MUTUAL_HANDSHAKES: u32 = 5;
/// Connections on which only the server does: discovery and keys by the DC, keys by the DP, the
/// browser's to PayNet, the DP and the DC.
const PLAIN_HANDSHAKES: u32 = 5;
/// A request and its answer over a connection that is there (`technical-notes` 4: 23 µs of CPU).
const HOP: Duration = Duration::from_micros(23);
const ROUNDS: usize = 15;

fn main() {
    let pki = Pki::in_memory(SystemClock.now()).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let mut took: Vec<(Duration, Arc<Summary>)> = (0..ROUNDS)
        .map(|_| {
            let summary = runtime.block_on(journey(&pki));
            assert_eq!(summary.scenarios[0].status, ScenarioStatus::Passed);
            (summary.scenarios[0].took, summary)
        })
        .collect();
    took.sort_by_key(|(took, _)| *took);
    let (median, summary) = &took[ROUNDS / 2];
    let floor = floor(&pki, summary);
    println!(
        "approve in a fresh world: {:.1} ms median of {ROUNDS}, {:.2} times the floor of {:.1} ms",
        median.as_secs_f64() * 1e3,
        median.as_secs_f64() / floor.as_secs_f64(),
        floor.as_secs_f64() * 1e3,
    );
}

async fn journey(pki: &Pki) -> Arc<Summary> {
    let (clock, entropy) = (Arc::new(SystemClock), Arc::new(OsEntropy));
    let world = World::boot(pki, &WorldOptions::default(), clock, entropy).unwrap();
    let scenarios = load(&["journey/approve".into()]).unwrap();
    let options = RunOptions {
        jobs: 1,
        snapshots: SnapshotMode::Check,
        ..RunOptions::by("bench", &world, 1)
    };
    let summary = run(&world, &scenarios, &options, &|_| {}).await;
    world.stop().await;
    summary
}

/// What the journey cannot do without.
fn floor(pki: &Pki, summary: &Summary) -> Duration {
    let counts = Counts::of(summary);
    let signing = pki.dp.signing.signing_key().unwrap();
    let encryption = &pki.dcs[0].encryption;
    let public = PublicKey::of_certificate(&encryption.certificate, KeyUse::Enc).unwrap();
    let decryption = encryption.decryption_key().unwrap();
    let verifying = PublicKey::of_certificate(&pki.dp.signing.certificate, KeyUse::Sig).unwrap();
    let keys = KeySet::new("dp", vec![verifying]);
    let message = [b'x'; 1024];
    let (jws, jwe) = (signing.sign(&message), public.encrypt(&message, None).unwrap());

    let sign = median(&mut || drop(black_box(signing.sign(&message))));
    let verify = median(&mut || drop(black_box(CompactJws::parse(&jws).unwrap().verify(&keys))));
    let encrypt = median(&mut || drop(black_box(public.encrypt(&message, None))));
    let decrypt =
        median(&mut || drop(black_box(decryption.decrypt(&CompactJwe::parse(&jwe).unwrap()))));
    let (client, server) =
        (client(pki), |auth| acceptor(&pki.paynet.server, &pki.ca, auth).unwrap().build());
    let (asking, plain) = (server(ClientAuth::Required), server(ClientAuth::None));
    let mutual = median(&mut || handshake(&client, &asking));
    let plain = median(&mut || handshake(&client, &plain));
    println!(
        "{} signatures of {sign:?}, each verified twice in {verify:?}; {} encryptions of {encrypt:?}, \
         decryptions of {decrypt:?}; {MUTUAL_HANDSHAKES} mutual handshakes of {mutual:?}, \
         {PLAIN_HANDSHAKES} plain of {plain:?}; {} hops of {HOP:?}",
        counts.signatures, counts.balances, counts.hops,
    );
    sign * counts.signatures
        + verify * counts.signatures * 2
        + (encrypt + decrypt) * counts.balances
        + mutual * MUTUAL_HANDSHAKES
        + plain * PLAIN_HANDSHAKES
        + HOP * counts.hops
}

struct Counts {
    signatures: u32,
    balances: u32,
    hops: u32,
}

impl Counts {
    fn of(summary: &Summary) -> Self {
        let mut tokens: HashSet<String> = HashSet::new();
        let (mut balances, mut hops) = (0, 0);
        for record in &summary.records {
            let Record::Exchange(exchange) = &**record else { continue };
            hops += 1;
            balances += u32::from(exchange.endpoint == Endpoint::Balances);
            let messages = [Some(&exchange.request), exchange.response()];
            tokens.extend(signatures(&exchange.url));
            for message in messages.into_iter().flatten() {
                tokens.extend(signatures(&message.text()));
                message.headers.iter().for_each(|(_, value)| tokens.extend(signatures(value)));
            }
        }
        Self { signatures: u32::try_from(tokens.len()).unwrap(), balances, hops }
    }
}

/// The compact JWSs in a text.
fn signatures(text: &str) -> Vec<String> {
    let inside = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    text.split(|c| !inside(c))
        .filter(|word| CompactJws::parse(word).is_ok())
        .map(Into::into)
        .collect()
}

/// A TLS 1.3 handshake between two threads, without a network.
fn handshake(client: &SslConnector, server: &SslAcceptor) {
    let (near, far) = UnixStream::pair().unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| drop(server.accept(far)));
        drop(black_box(client.connect("localhost", near).unwrap()));
    });
}

/// A client with the DP's certificate that trusts the CA.
fn client(pki: &Pki) -> SslConnector {
    let mut builder = SslConnector::builder(SslMethod::tls_client()).unwrap();
    let mut store = X509StoreBuilder::new().unwrap();
    store.add_cert(pki.ca.clone()).unwrap();
    builder.set_cert_store(store.build());
    builder.set_certificate(&pki.dp.client.certificate).unwrap();
    builder.set_private_key(&pki.dp.client.key).unwrap();
    builder.set_groups_list("X25519:P-256").unwrap();
    builder.build()
}

fn median(work: &mut dyn FnMut()) -> Duration {
    let mut times: Vec<Duration> = (0..41)
        .map(|_| {
            let start = Instant::now();
            work();
            start.elapsed()
        })
        .collect();
    times.sort_unstable();
    times[20]
}
