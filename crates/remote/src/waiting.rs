use tokio::sync::{Semaphore, watch};
use tokio::time::{Instant, timeout_at};
use tollgate_keys::{KeyRefresher, Refreshed};

use crate::limits::{LONGEST_VERIFY, MAX_REFRESH_WAIT, MAX_WAITING};
use crate::unknown_keys::UnknownKeys;

/// What the verifiers and the refresher of one ring share.
#[derive(Debug)]
pub(crate) struct Waiting {
    pub(crate) unknown_keys: UnknownKeys,
    progress: watch::Sender<Progress>,
    places: Semaphore,
}

/// How far the refresher is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Progress {
    /// Fetches that have ended, well or badly.
    fetches: u64,
    /// When the last one did.
    ended: Option<Instant>,
    /// When a fetch for an unknown key may begin, or when the one under way began. None: never.
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

    /// `fetches` have ended; `next`: when one for an unknown key may begin, or when the one under way began.
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

    /// Gives up at once where no fetch can come in time: those who wait are as bounded as the fetches are.
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
