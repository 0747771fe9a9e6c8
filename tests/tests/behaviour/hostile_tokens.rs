//! Tokens that are properly signed, or need not be, and are rejected for their content before any signature is checked.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tollgate::{Algorithm, Engine, Issuer, Rejection};
use tollgate_issuer::SigningKey;
use tollgate_jwt::base64url;
use tollgate_keys::test_hooks::signature_checks;
use tollgate_tests::{AUDIENCE, Draft, ISSUER, NOW, engine, issuer, key_set, signing_key};

struct World {
    key: SigningKey,
    engine: Engine,
}

impl World {
    fn new() -> Self {
        let key = signing_key(Algorithm::ES256, 0);
        let engine = engine([&key]);
        World { key, engine }
    }

    fn draft(&self) -> Draft {
        Draft::new(&self.key)
    }

    /// The code of the rejection, which comes before any signature check.
    fn code(&self, header: impl AsRef<[u8]>) -> &'static str {
        let before = signature_checks();
        let shown = String::from_utf8_lossy(&header.as_ref()[..header.as_ref().len().min(100)]).into_owned();
        let rejection = self.engine.verify_at(header.as_ref(), NOW).expect_err(&shown);
        assert_eq!(signature_checks(), before, "{shown}: only after a signature check");
        rejection.code()
    }

    fn code_of(&self, draft: &Draft) -> &'static str {
        self.code(draft.sign(&self.key))
    }
}

#[test]
fn a18_a_signed_token_with_crit_is_rejected() {
    let world = World::new();
    for value in [
        json!(["x"]),
        json!([]),
        json!(["alg"]),
        json!(["exp", "exp"]),
        json!(["exp"]),
        json!(["b64"]),
        json!("exp"),
        json!(null),
        json!({}),
        json!(1),
    ] {
        let draft = world.draft().header("crit", value.clone());
        assert_eq!(world.code_of(&draft), "critical-header", "{value}");
        // Also if the header has the named member.
        assert_eq!(world.code_of(&draft.header("exp", NOW + 600)), "critical-header", "{value}");
    }
}

