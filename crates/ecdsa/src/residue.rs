//! Integers modulo an odd number.

use std::fmt::Debug;
use std::marker::PhantomData;
use std::ops::{Add, Mul, Sub};

use crate::fault;
use crate::inverse::inverse;
use crate::limbs::{self, Limbs};
use crate::words;

/// An odd modulus of `N` limbs with its top bit set, and arithmetic modulo it.
///
/// Operands and results are below the modulus.
pub(crate) trait Modulus<const N: usize>: Copy + Debug + Eq {
    const MODULUS: Limbs<N>;

    /// Montgomery reduction: `(low + k m) / 2^(64 N)` for the `k` that makes it an integer. The result is at most `m`.
    #[inline(always)]
    fn reduce(low: &Limbs<N>) -> Limbs<N> {
        let minus_inverse = const { minus_inverse(Self::MODULUS[0]) };
        let mut rest = *low;
        for _ in 0..N {
            let factor = rest[0].wrapping_mul(minus_inverse);
            let (_, mut carry) = words::carrying_mul_add(factor, Self::MODULUS[0], rest[0], 0);
            for i in 1..N {
                (rest[i - 1], carry) = words::carrying_mul_add(factor, Self::MODULUS[i], rest[i], carry);
            }
            rest[N - 1] = carry;
        }
        rest
    }

    /// `a b / 2^(64 N)`: the product of numbers in Montgomery form. One operand may be any number of `N` limbs.
    #[inline(always)]
    fn multiply(a: &Limbs<N>, b: &Limbs<N>) -> Limbs<N> {
        let (low, high) = limbs::product(a, b);
        let (sum, carry) = limbs::add(&high, &Self::reduce(&low));
        limbs::reduce_once(&sum, carry, &Self::MODULUS)
    }

    /// `(a b - c d) / 2^(64 N)`, with one reduction.
    #[inline(always)]
    fn multiply_sub(a: &Limbs<N>, b: &Limbs<N>, c: &Limbs<N>, d: &Limbs<N>) -> Limbs<N> {
        let (low, high) = limbs::product(a, b);
        let (less_low, less_high) = limbs::product(c, d);
        let (low, borrow) = limbs::sub(&low, &less_low);
        let (high, borrow) = limbs::borrowing_sub(&high, &less_high, borrow);
        let (high, _) = limbs::add(&high, &limbs::select(borrow, &Self::MODULUS, &[0; N]));
        let (sum, carry) = limbs::add(&high, &Self::reduce(&low));
        limbs::reduce_once(&sum, carry, &Self::MODULUS)
    }

    #[inline(always)]
    fn add(a: &Limbs<N>, b: &Limbs<N>) -> Limbs<N> {
        let (sum, carry) = limbs::add(a, b);
        limbs::reduce_once(&sum, carry, &Self::MODULUS)
    }

    #[inline(always)]
    fn sub(a: &Limbs<N>, b: &Limbs<N>) -> Limbs<N> {
        let (difference, borrow) = limbs::sub(a, b);
        limbs::add(&difference, &limbs::select(borrow, &Self::MODULUS, &[0; N])).0
    }
}

/// An integer `a` modulo `M` in Montgomery form: stored as `2^(64 N) a`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Residue<M, const N: usize>(Limbs<N>, PhantomData<M>);

impl<M: Modulus<N>, const N: usize> Residue<M, N> {
    pub(crate) const ZERO: Self = Self::constant(&limbs::small(0));
    pub(crate) const ONE: Self = Self::constant(&limbs::small(1));
    pub(crate) const THREE: Self = Self::constant(&limbs::small(3));

    /// `2^(64 N)`. Multiplying a plain number by it converts the number to Montgomery form.
    const FORM: Self = Self::constant(&Self::ONE.0);

    /// Converts an integer below the modulus.
    #[inline(always)]
    pub(crate) fn new(integer: &Limbs<N>) -> Self {
        Self::from_stored(*integer) * Self::FORM
    }

    /// Like `new`, but slow, at compile time.
    pub(crate) const fn constant(integer: &Limbs<N>) -> Self {
        Residue(limbs::times_power_of_two(integer, 64 * N, &M::MODULUS), PhantomData)
    }

