//! Verification (FIPS 186-5 section 6.4.2).

use crate::checks::{self, CheckedSum};
use crate::curve::Curve;
use crate::fault;
use crate::inverse::inverse;
use crate::limbs::{self, Limbs};
use crate::residue::{Modulus, Residue};
use crate::sum::{Sum, Tally, Term};
use crate::table::KeyTables;
use crate::verdict::{Undecided, Verdict};

pub(crate) fn verify<C: Curve<N>, const N: usize>(
    tables: &KeyTables<C, N>,
    digest: &[u8],
    signature: &[u8],
) -> Verdict {
    let Some(numbers) = Numbers::read::<C>(digest, signature) else {
        return Verdict::Invalid;
    };
    match checked_sum(tables, &numbers) {
        Ok(sum) if sum.has_x_congruent_to(&numbers.r) => Verdict::Valid,
        Ok(_) => Verdict::Invalid,
        Err(reason) => Verdict::Undecided(reason),
    }
}

/// The numbers of a signature and of its digest, named as in the standard.
pub(crate) struct Numbers<const N: usize> {
    /// The hash. It may be above the order.
    pub(crate) z: Limbs<N>,
    pub(crate) r: Limbs<N>,
    pub(crate) s: Limbs<N>,
}

impl<const N: usize> Numbers<N> {
    /// Reads the numbers. None if `r` or `s` is not between zero and the order, or the signature has the wrong length.
    fn read<C: Curve<N>>(digest: &[u8], signature: &[u8]) -> Option<Self> {
        if signature.len() != 16 * N {
            return None;
        }
        let (r, s) = signature.split_at(8 * N);
        let leftmost = &digest[..digest.len().min(8 * N)];
        let numbers =
            Numbers { z: limbs::from_be_bytes(leftmost), r: limbs::from_be_bytes(r), s: limbs::from_be_bytes(s) };
        let in_range = |number| !limbs::is_zero(number) && limbs::is_less(number, &C::Order::MODULUS);
        (in_range(&numbers.r) && in_range(&numbers.s)).then_some(numbers)
    }
}

/// `u1 G + u2 Q` with `u1 = z / s` and `u2 = r / s`.
fn checked_sum<C: Curve<N>, const N: usize>(
    tables: &KeyTables<C, N>,
    numbers: &Numbers<N>,
) -> Result<CheckedSum<C, N>, Undecided> {
    let inverse = inverse(&numbers.s, &C::Order::MODULUS).ok_or(Undecided::Inverse)?;
    let inverse = Residue::<C::Order, N>::new(&inverse);
    let mut scalars = [inverse.times_integer(&numbers.z), inverse.times_integer(&numbers.r)];
    fault::in_scalars(&mut scalars);
    let mut terms = [Term::new(tables.generator, &scalars[0]), Term::new(&tables.key, &scalars[1])];
    fault::in_digits(&mut terms);

    // Reads all points before the first addition, so that the cache misses overlap.
    let asked_for = Tally::of(&terms);
    let sum = Sum::of(&terms).ok_or(Undecided::Infinity)?;

    checks::scalars(&terms, numbers)?;
    if sum.tally != asked_for {
        return Err(Undecided::Addends);
    }
    checks::point(&sum.point)
}
