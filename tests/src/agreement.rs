//! The engine and the oracle on the same credentials. They have to agree on everything.

mod explained;
mod issuers;
mod policy;
mod senders;

pub use policy::agree_on_policy;
pub use senders::agree_on_sender;

use std::fmt;
use std::sync::LazyLock;

use serde_json::{Value, json};
use tollgate::apikeys::KeyDigest;
use tollgate::{ApiKeyTable, Engine, KeyFormat, KeyRecord, KeyState, Principal, Rejection, Request};
use tollgate_keys::test_hooks::signature_checks;
use tollgate_oracle::{Facts, Json, Kind, NOW, Plan, State, Trial, Verdict, World};

use explained::compare_steps;
use issuers::{algorithm, issuer};

/// A credential on which they disagree.
#[derive(Debug)]
pub struct Disagreement {
    /// How the credential was made.
    pub plan: Plan,
    /// The credential, and the times at which it was presented.
    pub trial: Trial,
    /// The difference.
    pub what: String,
}

/// Presents the plan's credential to both, and again at another time, when the engine may have it in its cache.
///
/// # Errors
/// [`Disagreement`] if their verdicts differ.
pub fn agree(plan: &Plan) -> Result<Verdict, Box<Disagreement>> {
    let trial = plan.trial();
    let [first, second] = trial.times;
    let compare = |now| compare(&ENGINE, &WORLD, &trial, now);
    let verdict = compare(first).and_then(|verdict| compare(second).map(|_| verdict));
    verdict.map_err(|what| Box::new(Disagreement { plan: plan.clone(), trial, what }))
}

/// The engine for the oracle's world, in which [`Plan::untouched`] are valid tokens of every algorithm of this build.
#[must_use]
pub fn engine() -> &'static Engine {
    &ENGINE
}

impl Disagreement {
    /// A disagreement of a smaller plan, as small as can be found.
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
    compare_verdicts(&result, &verdict, signature_checks() - before, now)?;
    // This costs as much as the verify itself, so only some headers are explained.
    if trial.header.len().is_multiple_of(4) {
        let request = if trial.is_api_key_header {
            Request::new().api_key(&trial.header)
        } else {
            Request::new().authorization(&trial.header)
        };
        compare_steps(engine, &request, &trial.header, &result, now)?;
    }
    Ok(verdict)
}

/// `checks`: the number of signatures that the engine has checked for its verdict.
fn compare_verdicts(
    result: &Result<Principal, Rejection>,
    verdict: &Verdict,
    checks: u64,
    now: i64,
) -> Result<(), String> {
    match (result, verdict) {
        (Ok(principal), Verdict::Accept(facts)) => compare_facts(principal, facts)?,
        (Err(rejection), Verdict::Reject(reasons)) => {
            let code = rejection.code();
            if !reasons.contains(code) {
                return Err(format!("at {now} the engine says {code:?}, the oracle {reasons:?}"));
            }
            // Everything that can be rejected without a signature check has to be.
            let comes_after = code == Rejection::BadSignature.code() || code.starts_with("validator-");
            if checks > 0 && !comes_after {
                return Err(format!("{checks} signatures were checked before {code:?}"));
            }
        }
        (Ok(principal), Verdict::Reject(reasons)) => {
            return Err(format!("at {now} the engine accepts {principal:?}, the oracle says {reasons:?}"));
        }
        (Err(rejection), Verdict::Accept(facts)) => {
            return Err(format!("at {now} the engine says {:?}, the oracle accepts {facts:?}", rejection.code()));
        }
    }
    if checks > 4 { Err(format!("{checks} signatures were checked")) } else { Ok(()) }
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

/// Whether the value that the engine returns is the one that the oracle read.
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
        .fold(builder, |builder, described| builder.issuer(issuer(described, None)))
        .build()
        .expect("an engine")
});

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

const _: () = assert!(NOW == crate::NOW, "both tell the same time");
