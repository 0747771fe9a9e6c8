//! Keys with tables (feature `ecdsa-tables`) compared with ring: both accept and reject the same signatures.

use std::sync::LazyLock;

use p256::elliptic_curve::PrimeField;
use p256::elliptic_curve::ops::Reduce;
use p256::elliptic_curve::sec1::ToSec1Point;
use proptest::prelude::*;
use ring::digest;
use ring::rand::SystemRandom;
use ring::signature::{self, EcdsaKeyPair, EcdsaSigningAlgorithm, EcdsaVerificationAlgorithm, KeyPair};
use tollgate_keys::limits::MAX_KEYS_WITH_TABLES;
use tollgate_keys::{Algorithm, Curve, KeySet, KeySetBuilder, PublicKey, VerifyingKey, test_hooks, undecided_checks};

#[test]
fn the_first_keys_of_a_set_have_tables_and_all_verify() {
    let signers: Vec<Signer> = (0..=MAX_KEYS_WITH_TABLES).map(|_| Signer::new(&P256)).collect();
    let set = set(signers.iter().map(Signer::key));
    for (index, signer) in signers.iter().enumerate() {
        let key = set.iter().find(|key| key.thumbprint() == signer.key().thumbprint()).unwrap();
        assert_eq!(test_hooks::has_tables(key), index < MAX_KEYS_WITH_TABLES);
        assert!(key.verify(b"message", &signer.sign(b"message")).is_ok());
        assert!(key.verify(b"massage", &signer.sign(b"message")).is_err());
    }
}

#[test]
fn a_key_that_stays_keeps_its_tables_and_one_that_is_gone_loses_them() {
    let (stays, goes) = (Signer::new(&P256), Signer::new(&P384));
    let computed = |load: &mut dyn FnMut()| {
        let before = test_hooks::ecdsa_tables_computed();
        load();
        test_hooks::ecdsa_tables_computed() - before
    };
    let mut current = KeySet::default();
    assert_eq!(computed(&mut || current = set([stays.key(), goes.key()])), 2);
    // The new set is loaded while the old one still exists.
    assert_eq!(computed(&mut || current = set([stays.key()])), 0);
    assert!(current.iter().all(test_hooks::has_tables));
    assert_eq!(computed(&mut || current = set([stays.key(), goes.key()])), 1);
    drop(current);
    assert_eq!(computed(&mut || drop(set([stays.key(), goes.key()]))), 2);
}

/// `u1 G + u2 Q` is at infinity, where the table arithmetic gives no verdict: `d = -z / r` with `r = 1`.
#[test]
fn what_the_tables_leave_undecided_the_library_decides_and_is_counted() {
    let message = b"message";
    let z = digest::digest(&digest::SHA256, message);
    let z = <p256::Scalar as Reduce<p256::FieldBytes>>::reduce(&p256::FieldBytes::try_from(z.as_ref()).unwrap());
    let point = (p256::ProjectivePoint::GENERATOR * -z).to_affine().to_sec1_point(false);
    let key = only_key(&set([prepared(&P256, point.as_bytes())]));
    assert!(test_hooks::has_tables(&key));
    let one = p256::Scalar::ONE.to_repr();
    let before = undecided_checks();
    assert!(key.verify(message, &[one, one].concat()).is_err());
    assert!(undecided_checks() > before);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn changed_signatures_are_judged_as_ring_does(
        index in 0..SIGNERS,
        message: Vec<u8>,
        changes in prop::collection::vec((0..96_usize, any::<u8>()), 0..3),
    ) {
        let (signer, key) = &KEYS[index];
        let mut signature = signer.sign(&message);
        let length = signature.len();
        for (index, change) in changes {
            signature[index % length] ^= change;
        }
        signer.compare(key, &message, &signature);
    }

    #[test]
    fn any_numbers_are_judged_as_ring_does(index in 0..SIGNERS, message: Vec<u8>, r in number(), s in number()) {
        let (signer, key) = &KEYS[index];
        let bytes = signer.kind.bytes;
        signer.compare(key, &message, &[&r[..bytes], &s[..bytes]].concat());
    }
}

/// Big-endian numbers: random, and near zero and the maximum, where ranges end.
fn number() -> impl Strategy<Value = Vec<u8>> {
    let near = (prop::sample::select(&[0x00_u8, 0xff][..]), 0..48_usize, any::<u8>());
    prop_oneof![
        prop::collection::vec(any::<u8>(), 48),
        near.prop_map(|(fill, at, byte)| {
            let mut number = vec![fill; 48];
            number[at] = byte;
            number
        })
    ]
}

/// A curve and its parameters for these tests.
struct Kind {
    algorithm: Algorithm,
    curve: Curve,
    signing: &'static EcdsaSigningAlgorithm,
    verification: &'static EcdsaVerificationAlgorithm,
    /// Bytes of a coordinate.
    bytes: usize,
}

static P256: Kind = Kind {
    algorithm: Algorithm::ES256,
    curve: Curve::P256,
    signing: &signature::ECDSA_P256_SHA256_FIXED_SIGNING,
    verification: &signature::ECDSA_P256_SHA256_FIXED,
    bytes: 32,
};

static P384: Kind = Kind {
    algorithm: Algorithm::ES384,
    curve: Curve::P384,
    signing: &signature::ECDSA_P384_SHA384_FIXED_SIGNING,
    verification: &signature::ECDSA_P384_SHA384_FIXED,
    bytes: 48,
};

const SIGNERS: usize = 8;

/// Signers on alternating curves, and their keys with tables.
static KEYS: LazyLock<Vec<(Signer, VerifyingKey)>> = LazyLock::new(|| {
    let signers = [&P256, &P384].into_iter().cycle().take(SIGNERS).map(Signer::new);
    signers.map(|signer| (only_key(&set([signer.key()])), signer)).map(|(key, signer)| (signer, key)).collect()
});

struct Signer {
    kind: &'static Kind,
    pair: EcdsaKeyPair,
}

impl Signer {
    fn new(kind: &'static Kind) -> Self {
        let random = SystemRandom::new();
        let document = EcdsaKeyPair::generate_pkcs8(kind.signing, &random).unwrap();
        Signer { kind, pair: EcdsaKeyPair::from_pkcs8(kind.signing, document.as_ref(), &random).unwrap() }
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.pair.sign(&SystemRandom::new(), message).unwrap().as_ref().to_vec()
    }

    /// The key without tables; a set adds them.
    fn key(&self) -> VerifyingKey {
        prepared(self.kind, self.pair.public_key().as_ref())
    }

    fn compare(&self, key: &VerifyingKey, message: &[u8], signature: &[u8]) {
        assert!(test_hooks::has_tables(key));
        let of_ring = signature::UnparsedPublicKey::new(self.kind.verification, self.pair.public_key());
        assert_eq!(key.verify(message, signature).is_ok(), of_ring.verify(message, signature).is_ok());
    }
}

fn prepared(kind: &Kind, point: &[u8]) -> VerifyingKey {
    VerifyingKey::new(&PublicKey::ec(kind.curve, point).unwrap(), kind.algorithm, None).unwrap()
}

fn set(keys: impl IntoIterator<Item = VerifyingKey>) -> KeySet {
    keys.into_iter().fold(KeySet::builder(), KeySetBuilder::key).build().unwrap()
}

fn only_key(set: &KeySet) -> VerifyingKey {
    set.iter().next().unwrap().clone()
}
