//! Checks that a sum must pass before it decides anything. They compute with fiat-crypto, on the numbers that the sum
//! really used.

use crate::curve::{Curve, VerifiedCoordinate, VerifiedScalar};
use crate::limbs::{self, Limbs};
use crate::point::{AffinePoint, Point};
use crate::residue::{Modulus, Residue};
use crate::sum::Term;
use crate::verdict::Undecided;
use crate::verify::Numbers;

/// Checks that the digits are those of `u1` and `u2` with `s u1 = z` and `s u2 = r` modulo the order.
pub(crate) fn scalars<C: Curve<N>, const N: usize>(
    terms: &[Term<'_, C, N>; 2],
    numbers: &Numbers<N>,
) -> Result<(), Undecided> {
    let order = &C::VerifiedOrder::MODULUS;
    let s = VerifiedScalar::<C, N>::new(&numbers.s);
    let z = limbs::reduce_once(&numbers.z, false, order);
    let times_s_is = |term: &Term<'_, C, N>, product| {
        let scalar = term.digits.recompose();
        scalar.is_some_and(|scalar| limbs::is_less(&scalar, order) && s.times_integer(&scalar) == product)
    };
    let [u1, u2] = terms;
    if times_s_is(u1, z) && times_s_is(u2, numbers.r) { Ok(()) } else { Err(Undecided::Scalars) }
}

/// Checks that the point is on the curve and not at infinity.
///
/// `ZZ` stays zero after an addition of equal or opposite points ([`Point::add`]).
pub(crate) fn point<C: Curve<N>, const N: usize>(point: &Point<C::Prime, N>) -> Result<CheckedSum<C, N>, Undecided> {
    let [x, y, zz, zzz] = [point.x, point.y, point.zz, point.zzz].map(Residue::with::<C::VerifiedPrime>);
    if zz.is_zero() {
        return Err(Undecided::Infinity);
    }
    // y^2 = x^3 - 3 x + b, times ZZ^3.
    let zz_square = zz.square();
    let zz_cube = zz_square * zz;
    let right = x * (x.square() - zz_square.double() - zz_square) + C::VERIFIED_B * zz_cube;
    if zz_cube == zzz.square() && y.square() == right { Ok(CheckedSum { x, zz }) } else { Err(Undecided::Curve) }
}

/// Whether `y^2 = x^3 - 3 x + b`.
pub(crate) fn is_on_curve<C: Curve<N>, const N: usize>(point: &AffinePoint<C::VerifiedPrime, N>) -> bool {
    point.y.square() == point.x * (point.x.square() - VerifiedCoordinate::<C, N>::THREE) + C::VERIFIED_B
}

/// A sum that has passed all checks. Only its first coordinate is needed.
pub(crate) struct CheckedSum<C: Curve<N>, const N: usize> {
    x: VerifiedCoordinate<C, N>,
    zz: VerifiedCoordinate<C, N>,
}

impl<C: Curve<N>, const N: usize> CheckedSum<C, N> {
    /// Whether the first coordinate, modulo the order, is `r`. The coordinate is below the prime, so it is `r` or `r +
    /// n`.
    pub(crate) fn has_x_congruent_to(&self, r: &Limbs<N>) -> bool {
        let (r_and_order, carry) = limbs::add(r, &C::VerifiedOrder::MODULUS);
        let below_prime = !carry && limbs::is_less(&r_and_order, &C::VerifiedPrime::MODULUS);
        self.has_x(r) || below_prime && self.has_x(&r_and_order)
    }

    fn has_x(&self, x: &Limbs<N>) -> bool {
        VerifiedCoordinate::<C, N>::new(x) * self.zz == self.x
    }
}
