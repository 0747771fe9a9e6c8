//! Attack 45, measured: does the time of a comparison show where two secrets differ? After dudect (Reparaz, Balasch,
//! Verbauwhede, 2017): two classes in random order, Welch's t over their times, |t| under 4.5 means that no difference
//! is seen.
//! `cargo test --release -p tollgate-tests timing:: -- --ignored --nocapture`

use std::hint::black_box;
use std::time::Instant;

use tollgate::{Algorithm, ApiKeyTable, Digest, KeyFormat};
use tollgate_jwt::CompactJws;
use tollgate_tests::{Draft, signing_key};

const SAMPLES: usize = 10_000_000;
/// As many as every run of the tests can afford: enough to find a comparison that stops at the first difference.
const FEW_SAMPLES: usize = 20_000;
const BOUND: f64 = 4.5;

#[test]
#[ignore = "takes minutes of an idle machine"]
fn a45_ten_million_comparisons_of_digests_do_not_tell_where_they_differ() {
    assert_digests_tell_nothing(SAMPLES);
}

#[test]
#[ignore = "takes minutes of an idle machine"]
fn a45_ten_million_comparisons_of_hmacs_do_not_tell_where_they_differ() {
    assert_hmacs_tell_nothing(SAMPLES);
}

#[test]
fn a45_the_time_of_a_comparison_does_not_tell_where_digests_differ() {
    assert_digests_tell_nothing(FEW_SAMPLES);
}

#[test]
fn a45_the_time_of_a_comparison_does_not_tell_where_hmacs_differ() {
    assert_hmacs_tell_nothing(FEW_SAMPLES);
}

/// The measurement has to find what it looks for.
#[test]
fn a45_a_comparison_that_stops_at_the_first_difference_is_found_out() {
    // Long, so that the effect shows in few samples of an unoptimised test.
    let kept = [7_u8; 4096];
    let differing = |at: usize| {
        let mut bytes = kept;
        bytes[at] ^= 1;
        bytes
    };
    let stops_early = |bytes: &[u8; 4096]| _ = black_box(kept.iter().zip(bytes).all(|(a, b)| a == b));
    let t = welch_t(FEW_SAMPLES, [differing(0), differing(4095)], stops_early);
    assert!(t.abs() > BOUND, "{t}");
}

fn assert_digests_tell_nothing(samples: usize) {
    /// Comparisons timed together: a single one is shorter than the clock's resolution.
    const BATCH: usize = 16;
    let table = ApiKeyTable::<()>::new(KeyFormat::new("tg", "live").unwrap());
    let digest = |key: &[u8]| *table.digest_of(key).unwrap().digest();
    let kept = digest(b"a key that is kept");
    let compare = |presented: &Digest| {
        for _ in 0..BATCH {
            black_box(black_box(&kept) == black_box(presented));
        }
    };
    let differing = |at| Digest::from_bytes(with_wrong_byte(*kept.as_bytes(), at));
    for (name, other) in
        [("last byte wrong", differing(31)), ("absent", digest(b"a key that is absent")), ("equal", kept)]
    {
        assert_small(samples, "digest", name, || welch_t(samples, [differing(0), other], compare));
    }
}

fn assert_hmacs_tell_nothing(samples: usize) {
    let key = signing_key(Algorithm::HS256, 0);
    let token = Draft::new(&key).sign(&key);
    let jws = CompactJws::parse(&token).unwrap();
    let mut signature = Vec::new();
    jws.decode_signature(&mut signature).unwrap();
    let signature: [u8; 32] = signature.try_into().unwrap();
    let verify = |presented: &[u8; 32]| {
        black_box(key.verifying_key().verify(jws.signing_input(), black_box(presented)).is_err());
    };
    let absent = [0xA5; 32];
    for (name, other) in [("last byte wrong", with_wrong_byte(signature, 31)), ("absent", absent)] {
        assert_small(samples, "HMAC", name, || welch_t(samples, [with_wrong_byte(signature, 0), other], verify));
    }
}

/// With few samples on a busy machine, one run may be an outlier; three are not.
fn assert_small(samples: usize, what: &str, name: &str, measure: impl Fn() -> f64) {
    let mut t = measure();
    println!("{what}, first byte wrong against {name}: t = {t:.2} over {samples} samples");
    for _ in 0..2 {
        if t.abs() < BOUND || samples == SAMPLES {
            break;
        }
        t = measure();
    }
    assert!(t.abs() < BOUND, "{what}, {name}: {t}");
}

fn with_wrong_byte(mut bytes: [u8; 32], at: usize) -> [u8; 32] {
    bytes[at] ^= 1;
    bytes
}

fn welch_t<T: Clone>(samples: usize, classes: [T; 2], work: impl Fn(&T)) -> f64 {
    // Both are copied to one place before the clock starts, so that their addresses have no effect.
    let mut presented = classes[0].clone();
    let mut times = [Vec::new(), Vec::new()];
    let mut random = 0x9E37_79B9_7F4A_7C15_u64;
    for _ in 0..samples {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let class = (random >> 40) as usize & 1;
        presented.clone_from(black_box(&classes[class]));
        let start = Instant::now();
        work(black_box(&presented));
        times[class].push(start.elapsed().as_nanos() as f64);
    }
    // The slowest twentieth is interrupts and other work.
    let mut all: Vec<f64> = times.concat();
    all.sort_by(f64::total_cmp);
    let longest = all[all.len() / 20 * 19];
    let [a, b] = times.map(|times| moments(times.into_iter().filter(|&time| time <= longest)));
    let deviation = (a.variance / a.count + b.variance / b.count).sqrt();
    // The clock may be too coarse to see anything.
    if deviation > 0.0 { (a.mean - b.mean) / deviation } else { 0.0 }
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
