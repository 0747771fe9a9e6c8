//! Where in the table a digest lies, under a secret drawn for each table.
//!
//! Whoever presents keys can choose them, and by trying many can choose bits of their digests. Were those bits the
//! place in the table, keys could be made to pile up in one place. So the place is a strongly universal hash of the
//! whole digest (Dietzfelbinger's multiply-shift for vectors): with the 128-bit secrets `a0..a3`, `b` it is the upper
//! half of `a0*x0 + a1*x1 + a2*x2 + a3*x3 + b` modulo 2^128. For any two digests, however they were chosen, any `n`
//! bits of it agree with probability 2^-n exactly.
//! It decides only where to look. What is found there is compared over the whole digest.

use crate::digest::Digest;
use std::hash::{BuildHasher, RandomState};

/// The secret of one table.
#[derive(Clone)]
pub(crate) struct PlacementKey {
    multipliers: [u128; 4],
    addend: u128,
}

impl PlacementKey {
    /// A fresh secret: SipHash under a key that the standard library takes from the operating system.
    pub(crate) fn random() -> Self {
        let source = RandomState::new();
        let half = |n: u8| u128::from(source.hash_one(n));
        let word = |n: u8| (half(2 * n) << 64) | half(2 * n + 1);
        Self { multipliers: [word(0), word(1), word(2), word(3)], addend: word(4) }
    }

    #[inline]
    pub(crate) fn place(&self, digest: &Digest) -> Place {
        let lanes = digest.lanes();
        let terms = self.multipliers.iter().zip(lanes);
        let sum =
            terms.fold(self.addend, |sum, (multiplier, lane)| sum.wrapping_add(multiplier.wrapping_mul(lane.into())));
        Place((sum >> 64) as u64)
    }
}

/// A place in the table, for any number of shards and slots: its upper bits name the shard, the next ones the slot.
#[derive(Clone, Copy)]
pub(crate) struct Place(u64);

impl Place {
    /// `shards` is a power of two.
    #[inline]
    pub(crate) fn shard(self, shards: usize) -> usize {
        scaled(self.0, shards)
    }

    /// The slot where the search begins, of `slots` in a shard.
    #[inline]
    pub(crate) fn home(self, slots: usize) -> usize {
        // The bits that named the shard are the same for all in it: they are above these.
        scaled(self.0 << SHARD_BITS, slots)
    }
}

/// Enough for the most shards there can be.
const SHARD_BITS: u32 = crate::limits::SHARDS_MAX.trailing_zeros();

/// Maps the whole range of `hash` evenly to `0..count`.
#[inline]
fn scaled(hash: u64, count: usize) -> usize {
    ((u128::from(hash) * count as u128) >> 64) as usize
}
