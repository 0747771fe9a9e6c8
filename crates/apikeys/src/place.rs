//! Where in a table a key lies, under a secret drawn for each table.
//!
//! A strongly universal hash (Dietzfelbinger's multiply-shift for vectors): with the 128-bit secrets `a0..a3`, `b` it is
//! the upper half of `a0*x0 + a1*x1 + a2*x2 + a3*x3 + b` modulo 2^128. For any two inputs, however they were chosen, any
//! `n` bits of it agree with probability 2^-n exactly.
//!
//! - Of a foreign key the input is the whole digest: keys chosen to lie in one place would need equal digests.
//! - Of a native key it is the checksum, which a presented key carries in clear: so the memory can be asked for before the
//!   key is checked and digested, and is there when it is needed. Keys of one checksum lie in one place. Nobody chooses the
//!   checksum of a key that this library draws; whoever may have keys made gets two of one checksum after some 2^16, a third
//!   after 2^32 / 3 more keys for each pair.
//!
//! It decides only where to look. What is found there is compared over the whole digest.

use crate::digest::Digest;
use crate::entry::KeyDigest;
use crate::sync::RandomState;
use std::hash::BuildHasher;

/// The secret of one table.
#[derive(Clone)]
pub(crate) struct Placement {
    multipliers: [u128; 4],
    addend: u128,
}

impl Placement {
    /// A fresh secret: SipHash under a key that the standard library takes from the operating system.
    pub(crate) fn random() -> Self {
        let source = RandomState::default();
        let word = |n: u8| u128::from(source.hash_one((n, 0))) << 64 | u128::from(source.hash_one((n, 1)));
        Self { multipliers: [word(0), word(1), word(2), word(3)], addend: word(4) }
    }

    #[inline]
    pub(crate) fn of(&self, key: &KeyDigest) -> Place {
        match key {
            KeyDigest::Native(digest) => self.of_native(digest.checksum()),
            KeyDigest::Foreign(digest) => self.of_foreign(digest),
        }
    }

    /// Of the native keys with this checksum.
    #[inline]
    pub(crate) fn of_native(&self, checksum: u32) -> Place {
        Place { hash: self.hash([checksum.into(), 0, 0, 0]), origin: NATIVE }
    }

    pub(crate) fn of_foreign(&self, digest: &Digest) -> Place {
        Place { hash: self.hash(digest.lanes()), origin: FOREIGN }
    }

    #[inline]
    fn hash(&self, lanes: [u64; 4]) -> u64 {
        let term = |n: usize| self.multipliers[n].wrapping_mul(lanes[n].into());
        let sum = self.addend.wrapping_add(term(0)).wrapping_add(term(1)).wrapping_add(term(2)).wrapping_add(term(3));
        (sum >> 64) as u64
    }
}

/// A place in a table of any size: the upper bits of the hash name the shard, all of them the bucket in it.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    hash: u64,
    origin: u32,
}

/// Of a tag: set for every key.
const LIVE: u32 = 1 << 31;
/// Of a tag: which of the two kinds the key is, so that neither is found in the other's place.
const NATIVE: u32 = LIVE;
const FOREIGN: u32 = LIVE | 1 << 30;

impl Place {
    /// Of `shards`, a power of two.
    #[inline]
    pub(crate) fn shard(self, shards: usize) -> usize {
        scaled(self.hash, shards)
    }

    /// The bucket where the search begins, of as many in each of `shards`.
    #[inline]
    pub(crate) fn bucket(self, shards: usize, buckets: usize) -> usize {
        scaled(self.hash << shards.trailing_zeros(), buckets)
    }

    /// Thirty of the hash's bits and the kind. Neither of the values that a slot without a key has.
    #[inline]
    pub(crate) fn tag(self) -> u32 {
        self.origin | self.hash as u32 >> 2
    }
}

/// Whether a key with that tag is a foreign one.
pub(crate) fn is_foreign(tag: u32) -> bool {
    tag & FOREIGN == FOREIGN
}

/// Maps the whole range of `hash` evenly to `0..count`.
#[inline]
fn scaled(hash: u64, count: usize) -> usize {
    ((u128::from(hash) * count as u128) >> 64) as usize
}
