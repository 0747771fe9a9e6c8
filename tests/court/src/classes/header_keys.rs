//! 15: keys in the token. 16: hostile `kid`. 17: no `kid` and many keys.

use crate::docket::{Docket, Filing};
use crate::draft::{Draft, base64};
use crate::key::{ALGORITHMS, ATTACKER, Key};
use crate::members::quoted;

pub(super) fn file(docket: &mut Docket) {
    for algorithm in ALGORITHMS {
        file_embedded(&mut docket.of("a15", algorithm));
    }
    for algorithm in ALGORITHMS {
        file_hostile_kids(&mut docket.of("a16", algorithm));
    }
    for algorithm in ALGORITHMS {
        file_many_keys(&mut docket.of("a17", algorithm));
    }
}

fn file_embedded(filing: &mut Filing<'_>) {
    const WHY: &str = "RFC 8725 2.7, 3.10, CVE-2018-0114";
    let attacker = Key::new(filing.key.algorithm, ATTACKER);
    let jwk = attacker.jwk().to_string();
    let certificate = format!("[{}]", quoted(&base64(&jwk)));
    let url = r#""http://127.0.0.1:9/keys""#;
    let members = [
        ("jwk", jwk.clone()),
        ("jku", url.to_owned()),
        ("x5u", url.to_owned()),
        ("x5c", certificate),
        ("jwks", format!(r#"{{"keys":[{jwk}]}}"#)),
    ];
    for (name, value) in members {
        let draft = filing.draft().header(name, value);
        filing.reject(&format!("{name}-known-kid"), draft.sign(&attacker), WHY);
        let unknown = draft.clone().header("kid", quoted(&attacker.kid));
        filing.reject(&format!("{name}-unknown-kid"), unknown.sign(&attacker), WHY);
        filing.reject(&format!("{name}-no-kid"), draft.clone().without_header("kid").sign(&attacker), WHY);
        // The application selects the key. A key in the header is ignored.
        filing.may_accept(
            &format!("{name}-but-signed-with-the-known-key"),
            draft.sign(&filing.key),
            "RFC 7515 4.1.2, 4.1.3",
        );
    }
}

fn file_hostile_kids(filing: &mut Filing<'_>) {
    let attacker = Key::new(filing.key.algorithm, ATTACKER);
    let texts = [
        ("traversal", "../../../../../../dev/null"),
        ("absolute-path", "/proc/sys/kernel/randomize_va_space"),
        ("sql", "x' UNION SELECT 'c2VjcmV0' -- "),
        ("command", "k1; /usr/bin/id |"),
        ("nul", "k1\0"),
        ("proto", "__proto__"),
        ("constructor", "constructor"),
        ("index", "0"),
        ("url", "http://127.0.0.1:9/k1"),
        ("empty", ""),
        ("other-case", "K1"),
        ("space-after", "k1 "),
        ("unicode", "ｋ1"),
        ("line-break", "k1\r\nX-Admin: 1"),
    ];
    for (name, kid) in texts {
        let draft = filing.draft().header("kid", quoted(kid));
        filing.reject(&format!("{name}-forged"), draft.sign(&attacker), "RFC 8725 3.10");
        filing.may_reject(name, draft.sign(&filing.key), "RFC 7515 4.1.4: kid is a hint");
    }
    let long = filing.draft().header("kid", quoted(&"k1k".repeat(22_000)));
    filing.may_reject("64-kib", long.sign(&filing.key), "RFC 7515 4.1.4: kid is a hint");
    for (name, kid) in
        [("number", "1"), ("null", "null"), ("array", r#"["k1"]"#), ("object", r#"{"k1":1}"#), ("true", "true")]
    {
        let draft = filing.draft().header("kid", kid);
        filing.reject(&format!("{name}-forged"), draft.sign(&attacker), "RFC 8725 3.10");
        filing.reject(name, draft.sign(&filing.key), "RFC 7515 4.1.4: its value MUST be a string");
    }
}

fn file_many_keys(filing: &mut Filing<'_>) {
    const WHY: &str = "RFC 7515 6, D: how a key is found is the verifier's";
    let algorithm = filing.key.algorithm;
    let keys: Vec<Key> = (0..5).map(|index| Key::new(algorithm, index)).collect();
    let nameless = |key: &Key| Draft::new(key).without_header("kid").sign(key);
    for count in [2, 4] {
        filing.keys(&format!("{count}-keys"), keys[..count].iter().map(Key::jwk));
        filing.may_accept(&format!("first-of-{count}"), nameless(&keys[0]), WHY);
        filing.may_accept(&format!("last-of-{count}"), nameless(&keys[count - 1]), WHY);
        filing.reject(&format!("none-of-{count}"), nameless(&Key::new(algorithm, ATTACKER)), "RFC 7515 5.2");
    }
    filing.keys("5-keys", keys.iter().map(Key::jwk));
    filing.may_reject("last-of-5", nameless(&keys[4]), WHY);
    filing.reject("none-of-5", nameless(&Key::new(algorithm, ATTACKER)), "RFC 7515 5.2");
    filing.may_reject("kid-of-another", filing.draft().header("kid", r#""k2""#).sign(&keys[0]), WHY);
    filing.reject(
        "kid-of-the-set-but-another-key",
        filing.draft().sign(&Key::new(algorithm, ATTACKER)),
        "RFC 7515 5.2",
    );
    let other = Key::new(ALGORITHMS[if algorithm.name == "ES256" { 3 } else { 9 }], 1);
    // HMAC secrets must not be in a set with public keys.
    if !algorithm.name.starts_with("HS") {
        filing.keys("with-another-algorithm", [other.jwk(), keys[0].jwk()]);
        filing.may_accept("beside-another-algorithm", nameless(&keys[0]), WHY);
        filing.keys("with-unknown-kind", [keys[0].jwk().set("kty", r#""XYZ""#).set("kid", r#""x1""#), keys[0].jwk()]);
        filing.accept("beside-an-unknown-kind", filing.draft().sign(&keys[0]), "RFC 7517 5: SHOULD ignore");
    }
}
