//! Opaque tokens of other servers, whose issuers are asked: how an engine uses the answers. They are passed in here;
//! fetching them is tested where that is done.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::SeqCst};
use std::time::{Duration, Instant};

use proptest::prelude::*;
use tollgate::{
    AcceptedCredentials, ApiKey, ApiKeyTable, BuildError, ClaimSources, Engine, EngineBuilder, Introspecting,
    IntrospectionFailure, IntrospectionResponse, Introspector, KeyFormat, KeyRecord, OpaqueIssuer, Principal,
    PrincipalKind, Rejection, Request, Revocation, Revocations, SettingsError,
};

const ISSUER: &str = "https://as.example/";
const AUDIENCE: &str = "https://api.example";
const NOW: i64 = 1_763_827_200;
const TOKEN: &str = "Bearer ory_at_1";

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

fn issuer() -> OpaqueIssuer {
    OpaqueIssuer::new(ISSUER).token_prefix("ory_at_").audience(AUDIENCE).introspector(nobody())
}

/// An engine whose time can be set.
struct Fixture {
    engine: Engine,
    now: Arc<AtomicI64>,
}

impl Fixture {
    fn new(issuer: OpaqueIssuer) -> Self {
        Self::with(Engine::builder().opaque_issuer(issuer))
    }

    fn with(builder: EngineBuilder) -> Self {
        let now = Arc::new(AtomicI64::new(NOW));
        let (time, elapsed) = (Arc::clone(&now), Arc::clone(&now));
        let since = move || Duration::from_secs((elapsed.load(SeqCst) - NOW).unsigned_abs());
        let engine = builder.clock(move || time.load(SeqCst)).monotonic_clock(since).build().unwrap();
        Fixture { engine, now }
    }

    fn at(&self, now: i64) -> &Self {
        self.now.store(now, SeqCst);
        self
    }

    fn code(&self, header: &str) -> &'static str {
        self.engine.verify(header).map_or_else(|rejection| rejection.code(), |_| "accepted")
    }

    /// The verdict on a request with `header` whose issuer answers `json` about the token.
    fn answer(&self, header: &str, json: &str) -> Result<Principal, Rejection> {
        self.answer_of(header, json, Instant::now())
    }

    fn answer_of(&self, header: &str, json: &str, asked_at: Instant) -> Result<Principal, Rejection> {
        let request = Request::new().authorization(header);
        let unknown = self.engine.unknown_token(&request).expect("a token to be asked about");
        let answer = unknown.answered(IntrospectionResponse::new(json.as_bytes(), asked_at));
        self.engine.verify_request(&request.introspected(&answer))
    }

    fn code_of_answer(&self, json: &str) -> &'static str {
        self.answer(TOKEN, json).map_or_else(|rejection| rejection.code(), |_| "accepted")
    }
}

