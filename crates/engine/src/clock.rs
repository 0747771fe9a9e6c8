//! The engine's clock: the time of its source, as long as it is plausible.
//!
//! When the source goes back, the clock holds still, so that expired credentials stay expired, but for at most
//! [`MAX_CLOCK_HOLD`]: then the source is believed again, so that one wrong reading has no lasting effect. When the
//! source jumps ahead by more than [`MAX_CLOCK_STEP`], only its later readings show whether the jump was wrong. Until
//! readings over [`CLOCK_CONFIRMATION`] have confirmed it, a credential must be valid at both times, and one plausible
//! reading cancels the jump.
//!
//! Durations are measured on a second, monotonic clock. It is read when the source's second changes, and while the
//! source is doubted.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::limits::{CLOCK_CONFIRMATION, MAX_CLOCK_HOLD, MAX_CLOCK_STEP};

/// The time of a verify, in seconds since the Unix epoch.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Now {
    /// A credential has to have begun by this time.
    pub(crate) earliest: i64,
    /// A credential must not have expired at this time. Later than `earliest` only while a jump ahead is not confirmed.
    pub(crate) latest: i64,
}

/// The source of the engine's time where the caller gives none.
pub(crate) struct Clock {
    source: Box<dyn Fn() -> i64 + Send + Sync>,
    monotonic: Box<dyn Fn() -> Duration + Send + Sync>,
    /// The last believed reading.
    believed: LastReading,
    /// The first doubted reading since then.
    doubted: LastReading,
}

impl Clock {
    /// Takes the time from `source`, in seconds since the Unix epoch.
    pub(crate) fn set_source(&mut self, source: impl Fn() -> i64 + Send + Sync + 'static) {
        self.source = Box::new(source);
    }

    /// Measures durations with `monotonic`, the time since any fixed moment.
    pub(crate) fn set_monotonic(&mut self, monotonic: impl Fn() -> Duration + Send + Sync + 'static) {
        self.monotonic = Box::new(monotonic);
    }

    /// Reads the source. Shared memory is written only once a second, and when doubt begins or ends.
    pub(crate) fn now(&self) -> Now {
        let time = (self.source)();
        if self.believed.is_of(time) && self.doubted.is_none() { Now::from(time) } else { self.judge(time) }
    }

    /// The source's reading when an engine is built. `i64::MAX` if the source panics, so that no time counts as later.
    pub(crate) fn first_reading(&self) -> i64 {
        catch_unwind(AssertUnwindSafe(|| (self.source)())).unwrap_or(i64::MAX)
    }

    #[inline(never)]
    fn judge(&self, time: i64) -> Now {
        let reading = Reading::new(time, (self.monotonic)());
        loop {
            let (believed, doubted) = (self.believed.load(), self.doubted.load());
            let verdict = judge(believed, doubted, reading);
            // Doubt first, since a believed reading ends it. A thread that was overtaken judges again.
            if self.doubted.replace(doubted, verdict.doubted) && self.believed.replace(believed, verdict.believed) {
                return verdict.now;
            }
        }
    }
}

impl Default for Clock {
    fn default() -> Self {
        Clock {
            source: Box::new(system_time),
            monotonic: Box::new(monotonic_time),
            believed: LastReading::default(),
            doubted: LastReading::default(),
        }
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Clock")
            .field("believed", &self.believed.load())
            .field("doubted", &self.doubted.load())
            .finish_non_exhaustive()
    }
}

impl From<i64> for Now {
    fn from(time: i64) -> Self {
        Now { earliest: time, latest: time }
    }
}

impl Now {
    /// The time is unknown: every credential has expired, and none has begun.
    const UNKNOWN: Self = Now { earliest: i64::MIN, latest: i64::MAX };
}

/// A reading of the source, and of the monotonic clock at that moment. Both in seconds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Reading {
    /// 0 for a time before 1970, which counts as unknown.
    time: u64,
    at: u64,
}

/// The result of judging a reading.
struct Verdict {
    now: Now,
    believed: Option<Reading>,
    doubted: Option<Reading>,
}

