use tokio::sync::{Semaphore, watch};
use tokio::time::{Instant, timeout_at};
use tollgate_keys::{KeyRefresher, Refreshed};

use crate::limits::{LONGEST_VERIFY, MAX_REFRESH_WAIT, MAX_WAITING};
use crate::unknown_keys::UnknownKeys;

/// The state that a ring's verifiers and its refresher share.
#[derive(Debug)]
pub(crate) struct Waiting {
    pub(crate) unknown_keys: UnknownKeys,
    progress: watch::Sender<Progress>,
    places: Semaphore,
}

/// The refresher's progress.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Progress {
    /// Finished fetches, successful or not.
    fetches: u64,
    /// When the last fetch ended.
    ended: Option<Instant>,
    /// When a fetch for an unknown key may start, or when the one in progress started. None: never.
    next: Option<Instant>,
}

impl Progress {
    /// Whether no fetch can end before `deadline`.
    fn is_in_vain(&self, deadline: Instant) -> bool {
        self.next.is_none_or(|next| next > deadline)
    }
}

impl Waiting {
    pub(crate) fn new() -> Self {
        let progress = watch::Sender::new(Progress { fetches: 0, ended: None, next: Some(Instant::now()) });
        Waiting { unknown_keys: UnknownKeys::new(), progress, places: Semaphore::new(MAX_WAITING) }
    }

    /// Publishes the progress. `fetches`: finished ones. `next`: when one for an unknown key may start, or when the one
    /// in progress started.
    pub(crate) fn publish(&self, fetches: u64, next: Option<Instant>) {
        self.progress.send_if_modified(|last| {
            let ended = if fetches == last.fetches { last.ended } else { Some(Instant::now()) };
            let progress = Progress { fetches, ended, next };
            let is_modified = *last != progress;
            *last = progress;
            is_modified
        });
    }
}

impl KeyRefresher for Waiting {
    fn unknown_key(&self, kid: Option<&str>) {
        self.unknown_keys.report(kid);
    }

    /// Returns `None` at once if no fetch can end in time, so that waiters are as bounded as fetches.
    fn refreshed<'r>(&'r self, kid: Option<&'r str>) -> Option<Refreshed<'r>> {
        let mut progress = self.progress.subscribe();
        let (before, deadline) = (*progress.borrow(), Instant::now() + MAX_REFRESH_WAIT);
        // The caller's verdict may be older than the fetch that has just ended.
        let has_just_ended = before.ended.is_some_and(|ended| ended.elapsed() < LONGEST_VERIFY);
        if (before.is_in_vain(deadline) && !has_just_ended) || self.unknown_keys.is_missing(kid) {
            return None;
        }
        let place = self.places.try_acquire().ok()?;
        Some(Box::pin(async move {
            let _place = place;
            let has_ended = |progress: &Progress| progress.fetches != before.fetches;
            let over = progress.wait_for(|progress| has_ended(progress) || progress.is_in_vain(deadline));
            timeout_at(deadline, over).await.is_ok_and(|over| over.is_ok_and(|progress| has_ended(&progress)))
        }))
    }
}
