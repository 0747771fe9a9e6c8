//! The cost of counting for a verify of a cached token: `cargo run --release -p tollgate-telemetry --example cost`.

#![forbid(unsafe_code)]

use std::hint::black_box;
use std::time::{Duration, Instant};

use tollgate::{Algorithm, Engine, EngineBuilder};
use tollgate_telemetry::{Metrics, Trace};
use tollgate_tests::{Draft, NOW, issuer, signing_key};

const ROUNDS: usize = 41;
const VERIFIES: u32 = 200_000;

fn main() {
    let key = signing_key(Algorithm::ES256, 0);
    let token = format!("Bearer {}", Draft::new(&key).sign(&key));
    let builder = || Engine::builder().issuer(issuer([&key]));
    let (metrics, trace) = (Metrics::new(), Trace::new());
    let counting = metrics.clone();
    let variants: [(&str, EngineBuilder); 4] = [
        ("no observer", builder()),
        ("an observer that does nothing", builder().untimed_observer(|_| {})),
        ("metrics", builder().untimed_observer(move |seen| counting.count(seen))),
        (
            "metrics and tracing",
            builder().untimed_observer(move |seen| {
                metrics.count(seen);
                trace.record(seen);
            }),
        ),
    ];
    let engines = variants.map(|(name, builder)| (name, builder.build().expect("an issuer is enough")));
    let mut times: Vec<Vec<Duration>> = vec![Vec::new(); engines.len()];
    for _ in 0..ROUNDS {
        for ((_, engine), times) in engines.iter().zip(&mut times) {
            let begun = Instant::now();
            for _ in 0..VERIFIES {
                assert!(engine.verify_at(black_box(&token), NOW).is_ok());
            }
            times.push(begun.elapsed() / VERIFIES);
        }
    }
    for ((name, _), mut times) in engines.iter().zip(times) {
        times.sort_unstable();
        // The machine may be busy: the minimum is the cost of the code.
        println!("{name}: {:?} at least, {:?} in the middle", times[0], times[ROUNDS / 2]);
    }
}
