//! Measures the table at the sizes given as arguments and prints a row of docs/api-keys.md for each:
//! `cargo run --release -p tollgate-apikeys --example table_figures -- 1000 100000 1000000 10000000`.
//!
//! Ratios are to the SHA-256 of the same keys, medians of rounds in which both take turns. "One access" is what reading one word at random costs in memory as large as table and records, on the same scale: a
//! hit reads a slot and then the record's reference count, so it cannot take less than twice that.

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use tollgate_apikeys::{ApiKey, ApiKeyTable, Digest, KeyFormat, MatchedKey};

/// As many bytes as a small record has.
type Record = [u64; 6];

type Table = ApiKeyTable<Record>;

const ROUNDS: usize = 15;
const PRESENTED: usize = 1 << 17;
const UPDATES_PER_SECOND: u64 = 1_000;

fn main() {
    println!(
        "| keys | load | SHA-256 | one access | hit, random order | hit, load order | miss | bad checksum | quiet p50 / p99.9 | updated p50 / p99.9 |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|");
    for keys in std::env::args().skip(1).filter_map(|keys| keys.parse().ok()) {
        let format = KeyFormat::new("tg", "live").expect("a valid format");
        row(&format, keys);
    }
}

fn row(format: &KeyFormat, keys: u64) {
    let key = |n: u64| ApiKey::danger_from_entropy(format, &entropy(n));
    let digests: Vec<Digest> = (0..keys).map(|n| key(n).digest()).collect();
    let table = Table::with_capacity(format.clone(), digests.len());
    let start = Instant::now();
    for (n, &digest) in digests.iter().enumerate() {
        table.insert(digest, Arc::new([n as u64; 6]));
    }
    let load = start.elapsed();
    drop(digests);

    let presented = |choose: &dyn Fn(u64) -> u64| -> Vec<String> {
        (0..PRESENTED as u64).map(|n| key(choose(n)).as_str().to_owned()).collect()
    };
    let random = presented(&|n| scrambled(n) % keys);
    let in_order = presented(&|n| n % keys);
    let absent = presented(&|n| keys + n);
    let damaged: Vec<String> = random.iter().map(|key| format!("{}0", &key[..57])).collect();
    assert!(random.iter().all(|key| table.find(key.as_bytes()).is_ok()));
    assert!(absent.iter().all(|key| table.find(key.as_bytes()).is_err()));

    let hash = time(&random, Digest::of);
    let access = one_access(keys) / hash;
    let find = |key: &[u8]| table.find(key).ok().map(MatchedKey::into_record);
    let [random_ratio, order_ratio, miss_ratio, damaged_ratio] =
        [&random, &in_order, &absent, &damaged].map(|presented| ratio(presented, find));
    let quiet = percentiles(&random, find);
    let updated = under_updates(&table, &key, keys, || percentiles(&random, find));
    println!(
        "| {keys} | {load:.2?} | {hash:.0} ns | {access:.2} | {random_ratio:.2} | {order_ratio:.2} | {miss_ratio:.2} | {damaged_ratio:.2} | {:.0} / {:.0} ns | {:.0} / {:.0} ns |",
        quiet[0], quiet[1], updated[0], updated[1],
    );
}

/// Median over the rounds of (what `work` takes) / (what the SHA-256 of the same keys takes).
fn ratio<T>(presented: &[String], work: impl Fn(&[u8]) -> T) -> f64 {
    median((0..ROUNDS).map(|_| {
        let hash = time(presented, Digest::of);
        time(presented, &work) / hash
    }))
}

/// Nanoseconds for each.
fn time<T>(presented: &[String], work: impl Fn(&[u8]) -> T) -> f64 {
    let start = Instant::now();
    for key in presented {
        black_box(work(black_box(key.as_bytes())));
    }
    start.elapsed().as_nanos() as f64 / presented.len() as f64
}

/// The 50th and the 99.9th of single calls, in nanoseconds, the clock's own reading included.
fn percentiles<T>(presented: &[String], work: impl Fn(&[u8]) -> T) -> [f64; 2] {
    let mut samples: Vec<u64> = (0..8)
        .flat_map(|_| presented)
        .map(|key| {
            let start = Instant::now();
            black_box(work(black_box(key.as_bytes())));
            start.elapsed().as_nanos() as u64
        })
        .collect();
    samples.sort_unstable();
    [0.5, 0.999].map(|part| samples[(samples.len() as f64 * part) as usize] as f64)
}

/// Runs `work` while another thread inserts a key and removes one, a thousand changes a second.
fn under_updates<T>(table: &Table, key: &(impl Fn(u64) -> ApiKey + Sync), keys: u64, work: impl FnOnce() -> T) -> T {
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            for n in keys * 2.. {
                if done.load(Ordering::Relaxed) {
                    break;
                }
                let digest = key(n).digest();
                table.insert(digest, Arc::new([n; 6]));
                thread::sleep(Duration::from_nanos(1_000_000_000 / UPDATES_PER_SECOND));
                table.remove(&digest);
                thread::sleep(Duration::from_nanos(1_000_000_000 / UPDATES_PER_SECOND));
            }
        });
        let outcome = work();
        done.store(true, Ordering::Relaxed);
        outcome
    })
}

/// Nanoseconds of one read that must wait for the one before it, in as much memory as so many keys and records take.
fn one_access(keys: u64) -> f64 {
    const BYTES_A_KEY: usize = 69 + 80;
    const READS: usize = 1 << 20;
    let lines = keys as usize * BYTES_A_KEY / 64;
    let mut order: Vec<usize> = (0..lines).collect();
    for n in (1..lines).rev() {
        order.swap(n, scrambled(n as u64) as usize % (n + 1));
    }
    let mut memory = vec![[0_usize; 8]; lines];
    for (n, &line) in order.iter().enumerate() {
        memory[line][0] = order[(n + 1) % lines];
    }
    let follow = |from: usize| (0..READS).fold(from, |line, _| memory[line][0]);
    let line = black_box(follow(0));
    let start = Instant::now();
    black_box(follow(line));
    start.elapsed().as_nanos() as f64 / READS as f64
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// 256 bits that look random and are the same in every run.
fn entropy(n: u64) -> [u8; 32] {
    let mut bytes = [0; 32];
    for (lane, chunk) in (0..).zip(bytes.chunks_exact_mut(8)) {
        chunk.copy_from_slice(&scrambled(n * 4 + lane).to_le_bytes());
    }
    bytes
}

/// One step of splitmix64.
fn scrambled(n: u64) -> u64 {
    let n = n.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let n = (n ^ (n >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let n = (n ^ (n >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    n ^ (n >> 31)
}
