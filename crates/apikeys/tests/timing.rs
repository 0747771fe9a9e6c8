//! Attack 45, measured: does the time of a comparison tell where two digests differ? After dudect (Reparaz, Balasch,
//! Verbauwhede, 2017): two classes in random order, Welch's t over their times, |t| under 4.5 means no difference is seen.
//! `cargo test --release -p tollgate-apikeys --test timing -- --ignored --nocapture`

use std::hint::black_box;
use std::time::Instant;
use tollgate_apikeys::Digest;

const SAMPLES: usize = 10_000_000;
/// Comparisons timed together: one alone is shorter than the clock can tell.
const BATCH: usize = 16;
const BOUND: f64 = 4.5;

#[test]
#[ignore = "takes a minute of an idle machine"]
fn a45_the_time_of_a_comparison_does_not_tell_where_digests_differ() {
    let kept = Digest::of(b"a key that is kept");
    let differing = |at: usize| {
        let mut bytes = *kept.as_bytes();
        bytes[at] ^= 1;
        Digest::from_bytes(bytes)
    };
    let first = differing(0);
    let others = [("last byte", differing(31)), ("every byte", Digest::of(b"absent")), ("nothing", kept)];
    for (name, other) in others {
        let t = welch_t(&kept, [&first, &other]);
        println!("first byte differs against {name} differs: t = {t:.2} over {SAMPLES} samples");
        assert!(t.abs() < BOUND, "{name}: {t}");
    }
}

fn welch_t(kept: &Digest, classes: [&Digest; 2]) -> f64 {
    // Both are copied to one place before the clock starts, so that where they lie cannot show.
    let mut presented = *kept;
    let mut times = [Vec::new(), Vec::new()];
    let mut random = 0x9E37_79B9_7F4A_7C15_u64;
    for _ in 0..SAMPLES {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let class = (random >> 40) as usize & 1;
        presented.clone_from(black_box(classes[class]));
        let start = Instant::now();
        for _ in 0..BATCH {
            black_box(black_box(kept) == black_box(&presented));
        }
        times[class].push(start.elapsed().as_nanos() as f64);
    }
    // The slowest twentieth is interrupts and other work.
    let mut all: Vec<f64> = times.concat();
    all.sort_by(f64::total_cmp);
    let longest = all[all.len() / 20 * 19];
    let [a, b] = times.map(|times| moments(times.into_iter().filter(|&time| time <= longest)));
    (a.mean - b.mean) / (a.variance / a.count + b.variance / b.count).sqrt()
}

struct Moments {
    count: f64,
    mean: f64,
    variance: f64,
}

fn moments(times: impl Iterator<Item = f64>) -> Moments {
    // Welford's recurrence.
    let (mut count, mut mean, mut squares) = (0.0, 0.0, 0.0);
    for time in times {
        count += 1.0;
        let before = time - mean;
        mean += before / count;
        squares += before * (time - mean);
    }
    Moments { count, mean, variance: squares / (count - 1.0) }
}
