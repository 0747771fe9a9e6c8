use tollgate_oracle::Plan;
use tollgate_tests::agreement::agree;

/// The bytes are a plan: a good token or key, changes to it, free text. Engine and oracle agree on the result.
/// Algorithms with slow signing are left to the tests.
pub fn differential(data: &[u8]) {
    if let Err(disagreement) = agree(&Plan::from_bytes(data).with_quick_algorithm()) {
        panic!("{}", disagreement.minimal());
    }
}
