//! Prints the median, the 99th and the 99.9th percentile of the time of a verify, without replacements of the key set
//! and with 1,000 replacements a second.
//!
//!     cargo run --release -p tollgate-bench --example rotation_tail

#![forbid(unsafe_code)]

use std::hint::black_box;
use std::time::Instant;

use tollgate::Engine;
use tollgate_bench::{RotatingKeys, Rotation, unix_time};

/// The number of quiet and noisy phases, which alternate, and of verifies in each.
const PHASES: usize = 15;
const VERIFICATIONS: usize = 20_000;

fn main() {
    let keys = RotatingKeys::new();
    println!("| EdDSA, microseconds | p50 | p99 | p99.9 |");
    println!("|---|---:|---:|---:|");
    let warm_engine = Engine::builder().issuer(keys.issuer()).build().expect("an issuer is enough");
    for (name, engine) in [("cold", keys.cold_engine()), ("cached", warm_engine)] {
        let mut tokens = Rotation::new(&keys.signing_key);
        let (mut quiet, mut under_swaps) = (Vec::new(), Vec::new());
        let mut swapped = 0.0;
        for _ in 0..PHASES {
            quiet.push(percentiles(&engine, &mut tokens));
            let (before, start) = (keys.generation(), Instant::now());
            let swaps = keys.swap();
            under_swaps.push(percentiles(&engine, &mut tokens));
            swapped += (keys.generation() - before) as f64 / start.elapsed().as_secs_f64();
            drop(swaps);
        }
        print(&format!("{name}, quiet"), &median(quiet));
        print(&format!("{name}, {:.0} replacements a second", swapped / PHASES as f64), &median(under_swaps));
    }
}

/// The percentiles of one phase, in microseconds.
fn percentiles(engine: &Engine, tokens: &mut Rotation) -> [f64; 3] {
    let now = unix_time();
    let mut times: Vec<f64> = (0..VERIFICATIONS)
        .map(|_| {
            let token = tokens.next_token().as_bytes();
            let start = Instant::now();
            black_box(engine.verify_at(black_box(token), now).expect("a good token"));
            start.elapsed().as_nanos() as f64 / 1e3
        })
        .collect();
    times.sort_by(f64::total_cmp);
    [0.5, 0.99, 0.999].map(|share| times[(VERIFICATIONS as f64 * share) as usize])
}

/// Of each percentile the median over the phases.
fn median(phases: Vec<[f64; 3]>) -> [f64; 3] {
    [0, 1, 2].map(|percentile| {
        let mut values: Vec<f64> = phases.iter().map(|phase| phase[percentile]).collect();
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    })
}

fn print(name: &str, percentiles: &[f64; 3]) {
    let cells = percentiles.map(|percentile| format!("{percentile:.2}"));
    println!("| {name} | {} |", cells.join(" | "));
}
