use std::fmt;
use std::sync::Arc;

use arc_swap::ArcSwap;
use tollgate::Engine;

use crate::layer::AuthLayer;
use crate::response::EmptyBody;

/// An engine that another one can take the place of while requests are answered: for settings of an engine that only a new one can have. Clones share
/// the engine.
///
/// Keys, issuers, API keys and revocations of one engine change without this.
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
    /// `engine`, or the engine in that `Arc`, for now.
    #[must_use]
    pub fn new(engine: impl Into<Arc<Engine>>) -> Self {
        SwappableEngine(Arc::new(ArcSwap::new(engine.into())))
    }

    /// Puts `engine` in place of the one there was, which is returned. Requests that begin later are decided by it; each request is decided by
    /// one engine. Its cache of verified tokens and its memory of used proofs (DPoP) begin empty.
    pub fn swap(&self, engine: impl Into<Arc<Engine>>) -> Arc<Engine> {
        self.0.swap(engine.into())
    }

    /// The engine of now.
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
    /// Every request needs a credential that the engine accepts which `engine` is when the request arrives.
    #[must_use]
    pub fn swappable(engine: SwappableEngine) -> Self {
        Self::verifying_by(engine)
    }
}

/// Where a layer has its engine from.
pub trait EngineSource {
    /// Does `work` with the engine of now.
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
