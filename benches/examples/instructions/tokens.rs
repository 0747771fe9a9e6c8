use serde_json::{Value, json};
use tollgate::{Algorithm, CacheConfig, Engine, EngineBuilder, Revocation, Revocations, ScopesFrom};
use tollgate_issuer::SigningKey;
use tollgate_tests::{Draft, ISSUER, NOW, cold_engine, engine, issuer, signing_key, traffic_claims, traffic_token};

use crate::path::{INPUTS, Path};
use crate::steps;

/// The paths of JWTs, and the steps of the longest.
pub(crate) fn paths() -> Vec<Path> {
    let key = signing_key(Algorithm::HS256, 0);
    let one = || vec![bearer(traffic_token(&key, 0, NOW)); INPUTS];
    let many: Vec<_> = (0..10_000).map(|n| Revocation::token(ISSUER, &format!("revoked-{n}"))).collect();
    let (nothing, many) = (Revocations::new(), revoked(&many));
    let client = revoked(&[Revocation::client(ISSUER, "another-client")]);
    let mut paths = vec![
        Path::accepted("warm/of this thread", engine([&key]), one()),
        Path::accepted("warm/of all threads", without_fronts(&key), tokens(&key)),
        Path::accepted("warm/of this thread, 10,000 tokens revoked", with(&key, &many), one()),
        rechecked("warm/of this thread, a revocation before", with(&key, &nothing), nothing.clone(), one()),
        Path::accepted("cold/HS256, a client revoked", without_cache(&key, &client), tokens(&key)),
        Path::accepted("cold/HS256, 10,000 tokens revoked", without_cache(&key, &many), tokens(&key)),
        Path::accepted("warm/of this thread, mapped claims", mapped(&key).build().expect("an engine"), one()),
        Path::accepted("cold/HS256, mapped claims", mapped(&key).no_cache().build().expect("an engine"), tokens(&key)),
        Path::accepted("cold/HS256, all scopes", all_scopes(&key).no_cache().build().expect("an engine"), tokens(&key)),
    ];
    for (name, algorithm) in [
        ("cold/HS256", Algorithm::HS256),
        ("cold/RS256", Algorithm::RS256),
        ("cold/ES256", Algorithm::ES256),
        ("cold/EdDSA", Algorithm::EdDSA),
    ] {
        let key = signing_key(algorithm, 0);
        paths.push(Path::accepted(name, cold_engine([&key]), tokens(&key)));
    }
    paths.extend(rejections(&key));
    paths.extend(steps::paths(&key));
    paths
}

/// Every kind of rejection, by an engine with an empty cache.
fn rejections(key: &SigningKey) -> Vec<Path> {
    let stranger = signing_key(Algorithm::HS256, 1);
    let token = |index| traffic_token(key, index, NOW);
    let draft = |index| Draft::new(key).payload_text(traffic_claims(index, NOW).to_string());
    let claim = |name: &'static str, value: Value| {
        each(|index| {
            let mut claims = traffic_claims(index, NOW);
            claims[name] = value.clone();
            draft(index).payload_text(claims.to_string()).sign(key)
        })
    };
    let (nothing, zero) = (Revocations::new(), [0; 32]);
    let client = revoked(&[Revocation::client(ISSUER, "web-frontend-7")]);
    let rejected = |name, revocations, headers| Path::rejected(name, with(key, revocations), headers);
    vec![
        rejected("reject/header-too-long", &nothing, each(|_| "a".repeat(9000))),
        rejected("reject/unsupported-scheme", &nothing, vec!["Digest a".to_owned(); INPUTS]),
        rejected("reject/credential-not-accepted", &nothing, each(|index| token(index).replace('.', "-"))),
        rejected("reject/malformed-token, four parts", &nothing, each(|index| token(index) + ".e30")),
        rejected(
            "reject/malformed-token, no base64url",
            &nothing,
            each(|index| token(index).replacen(".ey", ".e+", 1)),
        ),
        rejected("reject/malformed-token, no JSON", &nothing, each(|index| draft(index).payload_text("{").sign(key))),
        rejected("reject/algorithm-not-allowed", &nothing, each(|index| draft(index).header("alg", "none").sign(key))),
        rejected("reject/unknown-issuer", &nothing, claim("iss", json!("https://auth.example.org/"))),
        rejected("reject/wrong-audience", &nothing, claim("aud", json!("https://api.example.org"))),
        rejected("reject/type-not-allowed", &nothing, each(|index| draft(index).header("typ", "at+jwt").sign(key))),
        rejected("reject/expired", &nothing, claim("exp", json!(NOW - 3600))),
        rejected("reject/not-yet-valid", &nothing, claim("nbf", json!(NOW + 3600))),
        rejected("reject/sender-constrained", &nothing, claim("cnf", json!({ "jwk": "a" }))),
        rejected("reject/unknown-key", &nothing, each(|index| traffic_token(&stranger, index, NOW))),
        rejected("reject/malformed-signature", &nothing, each(|index| draft(index).with_signature([0; 31]))),
        rejected("reject/bad-signature", &nothing, each(|index| draft(index).with_signature(zero))),
        rejected("reject/revoked", &client, tokens(key)),
    ]
}

