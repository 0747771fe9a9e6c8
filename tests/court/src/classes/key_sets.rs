//! 43, 64: sets whose keys share a `kid`, are repeated, or are for another use.

use crate::docket::{Docket, Filing};
use crate::draft::Draft;
use crate::key::{ALGORITHMS, ATTACKER, Algorithm, Family, Key};
use crate::members::quoted;

pub(super) fn file(docket: &mut Docket) {
    for algorithm in ALGORITHMS {
        file_ambiguous(&mut docket.of("a43", algorithm));
    }
    for algorithm in ALGORITHMS {
        file_neighbours(&mut docket.of("a64", algorithm));
    }
}

fn file_ambiguous(filing: &mut Filing<'_>) {
    const WHY: &str = "RFC 7517 4.5: different keys SHOULD have different kids; which one is meant cannot be told";
    let (key, other) = (filing.key.clone(), Key::new(filing.key.algorithm, 1).with_kid("k1"));
    filing.keys("one-kid-for-two-keys", [key.jwk(), other.jwk()]);
    filing.may_reject("first-of-two-keys-of-one-kid", Draft::new(&key).sign(&key), WHY);
    filing.may_reject("second-of-two-keys-of-one-kid", Draft::new(&other).sign(&other), WHY);
    let for_encryption = other.jwk().set("use", quoted("enc"));
    filing.keys("encryption-key-beside", [key.jwk(), for_encryption]);
    filing.may_reject(
        "signed-with-the-encryption-key",
        Draft::new(&other).sign(&other),
        "RFC 7517 4.2: not meant for it",
    );
}

fn file_neighbours(filing: &mut Filing<'_>) {
    let (key, other) = (filing.key.clone(), Key::new(filing.key.algorithm, 1).with_kid("k1"));
    let token = filing.draft().sign(&key);
    let nameless = filing.draft().without_header("kid").sign(&key);
    const TWICE: &str = "RFC 7517 5: nothing forbids it, and there is one key";
    filing.keys("same-key-twice", [key.jwk(), key.jwk()]);
    filing.accept("same-key-twice", token.clone(), TWICE);
    filing.may_accept("same-key-twice-no-kid", nameless.clone(), TWICE);

    const OTHER_USE: &str = "RFC 7517 4.2, 4.5: the other key is not for signatures; kids SHOULD differ";
    let (own_use, other_use) = (key.jwk().set("use", quoted("enc")), other.jwk().set("use", quoted("enc")));
    for (name, jwks) in [
        ("encryption-key-first", [other_use.clone(), key.jwk()]),
        ("encryption-key-last", [key.jwk(), other_use]),
        ("same-key-also-for-encryption", [own_use, key.jwk()]),
        ("unknown-kty-under-the-kid", [key.jwk().set("kty", quoted("Unheard-of")), key.jwk()]),
        ("unknown-alg-under-the-kid", [key.jwk().set("alg", quoted("RSA-OAEP")), key.jwk()]),
    ] {
        filing.keys(name, jwks);
        filing.may_accept(name, token.clone(), OTHER_USE);
    }
    if let Some(kind) = another_kind(filing.key.algorithm) {
        filing.keys("one-kid-for-two-kinds", [Key::new(kind, 0).jwk(), key.jwk()]);
        filing.accept("one-kid-for-two-kinds", token.clone(), "RFC 7517 4.5: kids may be equal where kty differs");
    }

    const NULL: &str = "RFC 7517 4: a string where it is there; some providers write null for absent";
    for member in ["use", "key_ops", "x5c", "x5t"] {
        let name = format!("null-{member}");
        filing.keys(&name, [key.jwk().set(member, "null")]);
        filing.may_accept(&name, token.clone(), NULL);
    }
    filing.keys("null-kid", [key.jwk().set("kid", "null")]);
    filing.may_accept("null-kid", nameless, NULL);

    // A token with an unknown kid is tried under the key without one, which did not sign it.
    let attacker = Key::new(filing.key.algorithm, ATTACKER);
    filing.keys("one-key-without-kid", [key.jwk(), other.jwk().without("kid")]);
    filing.reject("unknown-kid-beside-a-key-without-kid", Draft::new(&attacker).sign(&attacker), "RFC 8725 3.10");
    filing.accept("known-kid-beside-a-key-without-kid", token, "RFC 7517 4.5");
}

/// An algorithm of another `kty`. A set with an HMAC key has only secrets.
fn another_kind(algorithm: Algorithm) -> Option<Algorithm> {
    let is_elliptic = |algorithm: &Algorithm| matches!(algorithm.family, Family::Ecdsa(..));
    match algorithm.family {
        Family::Hmac(_) => None,
        Family::Ecdsa(..) => ALGORITHMS.into_iter().find(|other| matches!(other.family, Family::Ed25519)),
        _ => ALGORITHMS.into_iter().find(is_elliptic),
    }
}
