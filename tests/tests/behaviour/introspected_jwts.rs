//! JWTs whose issuer is also asked about them: how an engine uses the answers, which are passed in here.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::SeqCst};
use std::time::{Duration, Instant};

use proptest::prelude::*;
use serde_json::json;
use tollgate::{
    Algorithm, BuildError, Dpop, Engine, EngineBuilder, Introspecting, IntrospectionResponse, Introspector, Issuer,
    Principal, PrincipalKind, RefusalCode, Rejection, Request, Revocation, Revocations,
};
use tollgate_issuer::SigningKey;
use tollgate_tests::{AUDIENCE, Draft, ISSUER, NOW, ProofDraft, issuer, signing_key};

/// An introspector that must not be called: the engine never asks.
struct Nobody;

impl Introspector for Nobody {
    fn introspect<'r>(&'r self, _: &'r str) -> Introspecting<'r> {
        panic!("an engine asks nobody")
    }
}

fn nobody() -> Arc<dyn Introspector> {
    Arc::new(Nobody)
}

/// An engine whose time can be set.
struct Fixture {
    key: SigningKey,
    engine: Engine,
    now: Arc<AtomicI64>,
}

impl Fixture {
    fn new() -> Self {
        Self::with(|issuer| issuer, |builder| builder)
    }

    fn with(issue: impl FnOnce(Issuer) -> Issuer, build: impl FnOnce(EngineBuilder) -> EngineBuilder) -> Self {
        let (key, now) = (signing_key(Algorithm::ES256, 0), Arc::new(AtomicI64::new(NOW)));
        let (time, elapsed) = (Arc::clone(&now), Arc::clone(&now));
        let builder = Engine::builder()
            .issuer(issue(issuer([&key]).introspect(nobody(), 30)))
            .dpop(Dpop::new().started_at(0))
            .clock(move || time.load(SeqCst))
            .monotonic_clock(move || Duration::from_secs((elapsed.load(SeqCst) - NOW).unsigned_abs()));
        Fixture { engine: build(builder).build().unwrap(), key, now }
    }

    fn at(&self, now: i64) -> &Self {
        self.now.store(now, SeqCst);
        self
    }

    fn header(&self) -> String {
        self.header_of(Draft::new(&self.key))
    }

    fn header_of(&self, draft: Draft) -> String {
        format!("Bearer {}", draft.sign(&self.key))
    }

    fn code(&self, header: &str) -> &'static str {
        code(self.engine.verify(header))
    }

    fn is_asked_about(&self, header: &str) -> bool {
        self.engine.unknown_token(&Request::new().authorization(header)).is_some()
    }

    /// The verdict on a request with `header` whose issuer answers `json` about the token.
    fn answer(&self, header: &str, json: &str) -> Result<Principal, Rejection> {
        self.answer_of(&Request::new().authorization(header), json, Instant::now())
    }

    fn answer_of(&self, request: &Request<'_>, json: &str, asked_at: Instant) -> Result<Principal, Rejection> {
        let unknown = self.engine.unknown_token(request).expect("a token to be asked about");
        let answer = unknown.answered(IntrospectionResponse::new(json.as_bytes(), asked_at));
        self.engine.verify_request(&request.introspected(&answer))
    }
}

fn code(verdict: Result<Principal, Rejection>) -> &'static str {
    verdict.map_or_else(|rejection| rejection.code(), |_| "accepted")
}

const ACTIVE: &str = r#"{"active":true}"#;

