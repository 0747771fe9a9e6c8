//! Changes to the members of header and claims. A member is the text of its name and the text of its value, which need not be
//! JSON.

use crate::jws::ALGORITHMS;
use crate::mutation::Choices;
use crate::setting::NOW;

pub(crate) type Members = Vec<(String, String)>;

/// `{`, the members, `}`.
pub(crate) fn render(members: &Members) -> String {
    let members: Vec<_> = members.iter().map(|(name, value)| format!("{name}:{value}")).collect();
    format!("{{{}}}", members.join(","))
}

/// Sets the member, or adds it.
pub(crate) fn set(members: &mut Members, name: &str, value: &str) {
    let name = format!("\"{name}\"");
    match members.iter_mut().find(|(member, _)| *member == name) {
        Some(member) => value.clone_into(&mut member.1),
        None => members.push((name, value.to_owned())),
    }
}

pub(crate) fn set_header_member(members: &mut Members, choices: &mut Choices) {
    let (name, values) = HEADER[choices.below(HEADER.len())];
    set(members, name, choices.one_of(values));
}

pub(crate) fn swap_algorithm(members: &mut Members, choices: &mut Choices) {
    let alg = choices.one_of(&ALGORITHMS);
    set(members, "alg", &format!("\"{alg}\""));
}

pub(crate) fn swap_key_id(members: &mut Members, choices: &mut Choices) {
    let alg = choices.one_of(&ALGORITHMS);
    let kid = match choices.below(4) {
        0 => format!("{alg}-0"),
        1 => format!("{alg}-1"),
        2 => format!("{alg}-untold"),
        _ => alg.to_ascii_lowercase() + "-0",
    };
    set(members, "kid", &format!("\"{kid}\""));
}

pub(crate) fn set_claim(members: &mut Members, choices: &mut Choices) {
    let (name, values) = CLAIMS[choices.below(CLAIMS.len())];
    let all: Vec<&str> = values.iter().chain(ANY_TYPE).copied().collect();
    set(members, name, choices.one_of(&all));
}

/// Times near a threshold, in every notation of numbers.
pub(crate) fn set_time(members: &mut Members, choices: &mut Choices) {
    let name = choices.one_of(&["exp", "nbf", "iat"]);
    let offsets = [0, 1, 59, 60, 61, 299, 300, 301, 599, 600, 601, 660];
    let offset = offsets[choices.below(offsets.len())];
    let time = if choices.flip() { NOW + offset } else { NOW - offset };
    let value = match choices.below(10) {
        0..=2 => time.to_string(),
        3 => format!("{time}.0"),
        4 => format!("{time}.5"),
        5 => format!("{}e2", time as f64 / 100.0),
        6 => format!("{time}000E-3"),
        7 => format!("{time}.9999999999"),
        _ => choices.one_of(NUMBERS).to_owned(),
    };
    set(members, name, &value);
}

pub(crate) fn set_claim_to(members: &mut Members, choices: &mut Choices, value: &str) {
    let (name, _) = CLAIMS[choices.below(CLAIMS.len())];
    set(members, name, value);
}

pub(crate) fn remove(members: &mut Members, choices: &mut Choices) {
    if !members.is_empty() {
        members.remove(choices.below(members.len()));
    }
}

/// A duplicate, with the same or another value, plain or escaped, after or before the first.
pub(crate) fn duplicate(members: &mut Members, choices: &mut Choices) {
    if members.is_empty() {
        return;
    }
    let (name, value) = members[choices.below(members.len())].clone();
    let name = if choices.flip() { escape(&name, choices) } else { name };
    let value = if choices.flip() { choices.one_of(ANY_TYPE).to_owned() } else { value };
    let position = choices.below(members.len() + 1);
    members.insert(position, (name, value));
}

/// An equivalent spelling.
pub(crate) fn escape_name(members: &mut Members, choices: &mut Choices) {
    if !members.is_empty() {
        let index = choices.below(members.len());
        members[index].0 = escape(&members[index].0.clone(), choices);
    }
}

