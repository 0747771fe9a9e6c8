//! What tests look at from outside (feature `test-hooks`).

use std::cell::Cell;

use crate::verifying_key::VerifyingKey;

thread_local! {
    static SIGNATURE_CHECKS: Cell<u64> = const { Cell::new(0) };
}

/// How many signatures this thread has checked so far, rightly or wrongly signed.
///
/// What is rejected before the cryptography (no such key, a signature of the wrong length) does not count.
#[must_use]
pub fn signature_checks() -> u64 {
    SIGNATURE_CHECKS.get()
}

/// Whether the key has tables (feature `ed25519-tables`).
#[must_use]
pub fn has_tables(key: &VerifyingKey) -> bool {
    key.prepared().has_tables() == Some(true)
}

pub(crate) fn count_signature_check() {
    SIGNATURE_CHECKS.set(SIGNATURE_CHECKS.get() + 1);
}
