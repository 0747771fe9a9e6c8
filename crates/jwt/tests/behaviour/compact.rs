//! The compact form: three parts, canonical base64url, limits first.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proptest::prelude::*;
use tollgate_jwt::{CompactJws, ParseError, Part, base64url, json, limits::MAX_TOKEN_BYTES};

fn token(header: &str, payload: &str) -> String {
    format!("{}.{}.c2ln", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload))
}

#[test]
fn a_token_is_split_at_its_two_dots() {
    let jws = CompactJws::parse("aa.bbb.c").unwrap();
    assert_eq!((jws.header(), jws.payload(), jws.signature()), ("aa", "bbb", "c"));
    assert_eq!(jws.signing_input(), b"aa.bbb");
    assert_eq!(jws.token(), "aa.bbb.c");
}

#[test]
fn empty_parts_are_parts() {
    let jws = CompactJws::parse("..").unwrap();
    assert_eq!((jws.header(), jws.payload(), jws.signature()), ("", "", ""));
    assert_eq!(jws.signing_input(), b".");
}

#[test]
fn a22_any_other_number_of_dots_is_refused() {
    for text in ["", "a", ".", "a.b", "a.b.c.d", "...", ".a.b.c", "a.b.c.", "a..b.c"] {
        assert_eq!(CompactJws::parse(text).unwrap_err(), ParseError::NotCompact, "{text}");
    }
    let many = ".".repeat(MAX_TOKEN_BYTES);
    assert_eq!(CompactJws::parse(&many).unwrap_err(), ParseError::NotCompact);
}

#[test]
fn a22_a_third_dot_is_seen_wherever_it_is_in_a_long_payload() {
    let payload = "b".repeat(200);
    for at in 0..payload.len() {
        let text = format!("a.{}.{}.c", &payload[..at], &payload[at..]);
        assert_eq!(CompactJws::parse(&text).unwrap_err(), ParseError::NotCompact, "at {at}");
    }
}

#[test]
fn a21_five_parts_are_named_as_an_encrypted_token() {
    assert_eq!(CompactJws::parse("a.b.c.d.e").unwrap_err(), ParseError::Encrypted);
}

#[test]
fn a22_a_token_past_the_limit_is_refused_for_its_length() {
    assert_eq!(MAX_TOKEN_BYTES, 8192);
    let long = format!("{}.b.c", "a".repeat(MAX_TOKEN_BYTES));
    let error = ParseError::TooLong { length: long.len(), max: MAX_TOKEN_BYTES };
    assert_eq!(CompactJws::parse(&long).unwrap_err(), error);
    assert!(CompactJws::parse(&long[5..]).is_ok());
    let million_dots = ".".repeat(1_000_000);
    assert!(matches!(CompactJws::parse(&million_dots), Err(ParseError::TooLong { .. })));
}

#[test]
fn a23_a_part_that_is_not_canonical_base64url_is_refused_and_named() {
    let good = token(r#"{"alg":"ES256"}"#, r#"{"a":"?>"}"#);
    let jws = CompactJws::parse(&good).unwrap();
    let (header, payload) = (jws.header().to_owned(), jws.payload().to_owned());
    let spoil = |part: &str| {
        let mut spoiled: Vec<String> = ["=", "==", "+", "/", " ", "\r", "\n", "\0", "?", "%3D", "é"]
            .iter()
            .flat_map(|bad| {
                [format!("{part}{bad}"), format!("{bad}{part}"), format!("{}{bad}{}", &part[..4], &part[4..])]
            })
            .collect();
        // A length of 1 modulo 4, and non-zero trailing bits.
        spoiled.push("A".repeat(5));
        spoiled.extend(["QR", "QUJ", "AB", "AAB"].map(str::to_owned));
        spoiled
    };
    for bad in spoil(&header) {
        let token = format!("{bad}.{payload}.c2ln");
        let jws = CompactJws::parse(&token).unwrap();
        let error = jws.decode_header(&mut json::Buffer::default()).err();
        assert_eq!(error, Some(ParseError::Base64 { part: Part::Header }), "{bad:?}");
    }
    for bad in spoil(&payload) {
        let token = format!("{header}.{bad}.c2ln");
        let jws = CompactJws::parse(&token).unwrap();
        let error = jws.decode_claims(&mut json::Buffer::default()).err();
        assert_eq!(error, Some(ParseError::Base64 { part: Part::Payload }), "{bad:?}");
        assert_eq!(jws.append_payload(&mut Vec::new()), Err(ParseError::Base64 { part: Part::Payload }));
    }
    for bad in spoil("c2ln") {
        let token = format!("{header}.{payload}.{bad}");
        let jws = CompactJws::parse(&token).unwrap();
        assert_eq!(jws.decode_signature(&mut Vec::new()), Err(ParseError::Base64 { part: Part::Signature }), "{bad:?}");
    }
}

#[test]
fn what_is_decoded_replaces_what_was_there() {
    let jws = CompactJws::parse("e30.e30.c2ln").unwrap();
    let mut signature = vec![1, 2, 3];
    jws.decode_signature(&mut signature).unwrap();
    assert_eq!(signature, b"sig");
    let mut payload = b"kept ".to_vec();
    jws.append_payload(&mut payload).unwrap();
    assert_eq!(payload, b"kept {}");
}

#[test]
fn debug_does_not_show_the_signature() {
    let jws = CompactJws::parse("aGVhZA.cGF5.c2VjcmV0").unwrap();
    assert_eq!(format!("{jws:?}"), r#"CompactJws { header: "aGVhZA", payload: "cGF5", .. }"#);
}

/// The splitter in its naive form.
fn split_slowly(token: &str) -> Option<(&str, &str, &str)> {
    match token.split('.').collect::<Vec<_>>()[..] {
        [header, payload, signature] => Some((header, payload, signature)),
        _ => None,
    }
}

proptest! {
    #[test]
    fn splitting_agrees_with_the_obvious_splitter(token in "[a-c.é]{0,24}") {
        let fast = CompactJws::parse(&token).ok().map(|jws| (jws.header(), jws.payload(), jws.signature()));
        prop_assert_eq!(fast, split_slowly(&token));
    }

    #[test]
    fn base64url_round_trips(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let text = base64url::encode(&bytes);
        prop_assert_eq!(&text, &URL_SAFE_NO_PAD.encode(&bytes));
        prop_assert_eq!(text.len(), base64url::encoded_length(bytes.len()));
        let mut decoded = Vec::new();
        base64url::decode(&text, &mut decoded).unwrap();
        prop_assert_eq!(decoded, bytes);
    }

    #[test]
    fn a23_what_decodes_encodes_to_the_same_text(text in "[A-Za-z0-9_=+/ -]{0,48}") {
        let mut bytes = Vec::new();
        let accepted = base64url::decode(&text, &mut bytes).is_ok();
        prop_assert_eq!(accepted, URL_SAFE_NO_PAD.decode(&text).is_ok());
        if accepted {
            prop_assert_eq!(base64url::encode(&bytes), text);
        }
    }

    #[test]
    fn decoding_arbitrary_text_never_panics(text in any::<String>()) {
        if let Ok(jws) = CompactJws::parse(&text) {
            let _ = jws.decode_header(&mut json::Buffer::default());
            let _ = jws.decode_claims(&mut json::Buffer::default());
            let _ = jws.decode_signature(&mut Vec::new());
        }
    }
}
