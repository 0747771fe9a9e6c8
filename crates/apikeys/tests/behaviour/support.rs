//! Helpers that the tests share.
use tollgate_apikeys::{ApiKey, Digest, KeyDigest, KeyFormat};

pub(crate) fn live() -> KeyFormat {
    KeyFormat::new("tg", "live").unwrap()
}

/// Builds the same key for the same number, always.
pub(crate) fn key(number: u64) -> ApiKey {
    let mut entropy = [0; 32];
    for (lane, bytes) in (0..).zip(entropy.chunks_exact_mut(8)) {
        bytes.copy_from_slice(&scrambled(number * 4 + lane).to_le_bytes());
    }
    ApiKey::danger_from_entropy(&live(), &entropy)
}

/// Builds a digest that a native key might have.
pub(crate) fn native(number: u64) -> KeyDigest {
    let mut bytes = [0; 32];
    for (lane, bytes) in (0..).zip(bytes.chunks_exact_mut(8)) {
        bytes.copy_from_slice(&scrambled(number * 4 + lane).to_le_bytes());
    }
    KeyDigest::Native(Digest::from_bytes(bytes))
}

/// One step of splitmix64.
pub(crate) fn scrambled(n: u64) -> u64 {
    let n = n.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let n = (n ^ (n >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let n = (n ^ (n >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    n ^ (n >> 31)
}
