//! Signatures that lenient verifiers have accepted, each sent through the engine, with a valid one as the control.

use num_bigint::BigUint;
use serde_json::{Value, json};
use sha2::{Digest, Sha256, Sha384, Sha512};
use tollgate::{Algorithm, Engine, KeyRing, KeySet};
use tollgate_jwt::{CompactJws, base64url, json as jwt_json};
use tollgate_keys::test_hooks::signature_checks;
use tollgate_oracle::Plan;
use tollgate_tests::{AUDIENCE, Draft, ISSUER, NOW, agreement, issuer, signing_key};

/// Name, order, prime (NIST SP 800-186 sections 3.2.1.3 to 3.2.1.5, SEC 2 section 2.4.1), bytes of a coordinate.
const CURVES: [(&str, &str, &str, usize); 4] = [
    (
        "ES256",
        "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551",
        "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff",
        32,
    ),
    (
        "ES384",
        "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973",
        "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffff0000000000000000ffffffff",
        48,
    ),
    (
        "ES512",
        "01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409",
        "01ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        66,
    ),
    (
        "ES256K",
        "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141",
        "fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f",
        32,
    ),
];

const EDWARDS_ORDER: &str = "1000000000000000000000000000000014def9dea2f79cd65812631a5cf5d3ed";

#[test]
fn a05_r_and_s_out_of_range_never_verify() {
    for (alg, order, prime, length) in CURVES.into_iter().filter(|(alg, ..)| is_supported(alg)) {
        let good = GoodToken::of(alg);
        let (n, p, one) = (number(order), number(prime), BigUint::from(1_u8));
        let numbers = [BigUint::ZERO, one.clone(), &n - &one, n.clone(), &n + &one, p];
        let numbers: Vec<_> = numbers.iter().map(|number| big_endian(number, length)).collect();
        let (r, s) = good.signature.split_at(length);
        for number in &numbers {
            for other in &numbers {
                assert_eq!(good.with([&number[..], other].concat()), Err("bad-signature"), "{alg}");
            }
            assert_eq!(good.with([number, s].concat()), Err("bad-signature"), "{alg}");
            assert_eq!(good.with([r, number].concat()), Err("bad-signature"), "{alg}");
        }
    }
}

#[test]
fn a06_ecdsa_is_r_and_s_of_the_curves_length_and_nothing_else() {
    for (alg, order, _, length) in CURVES.into_iter().filter(|(alg, ..)| is_supported(alg)) {
        let good = GoodToken::of(alg);
        let (r, s) = good.signature.split_at(length);
        let malformed = [
            der(&[der_integer(r), der_integer(s)].concat()),
            [&[0], r, &[0], s].concat(),
            [&[0], r, s].concat(),
            [r, s, &[0]].concat(),
            good.signature[1..].to_vec(),
            good.signature[..2 * length - 1].to_vec(),
            r.to_vec(),
            [&good.signature[..], &good.signature].concat(),
            Vec::new(),
        ];
        for signature in malformed {
            let before = signature_checks();
            assert_eq!(good.with(&signature), Err("malformed-signature"), "{alg}: {signature:02x?}");
            assert_eq!(signature_checks(), before, "{alg}");
        }
        // r + n and s + n equal r and s modulo n. They fit for P-521; elsewhere the highest bit is cut off.
        let n = number(order);
        let plus_order = |part: &[u8]| big_endian(&(BigUint::from_bytes_be(part) + &n), length);
        for signature in [[&plus_order(r)[..], s].concat(), [r, &plus_order(s)].concat(), [s, r].concat()] {
            assert_eq!(good.with(signature), Err("bad-signature"), "{alg}");
        }
    }
}

