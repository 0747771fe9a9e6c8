//! Prints the response times of callers with good tokens during an attack with ten times as many requests: garbage,
//! forged signatures, unknown keys, expired tokens, and a million valid tokens that come once each.
//!
//!     cargo run --release -p tollgate-bench --example attack_load -- [--short] [--json FILE]
//!
//! Each thread gets requests of both kinds at random times, as from many callers, and handles them in order on the same
//! engine with its default cache, as a server's threads would. Requests are generated while the clock is stopped.

#![forbid(unsafe_code)]

mod attack;
mod load;
mod outcome;
mod schedule;

use std::fs;

use attack::Attack;
use load::{Load, Phase};
use outcome::{Outcome, json, table};

/// Seconds with good tokens alone, and seconds of attack.
const BEFORE: f64 = 5.0;
const DURING: f64 = 10.0;

/// How many valid tokens the one client has.
const DISTINCT_TOKENS: f64 = 1e6;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let part = if arguments.iter().any(|argument| argument == "--short") { 0.02 } else { 1.0 };
    let outcomes: Vec<Outcome> = Attack::ALL
        .into_iter()
        .map(|attack| {
            eprintln!("{}", attack.name());
            let load = Load::new();
            let seconds = match attack {
                Attack::DistinctTokens => DISTINCT_TOKENS / load.attack_rate(),
                _ => DURING,
            };
            let before = load.run(Phase { attack: None, seconds: BEFORE * part });
            let during = load.run(Phase { attack: Some(attack), seconds: seconds * part });
            Outcome { attack, before, during }
        })
        .collect();
    print!("{}", table(&outcomes));
    if let Some(file) = arguments.iter().skip_while(|argument| *argument != "--json").nth(1) {
        fs::write(file, json(&outcomes).to_string()).expect("the file can be written");
    }
}
