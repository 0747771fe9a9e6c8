/// The outcome of [`PreparedKey::verify`](crate::PreparedKey::verify).
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[must_use]
pub enum Verdict {
    /// The signature is one of the digest under the key.
    Valid,
    /// The signature is not one of the digest under the key, or is no signature at all.
    Invalid,
    /// Another implementation has to decide. The caller should count these.
    Undecided(Undecided),
}

/// Why a verification was not brought to an end.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Undecided {
    /// The inversion of `s` failed.
    Inverse,
    /// The digits that were used are not those of `u1` with `s u1 = z` and `u2` with `s u2 = r`.
    Scalars,
    /// The points that were added are not those that the digits name.
    Addends,
    /// Two equal or opposite points were to be added, or the sum is the point at infinity.
    Infinity,
    /// The sum is no point of the curve.
    Curve,
}