/// An unused claim: deep, wide or with an error inside; or a long list.
pub(crate) fn add_nested(members: &mut Members, choices: &mut Choices) {
    let value = match choices.below(9) {
        8 => {
            let name = choices.one_of(&["aud", "scope", "scp", "permissions", "roles"]);
            let mut entries = vec![r#""https://api.example.com""#; 126 + choices.below(6)];
            entries[0] = choices.one_of(&[r#""x""#, "1", r#""a b""#]);
            return set(members, name, &format!("[{}]", entries.join(",")));
        }
        0 => r#"{"a":1,"b":[{"c":2,"\u0063":3}]}"#.to_owned(),
        1 => r#"[{"a":{"b":1,"b":1}}]"#.to_owned(),
        2 => r#"[1,2,]"#.to_owned(),
        3 => r#"{"a":"\ud83d\ude00","b":[null,true,-0.0,1E+2]}"#.to_owned(),
        4 => {
            // The claims object is the first level.
            let depth = 13 + choices.below(5);
            format!("{}{}", "[".repeat(depth), "]".repeat(depth))
        }
        5 => {
            let depth = 13 + choices.below(5);
            format!(r#"{}1{}"#, r#"{"a":"#.repeat(depth), "}".repeat(depth))
        }
        6 => {
            let wide: Vec<_> = (0..250 + choices.below(10)).map(|n| format!("\"{n}\":{n}")).collect();
            format!("{{{}}}", wide.join(","))
        }
        _ => {
            let wide: Vec<_> = (0..30 + choices.below(8)).map(|n| format!("\"n{}\":0", n % 33)).collect();
            format!("{{{}}}", wide.join(","))
        }
    };
    let position = choices.below(members.len() + 1);
    members.insert(position, ("\"nested\"".to_owned(), value));
}

/// One character of the name as `\uXXXX`.
fn escape(name: &str, choices: &mut Choices) -> String {
    let characters: Vec<char> = name.trim_matches('"').chars().collect();
    if characters.is_empty() {
        return name.to_owned();
    }
    let at = choices.below(characters.len());
    let text: String = characters
        .iter()
        .enumerate()
        .map(|(index, c)| if index == at { format!("\\u{:04x}", u32::from(*c)) } else { c.to_string() })
        .collect();
    format!("\"{text}\"")
}

const ANY_TYPE: &[&str] = &[
    "null",
    "true",
    "1",
    "-1",
    r#""""#,
    r#""x""#,
    "[]",
    "{}",
    "[1]",
    r#"["x"]"#,
    r#"[["x"]]"#,
    r#""a\u0000b""#,
    r#""\ud800""#,
    r#"{"x":1}"#,
];

const HEADER: &[(&str, &[&str])] = &[
    (
        "alg",
        &[
            r#""none""#,
            r#""None""#,
            r#""nOnE""#,
            r#""none ""#,
            r#""none\u0000""#,
            r#""""#,
            "null",
            "[]",
            "{}",
            "1",
            r#""HS256 ""#,
            r#""es256""#,
            r#"["ES256"]"#,
            r#""A128KW""#,
            r#""dir""#,
            r#""RSA-OAEP""#,
            r#""ES256\u004b""#,
        ],
    ),
    (
        "kid",
        &[
            r#""twin""#,
            r#""shared""#,
            r#""nobody""#,
            r#""""#,
            "null",
            "7",
            "[]",
            r#""a\u0000b""#,
            r#""\u0045S256-0""#,
            r#""../../../etc/passwd""#,
            r#""' OR 1=1 --""#,
            r#""ES256-0 ""#,
        ],
    ),
    (
        "typ",
        &[
            r#""JWT""#,
            r#""jwt""#,
            r#""at+jwt""#,
            r#""AT+JWT""#,
            r#""application/at+jwt""#,
            r#""Application/JWT""#,
            r#""dpop+jwt""#,
            r#""jose""#,
            r#""application/SecEvent+JWT""#,
            r#""application/x/jwt""#,
            r#""logout+jwt""#,
            r#""""#,
            "null",
            "1",
            r#""application/application/jwt""#,
            r#""JWT ""#,
            r#""application/""#,
            r#""\u212aWT""#,
        ],
    ),
    ("cty", &[r#""JWT""#, r#""jWt""#, r#""application/jwt""#, r#""json""#, r#""""#, "null", r#""application/json""#]),
    ("crit", &[r#"["exp"]"#, "[]", r#"["alg"]"#, r#"["b64"]"#, r#"["x","x"]"#, "null", r#""x""#, "{}"]),
    ("b64", &["false", "true", "null"]),
    ("zip", &[r#""DEF""#, "null"]),
    ("enc", &[r#""A256GCM""#, "null"]),
    ("jwk", &[r#"{"kty":"oct","k":"AAAA","alg":"HS256"}"#, "{}", "null", r#"{"kty":"EC","kty":"RSA"}"#]),
    ("jku", &[r#""https://keys.example.net/jwks""#]),
    ("x5u", &[r#""https://keys.example.net/x5u""#]),
    ("x5c", &[r#"["AAAA"]"#, "[]"]),
    ("x5t#S256", &[r#""AAAA""#]),
    ("extra", ANY_TYPE),
];

const CLAIMS: &[(&str, &[&str])] = &[
    (
        "iss",
        &[
            r#""https://auth.example.com/""#,
            r#""https://auth.example.com""#,
            r#""https://both.example.com""#,
            r#""https://narrow.example.com""#,
            r#""https://lax.example.com""#,
            r#""urn:example:without-keys""#,
            r#""https://mapped.example.com""#,
            r#""https://thrice.example.com""#,
            r#""https://AUTH.example.com/""#,
            r#""https://auth.example.com//""#,
            r#""https://auth.example.com/ ""#,
            r#""https:\/\/auth.example.com\/""#,
            r#"["https://auth.example.com/"]"#,
            r#""auth.example.com""#,
            r#""https://login.example.com/tenant-1/v2.0""#,
            r#""https://login.example.com/tenant-2/v2.0""#,
            r#""https://login.example.com/tenant-1""#,
            r#""https://login.example.com/tenant-2""#,
            r#""https://login.example.com/own/v2.0""#,
            r#""https://login.example.com/tenant-1/v2.0/""#,
            r#""https://login.example.com/../v2.0""#,
            r#""https://login.example.com/tenant-1/x/v2.0""#,
            r#""https://login.example.com/{tenant}/v2.0""#,
            r#""https://login.example.com//v2.0""#,
            r#""https://Login.example.com/tenant-1/v2.0""#,
        ],
    ),
    ("sub", &[r#""user-1""#, r#""\u0075ser-1""#, r#""\u00e9""#, r#""a b""#]),
    (
        "aud",
        &[
            r#""https://api.example.com""#,
            r#"["https://api.example.com"]"#,
            r#""https://files.example.com""#,
            r#"["https://a.example","https://api.example.com"]"#,
            r#"[1,"https://api.example.com"]"#,
            r#""https://api.example.com/""#,
            r#""https://api.example.com ""#,
            r#"[["https://api.example.com"]]"#,
            r#"["https://api.example.com",null]"#,
            r#"["https://api.example.com","https://api.example.com"]"#,
            r#""https://api.example.co""#,
            r#""https://\u0061pi.example.com""#,
            r#""app-1""#,
            r#"["app-1","https://api.example.com"]"#,
            r#"["x","https://api.example.com","app-1"]"#,
            r#"[""]"#,
            r#""*""#,
        ],
    ),
    ("exp", NUMBERS),
    ("nbf", NUMBERS),
    ("iat", NUMBERS),
    ("jti", &[r#""token-2""#]),
    ("sid", &[r#""session-1""#]),
    ("client_id", &[r#""client-2""#]),
    ("azp", &[r#""client-3""#]),
    (
        "scope",
        &[
            r#""read:sites""#,
            r#"" a  b ""#,
            r#""a\tb""#,
            r#""a\"b""#,
            r#""a\\b""#,
            r#""\u00e9""#,
            r#""a\u0020b""#,
            r#"["a"]"#,
            r#"["a","b c"]"#,
            r#"["a",""]"#,
            r#"["\u0061","b"]"#,
            r#"" ""#,
            r#""~!#[]""#,
            r#""a\u007fb""#,
        ],
    ),
    ("scp", &[r#"["a","b"]"#, r#""a b""#, r#"["a b"]"#, r#"[""]"#, r#"["a",1]"#, r#"["a\u0000"]"#, r#"["\u0061"]"#]),
    (
        "cnf",
        &[
            r#"{"jkt":"x"}"#,
            r#"{"jkt":"0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}"#,
            r#"{"jwk":{}}"#,
            r#"{"x5t#S256":"x"}"#,
            r#"{"x5t#S256":"A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0"}"#,
            r#"{"x5t#S256":"47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU"}"#,
            r#"{"x5t#S256":"47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFV"}"#,
            r#"{"x5t#S256":"47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU"}"#,
            r#"{"x5t\u0023S256":"A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0"}"#,
            r#"{"x5t#S256":1}"#,
            "{}",
        ],
    ),
    // Listed twice, to be chosen more often.
    ("cnf", BOUND),
    ("cnf", BOUND),
    ("tenant", &[r#""t""#, "0", "false"]),
    ("cid", &[r#""client-4""#, r#""a\u0000""#]),
    ("appid", &[r#""client-5""#]),
    ("token_use", &[r#""access""#, r#""id""#, r#"["id","access"]"#, "[true]", r#""true""#, r#"[["access"]]"#]),
    (
        "ext",
        &[
            r#"{"client":"client-8","level":2.0}"#,
            r#"{"client":"","level":2}"#,
            r#"{"client":null,"level":2}"#,
            r#"{"client":"c","level":"2"}"#,
            r#"{"client":"c","level":[1,2e0]}"#,
            r#"{"client":"c","level":3}"#,
            r#"{"client":["c"],"level":2}"#,
            r#"[{"client":"c","level":2}]"#,
            r#"{"level":2}"#,
            r#"{"client":"c"}"#,
        ],
    ),
    (
        "permissions",
        &[r#"["a","two words","",7,"role:admin"]"#, r#""one""#, r#""two words""#, r#""role:admin""#, r#"["\u0061"]"#],
    ),
    (
        "realm_access",
        &[
            r#"{"roles":["user","role:x","a b",null]}"#,
            r#"{"roles":"user"}"#,
            r#"{"roles":{"0":"user"}}"#,
            r#"{"role":["user"]}"#,
        ],
    ),
    ("roles", &[r#"["a","b"]"#, r#""a b""#, r#"["role:a"]"#]),
    (
        "resource",
        &[
            r#"{"servers":"https://api.example.com"}"#,
            r#"{"servers":["x","https://api.example.com"]}"#,
            r#"{"servers":["x"]}"#,
            r#"{"servers":[1,"https://api.example.com"]}"#,
            r#"{"servers":null}"#,
            r#"{"server":"x"}"#,
        ],
    ),
    ("https://example.com/user", &[r#""user-9""#, r#""""#]),
    ("tid", &[r#""tenant-1""#, r#""tenant-2""#, r#""own""#, r#""TENANT-1""#, r#""..""#, r#"["tenant-1"]"#]),
    ("extra", NUMBERS),
];

const BOUND: &[&str] = &[
    r#"{"x5t#S256":"A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0"}"#,
    r#"{"jkt":"0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}"#,
];

const NUMBERS: &[&str] = &[
    "0",
    "-0",
    "-0.0",
    "-1",
    "1",
    "0.5",
    "0.0001",
    "1e3",
    "1E+3",
    "1e-3",
    "9007199254740993",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
    "-9223372036854775808",
    "-9223372036854775809",
    "1e18",
    "1e19",
    "1e308",
    "1e309",
    "-1e309",
    "1e999",
    "1e-999",
    "5e-324",
    "1.5e9",
    "1.7976931348623157e308",
    "1.7976931348623159e308",
    "123456789012345678901234567890",
    "0.1234567890123456789012345678901234567890",
    "1763800600.0000000001",
    "00",
    "01",
    "-01",
    "+1",
    "1.",
    ".5",
    "1e",
    "1e+",
    "0x10",
    "1_0",
    "NaN",
    "Infinity",
    "-Infinity",
    "-",
    "- 1",
    "1 0",
    r#""1763800600""#,
    "2e9",
    "1763800600e0",
    "17638006000e-1",
    "1000000000000000000000000000000e-20",
    "9223372036854775807.5",
    "9223372036854774784.0",
];
