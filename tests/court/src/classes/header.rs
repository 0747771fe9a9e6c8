//! 18: `crit`. 19: `b64`. 20: `typ`. 21: `cty`, `zip`, `enc`.

use crate::docket::{Docket, Filing};
use crate::draft::base64url;
use crate::key::{ALGORITHMS, REPRESENTATIVES};
use crate::members::quoted;
use crate::policy::{AUDIENCE, ISSUER, NOW};

pub(super) fn file(docket: &mut Docket) {
    for algorithm in ALGORITHMS {
        file_crit(&mut docket.of("a18", algorithm));
    }
    for algorithm in ALGORITHMS {
        file_b64(&mut docket.of("a19", algorithm));
    }
    for index in REPRESENTATIVES {
        file_typ(&mut docket.of("a20", ALGORITHMS[index]));
    }
    for algorithm in ALGORITHMS {
        file_nesting(&mut docket.of("a21", algorithm));
    }
}

fn file_crit(filing: &mut Filing<'_>) {
    const WHY: &str = "RFC 7515 4.1.11, CVE-2025-59420";
    let unknown = filing.draft().header("x-ext", "true");
    let must = [
        ("unknown", r#"["x-ext"]"#),
        ("unknown-twice", r#"["x-ext","x-ext"]"#),
        ("absent-name", r#"["x-other"]"#),
        ("claim-name", r#"["exp"]"#),
        ("url", r#"["https://as.example/UNDEFINED"]"#),
        ("empty-name", r#"[""]"#),
        ("number-in-array", "[1]"),
        ("null-in-array", "[null]"),
        ("array-in-array", r#"[["x-ext"]]"#),
        ("known-and-unknown", r#"["kid","x-ext"]"#),
        ("string", r#""x-ext""#),
        ("object", r#"{"x-ext":true}"#),
        ("number", "1"),
        ("true", "true"),
    ];
    for (name, crit) in must {
        filing.reject(name, unknown.clone().header("crit", crit).sign(&filing.key), WHY);
    }
    let escaped = unknown.header_json().replacen('{', r#"{"\u0063rit":["x-ext"],"#, 1);
    filing.reject("escaped-name", unknown.clone().header_text(escaped).sign(&filing.key), WHY);
    let may = [
        ("empty-array", "[]"),
        ("alg", r#"["alg"]"#),
        ("kid", r#"["kid"]"#),
        ("kid-twice", r#"["kid","kid"]"#),
        ("null", "null"),
        ("false", "false"),
        ("empty-string", r#""""#),
    ];
    for (name, crit) in may {
        let token = unknown.clone().header("crit", crit).sign(&filing.key);
        filing.may_reject(name, token, "RFC 7515 4.1.11: MAY consider it invalid");
    }
}

fn file_b64(filing: &mut Filing<'_>) {
    const WHY: &str = "RFC 7797 6, 7";
    let draft = filing.draft();
    let payload = draft.payload_bytes();
    let crit = draft.clone().header("b64", "false").header("crit", r#"["b64"]"#);
    filing.reject("false-in-crit", crit.sign(&filing.key), WHY);
    let raw_input = |text: &str| [format!("{}.", base64url(text)).as_bytes(), &payload].concat();
    let unencoded = filing.key.sign(&raw_input(&crit.header_json()));
    filing.reject("false-in-crit-signed-unencoded", crit.with_signature(&unencoded), WHY);
    filing.reject(
        "false-in-crit-payload-unencoded",
        format!("{}.{}.{}", base64url(crit.header_json()), draft.claims_json(), base64url(&unencoded)),
        WHY,
    );
    filing.reject(
        "false-in-crit-detached",
        format!("{}..{}", base64url(crit.header_json()), base64url(&unencoded)),
        WHY,
    );
    for (name, b64) in [("string", r#""false""#), ("number", "0"), ("null", "null")] {
        let token = crit.clone().header("b64", b64).sign(&filing.key);
        filing.reject(&format!("{name}-in-crit"), token, "RFC 7797 3: a boolean");
    }
    let alone = draft.clone().header("b64", "false");
    filing.may_reject(
        "false-without-crit",
        alone.sign(&filing.key),
        "RFC 7797 6: crit MUST be there; else unknown, ignored",
    );
    let unencoded = filing.key.sign(&raw_input(&alone.header_json()));
    filing.reject("false-without-crit-signed-unencoded", alone.with_signature(unencoded), WHY);
    let usual = draft.header("b64", "true");
    filing.may_reject("true", usual.sign(&filing.key), "RFC 7797 3: means the same as none");
    let token = usual.header("crit", r#"["b64"]"#).sign(&filing.key);
    filing.may_reject("true-in-crit", token, "RFC 7797 3, 6: where it is implemented");
}

fn file_typ(filing: &mut Filing<'_>) {
    const WHY: &str = "RFC 9068 4, RFC 8725 3.11";
    filing.policy.typ = "at+jwt".to_owned();
    let draft = filing.draft().claim("client_id", r#""c1""#).claim("iat", NOW.to_string()).claim("jti", r#""7c1a""#);
    let with = |typ: &str| draft.clone().header("typ", typ);
    for (name, typ) in [("at+jwt", r#""at+jwt""#), ("with-application", r#""application/at+jwt""#)] {
        filing.accept(name, with(typ).sign(&filing.key), "RFC 9068 2.1, 4");
    }
    for (name, typ) in [("upper-case", r#""AT+JWT""#), ("mixed-case", r#""Application/at+JWT""#)] {
        filing.accept(name, with(typ).sign(&filing.key), "RFC 7515 4.1.9, RFC 2045 5.1: case does not matter");
    }
    let other = [
        ("jwt", r#""JWT""#),
        ("dpop+jwt", r#""dpop+jwt""#),
        ("logout+jwt", r#""logout+jwt""#),
        ("secevent+jwt", r#""secevent+jwt""#),
        ("prefix", r#""at""#),
        ("longer", r#""at+jwt2""#),
        ("space-after", r#""at+jwt ""#),
        ("other-type", r#""text/at+jwt""#),
        ("application-twice", r#""application/application/at+jwt""#),
        ("empty", r#""""#),
        ("null", "null"),
        ("number", "1"),
        ("array", r#"["at+jwt"]"#),
    ];
    for (name, typ) in other {
        filing.reject(name, with(typ).sign(&filing.key), WHY);
    }
    filing.reject("absent", draft.sign(&filing.key), WHY);
    let bare = filing.draft().header("typ", r#""at+jwt""#).sign(&filing.key);
    filing.may_reject("required-claims-absent", bare, "RFC 9068 2.2, 4: required, but not among the checks");
    filing.policy.typ = "JWT".to_owned();
    filing.may_accept("jwt-other-case", filing.draft().header("typ", r#""jwt""#).sign(&filing.key), "RFC 7519 5.1");
    for (name, typ) in [("at+jwt", r#""at+jwt""#), ("dpop+jwt", r#""dpop+jwt""#), ("number", "1"), ("null", "null")] {
        let token = filing.draft().header("typ", typ).sign(&filing.key);
        filing.may_reject(&format!("{name}-where-jwt-is-expected"), token, "RFC 7519 5.1, RFC 8725 3.12");
    }
}

fn file_nesting(filing: &mut Filing<'_>) {
    let draft = filing.draft();
    for (name, cty) in
        [("jwt", r#""JWT""#), ("jwt-lower-case", r#""jwt""#), ("application-jwt", r#""application/jwt""#)]
    {
        let token = draft.clone().header("cty", cty).sign(&filing.key);
        filing.may_reject(&format!("cty-{name}-around-claims"), token, "RFC 7519 5.2, 7.2: the payload is no JWT");
    }
    let inner = draft.sign(&filing.key);
    let nested = filing.draft().header("cty", r#""JWT""#).payload(inner.clone());
    filing.may_reject("nested", nested.sign(&filing.key), "RFC 7519 7.2 step 8: where it is implemented");
    filing.reject(
        "nested-without-cty",
        filing.draft().payload(inner.clone()).sign(&filing.key),
        "RFC 7519 7.2 step 10",
    );
    let unsigned = filing.draft().header("alg", r#""none""#).with_signature("");
    let token = filing.draft().header("cty", r#""JWT""#).payload(unsigned).sign(&filing.key);
    filing.reject("nested-unsigned", token, "RFC 7519 7.2, RFC 8725 3.3");
    for (name, zip) in [("def", r#""DEF""#), ("unknown", r#""XYZ""#), ("null", "null")] {
        let token = draft.clone().header("zip", zip).sign(&filing.key);
        filing.may_reject(&format!("zip-{name}"), token, "RFC 7516 4.1.3: of JWE; in a JWS unknown, ignored");
    }
    let token = draft.clone().header("enc", r#""A256GCM""#).sign(&filing.key);
    filing.may_reject("enc", token, "RFC 7516 9: enc tells a JWE");
    let jwe = |alg: &str, parts: &str| {
        format!("{}{parts}", base64url(format!(r#"{{"alg":"{alg}","enc":"A256GCM","kid":"k1"}}"#)))
    };
    let ciphertext = format!(".AAAA.AAAAAAAAAAAAAAAA.{}.AAAAAAAAAAAAAAAAAAAAAA", base64url(draft.payload_bytes()));
    filing.reject("jwe-dir", jwe("dir", &ciphertext), "RFC 7519 7.2: not what the policy asks for, CVE-2026-29000");
    filing.reject("jwe-rsa-oaep", jwe("RSA-OAEP", &ciphertext), "RFC 7519 7.2, CVE-2026-29000");
    filing.reject("jwe-of-three-parts", jwe("dir", ".AAAA.AAAA"), "RFC 7516 7.1");
    // Plaintext claims in place of a JWE's ciphertext, around a valid JWS.
    filing.reject("jws-and-two-parts", format!("{inner}.AAAA.AAAA"), "RFC 7515 7.1");
    let replica = filing.draft().header("iss", quoted(ISSUER)).header("aud", quoted(AUDIENCE));
    let token = replica.header("exp", (NOW + 600).to_string()).payload("{}").sign(&filing.key);
    filing.reject("claims-in-the-header-alone", token, "RFC 7519 5.3: a replica, not the claims");
}
