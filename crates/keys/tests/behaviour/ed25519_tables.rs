//! Keys with tables (feature `ed25519-tables`) compared with ring: both accept and reject the same signatures.

use std::sync::LazyLock;

use curve25519_dalek::constants::{ED25519_BASEPOINT_POINT, EIGHT_TORSION};
use curve25519_dalek::edwards::EdwardsPoint;
use curve25519_dalek::scalar::Scalar;
use proptest::prelude::*;
use ring::digest;
use ring::signature::{self, Ed25519KeyPair, KeyPair};
use tollgate_keys::limits::MAX_KEYS_WITH_TABLES;
use tollgate_keys::{Algorithm, KeySet, KeySetBuilder, PublicKey, VerifyingKey, test_hooks};

#[test]
fn the_first_keys_of_a_set_have_tables_up_to_a_bound() {
    let keys: Vec<VerifyingKey> =
        (0..=MAX_KEYS_WITH_TABLES).map(|index| key_without_tables(&public_key(index))).collect();
    assert!(!keys.iter().any(test_hooks::has_tables));
    let (last, first) = keys.split_last().unwrap();
    let beyond: Vec<VerifyingKey> = set(&keys).iter().cloned().collect();
    let has_tables =
        |key: &VerifyingKey| beyond.iter().any(|other| is_same(other, key) && test_hooks::has_tables(other));
    assert!(first.iter().all(has_tables) && !has_tables(last));

    // The same holds for keys from another set, whether they gain or lose tables.
    let other_order = set([last].into_iter().chain(&beyond));
    assert_eq!(other_order.len(), keys.len());
    let has_tables = |key| other_order.iter().any(|other| is_same(other, key) && test_hooks::has_tables(other));
    assert!(has_tables(last) && !has_tables(first.last().unwrap()));
}

fn is_same(a: &VerifyingKey, b: &VerifyingKey) -> bool {
    a.thumbprint() == b.thumbprint()
}

#[test]
fn one_key_for_both_names_of_its_algorithm_counts_once() {
    let keys = (0..MAX_KEYS_WITH_TABLES).fold(KeySet::builder(), |keys, index| {
        let x = tollgate_jwt::base64url::encode(public_key(index));
        keys.jwk(format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{x}"}}"#).as_bytes()).unwrap()
    });
    let set = keys.build().unwrap();
    assert_eq!(set.len(), 2 * MAX_KEYS_WITH_TABLES);
    assert!(set.iter().all(test_hooks::has_tables));
}

#[test]
fn signatures_of_ring_verify_for_messages_of_any_length() {
    for index in 0..64 {
        let pair = key_pair(index);
        let key = key_with_tables(pair.public_key().as_ref());
        let message = vec![index as u8; index * 17];
        let signature = pair.sign(&message);
        assert!(key.verify(&message, signature.as_ref()).is_ok());
        assert!(key.verify(&[&message[..], b"."].concat(), signature.as_ref()).is_err());
    }
}

#[test]
fn a08_s_at_or_above_the_order_is_rejected() {
    let signer = Signer::new(1);
    let signature = signer.sign(b"message", Nonce::plain(7));
    assert!(signer.verify(b"message", &signature));
    let mut above = signature;
    let mut carry = 0;
    for (byte, order) in above[32..].iter_mut().zip(ORDER) {
        let sum = u16::from(*byte) + u16::from(order) + carry;
        *byte = sum as u8;
        carry = sum >> 8;
    }
    assert!(!signer.verify(b"message", &above));
    for bytes in [ORDER, [0xff; 32], [0; 32]] {
        let mut changed = signature;
        changed[32..].copy_from_slice(&bytes);
        assert!(!signer.verify(b"message", &changed));
    }
}

#[test]
fn a08_non_canonical_r_is_rejected() {
    let signer = Signer::new(2);
    // The neutral element: (0, 1). Its one canonical encoding is 1.
    let mut one = [0; 32];
    one[0] = 1;
    let mut one_with_sign = one;
    one_with_sign[31] = 0x80;
    let mut one_and_prime = [0xff; 32];
    (one_and_prime[0], one_and_prime[31]) = (0xee, 0x7f);
    for (r, expected) in [(one, true), (one_with_sign, false), (one_and_prime, false)] {
        let nonce = Nonce { encoding: Some(r), ..Nonce::plain(0) };
        assert_eq!(signer.verify(b"message", &signer.sign(b"message", nonce)), expected, "{r:02x?}");
    }
}

#[test]
fn a08_the_equation_has_no_cofactor() {
    // With the cofactor, all of these would verify: R, or the key, has a component of small order.
    for (of_key, of_nonce) in [(0, 1), (1, 0), (4, 0), (0, 4), (1, 1), (3, 5)] {
        let signer = Signer { torsion: EIGHT_TORSION[of_key], ..Signer::new(3) };
        let outcomes = (0..32_u8).map(|message| {
            let nonce = Nonce { torsion: EIGHT_TORSION[of_nonce], ..Nonce::plain(11) };
            signer.verify(&[message], &signer.sign(&[message], nonce))
        });
        let verified = outcomes.filter(|verified| *verified).count();
        assert_eq!(verified > 0, of_key != 0, "[{of_key}] in the key, [{of_nonce}] in R: {verified} verified");
        assert!(verified < 32);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2048))]

    #[test]
    fn changed_signatures_are_judged_as_ring_does(
        seed in 0..16_usize,
        message: Vec<u8>,
        changes in prop::collection::vec((0..64_usize, any::<u8>()), 0..3),
    ) {
        let pair = key_pair(seed);
        let mut signature = pair.sign(&message).as_ref().to_vec();
        for (index, change) in changes {
            signature[index] ^= change;
        }
        KEYS[seed].verify(&message, &signature);
    }

    #[test]
    fn any_bytes_are_judged_as_ring_does(seed in 0..16_usize, message: Vec<u8>, r: [u8; 32], mut s: [u8; 32]) {
        s[31] &= 0x1f;
        KEYS[seed].verify(&message, &[r, s].concat());
    }

}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn forged_signatures_are_judged_as_ring_does(
        secret in 1..u64::MAX,
        nonce: u64,
        message: Vec<u8>,
        of_key in 0..8_usize,
        of_nonce in 0..8_usize,
    ) {
        let signer = Signer { torsion: EIGHT_TORSION[of_key], ..Signer::new(secret) };
        let nonce = Nonce { torsion: EIGHT_TORSION[of_nonce], ..Nonce::plain(nonce) };
        let verified = signer.verify(&message, &signer.sign(&message, nonce));
        prop_assert!(verified || of_key + of_nonce > 0);
    }
}

