use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tollgate_keys::KeyReport;

use crate::event::{self, Event, Observer};

/// Sends the events of one key set to the log and the observer.
#[derive(Clone)]
pub(crate) struct Reporter {
    name: Arc<str>,
    observer: Option<Arc<dyn Observer>>,
    observer_panicked: Arc<AtomicBool>,
    /// The refused keys of the last report.
    refused: Arc<Mutex<Vec<KeyReport>>>,
}

impl Reporter {
    pub(crate) fn new(name: Arc<str>, observer: Option<Arc<dyn Observer>>) -> Self {
        Reporter { name, observer, observer_panicked: Arc::default(), refused: Arc::default() }
    }

    /// Catches a panic of the observer: the keys must still be refreshed.
    pub(crate) fn report(&self, event: &Event<'_>) {
        event::log(&self.name, event);
        let Some(observer) = &self.observer else {
            return;
        };
        if self.observer_panicked.load(Ordering::Relaxed) {
            return;
        }
        if catch_unwind(AssertUnwindSafe(|| observer.observe(&self.name, event))).is_err() {
            self.observer_panicked.store(true, Ordering::Relaxed);
            tracing::error!(remote = &*self.name, "the observer panicked: it is not called again");
        }
    }

    /// Reports the same refused keys only once, however often they are fetched.
    pub(crate) fn report_refused(&self, refused: &[KeyReport]) {
        {
            let mut last = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
            if *last == refused {
                return;
            }
            *last = refused.to_vec();
        }
        for report in refused {
            self.report(&Event::KeyRefused { report });
        }
    }
}

impl fmt::Debug for Reporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reporter").field("name", &self.name).finish_non_exhaustive()
    }
}
