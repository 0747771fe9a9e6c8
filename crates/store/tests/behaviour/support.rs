//! What the tests share.
use tollgate::{ApiKey, KeyFormat, KeyRecord};
use tollgate_store::{Store, StoredKey};

pub(crate) const NOW: i64 = 1_763_800_000;

pub(crate) fn format() -> KeyFormat {
    KeyFormat::new("tg", "live").unwrap()
}

/// The same key for the same number, always.
pub(crate) fn secret(number: u64) -> ApiKey {
    let mut entropy = [0; 32];
    for (lane, bytes) in (0..).zip(entropy.chunks_exact_mut(8)) {
        let mut n = (number * 4 + lane + 1_u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        n = (n ^ (n >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        n = (n ^ (n >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        bytes.copy_from_slice(&(n ^ (n >> 31)).to_le_bytes());
    }
    ApiKey::danger_from_entropy(&format(), &entropy)
}

pub(crate) fn id(number: u64) -> String {
    format!("key_{number:012}")
}

pub(crate) fn key(number: u64) -> StoredKey {
    let id = id(number);
    let record = KeyRecord::api_key(&id, "user_7").scopes(["read:sites"]);
    StoredKey::native(&format(), &secret(number), record).made_at(NOW)
}

pub(crate) fn store() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    (folder, store)
}