/// One key in three forms.
struct Keys {
    with_tables: VerifyingKey,
    without_tables: VerifyingKey,
    of_ring: signature::UnparsedPublicKey<Vec<u8>>,
}

impl Keys {
    fn new(public_key: &[u8]) -> Self {
        Keys {
            with_tables: key_with_tables(public_key),
            without_tables: key_without_tables(public_key),
            of_ring: signature::UnparsedPublicKey::new(&signature::ED25519, public_key.to_vec()),
        }
    }

    /// Asserts that all three agree, and returns their verdict.
    fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        let expected = self.of_ring.verify(message, signature).is_ok();
        assert_eq!(self.with_tables.verify(message, signature).is_ok(), expected);
        assert_eq!(self.without_tables.verify(message, signature).is_ok(), expected);
        expected
    }
}

/// The keys of the first key pairs.
static KEYS: LazyLock<Vec<Keys>> = LazyLock::new(|| (0..16).map(|index| Keys::new(&public_key(index))).collect());

fn set<'k>(keys: impl IntoIterator<Item = &'k VerifyingKey>) -> KeySet {
    keys.into_iter().cloned().fold(KeySet::builder(), KeySetBuilder::key).build().unwrap()
}

fn key_with_tables(public_key: &[u8]) -> VerifyingKey {
    let set = set([&key_without_tables(public_key)]);
    let key = set.iter().next().unwrap().clone();
    assert!(test_hooks::has_tables(&key));
    key
}

fn key_without_tables(public_key: &[u8]) -> VerifyingKey {
    VerifyingKey::new(&PublicKey::ed25519(public_key).unwrap(), Algorithm::EdDSA, None).unwrap()
}

fn key_pair(index: usize) -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[index as u8; 32]).unwrap()
}

fn public_key(index: usize) -> [u8; 32] {
    key_pair(index).public_key().as_ref().try_into().unwrap()
}

/// Signs with points and encodings that RFC 8032 does not allow.
struct Signer {
    secret: Scalar,
    /// Added to the public key.
    torsion: EdwardsPoint,
}

struct Nonce {
    secret: Scalar,
    /// Added to R.
    torsion: EdwardsPoint,
    /// Replaces R's encoding.
    encoding: Option<[u8; 32]>,
}

impl Nonce {
    fn plain(secret: u64) -> Self {
        Nonce { secret: secret.into(), torsion: EIGHT_TORSION[0], encoding: None }
    }
}

impl Signer {
    fn new(secret: u64) -> Self {
        Signer { secret: Scalar::from(secret) * Scalar::from(u64::MAX), torsion: EIGHT_TORSION[0] }
    }

    fn public_key(&self) -> [u8; 32] {
        (ED25519_BASEPOINT_POINT * self.secret + self.torsion).compress().to_bytes()
    }

    fn sign(&self, message: &[u8], nonce: Nonce) -> [u8; 64] {
        let r = (ED25519_BASEPOINT_POINT * nonce.secret + nonce.torsion).compress().to_bytes();
        let r = nonce.encoding.unwrap_or(r);
        let hash = digest::digest(&digest::SHA512, &[&r[..], &self.public_key(), message].concat());
        let k = Scalar::from_bytes_mod_order_wide(hash.as_ref().try_into().unwrap());
        let s = nonce.secret + k * self.secret;
        [r, s.to_bytes()].concat().try_into().unwrap()
    }

    fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        Keys::new(&self.public_key()).verify(message, signature)
    }
}

/// The order of the base point, little-endian (RFC 8032 section 5.1).
const ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];
