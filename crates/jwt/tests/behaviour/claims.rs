//! The registered claims: typed, of the right type or an error, never "absent".

use proptest::prelude::*;
use tollgate_jwt::limits::MAX_LIST_ENTRIES;
use tollgate_jwt::{Claims, CompactJws, ParseError, base64url, is_scope_token, json};

fn with_claims<T>(payload: &str, read: impl FnOnce(Result<Claims<'_>, ParseError>) -> T) -> T {
    let token = format!("e30.{}.c2ln", base64url::encode(payload));
    read(CompactJws::parse(&token).unwrap().decode_claims(&mut json::Buffer::default()))
}

fn invalid_claim(payload: &str) -> &'static str {
    with_claims(payload, |result| match result {
        Err(ParseError::InvalidClaim { name, .. }) => name,
        other => panic!("{payload}: {:?}", other.err()),
    })
}

#[test]
fn registered_claims_are_typed_and_the_rest_is_found_by_name() {
    let payload = r#"{"iss":"i","sub":"s","aud":["a","b"],"exp":3,"nbf":1,"iat":2,"jti":"j","sid":"d",
        "client_id":"c","azp":"z","scope":"r w","cnf":{"jkt":"t"},"tenant":7}"#;
    with_claims(payload, |claims| {
        let claims = claims.unwrap();
        assert_eq!((claims.iss(), claims.sub(), claims.jti()), (Some("i"), Some("s"), Some("j")));
        assert_eq!((claims.exp(), claims.nbf(), claims.iat()), (Some(3), Some(1), Some(2)));
        assert_eq!((claims.client_id(), claims.azp(), claims.sid()), (Some("c"), Some("z"), Some("d")));
        assert_eq!(claims.aud().iter().collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(claims.scope().iter().collect::<Vec<_>>(), ["r", "w"]);
        assert_eq!(claims.cnf().unwrap().get("jkt").unwrap().as_str(), Some("t"));
        assert!(claims.get("tenant").unwrap().as_number().is_some());
    });
}

#[test]
fn absent_claims_are_absent() {
    with_claims("{}", |claims| {
        let claims = claims.unwrap();
        assert_eq!((claims.iss(), claims.sub(), claims.exp(), claims.nbf()), (None, None, None, None));
        assert_eq!(claims.aud().iter().count() + claims.scope().iter().count(), 0);
        assert!(claims.cnf().is_none() && claims.get("iss").is_none());
    });
}