fn active(members: &str) -> String {
    format!(r#"{{"active":true,"aud":"{AUDIENCE}"{members}}}"#)
}

#[test]
fn unknown_opaque_token_is_rejected_at_once_with_a_hint() {
    let fixture = Fixture::new(issuer());
    let rejection = fixture.engine.verify(TOKEN).unwrap_err();
    assert_eq!((rejection.status(), rejection.code()), (503, "not-introspected"));
    assert_eq!((rejection.unasked_issuer(), rejection.retry_after()), (Some(ISSUER), Some(5)));
    let request = Request::new().authorization(TOKEN);
    let unknown = fixture.engine.unknown_token(&request).unwrap();
    assert_eq!((unknown.issuer(), unknown.text()), (ISSUER, "ory_at_1"));
    assert!(!format!("{unknown:?}{rejection:?}{rejection}").contains("ory_at_1"));
}

#[test]
fn answer_becomes_a_principal_that_serves_the_next_requests() {
    let fixture = Fixture::new(issuer());
    let json = active(
        r#","sub":"user-7","client_id":"app","scope":"read write","jti":"t1","exp":1763830000,"iat":1763820000,"sid":"s1","tier":{"name":"gold"}"#,
    );
    for principal in [fixture.answer(TOKEN, &json).unwrap(), fixture.engine.verify(TOKEN).unwrap()] {
        assert_eq!(principal.kind(), PrincipalKind::AccessToken);
        assert_eq!(
            (principal.issuer(), principal.subject(), principal.client_id()),
            (Some(ISSUER), Some("user-7"), Some("app"))
        );
        assert_eq!((principal.credential_id(), principal.session_id()), (Some("t1"), Some("s1")));
        assert_eq!(principal.audience().collect::<Vec<_>>(), [AUDIENCE]);
        assert!(principal.require_all(&["read", "write"]).is_ok());
        assert_eq!((principal.expires_at(), principal.issued_at()), (Some(1_763_830_000), Some(1_763_820_000)));
        assert_eq!((principal.key_id(), principal.algorithm()), (None, None));
        assert_eq!(principal.claim::<serde_json::Value>("tier").unwrap().unwrap()["name"], "gold");
        let kept = principal.into_owned();
        assert_eq!(kept.claims::<serde_json::Value>().unwrap()["sub"], "user-7");
        let shown = serde_json::to_value(&kept).unwrap();
        assert_eq!((&shown["kind"], &shown["audience"][0]), (&"access-token".into(), &AUDIENCE.into()));
    }
    assert_eq!(fixture.code("Bearer ory_at_2"), "not-introspected");
}

#[test]
fn a86_an_answer_serves_for_max_age_and_never_past_its_exp() {
    let fixture = Fixture::new(issuer().max_age(30));
    assert!(fixture.answer(TOKEN, &active("")).is_ok());
    assert_eq!(fixture.at(NOW + 28).code(TOKEN), "accepted");
    assert_eq!(fixture.at(NOW + 30).code(TOKEN), "not-introspected");

    let fixture = Fixture::new(issuer().max_age(30));
    assert!(fixture.answer(TOKEN, &active(&format!(r#","exp":{}"#, NOW + 10))).is_ok());
    assert_eq!(fixture.at(NOW + 9).code(TOKEN), "accepted");
    // No leeway.
    assert_eq!(fixture.at(NOW + 10).code(TOKEN), "expired");
    assert_eq!(Fixture::new(issuer()).code_of_answer(&active(&format!(r#","exp":{NOW}"#))), "expired");
    assert_eq!(Fixture::new(issuer()).code_of_answer(&active(&format!(r#","nbf":{}"#, NOW + 1))), "not-yet-valid");
}

#[test]
fn a86_age_of_an_answer_is_counted_from_the_question() {
    let fixture = Fixture::new(issuer().max_age(30));
    let asked_at = Instant::now().checked_sub(Duration::from_secs(20)).unwrap();
    assert!(fixture.answer_of(TOKEN, &active(""), asked_at).is_ok());
    assert_eq!(fixture.at(NOW + 8).code(TOKEN), "accepted");
    assert_eq!(fixture.at(NOW + 10).code(TOKEN), "not-introspected");
}

#[test]
fn a86_what_is_not_active_or_not_for_us_is_rejected_and_remembered_for_a_while() {
    let cases = [
        (r#"{"active":false}"#.to_owned(), "inactive-token"),
        (r#"{"active":false,"aud":"https://api.example","sub":"user-7"}"#.to_owned(), "inactive-token"),
        (r#"{"active":true}"#.to_owned(), "missing-claim"),
        (r#"{"active":true,"aud":"https://other.example"}"#.to_owned(), "wrong-audience"),
        (r#"{"active":true,"aud":[]}"#.to_owned(), "wrong-audience"),
        (active(r#","iss":"https://other.example/""#), "wrong-claim"),
        (active(r#","iss":"https://as.example""#), "wrong-claim"),
        (active(r#","cnf":{"unheard-of":"x"}"#), "sender-constrained"),
        (active(r#","cnf":{}"#), "empty-confirmation"),
    ];
    for (json, code) in cases {
        let fixture = Fixture::new(issuer());
        let rejection = fixture.answer(TOKEN, &json).unwrap_err();
        assert_eq!((rejection.status(), rejection.code()), (401, code), "{json}");
        assert_eq!(fixture.engine.verify(TOKEN).unwrap_err(), rejection, "{json}");
        assert_eq!(fixture.at(NOW + 8).code(TOKEN), code, "{json}");
        // Only for a short time: the servers of an issuer may learn of a token one after the other.
        assert_eq!(fixture.at(NOW + 10).code(TOKEN), "not-introspected", "{json}");
    }
    assert!(Fixture::new(issuer()).answer(TOKEN, &active(r#","iss":"https://as.example/""#)).is_ok());
}

#[test]
fn a86_what_is_no_answer_is_503_and_nothing_is_remembered_of_it() {
    let cases = [
        "",
        "{",
        "[]",
        "null",
        "true",
        "{}",
        r#"{"active":"true"}"#,
        r#"{"active":1}"#,
        r#"{"active":null}"#,
        r#"{"active":[true]}"#,
        r#"{"active":true,"active":true,"aud":"https://api.example"}"#,
        r#"{"active":true,"aud":"https://api.example","aud":"https://api.example"}"#,
        r#"{"active":true,"aud":{"a":"https://api.example"}}"#,
        r#"{"active":true,"aud":"https://api.example","exp":"1763830000"}"#,
        r#"{"active":true,"aud":"https://api.example","sub":7}"#,
        r#"{"active":true,"aud":"https://api.example"} {}"#,
        r#"{"Active":true,"aud":"https://api.example"}"#,
    ];
    for json in cases {
        let fixture = Fixture::new(issuer());
        let rejection = fixture.answer(TOKEN, json).unwrap_err();
        assert_eq!((rejection.status(), rejection.code()), (503, "issuer-unavailable"), "{json}");
        assert_eq!(fixture.code(TOKEN), "not-introspected", "{json}");
        assert!(fixture.answer(TOKEN, &active("")).is_ok(), "{json}");
    }
    let request = Request::new().authorization(TOKEN);
    let fixture = Fixture::new(issuer());
    let unknown = fixture.engine.unknown_token(&request).unwrap();
    let down = unknown.not_answered(IntrospectionFailure::NoAnswer { reason: "refused".into() });
    let spent = unknown.not_answered(IntrospectionFailure::BudgetSpent { retry_after: 7 });
    assert_eq!((down.status(), down.code(), down.retry_after()), (503, "issuer-unavailable", Some(5)));
    assert_eq!((spent.status(), spent.code(), spent.retry_after()), (503, "budget-spent", Some(7)));
}

#[test]
fn a86_a_cnf_in_the_answer_binds_as_in_a_jwt() {
    let (fixture, certificate) = (Fixture::new(issuer()), b"the certificate in DER");
    let thumbprint = tollgate::jwt::base64url::encode(tollgate::keys::sha256(certificate));
    let json = active(&format!(r##","cnf":{{"x5t#S256":"{thumbprint}"}}"##));
    assert_eq!(fixture.answer(TOKEN, &json).unwrap_err().code(), "certificate-required");
    let request = Request::new().authorization(TOKEN);
    // The answer is cached now, and the binding is checked each time.
    assert_eq!(fixture.code(TOKEN), "certificate-required");
    assert_eq!(
        fixture.engine.verify_request(&request.certificate(b"another")).unwrap_err().code(),
        "wrong-certificate"
    );
    assert!(fixture.engine.verify_request(&request.certificate(certificate)).is_ok());
}

#[test]
fn a86_revocation_drops_an_answer_at_once_by_each_of_its_names() {
    let json = active(r#","sub":"user-7","client_id":"app","jti":"t1","sid":"s1","iat":1763820000"#);
    let revocations = [
        Revocation::token(ISSUER, "t1"),
        Revocation::subject(ISSUER, "user-7"),
        Revocation::session(ISSUER, "s1"),
        Revocation::client(ISSUER, "app"),
        Revocation::issuer(ISSUER),
        Revocation::subject(ISSUER, "user-7").issued_before(1_763_820_001),
    ];
    for revocation in revocations {
        let table = Revocations::new();
        let fixture = Fixture::with(Engine::builder().opaque_issuer(issuer()).revocations(table.clone()));
        assert!(fixture.answer(TOKEN, &json).is_ok());
        table.revoke(&Revocation::subject("https://other.example/", "user-7"));
        table.revoke(&Revocation::subject(ISSUER, "user-7").issued_before(1_763_820_000));
        assert_eq!(fixture.code(TOKEN), "accepted");
        table.revoke(&revocation);
        assert_eq!(fixture.code(TOKEN), "revoked", "{revocation:?}");
        table.restore(&revocation);
        assert_eq!(fixture.code(TOKEN), "accepted", "{revocation:?}");
        // A later answer does not restore it either.
        table.revoke(&revocation);
        assert_eq!(fixture.at(NOW + 31).answer(TOKEN, &json).unwrap_err().code(), "revoked");
        assert_eq!(fixture.code(TOKEN), "revoked", "{revocation:?}");
    }
}

#[test]
fn a80_answers_of_an_issuer_that_requires_fresh_revocations_are_503_while_these_are_stale() {
    let table = Revocations::new();
    let fixture =
        Fixture::with(Engine::builder().opaque_issuer(issuer().require_fresh_revocations()).revocations(table.clone()));
    assert_eq!(fixture.code_of_answer(&active("")), "revocations-stale");
    table.mark_fresh();
    // The issuer is not asked again.
    assert_eq!(fixture.code(TOKEN), "accepted");
    table.mark_stale();
    let rejection = fixture.engine.verify(TOKEN).unwrap_err();
    assert_eq!((rejection.status(), rejection.code()), (503, "revocations-stale"));
    table.mark_fresh();
    assert_eq!(fixture.code(TOKEN), "accepted");
    let nobody_says_so = Engine::builder().opaque_issuer(issuer().require_fresh_revocations()).build();
    assert_eq!(nobody_says_so.unwrap_err(), BuildError::RevocationsNeverFresh { issuer: ISSUER.into() });
    let indifferent = Fixture::with(Engine::builder().opaque_issuer(issuer()).revocations(Revocations::new()));
    assert_eq!(indifferent.code_of_answer(&active("")), "accepted");
}

#[test]
fn a86_no_token_goes_to_another_issuer_than_its_own() {
    let other =
        OpaqueIssuer::new("https://other.example/").token_prefix("oth_").audience(AUDIENCE).introspector(nobody());
    let rest = OpaqueIssuer::new("https://rest.example/").audience(AUDIENCE).introspector(nobody());
    let format = KeyFormat::new("tg", "live").unwrap();
    let elsewhere = KeyFormat::new("acme", "test").unwrap();
    let [known, unknown] = std::array::from_fn(|_| ApiKey::generate(&format).unwrap());
    let foreign = ApiKey::generate(&elsewhere).unwrap();
    let table = ApiKeyTable::new(format);
    table.insert(&known, KeyRecord::access_token("token_1", "user-7"));
    let builder = Engine::builder().api_keys(table).opaque_issuer(rest).opaque_issuer(other).opaque_issuer(issuer());
    let fixture = Fixture::with(builder);
    let asked = |request: &Request<'_>| fixture.engine.unknown_token(request).map(|token| token.issuer().to_owned());
    for (header, issuer) in [
        ("Bearer ory_at_1", ISSUER),
        ("bearer  oth_1", "https://other.example/"),
        ("Bearer oth", "https://rest.example/"),
        ("Bearer xory_at_1", "https://rest.example/"),
        ("Bearer ORY_AT_1", "https://rest.example/"),
    ] {
        assert_eq!(asked(&Request::new().authorization(header)).as_deref(), Some(issuer), "{header}");
        assert_eq!(fixture.engine.verify(header).unwrap_err().unasked_issuer(), Some(issuer), "{header}");
    }
    // The engine's own keys, known or not, complete or not, of this environment or another, and credentials without a
    // scheme for tokens.
    let bearer = |token: &str| format!("Bearer {token}");
    for header in [
        bearer(known.as_str()),
        bearer(unknown.as_str()),
        bearer(&unknown.as_str()[..20]),
        bearer("tg_live_"),
        bearer(foreign.as_str()),
        "ory_at_1".to_owned(),
        "Basic b3J5X2F0XzE6b3J5X2F0XzE=".to_owned(),
        bearer("eyJhbGciOiJFUzI1NiJ9.e30.c2ln"),
        String::new(),
    ] {
        assert_eq!(asked(&Request::new().authorization(&header)), None, "{header}");
        assert_eq!(fixture.engine.verify(&header).err().and_then(|it| it.unasked_issuer().map(str::to_owned)), None);
    }
    assert_eq!(asked(&Request::new().api_key("ory_at_1")), None);
    assert_eq!(asked(&Request::new().client("ory_at_1", "ory_at_1")), None);
    let keys_alone =
        Request::new().authorization("Bearer ory_at_1").accept(AcceptedCredentials::only([PrincipalKind::ApiKey]));
    assert_eq!(asked(&keys_alone), None);
    assert_eq!(fixture.engine.verify_request(&keys_alone).unwrap_err().status(), 401);
}

#[test]
fn answer_about_one_token_counts_for_no_other_and_for_no_other_engine() {
    let [fixture, other] = [Fixture::new(issuer()), Fixture::new(issuer())];
    let request = Request::new().authorization(TOKEN);
    let response = IntrospectionResponse::new(active("").as_bytes(), Instant::now());
    let answer = fixture.engine.unknown_token(&request).unwrap().answered(response);
    let another = Request::new().authorization("Bearer ory_at_2").introspected(&answer);
    assert_eq!(fixture.engine.verify_request(&another).unwrap_err().code(), "not-introspected");
    assert_eq!(other.engine.verify_request(&request.introspected(&answer)).unwrap_err().code(), "not-introspected");
    assert!(fixture.engine.verify_request(&request.introspected(&answer)).is_ok());
}

#[test]
fn claims_and_expectations_of_the_issuer_count_as_for_jwts() {
    let mut sources = ClaimSources::default();
    sources.audience = vec!["resource".parse().unwrap(), "aud".parse().unwrap()];
    sources.subject = vec!["/ext/user".parse().unwrap()];
    let fixture = Fixture::new(issuer().claims(sources).expect_claim("token_type", ["Bearer", "bearer"]));
    let json = r#"{"active":true,"resource":"https://api.example","token_type":"Bearer","ext":{"user":"u1"}}"#;
    assert_eq!(fixture.answer(TOKEN, json).unwrap().subject(), Some("u1"));
    let fixture = Fixture::new(issuer().expect_claim("token_type", "Bearer"));
    assert_eq!(fixture.code_of_answer(&active(r#","token_type":"DPoP""#)), "wrong-claim");
    let fixture = Fixture::new(issuer().expect_claim("token_type", "Bearer"));
    assert_eq!(fixture.code_of_answer(&active("")), "missing-claim");
}

#[test]
fn configurations_that_cannot_work_are_refused() {
    let build = |issuers: Vec<OpaqueIssuer>| {
        let builder = issuers.into_iter().fold(Engine::builder(), EngineBuilder::opaque_issuer);
        builder.build().map(drop)
    };
    let with_prefix =
        |prefix: &str| OpaqueIssuer::new(ISSUER).audience(AUDIENCE).introspector(nobody()).token_prefix(prefix);
    let without = || OpaqueIssuer::new("https://rest.example/").audience(AUDIENCE).introspector(nobody());
    assert_eq!(build(vec![without(), with_prefix("a_"), with_prefix("b_")]), Ok(()));
    for overlapping in [
        vec![without(), without()],
        vec![with_prefix("a_"), with_prefix("a_b")],
        vec![with_prefix("ab"), with_prefix("a")],
    ] {
        assert!(matches!(build(overlapping), Err(BuildError::TokenPrefixesOverlap { .. })));
    }
    let settings = |issuer: OpaqueIssuer| match build(vec![issuer]) {
        Err(BuildError::Issuer { error, .. }) => error,
        other => panic!("{other:?}"),
    };
    for prefix in ["", "a b", "a,b", "a\"", &"a".repeat(65)] {
        assert!(matches!(settings(with_prefix(prefix)), SettingsError::TokenPrefix { .. }), "{prefix}");
    }
    for age in [0, 3601] {
        assert!(matches!(settings(with_prefix("a").max_age(age)), SettingsError::LimitOutOfRange { .. }));
    }
    assert_eq!(settings(OpaqueIssuer::new(ISSUER).introspector(nobody())), SettingsError::NoAudience);
    assert_eq!(settings(OpaqueIssuer::new("").audience(AUDIENCE).introspector(nobody())), SettingsError::NoName);
    assert!(matches!(
        build(vec![OpaqueIssuer::new(ISSUER).audience(AUDIENCE)]),
        Err(BuildError::NoIntrospector { .. })
    ));
    let table = || ApiKeyTable::<KeyRecord>::new(KeyFormat::new("tg", "live").unwrap());
    let of_keys = Engine::builder().api_keys(table()).opaque_issuer(with_prefix("tg_live_x")).build();
    assert!(matches!(of_keys, Err(BuildError::TokenPrefixOfKeys { .. })));
    let accept = |kind| Engine::builder().opaque_issuer(without()).accept(AcceptedCredentials::only([kind])).build();
    assert!(accept(PrincipalKind::AccessToken).is_ok());
    assert!(accept(PrincipalKind::ApiKey).is_err());
    assert!(!Engine::builder().opaque_issuer(without()).build().unwrap().accepted().contains(PrincipalKind::Client));
}

#[test]
fn hit_allocates_nothing() {
    let fixture = Fixture::new(issuer());
    assert!(fixture.answer(TOKEN, &active(r#","sub":"user-7""#)).is_ok());
    for _ in 0..3 {
        assert!(fixture.engine.verify(TOKEN).is_ok());
    }
    let allocations = allocation_counter::measure(|| drop(fixture.engine.verify(TOKEN)));
    assert_eq!(allocations.count_total, 0);
}

#[test]
fn answers_and_rejected_tokens_are_bounded() {
    let fixture = Fixture::new(issuer());
    let padding = format!(r#","padding":"{}""#, "x".repeat(40_000));
    let (good, bad) = (active(&padding), r#"{"active":false}"#);
    for index in 0..600 {
        assert!(fixture.answer(&format!("Bearer ory_at_{index}"), &good).is_ok());
        assert!(fixture.answer(&format!("Bearer ory_at_x{index}"), bad).is_err());
    }
    let kept = (0..600).filter(|index| fixture.code(&format!("Bearer ory_at_{index}")) == "accepted").count();
    assert!((1..600).contains(&kept), "{kept}");
    // The last one is present in any case.
    assert_eq!(fixture.code("Bearer ory_at_x599"), "inactive-token");
}

proptest! {
    /// Of arbitrary answers, only those are accepted that say that the token is active, and for this audience.
    #[test]
    fn a86_no_other_answer_is_accepted(json in answer()) {
        let fixture = Fixture::new(issuer());
        let verdict = fixture.answer(TOKEN, &json);
        let says = serde_json::from_str::<serde_json::Value>(&json).ok();
        let is_for_us = |says: &serde_json::Value| {
            let audience = &says["aud"];
            let has = audience == AUDIENCE || audience.as_array().is_some_and(|list| list.iter().any(|one| one == AUDIENCE));
            says["active"] == true && has && (says.get("iss").is_none() || says["iss"] == ISSUER) && says.get("cnf").is_none()
        };
        if verdict.is_ok() {
            prop_assert!(says.is_some_and(|says| is_for_us(&says)), "{json}");
        }
    }
}

fn answer() -> impl Strategy<Value = String> {
    let value = prop_oneof![
        Just("true"),
        Just("false"),
        Just("\"true\""),
        Just("1"),
        Just("null"),
        Just("\"https://api.example\""),
        Just("[\"https://api.example\"]"),
        Just("[\"x\",\"https://api.example\"]"),
        Just("\"https://as.example/\""),
        Just("\"x\""),
        Just("{}"),
        Just("{\"jkt\":\"x\"}"),
        Just("1763830000"),
    ];
    let name =
        prop_oneof![Just("active"), Just("aud"), Just("iss"), Just("cnf"), Just("exp"), Just("sub"), Just("scope")];
    let member = (name, value).prop_map(|(name, value)| format!("\"{name}\":{value}"));
    let members = proptest::collection::vec(member, 0..6).prop_map(|members| format!("{{{}}}", members.join(",")));
    let good_at_heart =
        proptest::sample::select(vec!["", ",\"iss\":\"https://as.example/\"", ",\"cnf\":{}", ",\"exp\":1"])
            .prop_map(active);
    prop_oneof![4 => members, 1 => good_at_heart]
}
