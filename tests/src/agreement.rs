//! The engine and the oracle on the same credentials: they have to agree on everything.

use std::fmt;
use std::sync::LazyLock;

use serde_json::{Value, json};
use tollgate::apikeys::KeyDigest;
use tollgate::{
    Algorithm, ApiKeyTable, CacheConfig, Engine, Issuer, KeyFormat, KeyRecord, KeyRing, KeySet, KeyState, Principal,
    Rejection, ScopesFrom, TypProfile, TypSet,
};
use tollgate_keys::test_hooks::signature_checks;
use tollgate_oracle::{ExpectedValue, Facts, Json, Kind, NOW, Plan, PolicyPlan, State, Trial, Typ, Verdict, World};

/// A credential on which they do not.
#[derive(Debug)]
pub struct Disagreement {
    /// How the credential was made.
    pub plan: Plan,
    /// The credential and when it was presented.
    pub trial: Trial,
    /// What one says and the other does not.
    pub what: String,
}

/// Makes the plan's credential, presents it to both, and again at another time, when the engine may have it in its cache.
///
/// # Errors
/// [`Disagreement`].
pub fn agree(plan: &Plan) -> Result<Verdict, Box<Disagreement>> {
    let trial = plan.trial();
    let [first, second] = trial.times;
    let compare = |now| compare(&ENGINE, &WORLD, &trial, now);
    let verdict = compare(first).and_then(|verdict| compare(second).map(|_| verdict));
    verdict.map_err(|what| Box::new(Disagreement { plan: plan.clone(), trial, what }))
}

/// Builds an engine of the plan's configuration, unless that contradicts itself, and presents its token to both, twice.
/// Returns the verdict on a token; `None` for a configuration that has to be refused.
///
/// # Errors
/// What one says and the other does not.
pub fn agree_on_policy(plan: &PolicyPlan) -> Result<Option<Verdict>, String> {
    // Small, so that it is made in no time.
    let cache = CacheConfig { bytes: 1 << 16, per_thread_slots: 1, ..CacheConfig::default() };
    let builder = plan
        .world
        .issuers
        .iter()
        .fold(Engine::builder().cache(cache), |builder, described| builder.issuer(issuer(described)));
    let engine = match (builder.build(), plan.is_contradictory()) {
        (Ok(engine), false) => engine,
        (Err(_), true) => return Ok(None),
        (Ok(_), true) => return Err(format!("the engine takes a configuration that contradicts itself:\n{plan:?}")),
        (Err(error), false) => return Err(format!("the engine refuses the configuration, {error}:\n{plan:?}")),
    };
    let trial = Trial { header: plan.header.clone(), is_api_key_header: false, times: plan.times };
    let [first, second] = plan.times;
    let compare = |now| compare(&engine, &plan.world, &trial, now).map_err(|what| format!("{what}\n{plan:?}"));
    let verdict = compare(first)?;
    compare(first)?;
    compare(second)?;
    Ok(Some(verdict))
}

/// The engine in the oracle's world, in which [`Plan::untouched`] are good tokens of every algorithm of this build.
#[must_use]
pub fn engine() -> &'static Engine {
    &ENGINE
}

impl Disagreement {
    /// Another one that comes from less, if there is one.
    #[must_use]
    pub fn minimal(self: Box<Self>) -> Box<Self> {
        let mut found = self;
        while let Some(smaller) = found.plan.smaller().iter().find_map(|plan| agree(plan).err()) {
            found = smaller;
        }
        found
    }
}

impl fmt::Display for Disagreement {
    /// One line of JSON.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hex: String = self.plan.to_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        let line = json!({
            "plan": hex,
            "mutations": format!("{:?}", self.plan.mutations),
            "header": String::from_utf8_lossy(&self.trial.header),
            "times": self.trial.times,
            "what": self.what,
        });
        line.fmt(f)
    }
}

fn compare(engine: &Engine, world: &World, trial: &Trial, now: i64) -> Result<Verdict, String> {
    let before = signature_checks();
    let (result, verdict) = if trial.is_api_key_header {
        (engine.verify_api_key_at(&trial.header, now), tollgate_oracle::judge_api_key(world, &trial.header, now))
    } else {
        (engine.verify_at(&trial.header, now), tollgate_oracle::judge(world, &trial.header, now))
    };
    let checks = signature_checks() - before;
    match (&result, &verdict) {
        (Ok(principal), Verdict::Accept(facts)) => compare_facts(principal, facts)?,
        (Err(rejection), Verdict::Reject(reasons)) => {
            if !reasons.contains(rejection.code()) {
                return Err(format!("at {now} the engine says {:?}, the oracle {reasons:?}", rejection.code()));
            }
            // What can be rejected without a signature check is.
            if checks > 0 && rejection.code() != Rejection::BadSignature.code() {
                return Err(format!("{checks} signatures were checked before {:?}", rejection.code()));
            }
        }
        (Ok(principal), Verdict::Reject(reasons)) => {
            return Err(format!("at {now} the engine accepts {principal:?}, the oracle says {reasons:?}"));
        }
        (Err(rejection), Verdict::Accept(facts)) => {
            return Err(format!("at {now} the engine says {:?}, the oracle accepts {facts:?}", rejection.code()));
        }
    }
    if checks > 4 {
        return Err(format!("{checks} signatures were checked"));
    }
    Ok(verdict)
}

