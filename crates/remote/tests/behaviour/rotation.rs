//! A provider that rotates its keys costs no valid token, and a key that it removes is gone in time.

use std::sync::Arc;

use tollgate::Request;
use tollgate_keys::VerifyingKey;
use tollgate_remote::{Clocks, Verifier, verify_or_refresh};

use crate::support::*;

/// RFC 7517 leaves the steps to the provider. A good order is: announce, sign, retire.
#[test]
fn rotation_announced_ahead_costs_no_token() {
    simulate(async {
        let signer = Arc::new(Signer::new());
        let published = signer.clone();
        let provider = Provider::start(publishes_current(move || published.jwks()));
        let remote = Remote::start(remote(&provider)).await;
        for round in 0..5 {
            let old = signer.header();
            signer.keys.announce(key(&format!("next-{round}")), unix_time()).unwrap();
            // At least the revocation bound, the longest time for which verifiers may cache.
            let valid = || assert!(accepts(&remote.engine, &old));
            remote.pass_in_steps(11 * MINUTE, 10 * SECOND, valid).await;
            signer.keys.rotate(unix_time()).unwrap();
            let new = signer.header();
            let valid = || assert!(accepts(&remote.engine, &old) && accepts(&remote.engine, &new));
            remote.pass_in_steps(11 * MINUTE, 10 * SECOND, valid).await;
        }
    });
}

#[test]
fn first_token_under_a_key_that_was_not_announced_is_accepted() {
    simulate(async {
        let signer = Arc::new(Signer::new());
        let published = signer.clone();
        let provider = Provider::start(publishes_current(move || published.jwks()));
        let remote = Remote::start(remote(&provider)).await;
        for round in 0..5 {
            let old = signer.header();
            signer.rotate(&format!("next-{round}"));
            let new = signer.header();
            assert_eq!(code(&remote.engine, &new), "unknown-key");
            assert!(verify_or_refresh(&remote.engine, &Request::new().authorization(&new)).await.is_ok());
            assert!(accepts(&remote.engine, &old));
            remote.pass(MINUTE).await;
        }
    });
}

#[test]
fn dropping_the_handle_leaves_an_engine_its_keys_and_their_refresh() {
    simulate(async {
        let signer = Arc::new(Signer::new());
        let published = signer.clone();
        let provider = Provider::start(publishes_current(move || published.jwks()));
        let Remote { keys, engine, .. } = Remote::start(remote(&provider)).await;
        let (health, verifier) = (keys.watch(), Verifier::new(engine));
        drop(keys);
        yield_often().await;
        assert!(verifier.verify(signer.header()).await.is_ok());
        signer.rotate("k2");
        assert_eq!(verifier.verify(signer.header()).await.unwrap().key_id(), Some("k2"));
        assert_eq!(health.borrow().status, Status::Fresh);
        // The ring has no reader any more.
        drop(verifier);
        until("the task has ended", || health.borrow().status == Status::Stopped).await;
    });
}

#[test]
fn removed_key_is_gone_within_the_revocation_bound() {
    simulate(async {
        // The provider says that its set is fresh for a day, which is honoured only up to the bound.
        let fresh = "Content-Type: application/json\r\nCache-Control: public, max-age=86400";
        let keys = [key("kept"), key("removed")];
        let provider = Provider::start(publishes_with(jwks(&keys), fresh));
        let remote = Remote::start(remote(&provider)).await;
        let [kept, removed] = keys;
        provider.becomes(publishes_with(jwks([&kept]), fresh));
        let (kept, removed) = (Signer::with_key(kept).header(), Signer::with_key(removed).header());
        assert!(accepts(&remote.engine, &kept) && accepts(&remote.engine, &removed));
        remote.pass_in_steps(10 * MINUTE, SECOND, || assert!(accepts(&remote.engine, &kept))).await;
        assert_eq!(code(&remote.engine, &removed), "unknown-key");
    });
}

#[test]
fn max_age_is_honoured_within_bounds() {
    // The provider's `Cache-Control`, and the seconds between which the next refresh is due: in the last fifth.
    let table = [
        ("max-age=100", 80, 100),
        ("public, max-age=100, must-revalidate", 80, 100),
        ("MAX-AGE=\"100\"", 80, 100),
        ("max-age=100\r\nAge: 30", 56, 70),
        ("max-age=5", 48, 60),
        ("max-age=100, max-age=200", 80, 100),
        ("max-age=-1", 48, 60),
        ("max-age=99999999999999999999999", 476, 595),
        ("no-store, max-age=400", 48, 60),
        ("no-cache", 48, 60),
        ("private", 240, 300),
        ("s-maxage=100", 240, 300),
    ];
    simulate(async {
        for (cache_control, earliest, latest) in table {
            let fields = format!("Content-Type: application/json\r\nCache-Control: {cache_control}");
            let provider = Provider::start(publishes_with(Signer::new().jwks(), &fields));
            let remote = Remote::start(remote(&provider).clock(|| 1_000_000)).await;
            let due = remote.keys.health().next_refresh - 1_000_000;
            assert!((earliest - 2..=latest).contains(&due), "{cache_control}: {due}");
        }
    });
}

#[test]
fn refreshes_of_many_processes_are_spread() {
    simulate(async {
        let provider = Provider::start(publishes(Signer::new().jwks()));
        let mut due = Vec::new();
        for _ in 0..20 {
            due.push(Remote::start(remote(&provider).clock(|| 0)).await.keys.health().next_refresh);
        }
        due.sort_unstable();
        due.dedup();
        assert!(due.len() > 5, "{due:?}");
    });
}

#[test]
fn keys_without_alg_take_the_algorithms_that_are_configured() {
    simulate(async {
        let modulus = format!("{}w", "u".repeat(341));
        let document = format!(r#"{{"keys":[{{"kty":"RSA","kid":"r","n":"{modulus}","e":"AQAB"}}]}}"#);
        let provider = Provider::start(publishes(document));
        let algorithms = [tollgate::Algorithm::PS256, tollgate::Algorithm::PS384];
        let remote = Remote::start(remote(&provider).algorithms(&algorithms)).await;
        let ring = remote.keys.key_ring();
        let found: Vec<_> = ring.load().iter().map(VerifyingKey::algorithm).collect();
        assert_eq!(found, algorithms, "{:?}", remote.keys.health());
    });
}

#[test]
fn set_of_two_providers_is_that_of_one_at_a_time() {
    simulate(async {
        let (one, two) = (Signer::new(), Signer::new());
        let provider = Provider::start(publishes(one.jwks()));
        let remote = Remote::start(remote(&provider).clocks(Clocks { burst: 3, ..clocks() })).await;
        provider.becomes(publishes(two.jwks()));
        remote.pass_a_refresh().await;
        // Both keys are called k1: nothing of the old one stays.
        assert_eq!(code(&remote.engine, &one.header()), "bad-signature");
        assert!(accepts(&remote.engine, &two.header()));
    });
}
