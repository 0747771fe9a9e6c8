//! The choice of the key for a token, and the tokens that are rejected before a signature check.

use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, KeyPair};
use tollgate_jwt::{CompactJws, base64url, json};
use tollgate_keys::{
    Algorithm, Curve, HmacKey, KeySet, KeySetBuilder, PublicKey, VerifyError, VerifyingKey,
    limits::MAX_KEYS_TRIED_WITHOUT_KID, test_hooks,
};

#[test]
fn the_key_of_the_kid_and_algorithm_is_used() {
    let (a, b) = (Signer::new(), Signer::new());
    let set = set([a.key(Some("a")), b.key(Some("b"))]);
    for (signer, kid) in [(&a, "a"), (&b, "b")] {
        let token = signer.token("EdDSA", Some(kid));
        let (outcome, checks) = verify(&set, &token);
        assert_eq!((outcome, checks), (Ok(Some(kid.to_owned())), 1));
    }
    assert_eq!(verify(&set, &a.token("EdDSA", Some("b"))), (Err(VerifyError::BadSignature), 1));
}

#[test]
fn unknown_kid_is_rejected_before_any_check() {
    let signer = Signer::new();
    let set = set([signer.key(Some("a"))]);
    for kid in ["b", "A", "a ", "", "../a", "' OR 1=1 --"] {
        assert_eq!(verify(&set, &signer.token("EdDSA", Some(kid))), (Err(VerifyError::UnknownKey), 0), "{kid:?}");
    }
}

#[test]
fn keys_without_kid_stand_in_for_an_unknown_kid() {
    let (named, nameless) = (Signer::new(), Signer::new());
    let set = set([named.key(Some("a")), nameless.key(None)]);
    assert_eq!(verify(&set, &nameless.token("EdDSA", Some("b"))), (Ok(None), 1));
    // The key with a `kid` is not tried for another `kid`, and the key without `kid` is not tried for a known `kid`.
    assert_eq!(verify(&set, &named.token("EdDSA", Some("b"))), (Err(VerifyError::NoKeyVerifies { tried: 1 }), 1));
    assert_eq!(verify(&set, &nameless.token("EdDSA", Some("a"))), (Err(VerifyError::BadSignature), 1));
}

#[test]
fn token_without_kid_is_tried_against_a_bounded_number_of_keys() {
    let signers: Vec<Signer> = (0..=MAX_KEYS_TRIED_WITHOUT_KID).map(|_| Signer::new()).collect();
    let keys =
        |count| set(signers.iter().take(count).enumerate().map(|(index, signer)| signer.key(Some(&index.to_string()))));

    let set = keys(MAX_KEYS_TRIED_WITHOUT_KID);
    for (index, signer) in signers.iter().take(MAX_KEYS_TRIED_WITHOUT_KID).enumerate() {
        let (outcome, checks) = verify(&set, &signer.token("EdDSA", None));
        assert_eq!(outcome.unwrap(), Some(index.to_string()));
        assert!(checks as usize <= MAX_KEYS_TRIED_WITHOUT_KID);
    }
    let stranger = Signer::new().token("EdDSA", None);
    let of_no_key = VerifyError::NoKeyVerifies { tried: MAX_KEYS_TRIED_WITHOUT_KID };
    assert_eq!(verify(&set, &stranger), (Err(of_no_key), MAX_KEYS_TRIED_WITHOUT_KID as u64));

    let ambiguous = VerifyError::AmbiguousKey { candidates: signers.len(), max: MAX_KEYS_TRIED_WITHOUT_KID };
    assert_eq!(verify(&keys(signers.len()), &signers[0].token("EdDSA", None)), (Err(ambiguous), 0));
}

#[test]
fn keys_without_kid_are_bounded_too() {
    let signers: Vec<Signer> = (0..=MAX_KEYS_TRIED_WITHOUT_KID).map(|_| Signer::new()).collect();
    let set = set(signers.iter().map(|signer| signer.key(None)));
    let ambiguous = VerifyError::AmbiguousKey { candidates: signers.len(), max: MAX_KEYS_TRIED_WITHOUT_KID };
    for kid in [None, Some("a")] {
        assert_eq!(verify(&set, &signers[0].token("EdDSA", kid)), (Err(ambiguous), 0));
    }
}

