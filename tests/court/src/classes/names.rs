//! 31: `iss`. 32: another issuer's key. 33: `aud`. 34: `sub`. 35: patterns.

use crate::docket::{Docket, Filing};
use crate::key::{ALGORITHMS, ATTACKER, Key, REPRESENTATIVES};
use crate::members::quoted;
use crate::policy::{AUDIENCE, ISSUER};

pub(super) fn file(docket: &mut Docket) {
    for index in REPRESENTATIVES {
        file_iss(&mut docket.of("a31", ALGORITHMS[index]));
    }
    for algorithm in ALGORITHMS {
        file_strangers(&mut docket.of("a32", algorithm));
    }
    for index in REPRESENTATIVES {
        file_aud(&mut docket.of("a33", ALGORITHMS[index]));
    }
    for index in REPRESENTATIVES {
        file_sub(&mut docket.of("a34", ALGORITHMS[index]));
    }
    for index in REPRESENTATIVES {
        file_patterns(&mut docket.of("a35", ALGORITHMS[index]));
    }
}

/// Names that only resemble `name`.
fn near(name: &str) -> Vec<(&'static str, String)> {
    vec![
        ("slash-after", format!("{name}/")),
        ("upper-case", name.to_uppercase()),
        ("scheme-upper-case", name.replacen("https", "HTTPS", 1)),
        ("without-tls", name.replacen("https", "http", 1)),
        ("prefix", name[..name.len() - 1].to_owned()),
        ("longer", format!("{name}.evil.example")),
        ("suffix", name[8..].to_owned()),
        ("inside", format!("https://evil.example/{name}")),
        ("space-before", format!(" {name}")),
        ("space-after", format!("{name} ")),
        ("port", format!("{name}:443")),
        ("user", name.replacen("://", "://user@", 1)),
        ("fragment", format!("{name}#")),
        ("percent-encoded", name.replacen("example", "%65xample", 1)),
        ("look-alike", name.replacen('a', "а", 1)),
        ("empty", String::new()),
    ]
}

fn file_iss(filing: &mut Filing<'_>) {
    let token = |filing: &Filing<'_>, iss: &str| filing.draft().claim("iss", iss).sign(&filing.key);
    for (name, iss) in near(ISSUER) {
        filing.reject(name, token(filing, &quoted(&iss)), "RFC 7519 4.1.1, RFC 8725 3.8");
    }
    let own = quoted(ISSUER);
    let types = [
        ("null", "null".to_owned()),
        ("number", "1".to_owned()),
        ("true", "true".to_owned()),
        ("array", format!("[{own}]")),
        ("array-with-another", format!("[\"https://evil.example\",{own}]")),
        ("empty-array", "[]".to_owned()),
        ("object", format!("{{{own}:1}}")),
    ];
    for (name, iss) in types {
        filing.reject(name, token(filing, &iss), "RFC 7519 4.1.1: a string, CVE-2025-30144");
    }
    filing.reject("absent", filing.draft().without_claim("iss").sign(&filing.key), "the policy requires iss");
}

