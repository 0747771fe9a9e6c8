use crate::builder::BuildError;
use crate::limits::{
    DEFAULT_CACHE_BYTES, DEFAULT_CACHE_SLOTS_PER_THREAD, DEFAULT_CACHED_TOKEN_AGE, MAX_CACHE_BYTES,
    MAX_CACHE_SLOTS_PER_THREAD, MIN_CACHE_BYTES,
};

/// How large the verified-token cache of an engine is.
///
/// ```
/// use tollgate::CacheConfig;
///
/// let config = CacheConfig { bytes: 256 << 20, ..CacheConfig::default() };
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct CacheConfig {
    /// The most memory that the table shared by all threads takes, in bytes, from [`MIN_CACHE_BYTES`] to
    /// [`MAX_CACHE_BYTES`].
    ///
    /// A token of 600 bytes takes about 1,000, one of 900 bytes about 1,300. For 100,000 tokens in use at a time, give 128
    /// MiB. A table that is full evicts tokens that have not been asked for lately; they are verified anew.
    pub bytes: usize,
    /// How many tokens each thread keeps for itself, rounded up to a power of two, at least one and at most
    /// [`MAX_CACHE_SLOTS_PER_THREAD`]. A slot takes 32 bytes, and about as many as `bytes` says once it has a token. A thread
    /// keeps that for each engine that it has used, until the engine is dropped.
    pub per_thread_slots: usize,
    /// After how many seconds a token is verified anew, whatever its `exp`: at least 1.
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
