use std::collections::HashMap;

use tollgate::{
    Algorithm, Dpop, Engine, ExplainedStep, Issuer, IssuerSettings, KeyRing, KeySet, Rejection, Request, TypProfile,
};

use crate::case::{Case, Verdict};
use crate::corpus::Corpus;
use crate::policy::Policy;

/// tollgate's verdicts on the cases of a corpus, from [`Engine::verify_request_at`], configured according to the
/// policy.
pub struct Judge<'c> {
    corpus: &'c Corpus,
    /// By key set and policy, which many cases share.
    engines: HashMap<(&'c str, &'c Policy), Engine>,
}

impl<'c> Judge<'c> {
    /// A judge of this corpus.
    #[must_use]
    pub fn new(corpus: &'c Corpus) -> Self {
        Judge { corpus, engines: HashMap::new() }
    }

    /// tollgate's verdict on `case`, a case of the corpus.
    ///
    /// # Errors
    /// [`Rejection`], if tollgate rejects the token.
    ///
    /// # Panics
    /// If the corpus lacks the case's key set, or tollgate its algorithm.
    pub fn judge(&mut self, case: &'c Case) -> Result<(), Rejection> {
        self.explain(case).0
    }

    /// Like [`judge`](Judge::judge), with the steps of the verdict.
    ///
    /// # Panics
    /// Like [`judge`](Judge::judge).
    pub fn explain(&mut self, case: &'c Case) -> (Result<(), Rejection>, Vec<ExplainedStep>) {
        let key_sets = &self.corpus.key_sets;
        let jwks = key_sets.get(&case.keys).expect("a case names a key set");
        let engine = self.engines.entry((&case.keys, &case.policy)).or_insert_with(|| engine(jwks, &case.policy));
        let explained = |request: Request<'_>| {
            let verdict = engine.verify_request_at(&request, case.policy.now);
            let steps = engine.explain(&request, verdict.as_ref(), case.policy.now);
            (verdict.map(drop), steps)
        };
        let Some(sent_with) = &case.sent_with else {
            return explained(Request::new().authorization(&format!("Bearer {}", case.token)));
        };
        let authorization = format!("{} {}", sent_with.scheme, case.token);
        let request = Request::new().authorization(&authorization).method(&sent_with.method).uri(&sent_with.uri);
        let request = sent_with.proofs.iter().fold(request, Request::proof);
        explained(sent_with.certificate.into_iter().fold(request, Request::certificate_digest))
    }
}

fn engine(jwks: &str, policy: &Policy) -> Engine {
    let names = policy.algorithms.iter();
    let algorithms: Vec<Algorithm> =
        names.map(|name| Algorithm::from_name(name).expect("a policy names algorithms")).collect();
    // With a document that is not a key set, the issuer has no keys.
    let keys = KeySet::builder().algorithms(&algorithms).jwks(jwks.as_bytes());
    let issuer = issuer(policy, &algorithms)
        .keys(KeyRing::new(keys.map(|keys| keys.build_with_reports().set).unwrap_or_default()));
    // Used proofs are recorded from long before the time of the cases.
    let dpop = Dpop::new().started_at(0);
    Engine::builder().issuer(issuer).dpop(dpop).no_cache().build().expect("the issuer is complete")
}

fn issuer(policy: &Policy, algorithms: &[Algorithm]) -> Issuer {
    let text = policy.issuer.as_deref().unwrap_or("{}");
    let mut settings: IssuerSettings = serde_json::from_str(text).expect("settings of an issuer");
    // The rest of the policy supplies settings that these omit.
    if settings.name.is_empty() {
        settings.name.clone_from(&policy.iss);
    }
    if settings.typ == TypProfile::default() {
        settings.typ = if policy.typ == "JWT" { TypProfile::Jwt } else { TypProfile::AccessToken };
    }
    Issuer::from(settings).audience(&policy.aud).algorithms(algorithms).leeway(policy.leeway)
}

impl From<&Result<(), Rejection>> for Verdict {
    fn from(result: &Result<(), Rejection>) -> Self {
        if result.is_ok() { Verdict::Accept } else { Verdict::Reject }
    }
}
