use tollgate_oracle::PolicyPlan;
use tollgate_tests::agreement::agree_on_policy;

/// The bytes are a configuration of up to three issuers and a token. Engine and oracle say the same of both: whether the
/// configuration can be, and what comes of the token, when it is new and when it is known.
pub fn policy(data: &[u8]) {
    if let Err(disagreement) = agree_on_policy(&PolicyPlan::from_bytes(data)) {
        panic!("{disagreement}");
    }
}
