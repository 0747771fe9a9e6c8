//! 9, 12, 13: keys that verifiers should refuse. 14: ML-DSA.

use num_bigint::BigUint;

use crate::arithmetic::ecdsa::Curve;
use crate::arithmetic::to_bytes;
use crate::docket::{Docket, Filing};
use crate::draft::{Draft, base64url};
use crate::key::{ALGORITHMS, Family, Key, ML_DSA, Secret};
use crate::members::{Members, quoted};

pub(super) fn file_rsa(docket: &mut Docket) {
    for algorithm in ALGORITHMS {
        if matches!(algorithm.family, Family::Pkcs1(_) | Family::Pss(_)) {
            file_weak_rsa(&mut docket.of("a09", algorithm));
        }
    }
}

pub(super) fn file(docket: &mut Docket) {
    for algorithm in ALGORITHMS {
        if let Family::Ecdsa(curve, _) = algorithm.family {
            file_points(&mut docket.of("a12", algorithm), curve);
        }
    }
    for algorithm in ALGORITHMS {
        if let Family::Hmac(_) = algorithm.family {
            file_secrets(&mut docket.of("a13", algorithm));
        }
    }
    for algorithm in ML_DSA {
        file_ml_dsa(&mut docket.of("a14", algorithm));
    }
}

fn file_weak_rsa(filing: &mut Filing<'_>) {
    for bits in ["1024", "1536", "2047"] {
        let name = format!("rsa-{bits}-bits");
        // A short modulus has no room for PSS with SHA-512.
        if (bits, filing.algorithm()) == ("1024", "PS512") {
            continue;
        }
        let key = Key::rsa(filing.key.algorithm, &name);
        filing.keys(&name, [key.jwk()]);
        filing.reject(&name, Draft::new(&key).sign(&key), "RFC 7518 3.3, 3.5: 2048 bits or more MUST be used");
    }
    let choices =
        [("rsa-roca", "CVE-2017-15361: the factors can be found"), ("rsa-e-34-bits", "RFC 8017 3.1: no bound")];
    for (name, why) in choices {
        let key = Key::rsa(filing.key.algorithm, name);
        filing.keys(name, [key.jwk()]);
        filing.may_reject(name, Draft::new(&key).sign(&key), why);
    }
    let key = Key::rsa(filing.key.algorithm, "rsa-e-33-bits");
    filing.keys("rsa-e-33-bits", [key.jwk()]);
    filing.may_accept("rsa-e-33-bits", Draft::new(&key).sign(&key), "RFC 8017 3.1: no bound");
    file_exponents(filing);
    let n = filing.key.rsa_key().n.clone();
    for (name, modulus) in [("even-modulus", &n - 1_u8), ("modulus-0", BigUint::ZERO), ("modulus-twice", &n * &n)] {
        let jwk = filing.key.jwk().set("n", quoted(&base64url(to_bytes(&modulus, 0))));
        filing.keys(name, [jwk]);
        let token = filing.draft().sign(&filing.key);
        filing.reject(name, token, "RFC 8017 3.1: n is the product of odd primes");
    }
    let jwk = filing.key.jwk().set("n", quoted(&base64url([&[0], to_bytes(&n, 0).as_slice()].concat())));
    filing.keys("modulus-after-zero", [jwk]);
    let token = filing.draft().sign(&filing.key);
    filing.may_accept("modulus-after-zero", token, "RFC 7518 6.3.1.1: MUST NOT be sent; some are");
}

/// With e = 1 the signature equals its own representative, so anybody can make one.
fn file_exponents(filing: &mut Filing<'_>) {
    for e in [0_u8, 1, 2, 4] {
        let name = format!("exponent-{e}");
        let jwk = filing.key.jwk().set("e", quoted(&base64url([e])));
        filing.keys(&name, [jwk]);
        let draft = filing.draft();
        let signature = filing.key.sign(draft.signing_input().as_bytes());
        let rsa = filing.key.rsa_key();
        let encoded = BigUint::from_bytes_be(&signature).modpow(&rsa.e, &rsa.n);
        let signature = if e == 1 { to_bytes(&encoded, rsa.length()) } else { signature };
        filing.reject(&name, draft.with_signature(signature), "RFC 8017 3.1: e is odd and 3 at least");
    }
}

