use std::hash::BuildHasher;

use super::target::Kind;
use crate::sync::RandomState;

/// 128 bits that stand for a revoked name: two of the standard library's keyed hashes (SipHash) under independent secrets.
///
/// Two names collide with a probability of 2^-128, which nobody can raise without the secrets; and then a good token is
/// rejected, never a revoked one accepted.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Fingerprint {
    high: High,
    low: u64,
}

/// The half of a [`Fingerprint`] by which fingerprints are ordered. Most names that are not revoked differ from every revoked
/// one in it, so that for them the other half is not computed.
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

/// What fingerprints are made under, chosen at random for each table.
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
        // A string's hash ends in a byte that no string holds, so that no two triples read alike.
        High(self.high.hash_one((kind, issuer, name)))
    }

    /// The fingerprint of which the half is known.
    pub(super) fn complete(&self, high: High, kind: Kind, issuer: &str, name: &str) -> Fingerprint {
        Fingerprint { high, low: self.low.hash_one((kind, issuer, name)) }
    }
}
