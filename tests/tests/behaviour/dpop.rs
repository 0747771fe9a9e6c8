//! Tokens that are bound to a key, and their proofs of possession (DPoP, RFC 9449).

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use proptest::prelude::*;
use serde_json::{Value, json};
use tollgate::{
    Algorithm, Dpop, Engine, NotSpent, Rejection, ReplayMemory, ReplayStore, Request, Revocation, Revocations,
    SpentProof,
};
use tollgate_issuer::SigningKey;
use tollgate_jwt::base64url;
use tollgate_keys::test_hooks::{ecdsa_tables_computed, signature_checks};
use tollgate_tests::{Draft, ISSUER, NOW, ProofDraft, issuer, signing_key};

const URI: &str = "https://api.example.com/sites";

struct World {
    key: SigningKey,
    client: SigningKey,
    engine: Engine,
    token: String,
}

impl World {
    fn new() -> Self {
        Self::with(dpop())
    }

    fn with(dpop: Dpop) -> Self {
        let (key, client) = (signing_key(Algorithm::EdDSA, 0), signing_key(Algorithm::ES256, 1));
        let engine = Engine::builder().issuer(issuer([&key])).dpop(dpop).build().unwrap();
        let token = Draft::new(&key).bound_to(&client).sign(&key);
        World { key, client, engine, token }
    }

    fn draft(&self) -> ProofDraft {
        ProofDraft::new(&self.client, "GET", URI, &self.token)
    }

    fn verify_at(&self, proof: &str, now: i64) -> Result<(), Rejection> {
        let header = format!("DPoP {}", self.token);
        let request = Request::new().authorization(&header).method("GET").uri(URI).proof(proof);
        self.engine.verify_request_at(&request, now).map(drop)
    }

    fn code(&self, proof: &str) -> Result<(), &'static str> {
        self.verify_at(proof, NOW).map_err(|rejection| rejection.code())
    }
}

/// Settings with a start long ago.
fn dpop() -> Dpop {
    Dpop::new().started_at(0)
}

/// A client has few proofs to check; a key's tables cost as much as several checks, and memory.
#[test]
fn keys_of_proofs_get_no_tables() {
    let (world, before) = (World::new(), ecdsa_tables_computed());
    for number in 0..100 {
        assert_eq!(world.code(&world.draft().claim("jti", number.to_string()).sign(&world.client)), Ok(()));
    }
    assert_eq!(ecdsa_tables_computed(), before);
}

#[test]
fn a51_a_bound_token_is_accepted_with_a_proof_and_each_proof_once() {
    for algorithm in [Algorithm::ES256, Algorithm::EdDSA, Algorithm::RS256, Algorithm::PS256] {
        let (key, client) = (signing_key(Algorithm::EdDSA, 0), signing_key(algorithm, 1));
        let engine = Engine::builder().issuer(issuer([&key])).dpop(dpop()).build().unwrap();
        let token = Draft::new(&key).bound_to(&client).sign(&key);
        let world = World { key, client, engine, token };
        for jti in 0..4 {
            let proof = world.draft().claim("jti", jti.to_string()).sign(&world.client);
            let before = signature_checks();
            assert_eq!(world.code(&proof), Ok(()), "{algorithm} {jti}");
            assert_eq!(signature_checks() - before, if jti == 0 { 2 } else { 1 }, "the token is known after the first");
            for _ in 0..2 {
                assert_eq!(world.code(&proof), Err("proof-replayed"));
            }
        }
    }
}

