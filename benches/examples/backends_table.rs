//! Prints the table of docs/algorithms.md: the least time of a check in microseconds. All backends take turns in one
//! run, so the ratios hold on a machine whose speed varies.
//!
//!     cargo run --release -p tollgate-bench --features graviola --example backends_table

#![forbid(unsafe_code)]

use std::hint::black_box;
use std::time::{Duration, Instant};

use tollgate_bench::{Check, Sample, backends};

/// The turns of each backend, and the least length of a turn.
const ROUNDS: usize = 1000;
const TURN: Duration = Duration::from_micros(500);

const BACKENDS: [&str; 4] = ["ring", "aws-lc-rs", "graviola", "tables"];

fn main() {
    println!("| | {} |", BACKENDS.join(" | "));
    println!("|---{}|", "|---:".repeat(BACKENDS.len()));
    for sample in Sample::all() {
        let checks = backends(&sample);
        let mut least = vec![Duration::MAX; checks.len()];
        for _ in 0..ROUNDS {
            for (least, (_, check)) in least.iter_mut().zip(&checks) {
                *least = turn(&sample, check).min(*least);
            }
        }
        let cells = BACKENDS.map(|name| {
            let column = checks.iter().position(|(backend, _)| *backend == name);
            column.map(|column| format!("{:.2}", least[column].as_nanos() as f64 / 1e3)).unwrap_or_default()
        });
        println!("| {} | {} |", sample.name, cells.join(" | "));
    }
}

/// The time of one check, the mean of a turn.
fn turn(sample: &Sample, check: &Check) -> Duration {
    let start = Instant::now();
    let mut checks = 0;
    // In groups, so that reading the clock takes no noticeable part of the time.
    for signed in sample.signed.chunks(4).cycle() {
        for (message, signature) in signed {
            assert_eq!(check(black_box(message), black_box(signature)), sample.verifies);
            checks += 1;
        }
        if start.elapsed() >= TURN {
            break;
        }
    }
    start.elapsed() / checks
}
