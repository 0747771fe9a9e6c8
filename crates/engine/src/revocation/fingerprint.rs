use std::hash::BuildHasher;

use super::target::Kind;
use crate::sync::RandomState;

/// 128 bits that stand for a revoked name: two of the standard library's keyed hashes (SipHash) under independent
/// secrets.
///
/// Two names collide with a probability of 2^-128, which nobody can raise without the secrets. A collision rejects a
/// valid token, and never accepts a revoked one.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Fingerprint {
    high: High,
    low: u64,
}

/// The half of a [`Fingerprint`] that fingerprints are ordered by. Most unrevoked names differ from every revoked one
/// in this half, so their other half is not computed.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct High(u64);

impl High {
    /// The topmost `bits` bits, as a shard's number.
    pub(super) fn prefix(self, bits: u32) -> usize {
        (self.0 >> (u64::BITS - bits)) as usize
    }
}

impl Fingerprint {
    pub(super) fn high(self) -> High {
        self.high
    }
}

/// The secrets of a table's fingerprints, chosen at random.
#[derive(Default)]
pub(super) struct Secret {
    high: RandomState,
    low: RandomState,
}

impl Secret {
    pub(super) fn fingerprint(&self, kind: Kind, issuer: &str, name: &str) -> Fingerprint {
        self.complete(self.high(kind, issuer, name), kind, issuer, name)
    }

    pub(super) fn high(&self, kind: Kind, issuer: &str, name: &str) -> High {
        // A string's hash ends in a byte that no string has, so no two triples are hashed from the same bytes.
        High(self.high.hash_one((kind, issuer, name)))
    }

    /// The fingerprint whose first half is known.
    pub(super) fn complete(&self, high: High, kind: Kind, issuer: &str, name: &str) -> Fingerprint {
        Fingerprint { high, low: self.low.hash_one((kind, issuer, name)) }
    }
}
