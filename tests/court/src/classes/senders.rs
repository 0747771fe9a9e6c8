//! 51: tokens bound to a key (DPoP, RFC 9449). 52: tokens bound to a client certificate (RFC 8705).

use crate::arithmetic::hash::Hash;
use crate::docket::{Docket, Filing};
use crate::draft::{Draft, base64url};
use crate::key::{ALGORITHMS, Key};
use crate::members::{Members, quoted, sorted};
use crate::policy::NOW;
use crate::sent_with::{SentWith, hex};

/// The token's own algorithm does not matter here: ES256 and EdDSA represent all.
const OF_TOKENS: [usize; 2] = [9, 13];

const URI: &str = "https://api.example/sites";

pub(super) fn file(docket: &mut Docket) {
    for index in OF_TOKENS {
        file_proofs(&mut docket.of("a51", ALGORITHMS[index]));
    }
    for index in OF_TOKENS {
        file_certificates(&mut docket.of("a52", ALGORITHMS[index]));
    }
}

fn sent(scheme: &str, proofs: impl IntoIterator<Item = String>) -> SentWith {
    SentWith {
        scheme: scheme.to_owned(),
        method: "GET".to_owned(),
        uri: URI.to_owned(),
        proofs: proofs.into_iter().collect(),
        certificate: None,
    }
}

/// The key of a client; RS256, PS256, ES256, EdDSA.
fn client(index: usize) -> Key {
    Key::new(ALGORITHMS[index], 1)
}

fn public_jwk(key: &Key) -> Members {
    key.jwk().without("use").without("alg").without("kid")
}

/// The key's thumbprint (RFC 7638).
fn thumbprint(key: &Key) -> String {
    // Members in the order of their names: `crv`, `kty`, `x`, `y`, or `e`, `kty`, `n`.
    let jwk = serde_json::from_str(&public_jwk(key).to_string()).expect("a JWK is JSON");
    base64url(Hash::Sha256.digest(sorted(&jwk).as_bytes()))
}

/// A proof by `client` for `token`, valid until it is changed. `jti` is the mutation's name: a proof is accepted
/// once.
fn proof(client: &Key, token: &str, name: &str) -> Draft {
    Draft::of(
        Members::default()
            .set("typ", quoted("dpop+jwt"))
            .set("alg", quoted(client.algorithm.name))
            .set("jwk", public_jwk(client).to_string()),
        Members::default()
            .set("jti", quoted(name))
            .set("htm", quoted("GET"))
            .set("htu", quoted(URI))
            .set("iat", NOW.to_string())
            .set("ath", quoted(&base64url(Hash::Sha256.digest(token.as_bytes())))),
    )
}

