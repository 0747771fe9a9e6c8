//! Measures the table of API keys at the sizes given as arguments and prints a row of docs/api-keys.md for each:
//! `cargo run --release -p tollgate --example api_key_figures -- 1000 100000 1000000 10000000`.
//!
//! Ratios are to the SHA-256 of the same keys. Figures are medians of batches of 16 calls, which take turns, so
//! that other work on the machine disturbs few of them. Keys are read from memory that was written a moment ago.
//! "One access" is the cost of a random read, in as much memory, that depends on the read before.

#![forbid(unsafe_code)]

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use ring::digest;
use tollgate::apikeys::KeyDigest;
use tollgate::{ApiKey, ApiKeyTable, Digest, Engine, KeyFormat, KeyRecord};

type Table = Arc<ApiKeyTable<KeyRecord>>;

const ROUNDS: usize = 100;
const BATCHES: usize = 50;
const BATCH: usize = 16;
const SAMPLE_ROUNDS: usize = 500;
const PRESENTED: u64 = 1 << 18;
const UPDATES_PER_SECOND: u32 = 1_000;
const SUBJECTS: u64 = 100_000;
const SCOPE_SETS: [&str; 10] = ["a", "b", "a b", "c", "a c", "b c", "a b c", "d", "a d", "b d"];

fn main() {
    println!(
        "| keys | bytes a key | insert from digests | SHA-256 | one access | verify | miss | bad checksum | quiet p50 / p99.9 | updated p50 / p99.9 | two threads, one key |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|");
    let format = KeyFormat::new("tg", "live").expect("a format");
    for keys in std::env::args().skip(1).filter_map(|keys| keys.parse().ok()) {
        row(&format, keys);
    }
}

fn row(format: &KeyFormat, keys: u64) {
    let digests: Vec<Digest> = (0..keys).map(|number| key(format, number).digest()).collect();
    let (resident_before, start) = (resident(), Instant::now());
    let table: Table = Arc::new(ApiKeyTable::builder(format.clone()).capacity(digests.len()).build());
    insert_all(&table, &digests);
    let (load, bytes) = (start.elapsed(), resident().saturating_sub(resident_before) / keys);
    assert_eq!(table.len() as u64, keys);
    drop(digests);

    let engine = Engine::builder().api_keys(table.clone()).build().expect("a table is enough");
    let presented = |choose: &dyn Fn(u64) -> u64| {
        Presented::new((0..PRESENTED.min(keys)).map(|n| key(format, choose(n)).as_str().to_owned()).collect())
    };
    let mut random = presented(&|n| scrambled(n) % keys);
    let mut absent = presented(&|n| keys + n);
    let mut damaged = Presented::new(random.keys.iter().map(|key| with_wrong_checksum(key)).collect());
    assert!(random.keys.iter().all(|key| engine.verify(key.as_bytes()).is_ok()));
    assert!(absent.keys.iter().all(|key| engine.verify(key.as_bytes()).is_err()));

    let hash = |key: &[u8]| _ = black_box(digest::digest(&digest::SHA256, key));
    let verify = |key: &[u8]| drop(black_box(engine.verify(key)));
    let mut memory = OneAccess::new(keys as usize * bytes as usize / 64);
    let mut samples: [Vec<f64>; 5] = Default::default();
    for _ in 0..ROUNDS {
        samples[0].extend(random.batches(hash));
        samples[1].extend(memory.batches());
        samples[2].extend(random.batches(verify));
        samples[3].extend(absent.batches(verify));
        samples[4].extend(damaged.batches(verify));
    }
    let [hash, access, hit, miss, checksum] = samples.map(|mut samples| {
        samples.sort_by(f64::total_cmp);
        samples[samples.len() / 2]
    });
    drop(memory);
    let quiet = percentiles(&mut random, verify);
    let updated = under_updates(&table, format, keys, || percentiles(&mut random, verify));
    let scaling = two_threads(&engine, key(format, 0).as_str().as_bytes());
    println!(
        "| {keys} | {bytes} | {load:.2?} | {hash:.0} ns | {:.2} | {:.2} | {:.2} | {:.2} | {:.0} / {:.0} ns | {:.0} / {:.0} ns | {scaling:.2} |",
        access / hash,
        hit / hash,
        miss / hash,
        checksum / hash,
        quiet[0],
        quiet[1],
        updated[0],
        updated[1],
    );
}

/// Inserts from as many threads as there are processors.
fn insert_all(table: &Table, digests: &[Digest]) {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let share = digests.len().div_ceil(threads);
    thread::scope(|scope| {
        for (digests, first) in digests.chunks(share).zip((0..).step_by(share)) {
            scope.spawn(move || {
                for (number, digest) in (first..).zip(digests) {
                    table.insert(KeyDigest::Native(*digest), record(number as u64));
                }
            });
        }
    });
}

fn record(number: u64) -> KeyRecord {
    let subjects = if std::env::var_os("TOLLGATE_DISTINCT_SUBJECTS").is_some() { u64::MAX } else { SUBJECTS };
    KeyRecord::api_key(&format!("key_{number:026}"), &format!("user_{}", number % subjects))
        .scopes(SCOPE_SETS[number as usize % SCOPE_SETS.len()].split(' '))
        .build()
}