#[test]
fn every_algorithm_off_the_diagonal_is_rejected_before_any_check() {
    for key in every_key("k") {
        let algorithm = key.algorithm();
        let set = KeySet::builder().key(key.clone()).build().unwrap();
        for header in Algorithm::all() {
            let signature = base64url::encode(vec![1; key.signature_bytes()]);
            let with_kid = token_of(header.name(), Some("k"), &signature);
            let without_kid = token_of(header.name(), None, &signature);
            if header == algorithm {
                assert_eq!(verify(&set, &with_kid), (Err(VerifyError::BadSignature), 1), "{header}");
                let of_no_key = VerifyError::NoKeyVerifies { tried: 1 };
                assert_eq!(verify(&set, &without_kid), (Err(of_no_key), 1), "{header}");
            } else {
                let mismatch = VerifyError::AlgorithmMismatch { header, key: algorithm };
                assert_eq!(verify(&set, &with_kid), (Err(mismatch), 0), "{header} under {algorithm}");
                assert_eq!(verify(&set, &without_kid), (Err(VerifyError::UnknownKey), 0), "{header} under {algorithm}");
            }
        }
    }
}

#[test]
fn names_that_are_no_algorithm_are_rejected_before_any_check() {
    let set = set(every_key("k"));
    for name in ["none", "None", "NONE", "nOnE", "none ", "HS256 ", "es256", "RSA-OAEP", "ES224"] {
        for signature in ["", "AAAA"] {
            let token = token_of(name, Some("k"), signature);
            assert_eq!(verify(&set, &token), (Err(VerifyError::UnknownAlgorithm), 0), "{name:?}");
        }
    }
}

#[test]
fn a06_signatures_of_the_wrong_form_are_rejected_before_any_check() {
    for key in every_key("k") {
        let (algorithm, bytes) = (key.algorithm(), key.signature_bytes());
        let set = KeySet::builder().key(key).build().unwrap();
        for length in [0, 1, bytes - 1, bytes + 1, bytes + 64] {
            let token = token_of(algorithm.name(), Some("k"), &base64url::encode(vec![1; length]));
            assert_eq!(verify(&set, &token), (Err(VerifyError::MalformedSignature), 0), "{algorithm}, {length} bytes");
        }
        for signature in ["A", "AA=", "A+", "A/", "AB", "A A"] {
            let token = token_of(algorithm.name(), Some("k"), signature);
            // Some of these are not a compact JWS at all.
            if CompactJws::parse(&token).is_ok() {
                assert_eq!(verify(&set, &token), (Err(VerifyError::MalformedSignature), 0), "{signature:?}");
            }
        }
    }
}

#[test]
fn rsa_candidates_of_another_modulus_length_are_not_tried() {
    let rsa = |byte: u8, length: usize| PublicKey::rsa(&vec![byte; length], &[1, 0, 1]).unwrap();
    let keys =
        [(0xc5, 256), (0xc7, 384)].map(|(byte, length)| VerifyingKey::new(&rsa(byte, length), Algorithm::RS256, None));
    let set = set(keys.map(Result::unwrap));
    let outcome = |kid, length: usize| verify(&set, &token_of("RS256", kid, &base64url::encode(vec![1; length])));
    for kid in [None, Some("new")] {
        assert_eq!(outcome(kid, 384), (Err(VerifyError::NoKeyVerifies { tried: 1 }), 1));
        // An RSA key that is not in the set may have made these signatures, but no key can have made the next ones.
        for length in [257, 512, 1024] {
            assert_eq!(outcome(kid, length), (Err(VerifyError::UnknownKey), 0), "{length}");
        }
        for length in [0, 255, 1025] {
            assert_eq!(outcome(kid, length), (Err(VerifyError::MalformedSignature), 0), "{length}");
        }
    }
}

#[test]
fn a64_key_that_is_there_under_several_names_is_tried_once() {
    let (signer, stranger) = (Signer::new(), Signer::new().token("EdDSA", None));
    let names = [None, Some("a"), Some("b"), Some("c"), Some("d"), Some("e")];
    let set = set(names.map(|kid| signer.key(kid)));
    assert_eq!(set.len(), 6);
    assert_eq!(verify(&set, &signer.token("EdDSA", None)), (Ok(None), 1));
    assert_eq!(verify(&set, &stranger), (Err(VerifyError::NoKeyVerifies { tried: 1 }), 1));
    for kid in ["a", "e"] {
        assert_eq!(verify(&set, &signer.token("EdDSA", Some(kid))), (Ok(Some(kid.to_owned())), 1));
    }
    // Nor does it use up another key's try.
    let others: Vec<Signer> = (1..MAX_KEYS_TRIED_WITHOUT_KID).map(|_| Signer::new()).collect();
    let keys = others.iter().enumerate().map(|(index, other)| other.key(Some(&format!("other-{index}"))));
    let set = self::set(names.map(|kid| signer.key(kid)).into_iter().chain(keys));
    for signer in others.iter().chain([&signer]) {
        assert!(verify(&set, &signer.token("EdDSA", None)).0.is_ok());
    }
    let of_no_key = VerifyError::NoKeyVerifies { tried: MAX_KEYS_TRIED_WITHOUT_KID };
    assert_eq!(verify(&set, &stranger), (Err(of_no_key), MAX_KEYS_TRIED_WITHOUT_KID as u64));
}

