use std::fmt;
use std::sync::Arc;

use arc_swap::ArcSwap;
use tollgate::Engine;

use crate::layer::AuthLayer;
use crate::response::EmptyBody;

/// An engine that can be replaced while requests are answered, for settings that only a new engine can have. Clones
/// share the engine.
///
/// Keys, issuers, API keys and revocations of an engine change without this.
///
/// ```
/// use tollgate::{ApiKeyTable, Engine, KeyFormat};
/// use tollgate_tower::{AuthLayer, SwappableEngine};
///
/// let engine = |limit| {
///     let table = ApiKeyTable::new(KeyFormat::new("tg", "live")?);
///     Ok::<_, Box<dyn std::error::Error>>(Engine::builder().api_keys(table).max_header_bytes(limit).build()?)
/// };
/// let swappable = SwappableEngine::new(engine(8_192)?);
/// let layer = AuthLayer::swappable(swappable.clone());
/// // Later, in a handler of SIGHUP say.
/// swappable.swap(engine(16_384)?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct SwappableEngine(Arc<ArcSwap<Engine>>);

impl SwappableEngine {
    /// Starts with `engine`, or the engine in that `Arc`.
    #[must_use]
    pub fn new(engine: impl Into<Arc<Engine>>) -> Self {
        SwappableEngine(Arc::new(ArcSwap::new(engine.into())))
    }

    /// Replaces the engine and returns the old one. The new engine decides requests that begin later; each
    /// request is decided by one engine. The new engine's token cache and its record of used proofs (DPoP)
    /// begin empty.
    pub fn swap(&self, engine: impl Into<Arc<Engine>>) -> Arc<Engine> {
        self.0.swap(engine.into())
    }

    /// The current engine.
    #[must_use]
    pub fn current(&self) -> Arc<Engine> {
        self.0.load_full()
    }
}

impl fmt::Debug for SwappableEngine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SwappableEngine").finish_non_exhaustive()
    }
}

impl AuthLayer<EmptyBody, SwappableEngine> {
    /// Requires a credential that the current engine accepts when the request arrives.
    #[must_use]
    pub fn swappable(engine: SwappableEngine) -> Self {
        Self::verifying_by(engine)
    }
}

/// The source of a layer's engine.
pub trait EngineSource {
    /// Calls `work` with the current engine.
    fn with_engine<T>(&self, work: impl FnOnce(&Engine) -> T) -> T;
}

impl EngineSource for Arc<Engine> {
    #[inline]
    fn with_engine<T>(&self, work: impl FnOnce(&Engine) -> T) -> T {
        work(self)
    }
}

impl EngineSource for SwappableEngine {
    #[inline]
    fn with_engine<T>(&self, work: impl FnOnce(&Engine) -> T) -> T {
        work(&self.0.load())
    }
}

#[cfg(feature = "remote")]
impl EngineSource for tollgate_remote::Verifier {
    #[inline]
    fn with_engine<T>(&self, work: impl FnOnce(&Engine) -> T) -> T {
        work(self.engine())
    }
}
