use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use metrics::{Label, Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use tollgate::{CacheStatistics, Engine, PrincipalKind, Verification};

use crate::counts::Counts;
use crate::names::{
    ALL, CACHE_BYTES, CACHE_EVICTIONS, CACHE_LOOKUPS, NONE, SIGNATURE_CHECKS, VERIFICATION_SECONDS, VERIFICATIONS,
};

/// Counts what engines do, and tells the [recorder](metrics::set_global_recorder) of the program when it is [asked to](Metrics::collect).
/// Clones share the counters.
///
/// Counting a verify of a cached token takes no lock and writes nothing that another thread reads. The recorder is told of sums, once for
/// each collection and not for each verify.
#[derive(Clone)]
pub struct Metrics(pub(crate) Arc<Shared>);

pub(crate) struct Shared {
    counts: Counts,
    sources: Mutex<Sources>,
}

/// What is looked at when metrics are collected.
#[derive(Default)]
pub(crate) struct Sources {
    engines: Vec<Watched>,
    /// Of engines that are gone, and of all so far.
    cache_before: CacheStatistics,
    #[cfg(feature = "remote")]
    pub(crate) remote: crate::remote::RemoteSources,
    #[cfg(feature = "storage")]
    pub(crate) stores: Vec<crate::storage::Store>,
}

struct Watched {
    engine: Weak<Engine>,
    /// When they were read last.
    cache: CacheStatistics,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// Describes every metric to the recorder, if there is one already.
    #[must_use]
    pub fn new() -> Self {
        for metric in ALL {
            let unit = if metric.name.contains("seconds") {
                Unit::Seconds
            } else if metric.name.contains("bytes") {
                Unit::Bytes
            } else {
                Unit::Count
            };
            match metric.kind {
                "counter" => describe_counter!(metric.name, unit, metric.help),
                "gauge" => describe_gauge!(metric.name, unit, metric.help),
                _ => describe_histogram!(metric.name, unit, metric.help),
            }
        }
        Metrics(Arc::new(Shared { counts: Counts::new(), sources: Mutex::default() }))
    }

    /// Counts a verify: for an [observer](tollgate::EngineBuilder::untimed_observer) of any number of engines. One that is
    /// [timed](tollgate::EngineBuilder::observer) has its durations recorded too, by the bounds of
    /// [`VERIFICATION_BUCKETS`](crate::limits::VERIFICATION_BUCKETS); reading the clock costs more than the counting.
    #[inline]
    pub fn count(&self, seen: &Verification<'_>) {
        self.0.counts.count(seen);
    }

    /// Collects what the cache of `engine` has done, for as long as the engine is there.
    pub fn watch_engine(&self, engine: &Arc<Engine>) {
        let watched = Watched { engine: Arc::downgrade(engine), cache: CacheStatistics::default() };
        self.sources().engines.push(watched);
    }

    /// Tells the recorder of everything so far. To be called before each scrape, or every few seconds where metrics are pushed.
    pub fn collect(&self) {
        self.0.counts.collect(
            |series| {
                let mut labels = vec![
                    Label::new("kind", series.kind.map_or(NONE, PrincipalKind::as_str)),
                    Label::new("issuer", series.issuer.to_owned()),
                    Label::new("cache", if series.is_cache_hit { "hit" } else { "miss" }),
                ];
                labels.extend(series.code.map(|code| Label::new("error.type", code)));
                counter!(VERIFICATIONS, labels).absolute(series.count);
            },
            |issuer, is_good, count| {
                let result = if is_good { "good" } else { "bad" };
                counter!(SIGNATURE_CHECKS, "issuer" => issuer.to_owned(), "result" => result).absolute(count);
            },
            |is_cache_hit, seconds, count| {
                let cache = if is_cache_hit { "hit" } else { "miss" };
                let count = usize::try_from(count).unwrap_or(usize::MAX);
                histogram!(VERIFICATION_SECONDS, "cache" => cache).record_many(seconds, count);
            },
        );
        let mut sources = self.sources();
        sources.collect_caches();
        #[cfg(feature = "remote")]
        sources.remote.collect();
        #[cfg(feature = "storage")]
        sources.stores.retain_mut(crate::storage::Store::collect);
    }

    pub(crate) fn sources(&self) -> MutexGuard<'_, Sources> {
        self.0.sources.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sources {
    fn collect_caches(&mut self) {
        let Sources { engines, cache_before, .. } = self;
        let mut bytes = 0;
        engines.retain_mut(|watched| match watched.engine.upgrade() {
            Some(engine) => {
                watched.cache = engine.cache_statistics().unwrap_or_default();
                bytes += watched.cache.bytes;
                true
            }
            None => {
                add(cache_before, &watched.cache);
                false
            }
        });
        let mut sum = *cache_before;
        engines.iter().for_each(|watched| add(&mut sum, &watched.cache));
        for (result, count) in [("front", sum.front_hits), ("back", sum.back_hits), ("miss", sum.misses)] {
            counter!(CACHE_LOOKUPS, "result" => result).absolute(count);
        }
        counter!(CACHE_EVICTIONS).absolute(sum.evictions);
        gauge!(CACHE_BYTES).set(bytes as f64);
    }
}

fn add(sum: &mut CacheStatistics, one: &CacheStatistics) {
    sum.front_hits += one.front_hits;
    sum.back_hits += one.back_hits;
    sum.misses += one.misses;
    sum.evictions += one.evictions;
}

impl std::fmt::Debug for Metrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}
