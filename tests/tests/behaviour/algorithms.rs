//! One key has one algorithm; the header never selects it.

use std::io::ErrorKind;
use std::net::TcpListener;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tollgate::{Algorithm, Engine, KeyRing, Rejection};
use tollgate_issuer::SigningKey;
use tollgate_keys::test_hooks::signature_checks;
use tollgate_tests::{Draft, NOW, engine, issuer, key_set, signing_key};

const ALGORITHMS: [Algorithm; 13] = [
    Algorithm::HS256,
    Algorithm::HS384,
    Algorithm::HS512,
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::EdDSA,
    Algorithm::Ed25519,
];

/// The rejection's code; it comes before any signature check.
fn unchecked_code(engine: &Engine, token: &str) -> &'static str {
    let before = signature_checks();
    let rejection = engine.verify_at(token.as_bytes(), NOW).expect_err(token);
    assert_eq!(signature_checks(), before, "{}: only after a signature check", rejection.code());
    rejection.code()
}

#[test]
fn every_algorithm_verifies_what_its_key_signed_and_nothing_else() {
    for algorithm in ALGORITHMS {
        let (key, other) = (signing_key(algorithm, 0), signing_key(algorithm, 1));
        let engine = engine([&key]);
        let token = Draft::new(&key).sign(&key);
        let principal = engine.verify_at(token.as_bytes(), NOW).unwrap_or_else(|error| panic!("{algorithm}: {error}"));
        assert_eq!((principal.subject(), principal.key_id()), (Some("user-1"), Some(key.kid())));
        let forged = Draft::new(&key).sign(&other);
        assert_eq!(engine.verify_at(forged.as_bytes(), NOW).unwrap_err(), Rejection::BadSignature, "{algorithm}");
        let changed = Draft::new(&key).claim("sub", "admin").signing_input();
        let changed = format!("{changed}.{}", token.rsplit('.').next().unwrap());
        assert_eq!(engine.verify_at(changed.as_bytes(), NOW).unwrap_err(), Rejection::BadSignature, "{algorithm}");
    }
}

#[test]
fn a01_none_and_its_kin_are_rejected() {
    let key = signing_key(Algorithm::ES256, 0);
    let engine = engine([&key]);
    let names = [
        json!("none"),
        json!("None"),
        json!("NONE"),
        json!("nOnE"),
        json!("none "),
        json!(" none"),
        json!("none\0"),
        json!(""),
        json!(null),
        json!([]),
        json!({}),
        json!(0),
        json!("HS256 "),
        json!("es256"),
        json!("ES256\0"),
        json!("ES256K1"),
        json!(["ES256"]),
    ];
    for name in names.map(Some).into_iter().chain([None::<Value>]) {
        let draft = Draft::new(&key).without_header("alg");
        let draft = name.clone().map_or(draft.clone(), |name| draft.header("alg", name));
        for token in [draft.sign(&key), draft.with_signature(""), draft.with_signature([0; 64])] {
            let code = unchecked_code(&engine, &token);
            assert!(["algorithm-not-allowed", "malformed-token"].contains(&code), "{name:?}: {code}");
        }
        let without_kid = draft.without_header("kid").with_signature("");
        unchecked_code(&engine, &without_kid);
    }
}

#[test]
fn a02_an_unknown_algorithm_with_an_empty_signature_is_rejected() {
    let key = signing_key(Algorithm::ES256, 0);
    let engine = engine([&key]);
    for name in ["unknown", "HS1", "RS1", "A128KW", "dir", "RSA-OAEP", "ES256K", "ML-DSA-44", "x"] {
        let token = Draft::new(&key).header("alg", name).with_signature("");
        let code = unchecked_code(&engine, &token);
        assert!(["algorithm-not-allowed", "algorithm-mismatch"].contains(&code), "{name}: {code}");
    }
}