#[test]
fn a51_a_bound_token_is_no_bearer_token_and_an_unbound_one_no_dpop_token() {
    let world = World::new();
    let World { token, engine, .. } = &world;
    let proof = world.draft().sign(&world.client);
    let unbound = Draft::new(&world.key).sign(&world.key);
    let code = |header: &str, proof: Option<&str>| {
        let request = Request::new().authorization(header).method("GET").uri(URI);
        let request = proof.map_or(request, |proof| request.proof(proof));
        engine
            .verify_request_at(&request, NOW)
            .map(drop)
            .map_err(|rejection| (rejection.code(), rejection.status(), rejection.challenge().to_string()))
    };
    let algs = r#"algs="RS256 PS256 ES256 EdDSA""#;
    let invalid = |code| Err((code, 401, format!(r#"DPoP error="invalid_token", {algs}"#)));
    // Cold and from the cache.
    for _ in 0..3 {
        for header in [token.clone(), format!("Bearer {token}"), format!("bearer  {token}")] {
            assert_eq!(code(&header, None), invalid("proof-required"));
            assert_eq!(code(&header, Some(&proof)), invalid("dpop-scheme-required"));
        }
        assert_eq!(code(&format!("DPoP {token}"), None), invalid("proof-required"));
        for proof in [None, Some(&*proof)] {
            assert_eq!(code(&format!("DPoP {unbound}"), proof), invalid("token-not-bound"));
            assert_eq!(code(&format!("Bearer {unbound}"), proof), Ok(()));
        }
        let other = world.draft().claim("jti", format!("other-{}", signature_checks())).sign(&world.client);
        assert_eq!(code(&format!("dpop  {token}"), Some(&other)), Ok(()));
    }
    // The rejection of a token is challenged in the scheme that the token was sent with.
    let expired = Draft::new(&world.key).bound_to(&world.client).claim("exp", NOW - 100).sign(&world.key);
    assert_eq!(code(&format!("DPoP {expired}"), Some(&proof)), invalid("expired"));
    assert_eq!(code("DPoP nonsense!\"", None).unwrap_err().0, "malformed-credential");
    let none = Engine::builder().issuer(issuer([&world.key])).no_dpop().build().unwrap();
    let header = format!("DPoP {token}");
    let request = Request::new().authorization(&header).method("GET").uri(URI).proof(&proof);
    assert_eq!(none.verify_request_at(&request, NOW).unwrap_err(), Rejection::UnsupportedScheme);
    let bearer = Request::new().authorization(token).method("GET").uri(URI).proof(&proof);
    assert_eq!(none.verify_request_at(&bearer, NOW).unwrap_err().code(), "sender-constrained");
}

#[test]
fn a51_a_proof_says_what_rfc_9449_requires() {
    let world = World::new();
    let other = signing_key(Algorithm::ES256, 2);
    let jwk = |key: &SigningKey| serde_json::from_str::<Value>(&key.public_jwk().unwrap()).unwrap();
    let with_private = |member: &str, value: Value| {
        let mut jwk = jwk(&world.client);
        jwk[member] = value;
        world.draft().header("jwk", jwk)
    };
    let d = || world.draft();
    let longer = "x".repeat(9000);
    let cases = [
        (d().header("typ", "JWT"), "proof-type-not-allowed"),
        (d().header("typ", "dpop+jwt "), "proof-type-not-allowed"),
        (d().header("typ", 1), "malformed-proof"),
        (d().header("alg", "none"), "proof-algorithm-not-allowed"),
        (d().header("alg", "HS256"), "proof-algorithm-not-allowed"),
        (d().header("alg", "ES384"), "proof-algorithm-not-allowed"),
        (d().header("alg", "EdDSA"), "proof-key-refused"),
        (d().header("alg", "es256"), "proof-algorithm-not-allowed"),
        (d().header("crit", json!(["exp"])), "malformed-proof"),
        (d().header("jwk", Value::Null), "malformed-proof"),
        (d().header("jwk", "x"), "malformed-proof"),
        (d().header("jwk", json!({"kty": "oct", "k": "AAAA"})), "proof-key-refused"),
        (d().header("jwk", json!({})), "proof-key-refused"),
        (with_private("d", json!("AAAA")), "proof-key-refused"),
        (with_private("d", Value::Null), "proof-key-refused"),
        (with_private("k", json!("AAAA")), "proof-key-refused"),
        (with_private("x", json!("AAAA")), "proof-key-refused"),
        (with_private("alg", json!("ES384")), "proof-key-refused"),
        (with_private("use", json!("enc")), "proof-key-refused"),
        (d().header("jwk", jwk(&other)), "wrong-proof-key"),
        (d().claim("jti", Value::Null), "malformed-proof"),
        (d().claim("jti", ""), "malformed-proof"),
        (d().claim("jti", 1), "malformed-proof"),
        (d().claim("htm", Value::Null), "malformed-proof"),
        (d().claim("htm", "get"), "wrong-proof-method"),
        (d().claim("htm", "POST"), "wrong-proof-method"),
        (d().claim("htm", ""), "wrong-proof-method"),
        (d().claim("htu", Value::Null), "malformed-proof"),
        (d().claim("htu", json!([URI])), "malformed-proof"),
        (d().claim("htu", "/sites"), "wrong-proof-uri"),
        (d().claim("htu", "http://api.example.com/sites"), "wrong-proof-uri"),
        (d().claim("htu", "https://api.example.com/sites/"), "wrong-proof-uri"),
        (d().claim("htu", "https://api.example.com/Sites"), "wrong-proof-uri"),
        (d().claim("htu", "https://api.example.com.evil/sites"), "wrong-proof-uri"),
        (d().claim("htu", "https://api.example.com@evil/sites"), "wrong-proof-uri"),
        (d().claim("iat", Value::Null), "malformed-proof"),
        (d().claim("iat", "now"), "malformed-proof"),
        (d().claim("iat", i64::MIN), "proof-too-old"),
        (d().claim("iat", i64::MAX), "proof-not-yet-issued"),
        (d().claim("iat", NOW - 61), "proof-too-old"),
        (d().claim("iat", NOW + 6), "proof-not-yet-issued"),
        (d().claim("exp", NOW - 6), "proof-too-old"),
        (d().claim("nbf", NOW + 6), "proof-not-yet-issued"),
        (d().claim("ath", Value::Null), "malformed-proof"),
        (d().claim("ath", ""), "wrong-proof-token"),
        (d().claim("ath", base64url::encode([7; 32])), "wrong-proof-token"),
        (d().claim("padding", longer), "proof-too-long"),
    ];
    for (draft, code) in cases {
        let proof = draft.sign(&world.client);
        assert_eq!(world.code(&proof), Err(code), "{:?} {:?}", draft.header, draft.claims);
    }
    let good = world.draft().sign(&world.client);
    let (input, _) = good.rsplit_once('.').unwrap();
    let forged = [
        (format!("{input}.{}", base64url::encode([1; 64])), "bad-proof-signature"),
        (format!("{input}."), "bad-proof-signature"),
        (format!("{good}="), "bad-proof-signature"),
        (world.draft().sign(&other), "bad-proof-signature"),
        (String::new(), "malformed-proof"),
        ("é".to_owned(), "malformed-proof"),
        (format!("{good}, {good}"), "malformed-proof"),
        (input.to_owned(), "malformed-proof"),
    ];
    for (proof, code) in forged {
        assert_eq!(world.code(&proof), Err(code), "{proof}");
    }
    // None of these rejections has spent the proof, or cached a key.
    assert_eq!(world.code(&good), Ok(()));
    for iat in [NOW - 60, NOW + 5] {
        assert_eq!(
            world.code(&world.draft().claim("jti", iat.to_string()).claim("iat", iat).sign(&world.client)),
            Ok(())
        );
    }
}

#[test]
fn a51_a_request_has_one_proof_and_is_known_as_a_whole() {
    let world = World::new();
    let (header, proof) = (format!("DPoP {}", world.token), world.draft().sign(&world.client));
    let request = Request::new().authorization(&header);
    let whole = request.method("GET").uri(URI).proof(&proof);
    let code = |request: Request<'_>| world.engine.verify_request_at(&request, NOW).map(drop).map_err(|r| r.code());
    assert_eq!(code(whole.proof(&proof)), Err("multiple-proofs"));
    assert_eq!(code(whole.proof("")), Err("multiple-proofs"));
    assert_eq!(code(request.uri(URI).proof(&proof)), Err("method-required"));
    assert_eq!(code(request.method("GET").proof(&proof)), Err("uri-required"));
    assert_eq!(code(request.method("GET").uri_of("https://api.example.com", "/sites").proof(&proof)), Ok(()));
    assert_eq!(code(whole), Err("proof-replayed"));
}

#[test]
fn a51_a_proof_is_spent_for_nothing_but_an_acceptance() {
    let (key, client) = (signing_key(Algorithm::EdDSA, 0), signing_key(Algorithm::ES256, 1));
    let (revocations, ring) = (Revocations::new(), tollgate::KeyRing::new(tollgate::KeySet::default()));
    let issuer = tollgate::Issuer::new(ISSUER).audience(tollgate_tests::AUDIENCE).keys(ring.clone());
    let engine = Engine::builder().issuer(issuer).revocations(revocations.clone()).dpop(dpop()).build().unwrap();
    let token = Draft::new(&key).bound_to(&client).sign(&key);
    let world = World { key, client, engine, token };
    let proof = world.draft().sign(&world.client);
    // The token's key is fetched, and the request verified again, as an async verifier does.
    assert_eq!(world.code(&proof), Err("unknown-key"));
    let rejection = world.verify_at(&proof, NOW).unwrap_err();
    assert!(rejection.missing_key().is_some());
    ring.replace(tollgate_tests::key_set([&world.key]));
    assert_eq!(world.verify_at(&proof, NOW + 60).map_err(|r| r.code()), Ok(()));
    let second = world.draft().claim("jti", "2").sign(&world.client);
    revocations.revoke(&Revocation::token(ISSUER, "token-1"));
    assert_eq!(world.code(&second), Err("revoked"));
    assert_eq!(world.code(&second), Err("revoked"), "a token that is good no more spends none");
}

#[test]
fn a51_of_many_threads_that_send_one_proof_one_is_accepted() {
    let world = World::new();
    for round in 0..200 {
        let proof = world.draft().claim("jti", round.to_string()).sign(&world.client);
        let accepted = AtomicUsize::new(0);
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| match world.code(&proof) {
                    Ok(()) => drop(accepted.fetch_add(1, Ordering::Relaxed)),
                    Err(code) => assert_eq!(code, "proof-replayed"),
                });
            }
        });
        assert_eq!(accepted.into_inner(), 1);
    }
}

