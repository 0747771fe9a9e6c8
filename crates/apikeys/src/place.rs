//! A key's position in a table, computed with a secret drawn for each table.
//!
//! The hash is strongly universal (Dietzfelbinger's multiply-shift for vectors): with the 128-bit secrets `a0..a3`, `b`
//! it is the upper half of `a0*x0 + a1*x1 + a2*x2 + a3*x3 + b` modulo 2^128. For any two inputs, however they were
//! chosen, any `n` bits of it agree with probability 2^-n exactly.
//!
//! - A foreign key's input is the whole digest: keys chosen to share a position would need equal digests.
//! - A native key's input is its checksum. A presented key carries the checksum in clear text, so the slots can be
//!   loaded from memory while the key is still checked and hashed. Keys with one checksum share a position. Nobody
//!   chooses the checksum of a key that this library draws. A client who can have keys issued gets two with one
//!   checksum after about 2^16 keys; with `p` such pairs, a third key with the checksum of one of them takes about 2^32
//!   / `p` more keys.
//!
//! The hash decides only where to look. The entry found there is compared over the whole digest.

use crate::digest::Digest;
use crate::entry::KeyDigest;
use crate::sync::RandomState;
use std::hash::BuildHasher;

/// The secret hash function of one table.
#[derive(Clone)]
pub(crate) struct Placement {
    multipliers: [u128; 4],
    addend: u128,
}

impl Placement {
    /// Draws a secret: SipHash under a key that the standard library takes from the operating system.
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

    /// The position of the native keys with this checksum.
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

/// A position in a table of any size: the hash's upper bits select the shard, all bits select the bucket in the shard.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    hash: u64,
    origin: u32,
}

/// The tag bit that is set for every key.
pub(crate) const LIVE: u32 = 1 << 31;
/// The tag bit for the kind, so that a lookup never finds a key of the other kind.
const NATIVE: u32 = LIVE;
const FOREIGN: u32 = LIVE | 1 << 30;

impl Place {
    /// The index among `shards` shards, a power of two.
    #[inline]
    pub(crate) fn shard(self, shards: usize) -> usize {
        scaled(self.hash, shards)
    }

    /// The bucket where the search begins, among `buckets` in each of `shards` shards.
    #[inline]
    pub(crate) fn bucket(self, shards: usize, buckets: usize) -> usize {
        scaled(self.hash << shards.trailing_zeros(), buckets)
    }

    /// 30 bits of the hash and the key's kind. Never equal to the tag of a vacant or removed slot.
    #[inline]
    pub(crate) fn tag(self) -> u32 {
        self.origin | self.hash as u32 >> 2
    }
}

/// Whether a tag is that of a foreign key.
pub(crate) fn is_foreign(tag: u32) -> bool {
    tag & FOREIGN == FOREIGN
}

/// Maps the whole range of `hash` evenly to `0..count`.
#[inline]
fn scaled(hash: u64, count: usize) -> usize {
    ((u128::from(hash) * count as u128) >> 64) as usize
}
