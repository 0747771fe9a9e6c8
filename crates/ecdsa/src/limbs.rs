//! Unsigned integers of `N` limbs of 64 bits, the lowest first.

use crate::words;

pub(crate) type Limbs<const N: usize> = [u64; N];

/// `a + b`, and the carry.
#[inline(always)]
pub(crate) fn add<const N: usize>(a: &Limbs<N>, b: &Limbs<N>) -> (Limbs<N>, bool) {
    let (mut sum, mut carry) = ([0; N], false);
    for i in 0..N {
        (sum[i], carry) = words::carrying_add(a[i], b[i], carry);
    }
    (sum, carry)
}

/// `a - b`, and the borrow, which tells whether `a < b`.
#[inline(always)]
pub(crate) fn sub<const N: usize>(a: &Limbs<N>, b: &Limbs<N>) -> (Limbs<N>, bool) {
    borrowing_sub(a, b, false)
}

/// `a - b - borrow`, and the new borrow.
#[inline(always)]
pub(crate) fn borrowing_sub<const N: usize>(a: &Limbs<N>, b: &Limbs<N>, mut borrow: bool) -> (Limbs<N>, bool) {
    let mut difference = [0; N];
    for i in 0..N {
        (difference[i], borrow) = words::borrowing_sub(a[i], b[i], borrow);
    }
    (difference, borrow)
}

/// The lower and the upper half of `a b`.
#[inline(always)]
pub(crate) fn product<const N: usize>(a: &Limbs<N>, b: &Limbs<N>) -> (Limbs<N>, Limbs<N>) {
    let (mut low, mut high) = ([0; N], [0; N]);
    for i in 0..N {
        let mut carry;
        (low[i], carry) = words::carrying_mul_add(a[i], b[0], high[0], 0);
        for j in 1..N {
            (high[j - 1], carry) = words::carrying_mul_add(a[i], b[j], high[j], carry);
        }
        high[N - 1] = carry;
    }
    (low, high)
}

/// `a - modulus` if that is not negative, otherwise `a`. `carry` is the bit above the bits of `a`.
#[inline(always)]
pub(crate) fn reduce_once<const N: usize>(a: &Limbs<N>, carry: bool, modulus: &Limbs<N>) -> Limbs<N> {
    let (difference, borrow) = sub(a, modulus);
    select(borrow && !carry, a, &difference)
}

/// Selects `yes` or `no` without a branch, which could not be predicted.
#[inline(always)]
pub(crate) fn select<const N: usize>(choice: bool, yes: &Limbs<N>, no: &Limbs<N>) -> Limbs<N> {
    let mask = (choice as u64).wrapping_neg();
    std::array::from_fn(|i| yes[i] & mask | no[i] & !mask)
}

#[inline(always)]
pub(crate) fn is_zero<const N: usize>(a: &Limbs<N>) -> bool {
    a.iter().fold(0, |bits, limb| bits | limb) == 0
}

pub(crate) const fn is_equal<const N: usize>(a: &Limbs<N>, b: &Limbs<N>) -> bool {
    let mut i = 0;
    while i < N && a[i] == b[i] {
        i += 1;
    }
    i == N
}

pub(crate) fn is_less<const N: usize>(a: &Limbs<N>, b: &Limbs<N>) -> bool {
    sub(a, b).1
}

/// Decodes big-endian `bytes`, at most `8 N` of them.
pub(crate) fn from_be_bytes<const N: usize>(bytes: &[u8]) -> Limbs<N> {
    let mut limbs = [0; N];
    for (limb, bytes) in limbs.iter_mut().zip(bytes.rchunks(8)) {
        *limb = bytes.iter().fold(0, |limb, &byte| limb << 8 | u64::from(byte));
    }
    limbs
}

/// `a` as limbs, at compile time.
pub(crate) const fn small<const N: usize>(a: u64) -> Limbs<N> {
    let mut limbs = [0; N];
    limbs[0] = a;
    limbs
}

/// `2^exponent a` modulo `modulus`, slow, at compile time. `a` is below the modulus.
pub(crate) const fn times_power_of_two<const N: usize>(a: &Limbs<N>, exponent: usize, modulus: &Limbs<N>) -> Limbs<N> {
    let (mut a, mut doublings) = (*a, 0);
    while doublings < exponent {
        let (mut double, mut reduced, mut carry, mut borrow, mut i) = ([0; N], [0; N], 0, false, 0);
        while i < N {
            (double[i], carry) = (a[i] << 1 | carry, a[i] >> 63);
            (reduced[i], borrow) = words::borrowing_sub(double[i], modulus[i], borrow);
            i += 1;
        }
        a = if borrow && carry == 0 { double } else { reduced };
        doublings += 1;
    }
    a
}
