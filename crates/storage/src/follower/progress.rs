use crate::error::StorageError;
use crate::limits::{DEFAULT_MAX_STALENESS, HEARTBEAT_INTERVAL};
use parking_lot::{Condvar, Mutex};
use std::time::{Duration, Instant};
use tollgate::Revocations;

/// How far a follower is. Shared with whoever asks.
#[derive(Debug)]
pub struct Progress {
    /// Marked fresh and stale with the state locked, so that the later word is the true one.
    revocations: Revocations,
    state: Mutex<State>,
    has_moved: Condvar,
}

#[derive(Debug)]
struct State {
    applied: Option<u64>,
    latest: u64,
    /// When the look began that found the newest change or heartbeat.
    in_sync_at: Option<Instant>,
    failures: u64,
    failed_heartbeats: u64,
    panics: u64,
    /// Records that could not be decoded: since the last snapshot began.
    unreadable: u64,
    last_unreadable: Option<(&'static str, String)>,
    max_staleness: Duration,
    has_ended: bool,
}

/// How far a follower is behind its log.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Lag {
    /// Changes that are known and not applied yet.
    pub changes: u64,
    /// The age of the newest change or heartbeat that was applied, counted from the look that found it; `None` before the first
    /// snapshot.
    pub since_in_sync: Option<Duration>,
    /// Failed attempts to read since the last that worked.
    pub failures: u64,
    /// Failed attempts to commit a heartbeat since the last that worked: while there are any, nothing can be written.
    pub failed_heartbeats: u64,
    /// How often the follower panicked and began again.
    pub panics: u64,
    /// Records that could not be decoded, and so are not accepted, since the last snapshot began.
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

    /// The number of the last change that was applied; `None` before the first snapshot.
    #[must_use]
    pub fn applied(&self) -> Option<u64> {
        self.state.lock().applied
    }

    /// How far the follower is behind. What nobody has told it yet is not counted, so look at the time as well.
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

    /// Waits until the change of that number was applied, at most `timeout`. Returns whether it was.
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

    /// The record that could not be decoded last, as an error that says which it is.
    #[must_use]
    pub fn last_unreadable(&self) -> Option<StorageError> {
        let last = self.state.lock().last_unreadable.clone();
        last.map(|(table, row)| StorageError::Corrupt { table, row })
    }

    /// Marks the revocations [stale](Revocations::mark_stale) where the newest change or heartbeat that was applied is older than
    /// [the follower's maximum](crate::Follower::max_staleness). Returns after how long to look again.
    ///
    /// [`run`](crate::Follower::run) does so, and a follower at each failure. Whoever drives a follower by hand has to do it beside
    /// the follower: a log that does not answer is no failure.
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

    /// The log, as it was at `as_of` or later, went up to `latest`.
    pub(super) fn reached(&self, applied: u64, latest: u64, as_of: Instant) {
        let mut state = self.state.lock();
        (state.applied, state.latest, state.failures) = (Some(applied), latest, 0);
        if applied >= latest {
            state.in_sync_at = Some(as_of);
            self.judge_freshness(&state);
        }
        self.has_moved.notify_all();
    }

    /// The log was read, and held nothing new.
    pub(super) fn looked(&self) {
        self.state.lock().failures = 0;
    }

    /// Everything is read anew.
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

    /// After how long without a change a heartbeat is due: so often that some are missing before anything is stale.
    pub(super) fn heartbeat_interval(&self) -> Duration {
        HEARTBEAT_INTERVAL.min(self.state.lock().max_staleness / 4)
    }

    pub(super) fn failed(&self) {
        let mut state = self.state.lock();
        state.failures += 1;
        self.judge_freshness(&state);
    }

    /// Nobody follows the log any more.
    pub(super) fn end(&self) {
        let mut state = self.state.lock();
        state.has_ended = true;
        self.judge_freshness(&state);
    }
}

/// Between two looks at what is stale already.
const MIN_CHECK_INTERVAL: Duration = Duration::from_millis(200);
