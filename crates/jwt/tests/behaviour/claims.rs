//! The registered claims: of the right type or an error, never "absent".

use proptest::prelude::*;
use tollgate_jwt::limits::{MAX_CLAIM_NAMES, MAX_JSON_MEMBERS, MAX_LIST_ENTRIES};
use tollgate_jwt::{
    ClaimLimits, ClaimNames, Claims, CompactJws, KnownClaim, ParseError, base64url, is_scope_token, json,
};

fn with_claims<T>(payload: &str, read: impl FnOnce(Result<Claims<'_>, ParseError>) -> T) -> T {
    with_claims_within(&ClaimLimits::default(), payload, read)
}

fn with_claims_within<T>(
    limits: &ClaimLimits,
    payload: &str,
    read: impl FnOnce(Result<Claims<'_>, ParseError>) -> T,
) -> T {
    let token = format!("e30.{}.c2ln", base64url::encode(payload));
    let jws = CompactJws::parse_within(&token, 1 << 20).unwrap();
    read(jws.decode_claims_within(limits, &mut json::Buffer::default()))
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
fn lists_are_bounded_and_the_error_names_the_limit() {
    for name in ["aud", "scope", "scp"] {
        let list = |length: usize| format!(r#"{{"{name}":[{}]}}"#, vec![r#""a""#; length].join(","));
        let error = |length, max| {
            let limits = ClaimLimits { max_list_entries: max, ..ClaimLimits::default() };
            with_claims_within(&limits, &list(length), |claims| claims.map(drop).err())
        };
        assert_eq!(error(MAX_LIST_ENTRIES, MAX_LIST_ENTRIES), None);
        let too_many = ParseError::TooManyEntries { name, entries: 129, max: MAX_LIST_ENTRIES };
        assert_eq!(error(MAX_LIST_ENTRIES + 1, MAX_LIST_ENTRIES), Some(too_many.clone()));
        assert_eq!(too_many.code(), "too-many-entries");
        let message = format!("the claim {name} has 129 entries; at most 128 are allowed (max_list_entries)");
        assert_eq!(too_many.to_string(), message);
        assert_eq!(error(1024, 1024), None);
        assert!(error(1025, 1024).is_some());
    }
}

#[test]
fn the_width_of_objects_is_bounded_and_the_error_names_the_limit() {
    let wide = |members: usize| {
        let members: Vec<_> = (0..members).map(|n| format!(r#""n{n}":0"#)).collect();
        format!(r#"{{"a":[{{{}}}]}}"#, members.join(","))
    };
    let error = |members, max_members| {
        let limits = ClaimLimits { max_members, ..ClaimLimits::default() };
        with_claims_within(&limits, &wide(members), |claims| claims.map(drop).err())
    };
    assert_eq!(error(MAX_JSON_MEMBERS, MAX_JSON_MEMBERS), None);
    let too_many = error(300, MAX_JSON_MEMBERS).unwrap();
    assert_eq!(too_many.code(), "too-many-members");
    let message = "the payload is too wide: an object has 300 members; at most 256 are allowed (max_members)";
    assert_eq!(too_many.to_string(), message);
    assert_eq!(error(300, 300), None);
    assert!(error(301, 300).is_some());
}

#[test]
fn claims_are_held_to_narrower_limits_afterwards() {
    let wide = ClaimLimits { max_members: 1000, max_list_entries: 1000 };
    let list = |name: &str, length: usize| format!(r#"{{"{name}":[{}]}}"#, vec![r#""a""#; length].join(","));
    for name in ["aud", "scope", "scp"] {
        with_claims_within(&wide, &list(name, 200), |claims| {
            let claims = claims.unwrap();
            assert_eq!(claims.check_within(&wide), Ok(()));
            let expected = ParseError::TooManyEntries { name, entries: 200, max: MAX_LIST_ENTRIES };
            assert_eq!(claims.check_within(&ClaimLimits::default()), Err(expected));
        });
    }
    let members: Vec<_> = (0..300).map(|n| format!(r#""n{n}":0"#)).collect();
    with_claims_within(&wide, &format!(r#"{{"x":{{{}}}}}"#, members.join(",")), |claims| {
        let claims = claims.unwrap();
        assert_eq!(claims.check_within(&wide), Ok(()));
        assert_eq!(claims.check_within(&ClaimLimits::default()).unwrap_err().code(), "too-many-members");
    });
}

#[test]
fn a25_duplicates_are_found_in_objects_wider_than_the_default() {
    let limits = ClaimLimits { max_members: 1000, ..ClaimLimits::default() };
    for twin in [0, 1, 500, 898] {
        let names = (0..900).map(|n| format!(r#""n{n}":0"#)).chain([format!(r#""n{twin}":1"#)]);
        let payload = format!("{{{}}}", names.collect::<Vec<_>>().join(","));
        with_claims_within(&limits, &payload, |claims| {
            assert!(claims.err().unwrap().to_string().contains(&format!("\"n{twin}\"")), "{twin}");
        });
    }
}

#[test]
fn known_claims_are_found_without_a_search() {
    let payload = r#"{"iss":"i","sub":"s","aud":["a"],"jti":"j","sid":"d","client_id":"c","azp":"z","cid":1,
        "appid":null,"scope":["r"],"scp":"w"}"#;
    let names = ["iss", "sub", "aud", "jti", "sid", "client_id", "azp", "cid", "appid", "scope", "scp"];
    with_claims(payload, |claims| {
        let claims = claims.unwrap();
        for name in names {
            let claim = KnownClaim::from_name(name).unwrap();
            let shown = |value: Option<json::Value<'_, '_>>| format!("{value:?}");
            assert_eq!(shown(claims.known(claim)), shown(claims.get(name)), "{name}");
            with_claims("{}", |empty| assert!(empty.unwrap().known(claim).is_none(), "{name}"));
        }
    });
    assert_eq!(KnownClaim::from_name("exp"), None);
}

#[test]
fn at_most_a_stated_number_of_names_is_looked_for() {
    let mut names = ClaimNames::default();
    assert!(names.is_empty());
    assert!((0..MAX_CLAIM_NAMES).all(|n| names.add(&n.to_string())));
    assert!(names.add("0"), "it is there");
    assert!(!names.add("one more"));
}

#[test]
fn scopes_come_from_scope_or_else_from_scp() {
    let scopes = |payload: &str| {
        with_claims(payload, |claims| claims.unwrap().scope().iter().map(str::to_owned).collect::<Vec<_>>())
    };
    assert_eq!(scopes(r#"{"scope":"a  b "}"#), ["a", "b"]);
    assert_eq!(scopes(r#"{"scp":"a b"}"#), ["a", "b"]);
    assert_eq!(scopes(r#"{"scp":["a","b"]}"#), ["a", "b"]);
    assert_eq!(scopes(r#"{"scope":["a","b"]}"#), ["a", "b"]);
    assert_eq!(scopes(r#"{"scp":["b"],"scope":"a"}"#), ["a"]);
    assert!(scopes(r#"{"scp":["b"],"scope":[]}"#).is_empty(), "it is there");
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
        (r#"{"scope":["a b"]}"#, "scope"),
        (r#"{"scope":[""]}"#, "scope"),
        (r#"{"scope":["a",1]}"#, "scope"),
        (r#"{"scope":[["a"]]}"#, "scope"),
        (r#"{"scope":{"a":1}}"#, "scope"),
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
    fn claims_that_are_looked_for_together_are_those_looked_for_one_by_one(
        members in prop::collection::btree_map("[a-d]{0,3}", 0..9_u8, 0..40),
        wanted in prop::collection::vec("[a-d]{0,3}", 0..20),
    ) {
        let payload = serde_json::json!(members).to_string();
        let mut names = ClaimNames::default();
        prop_assert!(wanted.iter().all(|name| names.add(name)));
        with_claims(&payload, |claims| {
            let claims = claims.unwrap();
            let found = claims.find(&names);
            for name in &wanted {
                let index = names.index(name).unwrap();
                assert_eq!(format!("{:?}", claims.found(&found, index)), format!("{:?}", claims.get(name)));
            }
        });
    }

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
