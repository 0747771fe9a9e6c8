//! Attacks on remote key sets, by their number in SECURITY.md.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::thread;

use tollgate_remote::{Clocks, RemoteKeys};

use crate::support::*;

#[test]
fn a42_random_kids_lead_to_at_most_one_fetch_a_cool_down() {
    simulate(async {
        let signer = Signer::new();
        let provider = Provider::start(publishes(signer.jwks()));
        let remote = Remote::start(remote(&provider)).await;
        let ring = remote.keys.key_ring();
        let (seconds, mut kid) = (100, 0_u64);
        remote
            .pass_in_steps(seconds * SECOND, SECOND, || {
                for _ in 0..10_000 {
                    kid += 1;
                    ring.report_unknown_key(Some(&format!("{:016x}", kid.wrapping_mul(0x9e37_79b9_7f4a_7c15))));
                }
            })
            .await;
        assert_eq!(kid, 1_000_000);
        assert_eq!(remote.fetches_for_unknown_keys(), 4);
        assert!(accepts(&remote.engine, &signer.header()));
    });
}

#[test]
fn a42_random_kids_are_rejected_without_waiting_while_the_provider_hangs() {
    simulate(async {
        let signer = Signer::new();
        let provider = Provider::start(publishes(signer.jwks()));
        let remote = Remote::start(remote(&provider)).await;
        provider.becomes(hangs());
        let template = signer.header();
        // No time passes, so the fetch is in progress all along.
        for kid in 0..20_000 {
            assert_eq!(code(&remote.engine, &header_under_kid(&template, &kid.to_string())), "unknown-key");
            if kid == 0 {
                until("the fetch is under way", || provider.request_count() == 2).await;
            }
        }
        yield_often().await;
        assert_eq!(provider.request_count(), 2);
        assert!(accepts(&remote.engine, &template));
    });
}

#[test]
fn a42_bad_key_sets_neither_give_the_budget_back_nor_replace_a_good_one() {
    simulate(async {
        for bad in [r#"{"keys":[]}"#, "garbage", ""] {
            let signer = Signer::new();
            let provider = Provider::start(publishes(signer.jwks()));
            let remote = Remote::start(remote(&provider)).await;
            provider.becomes(publishes(bad));
            let (header, mut kid) = (signer.header(), 0);
            let storm = || {
                kid += 1;
                assert_eq!(code(&remote.engine, &header_under_kid(&header, &kid.to_string())), "unknown-key");
                assert!(accepts(&remote.engine, &header));
            };
            // Less than the time until the next regular refresh.
            remote.pass_in_steps(3 * MINUTE, SECOND, storm).await;
            assert_eq!(provider.request_count() - 1, 6, "one for each 30 s");
            assert_eq!(remote.keys.health().status, Status::Stale);
        }
    });
}

