//! Strict JSON: the documents that serde_json accepts, except duplicates and those that are too deep or too wide.

use proptest::prelude::*;
use serde_json::json;
use tollgate_jwt::json::{self, JsonError, Number, Value};
use tollgate_jwt::limits::{MAX_JSON_MEMBERS, MAX_JSON_NESTING};

fn parse(text: impl AsRef<[u8]>) -> Result<serde_json::Value, JsonError> {
    let mut buffer = json::Buffer::default();
    let document = json::parse(text.as_ref(), &mut buffer)?;
    Ok(to_serde(Value::Object(document.root())))
}

fn to_serde(value: Value<'_, '_>) -> serde_json::Value {
    match value {
        Value::Null => serde_json::Value::Null,
        Value::Bool(value) => value.into(),
        Value::Number(Number::Signed(value)) => value.into(),
        Value::Number(Number::Unsigned(value)) => value.into(),
        Value::Number(Number::Float(value)) => value.into(),
        Value::String(text) => text.into(),
        Value::Array(array) => {
            assert_eq!((array.len(), array.is_empty()), (array.iter().count(), array.iter().next().is_none()));
            array.iter().map(to_serde).collect()
        }
        Value::Object(object) => {
            assert_eq!((object.len(), object.is_empty()), (object.iter().count(), object.iter().next().is_none()));
            object.iter().map(|(name, value)| (name.to_owned(), to_serde(value))).collect()
        }
    }
}

fn duplicate(name: &str) -> Result<serde_json::Value, JsonError> {
    Err(JsonError::DuplicateMember { name: name.into() })
}

#[test]
fn every_kind_of_value_is_read() {
    let text = r#"{"s":"a\u00e9\n\ud83d\ude00","i":-7,"u":18446744073709551615,"f":1.5,"t":true,"n":null,"o":{"a":[1,[],{}]},"":""}"#;
    let expected =
        json!({"s": "aé\n😀", "i": -7, "u": u64::MAX, "f": 1.5, "t": true, "n": null, "o": {"a": [1, [], {}]}, "": ""});
    assert_eq!(parse(text), Ok(expected));
}

