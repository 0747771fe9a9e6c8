/// The outcome of [`PreparedKey::verify`](crate::PreparedKey::verify).
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[must_use]
pub enum Verdict {
    /// The signature is valid for the digest and the key.
    Valid,
    /// The signature is not valid for the digest and the key, or is malformed.
    Invalid,
    /// Another implementation must decide. The caller should count these verdicts.
    Undecided(Undecided),
}

/// Why a verification has no verdict.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Undecided {
    /// The inversion of `s` failed.
    Inverse,
    /// The digits in use are not those of `u1` with `s u1 = z` and `u2` with `s u2 = r`.
    Scalars,
    /// The added points are not those that the digits select.
    Addends,
    /// Two equal or opposite points would have to be added, or the sum is the point at infinity.
    Infinity,
    /// The sum is not a point of the curve.
    Curve,
}
