//! Every rejection code at least once, with its status and its challenge.

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tollgate::jwt::json::JsonError;
use tollgate::jwt::{ParseError, Part, base64url, is_scope_token};
use tollgate::{
    Algorithm, ApiKey, ApiKeyTable, Engine, KeyFormat, KeyRecord, KeyRecordBuilder, KeyState, Rejection, Request,
    Revocation, Revocations, Unavailable,
};
use tollgate_tests::{Draft, NOW, issuer, key_set, signing_key};

const INVALID_TOKEN: &str = r#"Bearer error="invalid_token""#;
const BASIC: &str = r#"Basic realm="tollgate", charset="UTF-8""#;

/// The codes that `verify` returns; each occurs below.
const CODES: [&str; 31] = [
    "missing-credential",
    "header-too-long",
    "malformed-credential",
    "unsupported-scheme",
    "malformed-token",
    "encrypted-token",
    "critical-header",
    "unsupported-header",
    "algorithm-not-allowed",
    "type-not-allowed",
    "missing-claim",
    "invalid-claim",
    "unknown-issuer",
    "wrong-audience",
    "expired",
    "not-yet-valid",
    "unknown-key",
    "ambiguous-key",
    "algorithm-mismatch",
    "malformed-signature",
    "bad-signature",
    "unknown-api-key",
    "unknown-client",
    "sender-constrained",
    "empty-confirmation",
    "invalid-confirmation",
    "certificate-required",
    "proof-required",
    "token-not-bound",
    "too-many-members",
    "too-many-entries",
];

