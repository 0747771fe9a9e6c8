//! Custom validators (documentation of `Issuer::validator`).

use crate::json::Json;
use crate::verdict::Facts;
use crate::world::{Issuer, Rule, Validator};

/// The code of the first validator that refuses. Those that run once come before those that run each time. Records which were
/// run.
pub(crate) fn refusal(
    issuer: &Issuer,
    is_known: bool,
    facts: &Facts,
    now: i64,
    run: &mut Vec<&'static str>,
) -> Option<&'static str> {
    let once = issuer.validators.iter().filter(|validator| !validator.on_each_hit && !is_known);
    let each_time = issuer.validators.iter().filter(|validator| validator.on_each_hit);
    let refuses = |validator: &&Validator| {
        run.push(validator.code);
        !passes(validator.rule, facts, now)
    };
    once.chain(each_time).find(refuses).map(|validator| validator.code)
}

fn passes(rule: Rule, facts: &Facts, now: i64) -> bool {
    match rule {
        Rule::NotOfSubject(subject) => facts.subject.as_deref() != Some(subject),
        Rule::NotOfClient(client) => facts.client_id.as_deref() != Some(client),
        Rule::OfScope(scope) => facts.scopes.iter().any(|one| one == scope),
        Rule::WithText(claim) => {
            matches!(facts.claims.as_ref().and_then(|claims| claims.get(claim)), Some(Json::String(_)))
        }
        Rule::Before(time) => now < time,
    }
}