#[test]
fn good_jwt_is_rejected_with_a_hint_until_its_issuer_has_answered() {
    let fixture = Fixture::new();
    let header = fixture.header();
    for _ in 0..3 {
        let rejection = fixture.engine.verify(&header).unwrap_err();
        assert_eq!((rejection.status(), rejection.code()), (503, "not-introspected"));
        assert_eq!((rejection.unasked_issuer(), rejection.retry_after()), (Some(ISSUER), Some(5)));
        let request = Request::new().authorization(&header);
        let unknown = fixture.engine.unknown_token(&request).unwrap();
        assert_eq!((unknown.issuer(), unknown.text()), (ISSUER, &header[7..]));
    }
    // The principal is taken from the token, whatever else the answer says.
    let answer = r#"{"active":true,"sub":"somebody-else","scope":"admin","client_id":"other","username":"x"}"#;
    for principal in [fixture.answer(&header, answer).unwrap(), fixture.engine.verify(&header).unwrap()] {
        assert_eq!((principal.kind(), principal.subject()), (PrincipalKind::Jwt, Some("user-1")));
        assert_eq!((principal.client_id(), principal.key_id()), (Some("client-1"), Some("ES256-0")));
        assert_eq!(principal.scopes().to_string(), "read:sites write:sites");
    }
    assert!(!fixture.is_asked_about(&header));
    let another = fixture.header_of(Draft::new(&fixture.key).claim("jti", "token-2"));
    assert_eq!(fixture.code(&another), "not-introspected");
}

#[test]
fn a86_an_answer_about_a_jwt_serves_for_max_age_and_never_past_an_exp() {
    let fixture = Fixture::new();
    let header = fixture.header();
    assert!(fixture.answer(&header, ACTIVE).is_ok());
    assert_eq!(fixture.at(NOW + 28).code(&header), "accepted");
    assert_eq!(fixture.at(NOW + 30).code(&header), "not-introspected");
    assert!(fixture.answer(&header, ACTIVE).is_ok());
    assert_eq!(fixture.at(NOW + 58).code(&header), "accepted");
    assert_eq!(fixture.at(NOW + 60).code(&header), "not-introspected");

    // Counted from the question.
    let fixture = Fixture::new();
    let asked_at = Instant::now().checked_sub(Duration::from_secs(20)).unwrap();
    let header = fixture.header();
    assert!(fixture.answer_of(&Request::new().authorization(&header), ACTIVE, asked_at).is_ok());
    assert_eq!(fixture.at(NOW + 8).code(&header), "accepted");
    assert_eq!(fixture.at(NOW + 10).code(&header), "not-introspected");

    // The answer's `exp`, or the token's. Within the tolerated skew, the issuer is asked each time.
    for (exp_of_token, exp_of_answer) in [(NOW + 10, None), (NOW + 600, Some(NOW + 10))] {
        let fixture = Fixture::new();
        let header = fixture.header_of(Draft::new(&fixture.key).claim("exp", exp_of_token));
        let answer = exp_of_answer.map_or(ACTIVE.to_owned(), |exp| json!({ "active": true, "exp": exp }).to_string());
        assert!(fixture.answer(&header, &answer).is_ok());
        assert_eq!(fixture.at(NOW + 9).code(&header), "accepted");
        assert_eq!(fixture.at(NOW + 10).code(&header), "not-introspected");
        assert!(fixture.answer(&header, &answer).is_ok());
        assert_eq!(fixture.code(&header), "not-introspected");
        // Beyond the skew, the token itself is rejected, or the answer.
        fixture.at(NOW + 70);
        match exp_of_answer {
            None => assert_eq!((fixture.code(&header), fixture.is_asked_about(&header)), ("expired", false)),
            Some(_) => assert_eq!(fixture.answer(&header, &answer).unwrap_err().code(), "expired"),
        }
    }
}

