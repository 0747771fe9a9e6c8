use tollgate_oracle::Plan;
use tollgate_tests::agreement::agree;

/// The bytes are a plan: which good token or key to begin with, what to do to it, free text. Engine and oracle say the same
/// of what comes out, whatever it is. The algorithms that take long to sign with are left to the tests.
pub fn differential(data: &[u8]) {
    if let Err(disagreement) = agree(&Plan::from_bytes(data).with_quick_algorithm()) {
        panic!("{}", disagreement.minimal());
    }
}
