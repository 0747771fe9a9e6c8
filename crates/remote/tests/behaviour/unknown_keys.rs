//! Tokens that name unknown keys.

use std::thread;
use std::time::Duration;

use tollgate::Request;
use tollgate_keys::{KeyRing, KeySet};
use tollgate_remote::{Clocks, limits, verify_or_refresh};

use crate::support::*;

#[test]
fn first_token_under_a_new_key_is_accepted_by_all_who_wait_with_one_fetch() {
    simulate(async {
        let signer = Signer::new();
        let provider = Provider::start(publishes(signer.jwks()));
        let remote = Remote::start(remote(&provider)).await;
        signer.rotate("k2");
        provider.becomes(publishes(signer.jwks()));
        let waiting: Vec<_> = (0..50).map(|_| remote.verify_or_refresh(&signer.header())).collect();
        for verdict in waiting {
            assert_eq!(at_once(verdict).await.unwrap().key_id(), Some("k2"));
        }
        assert_eq!(provider.request_count(), 2);
    });
}

#[test]
fn hint_of_a_plain_verify_brings_the_key() {
    simulate(async {
        let signer = Signer::new();
        let provider = Provider::start(publishes(signer.jwks()));
        let remote = Remote::start(remote(&provider)).await;
        signer.rotate("k2");
        provider.becomes(publishes(signer.jwks()));
        let header = signer.header();
        assert_eq!(code(&remote.engine, &header), "unknown-key");
        until("the key is there", || accepts(&remote.engine, &header)).await;
        // No intermediate cache may answer for the provider.
        assert_eq!(provider.requests()[1].fields.get("cache-control").map(String::as_str), Some("no-cache"));
    });
}

#[test]
fn key_published_during_a_fetch_that_began_before_is_waited_for() {
    simulate(async {
        let signer = Signer::new();
        let provider = Provider::start(publishes(signer.jwks()));
        let remote = Remote::start(remote(&provider)).await;
        // A refresh is in progress, and its answer is already determined, when the keys change.
        let gate = Gate::default();
        provider.becomes(waits_for(&gate, publishes(signer.jwks())));
        tokio::time::advance(5 * MINUTE).await;
        until("the refresh is under way", || provider.request_count() == 2).await;
        signer.rotate("k2");
        provider.becomes(publishes(signer.jwks()));
        let verdict = remote.verify_or_refresh(&signer.header());
        yield_often().await;
        gate.open();
        assert!(at_once(verdict).await.is_ok());
        assert_eq!(provider.request_count(), 3);
    });
}

#[test]
fn key_that_does_not_exist_is_rejected_after_one_fetch_and_then_at_once() {
    simulate(async {
        let signer = Signer::new();
        let provider = Provider::start(publishes(signer.jwks()));
        let remote = Remote::start(remote(&provider)).await;
        let header = header_under_kid(&signer.header(), "nobody's");
        for _ in 0..3 {
            let verdict = at_once(remote.verify_or_refresh(&header)).await;
            assert_eq!(verdict.unwrap_err().code(), "unknown-key");
            assert_eq!(provider.request_count(), 2);
        }
    });
}

#[test]
fn key_id_that_begins_as_a_missing_one_is_looked_for() {
    simulate(async {
        let signer = Signer::new();
        let provider = Provider::start(publishes(signer.jwks()));
        let remote = Remote::start(remote(&provider).clocks(Clocks { burst: 2, ..Clocks::default() })).await;
        let long = |end: &str| "k".repeat(250) + end;
        let header = header_under_kid(&signer.header(), &long("1"));
        assert_eq!(at_once(remote.verify_or_refresh(&header)).await.unwrap_err().code(), "unknown-key");
        signer.rotate(&long("2"));
        provider.becomes(publishes(signer.jwks()));
        assert!(at_once(remote.verify_or_refresh(&signer.header())).await.is_ok());
        assert_eq!(provider.request_count(), 3);
    });
}

#[test]
fn spent_budget_rejects_at_once() {
    simulate(async {
        let signer = Signer::new();
        let provider = Provider::start(publishes(signer.jwks()));
        let remote = Remote::start(remote(&provider)).await;
        for kid in ["one", "two", "three"] {
            let verdict = at_once(remote.verify_or_refresh(&header_under_kid(&signer.header(), kid))).await;
            assert_eq!(verdict.unwrap_err().code(), "unknown-key");
        }
        assert_eq!(provider.request_count(), 2);
    });
}

#[test]
fn every_other_verdict_is_that_of_verify() {
    simulate(async {
        let signer = Signer::new();
        let provider = Provider::start(publishes(signer.jwks()));
        let remote = Remote::start(remote(&provider)).await;
        let good = signer.header();
        assert!(at_once(remote.verify_or_refresh(&good)).await.is_ok());
        for bad in ["", "Bearer nonsense", "Basic dTpw", &good[..good.len() - 2]] {
            let expected = remote.engine.verify(bad.as_bytes()).unwrap_err();
            assert_eq!(at_once(remote.verify_or_refresh(bad)).await.unwrap_err(), expected);
        }
        assert_eq!(provider.request_count(), 1);
    });
}

#[test]
fn issuer_without_remote_keys_rejects_at_once() {
    simulate(async {
        let signer = Signer::new();
        let engine = engine(KeyRing::new(KeySet::default()));
        let header = signer.header();
        let verdict = verify_or_refresh(&engine, &Request::new().authorization(&header)).await;
        assert_eq!(verdict.unwrap_err().code(), "unknown-key");
    });
}

