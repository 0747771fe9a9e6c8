use parking_lot::{Condvar, Mutex};
use std::time::{Duration, Instant};

/// How far a follower is. Shared with whoever asks.
#[derive(Debug, Default)]
pub struct Progress {
    state: Mutex<State>,
    has_moved: Condvar,
}

#[derive(Clone, Copy, Debug, Default)]
struct State {
    applied: Option<u64>,
    latest: u64,
    in_step_at: Option<Instant>,
    failures: u64,
}

/// How far a follower is behind its log.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Lag {
    /// Changes that are known and not applied yet.
    pub changes: u64,
    /// How long ago everything known was applied. It stays near zero while the log is read without failure; `None` before
    /// the first snapshot.
    pub since_in_step: Option<Duration>,
    /// Failed attempts since the last that worked.
    pub failures: u64,
}

impl Progress {
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

    pub(super) fn reached(&self, applied: u64, latest: u64) {
        let mut state = self.state.lock();
        (state.applied, state.latest, state.failures) = (Some(applied), latest, 0);
        if applied >= latest {
            state.in_step_at = Some(Instant::now());
        }
        self.has_moved.notify_all();
    }

    /// There was nothing new.
    pub(super) fn is_in_step(&self) {
        let mut state = self.state.lock();
        (state.in_step_at, state.failures) = (Some(Instant::now()), 0);
    }

    pub(super) fn failed(&self) {
        self.state.lock().failures += 1;
    }
}