#[test]
fn a19_a_signed_token_with_b64_is_rejected() {
    let world = World::new();
    for value in [json!(false), json!(true), json!(null), json!("false")] {
        let draft = world.draft().header("b64", value);
        assert_eq!(world.code_of(&draft), "unsupported-header");
        let code = world.code_of(&draft.header("crit", json!(["b64"])));
        assert!(["critical-header", "unsupported-header"].contains(&code), "{code}");
    }
    // RFC 7797: the payload without base64url.
    let header = base64url::encode(r#"{"alg":"ES256","kid":"ES256-0","b64":false,"crit":["b64"]}"#);
    let signing_input = format!("{header}.{}", world.draft().claims_json().replace('.', ""));
    let signature = base64url::encode(world.key.sign(signing_input.as_bytes()).unwrap());
    let code = world.code(format!("{signing_input}.{signature}"));
    assert!(["critical-header", "unsupported-header"].contains(&code), "{code}");
}

#[test]
fn a21_a_signed_token_that_is_nested_compressed_or_encrypted_is_rejected() {
    let world = World::new();
    for (name, value) in [
        ("cty", "JWT"),
        ("cty", "jwt"),
        ("cty", "application/jwt"),
        ("zip", "DEF"),
        ("zip", "GZ"),
        ("enc", "A128GCM"),
        ("enc", ""),
    ] {
        assert_eq!(world.code_of(&world.draft().header(name, value)), "unsupported-header", "{name} {value}");
    }
    // A signed token as the payload of another, and inside an encrypted one.
    let nested = world.draft().payload_text(world.draft().sign(&world.key));
    assert_eq!(world.code_of(&nested), "malformed-token");
    let encrypted = base64url::encode(r#"{"alg":"dir","enc":"A128GCM"}"#);
    assert_eq!(world.code(format!("{encrypted}..AAAA.AAAA.AAAA")), "encrypted-token");
    assert_eq!(world.code(format!("{}.AAAA.AAAA", world.draft().sign(&world.key))), "encrypted-token");
}

#[test]
fn a22_a_signed_token_with_other_dots_is_rejected() {
    let world = World::new();
    let token = world.draft().sign(&world.key);
    let (signing_input, signature) = token.rsplit_once('.').unwrap();
    for text in [
        token.replace('.', ""),
        token.replacen('.', "", 1),
        signing_input.to_owned(),
        format!("{token}."),
        format!("{token}.."),
        format!("{token}.AAAA"),
        token.replace('.', ".."),
        token.replacen('.', "..", 1),
        format!("{signing_input}..{signature}"),
        format!(".{token}"),
        format!("..{token}"),
        format!("{token}{}", ".".repeat(7000)),
    ] {
        // A text that does not begin as a JWS, or has no dot, is read as an API key.
        let code = world.code(format!("Bearer {text}"));
        assert!(["malformed-token", "encrypted-token", "credential-not-accepted"].contains(&code), "{text}: {code}");
    }
    assert_eq!(world.code(format!("Bearer ey{}", ".".repeat(1_000_000))), "header-too-long");
}

#[test]
fn a23_a_signed_token_in_another_base64_is_rejected() {
    let world = World::new();
    let token = world.draft().claim("x", "\u{3f}\u{3e}\u{3f}\u{3e}").sign(&world.key);
    let parts: Vec<&str> = token.split('.').collect();
    for index in 0..3 {
        let part = parts[index];
        let (before, after) = part.split_at(part.len() / 2);
        let mut others: Vec<String> = ["=", "+", "/", " ", "\r", "\n", "\r\n", "\0", "?", "%3D", ",", "\u{e9}"]
            .iter()
            .flat_map(|bad| [format!("{part}{bad}"), format!("{before}{bad}{after}")])
            .collect();
        // A length of 1 modulo 4, and bits after the last byte.
        others.push(format!("{}A", &part[..part.len() / 4 * 4]));
        others.extend(["AB", "AAB"].map(|tail| format!("{}{tail}", &part[..part.len() / 4 * 4])));
        for other in others {
            let mut changed = parts.clone();
            changed[index] = &other;
            let joined = changed.join(".");
            let expected = match index {
                // A whole token, a comma and a possible further one.
                2 if other.contains(',') && !other.ends_with(',') => "multiple-credentials",
                2 => "malformed-signature",
                _ => "malformed-token",
            };
            assert_eq!(world.code(format!("Bearer {joined}")), expected, "{joined}");
            // Also if the changed text is the signed one.
            if index < 2 {
                let signing_input = changed[..2].join(".");
                let signature = base64url::encode(world.key.sign(signing_input.as_bytes()).unwrap());
                assert_eq!(world.code(format!("{signing_input}.{signature}")), expected);
            }
        }
    }
}

#[test]
fn a25_signed_duplicates_are_rejected_and_a_single_escaped_name_is_not() {
    let world = World::new();
    let (header, claims) = (world.draft().header_json(), world.draft().claims_json());
    for member in [r#""alg":"ES256""#, r#""\u0061lg":"ES256""#, r#""alg":"none""#, r#""\u006bid":"ES256-0""#] {
        for text in [format!("{{{member},{}", &header[1..]), format!("{},{member}}}", &header[..header.len() - 1])] {
            assert_eq!(world.code_of(&world.draft().header_text(text)), "malformed-token", "{member}");
        }
    }
    for member in [r#""sub":"admin""#, r#""\u0073ub":"admin""#, r#""exp":9999999999"#, r#""x":{"y":1,"\u0079":1}"#] {
        for text in [format!("{{{member},{}", &claims[1..]), format!("{},{member}}}", &claims[..claims.len() - 1])] {
            assert_eq!(world.code_of(&world.draft().payload_text(text)), "malformed-token", "{member}");
        }
    }
    let escaped = world
        .draft()
        .header_text(header.replace("\"alg\"", "\"\\u0061lg\""))
        .payload_text(claims.replace("\"sub\"", "\"s\\u0075b\""));
    let principal = world.engine.verify_at(escaped.sign(&world.key).as_bytes(), NOW).unwrap();
    assert_eq!(principal.subject(), Some("user-1"));
}

#[test]
fn a26_signed_text_that_is_no_json_is_rejected() {
    let world = World::new();
    let claims = world.draft().claims_json();
    let open = &claims[..claims.len() - 1];
    let texts: [Vec<u8>; 18] = [
        [open.as_bytes(), b",\"x\":\"\xff\"}"].concat(),
        [open.as_bytes(), b",\"x\":\"\xc0\xaf\"}"].concat(),
        [open.as_bytes(), b",\"x\":\"\xe0\x80\xaf\"}"].concat(),
        [open.as_bytes(), b",\"x\":\"\xed\xa0\x80\"}"].concat(),
        [open.as_bytes(), b",\"x\":\"\xf4\x90\x80\x80\"}"].concat(),
        format!(r#"{open},"x":"\ud800"}}"#).into(),
        format!(r#"{open},"x":"\udc00\ud800"}}"#).into(),
        format!("\u{feff}{claims}").into(),
        format!("{open},\"x\":\"\u{1}\"}}").into(),
        format!("{open},\"x\":\"\n\"}}").into(),
        format!("{claims}x").into(),
        format!("{claims}{claims}").into(),
        format!("{claims}\0").into(),
        format!("{claims}//x").into(),
        format!("/*x*/{claims}").into(),
        format!("{open},\"x\":NaN}}").into(),
        format!("{open},\"x\":-Infinity}}").into(),
        format!("{open},\"x\":1,}}").into(),
    ];
    for text in texts {
        let shown = String::from_utf8_lossy(&text).into_owned();
        assert_eq!(world.code_of(&world.draft().payload_text(text)), "malformed-token", "{shown}");
    }
    let with_nul = claims.replace("user-1", "user-1\\u0000");
    assert_eq!(world.code_of(&world.draft().payload_text(with_nul)), "invalid-claim");
}

#[test]
fn a27_bombs_are_rejected_for_their_size_first() {
    let mut world = World::new();
    let deep = |depth: usize| format!(r#"{{"a":{}{}}}"#, "[".repeat(depth), "]".repeat(depth));
    let wide = |width: usize| {
        let members: Vec<_> = (0..width).map(|index| format!(r#""n{index}":0"#)).collect();
        format!("{{{}}}", members.join(","))
    };
    let bombs = |size: usize| {
        [
            deep(size),
            wide(size),
            format!(r#"{{"a":"{}"}}"#, "x".repeat(10 * size)),
            format!(r#"{{"exp":{}}}"#, "9".repeat(10 * size)),
            format!(r#"{{"exp":0.{}}}"#, "9".repeat(10 * size)),
        ]
    };
    for bomb in bombs(100_000) {
        assert_eq!(world.code_of(&world.draft().payload_text(bomb.clone())), "header-too-long");
        assert_eq!(world.code_of(&world.draft().header_text(bomb)), "header-too-long");
    }
    // As large as a header can be: time and stack are still bounded.
    world.engine = Engine::builder().issuer(issuer([&world.key])).max_header_bytes(64 * 1024).build().unwrap();
    for bomb in bombs(4_000) {
        let token = world.draft().payload_text(bomb).sign(&world.key);
        let code = world.code(token);
        assert!(["malformed-token", "too-many-members", "missing-claim"].contains(&code), "{code}");
    }
}

#[test]
fn a35_a_token_names_things_and_matches_no_patterns() {
    let world = World::new();
    let patterns =
        ["*", ".*", "**", "?", "https://*.example.com", "https://.*", "^.*$", "%", "_", "[a-z]*", "(?i)x", ""];
    for pattern in patterns {
        assert_eq!(world.code_of(&world.draft().claim("aud", pattern)), "wrong-audience", "{pattern}");
        assert_eq!(world.code_of(&world.draft().claim("aud", json!([pattern]))), "wrong-audience", "{pattern}");
        assert_eq!(world.code_of(&world.draft().claim("iss", pattern)), "unknown-issuer", "{pattern}");
        assert_eq!(world.code_of(&world.draft().header("kid", pattern)), "unknown-key", "{pattern}");
        let principal = world.draft().claim("scope", if pattern.contains(' ') { "" } else { pattern });
        let principal = world.engine.verify_at(principal.sign(&world.key).as_bytes(), NOW).unwrap();
        assert!(principal.require_scope("read:sites").is_err(), "{pattern}");
    }
    // The configuration has no patterns either.
    let wild = Issuer::new("https://*.example.com").audience("*").keys(key_set([&world.key]));
    let wild = World { engine: Engine::builder().issuer(wild).build().unwrap(), key: signing_key(Algorithm::ES256, 0) };
    assert_eq!(wild.code(world.draft().sign(&world.key)), "unknown-issuer");
    let named = |aud: &str| world.draft().claim("iss", "https://*.example.com").claim("aud", aud).sign(&world.key);
    assert_eq!(wild.code(named(AUDIENCE)), "wrong-audience");
    assert!(wild.engine.verify_at(named("*").as_bytes(), NOW).is_ok());
    assert_ne!(ISSUER, "https://*.example.com");
}

#[test]
fn a47_two_credentials_in_one_value_are_rejected_unchecked() {
    let world = World::new();
    let token = world.draft().sign(&world.key);
    for both in [
        format!("Bearer {token}, Bearer {token}"),
        format!("Bearer {token},Bearer {token}"),
        format!("Bearer {token} {token}"),
        format!("Bearer {token}, {token}"),
        format!("Bearer {token}; Bearer {token}"),
        format!("{token},{token}"),
        format!("{token} {token}"),
        format!("Bearer a, Bearer {token}"),
        format!("Bearer , Bearer {token}"),
        format!("Basic YTpi, Bearer {token}"),
    ] {
        world.code(both);
    }
}

#[test]
fn a50_what_a_long_header_costs_does_not_grow_with_its_length() {
    let world = World::new();
    // Fresh memory that was never written: reading all of it would wait for each of its pages.
    let header = vec![0; 512 << 20];
    let fastest = (0..5).map(|_| {
        let start = Instant::now();
        assert_eq!(world.code(&header), "header-too-long");
        start.elapsed()
    });
    assert!(fastest.min().unwrap() < Duration::from_millis(20));
}

#[test]
fn a50_a_message_escapes_all_that_came_from_a_token() {
    let world = World::new();
    let nasty = "x\r\nSet-Cookie: a=b\u{1b}[31m\u{7f}\u{202e}\"";
    for draft in [
        world.draft().claim("iss", nasty),
        world.draft().header("kid", nasty),
        world.draft().header("alg", nasty),
        world.draft().header("typ", nasty),
        world.draft().claim("aud", nasty),
        world.draft().claim("scope", nasty),
        world.draft().claim(nasty, Value::Null).claim("exp", "x"),
        world.draft().payload_text(format!("{{{0}:1,{0}:2}}", json!(nasty))),
    ] {
        let rejection = world.engine.verify_at(draft.sign(&world.key).as_bytes(), NOW).unwrap_err();
        for shown in [rejection.to_string(), format!("{rejection:?}"), rejection.challenge().to_string()] {
            assert!(!shown.contains(char::is_control) && !shown.contains('\u{202e}'), "{shown:?}");
        }
        assert_eq!(rejection.challenge().to_string(), r#"Bearer error="invalid_token""#);
    }
}

/// Unsigned tokens of 8 KB, each with one long text, or many texts: their logged text is short, by either formatter.
#[test]
fn a61_an_unsigned_token_leads_to_at_most_512_bytes_of_log() {
    let world = World::new();
    let fill = |unit: &str| unit.repeat(5700 / (json!(unit).to_string().len() - 2));
    for unit in ["a", "\0", "\u{1}", "\"", "\\", "\u{7f}", "\u{e9}", "\u{202e}", "\u{1f600}", "e\u{301}"] {
        let long = fill(unit);
        let header = |name: &str| world.draft().header(name, long.clone());
        let claim = |name: &str| world.draft().claim(name, long.clone());
        let names = ["iss", "sub", "aud", "exp", "nbf", "iat", "jti", "client_id", "azp", "scope", "scp", "cnf", "sid"];
        let drafts = names.into_iter().map(claim).chain(["alg", "kid", "typ", "cty", "crit", "zip", "jwk"].map(header));
        let twice = |text: &str| format!("{{{0}:1,{0}:2}}", json!(text));
        let half = &long[..long.floor_char_boundary(long.len() / 3)];
        let named = [
            world.draft().claim(&long, 1).claim("iss", "other"),
            world.draft().payload_text(twice(half)),
            world.draft().header_text(twice(half)),
            world.draft().payload_text(long.clone()),
            world.draft().header_text(long.clone()),
        ];
        for draft in drafts.chain(named) {
            let token = draft.with_signature([7; 64]);
            assert!(token.len() <= 8 * 1024, "{}", token.len());
            for header in [token.clone(), format!("Bearer {token}")] {
                let rejection = world.engine.verify_at(header.as_bytes(), NOW).unwrap_err();
                let (message, debug) = (rejection.to_string(), format!("{rejection:?}"));
                assert!(message.len() <= 512 && message.chars().count() <= 256, "{}: {message}", message.len());
                assert!(debug.len() <= 512, "{}: {debug}", debug.len());
                assert!(rejection.challenge().to_string().len() <= 512);
            }
        }
    }
    let name = "\u{1}".repeat(800);
    let rejection = world.engine.verify_at(world.draft().claim("iss", name.clone()).sign(&world.key), NOW).unwrap_err();
    // The program gets the whole text.
    assert_eq!(rejection, Rejection::UnknownIssuer { issuer: name.as_str().into() });
    assert_eq!(rejection.to_string(), format!(r#"the issuer "{}..." is not configured"#, r"\u{1}".repeat(31)));
}
