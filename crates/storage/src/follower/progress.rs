use crate::error::StorageError;
use crate::limits::{DEFAULT_MAX_STALENESS, HEARTBEAT_INTERVAL};
use parking_lot::{Condvar, Mutex};
use std::time::{Duration, Instant};
use tollgate::Revocations;

/// The progress of a follower, shared with its observers.
#[derive(Debug)]
pub struct Progress {
    /// Marked fresh and stale with the state locked, so that the later mark is the correct one.
    revocations: Revocations,
    state: Mutex<State>,
    has_moved: Condvar,
}

#[derive(Debug)]
struct State {
    applied: Option<u64>,
    latest: u64,
    /// The start of the read that found the newest change or heartbeat.
    in_sync_at: Option<Instant>,
    failures: u64,
    failed_heartbeats: u64,
    panics: u64,
    /// Records that could not be decoded since the start of the last snapshot.
    unreadable: u64,
    last_unreadable: Option<(&'static str, String)>,
    max_staleness: Duration,
    has_ended: bool,
}

/// The lag of a follower behind its log.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Lag {
    /// Known changes that are not applied yet.
    pub changes: u64,
    /// The age of the newest applied change or heartbeat, counted from the read that found it; `None` before the first
    /// snapshot.
    pub since_in_sync: Option<Duration>,
    /// Failed reads since the last success.
    pub failures: u64,
    /// Failed heartbeats since the last success. Unless this is 0, the store cannot be written.
    pub failed_heartbeats: u64,
    /// The number of panics after which the follower began again.
    pub panics: u64,
    /// Records that could not be decoded, and so are not accepted, since the start of the last snapshot.
    pub unreadable: u64,
}

impl Progress {
    pub(super) fn new(revocations: Revocations) -> Self {
        let state = State {
            applied: None,
            latest: 0,
            in_sync_at: None,
            failures: 0,
            failed_heartbeats: 0,
            panics: 0,
            unreadable: 0,
            last_unreadable: None,
            max_staleness: DEFAULT_MAX_STALENESS,
            has_ended: false,
        };
        Self { revocations, state: Mutex::new(state), has_moved: Condvar::new() }
    }

    /// The number of the last applied change; `None` before the first snapshot.
    #[must_use]
    pub fn applied(&self) -> Option<u64> {
        self.state.lock().applied
    }

    /// The lag of the follower. It does not include changes that the follower has not read yet, so also check the age.
    #[must_use]
    pub fn lag(&self) -> Lag {
        let state = self.state.lock();
        Lag {
            changes: state.latest - state.applied.unwrap_or(0).min(state.latest),
            since_in_sync: state.in_sync_at.map(|at| at.elapsed()),
            failures: state.failures,
            failed_heartbeats: state.failed_heartbeats,
            panics: state.panics,
            unreadable: state.unreadable,
        }
    }

    /// Waits, at most `timeout`, until the change with that number is applied. Returns whether it is.
    #[must_use]
    pub fn wait_for(&self, sequence: u64, timeout: Duration) -> bool {
        let deadline = Instant::now() + timeout;
        let mut state = self.state.lock();
        while state.applied.is_none_or(|applied| applied < sequence) {
            if self.has_moved.wait_until(&mut state, deadline).timed_out() {
                return state.applied.is_some_and(|applied| applied >= sequence);
            }
        }
        true
    }

    /// The last record that could not be decoded, as an error that names it.
    #[must_use]
    pub fn last_unreadable(&self) -> Option<StorageError> {
        let last = self.state.lock().last_unreadable.clone();
        last.map(|(table, row)| StorageError::Corrupt { table, row })
    }

    /// Marks the revocations [stale](Revocations::mark_stale) if the newest applied change or heartbeat is older than
    /// [the follower's maximum](crate::Follower::max_staleness). Returns the time until the next check.
    ///
    /// [`run`](crate::Follower::run) calls this, and a follower does at each failure. A program that drives a follower
    /// itself must call it concurrently with the follower: a log that does not answer causes no failure.
    #[must_use]
    pub fn check_freshness(&self) -> Duration {
        self.judge_freshness(&self.state.lock())
    }

    fn judge_freshness(&self, state: &State) -> Duration {
        let deadline = state.in_sync_at.filter(|_| !state.has_ended).map(|at| at + state.max_staleness);
        let left = deadline.unwrap_or(Instant::now()).saturating_duration_since(Instant::now());
        if left.is_zero() {
            self.revocations.mark_stale();
            state.max_staleness.max(MIN_CHECK_INTERVAL)
        } else {
            self.revocations.mark_fresh();
            left
        }
    }

    pub(super) fn set_max_staleness(&self, max: Duration) {
        self.state.lock().max_staleness = max;
    }

    /// The end of the log was `latest` at `as_of` or later.
    pub(super) fn reached(&self, applied: u64, latest: u64, as_of: Instant) {
        let mut state = self.state.lock();
        (state.applied, state.latest, state.failures) = (Some(applied), latest, 0);
        if applied >= latest {
            state.in_sync_at = Some(as_of);
            self.judge_freshness(&state);
        }
        self.has_moved.notify_all();
    }

    /// The log was read and held nothing new.
    pub(super) fn looked(&self) {
        self.state.lock().failures = 0;
    }

    /// A new snapshot begins.
    pub(super) fn begin_snapshot(&self) {
        self.state.lock().unreadable = 0;
    }

    pub(super) fn unreadable(&self, table: &'static str, row: String) {
        let mut state = self.state.lock();
        state.unreadable += 1;
        state.last_unreadable = Some((table, row));
    }

    pub(super) fn panicked(&self) {
        self.state.lock().panics += 1;
        self.failed();
    }

    pub(super) fn tried_heartbeat(&self, worked: bool) {
        let mut state = self.state.lock();
        state.failed_heartbeats = if worked { 0 } else { state.failed_heartbeats + 1 };
    }

    /// The time without a change after which a heartbeat is due: short enough that several must be missing before the
    /// tables are stale.
    pub(super) fn heartbeat_interval(&self) -> Duration {
        HEARTBEAT_INTERVAL.min(self.state.lock().max_staleness / 4)
    }

    pub(super) fn failed(&self) {
        let mut state = self.state.lock();
        state.failures += 1;
        self.judge_freshness(&state);
    }

    /// The log is no longer followed.
    pub(super) fn end(&self) {
        let mut state = self.state.lock();
        state.has_ended = true;
        self.judge_freshness(&state);
    }
}

/// The interval between checks while the tables are stale.
const MIN_CHECK_INTERVAL: Duration = Duration::from_millis(200);
