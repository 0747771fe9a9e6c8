//! Every limit of this crate, with the origin of its value.

/// Issuers that have a label of their own; all further ones share [`OTHER`](crate::names::OTHER). An engine may have thousands, and each
/// label is a time series for every kind and code; Prometheus advises against labels of more than some tens of values.
pub const MAX_ISSUERS: usize = 64;

/// Rejection codes that are counted apart for one thread: more than there are, so that validators can have codes of their own.
/// All further ones share [`OTHER`](crate::names::OTHER).
pub const MAX_REJECTIONS: usize = 4_096;

/// The bounds of the histogram of verifies, in seconds: those to give to a recorder that has buckets. A cache hit takes about 0.1 µs, one signature check 15 to
/// 400 µs, a fetch that a verify waits for is not in it.
pub const VERIFICATION_BUCKETS: [f64; 14] =
    [1e-7, 2.5e-7, 5e-7, 1e-6, 2.5e-6, 5e-6, 1e-5, 2.5e-5, 5e-5, 1e-4, 2.5e-4, 5e-4, 1e-3, 1e-2];