/// A cached token that has to be checked against a new revocation of another token, each time.
fn rechecked(name: &'static str, engine: Engine, revocations: Revocations, headers: Vec<String>) -> Path {
    let other = Revocation::token(ISSUER, "another");
    Path::prepared(
        name,
        headers,
        move || revocations.revoke(&other),
        move |header| {
            engine.verify_at(header.as_bytes(), NOW).expect("a good token");
        },
    )
}

fn tokens(key: &SigningKey) -> Vec<String> {
    each(|index| traffic_token(key, index, NOW))
}

fn each(token: impl Fn(usize) -> String) -> Vec<String> {
    (0..INPUTS).map(|index| bearer(token(index))).collect()
}

fn bearer(token: String) -> String {
    format!("Bearer {token}")
}

fn revoked(revocations: &[Revocation]) -> Revocations {
    let table = Revocations::new();
    table.revoke_all(revocations);
    table
}

fn with(key: &SigningKey, revocations: &Revocations) -> Engine {
    Engine::builder().issuer(issuer([key])).revocations(revocations.clone()).build().expect("an issuer is enough")
}

fn without_cache(key: &SigningKey, revocations: &Revocations) -> Engine {
    let engine = Engine::builder().issuer(issuer([key])).revocations(revocations.clone()).no_cache();
    engine.build().expect("an issuer is enough")
}

/// An issuer with mapped and expected claims, as in the first example of docs/claims.md.
fn mapped(key: &SigningKey) -> EngineBuilder {
    let issuer = issuer([key])
        .audience_claims(&["aud", "client_id"])
        .client_claims(&["client_id", "azp", "cid", "appid"])
        .subject_claims(&["sub", "client_id"])
        .scope_claims(&["scope", "scp", "permissions", "/realm_access/roles"])
        .expect_claim("roles", ["admin", "publisher"]);
    Engine::builder().issuer(issuer)
}

/// An issuer whose scopes are in several claims, of which the token has five.
fn all_scopes(key: &SigningKey) -> EngineBuilder {
    let issuer = issuer([key]).scope_claims(&["scope", "scp", "permissions"]).prefixed_scope_claim("roles", "role:");
    Engine::builder().issuer(issuer.scopes_from(ScopesFrom::All))
}

/// A thread's own table has one slot, so that tokens in turn are found in the shared table.
fn without_fronts(key: &SigningKey) -> Engine {
    let cache = CacheConfig { per_thread_slots: 1, ..CacheConfig::default() };
    Engine::builder().issuer(issuer([key])).cache(cache).build().expect("an issuer is enough")
}
