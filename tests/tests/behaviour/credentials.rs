//! Every kind of credential through the one call, each by its documented shape, and none as another.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tollgate::{
    Algorithm, ApiKey, ApiKeyTable, Engine, KeyFormat, KeyRecord, KeyRecordBuilder, KeyRing, PrincipalKind, Rejection,
};
use tollgate_keys::test_hooks::signature_checks;
use tollgate_keys::{KeyRefresher, Refreshed};
use tollgate_tests::{Draft, NOW, issuer, key_set, signing_key};

struct World {
    engine: Engine,
    jwt: String,
    api_key: String,
    access_token: String,
    secret: String,
}

fn world() -> World {
    let key = signing_key(Algorithm::ES256, 0);
    let format = KeyFormat::new("tg", "live").unwrap();
    let table = ApiKeyTable::new(format.clone());
    let new = |record: KeyRecordBuilder<'_>| {
        let key = ApiKey::generate(&format).unwrap();
        table.insert(&key, record);
        key.as_str().to_owned()
    };
    let api_key = new(KeyRecord::api_key("key-1", "user-1").scopes(["read:sites"]));
    let access_token = new(KeyRecord::access_token("at-1", "user-2").client_id("app-1").expires_at(NOW + 10));
    let secret = new(KeyRecord::client_secret("secret-1", "client-1").scopes(["read:reports"]));
    let engine = Engine::builder().issuer(issuer([&key])).api_keys(table).build().unwrap();
    World { engine, jwt: Draft::new(&key).sign(&key), api_key, access_token, secret }
}

impl World {
    /// Every rejection here comes before any signature check.
    fn kind(&self, header: impl AsRef<[u8]>) -> Result<PrincipalKind, &'static str> {
        let before = signature_checks();
        let result = self.engine.verify_at(header.as_ref(), NOW);
        assert!(result.is_ok() || signature_checks() == before, "rejected only after a signature check");
        result.map(|principal| principal.kind()).map_err(|error| error.code())
    }
}

fn basic(id: &str, secret: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{id}:{secret}")))
}

#[test]
fn a_jwt_is_taken_as_bearer_and_bare() {
    let world = world();
    assert_eq!(world.kind(format!("Bearer {}", world.jwt)), Ok(PrincipalKind::Jwt));
    assert_eq!(world.kind(&world.jwt), Ok(PrincipalKind::Jwt));
}

#[test]
fn an_api_key_is_taken_bare_as_bearer_and_from_its_own_header() {
    let world = world();
    assert_eq!(world.kind(&world.api_key), Ok(PrincipalKind::ApiKey));
    assert_eq!(world.kind(format!("Bearer {}", world.api_key)), Ok(PrincipalKind::ApiKey));
    let principal = world.engine.verify_api_key(world.api_key.as_bytes()).unwrap();
    assert_eq!((principal.subject(), principal.credential_id()), (Some("user-1"), Some("key-1")));
    assert!(principal.scopes().contains("read:sites"));
    assert_eq!((principal.issuer(), principal.key_id(), principal.expires_at()), (None, None, None));
}

#[test]
fn an_opaque_access_token_is_taken_as_bearer_alone_and_until_it_expires() {
    let world = world();
    let header = format!("Bearer {}", world.access_token);
    let principal = world.engine.verify_at(header.as_bytes(), NOW + 9).unwrap();
    assert_eq!(principal.kind(), PrincipalKind::AccessToken);
    assert_eq!((principal.client_id(), principal.expires_at()), (Some("app-1"), Some(NOW + 10)));
    let expired = world.engine.verify_at(header.as_bytes(), NOW + 10).unwrap_err();
    assert_eq!(expired, Rejection::Expired { expired_at: NOW + 10, now: NOW + 10 });
    assert_eq!(world.kind(&world.access_token), Err("unknown-api-key"));
    assert!(world.engine.verify_api_key(world.access_token.as_bytes()).is_err());
}