fn file_strangers(filing: &mut Filing<'_>) {
    const WHY: &str = "RFC 8725 3.8";
    let stranger = Key::new(filing.key.algorithm, ATTACKER);
    filing.reject("same-kid", filing.draft().sign(&stranger), WHY);
    filing.reject("own-kid", filing.draft().header("kid", quoted(&stranger.kid)).sign(&stranger), WHY);
    filing.reject("no-kid", filing.draft().without_header("kid").sign(&stranger), WHY);
    let honest = filing.draft().claim("iss", r#""https://other.example""#);
    filing.reject("own-iss", honest.sign(&stranger), WHY);
    filing.reject("own-iss-under-the-known-key", honest.sign(&filing.key), WHY);
    let other = Key::new(filing.key.algorithm, 1);
    filing.keys("second-alone", [other.jwk()]);
    filing.reject("key-that-was-replaced", filing.draft().sign(&filing.key), "RFC 7517 5: it is not in the set");
    filing.keys("second-under-first-kid", [other.with_kid("k1").jwk()]);
    filing.reject("key-that-was-replaced-under-its-kid", filing.draft().sign(&filing.key), WHY);
}

fn file_aud(filing: &mut Filing<'_>) {
    let token = |filing: &Filing<'_>, aud: &str| filing.draft().claim("aud", aud).sign(&filing.key);
    for (name, aud) in near(AUDIENCE) {
        filing.reject(name, token(filing, &quoted(&aud)), "RFC 7519 4.1.3, RFC 8725 3.9");
        filing.reject(&format!("{name}-in-array"), token(filing, &format!("[{}]", quoted(&aud))), "RFC 7519 4.1.3");
    }
    let own = quoted(AUDIENCE);
    let others = [
        ("empty-array", "[]".to_owned()),
        ("array-in-array", format!("[[{own}]]")),
        ("object-in-array", format!("[{{{own}:1}}]")),
        ("object", format!("{{{own}:true}}")),
        ("object-like-an-array", format!(r#"{{"0":{own},"length":1}}"#)),
        ("number", "1".to_owned()),
        ("null", "null".to_owned()),
        ("true", "true".to_owned()),
        ("null-in-array", "[null]".to_owned()),
        ("joined-by-space", quoted(&format!("{AUDIENCE} https://b.example"))),
        ("joined-by-comma", quoted(&format!("{AUDIENCE},https://b.example"))),
        ("array-in-a-string", quoted(&format!("[{own}]"))),
    ];
    for (name, aud) in others {
        filing.reject(name, token(filing, &aud), "RFC 7519 4.1.3, CVE-2020-26160");
    }
    let mixed = [
        ("number-beside", format!("[1,{own}]")),
        ("null-beside", format!("[{own},null]")),
        ("array-beside", format!("[{own},[]]")),
    ];
    for (name, aud) in mixed {
        filing.may_reject(name, token(filing, &aud), "RFC 7519 4.1.3: strings, but it is there");
    }
    filing.reject("absent", filing.draft().without_claim("aud").sign(&filing.key), "the policy requires aud");
}

fn file_sub(filing: &mut Filing<'_>) {
    let values = [
        ("number", "1"),
        ("null", "null"),
        ("true", "true"),
        ("array", r#"["user-1"]"#),
        ("object", r#"{"id":1}"#),
        ("empty", r#""""#),
    ];
    for (name, sub) in values {
        let token = filing.draft().claim("sub", sub).sign(&filing.key);
        filing.may_reject(name, token, "RFC 7519 4.1.2: a string, but the policy does not ask");
    }
    for (name, jti) in [("jti-number", "1"), ("jti-array", r#"["a"]"#), ("jti-null", "null")] {
        let token = filing.draft().claim("jti", jti).sign(&filing.key);
        filing.may_reject(name, token, "RFC 7519 4.1.7: a string, but the policy does not ask");
    }
}

fn file_patterns(filing: &mut Filing<'_>) {
    const WHY: &str = "RFC 7519 4.1.1, 4.1.3: by equality, CVE-2026-35041";
    let patterns = [
        ("star", "*"),
        ("dot-star", ".*"),
        ("anchored", "^https://.*$"),
        ("slashes", "/https/"),
        ("percent", "%"),
        ("star-after", "https://*"),
        ("dots", "https://...example"),
        ("alternatives", "https://as.example|https://api.example"),
        ("empty-alternative", "x|"),
        ("slow", "(a+)+$"),
    ];
    for (name, pattern) in patterns {
        let iss = filing.draft().claim("iss", quoted(pattern)).sign(&filing.key);
        filing.reject(&format!("iss-{name}"), iss, WHY);
        let aud = filing.draft().claim("aud", quoted(pattern)).sign(&filing.key);
        filing.reject(&format!("aud-{name}"), aud, WHY);
    }
    // The configured values are not patterns either.
    for (name, iss) in [("dot", "https://asxexample"), ("dot-line-feed", "https://as\nexample")] {
        let token = filing.draft().claim("iss", quoted(iss)).sign(&filing.key);
        filing.reject(&format!("iss-any-character-for-a-{name}"), token, WHY);
    }
    let aud = filing.draft().claim("aud", r#""https://apixexample""#).sign(&filing.key);
    filing.reject("aud-any-character-for-a-dot", aud, WHY);
    filing.policy.aud = "https://api.example/[v1]+(a)?".to_owned();
    let token = filing.draft().claim("aud", quoted(&filing.policy.aud)).sign(&filing.key);
    filing.accept("aud-of-special-characters", token, "RFC 7519 4.1.3");
    filing.reject(
        "aud-that-it-would-match",
        filing.draft().claim("aud", r#""https://api.example/v""#).sign(&filing.key),
        WHY,
    );
}
