use tollgate_oracle::PolicyPlan;
use tollgate_tests::agreement::agree_on_policy;

/// The bytes are a configuration of up to three issuers, a token, and changes of the issuers. Engine and oracle agree
/// on whether the configuration and the changes are valid, and on the token, cold and cached.
pub fn policy(data: &[u8]) {
    if let Err(disagreement) = agree_on_policy(&PolicyPlan::from_bytes(data)) {
        panic!("{disagreement}");
    }
}
