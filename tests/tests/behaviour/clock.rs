//! The engine's clock: which readings of its source it believes, and for how long.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use proptest::prelude::*;
use tollgate::limits::{CLOCK_CONFIRMATION, MAX_CLOCK_HOLD, MAX_CLOCK_STEP};
use tollgate::{ApiKey, ApiKeyTable, Engine, KeyFormat, KeyRecord, KeyRecordBuilder, Rejection};
use tollgate_tests::NOW;

const HOLD: i64 = MAX_CLOCK_HOLD as i64;
const STEP: i64 = MAX_CLOCK_STEP as i64;
const CONFIRMATION: i64 = CLOCK_CONFIRMATION as i64;
const YEAR: i64 = 31_536_000;

/// An engine whose clocks are set by hand, and keys that show which time it uses.
struct Clocks {
    engine: Engine,
    wall: Arc<AtomicI64>,
    monotonic: Arc<AtomicU64>,
    ended: ApiKey,
    to_come: ApiKey,
    good: ApiKey,
}

/// The valid key is valid for so long, from [`NOW`] on.
const VALIDITY: i64 = 1000;

impl Clocks {
    fn new() -> Self {
        let format = KeyFormat::new("tg", "live").unwrap();
        let table = ApiKeyTable::new(format.clone());
        let add = |record: KeyRecordBuilder<'_>| {
            let key = ApiKey::generate(&format).unwrap();
            table.insert(&key, record);
            key
        };
        let (ended, to_come, good) = (
            add(KeyRecord::api_key("ended", "user").expires_at(1)),
            add(KeyRecord::api_key("to-come", "user").not_before(i64::MAX)),
            add(KeyRecord::api_key("good", "user").not_before(NOW).expires_at(NOW + VALIDITY)),
        );
        let (wall, monotonic) = (Arc::new(AtomicI64::new(0)), Arc::new(AtomicU64::new(7)));
        let (source, elapsed) = (wall.clone(), monotonic.clone());
        let engine = Engine::builder()
            .api_keys(table)
            .clock(move || source.load(Relaxed))
            .monotonic_clock(move || Duration::from_secs(elapsed.load(Relaxed)))
            .build()
            .unwrap();
        Clocks { engine, wall, monotonic, ended, to_come, good }
    }

    /// Lets `seconds` pass, and sets the wall clock to `wall`. Returns the times that the engine judges by.
    fn after(&self, seconds: i64, wall: i64) -> (i64, i64) {
        self.monotonic.fetch_add(seconds as u64, Relaxed);
        self.wall.store(wall, Relaxed);
        let earliest = match self.engine.verify(self.to_come.as_str()).unwrap_err() {
            Rejection::NotYetValid { now, .. } => now,
            other => panic!("{other}"),
        };
        let latest = match self.engine.verify(self.ended.as_str()).unwrap_err() {
            Rejection::Expired { now, .. } => now,
            other => panic!("{other}"),
        };
        (earliest, latest)
    }

    fn is_good(&self) -> Result<(), &'static str> {
        self.engine.verify(self.good.as_str()).map(drop).map_err(|rejection| rejection.code())
    }
}

fn both(time: i64) -> (i64, i64) {
    (time, time)
}

#[test]
fn a58_a_reading_far_ahead_ends_nothing_and_is_forgotten_with_the_next_right_one() {
    let clocks = Clocks::new();
    assert_eq!(clocks.after(0, NOW + 1), both(NOW + 1));
    assert_eq!(clocks.after(1, NOW + YEAR), (NOW + 2, NOW + YEAR));
    assert_eq!(clocks.is_good(), Err("expired"));
    assert_eq!(clocks.after(1, NOW + 3), both(NOW + 3));
    assert_eq!(clocks.is_good(), Ok(()));
    // Also within the same second, and however long after the first reading the second one comes.
    assert_eq!(clocks.after(0, NOW + YEAR), (NOW + 3, NOW + YEAR));
    assert_eq!(clocks.after(0, NOW + 3), both(NOW + 3));
    assert_eq!(clocks.after(CONFIRMATION + 1, NOW + YEAR), (NOW + 4 + CONFIRMATION, NOW + YEAR));
    assert_eq!(clocks.after(1, NOW + 5 + CONFIRMATION), both(NOW + 5 + CONFIRMATION));
}

