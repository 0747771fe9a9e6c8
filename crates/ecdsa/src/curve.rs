//! The parameters of each curve. All other code is shared.

use std::fmt::Debug;

use crate::limbs::Limbs;
use crate::residue::{Modulus, Residue};
use crate::table::Table;

mod p256;
mod p384;

pub(crate) use p256::P256;
pub(crate) use p384::P384;

/// A curve `y^2 = x^3 - 3 x + b` over a prime field, whose points form a group of prime order. Both primes have `N`
/// limbs.
pub(crate) trait Curve<const N: usize>: Copy + Debug + Eq + 'static {
    /// The field's prime.
    type Prime: Modulus<N>;
    /// The group's order.
    type Order: Modulus<N>;
    /// The field's prime, with the arithmetic of the checks.
    type VerifiedPrime: Modulus<N>;
    /// The group's order, with the arithmetic of the checks.
    type VerifiedOrder: Modulus<N>;

    const B: Limbs<N>;
    const VERIFIED_B: VerifiedCoordinate<Self, N> = Residue::constant(&Self::B);
    /// The coordinates of the generator.
    const GENERATOR: [Limbs<N>; 2];

    /// The generator's table, computed at the first call. None if its proof failed.
    fn generator() -> Option<&'static Table<Self, N>>;
}

pub(crate) type Coordinate<C, const N: usize> = Residue<<C as Curve<N>>::Prime, N>;
pub(crate) type VerifiedCoordinate<C, const N: usize> = Residue<<C as Curve<N>>::VerifiedPrime, N>;
pub(crate) type VerifiedScalar<C, const N: usize> = Residue<<C as Curve<N>>::VerifiedOrder, N>;