#[test]
fn a86_nobody_is_asked_about_a_jwt_that_is_not_good_here() {
    let (other, revocations) = (signing_key(Algorithm::ES256, 0), Revocations::new());
    let refuses = |issuer: Issuer| {
        issuer.validator(|claims| match claims.subject() {
            Some("refused") => Err(RefusalCode::new("refused-by-us").refuse("it is")),
            _ => Ok(()),
        })
    };
    let plain = Issuer::new("https://other.example/").audience(AUDIENCE).keys(tollgate_tests::key_set([&other]));
    let table = revocations.clone();
    let fixture = Fixture::with(refuses, |builder| builder.issuer(plain).revocations(table));
    revocations.revoke(&Revocation::token(ISSUER, "revoked"));
    let draft = || Draft::new(&fixture.key);
    let good = fixture.header();
    let (start, signature) = good.rsplit_once('.').unwrap();
    let forged = format!("{start}.{}{}", signature[..40].chars().rev().collect::<String>(), &signature[40..]);
    let thumbprint = tollgate::jwt::base64url::encode(tollgate::keys::sha256(b"certificate"));
    for (header, expected) in [
        (format!("Bearer {}", draft().sign(&other)), "bad-signature"),
        (forged, "bad-signature"),
        (format!("Bearer {}", draft().with_signature([0; 64])), "bad-signature"),
        (format!("Bearer {}", draft().header("kid", "unknown").sign(&fixture.key)), "unknown-key"),
        (fixture.header_of(draft().claim("exp", NOW - 100)), "expired"),
        (fixture.header_of(draft().claim("nbf", NOW + 100)), "not-yet-valid"),
        (fixture.header_of(draft().claim("aud", "https://else.example")), "wrong-audience"),
        (fixture.header_of(draft().claim("iss", "https://nobody.example/")), "unknown-issuer"),
        (fixture.header_of(draft().claim("jti", "revoked")), "revoked"),
        (fixture.header_of(draft().claim("sub", "refused")), "refused-by-us"),
        (fixture.header_of(draft().claim("cnf", json!({ "x5t#S256": thumbprint }))), "certificate-required"),
        (format!("Bearer {}", draft().claim("iss", "https://other.example/").sign(&other)), "accepted"),
    ] {
        for _ in 0..2 {
            let verdict = fixture.engine.verify(&header);
            assert_eq!(verdict.as_ref().err().and_then(Rejection::unasked_issuer), None, "{expected}");
            assert!(!fixture.is_asked_about(&header), "{expected}");
            assert_eq!(code(verdict), expected);
        }
    }
    // A revoked token is rejected while the answer is still used, and the issuer is not asked again.
    assert!(fixture.answer(&good, ACTIVE).is_ok());
    revocations.revoke(&Revocation::token(ISSUER, "token-1"));
    assert_eq!(fixture.code(&good), "revoked");
    assert_eq!(fixture.at(NOW + 40).code(&good), "revoked");
    assert!(!fixture.is_asked_about(&good));
    revocations.restore(&Revocation::token(ISSUER, "token-1"));
    assert_eq!(fixture.code(&good), "not-introspected");
}

#[test]
fn a86_a_jwt_that_its_issuer_does_not_confirm_is_rejected_and_that_is_remembered_for_a_while() {
    let thumbprint = tollgate::jwt::base64url::encode([7; 32]);
    for (answer, expected) in [
        (json!({ "active": false }), "inactive-token"),
        (json!({ "active": false, "sub": "user-1" }), "inactive-token"),
        (json!({ "active": true, "iss": "https://other.example/" }), "wrong-claim"),
        (json!({ "active": true, "aud": "https://else.example" }), "wrong-audience"),
        (json!({ "active": true, "aud": [] }), "wrong-audience"),
        (json!({ "active": true, "exp": NOW - 60 }), "expired"),
        (json!({ "active": true, "nbf": NOW + 100 }), "not-yet-valid"),
        (json!({ "active": true, "cnf": { "jkt": thumbprint } }), "invalid-claim"),
        (json!({ "active": true, "cnf": { "unheard-of": 1 } }), "sender-constrained"),
        (json!({ "active": true, "cnf": {} }), "empty-confirmation"),
    ] {
        let fixture = Fixture::new();
        let header = fixture.header();
        // Also if it was confirmed before.
        assert!(fixture.answer(&header, ACTIVE).is_ok());
        fixture.at(NOW + 30);
        let rejection = fixture.answer(&header, &answer.to_string()).unwrap_err();
        assert_eq!((rejection.status(), rejection.code()), (401, expected), "{answer}");
        assert_eq!(fixture.engine.verify(&header).unwrap_err(), rejection);
        assert_eq!(fixture.at(NOW + 38).code(&header), expected, "{answer}");
        assert!(!fixture.is_asked_about(&header));
        assert_eq!(fixture.at(NOW + 40).code(&header), "not-introspected", "{answer}");
    }
    for answer in [
        json!({ "active": true, "iss": ISSUER, "aud": ["https://else.example", AUDIENCE], "exp": NOW + 5, "nbf": NOW }),
        json!({ "active": true, "exp": NOW - 59 }),
    ] {
        let fixture = Fixture::new();
        assert!(fixture.answer(&fixture.header(), &answer.to_string()).is_ok(), "{answer}");
    }
}

