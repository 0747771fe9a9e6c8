//! The arithmetic, on integers of `N` limbs of 64 bits, the lowest first.

use crate::curve::{self, P256, P384};
use crate::limbs::Limbs;
use crate::recode::{Digits, Windows};
use crate::residue::Modulus;

/// A modulus with this crate's arithmetic and with fiat-crypto's.
#[derive(Clone, Copy, Debug)]
pub struct Arithmetic<const N: usize> {
    /// The modulus.
    pub modulus: [u64; N],
    /// This crate's arithmetic.
    pub ours: Operations<N>,
    /// fiat-crypto's arithmetic.
    pub fiat: Operations<N>,
    /// `1 / a`, if it exists.
    pub inverse: fn(&[u64; N]) -> Option<[u64; N]>,
}

/// Operations on stored numbers, which are below the modulus: `multiply` is `a b / 2^(64 N)`.
#[derive(Clone, Copy, Debug)]
pub struct Operations<const N: usize> {
    /// `a b / 2^(64 N)`
    pub multiply: fn(&[u64; N], &[u64; N]) -> [u64; N],
    /// `(a b - c d) / 2^(64 N)`
    #[expect(clippy::type_complexity, reason = "one function of four numbers")]
    pub multiply_sub: fn(&[u64; N], &[u64; N], &[u64; N], &[u64; N]) -> [u64; N],
    /// `a + b`
    pub add: fn(&[u64; N], &[u64; N]) -> [u64; N],
    /// `a - b`
    pub sub: fn(&[u64; N], &[u64; N]) -> [u64; N],
}

/// The prime of P-256.
pub const P256_PRIME: Arithmetic<4> =
    of::<<P256 as curve::Curve<4>>::Prime, <P256 as curve::Curve<4>>::VerifiedPrime, 4>();
/// The order of P-256.
pub const P256_ORDER: Arithmetic<4> =
    of::<<P256 as curve::Curve<4>>::Order, <P256 as curve::Curve<4>>::VerifiedOrder, 4>();
/// The prime of P-384.
pub const P384_PRIME: Arithmetic<6> =
    of::<<P384 as curve::Curve<6>>::Prime, <P384 as curve::Curve<6>>::VerifiedPrime, 6>();
/// The order of P-384.
pub const P384_ORDER: Arithmetic<6> =
    of::<<P384 as curve::Curve<6>>::Order, <P384 as curve::Curve<6>>::VerifiedOrder, 6>();

const fn of<Ours: Modulus<N>, Fiat: Modulus<N>, const N: usize>() -> Arithmetic<N> {
    Arithmetic {
        modulus: Ours::MODULUS,
        ours: operations::<Ours, N>(),
        fiat: operations::<Fiat, N>(),
        inverse: |a| crate::inverse::inverse(a, &Ours::MODULUS),
    }
}

const fn operations<M: Modulus<N>, const N: usize>() -> Operations<N> {
    Operations { multiply: M::multiply, multiply_sub: M::multiply_sub, add: M::add, sub: M::sub }
}

/// The digits of a scalar in windows of `window_bits` bits, the lowest first, and the scalar recomposed from them.
#[must_use]
pub fn digits<const N: usize>(scalar: &Limbs<N>, window_bits: u32) -> (Vec<i16>, Option<Limbs<N>>) {
    let digits = Digits::new(scalar, Windows { scalar_bits: 64 * N, window_bits });
    (digits.as_slice().to_vec(), digits.recompose())
}