fn compare_facts(principal: &Principal, facts: &Facts) -> Result<(), String> {
    let owned = |text: Option<&str>| text.map(str::to_owned);
    let told = Facts {
        kind: principal.kind().as_str(),
        issuer: owned(principal.issuer()),
        subject: owned(principal.subject()),
        audience: principal.audience().map(str::to_owned).collect(),
        scopes: principal.scopes().iter().map(str::to_owned).collect(),
        client_id: owned(principal.client_id()),
        credential_id: owned(principal.credential_id()),
        key_id: owned(principal.key_id()),
        expires_at: principal.expires_at(),
        claims: facts.claims.clone(),
    };
    if told != *facts {
        return Err(format!("the engine tells {told:?}, the oracle {facts:?}"));
    }
    let claims: Value = principal.claims().map_err(|error| error.to_string())?;
    match &facts.claims {
        Some(expected) if !is_same(&claims, expected) => Err(format!("claims {claims}, and {expected:?}")),
        None if claims != json!({}) => Err(format!("claims {claims} without a token")),
        _ => Ok(()),
    }
}

/// Whether the value that the engine hands out is the one that the oracle read.
fn is_same(value: &Value, expected: &Json) -> bool {
    match (value, expected) {
        (Value::Null, Json::Null) => true,
        (Value::Bool(value), Json::Bool(expected)) => value == expected,
        (Value::String(value), Json::String(expected)) => value == expected,
        (Value::Number(value), Json::Number(expected)) => {
            let is_same_integer = value.as_i128().is_some_and(|value| expected.parse() == Ok(value));
            is_same_integer || value.as_f64() == expected.parse().ok()
        }
        (Value::Array(values), Json::Array(expected)) => {
            values.len() == expected.len()
                && values.iter().zip(expected).all(|(value, expected)| is_same(value, expected))
        }
        (Value::Object(values), Json::Object(expected)) => {
            let is_in =
                |(name, expected): &(String, Json)| values.get(name).is_some_and(|value| is_same(value, expected));
            values.len() == expected.len() && expected.iter().all(is_in)
        }
        _ => false,
    }
}

/// The oracle's world without the keys of algorithms that this build has no backend for (docs/algorithms.md).
static WORLD: LazyLock<World> = LazyLock::new(|| {
    let World { issuers, prefix, env, credentials, max_header_bytes } = tollgate_oracle::world();
    let mut issuers = issuers.clone();
    for issuer in &mut issuers {
        issuer.keys.retain(|key| algorithm(&key.alg).is_supported());
    }
    World { issuers, prefix, env, credentials: credentials.clone(), max_header_bytes: *max_header_bytes }
});

/// An engine of the same configuration.
static ENGINE: LazyLock<Engine> = LazyLock::new(|| {
    let format = KeyFormat::new(WORLD.prefix, WORLD.env).expect("a format");
    let table = ApiKeyTable::new(format);
    for credential in &WORLD.credentials {
        let digest = table.digest_of(credential.secret.as_bytes()).expect("native or foreign");
        assert_eq!(matches!(digest, KeyDigest::Native(_)), credential.native);
        table.insert(digest, record(credential));
    }
    let builder = Engine::builder().api_keys(table).max_header_bytes(WORLD.max_header_bytes);
    WORLD
        .issuers
        .iter()
        .fold(builder, |builder, described| builder.issuer(issuer(described)))
        .build()
        .expect("an engine")
});

fn issuer(described: &tollgate_oracle::Issuer) -> Issuer {
    let mut keys = KeySet::builder().jwks(described.jwks.as_bytes()).expect("a key set");
    for (kid, alg, secret) in &described.secrets {
        keys = keys.hmac(kid.as_deref(), algorithm(alg), secret);
    }
    let keys = keys.build_with_reports().set;
    assert_eq!(keys.len(), described.keys.len(), "the usable keys of {}", described.name);
    let typ = match &described.typ {
        Typ::Jwt => TypProfile::Jwt,
        Typ::AccessToken => TypProfile::AccessToken,
        Typ::Both => TypProfile::JwtOrAccessToken,
        Typ::OneOf(types) => TypProfile::OneOf(TypSet::new(types.iter().copied()).expect("media types")),
    };
    let leeway = u32::try_from(described.leeway).expect("not negative");
    let mut issuer = Issuer::new(described.name)
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

fn record(credential: &tollgate_oracle::Credential) -> KeyRecord {
    let new = match credential.kind {
        Kind::ApiKey => KeyRecord::api_key,
        Kind::ClientSecret => KeyRecord::client_secret,
        Kind::AccessToken => KeyRecord::access_token,
    };
    let state = match credential.state {
        State::Active => KeyState::Active,
        State::Disabled => KeyState::Disabled,
        State::Revoked => KeyState::Revoked,
    };
    new(credential.id, credential.subject)
        .scopes(credential.scopes.iter().copied())
        .state(state)
        .client_id(credential.client)
        .not_before(credential.not_before)
        .expires_at(credential.expires_at)
        .build()
}

fn algorithm(name: &str) -> Algorithm {
    Algorithm::from_name(name).expect(name)
}

const _: () = assert!(NOW == crate::NOW, "both tell the same time");
