//! The check of curve points, compared with other libraries' checks.

use curve25519_dalek::edwards::CompressedEdwardsY;
use proptest::prelude::*;
use ring::agreement::{self, EphemeralPrivateKey, UnparsedPublicKey};
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, KeyPair};
use tollgate_keys::{Curve, PublicKey};

const CURVES: [(Curve, &agreement::Algorithm); 2] =
    [(Curve::P256, &agreement::ECDH_P256), (Curve::P384, &agreement::ECDH_P384)];

#[test]
fn points_that_ring_makes_are_on_their_curve() {
    for (curve, algorithm) in CURVES {
        for _ in 0..20 {
            let point = random_point(algorithm);
            assert!(PublicKey::ec(curve, &point).is_ok(), "{curve:?}");
            assert!(ring_takes(algorithm, &point));
            // The other root is on the curve too; y and x swapped are not.
            let length = point.len() / 2;
            let swapped = [&[4], &point[1 + length..], &point[1..=length]].concat();
            assert_eq!(PublicKey::ec(curve, &swapped).is_ok(), ring_takes(algorithm, &swapped));
        }
    }
}

#[test]
fn coordinates_at_the_edges_of_the_field_are_judged_as_ring_does() {
    for (curve, algorithm, prime) in [
        (Curve::P256, &agreement::ECDH_P256, "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff"),
        (
            Curve::P384,
            &agreement::ECDH_P384,
            "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffff0000000000000000ffffffff",
        ),
    ] {
        let prime: Vec<u8> =
            (0..prime.len() / 2).map(|i| u8::from_str_radix(&prime[2 * i..2 * i + 2], 16).unwrap()).collect();
        let mut below = prime.clone();
        *below.last_mut().unwrap() -= 1;
        let (zero, ones) = (vec![0; prime.len()], vec![0xff; prime.len()]);
        let point = random_point(algorithm);
        let y = point[1 + prime.len()..].to_vec();
        for x in [&zero, &prime, &below, &ones] {
            for y in [&zero, &prime, &below, &ones, &y] {
                let point = [&[4], &x[..], y].concat();
                assert_eq!(PublicKey::ec(curve, &point).is_ok(), ring_takes(algorithm, &point), "{point:02x?}");
            }
        }
    }
}

#[test]
fn keys_that_ring_makes_are_on_edwards25519() {
    for _ in 0..100 {
        let pkcs8 = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        let key = Ed25519KeyPair::from_pkcs8(pkcs8.as_ref()).unwrap();
        assert!(PublicKey::ed25519(key.public_key().as_ref()).is_ok());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn changed_points_are_judged_as_ring_does(index in 1..97_usize, change in 1..=255_u8) {
        for (curve, algorithm) in CURVES {
            let mut point = random_point(algorithm);
            let index = 1 + index % (point.len() - 1);
            point[index] ^= change;
            prop_assert_eq!(PublicKey::ec(curve, &point).is_ok(), ring_takes(algorithm, &point));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn ed25519_keys_are_judged_as_curve25519_dalek_does(key: [u8; 32]) {
        prop_assert_eq!(PublicKey::ed25519(&key).is_ok(), dalek_takes(key));
    }

    #[test]
    fn ed25519_keys_near_the_prime_are_judged_as_curve25519_dalek_does(low: u8, sign: bool) {
        let mut key = [0xff; 32];
        key[0] = low;
        key[31] = if sign { 0xff } else { 0x7f };
        prop_assert_eq!(PublicKey::ed25519(&key).is_ok(), dalek_takes(key));
    }
}

/// ring refuses a key agreement with a point that is not on the curve.
fn ring_takes(algorithm: &'static agreement::Algorithm, point: &[u8]) -> bool {
    let private = EphemeralPrivateKey::generate(algorithm, &SystemRandom::new()).unwrap();
    agreement::agree_ephemeral(private, &UnparsedPublicKey::new(algorithm, point), |_| ()).is_ok()
}

fn random_point(algorithm: &'static agreement::Algorithm) -> Vec<u8> {
    let private = EphemeralPrivateKey::generate(algorithm, &SystemRandom::new()).unwrap();
    private.compute_public_key().unwrap().as_ref().to_vec()
}

fn dalek_takes(key: [u8; 32]) -> bool {
    // It also accepts a y that is not below the prime; encoding again detects that.
    CompressedEdwardsY(key)
        .decompress()
        .is_some_and(|point| point.compress().to_bytes() == key && !point.is_small_order())
}
