//! Scalars as signed digits, one per window of bits.

use crate::limbs::{self, Limbs};
use crate::limits::MAX_WINDOWS;

/// The division of scalars into windows. The lowest window comes first; the radix is `2^window_bits`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Windows {
    pub(crate) scalar_bits: usize,
    pub(crate) window_bits: u32,
}

impl Windows {
    /// The number of windows. The topmost one has the remaining bits, possibly none, and a carry.
    pub(crate) const fn count(self) -> usize {
        self.scalar_bits / self.window_bits as usize + 1
    }

    /// The largest digit of a window. The smallest digit is its negative, except in the topmost window, whose digits
    /// are not negative.
    pub(crate) const fn largest_digit(self, window: usize) -> usize {
        if window + 1 < self.count() {
            1 << (self.window_bits - 1)
        } else {
            1 << (self.scalar_bits % self.window_bits as usize)
        }
    }

    /// The table index of the multiple for a digit of this magnitude.
    #[inline(always)]
    pub(crate) fn table_index(self, window: usize, digit: usize) -> Option<usize> {
        Some((window << (self.window_bits - 1)) + digit.checked_sub(1)?)
    }

    pub(crate) const fn table_length(self) -> usize {
        let topmost = self.count() - 1;
        topmost * self.largest_digit(0) + self.largest_digit(topmost)
    }
}

/// A scalar's digits: `scalar = digits[0] + radix digits[1] + ...`
#[derive(Clone, Debug)]
pub(crate) struct Digits {
    windows: Windows,
    digits: [i16; MAX_WINDOWS],
}

impl Digits {
    pub(crate) fn new<const N: usize>(scalar: &Limbs<N>, windows: Windows) -> Self {
        let radix = 1 << windows.window_bits;
        let mut digits = [0; MAX_WINDOWS];
        let mut carry = 0;
        for (window, digit) in digits.iter_mut().enumerate().take(windows.count()) {
            let value = bits(scalar, window * windows.window_bits as usize, windows.window_bits) + carry;
            carry = i16::from(value > radix / 2);
            *digit = value - carry * radix;
        }
        Digits { windows, digits }
    }

    pub(crate) fn as_slice(&self) -> &[i16] {
        &self.digits[..self.windows.count()]
    }

    #[cfg(feature = "test-hooks")]
    pub(crate) fn as_mut_slice(&mut self) -> &mut [i16] {
        &mut self.digits[..self.windows.count()]
    }

    /// Recomposes the scalar: the positive digits minus the negative ones. None if a digit does not fit in its window,
    /// or the difference is not a number of `N` limbs.
    pub(crate) fn recompose<const N: usize>(&self) -> Option<Limbs<N>> {
        let (mut positive, mut negative) = (Sum::<N>::default(), Sum::<N>::default());
        let half_radix = 1 << (self.windows.window_bits - 1);
        for (window, &digit) in self.as_slice().iter().enumerate() {
            if digit.unsigned_abs() > half_radix {
                return None;
            }
            let sum = if digit < 0 { &mut negative } else { &mut positive };
            sum.put(digit.unsigned_abs(), window * self.windows.window_bits as usize);
        }
        let (scalar, borrow) = limbs::sub(&positive.limbs, &negative.limbs);
        (positive.above == negative.above + u64::from(borrow)).then_some(scalar)
    }
}

/// Collects numbers at positions where they do not overlap.
struct Sum<const N: usize> {
    limbs: Limbs<N>,
    /// The bits above the topmost limb.
    above: u64,
}

impl<const N: usize> Sum<N> {
    fn put(&mut self, number: u16, position: usize) {
        let wide = u128::from(number) << (position % 64);
        for (index, part) in [(position / 64, wide as u64), (position / 64 + 1, (wide >> 64) as u64)] {
            *self.limbs.get_mut(index).unwrap_or(&mut self.above) |= part;
        }
    }
}

impl<const N: usize> Default for Sum<N> {
    fn default() -> Self {
        Sum { limbs: [0; N], above: 0 }
    }
}

/// Returns `count` bits of `scalar` from `start` on. Bits above the scalar's top are zero.
#[inline(always)]
fn bits<const N: usize>(scalar: &Limbs<N>, start: usize, count: u32) -> i16 {
    let limb = |index| scalar.get(index).copied().unwrap_or(0);
    let wide = u128::from(limb(start / 64)) | u128::from(limb(start / 64 + 1)) << 64;
    ((wide >> (start % 64)) as u64 & ((1 << count) - 1)) as i16
}
