//! Readers never wait for a writer: measured. `cargo test --release -p tollgate-jwks --test provider -- --ignored --nocapture`

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread;
use std::time::{Duration, Instant};

use tollgate_keys::{KeyRing, KeySet};

use crate::support::*;

/// Issue: at most twice the quiet one while 1,000 sets a second are published.
#[test]
#[ignore = "a measurement, for a quiet machine"]
fn verify_under_a_thousand_swaps_a_second_against_quiet() {
    let signer = Signer::new();
    let set = || KeySet::builder().jwks(signer.jwks().as_bytes()).unwrap().build().set;
    let ring = KeyRing::new(set());
    let engine = engine(ring.clone());
    let header = signer.header();
    let measure = || {
        let begin = Instant::now();
        let mut times = Vec::new();
        while begin.elapsed() < 3 * SECOND {
            let begin = Instant::now();
            assert!(accepts(&engine, &header));
            times.push(begin.elapsed());
        }
        times.sort_unstable();
        (times[times.len() / 2], times[times.len() * 999 / 1000], times.len())
    };
    measure();
    let quiet = measure();
    let (stop, sets) = (Arc::new(AtomicBool::new(false)), [set(), set()]);
    let swapping = thread::spawn({
        let (stop, ring) = (Arc::clone(&stop), ring.clone());
        move || {
            let (begin, mut swaps) = (Instant::now(), 0_u32);
            while !stop.load(SeqCst) {
                ring.replace(sets[swaps as usize % 2].clone());
                swaps += 1;
                thread::sleep((begin + swaps * Duration::from_millis(1)).saturating_duration_since(Instant::now()));
            }
            f64::from(swaps) / begin.elapsed().as_secs_f64()
        }
    });
    let swapped = measure();
    stop.store(true, SeqCst);
    let rate = swapping.join().unwrap();
    println!("quiet:   median {:?}, p99.9 {:?}, {} verifications", quiet.0, quiet.1, quiet.2);
    println!("swapped: median {:?}, p99.9 {:?}, {} verifications, {rate:.0} swaps/s", swapped.0, swapped.1, swapped.2);
    assert!(rate > 900.0);
    assert!(swapped.1 <= 2 * quiet.1, "{:?} against {:?}", swapped.1, quiet.1);
}
