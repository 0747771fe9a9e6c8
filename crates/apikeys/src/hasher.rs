//! Where in the table a digest lies, under a secret drawn for each table.
//!
//! Whoever presents keys can choose them, and by trying many can choose bits of their digests. Were those bits the
//! place in the table, keys could be made to pile up in one place. So the place is a strongly universal hash of the
//! whole digest (Dietzfelbinger's multiply-shift for vectors): with the 128-bit secrets `a0..a3`, `b` it is the upper
//! half of `a0*x0 + a1*x1 + a2*x2 + a3*x3 + b` modulo 2^128. For any two digests, however they were chosen, any `n`
//! bits of it agree with probability 2^-n exactly.
//! It decides only where to look. What is found there is compared over the whole digest.

use crate::digest::Digest;
use crate::limits::SHARDS_MAX;
use std::hash::{BuildHasher, Hasher, RandomState};

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
        let word = |n: u8| u128::from(source.hash_one((n, 0))) << 64 | u128::from(source.hash_one((n, 1)));
        Self { multipliers: [word(0), word(1), word(2), word(3)], addend: word(4) }
    }

    /// Of a digest's four numbers.
    #[inline]
    pub(crate) fn place(&self, lanes: &[u64; 4]) -> Place {
        let term = |n: usize| self.multipliers[n].wrapping_mul(lanes[n].into());
        let sum = self.addend.wrapping_add(term(0)).wrapping_add(term(1)).wrapping_add(term(2)).wrapping_add(term(3));
        Place((sum >> 64) as u64)
    }
}

/// A place in a table of any size: the upper bits name the shard, the next ones the slot.
#[derive(Clone, Copy, PartialEq)]
pub(crate) struct Place(u64);

impl Place {
    /// Of `shards`, a power of two.
    #[inline]
    pub(crate) fn shard(self, shards: usize) -> usize {
        scaled(self.0, shards)
    }

    /// The slot where the search begins, of as many in the shard. Of two places in a shard the greater has no lesser home.
    #[inline]
    pub(crate) fn home(self, slots: usize) -> usize {
        scaled(self.in_shard(), slots)
    }

    /// The upper bits are the same for all in a shard.
    #[inline]
    fn in_shard(self) -> u64 {
        self.0 << SHARDS_MAX.trailing_zeros()
    }
}

/// Within one shard.
impl PartialOrd for Place {
    #[inline]
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        self.in_shard().partial_cmp(&other.in_shard())
    }
}

/// Maps the whole range of `hash` evenly to `0..count`.
#[inline]
fn scaled(hash: u64, count: usize) -> usize {
    ((u128::from(hash) * count as u128) >> 64) as usize
}

/// For `DashMap`.
impl BuildHasher for PlacementKey {
    type Hasher = PlacementHasher;

    fn build_hasher(&self) -> PlacementHasher {
        PlacementHasher { key: self.clone(), place: 0 }
    }
}

pub(crate) struct PlacementHasher {
    key: PlacementKey,
    place: u64,
}

impl Hasher for PlacementHasher {
    /// Only a [`Digest`] is ever hashed, in one piece.
    fn write(&mut self, bytes: &[u8]) {
        debug_assert_eq!(bytes.len(), 32, "only digests are hashed");
        if let Ok(bytes) = bytes.try_into() {
            self.place = self.key.place(&Digest::from_bytes(bytes).lanes()).0;
        }
    }

    fn finish(&self) -> u64 {
        self.place
    }
}
