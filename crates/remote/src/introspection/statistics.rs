use std::sync::atomic::{AtomicU64, Ordering};

/// Counters of the requests to an introspection endpoint.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct IntrospectionStatistics {
    /// Requests sent.
    pub requests: u64,
    /// Requests without a usable answer.
    pub failures: u64,
    /// Calls rejected because the budget was spent.
    pub over_budget: u64,
}

#[derive(Default)]
pub(super) struct Counters {
    requests: AtomicU64,
    failures: AtomicU64,
    over_budget: AtomicU64,
}

impl Counters {
    pub(super) fn count_request(&self) {
        self.requests.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_failure(&self) {
        self.failures.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_over_budget(&self) {
        self.over_budget.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn read(&self) -> IntrospectionStatistics {
        IntrospectionStatistics {
            requests: self.requests.load(Ordering::Relaxed),
            failures: self.failures.load(Ordering::Relaxed),
            over_budget: self.over_budget.load(Ordering::Relaxed),
        }
    }
}
