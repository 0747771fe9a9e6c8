use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use metrics::{Label, counter, gauge, histogram};
use tokio::sync::watch;
use tollgate_remote::{Event, Health, Introspection, IntrospectionStatistics, Observer, RemoteKeys};

use crate::names::{
    INTROSPECTION_FAILURES, INTROSPECTION_OVER_BUDGET, INTROSPECTIONS, KEY_REFRESH_SECONDS, KEY_REFRESHES, KEYS,
    KEYS_AGE, KEYS_GRACE,
};
use crate::registry::Metrics;

/// Remote key sets and introspection endpoints, which a collection reads.
#[derive(Default)]
pub(crate) struct RemoteSources {
    keys: Vec<(Arc<str>, watch::Receiver<Health>)>,
    endpoints: Vec<Endpoint>,
}

struct Endpoint {
    name: Arc<str>,
    introspection: Introspection,
    /// The sums of the replaced sources with the same name.
    before: IntrospectionStatistics,
}

impl Metrics {
    /// Collects the number and age of `keys` until they are stopped. Of several with one name the last one counts.
    pub fn watch_keys(&self, keys: &RemoteKeys) {
        let name: Arc<str> = keys.name().into();
        let mut sources = self.sources();
        sources.remote.keys.retain(|(other, _)| *other != name);
        sources.remote.keys.push((name, keys.watch()));
    }

    /// Collects the requests to the endpoint called `name`. Another one of its name replaces it.
    pub fn watch_introspection(&self, name: &str, introspection: &Introspection) {
        let mut sources = self.sources();
        let endpoints = &mut sources.remote.endpoints;
        let mut before = IntrospectionStatistics::default();
        if let Some(index) = endpoints.iter().position(|other| *other.name == *name) {
            before = endpoints.swap_remove(index).sum();
        }
        endpoints.push(Endpoint { name: name.into(), introspection: introspection.clone(), before });
    }

    /// Counts the refreshes of remote key sets, for
    /// [`RemoteKeysBuilder::observer`](tollgate_remote::RemoteKeysBuilder::observer).
    #[must_use]
    pub fn remote_observer(&self) -> impl Observer + use<> {
        // The code of a refresh is that of the last failed fetch, the reason why no URI delivered.
        let last = std::sync::Mutex::new("");
        move |remote: &str, event: &Event<'_>| {
            let mut last = last.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            let (took, code) = match event {
                Event::FetchFailed { error, .. } => {
                    *last = error.code();
                    return;
                }
                Event::Refreshed { took, .. } => (*took, None),
                Event::RefreshFailed { took, .. } => (*took, Some(*last)),
                _ => return,
            };
            histogram!(KEY_REFRESH_SECONDS, "remote" => remote.to_owned()).record(took.as_secs_f64());
            let mut labels = vec![Label::new("remote", remote.to_owned())];
            labels.extend(code.map(|code| Label::new("error.type", code)));
            counter!(KEY_REFRESHES, labels).increment(1);
        }
    }
}

impl RemoteSources {
    pub(crate) fn collect(&mut self) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() as i64);
        self.keys.retain(|(name, health)| {
            let is_there = health.has_changed().is_ok();
            let health = health.borrow();
            let gauge = |name_of: &'static str| gauge!(name_of, "remote" => name.to_string());
            gauge(KEYS).set(if is_there { health.keys as f64 } else { 0.0 });
            if let Some(age) = health.age(now) {
                gauge(KEYS_AGE).set(age.as_secs_f64());
            }
            if let Some(end) = health.grace_ends {
                gauge(KEYS_GRACE).set(end.saturating_sub(now) as f64);
            }
            is_there
        });
        for endpoint in &self.endpoints {
            let IntrospectionStatistics { requests, failures, over_budget, .. } = endpoint.sum();
            let counter = |name_of: &'static str| counter!(name_of, "remote" => endpoint.name.to_string());
            counter(INTROSPECTIONS).absolute(requests);
            counter(INTROSPECTION_FAILURES).absolute(failures);
            counter(INTROSPECTION_OVER_BUDGET).absolute(over_budget);
        }
    }
}

impl Endpoint {
    fn sum(&self) -> IntrospectionStatistics {
        let mut sum = self.introspection.statistics();
        sum.requests += self.before.requests;
        sum.failures += self.before.failures;
        sum.over_budget += self.before.over_budget;
        sum
    }
}
