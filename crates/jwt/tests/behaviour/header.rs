//! The JOSE header: typed, and refused if it requires what tollgate does not implement.

use tollgate_jwt::json::JsonError;
use tollgate_jwt::{CompactJws, Header, HeaderCache, ParseError, Part, base64url, json};

fn with_header<T>(header: &str, read: impl FnOnce(Result<Header<'_>, ParseError>) -> T) -> T {
    let token = format!("{}.e30.c2ln", base64url::encode(header));
    read(CompactJws::parse(&token).unwrap().decode_header(&mut json::Buffer::default()))
}

fn error(header: &str) -> ParseError {
    with_header(header, |result| match result {
        Ok(_) => panic!("accepted: {header}"),
        Err(error) => error,
    })
}

#[test]
fn registered_members_are_typed_and_others_are_passed_over() {
    with_header(r#"{"typ":"JWT","alg":"ES256","kid":"k","x":[1]}"#, |header| {
        let header = header.unwrap();
        assert_eq!((header.alg(), header.kid(), header.typ()), ("ES256", Some("k"), Some("JWT")));
    });
}

#[test]
fn absent_members_are_absent() {
    with_header(r#"{"alg":"ES256"}"#, |header| {
        let header = header.unwrap();
        assert_eq!((header.kid(), header.typ(), header.media_subtype()), (None, None, None));
    });
}

#[test]
fn a01_alg_that_is_no_string_is_refused() {
    assert_eq!(error("{}"), ParseError::MissingMember { name: "alg" });
    for value in ["null", "[]", "{}", "1", "true", r#"["ES256"]"#, r#""a\u0000""#] {
        let expected = ParseError::InvalidMember { name: "alg", expected: "a string without U+0000" };
        assert_eq!(error(&format!(r#"{{"alg":{value}}}"#)), expected, "{value}");
    }
}

#[test]
fn a16_kid_that_is_no_string_is_refused() {
    for value in ["null", "[]", "{}", "1", r#""a\u0000b""#] {
        let error = error(&format!(r#"{{"alg":"ES256","kid":{value}}}"#));
        assert!(matches!(error, ParseError::InvalidMember { name: "kid", .. }), "{value}");
    }
}

#[test]
fn a18_crit_in_any_form_is_refused() {
    for value in
        [r#"["x"]"#, "[]", r#"["alg"]"#, r#"["exp","exp"]"#, r#""exp""#, "null", "1", "{}", r#"["exp"]"#, r#"["b64"]"#]
    {
        assert_eq!(
            error(&format!(r#"{{"alg":"ES256","crit":{value},"exp":1}}"#)),
            ParseError::CriticalHeader,
            "{value}"
        );
    }
    assert_eq!(error(r#"{"alg":"ES256","\u0063rit":["x"]}"#), ParseError::CriticalHeader);
}

#[test]
fn a19_b64_is_refused() {
    for value in ["false", "true", "null"] {
        assert_eq!(
            error(&format!(r#"{{"alg":"ES256","b64":{value}}}"#)),
            ParseError::UnsupportedHeader { name: "b64" }
        );
    }
}

#[test]
fn a21_nesting_compression_and_encryption_are_refused() {
    for (name, value) in
        [("zip", "DEF"), ("enc", "A256GCM"), ("cty", "JWT"), ("cty", "jwt"), ("cty", "application/JWT")]
    {
        let header = format!(r#"{{"alg":"ES256","{name}":"{value}"}}"#);
        assert_eq!(error(&header), ParseError::UnsupportedHeader { name }, "{header}");
    }
    with_header(r#"{"alg":"ES256","cty":"json"}"#, |header| assert!(header.is_ok()));
}

#[test]
fn a20_typ_is_a_media_type_with_or_without_application() {
    for (typ, subtype) in [
        ("at+jwt", "at+jwt"),
        ("application/at+jwt", "at+jwt"),
        ("APPLICATION/JWT", "JWT"),
        ("x/y", "x/y"),
        // RFC 7515 section 4.1.9: not the media type `x/y`.
        ("application/x/y", "application/x/y"),
        // As long as "application/".
        ("application+jwt", "application+jwt"),
        ("applications/at+jwt", "applications/at+jwt"),
    ] {
        with_header(&format!(r#"{{"alg":"ES256","typ":"{typ}"}}"#), |header| {
            assert_eq!(header.unwrap().media_subtype(), Some(subtype));
        });
    }
    assert!(matches!(error(r#"{"alg":"ES256","typ":1}"#), ParseError::InvalidMember { name: "typ", .. }));
}

#[test]
fn a25_duplicate_members_are_refused() {
    let expected = ParseError::Json { part: Part::Header, error: JsonError::DuplicateMember { name: "alg".into() } };
    assert_eq!(error(r#"{"alg":"none","\u0061lg":"ES256"}"#), expected);
}

#[test]
fn every_error_says_what_is_wrong_and_escapes_what_came_from_the_token() {
    let error = error("{\"alg\":\"ES256\",\"\\u001b[31m\":1,\"\\u001b[31m\":2}");
    assert_eq!(error.code(), "malformed-token");
    assert!(error.to_string().contains("header"));
    assert!(!error.to_string().contains('\u{1b}'));
}

#[test]
fn a_header_cache_says_what_decoding_says() {
    let mut cache = HeaderCache::default();
    let texts: Vec<String> = (0..7)
        .map(|index| format!(r#"{{"alg":"ES256","kid":"k{index}"}}"#))
        .chain(["{}".to_owned(), r#"{"alg":"a","crit":[]}"#.to_owned(), r#"{"alg":"b","typ":"JWT"}"#.to_owned()])
        .collect();
    // Each header again while it is cached, and again after it was evicted.
    let order = [0, 0, 1, 2, 3, 0, 1, 4, 5, 0, 7, 7, 8, 9, 9, 6, 8, 1, 0];
    for (step, index) in order.into_iter().cycle().take(5 * order.len()).enumerate() {
        let token = format!("{}.e30.c2ln", base64url::encode(&texts[index]));
        let jws = CompactJws::parse(&token).unwrap();
        let fields = |header: Header<'_>| {
            (header.alg().to_owned(), header.kid().map(str::to_owned), header.typ().map(str::to_owned))
        };
        let cached = cache.decode(&jws).map(fields);
        assert_eq!(cached, jws.decode_header(&mut json::Buffer::default()).map(fields), "{}", texts[index]);
        if cached.is_ok() && step % 3 > 0 {
            cache.remember(&jws);
        }
    }
}
