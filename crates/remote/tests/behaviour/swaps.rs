//! Measures that readers never wait for a writer. `cargo test --release -p tollgate-remote swaps:: -- --ignored
//! --nocapture`

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tollgate::{Engine, Issuer, KeyRing, KeySet};

use crate::support::*;

/// Verifies one token repeatedly, without swaps and while 1,000 sets a second are published, and prints the median and
/// p99.9 of both. Cold: a full verification. Warm: a cached token, where one verify per swap finds that the ring has
/// changed and checks the token again.
#[test]
#[ignore = "a measurement, for a quiet machine"]
fn verify_under_a_thousand_swaps_a_second_against_quiet() {
    let signer = Signer::new();
    let set = || KeySet::builder().jwks(signer.jwks().as_bytes()).unwrap().build().unwrap();
    let ring = KeyRing::new(set());
    let issuer = || Issuer::new(ISSUER).audience(AUDIENCE).keys(ring.clone());
    let cold = Engine::builder().issuer(issuer()).no_cache().build().unwrap();
    let warm = Engine::builder().issuer(issuer()).build().unwrap();
    for (name, engine) in [("cold", cold), ("warm", warm)] {
        let header = signer.header();
        measure(&engine, &header);
        let quiet = measure(&engine, &header);
        let swapping = Swapping::start(ring.clone(), [set(), set()]);
        let swapped = measure(&engine, &header);
        let rate = swapping.stop();
        println!("{name}, quiet:   {quiet}");
        println!("{name}, swapped: {swapped}, {rate:.0} swaps/s");
        assert!(rate > 900.0, "too few swaps to say anything");
        // For warm verifies, p99.9 falls by chance on one that checks again or one that does not.
        assert!(name == "warm" || swapped.p999 <= 2 * quiet.p999, "{name}: {:?}", swapped.p999);
    }
}

fn measure(engine: &Engine, header: &str) -> Times {
    let begin = Instant::now();
    let mut times = Vec::new();
    while begin.elapsed() < 3 * SECOND {
        let begin = Instant::now();
        assert!(accepts(engine, header));
        times.push(begin.elapsed());
    }
    times.sort_unstable();
    Times { count: times.len(), median: times[times.len() / 2], p999: times[times.len() * 999 / 1000] }
}

struct Times {
    count: usize,
    median: Duration,
    p999: Duration,
}

impl fmt::Display for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "median {:?}, p99.9 {:?}, {} verifications", self.median, self.p999, self.count)
    }
}

struct Swapping {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<f64>,
}

impl Swapping {
    fn start(ring: KeyRing, sets: [KeySet; 2]) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = thread::spawn(move || {
            let (begin, mut swaps) = (Instant::now(), 0_u32);
            while !stopped.load(SeqCst) {
                ring.replace(sets[swaps as usize % 2].clone());
                swaps += 1;
                thread::sleep((begin + swaps * Duration::from_millis(1)).saturating_duration_since(Instant::now()));
            }
            f64::from(swaps) / begin.elapsed().as_secs_f64()
        });
        Swapping { stop, thread }
    }

    /// Stops, and returns the swaps per second.
    fn stop(self) -> f64 {
        self.stop.store(true, SeqCst);
        self.thread.join().unwrap()
    }
}