#[test]
fn a58_a_jump_ahead_counts_once_readings_have_confirmed_it() {
    let clocks = Clocks::new();
    clocks.after(0, NOW);
    assert_eq!(clocks.after(1, NOW + 500), (NOW + 1, NOW + 500));
    // Valid at both times.
    assert_eq!(clocks.is_good(), Ok(()));
    assert_eq!(clocks.after(CONFIRMATION, NOW + 500 + CONFIRMATION).0, NOW + 1 + CONFIRMATION);
    assert_eq!(clocks.after(1, NOW + 501 + CONFIRMATION), both(NOW + 501 + CONFIRMATION));
    // A later jump begins a new confirmation; it does not confirm the earlier one.
    assert_eq!(clocks.after(1, NOW + YEAR).0, NOW + 502 + CONFIRMATION);
    assert_eq!(clocks.after(CONFIRMATION + 1, NOW + 2 * YEAR).0, NOW + 503 + 2 * CONFIRMATION);
}

#[test]
fn a58_a_first_reading_far_ahead_is_corrected_within_the_limit() {
    let clocks = Clocks::new();
    assert_eq!(clocks.after(0, NOW + YEAR), both(NOW + YEAR));
    assert_eq!(clocks.after(1, NOW + 1), both(NOW + YEAR));
    assert_eq!(clocks.is_good(), Err("expired"));
    assert_eq!(clocks.after(HOLD, NOW + 1 + HOLD), both(NOW + YEAR));
    assert_eq!(clocks.after(1, NOW + 2 + HOLD), both(NOW + 2 + HOLD));
    assert_eq!(clocks.is_good(), Ok(()));
}

#[test]
fn a58_expired_stays_expired_while_the_clock_goes_back() {
    let clocks = Clocks::new();
    clocks.after(0, NOW + VALIDITY);
    assert_eq!(clocks.is_good(), Err("expired"));
    for passed in 0..HOLD {
        assert_eq!(clocks.after(1, NOW + passed % 7), both(NOW + VALIDITY));
        assert_eq!(clocks.is_good(), Err("expired"));
    }
    // The right time is back: the hold before does not shorten the next one.
    assert_eq!(clocks.after(1, NOW + VALIDITY + 1), both(NOW + VALIDITY + 1));
    assert_eq!(clocks.after(1, NOW), both(NOW + VALIDITY + 1));
    assert_eq!(clocks.after(HOLD, NOW), both(NOW + VALIDITY + 1));
}

#[test]
fn a58_a_reading_before_1970_changes_nothing_unless_it_lasts() {
    let clocks = Clocks::new();
    for time in [-1, 0, i64::MIN] {
        assert_eq!(clocks.after(1, time), (i64::MIN, i64::MAX), "before any time is known nothing is good");
    }
    assert_eq!(clocks.after(1, NOW), both(NOW));
    for time in [-1, 0, i64::MIN] {
        assert_eq!(clocks.after(1, time), both(NOW));
        assert_eq!(clocks.is_good(), Ok(()));
    }
    assert_eq!(clocks.after(1, NOW + 4), both(NOW + 4));
    clocks.after(1, -1);
    assert_eq!(clocks.after(HOLD, -1), both(NOW + 4));
    assert_eq!(clocks.after(1, -1), (i64::MIN, i64::MAX));
    assert!(clocks.is_good().is_err(), "a clock that has no time for long lets nothing live on");
    assert_eq!(clocks.after(1, NOW + 7 + HOLD), both(NOW + 7 + HOLD));
    assert_eq!(clocks.is_good(), Ok(()));
}

