//! Points of a curve `y^2 = x^3 - 3 x + b`, generic over the arithmetic.

use crate::residue::{Modulus, Residue};

/// A point in affine coordinates, which cannot represent the point at infinity.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(C)]
pub(crate) struct AffinePoint<M, const N: usize> {
    pub(crate) y: Residue<M, N>,
    pub(crate) x: Residue<M, N>,
}

impl<M: Modulus<N>, const N: usize> AffinePoint<M, N> {
    /// Not on the curve, because `b` is not zero.
    pub(crate) const ZERO: Self = AffinePoint { y: Residue::ZERO, x: Residue::ZERO };

    /// The sum of two points, given the slope of the line through them.
    pub(crate) fn add(&self, other: &Self, slope: Residue<M, N>) -> Self {
        let x = slope.square() - self.x - other.x;
        AffinePoint { y: slope * (self.x - x) - self.y, x }
    }

    /// The rise of the line through two points; its slope is the rise divided by the run. For equal points it is the
    /// tangent's.
    pub(crate) fn rise_to(&self, other: &Self) -> Residue<M, N> {
        if self == other {
            let square = self.x.square() - Residue::ONE;
            square.double() + square
        } else {
            self.y - other.y
        }
    }

    /// The run of the line through two points. Zero if the points are opposite.
    pub(crate) fn run_to(&self, other: &Self) -> Residue<M, N> {
        if self == other { self.y.double() } else { self.x - other.x }
    }

    #[inline(always)]
    pub(crate) fn negate_if(&self, negative: bool) -> Self {
        AffinePoint { y: self.y.negate_if(negative), x: self.x }
    }

    /// The same point, with another arithmetic for the same field.
    pub(crate) fn with<Other: Modulus<N>>(&self) -> AffinePoint<Other, N> {
        AffinePoint { y: self.y.with(), x: self.x.with() }
    }
}

/// A point in XYZZ coordinates: `x = X / ZZ` and `y = Y / ZZZ`, with `ZZ^3 = ZZZ^2`. At infinity `ZZ` is zero.
///
/// The formulas come from the [Explicit-Formulas Database](https://hyperelliptic.org/EFD/g1p/auto-shortw-xyzz-3.html).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Point<M, const N: usize> {
    pub(crate) x: Residue<M, N>,
    pub(crate) y: Residue<M, N>,
    pub(crate) zz: Residue<M, N>,
    pub(crate) zzz: Residue<M, N>,
}

impl<M: Modulus<N>, const N: usize> Point<M, N> {
    /// Adds a point that is neither this one nor its negative ("madd-2008-s").
    ///
    /// Adding one of those makes `ZZ` zero, and later additions keep it zero.
    #[inline(always)]
    pub(crate) fn add(&mut self, other: &AffinePoint<M, N>) {
        let p = other.x * self.zz - self.x;
        let r = other.y * self.zzz - self.y;
        let pp = p.square();
        let ppp = p * pp;
        let q = self.x * pp;
        self.x = r.square() - ppp - q.double();
        self.y = r.multiply_sub(q - self.x, self.y, ppp);
        self.zz = self.zz * pp;
        self.zzz = self.zzz * ppp;
    }

    /// Doubles the point ("dbl-2008-s-1").
    pub(crate) fn double(&self) -> Self {
        let u = self.y.double();
        let v = u.square();
        let w = u * v;
        let s = self.x * v;
        let m = (self.x - self.zz) * (self.x + self.zz);
        let m = m.double() + m;
        let x = m.square() - s.double();
        Point { x, y: m.multiply_sub(s - x, w, self.y), zz: v * self.zz, zzz: w * self.zzz }
    }

    /// Converts the point, given the inverse of its `ZZZ`.
    pub(crate) fn to_affine(self, inverse_of_zzz: Residue<M, N>) -> AffinePoint<M, N> {
        let inverse_of_z = self.zz * inverse_of_zzz;
        AffinePoint { y: self.y * inverse_of_zzz, x: self.x * inverse_of_z.square() }
    }
}

impl<M: Modulus<N>, const N: usize> From<AffinePoint<M, N>> for Point<M, N> {
    fn from(AffinePoint { y, x }: AffinePoint<M, N>) -> Self {
        Point { x, y, zz: Residue::ONE, zzz: Residue::ONE }
    }
}
