//! Verdicts compared with ring's.

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use tollgate_ecdsa::{Curve, Verdict};

use crate::support::Signer;

#[test]
fn ring_and_we_agree() {
    agree_on(2_000);
}

#[test]
#[ignore = "takes a minute with optimisation"]
fn ring_and_we_agree_on_200_000_signatures() {
    agree_on(100_000);
}

#[test]
fn any_width_of_windows_gives_the_same_verdicts() {
    for curve in [Curve::P256, Curve::P384] {
        for window_bits in 5..=10 {
            let signer = Signer::with_windows(curve, window_bits);
            for message in 0..20_u8 {
                let mut signature = signer.sign(&[message]);
                assert_eq!(signer.verify(&[message], &signature), Verdict::Valid);
                assert_eq!(signer.verify(&[message ^ 1], &signature), Verdict::Invalid);
                signature[usize::from(message)] ^= 1 << (message % 8);
                assert_eq!(signer.verify(&[message], &signature), Verdict::Invalid);
            }
        }
    }
}

#[test]
fn a_signature_under_another_key_is_invalid() {
    for curve in [Curve::P256, Curve::P384] {
        let (one, other) = (Signer::new(curve), Signer::new(curve));
        let signature = one.sign(b"message");
        assert_eq!(one.verify(b"message", &signature), Verdict::Valid);
        assert_eq!(other.verify(b"message", &signature), Verdict::Invalid);
    }
}

/// Compares `signatures` signatures on each curve: a third are valid, the others are changed in one place or random.
fn agree_on(signatures: u32) {
    for curve in [Curve::P256, Curve::P384] {
        let mut runner = TestRunner::deterministic();
        let signers: Vec<_> = (0..8).map(|_| Signer::new(curve)).collect();
        let changes = (0..8_usize, 0..6_u8, any::<[u8; 24]>(), any::<prop::sample::Index>(), 1..=u8::MAX);
        let (mut valid, mut invalid) = (0, 0);
        for _ in 0..signatures {
            let (signer, kind, mut message, place, change) = changes.new_tree(&mut runner).unwrap().current();
            let signer = &signers[signer];
            let mut signature = signer.sign(&message);
            let place_in_signature = place.index(signature.len());
            match kind {
                0 | 1 => {}
                2 => message[place.index(24)] ^= change,
                3 => signature[place_in_signature] ^= change,
                4 => signature.rotate_left(place_in_signature),
                _ => signature[..place_in_signature].reverse(),
            }
            let expected = signer.ring_accepts(&message, &signature);
            match signer.verify(&message, &signature) {
                Verdict::Valid => assert!(expected),
                Verdict::Invalid => assert!(!expected),
                Verdict::Undecided(reason) => panic!("{reason:?}"),
            }
            *if expected { &mut valid } else { &mut invalid } += 1;
        }
        assert!(valid > signatures / 4 && invalid > signatures / 3, "{valid} valid, {invalid} invalid");
    }
}
