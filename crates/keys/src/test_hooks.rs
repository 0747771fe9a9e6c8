//! A counter of signature checks for tests (feature `test-hooks`).

use std::cell::Cell;

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

pub(crate) fn count_signature_check() {
    SIGNATURE_CHECKS.set(SIGNATURE_CHECKS.get() + 1);
}