#[test]
fn a08_s_plus_the_order_and_other_encodings_of_r_are_rejected() {
    for alg in ["EdDSA", "Ed25519"] {
        let good = GoodToken::of(alg);
        let (r, s) = good.signature.split_at(32);
        let order = number(EDWARDS_ORDER);
        for times in 1..=15_u8 {
            let sum = BigUint::from_bytes_le(s) + &order * times;
            let bytes = sum.to_bytes_le();
            if bytes.len() <= 32 {
                let padded = [&bytes[..], &vec![0; 32 - bytes.len()]].concat();
                assert_eq!(good.with([r, &padded].concat()), Err("bad-signature"), "{alg} S + {times} L");
            }
        }
        let mut other_sign = r.to_vec();
        other_sign[31] ^= 0x80;
        assert_eq!(good.with([&other_sign, s].concat()), Err("bad-signature"));
        // Each encoding of each point of small order as R.
        for low in [0_u8, 1, 0xec, 0xed, 0xee] {
            for (fill, high) in [(0, 0), (0, 0x80), (0xff, 0x7f), (0xff, 0xff)] {
                let mut small = [fill; 32];
                (small[0], small[31]) = (low, high);
                assert_eq!(good.with([&small, s].concat()), Err("bad-signature"));
                assert_eq!(good.with([small, [0; 32]].concat()), Err("bad-signature"));
            }
        }
    }
}

#[test]
fn a08_under_a_key_of_small_order_nothing_verifies() {
    // Under the neutral element, R = (0, 1) and S = 0 are a signature of every message.
    let (mut neutral, header) = ([0; 32], Draft::new(&signing_key(Algorithm::EdDSA, 0)));
    neutral[0] = 1;
    let forged = header.without_header("kid").with_signature([&neutral[..], &[0; 32]].concat());
    for alias in [[1, 0], [1, 0x80], [0xee, 0x7f], [0xee, 0xff]] {
        let fill = if alias[0] == 1 { 0 } else { 0xff };
        let mut key = [fill; 32];
        (key[0], key[31]) = (alias[0], alias[1]);
        let jwk = json!({"kty": "OKP", "crv": "Ed25519", "x": base64url::encode(key)});
        let loaded = KeySet::builder().jwk(jwk.to_string().as_bytes()).unwrap().build_with_reports();
        assert!(loaded.set.is_empty() && loaded.reports[0].refused.is_some());
        let engine = Engine::builder().issuer(issuer([]).keys(KeyRing::new(loaded.set))).build().unwrap();
        assert_eq!(engine.verify_at(forged.as_bytes(), NOW).unwrap_err().code(), "unknown-key");
    }
}

#[test]
fn a10_a_cube_root_is_no_signature() {
    // With an exponent of 3, a number whose cube begins like a padded hash is easily found (CVE-2006-4339).
    let modulus = BigUint::from_bytes_be(&[0xc5; 384]);
    for (alg, info, hash) in [
        ("RS256", "3031300d060960864801650304020105000420", (|m| Sha256::digest(m).to_vec()) as fn(&[u8]) -> Vec<u8>),
        ("RS384", "3041300d060960864801650304020205000430", |m| Sha384::digest(m).to_vec()),
        ("RS512", "3051300d060960864801650304020305000440", |m| Sha512::digest(m).to_vec()),
    ] {
        let jwk = json!({"kty": "RSA", "alg": alg, "n": base64url::encode(modulus.to_bytes_be()), "e": "Aw"});
        let set = KeySet::builder().jwk(jwk.to_string().as_bytes()).unwrap().build().unwrap();
        assert_eq!(set.len(), 1, "the key itself is taken");
        let engine = Engine::builder().issuer(issuer([]).keys(set)).build().unwrap();
        let draft = Draft::new(&signing_key(Algorithm::RS256, 0)).header("alg", alg).without_header("kid");
        let digest = hash(draft.signing_input().as_bytes());
        let mut padded = [&[0, 1][..], &[0xff; 8], &[0], &number(info).to_bytes_be(), &digest].concat();
        let prefix = padded.clone();
        padded.resize(384, 0);
        let root = BigUint::from_bytes_be(&padded).cbrt() + 1_u8;
        assert!(big_endian(&root.modpow(&BigUint::from(3_u8), &modulus), 384).starts_with(&prefix), "as forged");
        let token = draft.with_signature(big_endian(&root, 384));
        assert_eq!(engine.verify_at(token.as_bytes(), NOW).unwrap_err().code(), "bad-signature", "{alg}");
    }
}

