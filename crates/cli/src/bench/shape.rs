use std::time::Duration;

use tollgate::Algorithm;

/// The traffic that is measured.
#[derive(Clone, Debug)]
pub(crate) struct Shape {
    pub(crate) algorithm: Algorithm,
    pub(crate) token_bytes: usize,
    /// How many distinct tokens are presented again and again.
    pub(crate) tokens: usize,
    /// Which part of the tokens, 0 to 1, is one of those; the rest is new.
    pub(crate) hit_share: f64,
    pub(crate) api_keys: usize,
    /// Which part of the requests, 0 to 1, has an API key.
    pub(crate) api_key_share: f64,
    pub(crate) threads: usize,
    /// The memory of the shared cache; `Some(0)` for no cache, `None` for the engine's default.
    pub(crate) cache_bytes: Option<usize>,
    /// How long to measure, the making of requests included.
    pub(crate) duration: Duration,
}
