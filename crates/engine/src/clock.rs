//! The engine's clock: the time of its source, as far as that can be believed.
//!
//! It follows a source that runs as clocks do. When the source goes back it holds still, so that expired stays expired, but
//! no longer than [`MAX_CLOCK_HOLD`]: then the source is believed again, so that one wrong reading is not for ever. When the
//! source jumps ahead by more than [`MAX_CLOCK_STEP`], nothing but its own later readings tells whether that was a wrong one.
//! Until they have confirmed it over [`CLOCK_CONFIRMATION`], a credential has to be good at both times, and one right reading
//! is enough to forget the jump.
//!
//! How long things take is measured on a second clock, which is monotonic. It is read when the source says another second
//! than before, and while the source is in doubt.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::limits::{CLOCK_CONFIRMATION, MAX_CLOCK_HOLD, MAX_CLOCK_STEP};

/// The time of a verify, in seconds since the Unix epoch.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Now {
    /// By which a credential has to have begun.
    pub(crate) earliest: i64,
    /// At which it may not have expired. The same, but for a jump ahead that is not confirmed.
    pub(crate) latest: i64,
}

/// Where the engine takes its time from when it is not given.
pub(crate) struct Clock {
    source: Box<dyn Fn() -> i64 + Send + Sync>,
    monotonic: Box<dyn Fn() -> Duration + Send + Sync>,
    /// The last reading that was believed.
    believed: LastReading,
    /// The first of those since then that were not.
    doubted: LastReading,
}

impl Clock {
    /// Takes the time from `source`, in seconds since the Unix epoch.
    pub(crate) fn set_source(&mut self, source: impl Fn() -> i64 + Send + Sync + 'static) {
        self.source = Box::new(source);
    }

    /// Measures how long things take with `monotonic`, the time since any moment.
    pub(crate) fn set_monotonic(&mut self, monotonic: impl Fn() -> Duration + Send + Sync + 'static) {
        self.monotonic = Box::new(monotonic);
    }

    /// Reads the source. What threads share is written once a second, and when doubt begins or ends.
    pub(crate) fn now(&self) -> Now {
        let time = (self.source)();
        if self.believed.is_of(time) && self.doubted.is_none() { Now::from(time) } else { self.judge(time) }
    }

    /// What the source says when an engine is built. Where it panics no time has been, so that nothing is known to be later.
    pub(crate) fn first_reading(&self) -> i64 {
        catch_unwind(AssertUnwindSafe(|| (self.source)())).unwrap_or(i64::MAX)
    }

    #[inline(never)]
    fn judge(&self, time: i64) -> Now {
        let reading = Reading::new(time, (self.monotonic)());
        loop {
            let (believed, doubted) = (self.believed.load(), self.doubted.load());
            let verdict = judge(believed, doubted, reading);
            // Doubt first: a reading that is believed ends it. A thread that has been overtaken judges anew.
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
    /// Where no time is known everything has expired, and nothing has begun.
    const UNKNOWN: Self = Now { earliest: i64::MIN, latest: i64::MAX };
}

/// What the source said, and when by the monotonic clock. Both in seconds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Reading {
    /// 0 for what the source says before 1970 began: that is no time.
    time: u64,
    at: u64,
}

/// What follows from a reading.
struct Verdict {
    now: Now,
    believed: Option<Reading>,
    doubted: Option<Reading>,
}

/// The rule. `believed` is the last reading that was, `doubted` the first of those since then.
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
    // Since when it has been so: back with any readings, ahead with readings that go on from the first.
    let continues = |first: &Reading| match is_ahead {
        true => reading.time.abs_diff(first.time + reading.seconds_since(*first)) <= MAX_CLOCK_STEP,
        false => first.time < last.time,
    };
    let first = doubted.filter(continues).unwrap_or(reading);
    // Both clocks are read in whole seconds, so that one more has to have passed to be sure.
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

    /// How long ago the `earlier` one was. The monotonic seconds begin anew after eight years.
    fn seconds_since(self, earlier: Reading) -> u64 {
        self.at.wrapping_sub(earlier.at) & MAX_AT
    }
}

/// A [`Reading`] that threads replace: the time, and in the lower bits the monotonic second.
struct LastReading(AtomicU64);

/// In place of a reading.
const NONE: u64 = u64::MAX;

const AT_BITS: u32 = 28;

const MAX_AT: u64 = (1 << AT_BITS) - 1;

/// In the year 4147. Whatever is later counts as this.
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

    /// Whether `old` was there still. Nothing is written where nothing changes.
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

/// The kernel's time as of its last tick, at most 10 ms ago, which is read in a fifth of the time that the exact one takes.
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

/// Since the system was started, sleep included: a system that wakes up has not jumped ahead.
#[cfg(target_os = "linux")]
fn monotonic_time() -> Duration {
    let since = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    Duration::from_secs(u64::try_from(since.tv_sec).unwrap_or_default())
}

/// Since the first call.
#[cfg(not(target_os = "linux"))]
fn monotonic_time() -> Duration {
    use std::sync::LazyLock;
    use std::time::Instant;
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    START.elapsed()
}