/// Judges a reading. `believed` is the last believed reading, `doubted` the first doubted one since then.
fn judge(believed: Option<Reading>, doubted: Option<Reading>, reading: Reading) -> Verdict {
    let time = Now::from(reading.time as i64);
    let trusted = Verdict { now: time, believed: Some(reading), doubted: None };
    let Some(last) = believed else {
        let unknown = Verdict { now: Now::UNKNOWN, believed, doubted };
        return if reading.time > 0 { trusted } else { unknown };
    };
    let expected = last.time + reading.seconds_since(last);
    let is_ahead = reading.time > expected + MAX_CLOCK_STEP;
    if reading.time >= last.time && !is_ahead {
        return trusted;
    }
    // When doubt began. A reading that is back continues any other one that is; a reading ahead continues a jump only
    // if it advances with the monotonic clock.
    let continues = |first: &Reading| match is_ahead {
        true => reading.time.abs_diff(first.time + reading.seconds_since(*first)) <= MAX_CLOCK_STEP,
        false => first.time < last.time,
    };
    let first = doubted.filter(continues).unwrap_or(reading);
    // Both clocks are read in whole seconds, so one more second must have passed.
    let has_lasted = reading.seconds_since(first) > if is_ahead { CLOCK_CONFIRMATION } else { MAX_CLOCK_HOLD };
    let now = match (is_ahead, has_lasted) {
        (_, true) if reading.time > 0 => return trusted,
        (_, true) => Now::UNKNOWN,
        (true, false) => Now { earliest: expected as i64, ..time },
        (false, false) => Now::from(last.time as i64),
    };
    Verdict { now, believed, doubted: Some(first) }
}

impl Reading {
    fn new(time: i64, monotonic: Duration) -> Self {
        let time = u64::try_from(time).unwrap_or(0).min(MAX_TIME);
        Reading { time, at: monotonic.as_secs() & MAX_AT }
    }

    /// The seconds since the `earlier` reading. The monotonic seconds wrap around after eight years.
    fn seconds_since(self, earlier: Reading) -> u64 {
        self.at.wrapping_sub(earlier.at) & MAX_AT
    }
}

/// A [`Reading`] that threads replace atomically: the time, and in the lower bits the monotonic second.
struct LastReading(AtomicU64);

/// Stored where there is no reading.
const NONE: u64 = u64::MAX;

const AT_BITS: u32 = 28;

const MAX_AT: u64 = (1 << AT_BITS) - 1;

/// In the year 4147. Later times count as this one.
const MAX_TIME: u64 = (NONE >> AT_BITS) - 1;

impl LastReading {
    fn is_of(&self, time: i64) -> bool {
        self.0.load(Ordering::Relaxed) >> AT_BITS == time as u64
    }

    fn is_none(&self) -> bool {
        self.0.load(Ordering::Relaxed) == NONE
    }

    fn load(&self) -> Option<Reading> {
        let packed = self.0.load(Ordering::Relaxed);
        (packed != NONE).then_some(Reading { time: packed >> AT_BITS, at: packed & MAX_AT })
    }

    /// Replaces `old` by `new`, and returns whether `old` was still stored. Writes nothing if they are equal.
    fn replace(&self, old: Option<Reading>, new: Option<Reading>) -> bool {
        let pack = |reading: Option<Reading>| reading.map_or(NONE, |Reading { time, at }| time << AT_BITS | at);
        let (old, new) = (pack(old), pack(new));
        old == new || self.0.compare_exchange(old, new, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }
}

impl Default for LastReading {
    fn default() -> Self {
        LastReading(AtomicU64::new(NONE))
    }
}

/// The kernel's time at its last tick, at most 10 ms ago. Reading it takes a fifth of the time of the exact one.
#[cfg(target_os = "linux")]
pub(crate) fn system_time() -> i64 {
    rustix::time::clock_gettime(rustix::time::ClockId::RealtimeCoarse).tv_sec
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn system_time() -> i64 {
    use std::time::{SystemTime, UNIX_EPOCH};
    let since = SystemTime::now().duration_since(UNIX_EPOCH).ok();
    since.and_then(|since| i64::try_from(since.as_secs()).ok()).unwrap_or(-1)
}

/// The time since the system was started, sleep included: waking up is not a jump ahead.
#[cfg(target_os = "linux")]
fn monotonic_time() -> Duration {
    let since = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    Duration::from_secs(u64::try_from(since.tv_sec).unwrap_or_default())
}

/// The time since the first call.
#[cfg(not(target_os = "linux"))]
fn monotonic_time() -> Duration {
    use std::sync::LazyLock;
    use std::time::Instant;
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    START.elapsed()
}