#[test]
fn every_code_is_reached_and_answers_as_rfc_6750_says() {
    let key = signing_key(Algorithm::ES256, 0);
    let crowd: Vec<_> = (0..5).map(|index| signing_key(Algorithm::EdDSA, index)).collect();
    let format = KeyFormat::new("tg", "live").unwrap();
    let table = ApiKeyTable::new(format.clone());
    let ended = ApiKey::generate(&format).unwrap();
    table.insert(&ended, KeyRecord::api_key("k", "u").expires_at(NOW));
    let keys = key_set(crowd.iter().chain([&key]));
    let engine = Engine::builder().issuer(issuer([]).keys(keys)).api_keys(table).build().unwrap();
    let unknown = ApiKey::generate(&format).unwrap();

    let draft = || Draft::new(&key);
    let sign = |draft: Draft| draft.sign(&key);
    let nobody = format!("Basic {}", base64url::encode("abc:defg:hij"));
    let headers = [
        String::new(),
        "a".repeat(9000),
        "Bearer".to_owned(),
        "Basic YWJj".to_owned(),
        "Digest x".to_owned(),
        "ey.a".to_owned(),
        "eyJhbGciOiJSU0EtT0FFUCJ9.a.b.c.d".to_owned(),
        sign(draft().header("crit", "exp")),
        sign(draft().header("zip", "DEF")),
        sign(draft().header("alg", "none")),
        sign(draft().header("typ", "at+jwt")),
        sign(draft().without_claim("exp")),
        sign(draft().claim("exp", "soon")),
        sign(draft().claim("iss", "https://other/")),
        sign(draft().claim("aud", "other")),
        sign(draft().claim("cnf", serde_json::json!({}))),
        sign(draft().claim("cnf", serde_json::json!({ "jwe": "" }))),
        sign(draft().claim("cnf", serde_json::json!({ "jkt": base64url::encode([7; 32]) }))),
        format!("DPoP {}", sign(draft())),
        sign(draft().claim("cnf", serde_json::json!({ "x5t#S256": "" }))),
        sign(draft().claim("cnf", serde_json::json!({ "x5t#S256": base64url::encode([7; 32]) }))),
        sign(draft().claim("exp", NOW - 100)),
        ended.as_str().to_owned(),
        sign(draft().claim("nbf", NOW + 100)),
        sign(draft().header("kid", "other")),
        sign(draft().header("alg", "EdDSA").without_header("kid")),
        sign(draft().header("alg", "EdDSA")),
        draft().with_signature("short"),
        draft().with_signature([7; 64]),
        unknown.as_str().to_owned(),
        nobody,
        sign(draft().payload_text(format!("{{{}}}", vec!["\"a\":0"; 257].join(",")))),
        sign(draft().claim("aud", vec!["a"; 129])),
    ];
    let mut met = BTreeMap::new();
    for header in &headers {
        let rejection = engine.verify_at(header.as_bytes(), NOW).expect_err(header);
        assert_eq!(rejection.status(), 401, "{header}");
        let challenge = rejection.challenge().to_string();
        match rejection.code() {
            "missing-credential" => assert_eq!(challenge, "Bearer"),
            "unknown-client" => assert_eq!(challenge, BASIC),
            "unsupported-scheme" => assert_eq!(challenge, "Bearer"),
            "proof-required" | "token-not-bound" => {
                assert_eq!(challenge, r#"DPoP error="invalid_token", algs="RS256 PS256 ES256 EdDSA""#);
            }
            "malformed-credential" => assert!([BASIC, INVALID_TOKEN].contains(&&*challenge)),
            _ => assert_eq!(challenge, INVALID_TOKEN),
        }
        assert!(!rejection.to_string().is_empty());
        met.insert(rejection.code(), rejection);
    }
    for code in CODES {
        assert!(met.contains_key(code), "{code} was not met");
    }
}

#[test]
fn more_than_one_credential_is_a_bad_request() {
    let rejection = Rejection::MultipleCredentials;
    assert_eq!((rejection.code(), rejection.status()), ("multiple-credentials", 400));
    assert_eq!(rejection.challenge().to_string(), r#"Bearer error="invalid_request""#);
}

#[test]
fn claims_of_another_shape_are_forbidden_and_the_detail_names_the_claim() {
    let key = signing_key(Algorithm::ES256, 0);
    let token = Draft::new(&key).claim("tenant", "acme").sign(&key);
    let principal = tollgate_tests::engine([&key]).verify_at(token, NOW).unwrap();
    fn tenant(principal: &tollgate::Principal) -> Result<Option<u32>, Rejection> {
        Ok(principal.claim("tenant")?)
    }
    let rejection = tenant(&principal).unwrap_err();
    assert_eq!((rejection.status(), rejection.code()), (403, "unexpected-claims"));
    assert!(rejection.to_string().starts_with("the claim tenant has another shape"), "{rejection}");
    assert_eq!(rejection.challenge().to_string(), r#"Bearer error="insufficient_scope""#);
}

#[test]
fn the_fields_of_an_answer_are_told() {
    let of = |rejection: &Rejection| rejection.challenge().with_realm("a").fields().collect::<Vec<_>>();
    let metadata = "https://api.example.com/.well-known/oauth-protected-resource";
    let challenge = Rejection::MissingCredential.challenge();
    assert_eq!(
        challenge.with_resource_metadata(metadata).to_string(),
        format!(r#"Bearer resource_metadata="{metadata}""#)
    );
    let challenge = Rejection::BadSignature.challenge();
    assert_eq!(
        challenge.with_resource_metadata(metadata).with_realm("a").to_string(),
        format!(r#"Bearer realm="a", error="invalid_token", resource_metadata="{metadata}""#)
    );
    let challenge = Rejection::UnknownClient.challenge().with_resource_metadata(metadata).to_string();
    assert_eq!(challenge, BASIC, "Basic has no such parameter");
    assert_eq!(
        of(&Rejection::Revoked),
        [("www-authenticate", r#"Bearer realm="a", error="invalid_token""#.to_owned())]
    );
    let unavailable = Rejection::from(Unavailable::no_answer("https://as.example/", "connection refused"));
    assert_eq!(of(&unavailable), [("retry-after", "5".to_owned())]);
    assert_eq!(of(&Rejection::ValidatorPanicked), []);
    let key = signing_key(Algorithm::ES256, 0);
    let token = format!("DPoP {}", Draft::new(&key).sign(&key));
    let Err(Rejection::Dpop { cause, mut challenge }) = tollgate_tests::engine([&key]).verify_at(token, NOW) else {
        panic!("the token is not bound");
    };
    challenge.nonce = Some("n\r\n".into());
    let dpop = Rejection::Dpop { cause, challenge };
    let fields = of(&dpop);
    assert_eq!((fields.len(), &fields[1]), (2, &("dpop-nonce", "n??".to_owned())));
    let with_metadata = dpop.challenge().with_resource_metadata(metadata).to_string();
    assert!(with_metadata.ends_with(&format!(r#"", resource_metadata="{metadata}""#)), "{with_metadata}");
}

/// Another credential may not do better, so none is asked for.
#[test]
fn what_cannot_be_decided_now_is_503_and_says_when_to_ask_again() {
    let causes = [
        (Unavailable::no_answer("https://as.example/", "connection refused"), "issuer-unavailable"),
        (Unavailable::BudgetSpent { issuer: "https://as.example/".into() }, "budget-spent"),
    ];
    for (cause, code) in causes {
        let rejection = Rejection::from(cause.clone());
        assert_eq!((rejection.status(), rejection.code(), rejection.retry_after()), (503, code, Some(5)));
        assert_eq!((rejection.challenge().to_string().as_str(), rejection.missing_key()), ("Bearer", None));
        assert!(rejection.to_string().starts_with("https://as.example/ "), "{rejection}");
        let later = Rejection::Unavailable { cause, retry_after: 30 };
        assert_eq!((later.status(), later.retry_after()), (503, Some(30)));
        let of_client = Rejection::Client { cause: Box::new(later) };
        assert_eq!((of_client.status(), of_client.retry_after()), (503, Some(30)));
    }
    for other in [Rejection::BadSignature, Rejection::AddressRequired, Rejection::ValidatorPanicked] {
        assert_eq!(other.retry_after(), None);
    }
    assert_eq!(Rejection::ObserverPanicked.challenge().to_string(), "Bearer");
}

/// RFC 6750 section 3.1: "attempted using an unsupported authentication method".
#[test]
fn an_unsupported_scheme_is_challenged_without_an_error_code() {
    let key = signing_key(Algorithm::ES256, 0);
    let (with_keys, jwts_alone) = (engine_with_keys().0, tollgate_tests::engine([&key]));
    for header in ["Negotiate x", "Digest username=\"a\", realm=\"b\"", "Token x", "NTLM TlRMTVNTUAAB"] {
        for engine in [&with_keys, &jwts_alone] {
            let rejection = engine.verify(header.as_bytes()).unwrap_err();
            assert_eq!((rejection.code(), rejection.status()), ("unsupported-scheme", 401), "{header}");
            assert_eq!(rejection.challenge().to_string(), "Bearer", "{header}");
        }
    }
    // Nor is there one if a known method is not accepted; nor is a client's secret asked for.
    let basic = format!("Basic {}", STANDARD.encode("client-1:secret"));
    let requests = ["tg_live_2", &basic, "Basic YWJj", "Basic", "Basic a b"].map(|v| Request::new().authorization(v));
    for request in requests.into_iter().chain([Request::new().api_key("tg_live_2"), Request::new().client("a", "b")]) {
        let rejection = jwts_alone.verify_request(&request).unwrap_err();
        let (code, challenge) = (rejection.code(), rejection.challenge().to_string());
        assert_eq!((code, challenge.as_str()), ("credential-not-accepted", "Bearer"), "{request:?}");
    }
    let bearer = jwts_alone.verify("Bearer tg_live_2").unwrap_err();
    assert_eq!((bearer.code(), bearer.challenge().to_string().as_str()), ("credential-not-accepted", INVALID_TOKEN));
}

#[test]
fn a_client_is_challenged_in_the_scheme_that_it_used() {
    type Change = fn(KeyRecordBuilder<'static>) -> KeyRecordBuilder<'static>;
    let causes: [(Change, Rejection); 4] = [
        (|record| record.state(KeyState::Disabled), Rejection::Disabled),
        (|record| record.state(KeyState::Revoked), Rejection::Revoked),
        (|record| record.expires_at(NOW), Rejection::Expired { expired_at: NOW, now: NOW }),
        (|record| record.not_before(NOW + 1), Rejection::NotYetValid { not_before: NOW + 1, now: NOW }),
    ];
    for (change, cause) in causes {
        let (engine, new) = engine_with_keys();
        let key = new(change(KeyRecord::api_key("k", "u")));
        let rejection = engine.verify_at(key.as_bytes(), NOW).unwrap_err();
        assert_eq!((&rejection, rejection.cause()), (&cause, &cause));
        assert_eq!(rejection.challenge().to_string(), INVALID_TOKEN);

        let secret = new(change(KeyRecord::client_secret("s", "client-1")));
        let header = format!("Basic {}", STANDARD.encode(format!("client-1:{secret}")));
        let rejection = engine.verify_at(header.as_bytes(), NOW).unwrap_err();
        assert_eq!(rejection, Rejection::Client { cause: Box::new(cause.clone()) });
        assert_eq!((rejection.cause(), rejection.code(), rejection.status()), (&cause, cause.code(), 401));
        assert_eq!((rejection.challenge().to_string().as_str(), rejection.challenge().scheme()), (BASIC, "Basic"));
        assert_eq!(rejection.to_string(), format!("the client's secret: {cause}"));
    }
    // Revoked by its id, like any other key.
    let table = ApiKeyTable::new(KeyFormat::new("tg", "live").unwrap());
    let secret = ApiKey::generate(table.format()).unwrap();
    table.insert(&secret, KeyRecord::client_secret("s", "client-1"));
    let revocations = Revocations::new();
    let engine = Engine::builder().api_keys(table).revocations(revocations.clone()).build().unwrap();
    let header = format!("Basic {}", STANDARD.encode(format!("client-1:{}", secret.as_str())));
    assert!(engine.verify(header.as_bytes()).is_ok());
    revocations.revoke(&Revocation::api_key("s"));
    let rejection = engine.verify(header.as_bytes()).unwrap_err();
    assert_eq!((rejection.code(), rejection.challenge().to_string().as_str()), ("revoked", BASIC));
}

/// A malformed credential is also challenged in the scheme that the client used.
#[test]
fn malformed_basic_credentials_are_challenged_as_basic() {
    let (engine, _) = engine_with_keys();
    for header in
        ["Basic", "basic ", "Basic ===", "Basic a b", "Basic \"a\"", "Basic YWJj", "basic  YWJj", "BASIC YTpi="]
    {
        let rejection = engine.verify(header.as_bytes()).unwrap_err();
        assert_eq!((rejection.code(), rejection.challenge().to_string().as_str()), ("malformed-credential", BASIC));
    }
}

type NewKey = Box<dyn Fn(KeyRecordBuilder<'_>) -> String>;

/// An engine, and a function that puts a new key with a record into its table.
fn engine_with_keys() -> (Engine, NewKey) {
    let table = Arc::new(ApiKeyTable::new(KeyFormat::new("tg", "live").unwrap()));
    let engine = Engine::builder().api_keys(table.clone()).build().unwrap();
    let new = move |record: KeyRecordBuilder<'_>| {
        let key = ApiKey::generate(table.format()).unwrap();
        table.insert(&key, record);
        key.as_str().to_owned()
    };
    (engine, Box::new(new))
}

/// The value of a field is one line of printable ASCII, with each parameter one quoted-string, whoever made the
/// rejection.
#[test]
fn a60_a_rejection_made_by_hand_splits_no_header() {
    const NASTY: [&str; 6] =
        ["a\r\nSet-Cookie: b=c", "a\0b", "a\", error=\"b", "a\\", "\u{e9}\u{2028}\u{7f}", "\r\n\r\n<script>"];
    for text in NASTY {
        for rejection in rejections_with(text) {
            for challenge in [rejection.challenge(), rejection.challenge().with_realm(text)] {
                let value = challenge.to_string();
                assert!(value.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{rejection:?}: {value:?}");
                let parameters = parameters(&value).unwrap_or_else(|| panic!("{rejection:?}: {value:?}"));
                let names: Vec<_> = parameters.iter().map(|(name, _)| name.as_str()).collect();
                assert!(names.is_sorted_by(|a, b| a != b), "{value:?}");
                assert!(parameters.iter().all(|(name, _)| ["realm", "charset", "error", "scope"].contains(&&**name)));
                if let Some((_, scope)) = parameters.iter().find(|(name, _)| name == "scope") {
                    assert!(scope.split(' ').all(|scope| scope.is_empty() || is_scope_token(scope)), "{value:?}");
                }
            }
        }
    }
    let required = Rejection::InsufficientScope { required: "read:sites write:sites".into() };
    let expected = r#"Bearer error="insufficient_scope", scope="read:sites write:sites""#;
    assert_eq!(required.challenge().to_string(), expected);
}

/// Every variant with text, holding this text.
fn rejections_with(text: &str) -> Vec<Rejection> {
    let json = |part| ParseError::Json { part, error: JsonError::DuplicateMember { name: text.into() } };
    vec![
        Rejection::MissingClaim { name: text.into() },
        Rejection::UnknownIssuer { issuer: text.into() },
        Rejection::UnknownKey { kid: Some(text.into()) },
        Rejection::InsufficientScope { required: text.into() },
        Rejection::InvalidScopeRequirement { required: text.into() },
        Rejection::from(Unavailable::no_answer(text, text)),
        Rejection::from(Unavailable::NoAnswer { issuer: text.into(), reason: text.into() }),
        Rejection::from(Unavailable::BudgetSpent { issuer: text.into() }),
        Rejection::Token(json(Part::Header)),
        Rejection::Token(json(Part::Payload)),
        Rejection::Client { cause: Box::new(Rejection::UnknownIssuer { issuer: text.into() }) },
        Rejection::Client { cause: Box::new(Rejection::InsufficientScope { required: text.into() }) },
    ]
}

/// The parameters of a challenge (RFC 9110 section 11.2), parsed slowly, and as strictly as the grammar.
fn parameters(challenge: &str) -> Option<Vec<(String, String)>> {
    let Some((_, mut rest)) = challenge.split_once(' ') else { return Some(Vec::new()) };
    let mut parameters = Vec::new();
    loop {
        let (name, quoted) = rest.split_once("=\"")?;
        let (mut value, mut characters) = (String::new(), quoted.char_indices());
        let end = loop {
            match characters.next()? {
                (end, '"') => break end,
                (_, '\\') => value.push(characters.next()?.1),
                (_, character) => value.push(character),
            }
        };
        let is_name = name.bytes().all(|byte| byte.is_ascii_lowercase());
        parameters.push((is_name.then(|| name.to_owned())?, value));
        match &quoted[end + 1..] {
            "" => return Some(parameters),
            more => rest = more.strip_prefix(", ")?,
        }
    }
}

/// Attack 61: the limit applies to the line in a log, escapes included.
#[test]
fn a61_a_rejection_with_long_text_made_by_hand_has_a_short_message() {
    for text in ["a".repeat(8000), "\0".repeat(8000), "\u{1f600}\u{301}".repeat(1000), "\"\\'".repeat(2000)] {
        for rejection in rejections_with(&text) {
            let message = rejection.to_string();
            assert!(message.chars().count() <= 256 && message.len() <= 512, "{}: {message}", message.len());
            assert!(!message.contains(char::is_control));
        }
    }
}

#[test]
fn a_spoilt_checksum_is_told_from_an_unknown_key() {
    let format = KeyFormat::new("tg", "live").unwrap();
    let engine = Engine::builder().api_keys(ApiKeyTable::new(format.clone())).build().unwrap();
    let key = ApiKey::generate(&format).unwrap();
    let mut spoilt = key.as_str().to_owned();
    let last = if spoilt.pop() == Some('a') { 'b' } else { 'a' };
    spoilt.push(last);
    assert_eq!(engine.verify(spoilt.as_bytes()).unwrap_err().code(), "malformed-api-key");
    assert_eq!(engine.verify(key.as_str().as_bytes()).unwrap_err().code(), "unknown-api-key");
}

#[test]
fn a50_nothing_of_a_token_reaches_the_challenge_or_the_message_unescaped() {
    let key = signing_key(Algorithm::ES256, 0);
    let engine = tollgate_tests::engine([&key]);
    let nasty = "x\r\nSet-Cookie: a=b\u{1b}[31m\"";
    for draft in [Draft::new(&key).claim("iss", nasty), Draft::new(&key).header("kid", nasty)] {
        let rejection = engine.verify_at(draft.sign(&key).as_bytes(), NOW).unwrap_err();
        assert_eq!(rejection.challenge().to_string(), INVALID_TOKEN);
        assert!(!rejection.to_string().contains(['\r', '\n', '\u{1b}']), "{rejection}");
    }
}

#[test]
fn a_realm_is_one_quoted_string_whatever_is_in_it() {
    let challenge = |realm| Rejection::UnknownClient.challenge().with_realm(realm).to_string();
    assert_eq!(challenge(r#"a "b" \c"#), r#"Basic realm="a \"b\" \\c", charset="UTF-8""#);
    assert_eq!(challenge("a\r\nset-cookie: b\u{7f}é"), r#"Basic realm="a??set-cookie: b??", charset="UTF-8""#);
}