#[test]
fn a29_a_time_of_another_type_is_an_error() {
    for name in ["exp", "nbf", "iat"] {
        for value in [r#""123""#, "true", "null", "[]", "{}", "[1]"] {
            assert_eq!(invalid_claim(&format!(r#"{{"{name}":{value}}}"#)), name, "{value}");
        }
    }
}

#[test]
fn a29_fractions_narrow_the_time_in_which_a_token_is_good() {
    with_claims(r#"{"exp":10.9,"nbf":10.1,"iat":10.5}"#, |claims| {
        let claims = claims.unwrap();
        assert_eq!((claims.exp(), claims.nbf(), claims.iat()), (Some(10), Some(11), Some(10)));
    });
}

#[test]
fn a31_a34_names_of_another_type_are_errors() {
    for name in ["iss", "sub", "jti", "sid", "client_id", "azp"] {
        for value in ["1", "null", "true", "[]", r#"["a"]"#, "{}", r#""a\u0000""#] {
            assert_eq!(invalid_claim(&format!(r#"{{"{name}":{value}}}"#)), name, "{value}");
        }
    }
    assert_eq!(invalid_claim(r#"{"sub":""}"#), "sub");
    assert_eq!(invalid_claim(r#"{"client_id":""}"#), "client_id");
}

#[test]
fn a33_aud_is_a_string_or_an_array_of_strings() {
    for value in
        ["1", "null", "{}", "[[]]", r#"[1,"me"]"#, r#"["me",null]"#, r#"[["me"]]"#, r#""a\u0000me""#, r#"["\u0000"]"#]
    {
        assert_eq!(invalid_claim(&format!(r#"{{"aud":{value}}}"#)), "aud", "{value}");
    }
    with_claims(r#"{"aud":"me"}"#, |claims| assert_eq!(claims.unwrap().aud().iter().collect::<Vec<_>>(), ["me"]));
    with_claims(r#"{"aud":[]}"#, |claims| {
        let claims = claims.unwrap();
        assert!(claims.aud().iter().count() == 0 && !claims.aud().is_absent());
    });
    with_claims("{}", |claims| assert!(claims.unwrap().aud().is_absent()));
}

#[test]
fn lists_are_bounded() {
    let list = |length: usize| format!(r#"{{"aud":[{}]}}"#, vec![r#""a""#; length].join(","));
    with_claims(&list(MAX_LIST_ENTRIES), |claims| assert!(claims.is_ok()));
    assert_eq!(invalid_claim(&list(MAX_LIST_ENTRIES + 1)), "aud");
}

#[test]
fn scopes_come_from_scope_or_else_from_scp() {
    let scopes = |payload: &str| {
        with_claims(payload, |claims| claims.unwrap().scope().iter().map(str::to_owned).collect::<Vec<_>>())
    };
    assert_eq!(scopes(r#"{"scope":"a  b "}"#), ["a", "b"]);
    assert_eq!(scopes(r#"{"scp":"a b"}"#), ["a", "b"]);
    assert_eq!(scopes(r#"{"scp":["a","b"]}"#), ["a", "b"]);
    assert_eq!(scopes(r#"{"scp":["b"],"scope":"a"}"#), ["a"]);
    assert!(scopes(r#"{"scope":""}"#).is_empty());
}

#[test]
fn a_scope_claim_gives_its_text_where_single_spaces_join_it() {
    let joined = |payload: &str| with_claims(payload, |claims| claims.unwrap().scope().as_joined().map(str::to_owned));
    assert_eq!(joined(r#"{"scope":"r w"}"#).as_deref(), Some("r w"));
    assert_eq!(joined(r#"{"scp":"r"}"#).as_deref(), Some("r"));
    for payload in [
        r#"{"scope":""}"#,
        r#"{"scope":" "}"#,
        r#"{"scope":" r"}"#,
        r#"{"scope":"r "}"#,
        r#"{"scope":"r  w"}"#,
        r#"{"scope":"r   w"}"#,
        r#"{"scope":"r  w  x"}"#,
        r#"{"scp":["r","w"]}"#,
        "{}",
    ] {
        assert_eq!(joined(payload), None, "{payload}");
    }
}

#[test]
fn a_name_may_be_written_with_escapes_but_for_nul() {
    with_claims(r#"{"iss":"\u0069ss\/","sub":"s","jti":"\"j"}"#, |claims| {
        let claims = claims.unwrap();
        assert_eq!((claims.iss(), claims.sub(), claims.jti()), (Some("iss/"), Some("s"), Some("\"j")));
    });
    assert_eq!(invalid_claim(r#"{"iss":"i\u0000"}"#), "iss");
    assert_eq!(invalid_claim(r#"{"aud":["a","\u0000"]}"#), "aud");
}

#[test]
fn scopes_that_are_no_scope_tokens_are_errors() {
    for (payload, name) in [
        (r#"{"scope":["a"]}"#, "scope"),
        (r#"{"scope":"a\tb"}"#, "scope"),
        (r#"{"scope":"a\"b"}"#, "scope"),
        (r#"{"scope":null}"#, "scope"),
        (r#"{"scp":["a b"]}"#, "scp"),
        (r#"{"scp":[""]}"#, "scp"),
        (r#"{"scp":[1]}"#, "scp"),
        (r#"{"scp":1}"#, "scp"),
        (r#"{"scope":"a","scp":7}"#, "scp"),
    ] {
        assert_eq!(invalid_claim(payload), name, "{payload}");
    }
}

#[test]
fn a52_cnf_that_is_no_object_is_an_error() {
    for value in ["null", "[]", r#""x""#] {
        assert_eq!(invalid_claim(&format!(r#"{{"cnf":{value}}}"#)), "cnf");
    }
}

proptest! {
    #[test]
    fn scopes_agree_with_split_whitespace(scope in "[a-c ]{0,20}") {
        let found = with_claims(&format!(r#"{{"scope":"{scope}"}}"#), |claims| {
            claims.unwrap().scope().iter().map(str::to_owned).collect::<Vec<_>>()
        });
        let expected: Vec<_> = scope.split_whitespace().map(str::to_owned).collect();
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn scope_tokens_have_the_characters_of_rfc_6749(text in any::<String>()) {
        let expected = !text.is_empty()
            && text.chars().all(|c| matches!(c, '\x21' | '\x23'..='\x5b' | '\x5d'..='\x7e'));
        prop_assert_eq!(is_scope_token(&text), expected);
    }
}
