//! Where in the table a digest lies, under a secret drawn for each table.
//!
//! Whoever presents keys can choose them, and by trying many can choose bits of their digests. Were those bits the
//! place in the table, keys could be made to pile up in one place. So the place is a strongly universal hash of the
//! whole digest (Dietzfelbinger's multiply-shift for vectors): with the 128-bit secrets `a0..a3`, `b` it is the upper
//! half of `a0*x0 + a1*x1 + a2*x2 + a3*x3 + b` modulo 2^128. For any two digests, however they were chosen, any `n`
//! bits of it agree with probability 2^-n exactly.
//! It decides only where to look. What is found there is compared over the whole digest.

use crate::digest::Digest;
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
}

impl BuildHasher for PlacementKey {
    type Hasher = PlacementHasher;

    #[inline]
    fn build_hasher(&self) -> PlacementHasher {
        PlacementHasher { sum: self.addend, multipliers: self.multipliers }
    }
}

pub(crate) struct PlacementHasher {
    sum: u128,
    multipliers: [u128; 4],
}

impl Hasher for PlacementHasher {
    /// Only a [`Digest`] is ever hashed, in one piece.
    #[inline]
    fn write(&mut self, bytes: &[u8]) {
        debug_assert_eq!(bytes.len(), 32, "only digests are hashed");
        if let Ok(bytes) = bytes.try_into() {
            for (multiplier, lane) in self.multipliers.iter().zip(Digest::lanes(bytes)) {
                self.sum = self.sum.wrapping_add(multiplier.wrapping_mul(lane.into()));
            }
        }
    }

    #[inline]
    fn finish(&self) -> u64 {
        (self.sum >> 64) as u64
    }
}