#[test]
fn a51_nothing_from_before_the_start_is_accepted() {
    let start = NOW;
    let world = World::with(Dpop::new().started_at(start));
    for iat in [start - 1, start, start + 5] {
        let proof = world.draft().claim("iat", iat).sign(&world.client);
        assert_eq!(world.code(&proof), Err("proof-forgotten"), "{iat}");
    }
    let later = world.draft().claim("iat", start + 6).sign(&world.client);
    assert_eq!(world.verify_at(&later, start + 6).map_err(|r| r.code()), Ok(()));
    // By default, the start is when the engine is built, by its own clock.
    let engine = Engine::builder().issuer(issuer([&world.key])).clock(move || start).build().unwrap();
    let world = World { engine, ..world };
    assert_eq!(world.code(&world.draft().sign(&world.client)), Err("proof-forgotten"));
    assert_eq!(world.verify_at(&later, start + 6).map_err(|r| r.code()), Ok(()));
}

#[test]
fn a51_settings_of_proofs_that_cannot_work_are_refused() {
    let key = signing_key(Algorithm::EdDSA, 0);
    for (dpop, message) in [
        (Dpop::new().algorithms([]), "no algorithm"),
        (Dpop::new().algorithms([Algorithm::HS256]), "symmetric"),
        (Dpop::new().max_age(0), "max_age"),
        (Dpop::new().max_age(601), "max_age"),
        (Dpop::new().replay_bytes(0), "replay_bytes"),
    ] {
        let error = Engine::builder().issuer(issuer([&key])).dpop(dpop).build().unwrap_err();
        assert!(error.to_string().contains(message), "{error}");
    }
}