#[test]
fn a_client_is_known_by_basic_with_its_own_secret() {
    let world = world();
    let principal = world.engine.verify_at(basic("client-1", &world.secret).as_bytes(), NOW).unwrap();
    assert_eq!(principal.kind(), PrincipalKind::Client);
    assert_eq!((principal.subject(), principal.client_id()), (Some("client-1"), Some("client-1")));
    assert_eq!(world.kind(basic("client-2", &world.secret)), Err("unknown-client"));
    assert_eq!(world.kind(basic("client-1", "wrong")), Err("unknown-client"));
    assert_eq!(world.kind(basic("client-1", "")), Err("unknown-client"));
}

#[test]
fn a_client_secret_is_good_for_basic_alone() {
    let world = world();
    assert_eq!(world.kind(&world.secret), Err("unknown-api-key"));
    assert_eq!(world.kind(format!("Bearer {}", world.secret)), Err("unknown-api-key"));
    assert!(world.engine.verify_api_key(world.secret.as_bytes()).is_err());
}

#[test]
fn basic_takes_nothing_but_client_secrets() {
    let world = world();
    for secret in [&world.api_key, &world.access_token, &world.jwt] {
        for id in ["key-1", "at-1", "user-1", "app-1", ""] {
            assert_eq!(world.kind(basic(id, secret)), Err("unknown-client"));
        }
    }
}

#[test]
fn what_was_removed_from_the_table_is_rejected_at_once() {
    let format = KeyFormat::new("tg", "live").unwrap();
    let table = std::sync::Arc::new(ApiKeyTable::new(format.clone()));
    let key = ApiKey::generate(&format).unwrap();
    let engine = Engine::builder().api_keys(table.clone()).build().unwrap();
    assert_eq!(engine.verify(key.as_str().as_bytes()).unwrap_err().code(), "unknown-api-key");
    table.insert(&key, KeyRecord::api_key("key-1", "user-1"));
    assert!(engine.verify(key.as_str().as_bytes()).is_ok());
    table.remove(&key.digest());
    assert_eq!(engine.verify(key.as_str().as_bytes()).unwrap_err().code(), "unknown-api-key");
}

#[test]
fn a_key_is_taken_from_its_start_until_its_end() {
    let format = KeyFormat::new("tg", "live").unwrap();
    let table = ApiKeyTable::new(format.clone());
    let key = ApiKey::generate(&format).unwrap();
    table.insert(&key, KeyRecord::api_key("k", "u").not_before(NOW).expires_at(NOW + 5));
    let engine = Engine::builder().api_keys(table).build().unwrap();
    let code = |now| engine.verify_at(key.as_str().as_bytes(), now).map(drop).map_err(|error| error.code());
    assert_eq!(code(NOW - 1), Err("not-yet-valid"));
    assert_eq!((code(NOW), code(NOW + 4)), (Ok(()), Ok(())));
    assert_eq!(code(NOW + 5), Err("expired"));
}

#[test]
fn a_kind_that_nothing_was_configured_for_is_named_so() {
    let key = signing_key(Algorithm::ES256, 0);
    let (only_jwts, world) = (tollgate_tests::engine([&key]), world());
    for header in [world.api_key.clone(), basic("a", "b")] {
        assert_eq!(only_jwts.verify_at(header, NOW).unwrap_err(), Rejection::MethodNotAccepted);
    }
    let bearer = only_jwts.verify_at(format!("Bearer {}", world.api_key), NOW).unwrap_err();
    assert_eq!(bearer, Rejection::CredentialNotAccepted);
    let only_keys =
        Engine::builder().api_keys(ApiKeyTable::new(KeyFormat::new("tg", "live").unwrap())).build().unwrap();
    assert_eq!(only_keys.verify_at(&world.jwt, NOW).unwrap_err(), Rejection::MethodNotAccepted);
}

