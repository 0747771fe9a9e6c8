use std::hash::BuildHasher;

use super::target::Kind;
use crate::sync::RandomState;

/// 128 bits that stand for a revoked name: two of the standard library's keyed hashes (SipHash) under independent secrets.
///
/// Two names collide with a probability of 2^-128, which nobody can raise without the secrets; and then a good token is
/// rejected, never a revoked one accepted.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Fingerprint {
    high: u64,
    low: u64,
}

impl Fingerprint {
    /// The topmost `bits` bits, as a shard's number.
    pub(super) fn prefix(self, bits: u32) -> usize {
        (self.high >> (u64::BITS - bits)) as usize
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
        // A string's hash ends in a byte that no string holds, so that no two triples read alike.
        let half = |state: &RandomState| state.hash_one((kind, issuer, name));
        Fingerprint { high: half(&self.high), low: half(&self.low) }
    }
}
