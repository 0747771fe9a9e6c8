//! The configuration of an issuer: sources and values of claims, accepted `typ`, names, optional claims, numbers of
//! entries.

use serde_json::json;

use crate::docket::{Docket, Filing};
use crate::key::{ALGORITHMS, REPRESENTATIVES};
use crate::members::quoted;
use crate::policy::{AUDIENCE, ISSUER};

/// The source of verdicts that the policy alone determines.
const POLICY: &str = "the policy says so";

/// Likewise: of several sources the first present one counts, even if its value is unusable.
const FIRST: &str = "the policy: the first that is there counts, RFC 8725 2.3";

pub(super) fn file(docket: &mut Docket) {
    type File = fn(&mut Filing<'_>);
    let classes: [(&str, File); 6] = [
        ("c1", file_sources),
        ("c2", file_expectations),
        ("c3", file_types),
        ("c4", file_templates),
        ("c5", file_optional),
        ("c6", file_limits),
    ];
    for (class, file) in classes {
        for index in REPRESENTATIVES {
            file(&mut docket.of(class, ALGORITHMS[index]));
        }
    }
}

fn file_sources(filing: &mut Filing<'_>) {
    let own = quoted(AUDIENCE);
    filing.policy.set_issuer(json!({ "claims": { "audience": ["aud", "client_id"] } }));
    let bare = filing.draft().without_claim("aud");
    for (name, draft, is_good) in [
        ("aud", filing.draft(), true),
        ("client-id-alone", bare.clone().claim("client_id", own.clone()), true),
        ("client-id-of-another", bare.clone().claim("client_id", r#""app-1""#), false),
        ("neither", bare.clone(), false),
        ("aud-of-another-before", bare.clone().claim("client_id", own.clone()).claim("aud", r#""x""#), false),
        ("aud-null-before", bare.clone().claim("client_id", own.clone()).claim("aud", "null"), false),
        ("aud-number-before", bare.clone().claim("client_id", own.clone()).claim("aud", "1"), false),
        ("aud-empty-before", bare.clone().claim("client_id", own.clone()).claim("aud", "[]"), false),
    ] {
        decide(filing, &format!("audience-{name}"), &draft.sign(&filing.key), is_good, FIRST);
    }
    filing.policy.set_issuer(json!({ "claims": { "audience": ["/resource/servers"] } }));
    for (name, member, value, is_good) in [
        ("string", "resource", format!(r#"{{"servers":{own}}}"#), true),
        ("array", "resource", format!(r#"{{"servers":["x",{own}]}}"#), true),
        ("of-another", "resource", r#"{"servers":"x"}"#.to_owned(), false),
        ("null", "resource", r#"{"servers":null}"#.to_owned(), false),
        ("member-of-that-name", "/resource/servers", own.clone(), false),
        ("one-level-up", "resource", own.clone(), false),
        ("escaped-name", "resource", format!(r#"{{"\u0073ervers":{own}}}"#), true),
    ] {
        let token = bare.clone().claim(member, value).sign(&filing.key);
        decide(filing, &format!("audience-by-pointer-{name}"), &token, is_good, "RFC 6901 4");
    }
    filing.policy.set_issuer(json!({ "claims": { "audience": ["https://example.com/aud"] } }));
    let named = bare.claim("https://example.com/aud", own);
    filing.accept("audience-by-a-name-with-slashes", named.sign(&filing.key), POLICY);
    filing.policy.set_issuer(json!({ "claims": { "subject": ["/user/id"] } }));
    for (name, value, is_good) in
        [("string", r#"{"id":"u"}"#, true), ("number", r#"{"id":1}"#, false), ("null", r#"{"id":null}"#, false)]
    {
        let token = filing.draft().claim("user", value).sign(&filing.key);
        decide(filing, &format!("subject-{name}"), &token, is_good, FIRST);
    }
    filing.policy.set_issuer(json!({ "claims": { "scopes": ["scope", "permissions"], "scopes_from": "all" } }));
    for (name, member, value, is_good) in [
        ("permissions", "permissions", r#"["a","b"]"#, true),
        ("permissions-no-scope-tokens", "permissions", r#"["two words","",7]"#, true),
        ("scope-array", "scope", r#"["a","b"]"#, true),
        ("scope-array-with-a-space", "scope", r#"["a b"]"#, false),
        ("scope-tab", "scope", r#""a\tb""#, false),
        ("scope-number", "scope", "1", false),
    ] {
        let token = filing.draft().claim(member, value).sign(&filing.key);
        decide(filing, name, &token, is_good, "RFC 6749 3.3");
    }
}

fn file_expectations(filing: &mut Filing<'_>) {
    filing.policy.set_issuer(json!({
        "expect": { "token_use": "access", "level": 2, "verified": true, "/resource/tier": ["gold", "silver"] },
    }));
    let good = filing
        .draft()
        .claim("token_use", r#""access""#)
        .claim("level", "2")
        .claim("verified", "true")
        .claim("resource", r#"{"tier":"gold"}"#);
    filing.accept("as-expected", good.sign(&filing.key), POLICY);
    for (name, member, value, is_good) in [
        ("other-string", "token_use", r#""id""#, false),
        ("other-case", "token_use", r#""Access""#, false),
        ("longer-string", "token_use", r#""access ""#, false),
        ("null", "token_use", "null", false),
        ("in-array", "token_use", r#"["id","access"]"#, true),
        ("not-in-array", "token_use", r#"["id"]"#, false),
        ("array-in-array", "token_use", r#"[["access"]]"#, false),
        ("escaped", "token_use", r#""\u0061ccess""#, true),
        ("number-with-a-fraction-of-zero", "level", "2.0", true),
        ("number-with-an-exponent", "level", "2e0", true),
        ("number-as-a-string", "level", r#""2""#, false),
        ("other-number", "level", "3", false),
        ("number-just-beside", "level", "2.0000001", false),
        ("false", "verified", "false", false),
        ("true-as-a-string", "verified", r#""true""#, false),
        ("true-as-a-number", "verified", "1", false),
        ("second-alternative", "resource", r#"{"tier":"silver"}"#, true),
        ("no-alternative", "resource", r#"{"tier":"bronze"}"#, false),
        ("nothing-there", "resource", "{}", false),
        ("member-elsewhere", "resource", r#"{"resource":{"tier":"gold"}}"#, false),
    ] {
        decide(filing, name, &good.clone().claim(member, value).sign(&filing.key), is_good, POLICY);
    }
    for member in ["token_use", "level", "verified", "resource"] {
        let token = good.clone().without_claim(member).sign(&filing.key);
        filing.reject(&format!("without-{member}"), token, POLICY);
    }
}

fn file_types(filing: &mut Filing<'_>) {
    const WHY: &str = "RFC 7515 4.1.9: a media type, application/ left out or not; RFC 8725 3.11";
    filing.policy.set_issuer(json!({ "typ": ["JOSE", "secevent+jwt", ""] }));
    for (name, typ, is_good) in [
        ("jose", r#""JOSE""#, true),
        ("jose-lower-case", r#""jose""#, true),
        ("jose-whole", r#""application/jose""#, true),
        ("secevent", r#""secevent+jwt""#, true),
        ("jwt", r#""JWT""#, false),
        ("at-jwt", r#""at+jwt""#, false),
        ("longer", r#""secevent+jwt2""#, false),
        ("with-parameter", r#""secevent+jwt;a=b""#, false),
        ("other-tree", r#""text/jose""#, false),
        ("number", "1", false),
        ("null", "null", false),
    ] {
        decide(filing, name, &filing.draft().header("typ", typ).sign(&filing.key), is_good, WHY);
    }
    filing.accept("absent", filing.draft().sign(&filing.key), POLICY);
    filing.policy.set_issuer(json!({ "typ": ["JOSE"] }));
    filing.reject("absent-where-it-is-not-listed", filing.draft().sign(&filing.key), POLICY);
}

fn file_templates(filing: &mut Filing<'_>) {
    const WHY: &str = "RFC 8725 3.8: the policy names the issuers, and the claim says which one";
    const NAME: &str = "https://login.example/{tenant}/v2.0";
    let of = |tenant: &str| quoted(&NAME.replace("{tenant}", tenant));
    filing.policy.set_issuer(json!({ "name": NAME, "tenant_claim": "tid" }));
    for tenant in ["t1", "A-b_c.9", "..."] {
        let draft = filing.draft().claim("iss", of(tenant)).claim("tid", quoted(tenant));
        filing.accept(&format!("tenant-{tenant}"), draft.sign(&filing.key), WHY);
    }
    let good = filing.draft().claim("iss", of("t1")).claim("tid", r#""t1""#);
    filing.reject("without-the-claim", good.clone().without_claim("tid").sign(&filing.key), WHY);
    for (name, tid) in [
        ("of-another", r#""t2""#),
        ("in-another-case", r#""T1""#),
        ("longer", r#""t1 ""#),
        ("null", "null"),
        ("array", r#"["t1"]"#),
        ("number", "1"),
        ("the-variable", r#""{tenant}""#),
    ] {
        filing.reject(&format!("claim-{name}"), good.clone().claim("tid", tid).sign(&filing.key), WHY);
    }
    for (name, tenant) in [
        ("dots", ".."),
        ("dot", "."),
        ("empty", ""),
        ("slash", "a/b"),
        ("variable", "{tenant}"),
        ("percent", "%74"),
        ("space", "a b"),
        ("query", "a?b"),
        ("look-alike", "а"),
    ] {
        let draft = good.clone().claim("iss", of(tenant)).claim("tid", quoted(tenant));
        filing.reject(&format!("name-{name}"), draft.sign(&filing.key), WHY);
    }
    let long = "t".repeat(129);
    let draft = good.clone().claim("iss", of(&long)).claim("tid", quoted(&long));
    filing.may_reject("name-long", draft.sign(&filing.key), "the specifications set no limit");
    for (name, iss) in [
        ("slash-after", "https://login.example/t1/v2.0/"),
        ("other-host", "https://login.example.evil/t1/v2.0"),
        ("host-in-upper-case", "https://LOGIN.example/t1/v2.0"),
        ("user", "https://t1@login.example/t1/v2.0"),
        ("other-version", "https://login.example/t1/v1.0"),
        ("beginning", "https://login.example/t1"),
        ("without-tls", "http://login.example/t1/v2.0"),
        ("usual-issuer", ISSUER),
    ] {
        filing.reject(&format!("iss-{name}"), good.clone().claim("iss", quoted(iss)).sign(&filing.key), WHY);
    }
    filing.policy.set_issuer(json!({ "name": NAME, "tenant_claim": "tid", "tenants": ["t1"] }));
    filing.accept("listed", good.sign(&filing.key), WHY);
    let other = good.claim("iss", of("t2")).claim("tid", r#""t2""#);
    filing.reject("not-listed", other.sign(&filing.key), WHY);
}

fn file_optional(filing: &mut Filing<'_>) {
    const WHY: &str = "RFC 9068 2.2, but for what the policy makes optional";
    filing.policy.set_issuer(json!({ "optional_claims": ["sub"], "typ": "at+jwt" }));
    let good = filing
        .draft()
        .header("typ", r#""at+jwt""#)
        .claim("client_id", r#""app-1""#)
        .claim("iat", "1763799000")
        .claim("jti", r#""j""#);
    filing.accept("all", good.sign(&filing.key), WHY);
    filing.accept("without-sub", good.clone().without_claim("sub").sign(&filing.key), WHY);
    for member in ["client_id", "iat", "jti", "exp", "aud", "iss"] {
        let token = good.clone().without_claim(member).sign(&filing.key);
        filing.reject(&format!("without-{member}"), token, WHY);
    }
    filing.reject("sub-of-another-type", good.claim("sub", "1").sign(&filing.key), "RFC 7519 4.1.2");
}

fn file_limits(filing: &mut Filing<'_>) {
    const WHY: &str = "the specifications set no limit; the policy raises tollgate's";
    let of = |entries: usize| {
        let mut all: Vec<String> = (1..entries).map(|number| quoted(&format!("https://{number}.example"))).collect();
        all.push(quoted(AUDIENCE));
        format!("[{}]", all.join(","))
    };
    filing.policy.set_issuer(json!({ "max_list_entries": 128 }));
    filing.may_reject("129-of-128", filing.draft().claim("aud", of(129)).sign(&filing.key), WHY);
    filing.policy.set_issuer(json!({ "max_list_entries": 200 }));
    for (entries, is_good) in [(129, true), (200, true), (201, false)] {
        let (name, token) = (format!("{entries}-of-200"), filing.draft().claim("aud", of(entries)).sign(&filing.key));
        if is_good { filing.accept(&name, token, WHY) } else { filing.may_reject(&name, token, WHY) }
    }
}

fn decide(filing: &mut Filing<'_>, name: &str, token: &str, is_good: bool, why: &str) {
    if is_good { filing.accept(name, token, why) } else { filing.reject(name, token, why) }
}