#[test]
fn both_bindings_of_a_token_are_checked() {
    let (key, client) = (signing_key(Algorithm::EdDSA, 0), signing_key(Algorithm::ES256, 1));
    let engine = Engine::builder().issuer(issuer([&key])).dpop(dpop()).build().unwrap();
    let cnf = json!({
        "jkt": base64url::encode(client.verifying_key().thumbprint()), "x5t#S256": base64url::encode([7; 32]),
    });
    let token = Draft::new(&key).claim("cnf", cnf).sign(&key);
    let (header, proof) = (format!("DPoP {token}"), ProofDraft::new(&client, "GET", URI, &token).sign(&client));
    let request = Request::new().authorization(&header).method("GET").uri(URI);
    let code = |request: Request<'_>| engine.verify_request_at(&request, NOW).map(drop).map_err(|r| r.code());
    for _ in 0..2 {
        assert_eq!(code(request.proof(&proof)), Err("certificate-required"));
        assert_eq!(code(request.certificate_digest([7; 32])), Err("proof-required"));
        assert_eq!(code(request.proof(&proof).certificate_digest([8; 32])), Err("wrong-certificate"));
    }
    assert_eq!(code(request.proof(&proof).certificate_digest([7; 32])), Ok(()));
}

/// RFC 9449 section 7.1, figure 12 and the token beside it, whose `ath` the proof has.
#[test]
fn the_proof_of_rfc_9449_is_one() {
    let proof = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIjoiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFtcGxlLm9yZy9wcm90ZWN0ZWRyZXNvdXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNFc05yV0JiMHhXWG9hTnk1OUlpS0NBcWtzbVFFbyJ9.2oW9RP35yRqzhrtNP86L-Ey71EOptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA";
    let key = signing_key(Algorithm::EdDSA, 0);
    let engine = Engine::builder().issuer(issuer([&key])).dpop(dpop()).build().unwrap();
    let bound = |jkt: &str| Draft::new(&key).claim("cnf", json!({ "jkt": jkt })).sign(&key);
    let code = |token: &str, uri: &str| {
        let header = format!("DPoP {token}");
        let request = Request::new().authorization(&header).method("GET").uri(uri).proof(proof);
        engine.verify_request_at(&request, 1_562_262_618).unwrap_err().code()
    };
    // The token of the example is opaque, so of all claims of the proof only `ath` is wrong here.
    let token = bound("0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I");
    assert_eq!(code(&token, "https://resource.example.org/protectedresource"), "wrong-proof-token");
    assert_eq!(code(&token, "https://resource.example.org/other"), "wrong-proof-uri");
    assert_eq!(
        code(&bound(&base64url::encode([7; 32])), "https://resource.example.org/protectedresource"),
        "wrong-proof-key"
    );
}

