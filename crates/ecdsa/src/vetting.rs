//! The proof of a table, computed with fiat-crypto on the finished table.

use crate::curve::{Coordinate, Curve};
use crate::point::AffinePoint;
use crate::residue::{Modulus, Residue};
use crate::table::Table;

/// Whether the table belongs to `point`, which is on the curve. Then all points of the table are on the curve too.
///
/// By induction: the first point is `point`; the first of a later window is twice the last of the window before; every
/// other one is the sum of two earlier ones in its window. `slopes` has the slope of the line through these two, which
/// is not trusted.
pub(crate) fn is_table_of<C: Curve<N>, const N: usize>(
    table: &Table<C, N>,
    slopes: &[Coordinate<C, N>],
    point: &AffinePoint<C::VerifiedPrime, N>,
) -> bool {
    let mut slopes = slopes.iter().map(|slope| slope.with());
    let mut last_before = None;
    for window in 0..table.windows().count() {
        let multiples: Vec<_> = table.window(window).map(AffinePoint::with).collect();
        for ((i, multiple), slope) in multiples.iter().enumerate().zip(&mut slopes) {
            let is_right = match (i, &last_before) {
                (0, None) => multiple == point,
                (0, Some(last)) => is_sum(multiple, last, last, slope),
                _ => {
                    // The multiplier is `i + 1`: a power of two plus a remainder.
                    let power_of_two = 1 << i.ilog2();
                    is_sum(multiple, &multiples[power_of_two - 1], &multiples[i - power_of_two], slope)
                }
            };
            if !is_right {
                return false;
            }
        }
        last_before = multiples.last().copied();
    }
    slopes.next().is_none()
}

/// Whether `sum` is the sum of `a` and `b`, given the slope of the line through them.
fn is_sum<M: Modulus<N>, const N: usize>(
    sum: &AffinePoint<M, N>,
    a: &AffinePoint<M, N>,
    b: &AffinePoint<M, N>,
    slope: Residue<M, N>,
) -> bool {
    let run = a.run_to(b);
    !run.is_zero() && slope * run == a.rise_to(b) && *sum == a.add(b, slope)
}