#[test]
fn a11_pss_with_another_salt_length_or_mask_hash_is_rejected() {
    let key = signing_key(Algorithm::PS256, 0);
    let engine = tollgate_tests::engine([&key]);
    let jwk: Value = serde_json::from_str(&key.to_private_jwk()).unwrap();
    let member = |name: &str| {
        let mut bytes = Vec::new();
        base64url::decode(jwk[name].as_str().unwrap(), &mut bytes).unwrap();
        BigUint::from_bytes_be(&bytes)
    };
    let (modulus, private) = (member("n"), member("d"));
    let draft = Draft::new(&key);
    let verify = |salt: usize, mask: fn(&[u8]) -> Vec<u8>| {
        let encoded = emsa_pss(draft.signing_input().as_bytes(), &vec![7; salt], mask);
        let signature = BigUint::from_bytes_be(&encoded).modpow(&private, &modulus);
        let token = draft.with_signature(big_endian(&signature, 256));
        engine.verify_at(token.as_bytes(), NOW).map(drop).map_err(|rejection| rejection.code())
    };
    let sha256: fn(&[u8]) -> Vec<u8> = |m| Sha256::digest(m).to_vec();
    assert_eq!(verify(32, sha256), Ok(()), "as RFC 7518 section 3.5 has it");
    for salt in [0, 1, 20, 31, 33, 48, 64, 222] {
        assert_eq!(verify(salt, sha256), Err("bad-signature"), "a salt of {salt} bytes");
    }
    assert_eq!(verify(32, |m| Sha384::digest(m).to_vec()), Err("bad-signature"));
    assert_eq!(verify(32, |m| Sha512::digest(m).to_vec()), Err("bad-signature"));
}

#[test]
fn a12_coordinates_that_are_no_point_are_refused_on_every_curve() {
    let jwks: Value = serde_json::from_str(&tollgate_oracle::world().issuers[0].jwks).unwrap();
    let reason = |jwk: &Value| {
        let loaded = KeySet::builder().jwk(jwk.to_string().as_bytes()).unwrap().build_with_reports();
        loaded.reports[0].refused.as_ref().map(tollgate_keys::KeyRefused::code)
    };
    for (alg, _, prime, length) in CURVES.into_iter().filter(|(alg, ..)| is_supported(alg)) {
        let jwk = jwks["keys"].as_array().unwrap().iter().find(|jwk| jwk["alg"] == alg).unwrap();
        assert_eq!(reason(jwk), None, "{alg}");
        let octets = |name: &str| {
            let mut bytes = Vec::new();
            base64url::decode(jwk[name].as_str().unwrap(), &mut bytes).unwrap();
            bytes
        };
        let (x, y, p) = (octets("x"), octets("y"), big_endian(&number(prime), length));
        let with = |x: &[u8], y: &[u8]| {
            let mut jwk = jwk.clone();
            (jwk["x"], jwk["y"]) = (base64url::encode(x).into(), base64url::encode(y).into());
            reason(&jwk)
        };
        let mut beside = y.clone();
        beside[length - 1] ^= 1;
        for (x, y) in [(&y, &x), (&x, &beside), (&p, &y), (&x, &p), (&x, &vec![0; length]), (&vec![0; length], &y)] {
            assert_eq!(with(x, y), Some("ec-point-not-on-curve"), "{alg}");
        }
        assert_eq!(with(&vec![0; length], &vec![0; length]), Some("ec-point-at-infinity"), "{alg}");
        let longer = |number: &[u8]| [&[0], number].concat();
        for (x, y) in
            [(longer(&x), longer(&y)), (longer(&x), y.clone()), (x[1..].to_vec(), y), (x, vec![]), (vec![], vec![])]
        {
            assert_eq!(with(&x, &y), Some("ec-coordinate-length"), "{alg}");
        }
    }
}