    /// The product with any integer of `N` limbs, as a plain integer.
    #[inline(always)]
    pub(crate) fn times_integer(self, integer: &Limbs<N>) -> Limbs<N> {
        let mut product = M::multiply(&self.0, integer);
        fault::in_product(&mut product);
        product
    }

    /// `self factor - a b`
    #[inline(always)]
    pub(crate) fn multiply_sub(self, factor: Self, a: Self, b: Self) -> Self {
        let mut difference = M::multiply_sub(&self.0, &factor.0, &a.0, &b.0);
        fault::in_product(&mut difference);
        Self::from_stored(difference)
    }

    #[inline(always)]
    pub(crate) fn square(self) -> Self {
        self * self
    }

    #[inline(always)]
    pub(crate) fn double(self) -> Self {
        self + self
    }

    #[inline(always)]
    pub(crate) fn negate_if(self, negative: bool) -> Self {
        Self::from_stored(limbs::select(negative, &M::sub(&[0; N], &self.0), &self.0))
    }

    /// The inverse. None for zero, if the modulus is prime.
    pub(crate) fn invert(self) -> Option<Self> {
        Some(Self::from_stored(inverse(&self.0, &M::MODULUS)?) * Self::FORM * Self::FORM)
    }

    /// Inverts all `numbers` with one inversion and three products each (Montgomery's trick). None if one is zero.
    pub(crate) fn invert_all(numbers: &mut [Self]) -> Option<()> {
        let mut product = Self::ONE;
        let mut products = Vec::with_capacity(numbers.len());
        for &number in &*numbers {
            products.push(product);
            product = product * number;
        }
        let mut inverse = product.invert()?;
        for (number, product_before) in numbers.iter_mut().zip(products).rev() {
            let inverse_before = inverse * *number;
            *number = inverse * product_before;
            inverse = inverse_before;
        }
        Some(())
    }

    #[inline(always)]
    pub(crate) fn is_zero(self) -> bool {
        limbs::is_zero(&self.0)
    }

    /// The same number, with another arithmetic for the same modulus.
    #[inline(always)]
    pub(crate) fn with<Other: Modulus<N>>(self) -> Residue<Other, N> {
        const { assert!(limbs::is_equal(&M::MODULUS, &Other::MODULUS)) };
        Residue(self.0, PhantomData)
    }

    /// The lowest limb of the stored number.
    #[inline(always)]
    pub(crate) fn lowest_limb(self) -> u64 {
        self.0[0]
    }

    /// The highest limb of the stored number.
    #[inline(always)]
    pub(crate) fn highest_limb(self) -> u64 {
        self.0[N - 1]
    }

    #[cfg(feature = "test-hooks")]
    pub(crate) fn limbs_mut(&mut self) -> &mut Limbs<N> {
        &mut self.0
    }

    #[inline(always)]
    fn from_stored(limbs: Limbs<N>) -> Self {
        Residue(limbs, PhantomData)
    }
}

impl<M: Modulus<N>, const N: usize> Mul for Residue<M, N> {
    type Output = Self;

    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        Self::from_stored(self.times_integer(&other.0))
    }
}

impl<M: Modulus<N>, const N: usize> Add for Residue<M, N> {
    type Output = Self;

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Self::from_stored(M::add(&self.0, &other.0))
    }
}

impl<M: Modulus<N>, const N: usize> Sub for Residue<M, N> {
    type Output = Self;

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        Self::from_stored(M::sub(&self.0, &other.0))
    }
}

/// `-1 / limb` modulo `2^64`, for an odd `limb`.
const fn minus_inverse(limb: u64) -> u64 {
    // Three bits are correct at first, and each Newton step doubles their number.
    let (mut inverse, mut correct_bits) = (limb, 3);
    while correct_bits < 64 {
        inverse = inverse.wrapping_mul(2u64.wrapping_sub(limb.wrapping_mul(inverse)));
        correct_bits *= 2;
    }
    inverse.wrapping_neg()
}
