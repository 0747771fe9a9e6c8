//! Base62 of fixed width, most significant digit first, digits `0-9A-Za-z`.
//!
//! The alphabet is in ASCII order, so texts of equal width compare like the numbers they encode.

use crate::limits::{BODY_CHARACTERS, CHECKSUM_CHARACTERS};
use zeroize::{Zeroize, Zeroizing};

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// 2^256 - 1: a greater body encodes no 256-bit number.
pub(crate) const LARGEST_BODY: &[u8; BODY_CHARACTERS] = b"yhjskwdA6OZ1AL1YmHWZWm8LLG7HjnuCA2j5rOw8Xp1";

/// Writes 256 bits, big-endian, as 43 digits.
pub(crate) fn encode_body(entropy: &[u8; 32]) -> Zeroizing<[u8; BODY_CHARACTERS]> {
    let mut limbs = [0_u32; 8];
    for (limb, bytes) in limbs.iter_mut().zip(entropy.as_chunks::<4>().0) {
        *limb = u32::from_be_bytes(*bytes);
    }
    let mut text = Zeroizing::new([0; BODY_CHARACTERS]);
    for digit in text.iter_mut().rev() {
        *digit = ALPHABET[divide_by_62(&mut limbs)];
    }
    limbs.zeroize();
    text
}

/// Writes a checksum as 6 digits.
pub(crate) fn encode_checksum(mut checksum: u32) -> [u8; CHECKSUM_CHARACTERS] {
    let mut text = [0; CHECKSUM_CHARACTERS];
    for digit in text.iter_mut().rev() {
        *digit = ALPHABET[(checksum % 62) as usize];
        checksum /= 62;
    }
    text
}

/// Reads 6 digits. The value may exceed 32 bits. The result is meaningless if a byte is not a digit.
#[inline]
pub(crate) fn decode_checksum(text: &[u8]) -> u64 {
    text.iter().fold(0, |value, &digit| value * 62 + u64::from(digit_value(digit)))
}

/// Whether every byte is a digit. Always looks at all bytes: a fixed number of comparisons is faster than an early
/// exit.
#[inline]
pub(crate) fn is_base62<const N: usize>(text: &[u8; N]) -> bool {
    text.iter().fold(true, |all, byte| all & byte.is_ascii_alphanumeric())
}

#[inline]
fn digit_value(digit: u8) -> u8 {
    match digit {
        b'a'.. => digit - b'a' + 36,
        b'A'.. => digit - b'A' + 10,
        _ => digit.wrapping_sub(b'0'),
    }
}

fn divide_by_62(limbs: &mut [u32; 8]) -> usize {
    let mut remainder = 0;
    for limb in limbs {
        let dividend = (remainder << 32) | u64::from(*limb);
        // The quotient fits: the remainder is below 62.
        *limb = (dividend / 62) as u32;
        remainder = dividend % 62;
    }
    remainder as usize
}