fn file_proofs(filing: &mut Filing<'_>) {
    const RFC: &str = "RFC 9449 4.3";
    for index in [3, 6, 9, 13] {
        let client = client(index);
        let bound = bound_to_key(filing, &client);
        let name = format!("by-{}", client.algorithm.name);
        filing.sent_with(sent("DPoP", [proof(&client, &bound, &name).sign(&client)]));
        filing.accept(&name, bound, RFC);
    }
    let client = client(9);
    let token = bound_to_key(filing, &client);
    let draft = |name: &str| proof(&client, &token, name);

    for scheme in ["dpop", "DPOP"] {
        filing.sent_with(sent(scheme, [draft(scheme).sign(&client)]));
        filing.accept(&format!("scheme-{scheme}"), token.clone(), "RFC 9110 11.1");
    }
    filing.sent_with(sent("DPoP", []));
    filing.reject("no-proof", token.clone(), "RFC 9449 7.1");
    filing.sent_with(sent("Bearer", []));
    filing.reject("as-bearer-token", token.clone(), "RFC 9449 7.2");
    filing.sent_with(sent("Bearer", [draft("bearer-with-proof").sign(&client)]));
    filing.reject("as-bearer-token-with-a-proof", token.clone(), "RFC 9449 7.2");
    let two = ["first", "second"].map(|name| draft(name).sign(&client));
    filing.sent_with(sent("DPoP", two.clone()));
    filing.reject("two-proofs", token.clone(), RFC);
    filing.sent_with(sent("DPoP", [two.join(", ")]));
    filing.reject("two-proofs-in-one-field", token.clone(), RFC);
    let unbound = filing.draft().sign(&filing.key);
    filing.sent_with(sent("DPoP", [proof(&client, &unbound, "unbound").sign(&client)]));
    filing.reject("token-without-cnf", unbound, "RFC 9449 7.1: the binding MUST match");

    for (name, draft) in headers(&draft, &client) {
        filing.sent_with(sent("DPoP", [draft.sign(&client)]));
        filing.reject(name, token.clone(), RFC);
    }
    for (name, member, value) in claims() {
        let draft = draft(name);
        let draft = if value.is_empty() { draft.without_claim(member) } else { draft.claim(member, value) };
        filing.sent_with(sent("DPoP", [draft.sign(&client)]));
        filing.reject(name, token.clone(), RFC);
    }
    for (name, htu) in same_uris() {
        filing.sent_with(sent("DPoP", [draft(name).claim("htu", quoted(&htu)).sign(&client)]));
        filing.accept(name, token.clone(), "RFC 9449 4.3, RFC 3986 6.2.2, 6.2.3");
    }
    for (name, iat) in [("iat-60-s-ago", NOW - 60), ("iat-5-s-ahead", NOW + 5)] {
        filing.sent_with(sent("DPoP", [draft(name).claim("iat", iat.to_string()).sign(&client)]));
        filing.may_accept(name, token.clone(), "RFC 9449 11.1: the window is the server's");
    }
    file_signatures(filing, &client, &token);
    file_key_confirmations(filing, &client);
}

