use std::future::Future;
use std::pin::Pin;

use tokio::sync::{Semaphore, watch};
use tokio::time::{Instant, timeout_at};
use tollgate_keys::KeyRefresher;

use crate::limits::{MAX_REFRESH_WAIT, MAX_WAITING};
use crate::unknown_keys::UnknownKeys;

/// What verifiers and the refresher of one ring have in common.
#[derive(Debug)]
pub(crate) struct Waiting {
    pub(crate) unknown_keys: UnknownKeys,
    progress: watch::Sender<Progress>,
    places: Semaphore,
}

/// How far the refresher is.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Progress {
    /// Fetches that have ended, well or badly.
    pub(crate) fetches: u64,
    /// When a fetch for an unknown key may begin, or when the one under way began. None: never.
    pub(crate) next: Option<Instant>,
}

impl Waiting {
    pub(crate) fn new() -> Self {
        let progress = watch::Sender::new(Progress { fetches: 0, next: Some(Instant::now()) });
        Waiting { unknown_keys: UnknownKeys::new(), progress, places: Semaphore::new(MAX_WAITING) }
    }

    pub(crate) fn publish(&self, progress: Progress) {
        self.progress.send_if_modified(|last| {
            let modified = *last != progress;
            *last = progress;
            modified
        });
    }
}

impl KeyRefresher for Waiting {
    fn unknown_key(&self, kid: Option<&str>) {
        self.unknown_keys.report(kid);
    }

    /// Gives up at once where no fetch can come in time: those who wait are as bounded as the fetches are.
    fn refreshed<'r>(&'r self, kid: Option<&'r str>) -> Pin<Box<dyn Future<Output = bool> + Send + 'r>> {
        let mut progress = self.progress.subscribe();
        let before = progress.borrow().fetches;
        Box::pin(async move {
            let Ok(_place) = self.places.try_acquire() else {
                return false;
            };
            if self.unknown_keys.is_missing(kid) {
                return false;
            }
            let deadline = Instant::now() + MAX_REFRESH_WAIT;
            let in_vain = |progress: &Progress| progress.next.is_none_or(|next| next > deadline);
            let over = progress.wait_for(|progress| progress.fetches != before || in_vain(progress));
            timeout_at(deadline, over).await.is_ok_and(|over| over.is_ok_and(|progress| progress.fetches != before))
        })
    }
}
