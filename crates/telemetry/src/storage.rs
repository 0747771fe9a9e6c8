use std::sync::{Arc, Weak};

use metrics::gauge;
use tollgate_storage::Progress;

use crate::names::{FEED_AGE, FEED_FAILURES, FEED_HEARTBEAT_FAILURES, FEED_LAG, FEED_UNREADABLE};
use crate::registry::Metrics;

/// The follower of a store.
pub(crate) struct Store {
    name: Arc<str>,
    progress: Weak<Progress>,
}

impl Metrics {
    /// Collects the lag of the follower of the store called `name`, while the follower exists.
    pub fn watch_store(&self, name: &str, progress: &Arc<Progress>) {
        self.sources().stores.push(Store { name: name.into(), progress: Arc::downgrade(progress) });
    }
}

impl Store {
    /// Whether the follower still exists.
    pub(crate) fn collect(&mut self) -> bool {
        let Some(progress) = self.progress.upgrade() else { return false };
        let lag = progress.lag();
        let set = |name: &'static str, value: f64| gauge!(name, "store" => self.name.to_string()).set(value);
        set(FEED_LAG, lag.changes as f64);
        // Before the first snapshot there is no age, and no key of the store is accepted.
        set(FEED_AGE, lag.since_in_sync.map_or(f64::INFINITY, |age| age.as_secs_f64()));
        set(FEED_FAILURES, lag.failures as f64);
        set(FEED_HEARTBEAT_FAILURES, lag.failed_heartbeats as f64);
        set(FEED_UNREADABLE, lag.unreadable as f64);
        true
    }
}
