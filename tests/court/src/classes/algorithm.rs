//! 1, 2: `alg` is none or unknown. 4: `alg` is not the key's.

use crate::docket::Docket;
use crate::draft::Draft;
use crate::key::{ALGORITHMS, ED25519, Family, Key};
use crate::members::quoted;

pub(super) fn file(docket: &mut Docket) {
    for algorithm in ALGORITHMS {
        file_none(&mut docket.of("a01", algorithm));
    }
    for algorithm in ALGORITHMS {
        file_unknown(&mut docket.of("a02", algorithm));
    }
}

fn file_none(filing: &mut crate::docket::Filing<'_>) {
    let key = filing.key.clone();
    let own = key.algorithm.name;
    let swapped: String = own.chars().map(swap_case).collect();
    let forms = [
        ("none", r#""none""#.to_owned()),
        ("none-capitalised", r#""None""#.to_owned()),
        ("none-upper-case", r#""NONE""#.to_owned()),
        ("none-mixed-case", r#""nOnE""#.to_owned()),
        ("none-and-space", r#""none ""#.to_owned()),
        ("none-and-nul", r#""none\u0000""#.to_owned()),
        ("none-escaped", r#""\u006eone""#.to_owned()),
        ("empty", r#""""#.to_owned()),
        ("null", "null".to_owned()),
        ("array", format!("[{}]", quoted(own))),
        ("empty-array", "[]".to_owned()),
        ("number", "0".to_owned()),
        ("other-case", quoted(&swapped)),
        ("own-and-space", quoted(&format!("{own} "))),
        ("own-and-nul", quoted(&format!("{own}\0"))),
    ];
    for (name, alg) in forms {
        let draft = filing.draft().header("alg", alg);
        filing.reject(&format!("{name}-unsigned"), draft.with_signature(""), "RFC 8725 3.1, 3.2");
        filing.reject(&format!("{name}-signed"), draft.sign(&key), "RFC 7515 4.1.1");
    }
    let absent = filing.draft().without_header("alg");
    filing.reject("absent-unsigned", absent.with_signature(""), "RFC 7515 4.1.1");
    filing.reject("absent-signed", absent.sign(&key), "RFC 7515 4.1.1");
    let none = filing.draft().header("alg", r#""none""#).without_header("kid");
    filing.reject("none-without-kid", none.with_signature(""), "RFC 8725 3.2");
    filing.reject("none-without-second-dot", none.signing_input(), "RFC 7515 7.1");
}

fn file_unknown(filing: &mut crate::docket::Filing<'_>) {
    let own = filing.algorithm();
    let names =
        ["HS1", "RS1", "ES257", "XS256", "dir", "A128KW", "A128GCM", "RSA-OAEP", "SHA256", "HS256/64", "Ed448", "sig"];
    for name in names.map(str::to_owned).into_iter().chain([format!("{own}x"), own[..own.len() - 1].to_owned()]) {
        let draft = filing.draft().header("alg", quoted(&name));
        let name = name.replace('/', "-");
        filing.reject(&format!("{name}-unsigned"), draft.with_signature(""), "RFC 7515 5.2, CVE-2026-23993");
    }
}

pub(super) fn file_mismatches(docket: &mut Docket) {
    for algorithm in ALGORITHMS {
        let mut filing = docket.of("a04", algorithm);
        let key = filing.key.clone();
        for other in ALGORITHMS {
            if other.name == algorithm.name {
                continue;
            }
            filing.policy.algorithms = vec![algorithm.name.to_owned(), other.name.to_owned()];
            let draft = filing.draft().header("alg", quoted(other.name));
            filing.reject(&format!("says-{}", other.name), draft.sign(&key), "RFC 8725 3.1");
            if share_keys(algorithm.family, other.family) {
                let token = draft.sign(&key.clone().with_algorithm(other));
                filing.reject(&format!("is-{}", other.name), token, "RFC 8725 3.1, RFC 7517 4.4");
            }
            filing.policy.algorithms = vec![other.name.to_owned()];
            let token = filing.draft().sign(&key);
            filing.reject(&format!("only-{}-is-allowed", other.name), token, "RFC 8725 3.1");
        }
        filing.policy.algorithms = vec![algorithm.name.to_owned()];
        let other = Key::new(ALGORITHMS[if algorithm.name == "RS256" { 9 } else { 3 }], 0);
        filing.reject("other-key-type", Draft::new(&other).sign(&other), "RFC 8725 3.1");
    }
    file_names_of_ed25519(docket);
}

/// Two names of one algorithm. A key that names one of them is for that one only.
fn file_names_of_ed25519(docket: &mut Docket) {
    for (algorithm, other) in [(ED25519, "EdDSA"), (ALGORITHMS[13], "Ed25519")] {
        let mut filing = docket.of("a04", algorithm);
        let token = filing.draft().header("alg", quoted(other)).sign(&filing.key);
        filing.reject(&format!("is-{other}-where-{other}-is-not-allowed"), token, "RFC 8725 3.1, RFC 9864");
    }
}

/// Whether one algorithm's keys can be used with the other.
fn share_keys(a: Family, b: Family) -> bool {
    let is_rsa = |family| matches!(family, Family::Pkcs1(_) | Family::Pss(_));
    let is_hmac = |family| matches!(family, Family::Hmac(_));
    is_rsa(a) && is_rsa(b) || is_hmac(a) && is_hmac(b)
}

fn swap_case(character: char) -> char {
    if character.is_ascii_uppercase() { character.to_ascii_lowercase() } else { character.to_ascii_uppercase() }
}