/// The 50th and 99.9th percentile of single calls, in nanoseconds, including the reading of the clock.
fn percentiles(presented: &mut Presented, mut work: impl FnMut(&[u8])) -> [f64; 2] {
    let mut samples = Vec::new();
    for _ in 0..SAMPLE_ROUNDS {
        presented.batches(|key| {
            let start = Instant::now();
            work(key);
            samples.push(start.elapsed().as_nanos() as u64);
        });
    }
    samples.sort_unstable();
    [0.5, 0.999].map(|part| samples[(samples.len() as f64 * part) as usize] as f64)
}

/// Runs `work` while another thread inserts keys and removes them, a thousand changes a second.
fn under_updates<T>(table: &Table, format: &KeyFormat, keys: u64, work: impl FnOnce() -> T) -> T {
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let pause = Duration::from_secs(1) / UPDATES_PER_SECOND;
            for number in keys * 2.. {
                if done.load(Ordering::Relaxed) {
                    break;
                }
                let key = key(format, number);
                table.insert(&key, KeyRecord::api_key("k", "u"));
                thread::sleep(pause);
                table.remove(&key.digest());
                thread::sleep(pause);
            }
        });
        let outcome = work();
        done.store(true, Ordering::Relaxed);
        outcome
    })
}

/// The throughput of two threads that present the same key, as a fraction of twice that of one thread.
fn two_threads(engine: &Engine, key: &[u8]) -> f64 {
    const VERIFIES: u32 = 1 << 18;
    let run = || {
        let start = Instant::now();
        for _ in 0..VERIFIES {
            drop(black_box(engine.verify(black_box(key))));
        }
        start.elapsed()
    };
    let alone = (0..5).map(|_| run()).min().unwrap_or_default();
    let together = (0..5)
        .map(|_| {
            thread::scope(|scope| {
                let threads = [scope.spawn(run), scope.spawn(run)];
                threads.into_iter().filter_map(|thread| thread.join().ok()).max().unwrap_or_default()
            })
        })
        .min()
        .unwrap_or_default();
    alone.as_secs_f64() / together.as_secs_f64()
}

/// Keys in random order, each read from memory that was written a moment ago, as after a read from a socket.
struct Presented {
    keys: Vec<String>,
    written: [Vec<u8>; BATCH],
    next: u64,
}

impl Presented {
    fn new(keys: Vec<String>) -> Self {
        Self { keys, written: Default::default(), next: 0 }
    }

    /// Nanoseconds per call, for each of some batches.
    fn batches(&mut self, mut work: impl FnMut(&[u8])) -> [f64; BATCHES] {
        std::array::from_fn(|_| {
            for written in &mut self.written {
                self.next += 1;
                written.clear();
                written.extend_from_slice(self.keys[scrambled(self.next) as usize % self.keys.len()].as_bytes());
            }
            let start = Instant::now();
            self.written.iter().for_each(|key| work(black_box(key)));
            start.elapsed().as_nanos() as f64 / BATCH as f64
        })
    }
}

/// Cache lines that are read in random order.
struct OneAccess {
    memory: Vec<[usize; 8]>,
    at: usize,
}

impl OneAccess {
    fn new(lines: usize) -> Self {
        let mut order: Vec<usize> = (0..lines).collect();
        for n in (1..lines).rev() {
            order.swap(n, scrambled(n as u64) as usize % (n + 1));
        }
        let mut memory = vec![[0_usize; 8]; lines];
        for (n, &line) in order.iter().enumerate() {
            memory[line][0] = order[(n + 1) % lines];
        }
        Self { memory, at: 0 }
    }

    /// Nanoseconds per read, for each of some batches.
    fn batches(&mut self) -> [f64; BATCHES] {
        std::array::from_fn(|_| {
            let start = Instant::now();
            self.at = black_box((0..BATCH).fold(self.at, |line, _| self.memory[line][0]));
            start.elapsed().as_nanos() as f64 / BATCH as f64
        })
    }
}

fn key(format: &KeyFormat, number: u64) -> ApiKey {
    let mut entropy = [0; 32];
    for (lane, bytes) in (0..).zip(entropy.chunks_exact_mut(8)) {
        bytes.copy_from_slice(&scrambled(number * 4 + lane).to_le_bytes());
    }
    ApiKey::danger_from_entropy(format, &entropy)
}

/// The key with another last character.
fn with_wrong_checksum(key: &str) -> String {
    let (rest, last) = key.split_at(key.len() - 1);
    format!("{rest}{}", if last == "0" { '1' } else { '0' })
}

/// One step of splitmix64.
fn scrambled(n: u64) -> u64 {
    let n = n.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let n = (n ^ (n >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let n = (n ^ (n >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    n ^ (n >> 31)
}

/// The resident memory of this process, in bytes; 0 unless the system is Linux.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = status.split(' ').nth(1).and_then(|pages| pages.parse().ok()).unwrap_or(0_u64);
    pages * 4096
}
