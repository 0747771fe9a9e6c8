//! The schedule, which does no I/O: tables for specified cases, properties for any sequence of events.

use std::time::Duration;

use proptest::prelude::*;
use tollgate_remote::schedule::{Cause, Decision, Schedule};
use tollgate_remote::{Clocks, limits};

const REFRESH: Decision = Decision::Fetch(Cause::Refresh);
const FOR_UNKNOWN_KEY: Decision = Decision::Fetch(Cause::UnknownKey);

#[test]
fn first_fetch_is_at_once() {
    assert_eq!(schedule().decide(Duration::ZERO), REFRESH);
}

#[test]
fn set_is_fresh_for_what_the_provider_says_within_the_bounds() {
    // max-age, jitter, and the second of the next refresh after one that started at 0. The limit is 900 s minus the 5 s
    // that a refresh may take.
    let table = [
        (None, 1.0, 600),
        (None, 0.0, 480),
        (Some(300), 1.0, 300),
        (Some(300), 0.5, 270),
        (Some(0), 1.0, 60),
        (Some(59), 1.0, 60),
        (Some(895), 1.0, 895),
        (Some(896), 1.0, 895),
        (Some(u64::MAX), 0.0, 716),
    ];
    for (max_age, jitter, expected) in table {
        let mut schedule = schedule();
        schedule.decide(Duration::ZERO);
        schedule.succeeded(seconds(1), max_age.map(seconds), jitter);
        assert_eq!(schedule.decide(seconds(1)), wait(expected), "{max_age:?}, {jitter}");
        assert_eq!(schedule.decide(seconds(expected) - Duration::from_nanos(1)), wait(expected));
        assert_eq!(schedule.decide(seconds(expected)), REFRESH);
    }
}

#[test]
fn failed_refresh_is_tried_again_ever_later_up_to_a_minute() {
    let mut schedule = schedule();
    let mut now = Duration::ZERO;
    for expected in [1, 2, 4, 8, 16, 32, 60, 60, 60] {
        assert_eq!(schedule.decide(now), REFRESH);
        schedule.failed(now, 0.0);
        assert_eq!(schedule.decide(now), wait((now + seconds(expected)).as_secs()));
        now += seconds(expected);
    }
    assert_eq!(schedule.decide(now), REFRESH);
    schedule.failed(now, 1.0);
    assert_eq!(schedule.decide(now), wait((now + seconds(30)).as_secs()));
}

#[test]
fn success_forgets_failures() {
    let mut schedule = schedule();
    for second in [0, 10, 20, 30] {
        assert_eq!(schedule.decide(seconds(second)), REFRESH);
        schedule.failed(seconds(second), 0.0);
    }
    schedule.decide(seconds(40));
    schedule.succeeded(seconds(40), Some(seconds(60)), 1.0);
    assert_eq!(schedule.decide(seconds(100)), REFRESH);
    schedule.failed(seconds(100), 0.0);
    assert_eq!(schedule.decide(seconds(100)), wait(101));
}

#[test]
fn unknown_key_is_fetched_for_at_once_and_then_once_a_cool_down() {
    let mut schedule = serving();
    schedule.unknown_keys(true);
    assert_eq!(schedule.decide(seconds(10)), FOR_UNKNOWN_KEY);
    schedule.succeeded(seconds(11), None, 1.0);
    schedule.unknown_keys(true);
    assert_eq!(schedule.decide(seconds(11)), wait(40));
    assert_eq!(schedule.next_for_unknown_key(), seconds(40));
    assert_eq!(schedule.decide(seconds(40)), FOR_UNKNOWN_KEY);
}

#[test]
fn unknown_keys_that_are_settled_need_no_fetch() {
    let mut schedule = serving();
    schedule.unknown_keys(true);
    schedule.unknown_keys(false);
    assert_eq!(schedule.decide(seconds(10)), wait(600));
}

#[test]
fn failure_for_an_unknown_key_moves_no_refresh_and_gives_no_budget_back() {
    let mut schedule = serving();
    schedule.unknown_keys(true);
    assert_eq!(schedule.decide(seconds(10)), FOR_UNKNOWN_KEY);
    schedule.failed(seconds(11), 0.0);
    assert_eq!(schedule.decide(seconds(11)), wait(600));
    schedule.unknown_keys(true);
    assert_eq!(schedule.decide(seconds(12)), wait(40));
}

#[test]
fn burst_saves_cool_downs_up() {
    let clocks = Clocks { burst: 3, ..Clocks::default() };
    let mut schedule = Schedule::new(clocks, 1, Duration::ZERO);
    schedule.decide(Duration::ZERO);
    schedule.succeeded(Duration::ZERO, None, 1.0);
    for second in [100, 101, 102] {
        schedule.unknown_keys(true);
        assert_eq!(schedule.decide(seconds(second)), FOR_UNKNOWN_KEY);
        schedule.succeeded(seconds(second), None, 1.0);
    }
    schedule.unknown_keys(true);
    assert_eq!(schedule.decide(seconds(103)), wait(130));
}

