//! Counters for tests (feature `test-hooks`).

use std::cell::Cell;

use crate::verifying_key::VerifyingKey;

thread_local! {
    static SIGNATURE_CHECKS: Cell<u64> = const { Cell::new(0) };
    static ECDSA_TABLES_COMPUTED: Cell<u64> = const { Cell::new(0) };
}

/// How many signatures this thread has checked so far, valid or not.
///
/// Rejections before the cryptography (no such key, a signature of the wrong length) do not count.
#[must_use]
pub fn signature_checks() -> u64 {
    SIGNATURE_CHECKS.get()
}

/// How many ECDSA keys this thread has computed tables for (feature `ecdsa-tables`).
#[must_use]
pub fn ecdsa_tables_computed() -> u64 {
    ECDSA_TABLES_COMPUTED.get()
}

/// Whether the key has tables (features `ed25519-tables` and `ecdsa-tables`).
#[must_use]
pub fn has_tables(key: &VerifyingKey) -> bool {
    key.prepared().has_tables() == Some(true)
}

pub(crate) fn count_signature_check() {
    SIGNATURE_CHECKS.set(SIGNATURE_CHECKS.get() + 1);
}

#[cfg(all(feature = "ecdsa-tables", not(feature = "fips")))]
pub(crate) fn count_ecdsa_tables() {
    ECDSA_TABLES_COMPUTED.set(ECDSA_TABLES_COMPUTED.get() + 1);
}