#[test]
fn a03_a_public_key_is_never_an_hmac_secret() {
    for algorithm in [Algorithm::RS256, Algorithm::PS256, Algorithm::ES256, Algorithm::ES384, Algorithm::EdDSA] {
        let key = signing_key(algorithm, 0);
        let engine = engine([&key]);
        for public in published_forms(&key) {
            for secret in with_white_space(&public) {
                for hmac in ["HS256", "HS384", "HS512"] {
                    let with_kid = Draft::new(&key).header("alg", hmac);
                    let forged = with_kid.with_signature(mac(hmac, &secret, &with_kid.signing_input()));
                    assert_eq!(unchecked_code(&engine, &forged), "algorithm-mismatch");
                    let without_kid = with_kid.without_header("kid");
                    let forged = without_kid.with_signature(mac(hmac, &secret, &without_kid.signing_input()));
                    assert_eq!(unchecked_code(&engine, &forged), "unknown-key");
                }
            }
        }
    }
}

#[test]
fn a03_a_published_key_is_refused_as_an_hmac_secret() {
    for algorithm in [Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA] {
        let [jwk, jwks, der, pem, _] = published_forms(&signing_key(algorithm, 0));
        for (public, code) in [(jwk, "hmac-secret-is-jwk"), (jwks, "hmac-secret-is-jwk"), (pem, "hmac-secret-is-pem")] {
            for secret in with_white_space(&public) {
                let refused = tollgate_keys::HmacKey::new(Algorithm::HS256, &secret).unwrap_err();
                assert_eq!(refused.code(), code, "{algorithm}");
            }
        }
        assert_eq!(tollgate_keys::HmacKey::new(Algorithm::HS256, &der).unwrap_err().code(), "hmac-secret-is-der");
    }
}

/// The published forms of a public key: JWK, JWK set, SubjectPublicKeyInfo in DER and PEM, and the modulus or point
/// alone.
fn published_forms(key: &SigningKey) -> [Vec<u8>; 5] {
    let jwk = key.public_jwk().unwrap();
    let members: Value = serde_json::from_str(&jwk).unwrap();
    let octets = |name: &str| {
        let mut bytes = Vec::new();
        tollgate_jwt::base64url::decode(members[name].as_str().unwrap(), &mut bytes).unwrap();
        bytes
    };
    // Object identifiers: RFC 8017 appendix C, RFC 5480 section 2.1.1, RFC 8410 section 3.
    let (identifier, raw, key_bits) = match members["kty"].as_str().unwrap() {
        "RSA" => {
            let (n, e) = (octets("n"), octets("e"));
            let key = der(0x30, &[der(2, &[&[0], &n[..]].concat()), der(2, &e)].concat());
            (b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00".to_vec(), n, key)
        }
        "EC" => {
            let point = [&[4], &octets("x")[..], &octets("y")].concat();
            let curve = match members["crv"].as_str().unwrap() {
                "P-256" => &b"\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07"[..],
                _ => b"\x06\x05\x2b\x81\x04\x00\x22",
            };
            ([b"\x06\x07\x2a\x86\x48\xce\x3d\x02\x01", curve].concat(), point.clone(), point)
        }
        _ => (b"\x06\x03\x2b\x65\x70".to_vec(), octets("x"), octets("x")),
    };
    let spki = der(0x30, &[der(0x30, &identifier), der(3, &[&[0], &key_bits[..]].concat())].concat());
    let loaded = tollgate::KeySet::builder().algorithms(&[key.algorithm()]).der(&spki).unwrap().build_with_reports();
    assert!(loaded.set.iter().any(|loaded| loaded.thumbprint() == key.verifying_key().thumbprint()), "the very key");
    let body = STANDARD.encode(&spki).into_bytes();
    let lines = body.chunks(64).map(|line| [line, b"\n"].concat()).collect::<Vec<_>>().concat();
    let pem = [b"-----BEGIN PUBLIC KEY-----\n", &lines[..], b"-----END PUBLIC KEY-----"].concat();
    [jwk.clone().into_bytes(), format!("{{\"keys\":[{jwk}]}}").into_bytes(), spki, pem, raw]
}

fn with_white_space(text: &[u8]) -> [Vec<u8>; 5] {
    [[b"", text, b""], [b"", text, b"\n"], [b" ", text, b""], [b"\n\t ", text, b"\n"], [b"", text, b"\r\n"]]
        .map(|parts| parts.concat())
}

fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = match content.len() {
        short @ ..0x80 => vec![short as u8],
        length @ ..0x100 => vec![0x81, length as u8],
        length => vec![0x82, (length >> 8) as u8, length as u8],
    };
    [&[tag], &length[..], content].concat()
}