#[test]
fn refresh_under_way_is_the_only_one() {
    let mut schedule = schedule();
    assert_eq!(schedule.decide(Duration::ZERO), REFRESH);
    schedule.unknown_keys(true);
    assert_eq!(schedule.decide(seconds(1)), Decision::Wait { until: None });
}

#[test]
fn grace_is_counted_from_the_last_success_and_ends_also_during_a_fetch() {
    let grace = Clocks::default().outage_grace;
    let mut schedule = serving();
    assert_eq!(schedule.grace_ends(), Some(grace));
    assert_eq!(schedule.decide(seconds(600)), REFRESH);
    assert_eq!(schedule.decide(seconds(600)), Decision::Wait { until: Some(grace) });
    assert_eq!(schedule.decide(grace), Decision::FailClosed);
    assert_eq!(schedule.decide(grace), Decision::Wait { until: None });
    schedule.succeeded(grace + seconds(1), None, 1.0);
    // The answer is known only to be no older than its request.
    assert_eq!(schedule.grace_ends(), Some(seconds(600) + grace));
}

#[test]
fn saved_set_within_the_revocation_bound_is_used_at_once() {
    let mut schedule = schedule();
    assert!(schedule.offer_saved(Duration::ZERO, seconds(900)));
    assert_eq!(schedule.decide(Duration::ZERO), Decision::UseSaved);
    assert_eq!(schedule.decide(Duration::ZERO), REFRESH);
    assert_eq!(schedule.grace_ends(), Some(Clocks::default().outage_grace - seconds(900)));
}

#[test]
fn older_saved_set_waits_for_a_failure_or_a_delay() {
    let mut schedule = schedule();
    assert!(schedule.offer_saved(Duration::ZERO, seconds(901)));
    let mut hanging = schedule.clone();
    assert_eq!(schedule.decide(Duration::ZERO), REFRESH);
    schedule.failed(seconds(1), 0.0);
    assert_eq!(schedule.decide(seconds(1)), Decision::UseSaved);

    assert_eq!(hanging.decide(Duration::ZERO), REFRESH);
    assert_eq!(hanging.decide(seconds(1)), Decision::Wait { until: Some(limits::SAVED_SET_DELAY) });
    assert_eq!(hanging.decide(limits::SAVED_SET_DELAY), Decision::UseSaved);
}

#[test]
fn saved_set_is_not_used_after_a_success_nor_beyond_the_grace() {
    let mut schedule = schedule();
    assert!(!schedule.offer_saved(Duration::ZERO, Clocks::default().outage_grace));
    assert!(schedule.offer_saved(Duration::ZERO, seconds(1000)));
    assert_eq!(schedule.decide(Duration::ZERO), REFRESH);
    schedule.succeeded(seconds(1), None, 1.0);
    assert_eq!(schedule.decide(seconds(10)), wait(600));
}

#[test]
fn contradicting_clocks_are_refused() {
    let good = Clocks::default();
    let table = [
        Clocks { cool_down: Duration::ZERO, ..good },
        Clocks { request_timeout: Duration::ZERO, ..good },
        Clocks { min_freshness: Duration::ZERO, ..good },
        Clocks { burst: 0, ..good },
        Clocks { burst: limits::MAX_BURST + 1, ..good },
        Clocks { freshness: seconds(59), ..good },
        Clocks { freshness: good.revocation_bound + seconds(1), ..good },
        Clocks { outage_grace: good.revocation_bound - seconds(1), ..good },
        Clocks { request_timeout: seconds(841), ..good },
    ];
    assert!(good.check(6).is_ok());
    for clocks in table {
        assert_eq!(clocks.check(1).unwrap_err().code(), "contradictory-clocks", "{clocks:?}");
    }
}

