//! 3: public facts about a public key, used as an HMAC secret.

use crate::arithmetic::der::{self, element, integer, public_key_info};
use crate::arithmetic::hash::Hash;
use crate::arithmetic::to_bytes;
use crate::docket::Docket;
use crate::draft::{base64, base64url};
use crate::key::{ALGORITHMS, Algorithm, Family, Key, Secret};
use crate::members::quoted;

const WHY: &str = "RFC 8725 2.1, 3.1, CVE-2015-9235";

pub(super) fn file(docket: &mut Docket) {
    let secret = |algorithm: &Algorithm| matches!(algorithm.family, Family::Hmac(_));
    for algorithm in ALGORITHMS.into_iter().filter(|algorithm| !secret(algorithm)) {
        let mut filing = docket.of("a03", algorithm);
        for (name, bytes) in forms(&filing.key) {
            for (hmac, hash) in [("HS256", Hash::Sha256), ("HS384", Hash::Sha384), ("HS512", Hash::Sha512)] {
                if hmac != "HS256" && name != "pem" {
                    continue;
                }
                let draft = filing.draft().header("alg", quoted(hmac));
                let token = draft.with_signature(hash.hmac(&bytes, draft.signing_input().as_bytes()));
                filing.policy.algorithms = vec![algorithm.name.to_owned()];
                filing.reject(&format!("{hmac}-{name}"), token.clone(), WHY);
                // A verifier for both kinds, whose caller passes the key that the token names.
                filing.policy.algorithms = vec![algorithm.name.to_owned(), hmac.to_owned()];
                filing.reject(&format!("{hmac}-{name}-where-{hmac}-is-allowed"), token, WHY);
            }
        }
    }
}

/// The forms in which a program may store the key.
fn forms(key: &Key) -> Vec<(&'static str, Vec<u8>)> {
    let der = public_key_der(key);
    let body = base64(&der);
    let lines: Vec<&str> = body.as_bytes().chunks(64).filter_map(|line| std::str::from_utf8(line).ok()).collect();
    let pem = format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", lines.join("\n"));
    let raw = match (&key.secret, key.algorithm.family) {
        (Secret::Rsa(rsa), _) => to_bytes(&rsa.n, 0),
        (Secret::Scalar(d), Family::Ecdsa(curve, _)) => to_bytes(&curve.multiple(d).0, curve.length()),
        _ => key.public_bytes(),
    };
    vec![
        ("pem", pem.clone().into_bytes()),
        ("pem-without-last-newline", pem.trim_end().into()),
        ("pem-after-newline", format!("\n{pem}").into_bytes()),
        ("pem-with-crlf", pem.replace('\n', "\r\n").into_bytes()),
        ("pem-in-one-line", pem.replace('\n', "").into_bytes()),
        ("der", der),
        ("der-in-base64", body.into_bytes()),
        ("jwk", key.jwk().to_string().into_bytes()),
        ("raw", raw.clone()),
        ("raw-in-base64url", base64url(raw).into_bytes()),
        ("kid", key.kid.clone().into_bytes()),
    ]
}

/// The SubjectPublicKeyInfo (RFC 5280 section 4.1).
fn public_key_der(key: &Key) -> Vec<u8> {
    match (&key.secret, key.algorithm.family) {
        (Secret::Rsa(rsa), _) => {
            let oid = element(der::OID, &[b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01"]);
            let key = element(der::SEQUENCE, &[&integer(&rsa.n), &integer(&rsa.e)]);
            public_key_info(&[&oid, &element(der::NULL, &[])], &key)
        }
        (Secret::Scalar(d), Family::Ecdsa(curve, _)) => {
            let oid = element(der::OID, &[b"\x2a\x86\x48\xce\x3d\x02\x01"]);
            let (x, y) = curve.multiple(d);
            let point = [&[4], to_bytes(&x, curve.length()).as_slice(), &to_bytes(&y, curve.length())].concat();
            public_key_info(&[&oid, &element(der::OID, &[curve.oid])], &point)
        }
        _ => public_key_info(&[&element(der::OID, &[b"\x2b\x65\x70"])], &key.public_bytes()),
    }
}