fn file_points(filing: &mut Filing<'_>, curve: &Curve) {
    const WHY: &str = "RFC 7518 6.2.1.2, 6.2.1.3";
    let Secret::Scalar(d) = &filing.key.secret else { unreachable!("the key is one of ECDSA") };
    let (x, y) = curve.multiple(d);
    let length = curve.length();
    let (bytes_x, bytes_y) = (to_bytes(&x, length), to_bytes(&y, length));
    let long = |bytes: &[u8]| [&[0], bytes].concat();
    let points = [
        ("x-plus-1", to_bytes(&(&x + 1_u8), length), bytes_y.clone()),
        ("y-plus-1", bytes_x.clone(), to_bytes(&(&y + 1_u8), length)),
        ("negative-y", bytes_x.clone(), to_bytes(&(&curve.p - &y), length)),
        ("swapped", bytes_y.clone(), bytes_x.clone()),
        ("origin", vec![0; length], vec![0; length]),
        ("empty", Vec::new(), Vec::new()),
        ("x=p", to_bytes(&curve.p, length), bytes_y.clone()),
        ("x-all-ones", vec![0xff; length], bytes_y.clone()),
        ("x-zero-longer", long(&bytes_x), bytes_y.clone()),
        ("y-zero-longer", bytes_x.clone(), long(&bytes_y)),
        ("x-one-byte-shorter", bytes_x[1..].to_vec(), bytes_y.clone()),
        ("y-one-byte-shorter", bytes_x.clone(), bytes_y[..length - 1].to_vec()),
    ];
    let token = filing.draft().sign(&filing.key);
    let coordinates =
        |jwk: Members, x: &[u8], y: &[u8]| jwk.set("x", quoted(&base64url(x))).set("y", quoted(&base64url(y)));
    for (name, x, y) in points {
        let jwk = coordinates(filing.key.jwk(), &x, &y);
        filing.keys(name, [jwk]);
        filing.reject(name, token.clone(), WHY);
    }
    let other = if curve.name == "P-384" { "P-256" } else { "P-384" };
    let jwk = filing.key.jwk().set("crv", quoted(other));
    filing.keys("other-crv", [jwk]);
    filing.reject("other-crv", token.clone(), WHY);
    let jwk = filing.key.jwk().without("y");
    filing.keys("y-missing", [jwk]);
    filing.reject("y-missing", token, WHY);
    file_leading_zero(filing, curve, WHY);
}

/// A coordinate with a leading zero byte, which must be present.
fn file_leading_zero(filing: &mut Filing<'_>, curve: &Curve, why: &str) {
    let candidates = (0..).map(|n: u32| Key::labelled(filing.key.algorithm, &format!("{} zero {n}", curve.name), ""));
    let found = candidates.filter_map(|key| {
        let Secret::Scalar(d) = &key.secret else { return None };
        let x = to_bytes(&curve.multiple(d).0, curve.length());
        (x[0] == 0).then_some((key.clone(), x))
    });
    let (key, x) = found.take(1).next().expect("one in 256 begins with a zero");
    filing.keys("leading-zero", [key.jwk()]);
    filing.accept("leading-zero", Draft::new(&key).sign(&key), why);
    filing.keys("leading-zero-missing", [key.jwk().set("x", quoted(&base64url(&x[1..])))]);
    filing.reject("leading-zero-missing", Draft::new(&key).sign(&key), why);
}

fn file_secrets(filing: &mut Filing<'_>) {
    let Secret::Bytes(secret) = filing.key.secret.clone() else { unreachable!("the key is one of HMAC") };
    let lengths = [0, 1, 8, 16, 20, secret.len() - 1];
    for length in lengths {
        let name = format!("secret-of-{length}-bytes");
        file_secret(
            filing,
            &name,
            secret[..length].to_vec(),
            Filing::reject,
            "RFC 7518 3.2: MUST be as long as the hash",
        );
    }
    for (name, byte) in [("secret-of-zeros", 0), ("secret-of-letters", b'a')] {
        let bytes = vec![byte; secret.len()];
        file_secret(filing, name, bytes, Filing::may_accept, "RFC 8725 3.5 asks for entropy, which cannot be told");
    }
    let longer = secret.repeat(3);
    file_secret(filing, "secret-of-three-times-the-length", longer, Filing::accept, "RFC 7518 3.2");
    let pem = "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE\n-----END PUBLIC KEY-----\n";
    let why = "RFC 8725 2.1: a public key, most likely";
    file_secret(filing, "secret-is-pem", pem.into(), Filing::may_reject, why);
    let jwk = r#"{"kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4"}"#;
    file_secret(filing, "secret-is-jwk", jwk.into(), Filing::may_reject, why);
}

type File<'d> = fn(&mut Filing<'d>, &str, String, &str);

fn file_secret<'d>(filing: &mut Filing<'d>, name: &str, bytes: Vec<u8>, file: File<'d>, why: &str) {
    let key = Key { secret: Secret::Bytes(bytes), ..filing.key.clone() };
    filing.keys(name, [key.jwk()]);
    file(filing, name, filing.draft().sign(&key), why);
}

fn file_ml_dsa(filing: &mut Filing<'_>) {
    const WHY: &str = "FIPS 204 5.3, RFC 9964";
    let key = filing.key.clone();
    let draft = filing.draft();
    let good = key.sign(draft.signing_input().as_bytes());
    let last = good.len() - 1;
    let flipped = |index: usize| {
        let mut bytes = good.clone();
        bytes[index] ^= 1;
        bytes
    };
    let forms = [
        ("first-bit-flipped", flipped(0)),
        ("last-bit-flipped", flipped(last)),
        ("last-byte-missing", good[..last].to_vec()),
        ("zero-after", [good.as_slice(), &[0]].concat()),
        ("empty", Vec::new()),
    ];
    for (name, signature) in forms {
        filing.reject(name, draft.with_signature(signature), WHY);
    }
    filing.reject("zeros", draft.with_signature(vec![0; last + 1]), WHY);
    let stranger = Key::new(key.algorithm, 1).with_kid("k1");
    filing.reject("other-key", draft.sign(&stranger), WHY);
    for other in ML_DSA {
        if other.name != key.algorithm.name {
            filing.policy.algorithms = vec![key.algorithm.name.to_owned(), other.name.to_owned()];
            let token = draft.clone().header("alg", quoted(other.name)).sign(&key);
            filing.reject(&format!("says-{}", other.name), token, "RFC 8725 3.1");
        }
    }
}