#[test]
fn members_are_found_by_name() {
    let mut buffer = json::Buffer::default();
    let document = json::parse(br#"{"a":{"b":1},"b":2,"\u0063":3}"#, &mut buffer).unwrap();
    let number = |name| document.root().get(name).and_then(|value| value.as_number());
    assert_eq!(number("b"), Some(Number::Unsigned(2)));
    assert_eq!(number("c"), Some(Number::Unsigned(3)));
    assert_eq!(number("d"), None);
}

#[test]
fn a25_duplicate_members_are_refused_at_every_depth() {
    assert_eq!(parse(r#"{"alg":1,"alg":1}"#), duplicate("alg"));
    assert_eq!(parse(r#"{"a":[{"b":{"c":1,"d":2,"c":3}}]}"#), duplicate("c"));
    assert_eq!(parse(r#"{"":1,"":1}"#), duplicate(""));
}

#[test]
fn a25_escaped_twins_are_duplicates() {
    assert_eq!(parse(r#"{"alg":1,"\u0061lg":1}"#), duplicate("alg"));
    assert_eq!(parse(r#"{"\u0061lg":1,"a\u006cg":1}"#), duplicate("alg"));
}

#[test]
fn a25_a_single_escaped_name_means_the_plain_one() {
    assert_eq!(parse(r#"{"\u0061lg":1}"#), Ok(json!({"alg": 1})));
}

#[test]
fn names_that_only_look_alike_are_no_duplicates() {
    // Equal lengths and ends, so equal fingerprints.
    assert!(parse(r#"{"abcd":1,"accd":1,"addd":1,"Alg":1,"alg":1}"#).is_ok());
}

#[test]
fn a25_duplicates_are_found_in_wide_objects_too() {
    for width in [20, 32, 33, 34, 100, MAX_JSON_MEMBERS] {
        let mut names: Vec<String> = (0..width).map(|index| format!("n{index}")).collect();
        let text = |names: &[String]| {
            format!("{{{}}}", names.iter().map(|name| format!("\"{name}\":0")).collect::<Vec<_>>().join(","))
        };
        assert!(parse(text(&names)).is_ok(), "{width}");
        names[width - 1] = "n3".to_owned();
        assert_eq!(parse(text(&names)), duplicate("n3"), "{width}");
    }
}

#[test]
fn a26_bytes_that_are_no_json_are_refused() {
    let texts: [&[u8]; 24] = [
        b"",
        b" ",
        b"{",
        b"{}}",
        b"{}x",
        b"{}{}",
        b"{}\0",
        b"{\"a\":1,}",
        b"{\"a\" 1}",
        b"{a:1}",
        b"{'a':1}",
        b"{\"a\":01}",
        b"{\"a\":+1}",
        b"{\"a\":1.}",
        b"{\"a\":NaN}",
        b"{\"a\":Infinity}",
        b"{\"a\":1}//",
        b"{\"a\":\"\xff\"}",
        b"{\"a\":\"\xc0\xaf\"}",
        b"{\"a\":\"\xed\xa0\x80\"}",
        b"\xef\xbb\xbf{}",
        b"{\"a\":\"\x01\"}",
        b"{\"a\":\"\n\"}",
        b"{}\xff",
    ];
    for text in texts {
        assert!(matches!(parse(text), Err(JsonError::Syntax { .. })), "{}", String::from_utf8_lossy(text));
    }
    for text in [r#"{"a":"\ud800"}"#, r#"{"a":"\udc00"}"#, r#"{"a":"\ud800\ud800"}"#, r#"{"a":"\x"}"#, r#"{"a":1e999}"#]
    {
        assert!(matches!(parse(text), Err(JsonError::Syntax { .. })), "{text}");
    }
}

#[test]
fn what_is_no_object_is_refused() {
    for text in ["[]", "1", "\"a\"", "null", "true", "[{}]"] {
        assert_eq!(parse(text), Err(JsonError::NotAnObject), "{text}");
    }
}

#[test]
fn a27_depth_is_bounded() {
    let nested = |depth: usize| format!("{}{}", r#"{"a":"#.repeat(depth - 1) + "{}", "}".repeat(depth - 1));
    assert!(parse(nested(MAX_JSON_NESTING)).is_ok());
    assert_eq!(parse(nested(MAX_JSON_NESTING + 1)), Err(JsonError::TooDeep));
    assert_eq!(parse(nested(100_000)), Err(JsonError::TooDeep));
    let arrays = format!(r#"{{"a":{}{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(parse(arrays), Err(JsonError::TooDeep));
}

#[test]
fn a27_width_is_bounded() {
    let wide =
        |width: usize| format!("{{{}}}", (0..width).map(|i| format!("\"n{i}\":0")).collect::<Vec<_>>().join(","));
    assert!(parse(wide(MAX_JSON_MEMBERS)).is_ok());
    for members in [MAX_JSON_MEMBERS + 1, 100_000] {
        let expected = JsonError::TooManyMembers { members, max: MAX_JSON_MEMBERS };
        assert_eq!(parse(wide(members)), Err(expected));
    }
}

#[test]
fn every_error_says_what_is_wrong_and_escapes_what_came_from_outside() {
    let message = |text: &str| parse(text).unwrap_err().to_string();
    assert_eq!(message("[]"), "not an object");
    assert_eq!(message(r#"{"a":1,"a":2}"#), r#"two members are named "a""#);
    assert_eq!(message("{\"\\u001b\":1,\"\\u001b\":2}"), r#"two members are named "\u{1b}""#);
    assert_eq!(message(&"[".repeat(100)), format!("nested deeper than {MAX_JSON_NESTING}"));
    assert!(message("{]").starts_with("syntax error at byte "));
    let wide = (0..=MAX_JSON_MEMBERS).map(|name| format!("\"{name}\":0")).collect::<Vec<_>>().join(",");
    assert_eq!(message(&format!("{{{wide}}}")), "an object has 257 members; at most 256 are allowed (max_members)");
}

#[test]
fn a29_numbers_round_to_the_side_that_is_asked_for_and_saturate() {
    let number = |text: &str| {
        let mut buffer = json::Buffer::default();
        let document = json::parse(format!(r#"{{"n":{text}}}"#).as_bytes(), &mut buffer).unwrap();
        let number = document.root().get("n").and_then(|value| value.as_number()).unwrap();
        (number.floor(), number.ceil())
    };
    assert_eq!(number("-0"), (0, 0));
    assert_eq!(number("1.5"), (1, 2));
    assert_eq!(number("-1.5"), (-2, -1));
    assert_eq!(number("1e3"), (1000, 1000));
    assert_eq!(number("9007199254740993"), (9_007_199_254_740_993, 9_007_199_254_740_993));
    assert_eq!(number("9223372036854775808"), (i64::MAX, i64::MAX));
    assert_eq!(number("18446744073709551616"), (i64::MAX, i64::MAX));
    assert_eq!(number("-9223372036854775808"), (i64::MIN, i64::MIN));
    assert_eq!(number(&"9".repeat(300)), (i64::MAX, i64::MAX));
    assert_eq!(number(&format!("-{}", "9".repeat(300))), (i64::MIN, i64::MIN));
}

fn any_json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<u64>().prop_map(Into::into),
        any::<f64>().prop_map(Into::into),
        any::<String>().prop_map(Into::into),
    ];
    leaf.prop_recursive(5, 40, 8, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..8).prop_map(Into::into),
            proptest::collection::hash_map(any::<String>(), inner, 0..8)
                .prop_map(|members| serde_json::Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn what_serde_json_writes_is_read_alike(value in any_json()) {
        let object = json!({ "value": value });
        prop_assert_eq!(parse(object.to_string()), Ok(object));
    }

    #[test]
    fn a_buffer_carries_nothing_from_one_document_to_the_next(
        texts in proptest::collection::vec(r#"(\{("[ab]":[0-9]{1,3},?){0,3}\}|[\{\}\[\]",:a0]{0,20})"#, 1..12),
    ) {
        let mut buffer = json::Buffer::default();
        for text in texts {
            let reused = json::parse(text.as_bytes(), &mut buffer).map(|document| to_serde(Value::Object(document.root())));
            prop_assert_eq!(reused, parse(&text));
        }
    }

    /// serde_json accepts duplicates and any width; otherwise the two parsers have to agree.
    #[test]
    fn arbitrary_bytes_are_judged_as_serde_json_judges_them(text in r#"[\{\}\[\]",:a0-9eE+.\\u \n-]{0,24}"#) {
        let expected = serde_json::from_str::<serde_json::Value>(&text).ok().filter(serde_json::Value::is_object);
        match parse(&text) {
            Err(JsonError::DuplicateMember { .. }) => prop_assert!(expected.is_some()),
            other => prop_assert_eq!(other.is_ok(), expected.is_some(), "{}", text),
        }
    }
}