proptest! {
    /// In any sequence of events, the budget, the bounds and the grace are kept, and no second fetch starts.
    #[test]
    fn clocks_are_kept_in_every_course_of_events(
        clocks in any_clocks(),
        steps in prop::collection::vec(any_step(), 1..200),
    ) {
        let mut schedule = Schedule::new(clocks, 1, Duration::ZERO);
        let mut now = Duration::ZERO;
        let mut course = Course::default();
        for step in steps {
            course.drain(&mut schedule, &clocks, now)?;
            match step {
                Step::Pass(time) => {
                    // Time advances at most to the requested moment, as with the driver's timer.
                    let until = course.waiting_for.unwrap_or(Duration::MAX).max(now);
                    now = (now + time).min(until);
                }
                Step::Succeed { max_age, jitter } if course.fetching.is_some() => {
                    let begun = course.fetching.take().unwrap();
                    schedule.succeeded(now, max_age, jitter);
                    course.confirmed = Some(begun);
                    let latest = begun + clocks.revocation_bound - clocks.request_timeout;
                    prop_assert!(schedule.next_refresh() <= latest.max(now));
                }
                Step::Fail { jitter } if course.fetching.is_some() => {
                    course.fetching = None;
                    schedule.failed(now, jitter);
                    prop_assert!(schedule.next_refresh() <= now + clocks.revocation_bound.max(limits::RETRY_MAX));
                }
                Step::UnknownKey => schedule.unknown_keys(true),
                _ => {}
            }
        }
        // In any period: the saved-up tokens, and one per cool-down.
        for (index, begin) in course.for_unknown_keys.iter().enumerate() {
            for (further, end) in course.for_unknown_keys[index..].iter().enumerate() {
                let budget = u128::from(clocks.burst) + (*end - *begin).as_nanos() / clocks.cool_down.as_nanos();
                prop_assert!((further as u128) < budget);
            }
        }
    }

    /// While the provider answers in time, no set is ever older than the revocation bound.
    #[test]
    fn answering_provider_confirms_within_the_revocation_bound(
        clocks in any_clocks(),
        answers in prop::collection::vec((0.0..1.0_f64, prop::option::of(0..10_000_u64), 0.0..1.0_f64), 1..50),
    ) {
        let mut schedule = Schedule::new(clocks, 1, Duration::ZERO);
        let (mut now, mut confirmed) = (Duration::ZERO, Duration::ZERO);
        for (took, max_age, jitter) in answers {
            prop_assert_eq!(schedule.decide(now), REFRESH);
            let begun = now;
            now += clocks.request_timeout.mul_f64(took);
            prop_assert!(now - confirmed <= clocks.revocation_bound);
            schedule.succeeded(now, max_age.map(seconds), jitter);
            confirmed = begun;
            now = schedule.next_refresh();
        }
    }
}

/// A driver of the schedule, and the invariants.
#[derive(Default)]
struct Course {
    fetching: Option<Duration>,
    confirmed: Option<Duration>,
    waiting_for: Option<Duration>,
    for_unknown_keys: Vec<Duration>,
}

impl Course {
    fn drain(&mut self, schedule: &mut Schedule, clocks: &Clocks, now: Duration) -> Result<(), TestCaseError> {
        for _ in 0..4 {
            match schedule.decide(now) {
                Decision::Fetch(cause) => {
                    prop_assert_eq!(self.fetching.replace(now), None);
                    if cause == Cause::UnknownKey {
                        self.for_unknown_keys.push(now);
                    }
                }
                Decision::FailClosed => {
                    let confirmed = self.confirmed.take();
                    // Not earlier; the check of `Wait` below ensures that it is not later.
                    prop_assert!(confirmed.is_some_and(|confirmed| now >= confirmed + clocks.outage_grace));
                }
                Decision::UseSaved => prop_assert!(false, "nothing was saved"),
                Decision::Wait { until } => {
                    prop_assert!(until.is_none_or(|until| until > now), "a wait that is over");
                    prop_assert!(until.is_some() || self.fetching.is_some(), "a wait without an end");
                    let grace = self.confirmed.map(|confirmed| confirmed + clocks.outage_grace);
                    prop_assert!(grace.is_none_or(|grace| until.is_some_and(|until| until <= grace)));
                    self.waiting_for = until;
                    return Ok(());
                }
            }
        }
        prop_assert!(false, "no end of decisions");
        Ok(())
    }
}

#[derive(Clone, Debug)]
enum Step {
    Pass(Duration),
    Succeed { max_age: Option<Duration>, jitter: f64 },
    Fail { jitter: f64 },
    UnknownKey,
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..5_000_000_u64).prop_map(|millis| Step::Pass(Duration::from_millis(millis))),
        2 => (prop::option::of(any::<u64>().prop_map(seconds)), 0.0..1.0_f64)
            .prop_map(|(max_age, jitter)| Step::Succeed { max_age, jitter }),
        2 => (0.0..1.0_f64).prop_map(|jitter| Step::Fail { jitter }),
        3 => Just(Step::UnknownKey),
    ]
}

/// Clocks that pass their own check.
fn any_clocks() -> impl Strategy<Value = Clocks> {
    (1..100_u64, 0..1000_u64, 0..1000_u64, 0..10_000_u64, 1..100_u64, 1..=limits::MAX_BURST, 1..20_u64).prop_map(
        |(min, more, bound, grace, cool_down, burst, timeout)| {
            let revocation_bound = seconds(min + more + bound + timeout);
            Clocks {
                freshness: seconds(min + more),
                min_freshness: seconds(min),
                revocation_bound,
                outage_grace: revocation_bound + seconds(grace),
                cool_down: seconds(cool_down),
                burst,
                request_timeout: seconds(timeout),
            }
        },
    )
}

fn schedule() -> Schedule {
    Schedule::new(Clocks::default(), 1, Duration::ZERO)
}

/// A schedule with a set that was confirmed at 0 and is fresh until 600.
fn serving() -> Schedule {
    let mut schedule = schedule();
    assert_eq!(schedule.decide(Duration::ZERO), REFRESH);
    schedule.succeeded(Duration::ZERO, None, 1.0);
    schedule
}

fn wait(second: u64) -> Decision {
    Decision::Wait { until: Some(seconds(second)) }
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}
