//! Crafted scalars and points that no ordinary signature has. The libraries p256 and p384 give the expected verdict.

use p256::elliptic_curve::PrimeField;
use p256::elliptic_curve::ops::Reduce;
use p256::elliptic_curve::point::{AffineCoordinates, DecompressPoint};
use p256::elliptic_curve::sec1::ToSec1Point;
use proptest::prelude::*;
use tollgate_ecdsa::limits::KEY_WINDOW_BITS;
use tollgate_ecdsa::{Curve, PreparedKey, Undecided, Verdict};

const INFINITY: Verdict = Verdict::Undecided(Undecided::Infinity);

macro_rules! exceptional_cases {
    ($module:ident, $library:ident, $curve:expr, $bytes:literal) => {
        mod $module {
            use $library::ecdsa::signature::hazmat::PrehashVerifier;
            use $library::ecdsa::{Signature, VerifyingKey};
            use $library::{AffinePoint, FieldBytes, ProjectivePoint, Scalar};

            use super::*;

            struct Key {
                secret: Scalar,
                prepared: PreparedKey,
                library: VerifyingKey,
            }

            impl Key {
                fn new(secret: Scalar) -> Self {
                    Key { secret, ..Self::of_point(&(ProjectivePoint::GENERATOR * secret)) }
                }

                /// A key whose secret nobody knows.
                fn of_point(point: &ProjectivePoint) -> Self {
                    let point = point.to_affine().to_sec1_point(false);
                    Key {
                        secret: Scalar::ZERO,
                        prepared: PreparedKey::new($curve, point.as_bytes(), KEY_WINDOW_BITS).unwrap(),
                        library: VerifyingKey::from_sec1_bytes(point.as_bytes()).unwrap(),
                    }
                }

                /// Returns the verdict on a digest and a signature, and asserts that it equals the library's unless
                /// undecided.
                fn verify(&self, digest: &[u8], r: &[u8], s: &[u8]) -> Verdict {
                    let signature = [r, s].concat();
                    let verdict = self.prepared.verify(digest, &signature);
                    let valid = Signature::from_slice(&signature)
                        .is_ok_and(|signature| self.library.verify_prehash(digest, &signature).is_ok());
                    match verdict {
                        Verdict::Valid => assert!(valid),
                        Verdict::Invalid => assert!(!valid),
                        Verdict::Undecided(_) => {}
                    }
                    verdict
                }

                /// Returns the verdict on a signature with these `u1` and `u2`, which is valid unless `u1 G + u2 Q` is
                /// at infinity.
                fn verify_scalars(&self, u1: Scalar, u2: Scalar) -> Verdict {
                    let sum = ProjectivePoint::GENERATOR * (u1 + u2 * self.secret);
                    let r = match sum == ProjectivePoint::IDENTITY {
                        true => Scalar::from(7_u64),
                        false => <Scalar as Reduce<FieldBytes>>::reduce(&sum.to_affine().x()),
                    };
                    let s = r * u2.invert_vartime().unwrap();
                    self.verify(&(u1 * s).to_repr(), &r.to_repr(), &s.to_repr())
                }

                /// `(r, s)` for `z`, with the nonce `k`.
                fn sign(&self, z: Scalar, k: Scalar) -> (Scalar, Scalar) {
                    let r = <Scalar as Reduce<FieldBytes>>::reduce(&(ProjectivePoint::GENERATOR * k).to_affine().x());
                    (r, (z + r * self.secret) * k.invert_vartime().unwrap())
                }
            }

            fn small(number: i64) -> Scalar {
                let magnitude = Scalar::from(number.unsigned_abs());
                if number < 0 { -magnitude } else { magnitude }
            }

            #[test]
            fn equal_and_opposite_points_are_left_to_others() {
                for multiple in [1, -1, 2, -2, 64, -64, 1 << 7, -(1 << 8)] {
                    let key = Key::new(small(multiple));
                    for u2 in [1, -1, 3, 1 << 20] {
                        // u1 G = u2 Q and u1 G = -u2 Q, with a single addition if u2 has one digit.
                        for sign in [1, -1] {
                            let verdict = key.verify_scalars(small(sign * u2 * multiple), small(u2));
                            assert!(
                                matches!(verdict, INFINITY | Verdict::Valid),
                                "{multiple} {u2} {sign}: {verdict:?}"
                            );
                        }
                    }
                    assert_eq!(key.verify_scalars(small(multiple), small(1)), INFINITY, "{multiple}");
                    assert_eq!(key.verify_scalars(small(-multiple), small(1)), INFINITY, "{multiple}");
                }
            }

            #[test]
            fn a_sum_at_infinity_is_never_valid() {
                let key = Key::new(small(0x1234_5678_9abc_def1) * small(0x0fed_cba9_8765_4321));
                for u2 in [small(5), small(-5), key.secret, key.secret * key.secret] {
                    assert_eq!(key.verify_scalars(-u2 * key.secret, u2), INFINITY);
                }
            }

            #[test]
            fn scalars_with_few_digits() {
                let key = Key::new(small(0x1234_5678_9abc_def1) * small(0x0fed_cba9_8765_4321));
                // With u1 = 0 the digest is zero.
                for u1 in [0, 1, -1, 128, -128, 255, 256, 1 << 62] {
                    for u2 in [1, -1, 64, -64, 65, 127, 128, 1 << 62] {
                        assert_eq!(key.verify_scalars(small(u1), small(u2)), Verdict::Valid, "{u1} {u2}");
                    }
                }
            }

            #[test]
            fn a_digest_at_or_above_the_order_counts_modulo_the_order() {
                let key = Key::new(small(0x1234_5678_9abc_def1) * small(3));
                for z in [0, 1, 2, 0x7fff_ffff_ffff_ffff] {
                    let (r, s) = key.sign(small(z), small(77));
                    let digest = above_order(small(z));
                    assert_eq!(key.verify(&digest, &r.to_repr(), &s.to_repr()), Verdict::Valid, "{z}");
                    assert_eq!(key.verify(&[0xff; $bytes], &r.to_repr(), &s.to_repr()), Verdict::Invalid);
                }
                let (r, s) = key.sign(<Scalar as Reduce<FieldBytes>>::reduce(&[0xff; $bytes].into()), small(78));
                assert_eq!(key.verify(&[0xff; $bytes], &r.to_repr(), &s.to_repr()), Verdict::Valid);
            }

            #[test]
            fn a_coordinate_at_or_above_the_order_is_taken_modulo_the_order() {
                let mut found = 0;
                for small_r in 1..200 {
                    let x = above_order(small(small_r));
                    let point = Option::<AffinePoint>::from(AffinePoint::decompress(&x.into(), 0.into()));
                    let Some(point) = point.map(ProjectivePoint::from) else {
                        continue;
                    };
                    found += 1;
                    // A key under which (r, s) is good: Q = (s R - z G) / r.
                    let (r, s, z) = (small(small_r), small(0x5555_5555), small(0x3333_3333));
                    let key =
                        Key::of_point(&((point * s - ProjectivePoint::GENERATOR * z) * r.invert_vartime().unwrap()));
                    assert_eq!(key.verify(&z.to_repr(), &r.to_repr(), &s.to_repr()), Verdict::Valid, "{small_r}");
                    // The unreduced coordinate is not a valid r.
                    assert_eq!(key.verify(&z.to_repr(), &x, &s.to_repr()), Verdict::Invalid, "{small_r}");
                    assert_eq!(key.verify(&z.to_repr(), &(r + Scalar::ONE).to_repr(), &s.to_repr()), Verdict::Invalid);
                }
                assert!(found > 50, "{found} points");
            }

            #[test]
            fn r_and_s_are_between_zero_and_the_order() {
                let key = Key::new(small(0x1234_5678_9abc_def1));
                let (r, s) = key.sign(small(99), small(77));
                let (r, s, z) = (r.to_repr(), s.to_repr(), small(99).to_repr());
                assert_eq!(key.verify(&z, &r, &s), Verdict::Valid);
                let minus_one = Scalar::ZERO - Scalar::ONE;
                let out_of_range: [&[u8]; 4] =
                    [&[0; $bytes], &above_order(Scalar::ZERO), &above_order(Scalar::ONE), &[0xff; $bytes]];
                for other in out_of_range {
                    assert_eq!(key.verify(&z, other, &s), Verdict::Invalid);
                    assert_eq!(key.verify(&z, &r, other), Verdict::Invalid);
                    assert_eq!(key.verify(&z, other, other), Verdict::Invalid);
                }
                for other in [Scalar::ONE, minus_one] {
                    assert_eq!(key.verify(&z, &other.to_repr(), &s), Verdict::Invalid);
                    assert_eq!(key.verify(&z, &r, &other.to_repr()), Verdict::Invalid);
                }
            }

            #[test]
            fn the_twin_with_the_other_s_is_as_good() {
                let key = Key::new(small(0x1234_5678_9abc_def1));
                let (r, s) = key.sign(small(99), small(77));
                assert_eq!(key.verify(&small(99).to_repr(), &r.to_repr(), &(-s).to_repr()), Verdict::Valid);
            }

            #[test]
            fn a_signature_of_another_length_is_invalid() {
                let key = Key::new(small(0x1234_5678_9abc_def1));
                let (r, s) = key.sign(small(99), small(77));
                let signature = [r.to_repr(), s.to_repr()].concat();
                for length in (0..2 * $bytes).chain([2 * $bytes + 1]) {
                    let other: Vec<u8> = signature.iter().copied().chain([0]).take(length).collect();
                    assert_eq!(key.prepared.verify(&small(99).to_repr(), &other), Verdict::Invalid, "{length}");
                }
            }

            #[test]
            fn of_a_longer_digest_the_leftmost_bytes_count() {
                let key = Key::new(small(0x1234_5678_9abc_def1));
                let (r, s) = key.sign(small(99), small(77));
                let signature = [r.to_repr(), s.to_repr()].concat();
                let longer = [&small(99).to_repr()[..], &[1; 8]].concat();
                assert_eq!(key.prepared.verify(&longer, &signature), Verdict::Valid);
                // A shorter digest is a smaller number.
                assert_eq!(key.prepared.verify(&[99], &signature), Verdict::Valid);
                assert_eq!(key.prepared.verify(&[], &signature), Verdict::Invalid);
            }

            proptest! {
                #![proptest_config(ProptestConfig::with_cases(300))]

                #[test]
                fn any_scalars(a: [u64; 4], b: [u64; 4], secret in 1..u64::MAX) {
                    let scalar = |limbs: [u64; 4]| {
                        limbs.iter().fold(Scalar::ZERO, |scalar, limb| scalar * small(1 << 62) + Scalar::from(*limb))
                    };
                    let key = Key::new(Scalar::from(secret));
                    let (u1, u2) = (scalar(a), scalar(b) + Scalar::ONE);
                    prop_assert_eq!(key.verify_scalars(u1, u2), Verdict::Valid);
                }
            }

            /// `number + n`, which must fit in the array.
            fn above_order(number: Scalar) -> [u8; $bytes] {
                let mut bytes: [u8; $bytes] = (number - Scalar::ONE).to_repr().into();
                // -1 is n - 1, so the result is n - 1 + number + 1.
                if number != Scalar::ZERO {
                    bytes = (Scalar::ZERO - Scalar::ONE).to_repr().into();
                    let mut carry = 0;
                    let number: [u8; $bytes] = number.to_repr().into();
                    for (byte, other) in bytes.iter_mut().zip(number).rev() {
                        let sum = u16::from(*byte) + u16::from(other) + carry;
                        *byte = sum as u8;
                        carry = sum >> 8;
                    }
                }
                for byte in bytes.iter_mut().rev() {
                    *byte = byte.wrapping_add(1);
                    if *byte != 0 {
                        break;
                    }
                }
                bytes
            }
        }
    };
}

exceptional_cases!(on_p256, p256, Curve::P256, 32);
exceptional_cases!(on_p384, p384, Curve::P384, 48);
