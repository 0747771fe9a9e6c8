//! Valid tokens of many forms: they expose a verifier that rejects everything.

use crate::docket::{Docket, Filing};
use crate::draft::Draft;
use crate::key::{ALGORITHMS, Algorithm, ED25519, Family, Key, ML_DSA};
use crate::policy::{AUDIENCE, NOW};

pub(super) fn file(docket: &mut Docket) {
    for algorithm in ALGORITHMS {
        file_shapes(&mut docket.of("valid", algorithm));
        file_key_shapes(&mut docket.of("valid", algorithm));
    }
    for algorithm in [ED25519].into_iter().chain(ML_DSA) {
        let mut filing = docket.of("valid", algorithm);
        let token = filing.draft().sign(&filing.key);
        filing.accept("plain", token, "RFC 9864 2.2, RFC 9964 4");
    }
    file_rsa_sizes(docket);
}

fn file_shapes(filing: &mut Filing<'_>) {
    let key = filing.key.clone();
    let draft = filing.draft();
    let accept = |filing: &mut Filing<'_>, mutation: &str, draft: Draft, why: &str| {
        filing.accept(mutation, draft.sign(&key), why);
    };
    accept(filing, "plain", draft.clone(), "RFC 7519 7.2");
    accept(filing, "typ-jwt", draft.clone().header("typ", r#""JWT""#), "RFC 7519 5.1");
    accept(
        filing,
        "typ-first",
        draft.clone().header_text(draft.header_json().replacen('{', r#"{"typ":"JWT","#, 1)),
        "RFC 8259 4: members are unordered",
    );
    accept(filing, "no-kid", draft.clone().without_header("kid"), "RFC 7515 4.1.4: optional");
    accept(filing, "unknown-header", draft.clone().header("x-note", r#"{"a":[1,2]}"#), "RFC 7515 4: ignored");
    accept(
        filing,
        "header-white-space",
        draft.clone().header_text(draft.header_json().replace(',', ",\r\n ").replace(':', " :\t")),
        "RFC 7515 A.1.1",
    );
    accept(
        filing,
        "payload-white-space",
        draft.clone().payload(draft.claims_json().replacen(",\"", ",\r\n \"", 9).replacen("\":", "\" :\t", 9)),
        "RFC 7515 A.1.1",
    );
    accept(
        filing,
        "payload-in-white-space",
        draft.clone().payload(format!(" \t\r\n{}\n ", draft.claims_json())),
        "RFC 8259 2",
    );
    accept(
        filing,
        "escaped-claim-name",
        draft.clone().payload(draft.claims_json().replace(r#""exp""#, r#""\u0065xp""#)),
        "RFC 8259 8.3",
    );
    accept(
        filing,
        "escaped-claim-value",
        draft.clone().payload(draft.claims_json().replace("https://", r"https:\/\/")),
        "RFC 8259 7",
    );
    accept(
        filing,
        "escaped-header-name",
        draft.clone().header_text(draft.header_json().replace(r#""alg""#, r#""\u0061lg""#)),
        "RFC 8259 8.3",
    );
    accept(filing, "aud-array", draft.clone().claim("aud", format!(r#"["{AUDIENCE}"]"#)), "RFC 7519 4.1.3");
    accept(
        filing,
        "aud-among-others",
        draft.clone().claim("aud", format!(r#"["https://a.example","{AUDIENCE}","https://b.example"]"#)),
        "RFC 7519 4.1.3",
    );
    accept(
        filing,
        "aud-twice",
        draft.clone().claim("aud", format!(r#"["{AUDIENCE}","{AUDIENCE}"]"#)),
        "RFC 7519 4.1.3",
    );
    accept(
        filing,
        "iat-nbf-jti",
        draft.clone().claim("iat", NOW.to_string()).claim("nbf", NOW.to_string()).claim("jti", r#""7c1a""#),
        "RFC 7519 4.1",
    );
    accept(filing, "exp-next-second", draft.clone().claim("exp", (NOW + 1).to_string()), "RFC 7519 4.1.4");
    accept(filing, "nbf-now", draft.clone().claim("nbf", NOW.to_string()), "RFC 7519 4.1.5");
    accept(filing, "exp-fraction", draft.clone().claim("exp", format!("{}.75", NOW + 600)), "RFC 7519 2: NumericDate");
    accept(filing, "exp-exponent", draft.clone().claim("exp", "1.7638006e9"), "RFC 8259 6");
    accept(filing, "exp-2100", draft.clone().claim("exp", "4102444800"), "RFC 7519 4.1.4");
    accept(filing, "no-sub", draft.clone().without_claim("sub"), "RFC 7519 4.1.2: optional");
    accept(filing, "sub-unicode", draft.clone().claim("sub", "\"Zoë 漢字 🦀\""), "RFC 8259 8.1");
    accept(filing, "sub-escaped-unicode", draft.clone().claim("sub", r#""Zo\u00eb \ud83e\udd80""#), "RFC 8259 7");
    accept(
        filing,
        "all-claim-types",
        draft.clone().claim("x", r#"[null,true,false,0,-0.5e-3,"",[],{},{"y":[{"z":null}]}]"#),
        "RFC 7519 4.3",
    );
    accept(
        filing,
        "claim-named-like-a-member-of-objects",
        draft.clone().claim("__proto__", r#"{"iss":"x"}"#).claim("constructor", "1").claim("toString", "null"),
        "RFC 7519 4.3",
    );
    accept(
        filing,
        "forty-claims",
        (0..40).fold(draft.clone(), |draft, n| draft.claim(&format!("c{n}"), n.to_string())),
        "RFC 7519 4.3",
    );
    accept(filing, "four-kilobytes", draft.clone().claim("x", format!("\"{}\"", "abcd".repeat(1024))), "RFC 7519 4.3");
    accept(filing, "nested-five-deep", draft.clone().claim("x", r#"{"a":{"b":{"c":{"d":1}}}}"#), "RFC 7519 4.3");
    accept(
        filing,
        "x5t-and-jku-unused",
        draft.clone().header("x5t", r#""dGVzdA""#).header("jku", r#""https://as.example/jwks""#),
        "RFC 7515 4.1: which keys are trusted the application decides",
    );
    filing.policy.leeway = 60;
    accept(filing, "exp-within-leeway", draft.clone().claim("exp", (NOW - 59).to_string()), "RFC 7519 4.1.4");
    accept(filing, "nbf-within-leeway", draft.claim("nbf", (NOW + 59).to_string()), "RFC 7519 4.1.5");
}

fn file_key_shapes(filing: &mut Filing<'_>) {
    let key = filing.key.clone();
    let token = filing.draft().sign(&key);
    let nameless = filing.draft().without_header("kid").sign(&key);
    let others: Vec<Key> = (1..4).map(|index| Key::new(key.algorithm, index)).collect();
    filing.keys("two", [key.jwk(), others[0].jwk()]);
    filing.accept("first-of-two-keys", token.clone(), "RFC 7517 4.5");
    filing.accept("second-of-two-keys", Draft::new(&others[0]).sign(&others[0]), "RFC 7517 4.5");
    filing.keys("unused-members", [key.jwk().set("x-note", "[1]").set("key_ops", r#"["verify"]"#)]);
    filing.accept("key-with-unknown-members", token, "RFC 7517 4: ignored");
    filing.keys("no-kid", [key.jwk().without("kid")]);
    filing.accept("key-and-token-without-kid", nameless, "RFC 7517 4.5: optional");
}

fn file_rsa_sizes(docket: &mut Docket) {
    for algorithm in ALGORITHMS {
        if !matches!(algorithm.family, Family::Pkcs1(_) | Family::Pss(_)) {
            continue;
        }
        for bits in ["3072", "4096"] {
            file_rsa_key(&mut docket.of("valid", algorithm), algorithm, &format!("rsa-{bits}-bits"));
        }
        file_rsa_key(&mut docket.of("valid", algorithm), algorithm, "rsa-e3");
    }
}

fn file_rsa_key(filing: &mut Filing<'_>, algorithm: Algorithm, name: &str) {
    let key = Key::rsa(algorithm, name);
    filing.keys(name, [key.jwk()]);
    filing.accept(name, Draft::new(&key).sign(&key), "RFC 7518 3.3");
}
