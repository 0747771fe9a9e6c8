//! Runs one path of a verify repeatedly, for valgrind to count. The time is an argument, because under valgrind rustix
//! does not find the vDSO and cannot read the clock.
//!
//!     verify_path warm|shared|cold|evicting|api-key|garbage|expired COUNT

#![forbid(unsafe_code)]

use std::hint::black_box;

use tollgate::{Algorithm, ApiKey, ApiKeyTable, CacheConfig, Engine, KeyFormat, KeyRecord};
use tollgate_bench::unix_time;
use tollgate_tests::{cold_engine, engine, issuer, signing_key, traffic_token};

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, path, count] = arguments.as_slice() else { panic!("give a path and a count") };
    let count: usize = count.parse().expect("a count");

    let (key, now) = (signing_key(Algorithm::HS256, 0), unix_time());
    let signed_at = if path == "expired" { now - 7200 } else { now };
    let tokens: Vec<String> =
        (0..256).map(|index| format!("Bearer {}", traffic_token(&key, index, signed_at))).collect();
    let sized = |config| Engine::builder().issuer(issuer([&key])).cache(config).build().expect("an issuer is enough");
    let (engine, headers) = match path.as_str() {
        "warm" => (engine([&key]), tokens[..1].to_vec()),
        // One slot for all tokens: each is in the shared table alone.
        "shared" => (sized(CacheConfig { per_thread_slots: 1, ..CacheConfig::default() }), tokens),
        "cold" | "expired" => (cold_engine([&key]), tokens),
        // Room for a few tokens: each is new again when its turn comes, and one makes room for it.
        "evicting" => (sized(CacheConfig { bytes: 16 << 10, per_thread_slots: 1, ..CacheConfig::default() }), tokens),
        "api-key" => api_keys(),
        "garbage" => (cold_engine([&key]), tokens.iter().map(|token| token.replace('.', "-")).collect()),
        _ => panic!("no such path"),
    };
    // So that nothing happens for the first time below.
    for header in &headers {
        for _ in 0..4 {
            let _ = black_box(engine.verify_at(header.as_bytes(), now));
        }
    }
    let mut accepted = 0;
    for header in headers.iter().cycle().take(count) {
        accepted += usize::from(black_box(engine.verify_at(black_box(header.as_bytes()), now)).is_ok());
    }
    let is_good = !["garbage", "expired"].contains(&path.as_str());
    assert_eq!(accepted, if is_good { count } else { 0 });
}

fn api_keys() -> (Engine, Vec<String>) {
    let format = KeyFormat::new("tg", "live").expect("a format");
    let keys: Vec<ApiKey> = (0..1000).map(|_| ApiKey::generate(&format).expect("random bytes")).collect();
    let table = ApiKeyTable::builder(format).capacity(keys.len()).build();
    for (index, key) in keys.iter().enumerate() {
        table.insert(key, KeyRecord::api_key(&format!("key-{index}"), "user-1"));
    }
    let engine = Engine::builder().api_keys(table).build().expect("a table is enough");
    (engine, keys.iter().map(|key| key.as_str().to_owned()).collect())
}
