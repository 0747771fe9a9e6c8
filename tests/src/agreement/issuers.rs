use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tollgate::{
    Algorithm, Issuer, KeyRing, KeySet, KeyUses, Refusal, RefusalCode, ScopesFrom, TypProfile, TypSet, VerifiedClaims,
};
use tollgate_oracle::{ExpectedValue, Rule, Typ, Validator};

/// The codes of the validators that ran.
pub(super) type Log = Arc<Mutex<Vec<&'static str>>>;

/// The issuer that the oracle describes. Its validators write their codes into `log` when they run.
pub(super) fn issuer(described: &tollgate_oracle::Issuer, log: Option<&Log>) -> Issuer {
    let keys = keys_of(described);
    assert_eq!(keys.len(), described.keys.len(), "the usable keys of {}", described.name);
    let typ = match &described.typ {
        Typ::Jwt => TypProfile::Jwt,
        Typ::AccessToken => TypProfile::AccessToken,
        Typ::Both => TypProfile::JwtOrAccessToken,
        Typ::OneOf(types) => TypProfile::OneOf(TypSet::new(types.iter().copied()).expect("media types")),
    };
    let leeway = u32::try_from(described.leeway).expect("not negative");
    let issuer = match described.name.strip_prefix("spiffe://") {
        Some(domain) if described.is_trust_domain => Issuer::spiffe(domain),
        _ => Issuer::new(&described.name),
    };
    let mut issuer = issuer
        .keys(KeyRing::new(keys))
        .typ(typ)
        .leeway(leeway)
        .optional_claims(&described.optional)
        .audience_claims(&described.audience_claims)
        .client_claims(&described.client_claims)
        .subject_claims(&described.subject_claims)
        .scope_claims(&[])
        .scopes_from(if described.all_scopes { ScopesFrom::All } else { ScopesFrom::First })
        .max_list_entries(described.max_list_entries)
        .max_members(described.max_members);
    if let Some(uses) = &described.key_use {
        issuer = issuer.key_use(uses);
    }
    for (path, prefix) in &described.scope_claims {
        issuer = match *prefix {
            "" => issuer.scope_claim(path),
            prefix => issuer.prefixed_scope_claim(path, prefix),
        };
    }
    for (path, values) in &described.expected {
        let values = values.iter().map(|value| match value {
            ExpectedValue::String(text) => tollgate::ExpectedValue::from(*text),
            ExpectedValue::Integer(value) => (*value).into(),
            ExpectedValue::Bool(value) => (*value).into(),
        });
        issuer = issuer.expect_claim(path, values.collect::<Vec<_>>());
    }
    if let Some(path) = described.tenant_claim {
        issuer = issuer.tenant_claim(path);
    }
    if let Some(tenants) = &described.tenants {
        issuer = issuer.tenants(&tenants.iter().map(String::as_str).collect::<Vec<_>>());
    }
    for described in &described.validators {
        let validator = validator(*described, log.cloned());
        issuer = match described.on_each_hit {
            true => issuer.validator_on_each_hit(validator),
            false => issuer.validator(validator),
        };
    }
    issuer = described.audiences.iter().fold(issuer, |issuer, audience| issuer.audience(audience));
    issuer = described.required.iter().fold(issuer, |issuer, name| issuer.require_claim(name));
    if let Some(algorithms) = &described.algorithms {
        issuer = issuer.algorithms(&algorithms.iter().map(|name| algorithm(name)).collect::<Vec<_>>());
    }
    if described.any_audience {
        issuer = issuer.danger_accept_any_audience();
    }
    if described.missing_exp {
        issuer = issuer.danger_accept_missing_exp();
    }
    issuer
}

/// Cached: tables of elliptic keys take longer than everything else of a plan.
fn keys_of(described: &tollgate_oracle::Issuer) -> KeySet {
    static MADE: Mutex<BTreeMap<(String, Vec<&str>), KeySet>> = Mutex::new(BTreeMap::new());
    let name = (described.jwks.clone(), described.loaded_uses.clone());
    let is_elliptic = described.secrets.is_empty() && described.jwks.contains("P-256");
    if is_elliptic && let Some(keys) = MADE.lock().expect("no panic").get(&name) {
        return keys.clone();
    }
    let uses = KeyUses::new(described.loaded_uses.iter().copied()).expect("uses");
    let mut keys = KeySet::builder().key_uses(uses).jwks(described.jwks.as_bytes()).expect("a key set");
    for (kid, alg, secret) in &described.secrets {
        keys = keys.hmac(kid.as_deref(), algorithm(alg), secret);
    }
    let keys = keys.build_with_reports().set;
    if is_elliptic {
        let mut made = MADE.lock().expect("no panic");
        if made.len() >= 256 {
            made.clear();
        }
        made.insert(name, keys.clone());
    }
    keys
}

fn validator(
    described: Validator,
    log: Option<Log>,
) -> impl Fn(&VerifiedClaims<'_>) -> Result<(), Refusal> + Send + Sync + 'static {
    move |claims| {
        if let Some(log) = &log {
            log.lock().expect("no panic").push(described.code);
        }
        let passes = match described.rule {
            Rule::NotOfSubject(subject) => claims.subject() != Some(subject),
            Rule::NotOfClient(client) => claims.client_id() != Some(client),
            Rule::OfScope(scope) => claims.scopes().contains(scope),
            Rule::WithText(name) => matches!(claims.claim::<Value>(name), Ok(Some(Value::String(_)))),
            Rule::Before(time) => claims.now() < time,
        };
        if passes { Ok(()) } else { Err(RefusalCode::new(described.code).refuse("so the plan has it")) }
    }
}

pub(super) fn algorithm(name: &str) -> Algorithm {
    Algorithm::from_name(name).expect(name)
}