#[test]
fn a42_storm_on_one_issuer_does_not_delay_another() {
    simulate(async {
        let (stormy, calm) = (Signer::new(), Signer::new());
        let hanging = Provider::start(publishes(stormy.jwks()));
        let answering = Provider::start(publishes(calm.jwks()));
        let (one, other) = (Remote::start(remote(&hanging)).await, Remote::start(remote(&answering)).await);
        hanging.becomes(hangs());
        let (ring, stop, sent) = (one.keys.key_ring(), Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let storm = thread::spawn({
            let (stop, sent) = (Arc::clone(&stop), Arc::clone(&sent));
            move || {
                while !stop.load(SeqCst) {
                    ring.report_unknown_key(Some(&sent.fetch_add(1, SeqCst).to_string()));
                }
            }
        });
        until("the storm rages", || sent.load(SeqCst) > 10_000 && hanging.request_count() == 2).await;
        calm.rotate("k2");
        answering.becomes(publishes(calm.jwks()));
        assert!(at_once(other.verify_or_refresh(&calm.header())).await.is_ok());
        stop.store(true, SeqCst);
        storm.join().unwrap();
        assert_eq!(hanging.request_count(), 2);
    });
}

#[test]
fn a42_rotation_during_a_storm_is_seen_within_the_cool_down() {
    simulate(async {
        let signer = Signer::new();
        let provider = Provider::start(publishes(signer.jwks()));
        let remote = Remote::start(remote(&provider)).await;
        let (ring, mut kid) = (remote.keys.key_ring(), 0_u64);
        let mut storm = || {
            for _ in 0..1_000 {
                kid += 1;
                ring.report_unknown_key(Some(&kid.to_string()));
            }
        };
        remote.pass_in_steps(MINUTE, SECOND, &mut storm).await;
        signer.rotate("k2");
        provider.becomes(publishes(signer.jwks()));
        remote.pass_in_steps(31 * SECOND, SECOND, &mut storm).await;
        assert!(accepts(&remote.engine, &signer.header()));
    });
}

#[test]
fn a43_unusable_keys_are_passed_over_and_their_neighbours_kept() {
    simulate(async {
        let signer = Signer::new();
        let good = signer.keys.signing_key().public_jwk().unwrap();
        let other = key("other").public_jwk().unwrap();
        let table = [
            ("unsupported-key-type", r#"{"kty":"Unheard-of"}"#.to_owned()),
            ("unsupported-curve", r#"{"kty":"OKP","crv":"X25519","x":"AA"}"#.to_owned()),
            ("use-not-sig", other.replace(r#""sig""#, r#""enc""#)),
            ("key-ops-without-verify", other.replacen('{', r#"{"key_ops":["sign"],"#, 1)),
            ("symmetric-key-in-remote-set", format!(r#"{{"kty":"oct","alg":"HS256","k":"{}"}}"#, "A".repeat(43))),
            ("private-key", key("other").to_private_jwk().to_string()),
            ("malformed-member", "7".to_owned()),
        ];
        for (reason, bad) in table {
            let provider = Provider::start(publishes(format!(r#"{{"keys":[{bad},{good}]}}"#)));
            let remote = Remote::start(remote(&provider)).await;
            assert!(accepts(&remote.engine, &signer.header()), "{reason}: {:?}", remote.keys.health());
            let health = remote.keys.health();
            let refused: Vec<_> = health.refused.iter().filter_map(|report| report.refused.as_ref()).collect();
            assert_eq!((health.keys, refused.len(), refused[0].code()), (1, 1, reason));
            assert_eq!(remote.heard("KeyRefused"), 1);
        }
    });
}

#[test]
fn refused_keys_are_reported_once_however_often_they_are_fetched() {
    simulate(async {
        let signer = Signer::new();
        let good = signer.keys.signing_key().public_jwk().unwrap();
        let bad = r#"{"kty":"Unheard-of","kid":"b1"}"#;
        let provider = Provider::start(publishes(format!(r#"{{"keys":[{bad}]}}"#)));
        let remote = Remote::start(remote(&provider)).await;
        remote.pass_in_steps(2 * HOUR, MINUTE, || ()).await;
        assert!(provider.requests().len() > 3, "it was fetched again and again");
        assert_eq!(remote.heard("KeyRefused"), 1);
        // A good key is added and white space changes: the refused key is the same.
        provider.becomes(publishes(format!(r#"{{"keys":[{bad},{good}]}}"#)));
        remote.pass_in_steps(HOUR, MINUTE, || ()).await;
        provider.becomes(publishes(format!(r#"{{"keys": [{bad}, {good}]}}"#)));
        remote.pass_in_steps(HOUR, MINUTE, || ()).await;
        assert!(accepts(&remote.engine, &signer.header()));
        assert_eq!(remote.heard("KeyRefused"), 1);
        provider.becomes(publishes(format!(r#"{{"keys":[{},{good}]}}"#, bad.replace("b1", "b2"))));
        remote.pass_in_steps(HOUR, MINUTE, || ()).await;
        assert_eq!(remote.heard("KeyRefused"), 2);
    });
}

#[test]
fn a43_different_keys_under_one_kid_and_alg_are_both_unusable() {
    simulate(async {
        let (one, two, third) = (key("k1"), key("k1"), key("k3"));
        let provider = Provider::start(publishes(jwks([&one, &two, &third])));
        let remote = Remote::start(remote(&provider)).await;
        assert!(!accepts(&remote.engine, &Signer::with_key(one).header()));
        assert!(!accepts(&remote.engine, &Signer::with_key(two).header()));
        assert!(accepts(&remote.engine, &Signer::with_key(third).header()));
    });
}

#[test]
fn a64_the_same_key_twice_is_one_key() {
    simulate(async {
        let signer = Signer::new();
        let own = signer.keys.signing_key().public_jwk().unwrap();
        let again = own.replacen('{', r#"{"x5t":null,"#, 1);
        let provider = Provider::start(publishes(format!(r#"{{"keys":[{own},{again}]}}"#)));
        let remote = Remote::start(remote(&provider)).await;
        assert!(accepts(&remote.engine, &signer.header()));
        let health = remote.keys.health();
        assert_eq!((health.keys, health.refused.len()), (1, 0));
    });
}

#[test]
fn a64_key_that_is_refused_takes_no_usable_key_along() {
    simulate(async {
        let signer = Signer::new();
        let (own, other) = (signer.keys.signing_key().public_jwk().unwrap(), key("k1").public_jwk().unwrap());
        for (reason, bad) in [
            ("use-not-sig", other.replace(r#""sig""#, r#""enc""#)),
            ("use-not-sig", own.replace(r#""sig""#, r#""enc""#)),
            ("private-key", key("k1").to_private_jwk().to_string()),
            ("malformed-member", other.replace(r#""x":""#, r#""x":"="#)),
        ] {
            for keys in [[&own, &bad], [&bad, &own]] {
                let [first, second] = keys;
                let provider = Provider::start(publishes(format!(r#"{{"keys":[{first},{second}]}}"#)));
                let remote = Remote::start(remote(&provider)).await;
                assert!(accepts(&remote.engine, &signer.header()), "{reason}: {:?}", remote.keys.health());
                let refused = remote.keys.health().refused;
                assert_eq!(refused[0].refused.as_ref().map(tollgate_keys::KeyRefused::code), Some(reason));
            }
        }
    });
}

#[test]
fn a43_private_key_that_served_is_withdrawn_at_once() {
    simulate(async {
        let signer = Signer::new();
        let provider = Provider::start(publishes(signer.jwks()));
        let remote = Remote::start(remote(&provider)).await;
        let header = signer.header();
        // The whole set is refused and does not replace the good one. But anyone who has read it can sign now.
        let private = signer.keys.signing_key().to_private_jwk().to_string();
        provider.becomes(publishes(format!(r#"{{"keys":[{private}]}}"#)));
        remote.pass_a_refresh().await;
        assert_eq!(remote.last_failure(), Some("no-usable-key"));
        assert_eq!(code(&remote.engine, &header), "unknown-key");
        assert_eq!((remote.heard("KeysExposed { keys: 1 }"), remote.heard("PrivateKey")), (1, 1));
        assert_eq!(remote.keys.health().refused.len(), 1);
    });
}

#[test]
fn a43_public_copy_of_a_private_key_is_refused_with_it() {
    simulate(async {
        let (exposed, good) = (key("k1"), key("k2"));
        let copy = exposed.public_jwk().unwrap().replace("\"k1\"", "\"copy\"");
        let keys = [exposed.to_private_jwk().to_string(), copy, good.public_jwk().unwrap()].join(",");
        let provider = Provider::start(publishes(format!(r#"{{"keys":[{keys}]}}"#)));
        let remote = Remote::start(remote(&provider)).await;
        assert_eq!(remote.keys.health().keys, 1);
        assert!(!accepts(&remote.engine, &Signer::with_key(exposed.with_kid("copy").unwrap()).header()));
        assert!(accepts(&remote.engine, &Signer::with_key(good).header()));
    });
}

#[test]
fn a43_too_many_keys_or_bytes_or_a_redirect_keep_the_old_set() {
    simulate(async {
        let signer = Signer::new();
        let provider = Provider::start(publishes(signer.jwks()));
        let remote = Remote::start(remote(&provider).max_keys(2).max_document_bytes(1000)).await;
        let three = format!(r#"{{"keys":[{}]}}"#, ["{}"; 3].join(","));
        for (bad, error) in [
            (publishes(three), "too-many-keys"),
            (publishes(signer.jwks() + &" ".repeat(1000)), "document-too-large"),
            (answers_status("302 Found", "Location: /elsewhere\r\n"), "redirect-refused"),
        ] {
            provider.becomes(bad);
            remote.pass_a_refresh().await;
            assert_eq!(remote.last_failure(), Some(error));
            assert!(accepts(&remote.engine, &signer.header()));
        }
    });
}

#[test]
fn a43_plain_http_is_refused_but_to_this_machine() {
    simulate(async {
        let refused = RemoteKeys::from_jwks_uri("http://auth.example.com/jwks.json").start().unwrap_err();
        assert_eq!(refused.code(), "insecure-uri");
    });
}

#[test]
fn a44_one_hour_of_refused_connections_costs_no_token() {
    simulate(async {
        let signer = Signer::new();
        let mut provider = Provider::start(publishes(signer.jwks()));
        let remote = Remote::start(remote(&provider)).await;
        provider.goes_down();
        let header = signer.header();
        remote.pass_in_steps(HOUR, SECOND, || assert!(accepts(&remote.engine, &header))).await;
        let health = remote.keys.health();
        assert_eq!(health.status, Status::Stale);
        assert!((60..120).contains(&health.failures), "{}", health.failures);
    });
}

#[test]
fn a44_one_hour_of_hanging_costs_no_token() {
    simulate(async {
        let signer = Signer::new();
        let provider = Provider::start(publishes(signer.jwks()));
        let remote = Remote::start(remote(&provider)).await;
        provider.becomes(hangs());
        let header = signer.header();
        for _ in 0..HOUR.as_secs() {
            tokio::time::advance(SECOND).await;
            yield_often().await;
            assert!(accepts(&remote.engine, &header));
        }
        let health = remote.keys.health();
        assert_eq!(health.status, Status::Stale);
        assert!((50..120).contains(&health.failures), "{}", health.failures);
    });
}

#[test]
fn a44_end_of_the_grace_fails_closed_and_the_next_success_opens_again() {
    simulate(async {
        let signer = Signer::new();
        let mut provider = Provider::start(publishes(signer.jwks()));
        let remote = Remote::start(remote(&provider)).await;
        let header = signer.header();
        provider.goes_down();
        let valid = || assert!(accepts(&remote.engine, &header));
        remote.pass_in_steps(2 * HOUR - MINUTE, 30 * SECOND, valid).await;
        remote.pass_in_steps(MINUTE, SECOND, || ()).await;
        assert_eq!(code(&remote.engine, &header), "unknown-key");
        let health = remote.keys.health();
        assert_eq!((health.status, health.keys, health.grace_ends), (Status::FailedClosed, 0, None));
        assert_eq!(remote.heard("FailedClosed"), 1);

        provider.comes_back();
        remote.pass_in_steps(MINUTE + SECOND, SECOND, || ()).await;
        assert!(accepts(&remote.engine, &header));
        assert_eq!(remote.keys.health().status, Status::Fresh);
    });
}

#[test]
fn a44_grace_ends_while_a_fetch_hangs() {
    simulate(async {
        let signer = Signer::new();
        let provider = Provider::start(publishes(signer.jwks()));
        let clocks = Clocks {
            min_freshness: SECOND,
            freshness: MINUTE,
            revocation_bound: 10 * MINUTE,
            outage_grace: 10 * MINUTE,
            request_timeout: 9 * MINUTE,
            ..clocks()
        };
        let remote = Remote::start(remote(&provider).clocks(clocks)).await;
        provider.becomes(hangs());
        let header = signer.header();
        // The refresh starts after 48 to 60 s, fails 9 min later, starts again, and hangs when the grace ends.
        for second in 0..600 {
            assert!(accepts(&remote.engine, &header), "{second}");
            tokio::time::advance(SECOND).await;
            yield_often().await;
        }
        until("the ring is empty", || !accepts(&remote.engine, &header)).await;
        assert_eq!(remote.keys.health().status, Status::FailedClosed);
    });
}

#[test]
fn a44_bad_answers_do_not_prolong_the_grace() {
    simulate(async {
        let signer = Signer::new();
        let provider = Provider::start(publishes(signer.jwks()));
        let remote = Remote::start(remote(&provider)).await;
        provider.becomes(publishes(r#"{"keys":[]}"#));
        remote.pass_in_steps(2 * HOUR, MINUTE, || ()).await;
        assert_eq!(code(&remote.engine, &signer.header()), "unknown-key");
        assert_eq!(remote.keys.health().status, Status::FailedClosed);
    });
}

#[test]
fn a44_confirmation_after_the_grace_brings_the_set_back() {
    simulate(async {
        let signer = Signer::new();
        let jwks = signer.jwks();
        let mut provider = Provider::start(tags(move || (jwks.clone(), "\"1\"".to_owned())));
        let remote = Remote::start(remote(&provider)).await;
        provider.goes_down();
        remote.pass_in_steps(2 * HOUR + MINUTE, MINUTE, || ()).await;
        assert_eq!(remote.keys.health().keys, 0);
        provider.comes_back();
        remote.pass_in_steps(MINUTE + SECOND, SECOND, || ()).await;
        assert!(accepts(&remote.engine, &signer.header()));
    });
}
