use crate::builder::BuildError;
use crate::limits::{
    DEFAULT_CACHE_BYTES, DEFAULT_CACHE_SLOTS_PER_THREAD, DEFAULT_CACHED_TOKEN_AGE, MAX_CACHE_BYTES,
    MAX_CACHE_SLOTS_PER_THREAD, MIN_CACHE_BYTES,
};

/// The size of an engine's verified-token cache.
///
/// ```
/// use tollgate::CacheConfig;
///
/// let config = CacheConfig { bytes: 256 << 20, ..CacheConfig::default() };
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct CacheConfig {
    /// The maximum memory of the table shared by all threads, in bytes, from [`MIN_CACHE_BYTES`] to
    /// [`MAX_CACHE_BYTES`].
    ///
    /// A token of 600 bytes takes about 1,000, one of 900 bytes about 1,300. For 100,000 tokens in use at a time, give
    /// 128 MiB. A full table evicts tokens that were not used lately; they are verified again.
    pub bytes: usize,
    /// The number of tokens that each thread keeps for itself, rounded up to a power of two, at least one and at most
    /// [`MAX_CACHE_SLOTS_PER_THREAD`]. A slot takes 32 bytes, and once it has a token about as many more as `bytes`
    /// says. A thread keeps these slots for each engine that it has used, until the engine is dropped.
    pub per_thread_slots: usize,
    /// The age in seconds after which a token is verified again, whatever its `exp`: at least 1.
    pub max_token_age: u32,
}

impl CacheConfig {
    pub(crate) fn check(&self) -> Result<(), BuildError> {
        if !(MIN_CACHE_BYTES..=MAX_CACHE_BYTES).contains(&self.bytes) {
            return Err(BuildError::CacheSize { bytes: self.bytes });
        }
        if self.per_thread_slots > MAX_CACHE_SLOTS_PER_THREAD {
            return Err(BuildError::TooManyCacheSlots { slots: self.per_thread_slots });
        }
        if self.max_token_age == 0 {
            return Err(BuildError::NoCachedTokenAge);
        }
        Ok(())
    }
}

impl Default for CacheConfig {
    fn default() -> Self {
        CacheConfig {
            bytes: DEFAULT_CACHE_BYTES,
            per_thread_slots: DEFAULT_CACHE_SLOTS_PER_THREAD,
            max_token_age: DEFAULT_CACHED_TOKEN_AGE,
        }
    }
}