// The memory of spent proofs.

fn spent(key: u64, id: u64, issued_at: i64) -> SpentProof {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&id.to_le_bytes());
    bytes[8..].copy_from_slice(&id.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes());
    SpentProof::new(bytes, key, issued_at, issued_at + 60, issued_at.max(NOW))
}

#[test]
fn a51_a_flood_of_one_key_closes_no_other_out() {
    let memory = ReplayMemory::new(0, 0);
    assert_eq!(memory.capacity(), 16, "one set, in which all meet");
    for id in 0..1000 {
        let _ = memory.spend(&spent(1, id, NOW));
    }
    // The key of the flood is rejected until the next second, so its flood evicts nothing more.
    assert_eq!(memory.statistics().map(|statistics| (statistics.capacity, statistics.evictions)), Some((16, 1)));
    assert_eq!(memory.spend(&spent(1, 2000, NOW)), Err(NotSpent::Forgotten { floor: NOW }));
    for key in 2..9 {
        assert_eq!(memory.spend(&spent(key, 3000 + key, NOW - 30)), Ok(()), "{key}");
        assert_eq!(memory.spend(&spent(key, 3000 + key, NOW - 30)), Err(NotSpent::Replayed), "{key}");
    }
    assert_eq!(memory.spend(&spent(1, 2001, NOW + 1)), Ok(()));
    assert!(memory.spend(&spent(1, 5, NOW)).is_err(), "what was evicted is not accepted again");
}

proptest! {
    /// Nothing is accepted twice, whatever is spent in whatever order.
    #[test]
    fn a51_nothing_is_spent_twice(steps in prop::collection::vec((0_u64..6, 0_u64..40, 0_i64..90), 1..400)) {
        let memory = ReplayMemory::new(0, 0);
        let mut accepted = std::collections::HashSet::new();
        for (key, id, seconds) in steps {
            // A proof has one time, whenever it is sent.
            let proof = spent(key, id * 7 + key, NOW + (id as i64 * 13) % 60);
            let proof = SpentProof::new(proof.id, proof.key, proof.issued_at, proof.expires_at, NOW + seconds);
            let is_new = accepted.insert((key, id));
            if memory.spend(&proof).is_ok() {
                prop_assert!(is_new, "{key} {id}");
            } else {
                // Whether it is refused for ever or not, it was not accepted now.
                if is_new { accepted.remove(&(key, id)); }
            }
        }
    }

    /// Compares the normalisation of URIs (RFC 3986 sections 6.2.2 and 6.2.3) with one that follows the RFC step by
    /// step.
    #[test]
    fn a51_htu_is_compared_as_rfc_3986_says(one in uri(), other in uri(), same in any::<bool>()) {
        let other = if same { scrambled(&one) } else { other };
        let expected = slow::normal(&one).is_some_and(|one| Some(one) == slow::normal(&other));
        WORLD.with(|world| {
            let jti = format!("{}", signature_checks());
            let proof = world.draft().claim("htu", one.clone()).claim("jti", jti).sign(&world.client);
            let header = format!("DPoP {}", world.token);
            let request = Request::new().authorization(&header).method("GET").uri(&other).proof(&proof);
            let verdict = world.engine.verify_request_at(&request, NOW).map(drop).map_err(|r| r.code());
            prop_assert_eq!(verdict, if expected { Ok(()) } else { Err("wrong-proof-uri") }, "{} {}", one, other);
            Ok(())
        })?;
    }
}