#[test]
fn waiting_for_a_provider_that_hangs_is_bounded() {
    simulate(async {
        let signer = Signer::new();
        let provider = Provider::start(publishes(signer.jwks()));
        let clocks = Clocks { request_timeout: MINUTE, ..clocks() };
        let remote = Remote::start(remote(&provider).clocks(clocks)).await;
        provider.becomes(hangs());
        signer.rotate("k2");
        let verdict = remote.verify_or_refresh(&signer.header());
        until("the fetch is under way", || provider.request_count() == 2).await;
        tokio::time::advance(limits::MAX_REFRESH_WAIT - Duration::from_millis(1)).await;
        yield_often().await;
        assert!(!verdict.is_finished());
        tokio::time::advance(Duration::from_millis(2)).await;
        assert_eq!(at_once(verdict).await.unwrap_err().code(), "unknown-key");
    });
}

#[test]
fn those_who_wait_are_bounded_in_number() {
    simulate(async {
        let signer = Signer::new();
        let provider = Provider::start(publishes(signer.jwks()));
        let remote = Remote::start(remote(&provider)).await;
        provider.becomes(hangs());
        signer.rotate("k2");
        let header = signer.header();
        let waiting: Vec<_> = (0..limits::MAX_WAITING + 100).map(|_| remote.verify_or_refresh(&header)).collect();
        let finished = || waiting.iter().filter(|verdict| verdict.is_finished()).count();
        until("the last ones were rejected", || finished() == 100).await;
        yield_often().await;
        assert_eq!(finished(), 100);
    });
}

#[test]
fn key_that_is_published_late_is_found_after_a_cool_down() {
    simulate(async {
        let signer = Signer::new();
        let provider = Provider::start(publishes(signer.jwks()));
        let remote = Remote::start(remote(&provider)).await;
        signer.rotate("k2");
        let header = signer.header();
        assert!(at_once(remote.verify_or_refresh(&header)).await.is_err());
        provider.becomes(publishes(signer.jwks()));
        remote.pass_in_steps(29 * SECOND, SECOND, || assert!(!accepts(&remote.engine, &header))).await;
        remote.pass_in_steps(2 * SECOND, SECOND, || _ = accepts(&remote.engine, &header)).await;
        assert!(accepts(&remote.engine, &header));
    });
}

#[test]
fn key_that_stays_away_is_looked_for_ever_more_rarely() {
    simulate(async {
        let signer = Signer::new();
        let provider = Provider::start(publishes(signer.jwks()));
        let remote = Remote::start(remote(&provider)).await;
        let stale = header_under_kid(&signer.header(), "of last year");
        remote.pass_in_steps(HOUR, SECOND, || _ = code(&remote.engine, &stale)).await;
        // 0, 30 s, 90 s, 3.5 min, 7.5 min, 15.5 min, and then every 10 min.
        let fetches = remote.fetches_for_unknown_keys();
        assert!((8..=11).contains(&fetches), "{fetches}");
    });
}

#[test]
fn stale_key_leaves_the_budget_to_a_real_rotation() {
    simulate(async {
        let signer = Signer::new();
        let provider = Provider::start(publishes(signer.jwks()));
        let remote = Remote::start(remote(&provider)).await;
        let stale = header_under_kid(&signer.header(), "of last year");
        // A fetch for this key id starts after 1, 32 and 93 seconds.
        remote.pass_in_steps(130 * SECOND, SECOND, || _ = code(&remote.engine, &stale)).await;
        signer.rotate("k2");
        provider.becomes(publishes(signer.jwks()));
        assert!(at_once(remote.verify_or_refresh(&signer.header())).await.is_ok());
    });
}

#[test]
fn token_without_kid_hints_too() {
    simulate(async {
        let signer = Signer::new();
        let provider = Provider::start(publishes(signer.jwks()));
        let remote = Remote::start(remote(&provider)).await;
        remote.keys.key_ring().report_unknown_key(None);
        until("a fetch has begun", || remote.fetches_for_unknown_keys() == 1).await;
    });
}

#[test]
fn key_id_that_no_set_can_hold_leads_to_no_fetch() {
    simulate(async {
        let signer = Signer::new();
        let provider = Provider::start(publishes(signer.jwks()));
        let remote = Remote::start(remote(&provider)).await;
        remote.keys.key_ring().report_unknown_key(Some(&"k".repeat(1025)));
        remote.pass(MINUTE).await;
        assert_eq!(remote.fetches_for_unknown_keys(), 0);
    });
}

#[test]
fn reporting_a_key_allocates_nothing() {
    simulate(async {
        let signer = Signer::new();
        let provider = Provider::start(publishes(signer.jwks()));
        let remote = Remote::start(remote(&provider)).await;
        let ring = remote.keys.key_ring();
        let reporting = thread::spawn(move || {
            let kids: Vec<_> = (0..10_000).map(|index| format!("kid-{index}")).collect();
            let allocations = allocation_counter::measure(|| {
                for kid in &kids {
                    ring.report_unknown_key(Some(kid));
                }
            });
            allocations.count_total
        });
        until("all are reported", || reporting.is_finished()).await;
        assert_eq!(reporting.join().unwrap(), 0);
    });
}

#[test]
fn stopped_keys_are_gone_and_nobody_waits_for_them() {
    simulate(async {
        let signer = Signer::new();
        let provider = Provider::start(publishes(signer.jwks()));
        let remote = Remote::start(remote(&provider)).await;
        let (engine, health) = (remote.engine.clone(), remote.keys.watch());
        remote.keys.stop();
        until("the ring is empty", || !accepts(&engine, &signer.header())).await;
        assert_eq!(health.borrow().status, Status::Stopped);
        let header = signer.header();
        assert_eq!(
            verify_or_refresh(&engine, &Request::new().authorization(&header)).await.unwrap_err().code(),
            "unknown-key"
        );
    });
}
