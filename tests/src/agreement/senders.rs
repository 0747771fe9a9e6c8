use std::collections::BTreeSet;
use std::sync::LazyLock;

use tollgate::{Algorithm, Dpop, Engine, Request};
use tollgate_issuer::SigningKey;
use tollgate_oracle::{SenderPlan, judge_sender};

use super::explained::compare_steps;
use crate::draft::Draft;
use crate::fixture::{NOW, issuer, signing_key};

static WORLD: LazyLock<(SigningKey, Engine)> = LazyLock::new(|| {
    let key = signing_key(Algorithm::HS256, 0);
    let engine = Engine::builder().issuer(issuer([&key])).dpop(Dpop::new().started_at(0)).build();
    (key, engine.expect("an issuer is enough"))
});

/// Presents the plan's token with its sender's proof and certificate, twice: a proof that was accepted is then a
/// replay. Returns the reasons for which the token may be rejected; none if it is accepted. A plan can be tried once
/// per process.
///
/// # Errors
/// The difference between the two.
pub fn agree_on_sender(plan: &SenderPlan) -> Result<BTreeSet<&'static str>, String> {
    let (key, engine) = &*WORLD;
    let cnf = plan.confirmation();
    let draft = Draft::new(key);
    let token = cnf.iter().fold(draft, |draft, cnf| draft.claim("cnf", cnf.clone())).sign(key);
    let presented = plan.presented(&token);
    let reasons = judge_sender(cnf.as_ref(), &token, &presented, NOW);
    let header = format!("{} {token}", if presented.is_dpop { "DPoP" } else { "Bearer" });
    let mut request = Request::new().authorization(&header);
    if let Some(certificate) = &presented.certificate {
        request = request.certificate(certificate);
    }
    if let Some(method) = presented.method {
        request = request.method(method);
    }
    if let Some(uri) = presented.uri {
        request = request.uri(uri);
    }
    request = presented.proofs.iter().fold(request, Request::proof);
    for is_second in [false, true] {
        let verdict = engine.verify_request_at(&request, NOW);
        let code = verdict.as_ref().err().map(tollgate::Rejection::code);
        let is_spent = is_second && presented.is_dpop;
        let agree = match code {
            None => reasons.is_empty() && !is_spent,
            Some("proof-replayed") => reasons.is_empty() && is_spent,
            Some(code) => reasons.contains(code),
        };
        if !agree {
            return Err(format!("plan {plan}: the engine says {code:?}, the oracle {reasons:?}"));
        }
        compare_steps(engine, &request, header.as_bytes(), &verdict, NOW)?;
    }
    Ok(reasons)
}