/// EMSA-PSS with SHA-256 for 2048 bits (RFC 8017 section 9.1.1), the mask of another hash if wanted.
fn emsa_pss(message: &[u8], salt: &[u8], mask_hash: fn(&[u8]) -> Vec<u8>) -> Vec<u8> {
    let hash = Sha256::digest([&[0; 8][..], &Sha256::digest(message), salt].concat());
    let length = 256 - hash.len() - 1;
    let mut block = [&vec![0; length - salt.len() - 1][..], &[1], salt].concat();
    let blocks = (0_u32..).flat_map(|counter| mask_hash(&[&hash[..], &counter.to_be_bytes()].concat()));
    block.iter_mut().zip(blocks).for_each(|(byte, mask)| *byte ^= mask);
    block[0] &= 0x7f;
    [&block[..], &hash, &[0xbc]].concat()
}

/// A valid token, to be given other signatures.
struct GoodToken {
    alg: &'static str,
    signing_input: String,
    signature: Vec<u8>,
    keys: KeySet,
}

impl GoodToken {
    fn of(alg: &'static str) -> Self {
        let header = Plan::untouched(alg).trial().header;
        assert!(agreement::engine().verify_at(&header, NOW).is_ok(), "{alg}");
        let text = String::from_utf8(header).unwrap();
        let (signing_input, encoded) = text.strip_prefix("Bearer ").unwrap().rsplit_once('.').unwrap();
        let mut signature = Vec::new();
        base64url::decode(encoded, &mut signature).unwrap();
        let issuer = &tollgate_oracle::world().issuers[0];
        assert_eq!((issuer.name.as_str(), issuer.audiences[0]), (ISSUER, AUDIENCE));
        let keys = KeySet::builder().jwks(issuer.jwks.as_bytes()).unwrap().build().unwrap();
        GoodToken { alg, signing_input: signing_input.to_owned(), signature, keys }
    }

    /// The verdict of the engine and of the key set on this signature, which has to be the same.
    fn with(&self, signature: impl AsRef<[u8]>) -> Result<(), &'static str> {
        let token = format!("{}.{}", self.signing_input, base64url::encode(signature));
        let of_engine = agreement::engine().verify_at(token.as_bytes(), NOW).map(drop).map_err(|error| error.code());
        let jws = CompactJws::parse(&token).unwrap();
        let mut buffer = jwt_json::Buffer::default();
        let header = jws.decode_header(&mut buffer).unwrap();
        let of_keys = self.keys.verify(&jws, &header, &mut Vec::new()).map(drop).map_err(|error| error.code());
        assert_eq!(of_engine, of_keys, "{}", self.alg);
        of_engine
    }
}

fn is_supported(alg: &str) -> bool {
    Algorithm::from_name(alg).is_some_and(Algorithm::is_supported)
}

fn number(hex: &str) -> BigUint {
    BigUint::parse_bytes(hex.as_bytes(), 16).unwrap()
}

/// The last `length` bytes.
fn big_endian(number: &BigUint, length: usize) -> Vec<u8> {
    let bytes = number.to_bytes_be();
    let zeros = vec![0; length.saturating_sub(bytes.len())];
    [&zeros[..], &bytes[bytes.len().saturating_sub(length)..]].concat()
}

fn der(content: &[u8]) -> Vec<u8> {
    let length = if content.len() < 0x80 { vec![content.len() as u8] } else { vec![0x81, content.len() as u8] };
    [&[0x30][..], &length, content].concat()
}

fn der_integer(bytes: &[u8]) -> Vec<u8> {
    let digits = BigUint::from_bytes_be(bytes).to_bytes_be();
    let sign = if digits[0] & 0x80 != 0 { &[0][..] } else { &[] };
    [&[2, (sign.len() + digits.len()) as u8], sign, &digits].concat()
}
