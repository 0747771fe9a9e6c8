use tollgate::{Algorithm, Engine, Issuer, KeySet, Rejection, TypProfile};

use crate::case::{Case, Verdict};
use crate::corpus::Corpus;

/// What tollgate says of `case`: through [`Engine::verify_at`], configured as the policy has it.
///
/// # Errors
/// [`Rejection`], where it rejects.
///
/// # Panics
/// Where the case names a key set that the corpus does not have, or an algorithm that tollgate does not.
pub fn judge(corpus: &Corpus, case: &Case) -> Result<(), Rejection> {
    let policy = &case.policy;
    let algorithms: Vec<Algorithm> =
        policy.algorithms.iter().map(|name| Algorithm::from_name(name).expect("a policy names algorithms")).collect();
    let jwks = corpus.key_sets.get(&case.keys).expect("a case names a key set");
    // A document that is no key set leaves the issuer without keys.
    let keys = KeySet::builder().algorithms(&algorithms).jwks(jwks.as_bytes());
    let keys = keys.map(|keys| keys.build().set).unwrap_or_default();
    let issuer = Issuer::new(&policy.iss)
        .audience(&policy.aud)
        .algorithms(&algorithms)
        .leeway(policy.leeway)
        .typ(if policy.typ == "JWT" { TypProfile::Jwt } else { TypProfile::AccessToken })
        .keys(keys);
    let engine = Engine::builder().issuer(issuer).no_cache().build().expect("the issuer is complete");
    engine.verify_at(format!("Bearer {}", case.token).as_bytes(), policy.now).map(drop)
}

impl From<&Result<(), Rejection>> for Verdict {
    fn from(result: &Result<(), Rejection>) -> Self {
        if result.is_ok() { Verdict::Accept } else { Verdict::Reject }
    }
}
