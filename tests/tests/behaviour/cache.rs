//! The verified-token cache: it saves work and decides nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use tollgate::{Algorithm, CacheConfig, Engine, Issuer, KeyRing, Rejection};
use tollgate_issuer::SigningKey;
use tollgate_keys::test_hooks::signature_checks;
use tollgate_tests::{AUDIENCE, Draft, ISSUER, NOW, engine, issuer, key_set, signing_key, traffic_token};

fn es256() -> SigningKey {
    signing_key(Algorithm::ES256, 0)
}

/// Verifies at [`NOW`] and counts the signature checks it took.
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
    // From the shared table, then from the thread's own; bare and as Bearer alike.
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
    // The place in the cache comes from a token's last bytes; these have them all in common.
    let (a, b) = (es256(), signing_key(Algorithm::ES256, 1));
    let engine = engine([&a]);
    let good = Draft::new(&a).sign(&a);
    let signature = good.rsplit('.').next().unwrap();
    for _ in 0..4 {
        assert_eq!(verify(&engine, &good).0, Ok(()));
        for forged in [
            format!("{}.{signature}", Draft::new(&a).claim("sub", "admin").signing_input()),
            format!("{}.{signature}", Draft::new(&a).claim("sub", "user-2").signing_input()),
            format!("{}.{signature}", Draft::new(&a).without_header("kid").signing_input()),
            format!("{}.A{}", good.rsplit_once('.').unwrap().0, &signature[1..]),
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
fn a36_a_thread_may_use_many_engines_one_after_the_other() {
    let key = es256();
    let token = Draft::new(&key).sign(&key);
    let engines: Vec<_> = (0..20).map(|_| engine([&key])).collect();
    for round in 0..3 {
        for engine in &engines {
            let checks = if round == 0 { 1 } else { 0 };
            assert_eq!(verify(engine, &token), (Ok(()), checks));
        }
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
fn the_shared_table_stays_within_its_bytes() {
    let key = es256();
    for bytes in [0, 1 << 10, 100_000, 1 << 20] {
        let config = CacheConfig { bytes, per_thread_slots: 1, ..CacheConfig::default() };
        let engine = Engine::builder().issuer(issuer([&key])).cache(config).build().unwrap();
        for index in 0..2_000 {
            let token = Draft::new(&key).claim("n", index).claim("pad", "x".repeat(index % 700)).sign(&key);
            assert_eq!(verify(&engine, &token).0, Ok(()));
        }
        let statistics = engine.cache_statistics().unwrap();
        assert!(statistics.bytes <= bytes.max(1 << 10), "{statistics:?} of {bytes}");
        assert!(bytes < 100_000 || statistics.evictions > 0, "{statistics:?} of {bytes}");
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