/// A MAC as an attacker's tool makes it, which refuses no secret.
fn mac(algorithm: &str, secret: &[u8], message: &str) -> Vec<u8> {
    use hmac::{Hmac, KeyInit, Mac};
    fn with<M: Mac + KeyInit>(secret: &[u8], message: &str) -> Vec<u8> {
        <M as KeyInit>::new_from_slice(secret).unwrap().chain_update(message).finalize().into_bytes().to_vec()
    }
    match algorithm {
        "HS256" => with::<Hmac<sha2::Sha256>>(secret, message),
        "HS384" => with::<Hmac<sha2::Sha384>>(secret, message),
        _ => with::<Hmac<sha2::Sha512>>(secret, message),
    }
}

#[test]
fn a04_every_pair_of_algorithms_off_the_diagonal_is_rejected() {
    for key_algorithm in ALGORITHMS {
        let key = signing_key(key_algorithm, 0);
        let engine = engine([&key]);
        for header_algorithm in Algorithm::all().filter(|algorithm| *algorithm != key_algorithm) {
            let token = Draft::new(&key).header("alg", header_algorithm.name()).sign(&key);
            assert_eq!(unchecked_code(&engine, &token), "algorithm-mismatch", "{key_algorithm} {header_algorithm}");
            let token = Draft::new(&key).header("alg", header_algorithm.name()).without_header("kid").sign(&key);
            assert_eq!(unchecked_code(&engine, &token), "unknown-key", "{key_algorithm} {header_algorithm}");
        }
    }
}

#[test]
fn a04_a_key_without_alg_has_the_algorithm_of_its_curve_or_of_the_configuration() {
    let without_alg = |key: &SigningKey| {
        let mut jwk: Value = serde_json::from_str(&key.public_jwk().unwrap()).unwrap();
        jwk.as_object_mut().unwrap().remove("alg");
        jwk.to_string()
    };
    for (signed_with, configured, expected) in [
        (Algorithm::ES256, &[Algorithm::RS256][..], Ok(())),
        (Algorithm::ES384, &[Algorithm::ES256], Ok(())),
        (Algorithm::EdDSA, &[], Ok(())),
        (Algorithm::Ed25519, &[], Ok(())),
        (Algorithm::RS256, &[Algorithm::RS256], Ok(())),
        (Algorithm::PS256, &[Algorithm::PS256, Algorithm::RS256], Ok(())),
        // The header says PS256, and so does the signature; but the key is configured for another algorithm.
        (Algorithm::PS256, &[Algorithm::RS256], Err("algorithm-mismatch")),
        (Algorithm::RS512, &[Algorithm::RS256, Algorithm::PS512], Err("algorithm-mismatch")),
        (Algorithm::RS256, &[Algorithm::ES256], Err("unknown-key")),
    ] {
        let key = signing_key(signed_with, 0);
        let keys = tollgate::KeySet::builder()
            .algorithms(configured)
            .jwk(without_alg(&key).as_bytes())
            .unwrap()
            .build_with_reports();
        let engine = Engine::builder().issuer(issuer([]).keys(KeyRing::new(keys.set))).build().unwrap();
        let token = Draft::new(&key).sign(&key);
        match expected {
            Ok(()) => assert!(engine.verify_at(token.as_bytes(), NOW).is_ok(), "{signed_with}"),
            Err(code) => assert_eq!(unchecked_code(&engine, &token), code, "{signed_with}"),
        }
    }
}

#[test]
fn algorithms_that_the_issuer_is_not_configured_for_are_rejected() {
    let (es256, eddsa) = (signing_key(Algorithm::ES256, 0), signing_key(Algorithm::EdDSA, 0));
    let engine = Engine::builder().issuer(issuer([&es256, &eddsa]).algorithms(&[Algorithm::EdDSA])).build().unwrap();
    assert!(engine.verify_at(Draft::new(&eddsa).sign(&eddsa).as_bytes(), NOW).is_ok());
    assert_eq!(unchecked_code(&engine, &Draft::new(&es256).sign(&es256)), "algorithm-not-allowed");
}

