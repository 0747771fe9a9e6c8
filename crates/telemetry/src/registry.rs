use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use metrics::{Label, Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use tollgate::{CacheStatistics, Engine, PrincipalKind, ReplayStatistics, Verification};

use crate::counts::Counts;
use crate::names::{
    ALL, CACHE_BYTES, CACHE_EVICTIONS, CACHE_LOOKUPS, NONE, REPLAY_CAPACITY, REPLAY_EVICTIONS, SIGNATURE_CHECKS,
    VERIFICATION_SECONDS, VERIFICATIONS,
};

/// Counts the verifies of engines, and passes the sums to the program's [recorder](metrics::set_global_recorder) on
/// [collection](Metrics::collect). Clones share the counters.
///
/// Counting a verify of a cached token takes no lock and writes nothing that another thread reads. The recorder gets sums,
/// once for each collection and not for each verify.
#[derive(Clone)]
pub struct Metrics(pub(crate) Arc<Shared>);

pub(crate) struct Shared {
    counts: Counts,
    sources: Mutex<Sources>,
}

/// The sources of a collection.
#[derive(Default)]
pub(crate) struct Sources {
    engines: Vec<Watched>,
    /// The sum of the engines that have ended.
    ended: Statistics,
    #[cfg(feature = "remote")]
    pub(crate) remote: crate::remote::RemoteSources,
    #[cfg(feature = "storage")]
    pub(crate) stores: Vec<crate::storage::Store>,
}

struct Watched {
    engine: Weak<Engine>,
    /// As of the last collection.
    last: Statistics,
}

#[derive(Clone, Copy, Default)]
struct Statistics {
    cache: CacheStatistics,
    replay: ReplayStatistics,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// Describes every metric to the recorder, if one is installed.
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

    /// Counts a verify, as an [observer](tollgate::EngineBuilder::untimed_observer) of any number of engines. A
    /// [timed](tollgate::EngineBuilder::observer) observer also records durations, with the bounds of
    /// [`VERIFICATION_BUCKETS`](crate::limits::VERIFICATION_BUCKETS); reading the clock costs more than the counting.
    #[inline]
    pub fn count(&self, seen: &Verification<'_>) {
        self.0.counts.count(seen);
    }

    /// Collects the counters of the cache of `engine`, and of its record of used DPoP proofs, while the engine exists.
    pub fn watch_engine(&self, engine: &Arc<Engine>) {
        let watched = Watched { engine: Arc::downgrade(engine), last: Statistics::default() };
        self.sources().engines.push(watched);
    }

    /// Passes all sums to the recorder. Call it before each scrape, or every few seconds if metrics are pushed.
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
        sources.collect_engines();
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
    fn collect_engines(&mut self) {
        let Sources { engines, ended, .. } = self;
        let (mut bytes, mut capacity) = (0, 0);
        engines.retain_mut(|watched| match watched.engine.upgrade() {
            Some(engine) => {
                let cache = engine.cache_statistics().unwrap_or_default();
                let replay = engine.replay_statistics().unwrap_or_default();
                bytes += cache.bytes;
                capacity += replay.capacity;
                watched.last = Statistics { cache, replay };
                true
            }
            None => {
                ended.add(&watched.last);
                false
            }
        });
        let mut sum = *ended;
        engines.iter().for_each(|watched| sum.add(&watched.last));
        let Statistics { cache, replay } = sum;
        for (result, count) in [("front", cache.front_hits), ("back", cache.back_hits), ("miss", cache.misses)] {
            counter!(CACHE_LOOKUPS, "result" => result).absolute(count);
        }
        counter!(CACHE_EVICTIONS).absolute(cache.evictions);
        gauge!(CACHE_BYTES).set(bytes as f64);
        counter!(REPLAY_EVICTIONS).absolute(replay.evictions);
        gauge!(REPLAY_CAPACITY).set(capacity as f64);
    }
}

impl Statistics {
    fn add(&mut self, other: &Self) {
        self.cache.front_hits += other.cache.front_hits;
        self.cache.back_hits += other.cache.back_hits;
        self.cache.misses += other.cache.misses;
        self.cache.evictions += other.cache.evictions;
        self.replay.evictions += other.replay.evictions;
    }
}

impl std::fmt::Debug for Metrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}