#[test]
fn a48_the_scheme_compares_without_regard_to_case_and_spaces_may_follow() {
    let world = world();
    for scheme in ["Bearer ", "bearer ", "BEARER ", "bEaReR ", "Bearer  ", "Bearer      "] {
        assert_eq!(world.kind(format!("{scheme}{}", world.jwt)), Ok(PrincipalKind::Jwt), "{scheme:?}");
        assert_eq!(world.kind(format!("{scheme}{}", world.api_key)), Ok(PrincipalKind::ApiKey), "{scheme:?}");
    }
    for scheme in ["Basic", "bAsIc", "BASIC"] {
        let header = basic("client-1", &world.secret).replacen("Basic", scheme, 1);
        assert_eq!(world.kind(header), Ok(PrincipalKind::Client));
    }
}

#[test]
fn a48_what_only_resembles_a_credential_is_rejected() {
    let world = world();
    for credential in [&world.jwt, &world.api_key] {
        for (before, after) in [
            ("Bearer\t", ""),
            ("Bearer \t", ""),
            (" Bearer ", ""),
            ("\tBearer ", ""),
            ("Bearer:", ""),
            ("Bearer: ", ""),
            ("Bearer\u{a0}", ""),
            ("Bearer \u{a0}", ""),
            ("Bearer, ", ""),
            ("Bearer=", ""),
            ("Bearer", ""),
            ("\"", "\""),
            ("Bearer \"", "\""),
            ("Bearer ", " "),
            ("Bearer ", "\r\n"),
            ("Bearer ", "\n"),
            ("Bearer ", "\0"),
            ("Bearer ", ","),
            ("Bearer ", ";"),
            ("Bearer ", " x"),
            ("Bearer ", ", Bearer x"),
            ("Bearer Bearer ", ""),
            ("", " "),
            ("", "\r"),
            ("", "\0"),
            (" ", ""),
            ("Token ", ""),
            ("Basic ", ""),
            ("DPoP ", ""),
            ("Bearer ", "é"),
            ("Bearer x, Bearer ", ""),
        ] {
            let header = format!("{before}{credential}{after}");
            assert!(world.kind(&header).is_err(), "{header:?}");
        }
    }
    for header in [
        "Bearer", "bearer", "Basic", "DPoP", "Bearer ", "Bearer  ", "Basic ", " ", "\0", "é", "{", "{}", "\"a\"", ",",
        "a,", "a;b", "a b",
    ] {
        let code = world.kind(header).unwrap_err();
        assert!(["malformed-credential", "unsupported-scheme"].contains(&code), "{header:?}: {code}");
    }
    assert_eq!(world.kind(""), Err("missing-credential"));
    assert_eq!(world.kind(b"Bearer \xff"), Err("malformed-credential"));
    // A scheme is a token (RFC 9110 section 11.1). Other texts, and the empty one, name no scheme.
    for scheme in ["Digest", "x", "Bearerx", "a!#$%&'*+-.^_`|~9"] {
        assert_eq!(world.kind(format!("{scheme} x")), Err("unsupported-scheme"), "{scheme}");
    }
    for scheme in ["", "Bearer:", "a\"b", "é", "a/b", "(a)"] {
        assert_eq!(world.kind(format!("{scheme} x")), Err("malformed-credential"), "{scheme}");
    }
}

#[test]
fn what_begins_as_a_jws_is_one_where_it_holds_a_dot() {
    let world = world();
    for start in ["ey", "ew"] {
        for (rest, code) in [
            ("JhbGciOiJub25l", "malformed-api-key"),
            ("JhbGciOiJub25lIn0aGVhZGVyIHRoYXQgaXMgbG9uZw", "malformed-api-key"),
            (".", "malformed-token"),
            ("JhbGciOiJub25lIn0.", "malformed-token"),
            ("JhbGciOiJub25lIn0aGVhZGVyIHRoYXQgaXMgbG9uZw.x", "malformed-token"),
        ] {
            assert_eq!(world.kind(format!("{start}{rest}")), Err(code), "{start}{rest}");
            assert_eq!(world.kind(format!("Bearer {start}{rest}")), Err(code), "{start}{rest}");
        }
    }
    for other in ["e.x.y", "xy.x.y", "eY.x.y", "Ey.x.y"] {
        assert_eq!(world.kind(other), Err("malformed-api-key"), "{other}");
    }
}

