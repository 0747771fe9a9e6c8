use tollgate::{Engine, ExplainedStep, Principal, Rejection, Request, StepOutcome};

/// Checks that the steps of a verify lead to its verdict, and show no secret.
pub(super) fn compare_steps(
    engine: &Engine,
    request: &Request<'_>,
    sent: &[u8],
    verdict: &Result<Principal, Rejection>,
    now: i64,
) -> Result<(), String> {
    let steps = engine.explain(request, verdict.as_ref(), now);
    let failed: Vec<&str> =
        steps.iter().filter(|step| step.outcome() == StepOutcome::Failed).map(ExplainedStep::name).collect();
    let told = || format!("{:?} is explained by {steps:?}", verdict.as_ref().map_err(Rejection::code));
    let is_last = steps.last().is_some_and(|step| step.outcome() == StepOutcome::Failed);
    if failed.len() != usize::from(verdict.is_err()) || is_last != verdict.is_err() {
        return Err(told());
    }
    let expected = verdict.as_ref().err().map_or(&[][..], |rejection| steps_of(rejection.code()));
    if !expected.is_empty() && !failed.iter().all(|failed| expected.contains(failed)) {
        return Err(told());
    }
    let sent = String::from_utf8_lossy(sent);
    let secret = sent.rsplit(['.', ' ']).next().filter(|secret| secret.len() > 16);
    let shows = |secret: &str| steps.iter().any(|step| step.detail().contains(secret));
    // Of a key, the end alone, too.
    let parts = secret.into_iter().chain(secret.and_then(|secret| secret.get(secret.len() - 12..)));
    match parts.into_iter().find(|secret| shows(secret)) {
        Some(_) => Err(format!("a secret is shown: {}", told())),
        None => Ok(()),
    }
}

/// The steps that a code can come from; none if these are many.
fn steps_of(code: &str) -> &'static [&'static str] {
    match code {
        "missing-credential" | "header-too-long" | "unsupported-scheme" => &["credential"],
        "encrypted-token" => &["parts"],
        "critical-header" | "unsupported-header" => &["header"],
        // The audience may choose one of an issuer's policies.
        "wrong-audience" => &["aud", "issuer"],
        "expired" => &["exp"],
        "not-yet-valid" => &["nbf"],
        "unknown-key" | "ambiguous-key" | "algorithm-mismatch" | "key-not-admitted" => &["key"],
        "disabled" => &["state"],
        "unknown-client" => &["table"],
        _ => &[],
    }
}