#[test]
fn a86_what_is_no_answer_about_a_jwt_is_503_and_nothing_is_remembered_of_it() {
    let fixture = Fixture::new();
    let header = fixture.header();
    for json in
        ["", "{}", "[]", r#"{"active":"true"}"#, r#"{"active":true,"active":true}"#, r#"{"active":true,"exp":"1"}"#]
    {
        let rejection = fixture.answer(&header, json).unwrap_err();
        assert_eq!((rejection.status(), rejection.code()), (503, "issuer-unavailable"), "{json}");
        assert_eq!(fixture.code(&header), "not-introspected", "{json}");
    }
    assert!(fixture.answer(&header, ACTIVE).is_ok());
}

#[test]
fn answer_about_one_jwt_counts_for_no_other_and_for_no_other_engine() {
    let [fixture, other] = [Fixture::new(), Fixture::new()];
    let [one, two] = ["token-1", "token-2"].map(|jti| fixture.header_of(Draft::new(&fixture.key).claim("jti", jti)));
    let request = Request::new().authorization(&one);
    let response = || IntrospectionResponse::new(ACTIVE.as_bytes(), Instant::now());
    let answer = fixture.engine.unknown_token(&request).unwrap().answered(response());
    let of_another = Request::new().authorization(&two).introspected(&answer);
    assert_eq!(code(fixture.engine.verify_request(&of_another)), "not-introspected");
    let header = other.header();
    let elsewhere = Request::new().authorization(&header);
    let answer = other.engine.unknown_token(&elsewhere).unwrap().answered(response());
    assert_eq!(code(fixture.engine.verify_request(&request.introspected(&answer))), "not-introspected");
    assert_eq!(fixture.code(&one), "not-introspected");
}

#[test]
fn answer_that_one_thread_got_serves_another_that_has_the_token_of_before() {
    let fixture = Fixture::new();
    let header = fixture.header();
    assert!(fixture.answer(&header, ACTIVE).is_ok());
    for _ in 0..4 {
        // Until this thread has its own copy.
        assert_eq!(fixture.code(&header), "accepted");
    }
    fixture.at(NOW + 30);
    let elsewhere = std::thread::scope(|scope| scope.spawn(|| fixture.answer(&header, ACTIVE).is_ok()).join());
    assert!(elsewhere.unwrap());
    for _ in 0..4 {
        assert_eq!(fixture.code(&header), "accepted");
    }
    // The same for rejections.
    fixture.at(NOW + 60);
    let inactive = r#"{"active":false}"#;
    let elsewhere = std::thread::scope(|scope| scope.spawn(|| fixture.answer(&header, inactive).is_ok()).join());
    assert!(!elsewhere.unwrap());
    assert_eq!(fixture.code(&header), "inactive-token");
}

#[test]
fn a51_asking_about_a_bound_jwt_spends_no_proof() {
    let (fixture, client) = (Fixture::new(), signing_key(Algorithm::ES256, 1));
    let token = Draft::new(&fixture.key).bound_to(&client).sign(&fixture.key);
    let header = format!("DPoP {token}");
    let proof = ProofDraft::new(&client, "GET", "https://api.example.com/x", &token).sign(&client);
    let request = Request::new().authorization(&header).method("GET").uri("https://api.example.com/x").proof(&proof);
    for _ in 0..2 {
        assert_eq!(code(fixture.engine.verify_request(&request)), "not-introspected");
        assert!(fixture.engine.unknown_token(&request).is_some());
    }
    // Whether or not the answer repeats the binding of the token.
    let thumbprint = tollgate::jwt::base64url::encode(client.verifying_key().thumbprint());
    let answer = json!({ "active": true, "cnf": { "jkt": thumbprint } }).to_string();
    assert!(fixture.answer_of(&request, &answer, Instant::now()).is_ok());
    assert!(fixture.engine.unknown_token(&request).is_none());
    assert_eq!(code(fixture.engine.verify_request(&request)), "proof-replayed");
}

#[test]
fn issuer_that_is_replaced_is_asked_anew() {
    let fixture = Fixture::new();
    let header = fixture.header();
    assert!(fixture.answer(&header, ACTIVE).is_ok());
    fixture.engine.replace_issuers([issuer([&fixture.key]).introspect(nobody(), 30)]).unwrap();
    assert_eq!(fixture.code(&header), "not-introspected");
    fixture.engine.replace_issuers([issuer([&fixture.key])]).unwrap();
    assert_eq!(fixture.code(&header), "accepted");
}

#[test]
fn iss_of_an_answer_is_that_of_the_token_where_an_issuer_has_many_names() {
    let key = signing_key(Algorithm::ES256, 0);
    let issuer = Issuer::new("https://auth.example.com/{tenant}/").tenant_claim("tid").audience(AUDIENCE);
    let issuer = issuer.keys(tollgate_tests::key_set([&key])).introspect(nobody(), 30);
    let engine = Engine::builder().issuer(issuer).clock(|| NOW).build().unwrap();
    let token = Draft::new(&key).claim("iss", "https://auth.example.com/a/").claim("tid", "a").sign(&key);
    let request = Request::new().authorization(&token);
    for (iss, now, expected) in
        [("https://auth.example.com/b/", NOW, "wrong-claim"), ("https://auth.example.com/a/", NOW + 20, "accepted")]
    {
        let unknown = engine.unknown_token_at(&request, now).unwrap();
        assert_eq!(unknown.issuer(), "https://auth.example.com/{tenant}/");
        let answer = json!({ "active": true, "iss": iss }).to_string();
        let answer = unknown.answered(IntrospectionResponse::new(answer.as_bytes(), Instant::now()));
        assert_eq!(code(engine.verify_request_at(&request.introspected(&answer), now)), expected);
        assert!(engine.unknown_token_at(&request, now + 5).is_none());
    }
}

#[test]
fn engine_without_a_cache_needs_an_answer_for_each_request() {
    let fixture = Fixture::with(|issuer| issuer, EngineBuilder::no_cache);
    let header = fixture.header();
    for _ in 0..2 {
        assert!(fixture.answer(&header, ACTIVE).is_ok());
        assert_eq!(fixture.code(&header), "not-introspected");
    }
}

#[test]
fn max_age_has_its_limits() {
    let key = signing_key(Algorithm::ES256, 0);
    for (max_age, is_good) in [(0, false), (1, true), (3600, true), (3601, false)] {
        let built = Engine::builder().issuer(issuer([&key]).introspect(nobody(), max_age)).build();
        assert_eq!(built.is_ok(), is_good, "{max_age}");
        assert!(built.err().is_none_or(|error| matches!(error, BuildError::Issuer { .. })));
    }
}

/// Events for tokens whose issuer is asked, in sequence. Seconds are even, so that the duration of a step does not
/// matter.
#[derive(Clone, Debug)]
enum Step {
    Pass { seconds: i64 },
    Verify { token: usize },
    Confirm { token: usize, for_seconds: Option<i64> },
    Refuse { token: usize },
    Fail { token: usize },
    Revoke { token: usize },
    Restore { token: usize },
}

/// The model of one token: a few times.
#[derive(Clone, Copy, Debug)]
struct Known {
    exp: i64,
    is_revoked: bool,
    confirmed_until: i64,
    refused_until: i64,
}

impl Known {
    /// In the order of the documentation: first the token itself, last the issuer's answer.
    fn code(&self, now: i64) -> &'static str {
        match () {
            () if now >= self.exp + 60 => "expired",
            () if self.is_revoked => "revoked",
            () if now < self.refused_until => "inactive-token",
            () if now < self.confirmed_until => "accepted",
            () => "not-introspected",
        }
    }
}

