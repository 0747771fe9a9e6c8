//! The engine's clock: seconds since the Unix epoch, never backwards.

use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering};

/// Where the engine takes its time from when it is not given.
pub(crate) struct Clock {
    source: Box<dyn Fn() -> i64 + Send + Sync>,
    latest: AtomicI64,
}

impl Clock {
    pub(crate) fn new(source: impl Fn() -> i64 + Send + Sync + 'static) -> Self {
        Clock { source: Box::new(source), latest: AtomicI64::new(i64::MIN) }
    }

    /// The latest time the source has told. When it goes back, time stands still until it has caught up: what
    /// has expired stays expired. The shared value is written at most once a second.
    pub(crate) fn now(&self) -> i64 {
        let now = (self.source)();
        let latest = self.latest.load(Ordering::Relaxed);
        if now > latest { self.latest.fetch_max(now, Ordering::Relaxed).max(now) } else { latest }
    }
}

impl Default for Clock {
    fn default() -> Self {
        Clock::new(system_time)
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Clock").field("latest", &self.latest).finish_non_exhaustive()
    }
}

/// The kernel's time as of its last tick, at most 10 ms ago, which is read in a fifth of the time that the exact one takes.
#[cfg(target_os = "linux")]
fn system_time() -> i64 {
    since_epoch(rustix::time::clock_gettime(rustix::time::ClockId::RealtimeCoarse).tv_sec)
}

#[cfg(not(target_os = "linux"))]
fn system_time() -> i64 {
    use std::time::{SystemTime, UNIX_EPOCH};
    let since = SystemTime::now().duration_since(UNIX_EPOCH).ok();
    since_epoch(since.and_then(|since| i64::try_from(since.as_secs()).ok()).unwrap_or(-1))
}

/// A clock set before 1970 says nothing about now: at the end of time everything has expired.
fn since_epoch(seconds: i64) -> i64 {
    if seconds < 0 { i64::MAX } else { seconds }
}