thread_local! {
    static WORLD: World = {
        let (key, client) = (signing_key(Algorithm::EdDSA, 0), signing_key(Algorithm::EdDSA, 1));
        let engine = Engine::builder().issuer(issuer([&key])).dpop(dpop()).build().unwrap();
        let token = Draft::new(&key).bound_to(&client).sign(&key);
        World { key, client, engine, token }
    };
}

fn uri() -> impl Strategy<Value = String> {
    let scheme = prop::sample::select(vec!["https", "HTTPS", "http", "ftp", ""]);
    let host = prop::sample::select(vec![
        "a.b", "A.b", "%61.b", "a%2Eb", "a%2fb", "[::1]", "[0:0::1]", "u@a.b", "", "é", "a b",
    ]);
    let port = prop::sample::select(vec!["", ":", ":80", ":443", ":0443", ":8443", ":x"]);
    let segment = prop::sample::select(vec![
        "", ".", "..", "a", "A", "%41", "%2e", "%2E%2e", "%2f", "%2F", "b;c", "%zz", "%7e", "~",
    ]);
    let rest = prop::sample::select(vec!["", "?q", "#f", "?a#b", "?/../x"]);
    (scheme, host, port, prop::collection::vec(segment, 0..5), rest).prop_map(|(scheme, host, port, path, rest)| {
        let path: String = path.into_iter().map(|segment| format!("/{segment}")).collect();
        format!("{scheme}://{host}{port}{path}{rest}")
    })
}

/// The same URI, mostly in another spelling.
fn scrambled(uri: &str) -> String {
    let uri = uri.replace("/a", "/x/../%61").replace("~", "%7e").replace(":443", "").replace("https", "HtTpS");
    uri.replace("%2f", "%2F")
}

/// Each step of the RFC on the whole text, one after the other.
mod slow {
    pub(super) fn normal(uri: &str) -> Option<String> {
        if !uri.is_ascii() || uri.contains(' ') {
            return None;
        }
        let uri = uri.split('#').next()?.split('?').next()?;
        let (scheme, rest) = uri.split_once("://")?;
        let scheme = scheme.to_lowercase();
        if scheme != "https" && scheme != "http" {
            return None;
        }
        let (authority, path) = match rest.find('/') {
            Some(slash) => (&rest[..slash], &rest[slash..]),
            None => (rest, ""),
        };
        let (host, port) = match authority.rfind(':') {
            Some(colon) if !authority[colon..].contains(']') => (&authority[..colon], &authority[colon + 1..]),
            _ => (authority, ""),
        };
        if host.is_empty() || host.contains('@') || port.parse::<u32>().is_err() && !port.is_empty() {
            return None;
        }
        let host = if host.starts_with('[') { "[::1]".to_owned() } else { lower(&decode(host)?) };
        let is_default = port.is_empty() || scheme == "https" && port == "443" || scheme == "http" && port == "80";
        let port = if is_default { String::new() } else { format!(":{port}") };
        let path = remove_dot_segments(&decode(path)?);
        Some(format!("{scheme}://{host}{port}{}", if path.is_empty() { "/" } else { &path }))
    }

    /// In lower case, except for the digits of percent-encodings.
    fn lower(text: &str) -> String {
        let mut parts = text.split('%');
        let first = parts.next().unwrap_or_default().to_lowercase();
        parts.fold(first, |text, part| format!("{text}%{}{}", &part[..2], part[2..].to_lowercase()))
    }

    fn decode(text: &str) -> Option<String> {
        let mut parts = text.split('%');
        let mut decoded = parts.next()?.to_owned();
        for part in parts {
            let octet = u8::from_str_radix(part.get(..2)?, 16).ok()?;
            match octet {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => decoded.push(octet.into()),
                _ => decoded += &format!("%{octet:02X}"),
            }
            decoded += &part[2..];
        }
        Some(decoded)
    }

    /// RFC 3986 section 5.2.4.
    fn remove_dot_segments(path: &str) -> String {
        let (mut input, mut output) = (path.to_owned(), String::new());
        while !input.is_empty() {
            if input.starts_with("/./") || input == "/." {
                input = format!("/{}", input.get(3..).unwrap_or_default());
            } else if input.starts_with("/../") || input == "/.." {
                input = format!("/{}", input.get(4..).unwrap_or_default());
                output.truncate(output.rfind('/').unwrap_or(0));
            } else {
                let end = input[1..].find('/').map_or(input.len(), |slash| slash + 1);
                output += &input[..end];
                input = input[end..].to_owned();
            }
        }
        output
    }
}