fn step() -> impl Strategy<Value = Step> {
    let token = 0..3_usize;
    prop_oneof![
        (1..12_i64).prop_map(|pairs| Step::Pass { seconds: 2 * pairs }),
        token.clone().prop_map(|token| Step::Verify { token }),
        (token.clone(), prop::option::of(1..20_i64))
            .prop_map(|(token, pairs)| Step::Confirm { token, for_seconds: pairs.map(|pairs| 2 * pairs) }),
        token.clone().prop_map(|token| Step::Refuse { token }),
        token.clone().prop_map(|token| Step::Fail { token }),
        token.clone().prop_map(|token| Step::Revoke { token }),
        token.prop_map(|token| Step::Restore { token }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// After each step of any sequence, the engine's verdict on every token is that of a model of a few times.
    #[test]
    fn a86_answers_about_jwts_count_for_as_long_as_they_say(steps in prop::collection::vec(step(), 1..60)) {
        let revocations = Revocations::new();
        let table = revocations.clone();
        let fixture = Fixture::with(|issuer| issuer, |builder| builder.revocations(table));
        let exps = [NOW + 20, NOW + 100, NOW + 600];
        let id = |token: usize| format!("token-{token}");
        let headers: Vec<_> = (0..3)
            .map(|token| fixture.header_of(Draft::new(&fixture.key).claim("jti", id(token)).claim("exp", exps[token])))
            .collect();
        let mut known = exps.map(|exp| Known { exp, is_revoked: false, confirmed_until: 0, refused_until: 0 });
        let mut now = NOW;
        for step in steps {
            let asked = match step {
                Step::Confirm { token, .. } | Step::Refuse { token } | Step::Fail { token } => {
                    let is_asked_about = known[token].code(now) == "not-introspected";
                    prop_assert_eq!(fixture.is_asked_about(&headers[token]), is_asked_about);
                    is_asked_about
                }
                _ => false,
            };
            match step {
                Step::Pass { seconds } => {
                    now += seconds;
                    fixture.at(now);
                }
                Step::Verify { token } => prop_assert_eq!(fixture.code(&headers[token]), known[token].code(now)),
                Step::Confirm { token, for_seconds } if asked => {
                    let exp = for_seconds.map(|seconds| now + seconds);
                    let answer = exp.map_or(ACTIVE.to_owned(), |exp| json!({ "active": true, "exp": exp }).to_string());
                    prop_assert_eq!(code(fixture.answer(&headers[token], &answer)), "accepted");
                    let ends = [now + 30, known[token].exp, exp.unwrap_or(i64::MAX)];
                    known[token].confirmed_until = ends.into_iter().min().unwrap();
                }
                Step::Refuse { token } if asked => {
                    prop_assert_eq!(code(fixture.answer(&headers[token], r#"{"active":false}"#)), "inactive-token");
                    known[token].refused_until = now + 10;
                    known[token].confirmed_until = 0;
                }
                Step::Fail { token } if asked => {
                    prop_assert_eq!(code(fixture.answer(&headers[token], "[]")), "issuer-unavailable");
                }
                Step::Revoke { token } => {
                    revocations.revoke(&Revocation::token(ISSUER, &id(token)));
                    known[token].is_revoked = true;
                }
                Step::Restore { token } => {
                    revocations.restore(&Revocation::token(ISSUER, &id(token)));
                    known[token].is_revoked = false;
                }
                Step::Confirm { .. } | Step::Refuse { .. } | Step::Fail { .. } => {}
            }
            let refused = if let Step::Refuse { token } = step { asked.then_some(token) } else { None };
            for (token, (header, known)) in headers.iter().zip(&mut known).enumerate() {
                let code = fixture.code(header);
                // Two refused tokens may have one slot, which only the later one keeps.
                if code == "not-introspected" && refused.is_some_and(|refused| refused != token) {
                    known.refused_until = 0;
                }
                prop_assert_eq!(code, known.code(now));
            }
        }
    }
}