#[test]
fn a15_keys_that_the_token_brings_along_are_never_used() {
    let (key, attacker) = (signing_key(Algorithm::ES256, 0), signing_key(Algorithm::ES256, 1));
    let engine = engine([&key]);
    let jwk: Value = serde_json::from_str(&attacker.public_jwk().unwrap()).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let url = json!(format!("http://{}/keys", listener.local_addr().unwrap()));
    for (name, value) in [("jwk", jwk), ("jku", url.clone()), ("x5u", url), ("x5c", json!(["AAAA"]))] {
        let draft = Draft::new(&attacker).header(name, value);
        let with_known_kid = draft.clone().header("kid", key.kid()).sign(&attacker);
        assert_eq!(engine.verify_at(with_known_kid.as_bytes(), NOW).unwrap_err(), Rejection::BadSignature);
        assert_eq!(unchecked_code(&engine, &draft.sign(&attacker)), "unknown-key");
        let without_kid = draft.without_header("kid").sign(&attacker);
        let of_no_key = Rejection::NoKeyVerifies { kid: None, tried: 1 };
        assert_eq!(engine.verify_at(without_kid.as_bytes(), NOW).unwrap_err(), of_no_key);
        let connection = listener.accept().map(drop).map_err(|error| error.kind());
        assert_eq!(connection, Err(ErrorKind::WouldBlock), "{name}: nobody has come to fetch it");
    }
}

#[test]
fn a16_a_kid_is_only_ever_looked_up() {
    let key = signing_key(Algorithm::ES256, 0);
    let engine = engine([&key]);
    for kid in ["../../etc/passwd", "' OR 1=1 --", "a\u{1b}[31m", "", " ", "ES256-0 ", "es256-0", &"k".repeat(4096)] {
        let token = Draft::new(&key).header("kid", kid).sign(&key);
        assert_eq!(unchecked_code(&engine, &token), "unknown-key", "{kid}");
        let shown = engine.verify_at(token.as_bytes(), NOW).unwrap_err().to_string();
        assert!(!shown.contains('\u{1b}'));
    }
    for kid in [json!(1), json!(null), json!([]), json!({}), json!("a\0b")] {
        let token = Draft::new(&key).header("kid", kid).sign(&key);
        assert_eq!(unchecked_code(&engine, &token), "malformed-token");
    }
    let huge = Draft::new(&key).header("kid", "k".repeat(64 * 1024)).sign(&key);
    assert_eq!(unchecked_code(&engine, &huge), "header-too-long");
}

#[test]
fn a17_without_kid_a_bounded_number_of_keys_is_tried() {
    let keys: Vec<_> = (0..5).map(|index| signing_key(Algorithm::ES256, index)).collect();
    let other = signing_key(Algorithm::EdDSA, 9);
    let token = Draft::new(&keys[3]).without_header("kid").sign(&keys[3]);
    let engine = |count: usize| {
        let set = key_set(keys[..count].iter().chain([&other]));
        Engine::builder().issuer(issuer([]).keys(set)).build().unwrap()
    };
    let before = signature_checks();
    assert_eq!(engine(4).verify_at(token.as_bytes(), NOW).unwrap().key_id(), Some("ES256-3"));
    assert!(signature_checks() - before <= 4);
    let of_no_key = Rejection::NoKeyVerifies { kid: None, tried: 3 };
    assert_eq!(engine(3).verify_at(token.as_bytes(), NOW).unwrap_err(), of_no_key);
    assert_eq!(unchecked_code(&engine(5), &token), "ambiguous-key");
}

#[test]
fn a06_a10_a_signature_of_the_wrong_length_is_not_checked() {
    for algorithm in ALGORITHMS {
        let key = signing_key(algorithm, 0);
        let engine = engine([&key]);
        let draft = Draft::new(&key);
        let token = draft.sign(&key);
        let mut signature = Vec::new();
        tollgate_jwt::base64url::decode(token.rsplit('.').next().unwrap(), &mut signature).unwrap();
        for wrong in [&signature[1..], &signature[..signature.len() - 1], &[&[0], &signature[..]].concat(), &[]] {
            assert_eq!(unchecked_code(&engine, &draft.with_signature(wrong)), "malformed-signature", "{algorithm}");
        }
    }
}
