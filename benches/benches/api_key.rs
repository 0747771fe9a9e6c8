//! API keys: a look-up among many, compared with one SHA-256 of the key.
//!
//! Ten million keys only with `TOLLGATE_TEN_MILLION_KEYS` in the environment: they take a gigabyte and half a minute.

#![forbid(unsafe_code)]

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use ring::digest;
use tollgate::{ApiKey, ApiKeyTable, Engine, KeyFormat, KeyRecord};
use tollgate_bench::SocketBuffer;

const SIZES: [usize; 2] = [1_000, 100_000];
const LARGEST: usize = 10_000_000;
/// How many of a table's keys are presented: more than fit into the near CPU caches, with less memory than ten million
/// texts.
const PRESENTED: usize = 1 << 18;
const UPDATES_PER_SECOND: u32 = 1_000;

fn api_key(c: &mut Criterion) {
    let format = KeyFormat::new("tg", "live").expect("a format");
    let mut unknown = SocketBuffer::new((0..1024).map(|_| new_key(&format).as_str().to_owned()).collect());
    c.bench_function("sha256/api_key", |b| {
        b.iter_custom(|iterations| unknown.time(iterations, |key| _ = black_box(digest::digest(&digest::SHA256, key))));
    });

    let largest = std::env::var_os("TOLLGATE_TEN_MILLION_KEYS").map(|_| LARGEST);
    for size in SIZES.into_iter().chain(largest) {
        let (engine, mut socket) = filled(&format, size);
        c.bench_function(&format!("api_key/{size}"), |b| {
            b.iter_custom(|iterations| socket.time(iterations, |key| drop(engine.verify(key).expect("a good key"))));
        });
    }

    let (engine, socket) = filled(&format, SIZES[1]);
    let mut damaged = SocketBuffer::new(socket.headers().iter().map(|key| with_wrong_checksum(key)).collect());
    for (name, socket) in [("api_key/miss", &mut unknown), ("api_key/bad_checksum", &mut damaged)] {
        c.bench_function(name, |b| {
            b.iter_custom(|iterations| socket.time(iterations, |key| drop(engine.verify(key).expect_err("no key"))));
        });
    }
}

/// 100,000 keys are verified while another thread inserts and removes some, a thousand changes a second.
fn under_updates(c: &mut Criterion) {
    let format = KeyFormat::new("tg", "live").expect("a format");
    let (table, mut socket) = table(&format, SIZES[1]);
    let engine = Engine::builder().api_keys(table.clone()).build().expect("a table is enough");
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                let key = new_key(&format);
                table.insert(&key, KeyRecord::api_key("key", "user"));
                thread::sleep(Duration::from_secs(1) / UPDATES_PER_SECOND);
                table.remove(&key.digest());
                thread::sleep(Duration::from_secs(1) / UPDATES_PER_SECOND);
            }
        });
        c.bench_function("api_key/under_updates", |b| {
            b.iter_custom(|iterations| socket.time(iterations, |key| drop(engine.verify(key).expect("a good key"))));
        });
        done.store(true, Ordering::Relaxed);
    });
}

fn filled(format: &KeyFormat, size: usize) -> (Engine, SocketBuffer) {
    let (table, socket) = table(format, size);
    (Engine::builder().api_keys(table).build().expect("a table is enough"), socket)
}

fn table(format: &KeyFormat, size: usize) -> (Arc<ApiKeyTable<KeyRecord>>, SocketBuffer) {
    let table = ApiKeyTable::builder(format.clone()).capacity(size).build();
    let mut presented = Vec::new();
    for index in 0..size {
        let key = new_key(format);
        table.insert(&key, KeyRecord::api_key(&format!("key-{index}"), &format!("user-{}", index % 100_000)));
        if presented.len() < PRESENTED {
            presented.push(key.as_str().to_owned());
        }
    }
    (table.into(), SocketBuffer::new(presented))
}

/// The key with another last character.
fn with_wrong_checksum(key: &str) -> String {
    let (rest, last) = key.split_at(key.len() - 1);
    format!("{rest}{}", if last == "0" { '1' } else { '0' })
}

fn new_key(format: &KeyFormat) -> ApiKey {
    ApiKey::generate(format).expect("random bytes")
}

criterion_group!(benches, api_key, under_updates);
criterion_main!(benches);