/// The same characters with `Bearer`, bare and in a header of its own: RFC 9110 sections 5.6.2 and 11.2, and the colon,
/// listed explicitly.
#[test]
fn a48_each_character_counts_wherever_it_is() {
    const ALPHANUMERIC: &str = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let world = world();
    let malformed = |header: &[u8]| match world.kind(header) {
        Err("malformed-credential") => Some(true),
        Err("malformed-api-key") => Some(false),
        Err("multiple-credentials") => None,
        other => panic!("{other:?} for {}", header.escape_ascii()),
    };
    let lengths = [2, 15, 16, 17, 31, 32, 33, 63, 64, 65, 90];
    for (length, byte) in lengths.into_iter().flat_map(|length| (0..=u8::MAX).map(move |byte| (length, byte))) {
        // A space ends a scheme.
        if byte == b' ' {
            continue;
        }
        for position in [0, length / 2, length - 1] {
            let mut text = vec![b'a'; length];
            text[position] = byte;
            let is_in = |others: &str| ALPHANUMERIC.bytes().chain(others.bytes()).any(|one| one == byte);
            let is_key = is_in("!#$%&'*+-.^_`|~/=:");
            for header in [text.clone(), [b"Bearer ", text.as_slice()].concat()] {
                // A comma separates two credentials if there is text on either side.
                let is_joined = byte == b',' && position > 0 && position < length - 1;
                let expected = if is_joined { None } else { Some(!is_key) };
                assert_eq!(malformed(&header), expected, "{}", header.escape_ascii());
            }
            let by_own_header = world.engine.verify_api_key_at(&text, NOW).unwrap_err();
            assert_eq!(by_own_header.code() == "malformed-api-key", is_key, "{}", text.escape_ascii());
        }
    }
}

#[test]
fn a49_basic_is_canonical_base64_of_utf_8_without_controls_split_at_the_first_colon() {
    let world = world();
    let encode = |bytes: &[u8]| format!("Basic {}", STANDARD.encode(bytes));
    for bytes in [&b"no-colon"[..], b"", b"a\0:b", b"a:\x7f", b"a:b\n", b"\xff:b", b"a:\xc0\xaf", "a:\u{85}".as_bytes()]
    {
        assert_eq!(world.kind(encode(bytes)), Err("malformed-credential"), "{bytes:?}");
    }
    for text in ["YTpi=", "YTpiYQ", "YTpiYR==", "YTpi YQ==", "YTpiYQ==\n", "YTpi-Q==", "====", "="] {
        assert_eq!(world.kind(format!("Basic {text}")), Err("malformed-credential"), "{text:?}");
    }
    let secret = ApiKey::generate(&KeyFormat::new("tg", "live").unwrap()).unwrap();
    let first_colon = basic("client-1", &format!(":{}", secret.as_str()));
    assert_eq!(world.kind(first_colon), Err("unknown-client"));
}

#[test]
fn a50_a_header_past_the_limit_is_rejected_for_its_length() {
    let world = world();
    let long = format!("Bearer {}", "a".repeat(8 * 1024));
    let rejection = world.engine.verify_at(long.as_bytes(), NOW).unwrap_err();
    assert_eq!(rejection, Rejection::HeaderTooLong { length: long.len(), max: 8 * 1024 });
    assert!(world.engine.verify_api_key(long.as_bytes()).is_err());
    let short = Engine::builder()
        .api_keys(ApiKeyTable::new(KeyFormat::new("tg", "live").unwrap()))
        .max_header_bytes(16)
        .build()
        .unwrap();
    assert_eq!(short.verify(b"12345678901234567").unwrap_err().code(), "header-too-long");
    assert_ne!(short.verify(b"1234567890123456").unwrap_err().code(), "header-too-long");
}

