//! 25: duplicate members. 26: invalid JSON. 27: bombs. 28: unknown claims.

use crate::docket::{Docket, Filing};
use crate::draft::Draft;
use crate::key::{ALGORITHMS, REPRESENTATIVES};
use crate::members::quoted;
use crate::policy::{AUDIENCE, ISSUER, NOW};

pub(super) fn file(docket: &mut Docket) {
    for index in REPRESENTATIVES {
        file_duplicates(&mut docket.of("a25", ALGORITHMS[index]));
    }
    for index in REPRESENTATIVES {
        file_no_json(&mut docket.of("a26", ALGORITHMS[index]));
    }
    for index in REPRESENTATIVES {
        file_bombs(&mut docket.of("a27", ALGORITHMS[index]));
    }
    for algorithm in ALGORITHMS {
        file_unknown_claims(&mut docket.of("a28", algorithm));
    }
}

/// A parser may refuse duplicates or take the last one. If the last one is bad, both refuse.
fn file_duplicates(filing: &mut Filing<'_>) {
    let own = quoted(filing.algorithm());
    let (iss, aud, exp) = (quoted(ISSUER), quoted(AUDIENCE), (NOW + 600).to_string());
    let past = (NOW - 600).to_string();
    let key = filing.key.clone();
    let draft = filing.draft();
    let header = [("alg", own.as_str(), r#""none""#, r"\u0061lg"), ("alg", &own, r#""XS256""#, r"al\u0067")];
    for (index, (name, good, bad, escaped)) in header.into_iter().enumerate() {
        let text = |members: String| draft.clone().header_text(format!(r#"{{{members},"kid":"k1"}}"#)).sign(&key);
        let number = index + 1;
        let why = "RFC 7515 4: refused, or the last one counts";
        let pair = |first: (&str, &str), second: (&str, &str)| {
            text(format!(r#""{}":{},"{}":{}"#, first.0, first.1, second.0, second.1))
        };
        filing.reject(&format!("header-{name}-{number}-last-bad"), pair((name, good), (name, bad)), why);
        filing.may_reject(&format!("header-{name}-{number}-last-good"), pair((name, bad), (name, good)), why);
        filing.reject(&format!("header-{name}-{number}-escaped-last-bad"), pair((name, good), (escaped, bad)), why);
        filing.may_reject(
            &format!("header-{name}-{number}-escaped-last-good"),
            pair((escaped, bad), (name, good)),
            why,
        );
    }
    let crit = draft.clone().header("x-ext", "1").header_json();
    for (name, crits) in
        [("last-bad", r#""crit":[],"crit":["x-ext"]"#), ("escaped-bad", r#""crit":[],"cri\u0074":["x-ext"]"#)]
    {
        let text = crit.replacen('{', &format!("{{{crits},"), 1);
        filing.reject(&format!("header-crit-{name}"), draft.clone().header_text(text).sign(&key), "RFC 7515 4, 4.1.11");
    }
    for (name, member) in [("kid", r#""kid":"k1""#), ("unknown", r#""x":1,"x":2"#), ("nested", r#""x":{"y":1,"y":2}"#)]
    {
        let text = draft.header_json().replacen('{', &format!("{{{member},"), 1);
        let token = draft.clone().header_text(text).sign(&key);
        filing.may_reject(&format!("header-{name}-twice"), token, "RFC 7515 4: refused, or the last one counts");
    }
    let claims = [
        ("exp", exp.as_str(), past.as_str(), r"ex\u0070"),
        ("iss", &iss, r#""https://evil.example""#, r"\u0069ss"),
        ("aud", &aud, r#""https://evil.example""#, r"a\u0075d"),
        ("exp-string", &exp, r#""never""#, r"\u0065xp"),
        ("exp-null", &exp, "null", r"\u0065xp"),
    ];
    for (label, good, bad, escaped) in claims {
        let name = &label[..3];
        let rest = draft.clone().without_claim(name).claims_json();
        let pair = |first: (&str, &str), second: (&str, &str)| {
            let members = format!(r#"{{"{}":{},"{}":{},"#, first.0, first.1, second.0, second.1);
            draft.clone().payload(rest.replacen('{', &members, 1)).sign(&key)
        };
        let why = "RFC 7519 4: refused, or the last one counts";
        filing.reject(&format!("{label}-last-bad"), pair((name, good), (name, bad)), why);
        filing.may_reject(&format!("{label}-last-good"), pair((name, bad), (name, good)), why);
        filing.reject(&format!("{label}-escaped-last-bad"), pair((name, good), (escaped, bad)), why);
        filing.may_reject(&format!("{label}-escaped-last-good"), pair((escaped, bad), (name, good)), why);
    }
    for (name, member) in
        [("sub", r#""sub":"admin""#), ("unknown", r#""x":1,"x":1"#), ("nested", r#""x":{"y":1,"y":2}"#)]
    {
        let text = draft.claims_json().replacen('{', &format!("{{{member},"), 1);
        filing.may_reject(&format!("{name}-twice"), draft.clone().payload(text).sign(&key), "RFC 7519 4, RFC 8259 4");
    }
    let nbf = draft.claims_json().replacen('{', &format!(r#"{{"nbf":0,"nbf":{},"#, NOW + 600), 1);
    filing.reject("nbf-last-bad", draft.payload(nbf).sign(&key), "RFC 7519 4");
}

fn file_no_json(filing: &mut Filing<'_>) {
    let key = filing.key.clone();
    let draft = filing.draft();
    type Put = fn(&Draft, Vec<u8>) -> Draft;
    let in_header: Put = |draft, text| draft.clone().header_text(text);
    let in_payload: Put = |draft, text| draft.clone().payload(text);
    let parts = [("header", draft.header_json(), in_header), ("payload", draft.claims_json(), in_payload)];
    for (part, json, put) in parts {
        for (name, text) in no_json(&json) {
            let token = put(&draft, text).sign(&key);
            filing.reject(&format!("{part}-{name}"), token, "RFC 7515 5.2, RFC 7519 7.2, RFC 8259");
        }
        let choices = [
            ("byte-order-mark", [b"\xef\xbb\xbf", json.as_bytes()].concat(), "RFC 8259 8.1: MAY ignore"),
            ("lone-surrogate", member(&json, r#""x":"\ud800""#), "RFC 8259 8.2: unpredictable"),
            ("lone-low-surrogate", member(&json, r#""x":"\udc00a""#), "RFC 8259 8.2: unpredictable"),
            ("surrogates-swapped", member(&json, r#""x":"\udd80\ud83e""#), "RFC 8259 8.2: unpredictable"),
        ];
        for (name, text, why) in choices {
            filing.may_reject(&format!("{part}-{name}"), put(&draft, text).sign(&key), why);
        }
        let odd = member(&json, "\"x\":\"\u{7f}\u{fffe}\u{2028}\\u0000\"");
        filing.may_accept(&format!("{part}-odd-characters"), put(&draft, odd).sign(&key), "RFC 8259 7");
    }
    let token = draft.clone().header_text(format!(" {}", draft.header_json())).sign(&key);
    filing.may_reject("header-space-before", token, "RFC 8259 2 allows it; tokens are told by their first characters");
    let token = draft.clone().header_text(format!("{}\n", draft.header_json())).sign(&key);
    filing.accept("header-line-feed-after", token, "RFC 8259 2");
    filing.may_reject(
        "nul-in-sub",
        draft.clone().claim("sub", r#""a\u0000b""#).sign(&key),
        "RFC 8259 9: limits on characters",
    );
    filing.reject("nul-in-iss", draft.clone().claim("iss", format!(r#""{ISSUER}\u0000""#)).sign(&key), "RFC 8725 3.8");
    filing.reject("nul-in-aud", draft.claim("aud", format!(r#""{AUDIENCE}\u0000.evil""#)).sign(&key), "RFC 8725 3.9");
}

/// Texts that resemble the object `json` and are not JSON objects.
fn no_json(json: &str) -> Vec<(&'static str, Vec<u8>)> {
    let inner = &json[1..json.len() - 1];
    let utf_16 = json.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let mut texts: Vec<(&str, Vec<u8>)> = vec![
        ("empty", Vec::new()),
        ("white-space", b"  ".to_vec()),
        ("utf-16", utf_16),
        ("byte-ff", member_bytes(json, b"\"x\":\"\xff\"")),
        ("overlong-utf-8", member_bytes(json, b"\"x\":\"\xc0\xaf\"")),
        ("surrogate-in-utf-8", member_bytes(json, b"\"x\":\"\xed\xa0\x80\"")),
        ("utf-8-past-10ffff", member_bytes(json, b"\"x\":\"\xf4\x90\x80\x80\"")),
        ("utf-8-cut-short", member_bytes(json, b"\"x\":\"\xe2\x82\"")),
    ];
    let as_text = [
        ("array", format!("[{json}]")),
        ("string", quoted(json)),
        ("number", "1".to_owned()),
        ("null", "null".to_owned()),
        ("true", "true".to_owned()),
        ("trailing-comma", format!("{{{inner},}}")),
        ("leading-comma", format!("{{,{inner}}}")),
        ("double-comma", json.replacen(',', ",,", 1)),
        ("comma-missing", json.replacen(",\"", " \"", 1)),
        ("colon-missing", json.replacen(':', " ", 1)),
        ("equals-for-colon", json.replacen(':', "=", 1)),
        ("single-quotes", json.replace('"', "'")),
        ("name-unquoted", json.replacen("\"x-", "x-", 1).replacen("{\"", "{", 1).replacen("\":", ":", 1)),
        ("brace-missing", format!("{{{inner}")),
        ("opening-brace-missing", format!("{inner}}}")),
        ("brace-too-many", format!("{json}}}")),
        ("two-objects", format!("{json}{json}")),
        ("garbage-after", format!("{json}x")),
        ("nul-after", format!("{json}\0")),
        ("nul-before", format!("\0{json}")),
        ("comment-after", format!("{json}//x")),
        ("block-comment", format!("{{/**/{inner}}}")),
        ("hash-comment", format!("{json}#x")),
        ("no-break-space", json.replacen(',', ",\u{a0}", 1)),
        ("vertical-tab", json.replacen(',', ",\u{b}", 1)),
        ("form-feed", json.replacen(',', ",\u{c}", 1)),
    ];
    texts.extend(as_text.map(|(name, text)| (name, text.into_bytes())));
    let values = [
        ("value-nan", "NaN"),
        ("value-infinity", "Infinity"),
        ("value-negative-infinity", "-Infinity"),
        ("value-plus", "+1"),
        ("value-leading-zero", "01"),
        ("value-point-first", ".5"),
        ("value-point-last", "1."),
        ("value-exponent-empty", "1e"),
        ("value-hexadecimal", "0x10"),
        ("value-underscore", "1_0"),
        ("value-minus", "-"),
        ("value-true-capitalised", "True"),
        ("value-none", "None"),
        ("value-undefined", "undefined"),
        ("value-missing", ""),
        ("value-control-character", "\"\u{1}\""),
        ("value-line-feed", "\"a\nb\""),
        ("value-tab", "\"a\tb\""),
        ("value-unknown-escape", r#""\x41""#),
        ("value-escape-cut-short", r#""\u12""#),
        ("value-escape-no-digits", r#""\u00zz""#),
        ("value-string-open", r#""abc"#),
        ("value-array-open", "[1"),
        ("value-brackets-crossed", "[{]}"),
        ("value-array-trailing-comma", "[1,]"),
    ];
    texts.extend(values.map(|(name, value)| (name, member(json, &format!("\"x\":{value}")))));
    texts
}

fn file_bombs(filing: &mut Filing<'_>) {
    const WHY: &str = "RFC 8259 9: limits are the parser's";
    let key = filing.key.clone();
    let draft = filing.draft();
    // In multiples of three bytes, so that the base64 repeats too.
    let nested = |open: &str, close: &str, depth: usize| format!("{}{}", open.repeat(depth), close.repeat(depth));
    let values = [
        ("arrays-20-deep", nested("[", "]", 20)),
        ("arrays-1000-deep", nested("[", "]", 1000)),
        ("arrays-100000-deep", nested("[", "]", 99_999)),
        ("objects-100000-deep", format!("{}1{}", r#"{"abcdefg":  "#.repeat(33_333), "}".repeat(33_333))),
        ("string-of-1-mib", quoted(&"abc".repeat(349_525))),
        ("number-of-400-digits", "1".repeat(400)),
        ("number-of-1-mib", "123".repeat(349_525)),
        ("array-of-100000", format!("[{}1]", "12,".repeat(99_999))),
        ("exponent-of-1-mib", format!("1e-{}", "123".repeat(349_525))),
        ("escapes-of-1-mib", format!("\"{}\"", r"\u0061".repeat(174_762))),
    ];
    for (name, value) in values {
        let claim = draft.clone().claim("x", &value);
        filing.may_reject(&format!("claim-{name}"), claim.sign(&key), WHY);
        filing.reject(&format!("claim-{name}-unsigned"), claim.with_signature(""), "RFC 7515 5.2");
        if name.ends_with("-deep") || name.starts_with("string") {
            let header = draft.clone().header("x", &value);
            filing.may_reject(&format!("header-{name}"), header.sign(&key), WHY);
        }
    }
    let wide = (0..300).fold(draft.clone(), |draft, n| draft.claim(&format!("c{n}"), "0"));
    filing.may_reject("claims-300", wide.sign(&key), WHY);
    let white_space = draft.clone().payload(format!("{}{}", " ".repeat(1_048_575), draft.claims_json()));
    filing.may_reject("white-space-of-1-mib", white_space.sign(&key), WHY);
    let unclosed = draft.payload("[[[".repeat(33_333));
    filing.reject("arrays-never-closed", unclosed.sign(&key), "RFC 8259 2");
}

fn file_unknown_claims(filing: &mut Filing<'_>) {
    let key = filing.key.clone();
    let draft = filing.draft();
    let good = [
        ("null", "null"),
        ("deep", r#"[[[[{"a":[{"b":null}]}]]]]"#),
        ("big-number", "123456789012345678901234567890"),
        ("small-number", "-1.5E-300"),
        ("all-escapes", r#""\"\\\/\b\f\n\r\t\u00e9\ud83e\udd80""#),
    ];
    for (name, value) in good {
        filing.accept(name, draft.clone().claim("x", value).sign(&key), "RFC 7519 4: MUST be ignored");
    }
    for (name, value) in [("bad-number", "[0,[-01]]"), ("bad-literal", r#"{"a":[nul]}"#), ("bad-escape", r#"[["\q"]]"#)]
    {
        let token = draft.clone().claim("x", value).sign(&key);
        filing.reject(name, token, "RFC 7519 7.2 step 10: completely valid JSON");
    }
}

/// The object `json` with this member first.
fn member(json: &str, member: &str) -> Vec<u8> {
    member_bytes(json, member.as_bytes())
}

fn member_bytes(json: &str, member: &[u8]) -> Vec<u8> {
    [b"{", member, b",", &json.as_bytes()[1..]].concat()
}
