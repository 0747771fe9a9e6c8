//! The verified-token cache saves work, and decides nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use serde_json::Value;
use tollgate::limits::{MAX_CACHE_SLOTS_PER_THREAD, MIN_CACHE_BYTES};
use tollgate::{Algorithm, CacheConfig, Engine, Issuer, KeyRing, Rejection};
use tollgate_issuer::SigningKey;
use tollgate_keys::test_hooks::signature_checks;
use tollgate_tests::{
    AUDIENCE, Draft, ISSUER, NOW, engine, issuer, key_set, signing_key, traffic_claims, traffic_token,
};

fn es256() -> SigningKey {
    signing_key(Algorithm::ES256, 0)
}

/// Verifies at [`NOW`], and counts the signature checks.
fn verify(engine: &Engine, token: &str) -> (Result<(), &'static str>, u64) {
    let before = signature_checks();
    let result = engine.verify_at(token.as_bytes(), NOW).map(drop).map_err(|rejection| rejection.code());
    (result, signature_checks() - before)
}

#[test]
fn a_token_is_checked_once_and_then_known() {
    let key = es256();
    let engine = engine([&key]);
    let token = Draft::new(&key).sign(&key);
    assert_eq!(verify(&engine, &token), (Ok(()), 1));
    // From the shared table, then from the thread's own; bare and with Bearer.
    for _ in 0..5 {
        assert_eq!(verify(&engine, &token), (Ok(()), 0));
        assert_eq!(verify(&engine, &format!("bEaReR   {token}")), (Ok(()), 0));
    }
    let statistics = engine.cache_statistics().unwrap();
    assert_eq!(statistics.misses, 1);
    assert_eq!(statistics.front_hits + statistics.back_hits, 10);
    assert!(statistics.front_hits > 0 && statistics.back_hits > 0);
}

#[test]
fn a_known_token_says_what_it_said_at_first() {
    let key = es256();
    let engine = engine([&key]);
    let token = Draft::new(&key).claim("tenant", 7).sign(&key);
    let first = engine.verify_at(token.as_bytes(), NOW).unwrap();
    for _ in 0..4 {
        let again = engine.verify_at(token.as_bytes(), NOW).unwrap();
        assert_eq!(format!("{first:?}"), format!("{again:?}"));
        assert_eq!(again.claim::<u32>("tenant"), Ok(Some(7)));
        assert_eq!((again.key_id(), again.audience().next()), (Some(key.kid()), Some(AUDIENCE)));
    }
}

#[test]
fn without_a_cache_every_token_is_checked() {
    let key = es256();
    let engine = Engine::builder().issuer(issuer([&key])).no_cache().build().unwrap();
    let token = Draft::new(&key).sign(&key);
    for _ in 0..3 {
        assert_eq!(verify(&engine, &token), (Ok(()), 1));
    }
    assert!(engine.cache_statistics().is_none());
}

#[test]
fn a36_tokens_that_end_alike_are_told_apart() {
    // A token's slot depends on its last bytes, which these tokens share.
    let (a, b) = (es256(), signing_key(Algorithm::ES256, 1));
    let engine = engine([&a]);
    let good = Draft::new(&a).sign(&a);
    let signature = good.rsplit('.').next().unwrap();
    let another = if signature.starts_with('A') { 'B' } else { 'A' };
    for _ in 0..4 {
        assert_eq!(verify(&engine, &good).0, Ok(()));
        for forged in [
            format!("{}.{signature}", Draft::new(&a).claim("sub", "admin").signing_input()),
            format!("{}.{signature}", Draft::new(&a).claim("sub", "user-2").signing_input()),
            format!("{}.{signature}", Draft::new(&a).without_header("kid").signing_input()),
            format!("{}.{another}{}", good.rsplit_once('.').unwrap().0, &signature[1..]),
        ] {
            assert_eq!(verify(&engine, &forged).0, Err("bad-signature"));
        }
        let other = Draft::new(&b).sign(&b);
        assert!(verify(&engine, &format!("{}{}", &other[..other.len() - 86], signature)).0.is_err());
    }
}

#[test]
fn a36_two_engines_share_no_verdict() {
    let key = es256();
    let set = || key_set([&key]);
    let engine =
        |audience: &str| Engine::builder().issuer(Issuer::new(ISSUER).audience(audience).keys(set())).build().unwrap();
    let (first, second) = (engine(AUDIENCE), engine("other"));
    let token = Draft::new(&key).sign(&key);
    for _ in 0..4 {
        assert_eq!(verify(&first, &token).0, Ok(()));
        assert_eq!(verify(&second, &token).0, Err("wrong-audience"));
    }
}