#[test]
fn a24_a_json_serialisation_is_no_credential() {
    let world = world();
    for header in
        [r#"{"payload":"e30","signature":""}"#, r#"Bearer {"payload":"e30"}"#, r#""eyJ.e30.""#, r#"Bearer "eyJ""#]
    {
        assert_eq!(world.kind(header), Err("malformed-credential"), "{header}");
    }
}

/// Several fields, or several credentials in one, after a proxy has joined them (RFC 9110 section 5.3).
#[test]
fn a47_credentials_that_a_proxy_has_joined_are_told_from_one_that_is_malformed() {
    let world = world();
    let client = basic("client-1", &world.secret);
    let sent = [
        world.jwt.clone(),
        world.api_key.clone(),
        format!("Bearer {}", world.jwt),
        format!("bearer  {}", world.api_key),
        format!("Bearer {}", world.access_token),
        client,
        "eyJ.e30.c2ln".to_owned(),
        "Bearer an-opaque-token".to_owned(),
        "Negotiate x".to_owned(),
    ];
    for (first, second) in sent.iter().flat_map(|first| sent.iter().map(move |second| (first, second))) {
        // Its credentials may have any form, with commas too (RFC 9110 section 11.4), so the whole value is one
        // credential.
        let expected = if first == "Negotiate x" { "unsupported-scheme" } else { "multiple-credentials" };
        for comma in [",", ", ", ",\t"] {
            let header = format!("{first}{comma}{second}");
            assert_eq!(world.kind(&header), Err(expected), "{header:?}");
            assert_eq!(world.kind(format!("{header},{second}")), Err(expected), "{header:?}");
        }
        for header in [format!("{first},"), format!(",{first}"), format!("{first},,{second}"), format!("{first}, ,")] {
            assert_ne!(world.kind(&header), Err("multiple-credentials"), "{header:?}");
        }
        let header = format!("{first}, realm=\"x\"");
        assert_ne!(world.kind(&header), Err("multiple-credentials"), "{header:?}");
    }
    // One token with a comma in it is malformed, and not several.
    for position in [3, world.jwt.find('.').unwrap() + 9] {
        let mut spoilt = world.jwt.clone();
        spoilt.insert(position, ',');
        assert_eq!(world.kind(format!("Bearer {spoilt}")), Err("malformed-token"));
    }
    let joined = format!("{},{}", world.api_key, world.api_key);
    assert_eq!(world.engine.verify_api_key(joined).unwrap_err(), Rejection::MultipleCredentials);
}

/// A token under an unknown key causes a fetch; a list that begins with one does not.
#[test]
fn a47_a_joined_value_leads_to_no_fetch() {
    struct Count(AtomicUsize);
    impl KeyRefresher for Count {
        fn unknown_key(&self, _: Option<&str>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
        fn refreshed<'r>(&'r self, _: Option<&'r str>) -> Option<Refreshed<'r>> {
            None
        }
    }
    let key = signing_key(Algorithm::ES256, 0);
    let refresher = Arc::new(Count(AtomicUsize::new(0)));
    let ring = KeyRing::with_refresher(key_set([&key]), refresher.clone());
    let engine = Engine::builder().issuer(issuer([]).keys(ring)).build().unwrap();
    let unknown = Draft::new(&key).header("kid", "another").sign(&key);
    for rest in ["x", "Bearer x", " Bearer x", "a.b.c"] {
        let header = format!("Bearer {unknown},{rest}");
        assert_eq!(engine.verify_at(&header, NOW).unwrap_err(), Rejection::MultipleCredentials, "{header}");
    }
    assert_eq!(refresher.0.load(Ordering::Relaxed), 0);
    assert_eq!(engine.verify_at(&unknown, NOW).unwrap_err().code(), "unknown-key");
    assert_eq!(refresher.0.load(Ordering::Relaxed), 1);
}
