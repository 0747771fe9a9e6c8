//! Arithmetic of 64-bit words with carry. The standard library has these functions from Rust 1.91 on.

/// `a + b + carry`, and the new carry.
#[inline(always)]
pub(crate) const fn carrying_add(a: u64, b: u64, carry: bool) -> (u64, bool) {
    let (sum, of_words) = a.overflowing_add(b);
    let (sum, of_carry) = sum.overflowing_add(carry as u64);
    (sum, of_words | of_carry)
}

/// `a - b - borrow`, and the new borrow.
#[inline(always)]
pub(crate) const fn borrowing_sub(a: u64, b: u64, borrow: bool) -> (u64, bool) {
    let (difference, of_words) = a.overflowing_sub(b);
    let (difference, of_borrow) = difference.overflowing_sub(borrow as u64);
    (difference, of_words | of_borrow)
}

/// The lower and the upper word of `a b + c + d`.
#[inline(always)]
pub(crate) const fn carrying_mul_add(a: u64, b: u64, c: u64, d: u64) -> (u64, u64) {
    let wide = a as u128 * b as u128 + c as u128 + d as u128;
    (wide as u64, (wide >> 64) as u64)
}