#[test]
fn a36_many_engines_of_one_thread_share_no_verdict_and_keep_their_tokens_at_hand() {
    let key = es256();
    let token = Draft::new(&key).sign(&key);
    let small = CacheConfig { bytes: 1 << 20, ..CacheConfig::default() };
    let engines: Vec<_> =
        (0..64).map(|_| Engine::builder().issuer(issuer([&key])).cache(small).build().unwrap()).collect();
    let stranger = Engine::builder().issuer(issuer([&es256()])).cache(small).build().unwrap();
    for round in 0..6 {
        for engine in &engines {
            let checks = if round == 0 { 1 } else { 0 };
            assert_eq!(verify(engine, &token), (Ok(()), checks));
        }
        assert_eq!(verify(&stranger, &token).0, Err("bad-signature"));
    }
    for engine in &engines {
        let statistics = engine.cache_statistics().unwrap();
        assert_eq!((statistics.misses, statistics.back_hits, statistics.front_hits), (1, 2, 3));
    }
}

#[test]
fn a36_an_engine_in_the_place_of_a_dropped_one_knows_nothing_of_it() {
    let (key, other) = (es256(), es256());
    let token = Draft::new(&key).sign(&key);
    for _ in 0..10 {
        let first = engine([&key]);
        assert!((0..4).all(|_| verify(&first, &token).0 == Ok(())));
        drop(first);
        let second = engine([&other]);
        assert!((0..4).all(|_| verify(&second, &token) == (Err("bad-signature"), 1)));
    }
}

#[test]
fn a37_failures_are_not_kept() {
    let (key, stranger) = (es256(), signing_key(Algorithm::ES256, 0));
    let engine = engine([&key]);
    let (good, bad) = (Draft::new(&key).sign(&key), Draft::new(&key).sign(&stranger));
    for _ in 0..2 {
        assert_eq!(verify(&engine, &bad), (Err("bad-signature"), 1));
    }
    assert_eq!(verify(&engine, &good), (Ok(()), 1));
    assert_eq!(verify(&engine, &bad), (Err("bad-signature"), 1));
    assert_eq!(verify(&engine, &good), (Ok(()), 0));
}

#[test]
fn a38_a_known_token_expires_and_begins_all_the_same() {
    let key = es256();
    let engine = Engine::builder().issuer(issuer([&key]).leeway(0)).build().unwrap();
    let token = Draft::new(&key).claim("nbf", NOW).claim("exp", NOW + 10).sign(&key);
    let code = |now| engine.verify_at(token.as_bytes(), now).map(drop).map_err(|rejection| rejection.code());
    for _ in 0..4 {
        assert_eq!((code(NOW), code(NOW + 9)), (Ok(()), Ok(())));
        assert_eq!((code(NOW - 1), code(NOW + 10)), (Err("not-yet-valid"), Err("expired")));
    }
}

#[test]
fn a38_the_clock_goes_forward_alone() {
    let key = es256();
    let time = Arc::new(AtomicI64::new(NOW));
    let source = time.clone();
    let engine = Engine::builder()
        .issuer(issuer([&key]).leeway(0))
        .clock(move || source.load(Ordering::Relaxed))
        .build()
        .unwrap();
    let token = Draft::new(&key).claim("exp", NOW + 10).sign(&key);
    for _ in 0..4 {
        assert!(engine.verify(token.as_bytes()).is_ok());
    }
    time.store(NOW + 10, Ordering::Relaxed);
    assert_eq!(engine.verify(token.as_bytes()).unwrap_err().code(), "expired");
    time.store(NOW, Ordering::Relaxed);
    assert_eq!(engine.verify(token.as_bytes()).unwrap_err().code(), "expired");
}

#[test]
fn a39_a_known_token_falls_with_its_key_and_stays_with_it() {
    let (old, new) = (es256(), signing_key(Algorithm::ES256, 1));
    let ring = KeyRing::new(key_set([&old, &new]));
    let engine = Engine::builder().issuer(issuer([]).keys(ring.clone())).build().unwrap();
    let (by_old, by_new) = (Draft::new(&old).sign(&old), Draft::new(&new).sign(&new));
    for _ in 0..4 {
        assert_eq!((verify(&engine, &by_old).0, verify(&engine, &by_new).0), (Ok(()), Ok(())));
    }
    ring.replace(key_set([&new]));
    assert_eq!(verify(&engine, &by_old), (Err("unknown-key"), 0));
    assert_eq!(verify(&engine, &by_new), (Ok(()), 0), "a kept key's token stays known");
    assert_eq!(verify(&engine, &by_new), (Ok(()), 0));
    ring.replace(key_set([&old, &new]));
    assert_eq!(verify(&engine, &by_old), (Ok(()), 1), "and a key that came back vouches anew");
}

