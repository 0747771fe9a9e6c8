//! Constants of Ed25519 for forgeries (RFC 8032 section 5.1).

use num_bigint::BigUint;

use super::hash::Hash;

/// The order of the base point.
pub(crate) fn order() -> BigUint {
    (BigUint::from(1_u8) << 252_u8)
        + BigUint::parse_bytes(b"27742317777372353535851937790883648493", 10).expect("decimal")
}

/// `number` in little-endian order, 32 bytes long.
pub(crate) fn to_bytes(number: &BigUint) -> [u8; 32] {
    let mut bytes = [0; 32];
    let digits = number.to_bytes_le();
    bytes[..digits.len()].copy_from_slice(&digits);
    bytes
}

/// The neutral element, of order 1: x = 0, y = 1.
pub(crate) const IDENTITY: [u8; 32] = little(1, 0);

/// Every encoding of a point whose order divides 8, with the order. The last six are not canonical.
pub(crate) const SMALL_ORDER: [(&str, u8, [u8; 32]); 14] = [
    ("order-1", 1, IDENTITY),
    ("order-2", 2, MINUS_ONE),
    ("order-4", 4, little(0, 0)),
    ("order-4-negative", 4, little(0, 0x80)),
    ("order-8-a", 8, ORDER_8[0]),
    ("order-8-a-negative", 8, with_sign(ORDER_8[0])),
    ("order-8-b", 8, ORDER_8[1]),
    ("order-8-b-negative", 8, with_sign(ORDER_8[1])),
    ("order-1-with-sign", 1, little(1, 0x80)),
    ("order-2-with-sign", 2, with_sign(MINUS_ONE)),
    ("order-1-past-p", 1, past_p(1, 0)),
    ("order-1-past-p-with-sign", 1, past_p(1, 0x80)),
    ("order-4-past-p", 4, past_p(0, 0)),
    ("order-4-past-p-with-sign", 4, past_p(0, 0x80)),
];

/// The challenge hash of (R, A, message) as an integer, before reduction.
pub(crate) fn challenge(r: &[u8], a: &[u8], message: &[u8]) -> BigUint {
    BigUint::from_bytes_le(&Hash::Sha512.digest(&[r, a, message].concat()))
}

/// y = p - 1.
const MINUS_ONE: [u8; 32] = {
    let mut bytes = past_p(0, 0);
    bytes[0] = 0xec;
    bytes
};

/// The two y of order 8.
const ORDER_8: [[u8; 32]; 2] = [
    *b"\x26\xe8\x95\x8f\xc2\xb2\x27\xb0\x45\xc3\xf4\x89\xf2\xef\x98\xf0\xd5\xdf\xac\x05\xd3\xc6\x33\x39\xb1\x38\x02\x88\x6d\x53\xfc\x05",
    *b"\xc7\x17\x6a\x70\x3d\x4d\xd8\x4f\xba\x3c\x0b\x76\x0d\x10\x67\x0f\x2a\x20\x53\xfa\x2c\x39\xcc\xc6\x4e\xc7\xfd\x77\x92\xac\x03\x7a",
];

const fn little(first: u8, last: u8) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes[0] = first;
    bytes[31] = last;
    bytes
}

/// p = 2^255 - 19, and `above`.
const fn past_p(above: u8, sign: u8) -> [u8; 32] {
    let mut bytes = [0xff; 32];
    bytes[0] = 0xed + above;
    bytes[31] = 0x7f | sign;
    bytes
}

const fn with_sign(mut bytes: [u8; 32]) -> [u8; 32] {
    bytes[31] |= 0x80;
    bytes
}
