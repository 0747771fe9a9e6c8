//! Every limit of this crate, with the origin of its value.

/// Issuers with their own label; all others share [`OTHER`](crate::names::OTHER). An engine may have thousands, and each
/// label is a time series for every kind and code; Prometheus advises against labels with more than some tens of values.
pub const MAX_ISSUERS: usize = 64;

/// Rejection codes that are counted separately by one thread: more than exist, so that validators can have their own codes.
/// All others share [`OTHER`](crate::names::OTHER).
pub const MAX_REJECTIONS: usize = 4_096;

/// The bounds of the histogram of verifies, in seconds, for a recorder with buckets. A cache hit takes about 0.1 µs, one
/// signature check 15 to 400 µs. The wait of a verify for a fetch is not included.
pub const VERIFICATION_BUCKETS: [f64; 14] =
    [1e-7, 2.5e-7, 5e-7, 1e-6, 2.5e-6, 5e-6, 1e-5, 2.5e-5, 5e-5, 1e-4, 2.5e-4, 5e-4, 1e-3, 1e-2];