#[test]
fn a39_a_key_replaced_under_its_kid_takes_its_tokens_along() {
    let (old, new) = (es256(), es256());
    let ring = KeyRing::new(key_set([&old]));
    let engine = Engine::builder().issuer(issuer([]).keys(ring.clone())).build().unwrap();
    let token = Draft::new(&old).sign(&old);
    for _ in 0..4 {
        assert_eq!(verify(&engine, &token).0, Ok(()));
    }
    ring.replace(key_set([&new]));
    assert_eq!(verify(&engine, &token), (Err("bad-signature"), 1));
}

#[test]
fn a41_junk_evicts_nothing() {
    let (key, stranger) = (es256(), signing_key(Algorithm::ES256, 0));
    let config = CacheConfig { bytes: 1 << 20, ..CacheConfig::default() };
    let engine = Engine::builder().issuer(issuer([&key])).cache(config).build().unwrap();
    let tokens: Vec<_> = (0..100).map(|index| traffic_token(&key, index, NOW)).collect();
    for _ in 0..3 {
        assert!(tokens.iter().all(|token| verify(&engine, token).0.is_ok()));
    }
    let misses = engine.cache_statistics().unwrap().misses;
    let forged = traffic_token(&stranger, 0, NOW);
    for index in 0..1_000_000_u32 {
        let junk = match index % 1000 {
            0 => forged.clone(),
            _ => format!("ey{index}.{index:032}.{index:016}"),
        };
        assert!(engine.verify_at(junk.as_bytes(), NOW).is_err());
    }
    assert!(tokens.iter().all(|token| verify(&engine, token) == (Ok(()), 0)));
    let statistics = engine.cache_statistics().unwrap();
    assert_eq!((statistics.misses, statistics.evictions), (misses + 1_000_000, 0));
}

#[test]
fn the_default_cache_holds_what_its_documentation_says() {
    // HS256 over the input of the benchmarks, and as long as with RS256.
    for (count, length) in [(60_000, 600), (45_000, 900)] {
        let key = signing_key(Algorithm::HS256, 0);
        let engine = engine([&key]);
        let tokens: Vec<String> = (0..count).map(|index| token_of_length(&key, index, length)).collect();
        let mut random = 0x9e37_79b9_7f4a_7c15_u64;
        let mut verify_some = |times: usize| {
            let before = engine.cache_statistics().unwrap().misses;
            for _ in 0..times {
                random ^= random << 13;
                random ^= random >> 7;
                random ^= random << 17;
                engine.verify_at(&tokens[random as usize % count], NOW).unwrap();
            }
            (engine.cache_statistics().unwrap().misses - before) as f64 / times as f64
        };
        assert!(tokens.iter().all(|token| engine.verify_at(token, NOW).is_ok()));
        verify_some(count / 2);
        let misses = verify_some(count / 2);
        assert!(misses < 0.03, "{misses} of {count} tokens of {length} bytes");
    }
}

/// A token of at least that many bytes, and at most 4 more.
fn token_of_length(key: &SigningKey, index: usize, length: usize) -> String {
    let mut claims = traffic_claims(index, NOW);
    let sign = |claims: &Value| Draft::new(key).payload_text(claims.to_string()).sign(key);
    let shortest = sign(&claims).len();
    if let Some(missing) = length.checked_sub(shortest) {
        claims["pad"] = "x".repeat(missing * 3 / 4 - 8).into();
    }
    let token = sign(&claims);
    assert!((length..length + 5).contains(&token.len()), "{} for {length}", token.len());
    token
}

#[test]
fn the_shared_table_stays_within_its_bytes() {
    let key = es256();
    for bytes in [MIN_CACHE_BYTES, 100_000, 1 << 20] {
        let config = CacheConfig { bytes, per_thread_slots: 1, ..CacheConfig::default() };
        let tokens: Vec<_> = (0..2_000)
            .map(|index| Draft::new(&key).claim("n", index).claim("pad", "x".repeat(index % 700)).sign(&key))
            .collect();
        let other = Engine::builder().issuer(issuer([&key])).no_cache().build().unwrap();
        // The thread's own memory grows to the token's size, which does not count.
        assert!(tokens.iter().all(|token| verify(&other, token).0 == Ok(())));
        let without = allocation_counter::measure(|| {
            std::mem::forget(Engine::builder().issuer(issuer([&key])).no_cache().build().unwrap());
        });
        let mut engine = None;
        let used = allocation_counter::measure(|| {
            let engine = engine.insert(Engine::builder().issuer(issuer([&key])).cache(config).build().unwrap());
            assert!(tokens.iter().all(|token| verify(engine, token) == (Ok(()), 1)));
        });
        let used = (used.bytes_current - without.bytes_current) as usize;
        let statistics = engine.unwrap().cache_statistics().unwrap();
        assert!(statistics.bytes <= bytes && statistics.evictions > 0, "{statistics:?} of {bytes}");
        assert!(used <= bytes + THREAD_BYTES, "{used} of {bytes}");
        // The cache leaves no more of its memory unused than one more token would need in each share.
        assert!(statistics.bytes + 4096 > bytes, "{statistics:?} of {bytes}");
    }
}

