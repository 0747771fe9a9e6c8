use std::mem::take;

use tollgate::{CacheConfig, Engine};
use tollgate_keys::test_hooks::signature_checks;
use tollgate_oracle::{PolicyPlan, Session, Step, Verdict};

use super::compare_verdicts;
use super::issuers::{Log, issuer};

/// Builds an engine with the plan's configuration, unless the configuration contradicts itself, and applies all events
/// to it and to the oracle. Returns the verdicts on the token; `None` for a configuration that has to be refused.
///
/// # Errors
/// The difference between the two.
pub fn agree_on_policy(plan: &PolicyPlan) -> Result<Option<Vec<Verdict>>, String> {
    let log = Log::default();
    let issuer = |described| issuer(described, Some(&log));
    // Small, so that it is created quickly.
    let cache = CacheConfig { bytes: 1 << 16, per_thread_slots: 1, ..CacheConfig::default() };
    let builder = Engine::builder().cache(cache);
    let builder = plan.world.issuers.iter().fold(builder, |builder, described| builder.issuer(issuer(described)));
    let (engine, mut session) = match (builder.build(), Session::begin(&plan.world)) {
        (Ok(engine), Some(session)) => (engine, session),
        (Err(_), None) => return Ok(None),
        (Ok(_), None) => return Err(format!("the engine takes a configuration that contradicts itself:\n{plan:?}")),
        (Err(error), Some(_)) => return Err(format!("the engine refuses the configuration, {error}:\n{plan:?}")),
    };
    let mut verdicts = Vec::new();
    for (number, step) in plan.steps.iter().enumerate() {
        let result = match step {
            Step::Verify(now) => {
                let verdict = present(&engine, &mut session, plan, *now, &log);
                verdict.map(|verdict| verdicts.push(verdict))
            }
            Step::Add(described) => {
                let (result, expected) = (engine.add_issuer(issuer(described)), session.add((**described).clone()));
                agree_on_change(result.map_err(|error| error.to_string()), expected)
            }
            Step::Replace(all) => {
                let result = engine.replace_issuers(all.iter().map(issuer));
                agree_on_change(result.map_err(|error| error.to_string()), session.replace(all.clone()))
            }
            Step::Remove(name) => {
                let result = if engine.remove_issuer(name) { Ok(()) } else { Err("there are none".to_owned()) };
                agree_on_change(result, session.remove(name))
            }
        };
        result.map_err(|what| format!("step {number}: {what}\n{plan:?}"))?;
    }
    Ok(Some(verdicts))
}

fn present(engine: &Engine, session: &mut Session, plan: &PolicyPlan, now: i64, log: &Log) -> Result<Verdict, String> {
    let before = signature_checks();
    let result = engine.verify_at(&plan.header, now);
    let checks = signature_checks() - before;
    let judged = session.judge(&plan.header, now);
    compare_verdicts(&result, &judged.verdict, checks, now)?;
    let run = take(&mut *log.lock().expect("no panic"));
    if run != judged.validators {
        return Err(format!("the engine runs the validators {run:?}, the oracle {:?}", judged.validators));
    }
    match (judged.is_known, checks, result.is_ok()) {
        (true, 1.., _) => Err("the engine checks the signature of a token that it knows".into()),
        (false, 0, true) => Err("the engine knows a token that has to be verified anew".into()),
        _ => Ok(judged.verdict),
    }
}

fn agree_on_change(result: Result<(), String>, can_be: bool) -> Result<(), String> {
    match result {
        Ok(()) if !can_be => Err("the engine makes a change that cannot be".into()),
        Err(error) if can_be => Err(format!("the engine refuses a change, {error}")),
        _ => Ok(()),
    }
}
