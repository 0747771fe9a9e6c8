use std::cell::Cell;

use crate::curve::Curve;
use crate::limbs::Limbs;
use crate::point::AffinePoint;
use crate::residue::Modulus;
use crate::sum::Term;

/// A fault in a computation. A position past the end of the computation has no effect.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fault {
    /// A flipped bit in the result of the `number`th multiplication.
    Product {
        /// Counted from the start of the computation.
        number: u32,
        /// From 0 for the lowest.
        bit: u32,
    },
    /// A flipped bit in `u1` (term 0) or `u2` (term 1).
    Scalar {
        /// 0 or 1.
        term: usize,
        /// From 0 for the lowest.
        bit: u32,
    },
    /// `u1` or `u2` replaced by zero.
    ScalarIgnored {
        /// 0 or 1.
        term: usize,
    },
    /// A changed digit.
    Digit {
        /// 0 or 1.
        term: usize,
        /// From 0 for the lowest.
        window: usize,
        /// Added to the digit.
        change: i16,
    },
    /// A negative digit left as it was before the carry: the scalar stays the same, but the digit does not fit in its window.
    CarryLost {
        /// 0 or 1.
        term: usize,
        /// From 0 for the lowest.
        window: usize,
    },
    /// A digit with the other sign.
    Sign {
        /// 0 or 1.
        term: usize,
        /// From 0 for the lowest.
        window: usize,
    },
    /// A flipped bit in a copy of a point that is added.
    Addend {
        /// Counted over the points of both terms.
        number: usize,
        /// The bits of `y` come first, then those of `x`.
        bit: u32,
    },
    /// A point that is added with the opposite sign.
    AddendNegated {
        /// Counted over both terms.
        number: usize,
    },
    /// A point that is not added.
    AddendLost {
        /// Counted over both terms.
        number: usize,
    },
    /// A point that is added twice.
    AddendDoubled {
        /// Counted over both terms.
        number: usize,
    },
    /// A point that is replaced by the one before it.
    AddendReplaced {
        /// Counted over both terms.
        number: usize,
    },
    /// Tables of the opposite key.
    AnotherKey,
    /// A doubling that is skipped when the tables are computed.
    DoublingSkipped {
        /// The window that the doubling belongs to.
        window: usize,
    },
    /// A flipped bit in a point of a table.
    Entry {
        /// The point's index.
        index: usize,
        /// The bits of `y` come first, then those of `x`.
        bit: u32,
    },
    /// Two points of the tables exchanged.
    EntriesExchanged {
        /// One index.
        index: usize,
        /// The other index.
        other: usize,
    },
}

thread_local! {
    static FAULT: Cell<Option<Fault>> = const { Cell::new(None) };
    static COUNT: Cell<usize> = const { Cell::new(0) };
    static STRUCK: Cell<bool> = const { Cell::new(false) };
}

/// Runs `computation` with the fault. Also returns whether the fault had an effect.
pub fn with_fault<R>(fault: Fault, computation: impl FnOnce() -> R) -> (R, bool) {
    FAULT.set(Some(fault));
    COUNT.set(0);
    STRUCK.set(false);
    let result = computation();
    FAULT.set(None);
    (result, STRUCK.get())
}

/// Returns how often this was called since the fault was set.
fn count() -> usize {
    COUNT.replace(COUNT.get() + 1)
}

fn strike(change: impl FnOnce()) {
    change();
    STRUCK.set(true);
}

pub(crate) fn in_product<const N: usize>(product: &mut Limbs<N>) {
    if let Some(Fault::Product { number, bit }) = FAULT.get()
        && count() == number as usize
    {
        strike(|| flip(product, bit));
    }
}

pub(crate) fn in_scalars<const N: usize>(scalars: &mut [Limbs<N>; 2]) {
    match FAULT.get() {
        Some(Fault::Scalar { term, bit }) => strike(|| flip(&mut scalars[term], bit)),
        Some(Fault::ScalarIgnored { term }) => strike(|| scalars[term] = [0; N]),
        _ => {}
    }
}

pub(crate) fn in_digits<C: Curve<N>, const N: usize>(terms: &mut [Term<'_, C, N>; 2]) {
    let (term, window, change): (_, _, &dyn Fn(&mut i16)) = match FAULT.get() {
        Some(Fault::Digit { term, window, change }) => (term, window, &move |digit| *digit += change),
        Some(Fault::Sign { term, window }) => (term, window, &|digit| *digit = -*digit),
        Some(Fault::CarryLost { term, window }) => return lose_carry(&mut terms[term], window),
        _ => return,
    };
    if let Some(digit) = terms[term].digits.as_mut_slice().get_mut(window) {
        let before = *digit;
        change(digit);
        STRUCK.set(*digit != before);
    }
}

fn lose_carry<C: Curve<N>, const N: usize>(term: &mut Term<'_, C, N>, window: usize) {
    let radix = 1 << term.table.windows().window_bits;
    if let Some([digit, next]) = term.digits.as_mut_slice().get_mut(window..window + 2)
        && *digit < 0
    {
        strike(|| (*digit, *next) = (*digit + radix, *next - 1));
    }
}

pub(crate) fn in_addends<M: Modulus<N>, const N: usize>(
    addends: impl Iterator<Item = AffinePoint<M, N>>,
) -> impl Iterator<Item = AffinePoint<M, N>> {
    let mut before = None;
    addends.flat_map(move |mut addend| {
        let mut times = 1;
        let replacement = before.replace(addend);
        match FAULT.get() {
            Some(Fault::Addend { number, bit }) if count() == number => strike(|| flip_in_point(&mut addend, bit)),
            Some(Fault::AddendNegated { number }) if count() == number => strike(|| addend = addend.negate_if(true)),
            Some(Fault::AddendLost { number }) if count() == number => strike(|| times = 0),
            Some(Fault::AddendDoubled { number }) if count() == number => strike(|| times = 2),
            Some(Fault::AddendReplaced { number }) if count() == number => {
                if let Some(replacement) = replacement {
                    strike(|| addend = replacement);
                }
            }
            _ => {}
        }
        std::iter::repeat_n(addend, times)
    })
}

pub(crate) fn in_point<M: Modulus<N>, const N: usize>(point: &mut AffinePoint<M, N>) {
    if let Some(Fault::AnotherKey) = FAULT.get() {
        strike(|| *point = point.negate_if(true));
    }
}

pub(crate) fn in_doublings(doublings: &mut u32) {
    if let Some(Fault::DoublingSkipped { window }) = FAULT.get()
        && count() + 1 == window
    {
        strike(|| *doublings -= 1);
    }
}

pub(crate) fn in_table<M: Modulus<N>, const N: usize>(points: &mut [AffinePoint<M, N>]) {
    match FAULT.get() {
        Some(Fault::Entry { index, bit }) if index < points.len() => strike(|| flip_in_point(&mut points[index], bit)),
        Some(Fault::EntriesExchanged { index, other }) if index.max(other) < points.len() => {
            strike(|| points.swap(index, other));
        }
        _ => {}
    }
}

fn flip<const N: usize>(limbs: &mut Limbs<N>, bit: u32) {
    limbs[(bit / 64) as usize] ^= 1 << (bit % 64);
}

fn flip_in_point<M: Modulus<N>, const N: usize>(point: &mut AffinePoint<M, N>, bit: u32) {
    match bit.checked_sub(64 * N as u32) {
        None => flip(point.y.limbs_mut(), bit),
        Some(bit) => flip(point.x.limbs_mut(), bit),
    }
}