/// One thread's part of the cache: a slot, without a token, and counters.
const THREAD_BYTES: usize = 1 << 10;

#[test]
fn a_thread_may_keep_as_many_tokens_as_the_most_that_can_be_configured() {
    let key = es256();
    let token = Draft::new(&key).sign(&key);
    for per_thread_slots in [0, MAX_CACHE_SLOTS_PER_THREAD] {
        let config = CacheConfig { per_thread_slots, ..CacheConfig::default() };
        let engine = Engine::builder().issuer(issuer([&key])).cache(config).build().unwrap();
        assert!((0..4).all(|_| verify(&engine, &token).0 == Ok(())));
        assert!(engine.cache_statistics().unwrap().front_hits > 0);
    }
}

#[test]
fn a_token_that_was_evicted_is_checked_again() {
    let key = es256();
    let config = CacheConfig { bytes: 20_000, per_thread_slots: 1, ..CacheConfig::default() };
    let engine = Engine::builder().issuer(issuer([&key])).cache(config).build().unwrap();
    let tokens: Vec<_> = (0..200).map(|index| traffic_token(&key, index, NOW)).collect();
    for _ in 0..2 {
        assert!(tokens.iter().all(|token| verify(&engine, token).0.is_ok()));
    }
    assert!(engine.cache_statistics().unwrap().misses > 200);
}

#[test]
fn a_token_is_verified_anew_after_the_age_that_is_set() {
    let key = es256();
    let config = CacheConfig { max_token_age: 5, ..CacheConfig::default() };
    let engine = Engine::builder().issuer(issuer([&key])).cache(config).build().unwrap();
    let token = Draft::new(&key).sign(&key);
    let checks = |now| {
        let before = signature_checks();
        assert!(engine.verify_at(token.as_bytes(), now).is_ok());
        signature_checks() - before
    };
    assert_eq!([NOW, NOW, NOW, NOW + 5, NOW + 6, NOW + 6, NOW + 11, NOW + 12].map(checks), [1, 0, 0, 0, 1, 0, 0, 1]);
    // However young a token may be, a time of verification in the future is not accepted.
    assert_eq!([NOW + 5, NOW + 5].map(checks), [1, 0]);
}

#[test]
fn every_thread_knows_what_one_has_verified() {
    let key = es256();
    let engine = engine([&key]);
    let token = Draft::new(&key).sign(&key);
    assert_eq!(verify(&engine, &token), (Ok(()), 1));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..10 {
                    assert_eq!(verify(&engine, &token), (Ok(()), 0));
                }
            });
        }
    });
    let statistics = engine.cache_statistics().unwrap();
    assert_eq!((statistics.misses, statistics.front_hits + statistics.back_hits), (1, 40));
}

#[test]
fn a40_what_is_revoked_while_threads_verify_is_rejected_by_all_of_them_afterwards() {
    use tollgate::{Revocation, Revocations};
    let key = es256();
    let revocations = Revocations::new();
    let engine = Engine::builder().issuer(issuer([&key])).revocations(revocations.clone()).build().unwrap();
    let revoked = AtomicI64::new(0);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let tokens: Vec<_> =
                    (0..200).map(|jti| Draft::new(&key).claim("jti", format!("{jti}")).sign(&key)).collect();
                while revoked.load(Ordering::SeqCst) < 200 {
                    for (jti, token) in tokens.iter().enumerate() {
                        let floor = revoked.load(Ordering::SeqCst);
                        let result = engine.verify_at(token.as_bytes(), NOW);
                        if (jti as i64) < floor {
                            assert_eq!(result.unwrap_err(), Rejection::Revoked);
                        }
                    }
                }
            });
        }
        for jti in 0..200 {
            revocations.revoke(&Revocation::token(ISSUER, &format!("{jti}")));
            revoked.store(jti + 1, Ordering::SeqCst);
        }
    });
}
