use crate::limits::{DEFAULT_MAX_STALENESS, STOP_INTERVAL};
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

#[derive(Clone, Copy, Debug)]
struct State {
    applied: Option<u64>,
    latest: u64,
    in_step_at: Option<Instant>,
    failures: u64,
    max_staleness: Duration,
    has_ended: bool,
}

/// How far a follower is behind its log.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Lag {
    /// Changes that are known and not applied yet.
    pub changes: u64,
    /// How long ago the last look at the log began after which everything known was applied. It stays near zero while the log is read without failure; `None` before
    /// the first snapshot.
    pub since_in_step: Option<Duration>,
    /// Failed attempts since the last that worked.
    pub failures: u64,
}

impl Progress {
    pub(super) fn new(revocations: Revocations) -> Self {
        let state = State {
            applied: None,
            latest: 0,
            in_step_at: None,
            failures: 0,
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
        let state = *self.state.lock();
        Lag {
            changes: state.latest - state.applied.unwrap_or(0).min(state.latest),
            since_in_step: state.in_step_at.map(|at| at.elapsed()),
            failures: state.failures,
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

    /// Marks the revocations [stale](Revocations::mark_stale) where they were in step with the log for the last time longer ago than
    /// [the follower's maximum](crate::Follower::max_staleness). Returns after how long to look again.
    ///
    /// The threads of [`spawn`](crate::Follower::spawn) do so, and a follower at each failure. Whoever has a follower on a thread of
    /// their own needs another one for this: a log that does not answer is no failure.
    #[must_use]
    pub fn check_freshness(&self) -> Duration {
        self.judge_freshness(&self.state.lock())
    }

    fn judge_freshness(&self, state: &State) -> Duration {
        let deadline = state.in_step_at.filter(|_| !state.has_ended).map(|at| at + state.max_staleness);
        let left = deadline.unwrap_or(Instant::now()).saturating_duration_since(Instant::now());
        if left.is_zero() {
            self.revocations.mark_stale();
            state.max_staleness.max(STOP_INTERVAL)
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
            state.in_step_at = Some(as_of);
            self.judge_freshness(&state);
        }
        self.has_moved.notify_all();
    }

    /// There was nothing new at `as_of` or later.
    pub(super) fn is_in_step(&self, as_of: Instant) {
        let mut state = self.state.lock();
        (state.in_step_at, state.failures) = (Some(as_of), 0);
        self.judge_freshness(&state);
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
