//! The sum of points from tables.

use crate::curve::Curve;
use crate::fault;
use crate::limbs::Limbs;
use crate::point::{AffinePoint, Point};
use crate::recode::Digits;
use crate::residue::Modulus;
use crate::table::Table;

/// A point times a scalar: the point's table and the scalar's digits.
pub(crate) struct Term<'t, C: Curve<N>, const N: usize> {
    pub(crate) table: &'t Table<C, N>,
    pub(crate) digits: Digits,
}

impl<'t, C: Curve<N>, const N: usize> Term<'t, C, N> {
    pub(crate) fn new(table: &'t Table<C, N>, scalar: &Limbs<N>) -> Self {
        Term { table, digits: Digits::new(scalar, table.windows()) }
    }

    /// The points whose sum is the product: in each window, the multiple that the digit selects.
    #[inline(always)]
    fn addends(&self) -> impl Iterator<Item = AffinePoint<C::Prime, N>> {
        // An invalid digit may select no point. The check of the scalars detects it.
        self.digits.as_slice().iter().enumerate().filter_map(|(window, &digit)| {
            let multiple = self.table.multiple(window, usize::from(digit.unsigned_abs()))?;
            Some(multiple.negate_if(digit < 0))
        })
    }
}

/// The number of points and a checksum of their coordinates, which do not depend on the order.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Tally {
    points: u32,
    checksum: u64,
}

impl Tally {
    /// The tally of the points that `terms` select.
    pub(crate) fn of<C: Curve<N>, const N: usize>(terms: &[Term<'_, C, N>; 2]) -> Self {
        let mut tally = Tally::default();
        for term in terms {
            term.addends().for_each(|point| tally.count(&point));
        }
        tally
    }

    /// Adds a limb of `y`, which depends on the sign, and a limb of `x` to the checksum. These are the first and the
    /// last limb of the point in memory, so a point in two cache lines is read from both.
    #[inline(always)]
    fn count<M: Modulus<N>, const N: usize>(&mut self, point: &AffinePoint<M, N>) {
        self.points += 1;
        self.checksum = self.checksum.wrapping_add(point.y.lowest_limb()).wrapping_add(point.x.highest_limb());
    }
}

/// A sum, and the tally of its points.
pub(crate) struct Sum<M, const N: usize> {
    pub(crate) point: Point<M, N>,
    pub(crate) tally: Tally,
}

impl<M: Modulus<N>, const N: usize> Sum<M, N> {
    /// Computes the sum. None if all digits are zero.
    #[inline(never)]
    pub(crate) fn of<C: Curve<N, Prime = M>>(terms: &[Term<'_, C, N>; 2]) -> Option<Self> {
        let mut sum: Option<Self> = None;
        for term in terms {
            for addend in fault::in_addends(term.addends()) {
                match &mut sum {
                    Some(sum) => sum.add(&addend),
                    None => sum = Some(Sum::from(&addend)),
                }
            }
        }
        sum
    }

    #[inline(always)]
    fn from(point: &AffinePoint<M, N>) -> Self {
        let mut tally = Tally::default();
        tally.count(point);
        Sum { point: Point::from(*point), tally }
    }

    #[inline(always)]
    fn add(&mut self, point: &AffinePoint<M, N>) {
        self.point.add(point);
        self.tally.count(point);
    }
}
