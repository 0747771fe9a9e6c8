use crate::limits::{DEFAULT_CACHE_BYTES, DEFAULT_CACHE_SLOTS_PER_THREAD, DEFAULT_CACHED_TOKEN_AGE};

/// How large the verified-token cache of an engine is.
///
/// ```
/// use tollgate::CacheConfig;
///
/// let config = CacheConfig { bytes: 256 << 20, ..CacheConfig::default() };
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct CacheConfig {
    /// The most memory that the table shared by all threads takes, in bytes. A token of 700 bytes takes about 1,200.
    pub bytes: usize,
    /// How many tokens each thread keeps for itself, rounded up to a power of two. Each takes as much again.
    pub per_thread_slots: usize,
    /// After how many seconds a token is verified anew, whatever its `exp`.
    pub max_token_age: u32,
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
