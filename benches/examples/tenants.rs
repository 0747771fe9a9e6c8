//! The cost of many issuers: memory, a change of one, and a look-up among them.
//!
//!     cargo run --release -p tollgate-bench --example tenants -- [COUNT]

#![forbid(unsafe_code)]

use std::hint::black_box;
use std::time::{Duration, Instant};

use tollgate::{Algorithm, Engine, Issuer, KeyRing};
use tollgate_tests::{AUDIENCE, Draft, NOW, key_set, signing_key};

/// The repetitions of each step, and the number of runs, of which the shortest is reported.
const ROUNDS: u32 = 20_000;
const RUNS: usize = 5;

fn main() {
    let count = std::env::args().nth(1).map_or(10_000, |count| count.parse().expect("a number of issuers"));
    let key = signing_key(Algorithm::HS256, 0);
    // One key set for all, as for the tenants of one provider.
    let keys = KeyRing::new(key_set([&key]));
    let issuer = |index: usize| Issuer::new(&name(index)).audience(AUDIENCE).keys(keys.clone());
    let token = |index: usize| Draft::new(&key).claim("iss", name(index)).sign(&key);
    let unknown = token(usize::MAX);

    let counts = [1, 100, count];
    for count in counts {
        let before = resident_bytes();
        let begun = Instant::now();
        let engine = Engine::builder().no_cache().issuers_at_run_time().build().expect("it may be empty");
        engine.replace_issuers((0..count).map(issuer)).expect("they are all different");
        let built = begun.elapsed();
        let bytes = resident_bytes().saturating_sub(before);
        println!("{count} issuers: built in {built:.1?}, {} bytes each", bytes / count);

        let token = token(count / 2);
        let accepted = shortest(|| drop(black_box(engine.verify_at(&token, NOW)).expect("it is good")));
        let rejected =
            shortest(|| drop(black_box(engine.verify_at(&unknown, NOW)).expect_err("its issuer is unknown")));
        let changed = shortest(|| {
            engine.add_issuer(issuer(count)).expect("it is new");
            assert!(engine.remove_issuer(&name(count)));
        });
        println!(
            "  cold verify, HS256 {accepted:.2?}; unknown issuer {rejected:.2?}; add and remove one {changed:.2?}"
        );
        let warm = Engine::builder().issuers_at_run_time().build().expect("it may be empty");
        warm.replace_issuers((0..count).map(issuer)).expect("they are all different");
        let hit = shortest(|| drop(black_box(warm.verify_at(&token, NOW)).expect("it is good")));
        warm.add_issuer(issuer(count)).expect("it is new");
        let begun = Instant::now();
        warm.verify_at(&token, NOW).expect("it is good");
        println!("  hit {hit:.2?}; first hit after a change {:.2?}", begun.elapsed());
    }
}

fn name(index: usize) -> String {
    format!("https://login.example.com/{index:032x}/v2.0")
}

/// The time of one call.
fn shortest(mut call: impl FnMut()) -> Duration {
    let run = |_| {
        let begun = Instant::now();
        (0..ROUNDS).for_each(|_| call());
        begun.elapsed() / ROUNDS
    };
    (0..RUNS).map(run).min().unwrap_or_default()
}

/// The resident memory of this process; 0 if it is unknown.
fn resident_bytes() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<usize>().ok()).unwrap_or_default() * 1024
}
