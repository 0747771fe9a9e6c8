//! Prints the cost of a table of revoked tokens: memory per entry, and the time to load it and to revoke one more.
//!
//!     cargo run --release -p tollgate --example revocation_figures -- 10000000
//!
//! Only on Linux: the memory is read from `/proc`.

#![forbid(unsafe_code)]

use std::error::Error;
use std::fs;
use std::time::{Duration, Instant};

use tollgate::{Revocation, Revocations};

/// The number of entries loaded at once, as from a store.
const BATCH: usize = 1_000_000;

fn main() -> Result<(), Box<dyn Error>> {
    let entries: usize = std::env::args().nth(1).unwrap_or_else(|| "1000000".to_owned()).parse()?;
    let revocations = Revocations::new();
    // Allocates the memory of a batch before the measurement, so that it is not counted as the table's.
    drop(batch(0, BATCH.min(entries)));
    let before = resident_bytes()?;
    let mut spent = Duration::ZERO;
    for first in (0..entries).step_by(BATCH) {
        let batch = batch(first, BATCH.min(entries - first));
        let start = Instant::now();
        revocations.revoke_all(&batch);
        spent += start.elapsed();
    }
    let after = resident_bytes()?;
    println!("{} entries, {} bytes resident an entry", revocations.len(), (after - before) / entries);
    println!("loaded in batches of {BATCH}: {:.0} ns an entry", spent.as_nanos() as f64 / entries as f64);

    let more = batch(entries, 1_000);
    let start = Instant::now();
    more.iter().for_each(|revocation| revocations.revoke(revocation));
    println!("one more: {:.1} us", start.elapsed().as_micros() as f64 / more.len() as f64);
    Ok(())
}

fn batch(first: usize, count: usize) -> Vec<Revocation> {
    let jti = |index: usize| format!("0f8fad5b-d9cb-469f-a165-{index:012}");
    (first..first + count).map(|index| Revocation::token("https://auth.example.com/", &jti(index))).collect()
}

fn resident_bytes() -> Result<usize, Box<dyn Error>> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).ok_or("no VmRSS")?;
    let kibibytes: usize = line.split_whitespace().nth(1).ok_or("no number")?.parse()?;
    Ok(kibibytes * 1024)
}
