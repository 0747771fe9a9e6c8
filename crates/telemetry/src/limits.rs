//! Every limit of this crate, with the origin of its value.

/// Issuers that have a label of their own; all further ones share [`OTHER`](crate::names::OTHER). An engine may have thousands, and each
/// label is a time series for every kind and code; Prometheus advises against labels of more than some tens of values.
pub const MAX_ISSUERS: usize = 64;

/// Rejection codes that are counted apart for one thread: more than there are, so that validators can have codes of their own.
/// All further ones share [`OTHER`](crate::names::OTHER).
pub const MAX_REJECTIONS: usize = 4_096;