#[test]
fn a58_time_that_passes_unread_is_no_jump() {
    let clocks = Clocks::new();
    clocks.after(0, NOW);
    assert_eq!(clocks.after(YEAR, NOW + YEAR), both(NOW + YEAR));
    assert_eq!(clocks.after(10, NOW + YEAR + 10 + STEP), both(NOW + YEAR + 10 + STEP));
    assert_eq!(clocks.after(10, NOW + YEAR + 21 + 2 * STEP).0, NOW + YEAR + 20 + STEP);
}

/// The rule, applied to a whole history of readings, the latest last.
fn rule(history: &[(i64, i64)]) -> (i64, i64) {
    let (mut believed, mut now) = (None, (i64::MIN, i64::MAX));
    // Readings since the believed one.
    let mut since: Vec<(i64, i64)> = Vec::new();
    for &(at, wall) in history {
        let Some((believed_at, believed_time)) = believed else {
            if wall > 0 {
                (believed, now) = (Some((at, wall)), both(wall));
            }
            continue;
        };
        // Another reading of the same second adds nothing: the second began when it was first read.
        if since.is_empty() && wall == believed_time {
            now = both(wall);
            continue;
        }
        let expected = believed_time + at - believed_at;
        let is_back = |wall: i64| wall < believed_time;
        let is_ahead = |at: i64, wall: i64| wall > believed_time + at - believed_at + STEP;
        since.push((at, wall));
        // The last readings that agree, and for how long they have.
        let agree = |of: &[(i64, i64)]| {
            let (first_at, first) = of[0];
            of.iter().all(|&(at, wall)| match is_back(of[of.len() - 1].1) {
                true => is_back(wall),
                false => is_ahead(at, wall) && (wall - (first + at - first_at)).abs() <= STEP,
            })
        };
        let begins = runs_of(&since, agree);
        let lasted = at - since[begins].0;
        now = if !is_back(wall) && !is_ahead(at, wall) {
            (believed, since) = (Some((at, wall)), Vec::new());
            both(wall)
        } else if is_back(wall) && lasted <= HOLD {
            both(believed_time)
        } else if !is_back(wall) && lasted <= CONFIRMATION {
            (expected, wall)
        } else if wall > 0 {
            (believed, since) = (Some((at, wall)), Vec::new());
            both(wall)
        } else {
            (i64::MIN, i64::MAX)
        };
    }
    now
}

/// The start of the last run of readings that agree with each other, when runs are taken from the front.
fn runs_of(readings: &[(i64, i64)], agree: impl Fn(&[(i64, i64)]) -> bool) -> usize {
    let mut start = 0;
    for end in 1..=readings.len() {
        if !agree(&readings[start..end]) {
            start = end - 1;
        }
    }
    start
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_clock_follows_its_rule_whatever_its_source_says(
        steps in prop::collection::vec((0..4_usize, 0..10_i64, 0..7_usize, -70..70_i64), 1..60)
    ) {
        let clocks = Clocks::new();
        let (mut at, mut truth, mut offset, mut history) = (0, NOW, 0, Vec::new());
        for (pause, seconds, kind, jitter) in steps {
            let passed = [0, seconds, seconds, seconds * 10][pause];
            (at, truth) = (at + passed, truth + passed);
            // Mostly a clock that runs on from where it was set, and sometimes one that is set or fails.
            let wall = match kind {
                0 => { offset = jitter * 100; truth + offset }
                1 => { offset = 0; truth }
                2 => truth + offset + jitter,
                3 => if jitter % 2 == 0 { -jitter.abs() } else { NOW + jitter * YEAR / 10 },
                _ => truth + offset,
            };
            // Each look reads the clock twice.
            history.extend([(at, wall); 2]);
            prop_assert_eq!(clocks.after(passed, wall), rule(&history), "{:?}", history);
        }
    }
}
