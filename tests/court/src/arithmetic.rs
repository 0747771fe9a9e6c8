//! Signatures from first principles, so that wrong ones can be made too. Shares no code with the engine; neither
//! constant-time nor random: random values are derived from key and message.

pub(crate) mod der;
pub(crate) mod ecdsa;
pub(crate) mod ed25519;
pub(crate) mod hash;
pub(crate) mod rsa;

use num_bigint::BigUint;

/// `number` in big-endian order, at least `length` bytes long.
pub(crate) fn to_bytes(number: &BigUint, length: usize) -> Vec<u8> {
    let bytes = number.to_bytes_be();
    let mut padded = vec![0; length.saturating_sub(bytes.len())];
    padded.extend(bytes);
    padded
}

/// Parses a hexadecimal number.
pub(crate) fn from_hex(text: &str) -> BigUint {
    BigUint::parse_bytes(text.as_bytes(), 16).expect("the constants are hexadecimal")
}
