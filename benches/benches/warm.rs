//! A warm token, compared with one SHA-256 of its signing input.

#![forbid(unsafe_code)]

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use tollgate::limits::{DEFAULT_CACHE_BYTES, DEFAULT_CACHE_SLOTS_PER_THREAD, DEFAULT_CACHED_TOKEN_AGE};
use tollgate::{Algorithm, CacheConfig, CacheStatistics, Engine, Revocation, Revocations};
use tollgate_bench::{SocketBuffer, sha256_of_signing_input, unix_time};
use tollgate_issuer::SigningKey;
use tollgate_tests::{ISSUER, issuer, signing_key, traffic_token};

/// The size that the cache's documentation gives for 100,000 tokens; the other benchmarks use the default.
const FOR_100K: CacheConfig = CacheConfig { bytes: 128 << 20, ..DEFAULT };

/// As in [`CacheConfig::default`].
const DEFAULT: CacheConfig = CacheConfig {
    bytes: DEFAULT_CACHE_BYTES,
    per_thread_slots: DEFAULT_CACHE_SLOTS_PER_THREAD,
    max_token_age: DEFAULT_CACHED_TOKEN_AGE,
};

fn warm(c: &mut Criterion) {
    let key = signing_key(Algorithm::HS256, 0);
    let now = unix_time();
    let headers = |count: usize| -> Vec<String> {
        (0..count).map(|index| format!("Bearer {}", traffic_token(&key, index, now))).collect()
    };

    let tokens: Vec<String> = (0..1024).map(|index| traffic_token(&key, index, now)).collect();
    sha256_of_signing_input(c, &tokens);

    for (id, count, cache) in [
        ("warm/one", 1, DEFAULT),
        ("warm/1k", 1_000, DEFAULT),
        ("warm/40k", 40_000, DEFAULT),
        ("warm/100k", 100_000, FOR_100K),
        ("warm/100k_in_the_default_cache", 100_000, DEFAULT),
    ] {
        let engine = sized(&key, cache);
        let mut socket = SocketBuffer::new(headers(count));
        warm_up(&engine, &socket);
        let before = engine.cache_statistics().expect("a cache");
        c.bench_function(id, |b| {
            b.iter_custom(|iterations| socket.time(iterations, |header| drop(engine.verify(header).expect("good"))));
        });
        print_misses(id, &before, &engine.cache_statistics().expect("a cache"));
    }

    let socket = SocketBuffer::new(headers(1));
    for (id, count) in [("engines/1", 1), ("engines/64", 64)] {
        let engines: Vec<_> = (0..count).map(|_| engine(&key, Revocations::new())).collect();
        engines.iter().for_each(|engine| warm_up(engine, &socket));
        let mut turns = engines.iter().cycle();
        let mut socket = SocketBuffer::new(headers(1));
        c.bench_function(id, |b| {
            b.iter_custom(|iterations| {
                socket.time(iterations, |header| drop(turns.next().expect("endless").verify(header).expect("good")))
            });
        });
    }

    let warm = engine(&key, Revocations::new());
    let mut socket = SocketBuffer::new(headers(1));
    warm_up(&warm, &socket);
    c.bench_function("warm/principal_scope_check", |b| {
        b.iter_custom(|iterations| {
            socket.time(iterations, |header| {
                let principal = warm.verify(header).expect("good");
                black_box(principal.require_scope("write:sites")).expect("granted");
            })
        });
    });

    for (id, count) in [("revoked/none", 0), ("revoked/1m", 1_000_000)] {
        let revocations = Revocations::new();
        let entries: Vec<_> = (0..count).map(|n| Revocation::token(ISSUER, &format!("revoked-{n}"))).collect();
        revocations.revoke_all(&entries);
        let engine = engine(&key, revocations);
        let mut socket = SocketBuffer::new(headers(1_000));
        warm_up(&engine, &socket);
        c.bench_function(id, |b| {
            b.iter_custom(|iterations| socket.time(iterations, |header| drop(engine.verify(header).expect("good"))));
        });
    }

    let mixed = engine(&key, Revocations::new());
    let known = headers(99);
    warm_up(&mixed, &SocketBuffer::new(known.clone()));
    let mut index = 1_000_000;
    c.bench_function("mixed/99_percent_warm", |b| {
        b.iter_batched(
            || {
                index += 1;
                format!("Bearer {}", traffic_token(&key, index, now))
            },
            |new| {
                for header in known.iter().chain([&new]) {
                    mixed.verify(header.as_bytes()).expect("good");
                }
            },
            BatchSize::SmallInput,
        );
    });
}

fn contention(c: &mut Criterion) {
    let key = signing_key(Algorithm::HS256, 0);
    let header = format!("Bearer {}", traffic_token(&key, 0, unix_time()));
    let engines: Vec<_> = (0..2).map(|_| engine(&key, Revocations::new())).collect();
    for (id, chosen) in [("contention/own_engine_2_threads", [0, 1]), ("contention/one_token_2_threads", [0, 0])] {
        c.bench_function(id, |b| {
            b.iter_custom(|iterations| {
                std::thread::scope(|scope| {
                    let threads: Vec<_> = chosen
                        .iter()
                        .map(|index| scope.spawn(|| hammer(&engines[*index], header.as_bytes(), iterations)))
                        .collect();
                    threads.into_iter().map(|thread| thread.join().expect("no panic")).max().unwrap_or_default()
                })
            });
        });
    }
}

fn hammer(engine: &Engine, header: &[u8], iterations: u64) -> Duration {
    for _ in 0..4 {
        engine.verify(header).expect("good");
    }
    let start = Instant::now();
    for _ in 0..iterations {
        black_box(engine.verify(black_box(header))).expect("good");
    }
    start.elapsed()
}

fn engine(key: &SigningKey, revocations: Revocations) -> Engine {
    Engine::builder().issuer(issuer([key])).revocations(revocations).build().expect("an issuer is enough")
}

fn sized(key: &SigningKey, cache: CacheConfig) -> Engine {
    Engine::builder().issuer(issuer([key])).cache(cache).build().expect("an issuer is enough")
}

/// Criterion reports only times.
fn print_misses(id: &str, before: &CacheStatistics, after: &CacheStatistics) {
    let [misses, hits] =
        [after.misses - before.misses, after.front_hits + after.back_hits - before.front_hits - before.back_hits];
    if misses + hits > 0 {
        println!("{id}: {:.2} % misses\n", 100.0 * misses as f64 / (misses + hits) as f64);
    }
}

/// Often enough that frequent tokens have reached the thread's table.
fn warm_up(engine: &Engine, socket: &SocketBuffer) {
    for _ in 0..4 {
        for header in socket.headers() {
            engine.verify(header.as_bytes()).expect("good");
        }
    }
}

criterion_group!(benches, warm, contention);
criterion_main!(benches);