fn headers(draft: &dyn Fn(&str) -> Draft, client: &Key) -> Vec<(&'static str, Draft)> {
    let jwk = || public_jwk(client);
    let other = public_jwk(&Key::new(client.algorithm, 2));
    let secret = r#"{"kty":"oct","k":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}"#;
    vec![
        ("typ-absent", draft("").without_header("typ")),
        ("typ-of-a-token", draft("").header("typ", quoted("JWT"))),
        ("typ-of-an-access-token", draft("").header("typ", quoted("at+jwt"))),
        ("alg-none", draft("").header("alg", quoted("none"))),
        ("alg-hs256", draft("").header("alg", quoted("HS256"))),
        ("alg-of-another-curve", draft("").header("alg", quoted("ES384"))),
        ("alg-of-another-kind", draft("").header("alg", quoted("EdDSA"))),
        ("jwk-absent", draft("").without_header("jwk")),
        ("jwk-symmetric", draft("").header("jwk", secret)),
        ("jwk-of-another-key", draft("").header("jwk", other.to_string())),
        ("jwk-with-private-part", draft("").header("jwk", jwk().set("d", quoted(&base64url([7; 32]))).to_string())),
        ("jwk-off-the-curve", draft("").header("jwk", jwk().set("y", quoted(&base64url([7; 32]))).to_string())),
        ("jwk-twice", draft("").header_text(twice(draft("").header_json()))),
        ("crit", draft("").header("crit", r#"["exp"]"#)),
    ]
}

/// The header with its last member, the key, duplicated.
fn twice(header: String) -> String {
    let (before, jwk) = header.split_once(r#""jwk":"#).expect("a proof has a key");
    let jwk = jwk.trim_end_matches('}').to_owned() + "}";
    format!(r#"{before}"jwk":{jwk},"jwk":{jwk}}}"#)
}

/// Mutations of one claim: name, member, and raw JSON; `None` removes the claim.
fn claims() -> Vec<(&'static str, &'static str, String)> {
    let text = quoted;
    vec![
        ("jti-absent", "jti", String::new()),
        ("jti-empty", "jti", text("")),
        ("jti-number", "jti", "1".to_owned()),
        ("htm-absent", "htm", String::new()),
        ("htm-another", "htm", text("POST")),
        ("htm-lower-case", "htm", text("get")),
        ("htu-absent", "htu", String::new()),
        ("htu-array", "htu", format!("[{}]", text(URI))),
        ("htu-relative", "htu", text("/sites")),
        ("htu-without-tls", "htu", text("http://api.example/sites")),
        ("htu-slash-after", "htu", text("https://api.example/sites/")),
        ("htu-upper-case-path", "htu", text("https://api.example/Sites")),
        ("htu-another-path", "htu", text("https://api.example/users")),
        ("htu-another-port", "htu", text("https://api.example:8443/sites")),
        ("htu-longer-host", "htu", text("https://api.example.evil/sites")),
        ("htu-user", "htu", text("https://api.example@evil/sites")),
        ("iat-absent", "iat", String::new()),
        ("iat-text", "iat", text(&NOW.to_string())),
        ("iat-an-hour-ago", "iat", (NOW - 3600).to_string()),
        ("iat-an-hour-ahead", "iat", (NOW + 3600).to_string()),
        ("iat-least", "iat", i64::MIN.to_string()),
        ("iat-beyond", "iat", "1e300".to_owned()),
        ("exp-over", "exp", (NOW - 10).to_string()),
        ("nbf-ahead", "nbf", (NOW + 10).to_string()),
        ("ath-absent", "ath", String::new()),
        ("ath-empty", "ath", text("")),
        ("ath-of-another-token", "ath", text(&base64url(Hash::Sha256.digest(b"another token")))),
    ]
}

fn same_uris() -> Vec<(&'static str, String)> {
    [
        ("htu-default-port", "https://api.example:443/sites"),
        ("htu-upper-case-host", "HTTPS://API.EXAMPLE/sites"),
        ("htu-percent-encoded", "https://api.example/%73ites"),
        ("htu-dot-segments", "https://api.example/a/../sites"),
    ]
    .map(|(name, uri)| (name, uri.to_owned()))
    .to_vec()
}

fn file_signatures(filing: &mut Filing<'_>, client: &Key, token: &str) {
    const WHY: &str = "RFC 9449 4.3";
    let draft = |name: &str| proof(client, token, name);
    let other = Key::new(client.algorithm, 2);
    let signed = draft("trailing").sign(client);
    let (input, _) = signed.rsplit_once('.').expect("a JWS has three parts");
    let forged = [
        ("signature-of-another-key", draft("other").sign(&other)),
        ("signature-of-ones", draft("ones").with_signature([1; 64])),
        ("signature-of-zeros", draft("zeros").with_signature([0; 64])),
        ("signature-absent", format!("{input}.")),
        ("signature-padded", format!("{signed}=")),
        ("two-parts", input.to_owned()),
        ("empty", String::new()),
        ("token-as-proof", token.to_owned()),
    ];
    for (name, proof) in forged {
        filing.sent_with(sent("DPoP", [proof]));
        filing.reject(name, token, WHY);
    }
}

/// Forms of `cnf`.
fn file_key_confirmations(filing: &mut Filing<'_>, client: &Key) {
    const WHY: &str = "RFC 7800 3.1, RFC 9449 6.1";
    let jkt = quoted(&thumbprint(client));
    let confirmations = [
        ("cnf-of-another-key", format!(r#"{{"jkt":{}}}"#, quoted(&thumbprint(&Key::new(client.algorithm, 2))))),
        ("cnf-padded", format!(r#"{{"jkt":{}}}"#, quoted(&format!("{}=", thumbprint(client))))),
        ("cnf-number", r#"{"jkt":1}"#.to_owned()),
        ("cnf-array", format!(r#"{{"jkt":[{jkt}]}}"#)),
        ("cnf-empty", "{}".to_owned()),
        ("cnf-null", "null".to_owned()),
        ("cnf-text", jkt.clone()),
        ("cnf-with-an-unknown-member", format!(r#"{{"jkt":{jkt},"kid":"k1"}}"#)),
        ("cnf-with-a-certificate-too", format!(r#"{{"jkt":{jkt},"x5t#S256":{jkt}}}"#)),
        ("cnf-twice", format!(r#"{{"jkt":{jkt},"jkt":{jkt}}}"#)),
    ];
    for (name, cnf) in confirmations {
        let token = filing.draft().claim("cnf", cnf).sign(&filing.key);
        filing.sent_with(sent("DPoP", [proof(client, &token, name).sign(client)]));
        filing.reject(name, token, WHY);
    }
}

fn bound_to_key(filing: &Filing<'_>, client: &Key) -> String {
    filing.draft().claim("cnf", format!(r#"{{"jkt":{}}}"#, quoted(&thumbprint(client)))).sign(&filing.key)
}

fn file_certificates(filing: &mut Filing<'_>) {
    const WHY: &str = "RFC 8705 3";
    let digest = |name: &str| -> [u8; 32] { Hash::Sha256.digest(name.as_bytes()).try_into().expect("32 bytes") };
    let (own, other) = (digest("certificate"), digest("another certificate"));
    let with = |certificate| SentWith { certificate, ..sent("Bearer", []) };
    let bound = |filing: &Filing<'_>, cnf: &str| filing.draft().claim("cnf", cnf).sign(&filing.key);
    let x5t = base64url(own);
    let cnf = format!(r#"{{"x5t#S256":"{x5t}"}}"#);

    let token = bound(filing, &cnf);
    filing.sent_with(with(Some(own)));
    filing.accept("its-certificate", token.clone(), WHY);
    filing.sent_with(with(Some(other)));
    filing.reject("another-certificate", token.clone(), WHY);
    filing.sent_with(with(None));
    filing.reject("no-certificate", token.clone(), WHY);
    filing.sent_with(SentWith { scheme: "DPoP".to_owned(), ..with(Some(own)) });
    filing.reject("as-dpop-token", token, "RFC 9449 7.1");
    let unbound = filing.draft().sign(&filing.key);
    filing.sent_with(with(Some(own)));
    filing.accept("unbound-token", unbound, WHY);

    let confirmations = [
        ("padded", format!(r#"{{"x5t#S256":"{x5t}="}}"#)),
        ("standard-alphabet", format!(r#"{{"x5t#S256":"{}"}}"#, crate::draft::base64(own))),
        ("hexadecimal", format!(r#"{{"x5t#S256":"{}"}}"#, hex(&own))),
        ("prefix", format!(r#"{{"x5t#S256":"{}"}}"#, &x5t[..42])),
        ("empty-text", r#"{"x5t#S256":""}"#.to_owned()),
        ("number", r#"{"x5t#S256":1}"#.to_owned()),
        ("null", r#"{"x5t#S256":null}"#.to_owned()),
        ("array", format!(r#"{{"x5t#S256":["{x5t}"]}}"#)),
        ("sha-1-name", format!(r#"{{"x5t":"{x5t}"}}"#)),
        ("lower-case-name", format!(r#"{{"x5t#s256":"{x5t}"}}"#)),
        ("empty-cnf", "{}".to_owned()),
        ("unknown-member-beside", format!(r#"{{"x5t#S256":"{x5t}","jku":"https://evil.example"}}"#)),
        ("twice", format!(r#"{{"x5t#S256":"{x5t}","x5t#S256":"{x5t}"}}"#)),
    ];
    for (name, cnf) in confirmations {
        let token = bound(filing, &cnf);
        filing.sent_with(with(Some(own)));
        filing.reject(name, token, "RFC 7800 3.1, RFC 8705 3.1");
    }
}