#[test]
fn public_key_in_any_encoding_is_no_hmac_secret() {
    // The set holds only the public key; the attacker signs with this public text (CVE-2015-9235).
    let pem = include_bytes!("../data/p256_public.pem");
    let set = KeySet::builder().pem(pem).unwrap().build().unwrap();
    let der = der_of(pem);
    let modulus = [0xc5; 256];
    let jwk = br#"{"kty":"EC","crv":"P-256","x":"","y":""}"#;
    for secret in [&pem[..], pem.trim_ascii_end(), &der, jwk, &modulus] {
        for secret in [secret.to_vec(), [b"\n", secret].concat(), [secret, b"\n"].concat()] {
            let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &secret);
            let signing_input = signing_input("HS256", None);
            let signature = base64url::encode(ring::hmac::sign(&key, signing_input.as_bytes()));
            assert_eq!(verify(&set, &format!("{signing_input}.{signature}")), (Err(VerifyError::UnknownKey), 0));
        }
    }
}

#[test]
fn both_names_of_ed25519_need_their_own_key() {
    let signer = Signer::new();
    let jwk = |alg: &str| {
        let x = base64url::encode(signer.0.public_key());
        let jwk = format!(r#"{{"kty":"OKP","crv":"Ed25519","kid":"k","x":"{x}"{alg}}}"#);
        KeySet::builder().jwk(jwk.as_bytes()).unwrap().build().unwrap()
    };
    let outcomes =
        |set: KeySet| ["EdDSA", "Ed25519"].map(|name| verify(&set, &signer.token(name, Some("k"))).0.is_ok());
    assert_eq!(outcomes(jwk("")), [true, true]);
    assert_eq!(outcomes(jwk(r#","alg":"EdDSA""#)), [true, false]);
    assert_eq!(outcomes(jwk(r#","alg":"Ed25519""#)), [false, true]);
}

#[test]
fn contains_asks_for_key_material_algorithm_and_kid() {
    let (a, b) = (Signer::new(), Signer::new());
    let set = set([a.key(Some("a")), b.key(None)]);
    assert!(set.contains(&a.key(Some("a"))));
    assert!(set.contains(&b.key(None)));
    assert!(!set.contains(&a.key(Some("b"))));
    assert!(!set.contains(&a.key(None)));
    assert!(!set.contains(&b.key(Some("a"))));
    assert!(!KeySet::default().contains(&a.key(Some("a"))));
}

#[test]
fn verified_jws_names_token_and_key_but_does_not_print_the_token() {
    let signer = Signer::new();
    let set = set([signer.key(Some("a"))]);
    let token = signer.token("EdDSA", Some("a"));
    let jws = CompactJws::parse(&token).unwrap();
    let mut buffer = json::Buffer::default();
    let header = jws.decode_header(&mut buffer).unwrap();
    let verified = set.verify(&jws, &header, &mut Vec::new()).unwrap();
    assert_eq!(verified.jws().token(), token);
    assert_eq!(verified.key().algorithm(), Algorithm::EdDSA);
    assert!(!format!("{verified:?}").contains(jws.signature()));
}

#[test]
fn keys_that_are_not_admitted_are_not_tried() {
    let (a, b, nameless) = (Signer::new(), Signer::new(), Signer::new());
    let set = set([a.key(Some("a")), b.key(Some("b")), nameless.key(None)]);
    let all_but = |kid: Option<&'static str>| move |key: &VerifyingKey| key.kid() != kid;
    let token = a.token("EdDSA", Some("a"));
    assert_eq!(verify_if(&set, &token, all_but(Some("a"))), (Err(VerifyError::KeyNotAdmitted), 0));
    assert_eq!(verify_if(&set, &token, all_but(Some("b"))), (Ok(Some("a".to_owned())), 1));
    // The algorithm is checked first.
    let mismatch = VerifyError::AlgorithmMismatch { header: Algorithm::Ed25519, key: Algorithm::EdDSA };
    assert_eq!(verify_if(&set, &a.token("Ed25519", Some("a")), |_| false), (Err(mismatch), 0));
    for kid in [None, Some("c")] {
        let refused = if kid.is_none() { VerifyError::NoKeyVerifies { tried: 2 } } else { VerifyError::UnknownKey };
        let checks = u64::from(kid.is_none()) * 2;
        assert_eq!(verify_if(&set, &nameless.token("EdDSA", kid), all_but(None)), (Err(refused), checks));
        assert_eq!(verify_if(&set, &nameless.token("EdDSA", kid), |_| false), (Err(VerifyError::UnknownKey), 0));
        assert_eq!(verify_if(&set, &nameless.token("EdDSA", kid), all_but(Some("a"))).0, Ok(None));
    }
}

/// Returns the outcome, as the key's `kid`, and how many signatures were checked.
fn verify(set: &KeySet, token: &str) -> (Result<Option<String>, VerifyError>, u64) {
    verify_if(set, token, |_| true)
}

fn verify_if(
    set: &KeySet,
    token: &str,
    admits: impl Fn(&VerifyingKey) -> bool,
) -> (Result<Option<String>, VerifyError>, u64) {
    let jws = CompactJws::parse(token).unwrap();
    let mut buffer = json::Buffer::default();
    let header = jws.decode_header(&mut buffer).unwrap();
    let before = test_hooks::signature_checks();
    let outcome = set.verify_if(&jws, &header, &mut Vec::new(), admits);
    let outcome = outcome.map(|verified| verified.key().kid().map(str::to_owned));
    (outcome, test_hooks::signature_checks() - before)
}

fn set(keys: impl IntoIterator<Item = VerifyingKey>) -> KeySet {
    let loaded = keys.into_iter().fold(KeySet::builder(), KeySetBuilder::key).build_with_reports();
    assert!(loaded.reports.iter().all(|report| report.refused.is_none()), "{:?}", loaded.reports);
    loaded.set
}

/// A key for each algorithm of this build.
fn every_key(kid: &str) -> Vec<VerifyingKey> {
    let ed25519 = PublicKey::ed25519(Signer::new().0.public_key().as_ref()).unwrap();
    let rsa = PublicKey::rsa(&[0xc5; 256], &[1, 0, 1]).unwrap();
    let ec = |pem: &[u8], curve| {
        let der = der_of(pem);
        let length = match curve {
            Curve::P384 => 97,
            Curve::P521 => 133,
            _ => 65,
        };
        PublicKey::ec(curve, &der[der.len() - length..]).unwrap()
    };
    let public = [
        rsa,
        ed25519,
        ec(include_bytes!("../data/p256_public.pem"), Curve::P256),
        ec(include_bytes!("../data/p384_public.pem"), Curve::P384),
        ec(include_bytes!("../data/p521_public.pem"), Curve::P521),
        ec(include_bytes!("../data/secp256k1_public.pem"), Curve::Secp256k1),
        PublicKey::ml_dsa(Algorithm::MlDsa44, &[5; 1312]).unwrap(),
        PublicKey::ml_dsa(Algorithm::MlDsa65, &[5; 1952]).unwrap(),
        PublicKey::ml_dsa(Algorithm::MlDsa87, &[5; 2592]).unwrap(),
    ];
    let supported = || Algorithm::all().filter(|algorithm| algorithm.is_supported());
    let keys: Vec<VerifyingKey> = supported()
        .map(|algorithm| match public.iter().find(|key| key.admits(algorithm)) {
            Some(key) => VerifyingKey::new(key, algorithm, Some(kid)).unwrap(),
            None => VerifyingKey::hmac(HmacKey::new(algorithm, &[7; 64]).unwrap(), Some(kid)).unwrap(),
        })
        .collect();
    assert_eq!(keys.len(), supported().count());
    keys
}

struct Signer(Ed25519KeyPair);

impl Signer {
    fn new() -> Self {
        let pkcs8 = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        Signer(Ed25519KeyPair::from_pkcs8(pkcs8.as_ref()).unwrap())
    }

    fn key(&self, kid: Option<&str>) -> VerifyingKey {
        let key = PublicKey::ed25519(self.0.public_key().as_ref()).unwrap();
        VerifyingKey::new(&key, Algorithm::EdDSA, kid).unwrap()
    }

    fn token(&self, alg: &str, kid: Option<&str>) -> String {
        let signing_input = signing_input(alg, kid);
        let signature = base64url::encode(self.0.sign(signing_input.as_bytes()));
        format!("{signing_input}.{signature}")
    }
}

fn token_of(alg: &str, kid: Option<&str>, signature: &str) -> String {
    format!("{}.{signature}", signing_input(alg, kid))
}

/// `alg` and `kid`: as written in the JSON, escapes included.
fn signing_input(alg: &str, kid: Option<&str>) -> String {
    let kid = kid.map(|kid| format!(r#","kid":"{kid}""#)).unwrap_or_default();
    format!("{}.{}", base64url::encode(format!(r#"{{"alg":"{alg}"{kid}}}"#)), base64url::encode("{}"))
}

fn der_of(pem: &[u8]) -> Vec<u8> {
    let text = std::str::from_utf8(pem).unwrap();
    let body: String = text.lines().filter(|line| !line.starts_with("-----")).collect();
    let body = body.replace('+', "-").replace('/', "_");
    let mut der = Vec::new();
    base64url::decode(body.trim_end_matches('='), &mut der).unwrap();
    der
}
