use std::time::Duration;

use tollgate::Algorithm;

/// The traffic that is measured.
#[derive(Clone, Debug)]
pub(crate) struct Shape {
    pub(crate) algorithm: Algorithm,
    pub(crate) token_bytes: usize,
    /// The number of distinct tokens that are presented repeatedly.
    pub(crate) tokens: usize,
    /// The share of tokens, 0 to 1, that are among these. The rest are new.
    pub(crate) hit_share: f64,
    pub(crate) api_keys: usize,
    /// The share of requests, 0 to 1, with an API key.
    pub(crate) api_key_share: f64,
    pub(crate) threads: usize,
    /// The memory of the shared cache; `Some(0)` for no cache, `None` for the engine's default.
    pub(crate) cache_bytes: Option<usize>,
    /// How long to measure, including the creation of requests.
    pub(crate) duration: Duration,
}
