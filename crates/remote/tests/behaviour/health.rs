//! The public state of a remote set.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use tollgate_remote::Event;

use crate::support::*;

#[test]
fn health_tells_success_failure_size_age_and_what_comes_next() {
    simulate(async {
        let signer = Signer::new();
        let provider = Provider::start(publishes(signer.jwks()));
        let remote = Remote::start(remote(&provider).clock(|| 1_000_000)).await;
        let health = remote.keys.health();
        assert_eq!((health.status, health.status.as_str(), health.is_serving()), (Status::Fresh, "fresh", true));
        assert_eq!((health.keys, health.failures), (1, 0));
        assert_eq!((health.last_success, health.confirmed_at), (Some(1_000_000), Some(1_000_000)));
        assert_eq!((health.age(1_000_060), health.age(999_999)), (Some(MINUTE), Some(Duration::ZERO)));
        assert_eq!((health.last_failure, health.refused.len()), (None, 0));
        assert!((1_000_238..=1_000_300).contains(&health.next_refresh), "{}", health.next_refresh);
        assert!((1_007_198..=1_007_200).contains(&health.grace_ends.unwrap()));

        provider.becomes(answers_status("500 Internal Server Error", ""));
        remote.pass_a_refresh().await;
        let health = remote.keys.health();
        assert_eq!((health.status.as_str(), health.is_serving(), health.failures), ("stale", true, 1));
        let failure = health.last_failure.unwrap();
        assert_eq!((failure.error.code(), failure.uri), ("http-status", provider.uri("/jwks.json")));
        assert_eq!((failure.at, health.last_success), (1_000_000, Some(1_000_000)));
    });
}

/// RFC 9110 section 6.6.1; an answer from a cache is older by its `Age` (RFC 9111 section 5.1).
#[test]
fn health_has_the_difference_of_the_clocks() {
    simulate(async {
        let signer = Signer::new();
        for (fields, difference) in [
            ("Date: Sun, 06 Nov 1994 08:49:37 GMT", Some(-223)),
            ("Date: Sun, 06 Nov 1994 08:49:37 GMT\r\nAge: 100", Some(-123)),
            ("Date: yesterday", None),
            ("Age: 100", None),
        ] {
            let fields = format!("Content-Type: application/json\r\n{fields}");
            let provider = Provider::start(publishes_with(signer.jwks(), &fields));
            let remote = Remote::start(remote(&provider).clock(|| 784_112_000)).await;
            assert_eq!(remote.keys.health().clock_difference, difference, "{fields}");
        }
    });
}

#[test]
fn health_of_a_set_that_never_came_is_starting() {
    simulate(async {
        let provider = Provider::start(hangs());
        let remote = Remote::start(remote(&provider)).await;
        let health = remote.keys.health();
        assert_eq!((health.status, health.is_serving(), health.age(unix_time())), (Status::Starting, false, None));
        assert_eq!(health.failures, 1);
    });
}

#[test]
fn changes_of_health_wake_who_watches() {
    simulate(async {
        let signer = Signer::new();
        let provider = Provider::start(publishes(signer.jwks()));
        let remote = Remote::start_only(remote(&provider));
        let mut watched = remote.keys.watch();
        let fresh = watched.wait_for(|health| health.status == Status::Fresh).await.unwrap();
        assert_eq!(fresh.keys, 1);
    });
}

#[test]
fn ready_waits_for_the_first_keys() {
    simulate(async {
        let (signer, gate) = (Signer::new(), Gate::default());
        let provider = Provider::start(waits_for(&gate, publishes(signer.jwks())));
        let remote = Remote::start_only(remote(&provider));
        let keys = remote.keys.clone();
        let ready = tokio::spawn(async move { keys.ready().await });
        until("the provider is asked", || provider.request_count() == 1).await;
        yield_often().await;
        assert!(!ready.is_finished());
        gate.open();
        at_once(ready).await;
        assert!(accepts(&remote.engine, &signer.header()));
    });
}

#[test]
fn observer_is_told_the_name_and_every_event() {
    simulate(async {
        let (signer, told) = (Signer::new(), Arc::new(AtomicUsize::new(0)));
        let provider = Provider::start(publishes(signer.jwks()));
        let (name, count) = (provider.uri("/jwks.json"), Arc::clone(&told));
        let observer = move |remote: &str, event: &Event<'_>| {
            assert_eq!(remote, name);
            if matches!(event, Event::FetchStarted { .. } | Event::Refreshed { keys: 1, changed: true, .. }) {
                count.fetch_add(1, SeqCst);
            }
        };
        let keys = remote(&provider).observer(observer).start().unwrap();
        keys.ready().await;
        until("both were told", || told.load(SeqCst) == 2).await;
    });
}

#[test]
fn observer_that_panics_is_not_called_again_and_costs_nothing() {
    simulate(async {
        let (signer, calls) = (Signer::new(), Arc::new(AtomicUsize::new(0)));
        let provider = Provider::start(publishes(signer.jwks()));
        let count = Arc::clone(&calls);
        let observer = move |_: &str, _: &Event<'_>| {
            count.fetch_add(1, SeqCst);
            panic!("on purpose");
        };
        let keys = remote(&provider).observer(observer).start().unwrap();
        keys.ready().await;
        assert!(accepts(&engine(keys.key_ring()), &signer.header()));
        assert_eq!(calls.load(SeqCst), 1);
    });
}

#[test]
fn what_a_provider_sends_is_escaped_where_it_is_shown() {
    simulate(async {
        let signer = Signer::new();
        let provider = Provider::start(publishes_with(signer.jwks(), "Content-Type: \u{1b}[31mtext/html"));
        let remote = Remote::start(remote(&provider)).await;
        let failure = remote.keys.health().last_failure.unwrap();
        assert!(!failure.error.to_string().contains('\u{1b}'), "{}", failure.error);
    });
}
