//! The arithmetic compared with big integers, with fiat-crypto and with p256 and p384.

use std::ops::Rem;

use num_bigint::BigUint;
use p256::elliptic_curve::PrimeField;
use proptest::prelude::*;
use tollgate_ecdsa::test_hooks::arithmetic::{self, Arithmetic, P256_ORDER, P256_PRIME, P384_ORDER, P384_PRIME};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(25_000))]

    #[test]
    fn modulo_the_prime_of_p256(numbers in numbers(&P256_PRIME)) {
        operations_are_right(&P256_PRIME, &numbers);
    }

    #[test]
    fn modulo_the_order_of_p256(numbers in numbers(&P256_ORDER)) {
        operations_are_right(&P256_ORDER, &numbers);
    }

    #[test]
    fn modulo_the_prime_of_p384(numbers in numbers(&P384_PRIME)) {
        operations_are_right(&P384_PRIME, &numbers);
    }

    #[test]
    fn modulo_the_order_of_p384(numbers in numbers(&P384_ORDER)) {
        operations_are_right(&P384_ORDER, &numbers);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(5_000))]

    #[test]
    fn inverses(
        [a, ..] in numbers(&P256_PRIME),
        [b, ..] in numbers(&P256_ORDER),
        [c, ..] in numbers(&P384_PRIME),
        [d, ..] in numbers(&P384_ORDER),
    ) {
        inverse_is_right(&P256_PRIME, &a);
        inverse_is_right(&P256_ORDER, &b);
        inverse_is_right(&P384_PRIME, &c);
        inverse_is_right(&P384_ORDER, &d);

        let of_p256 = p256::Scalar::from_repr(to_be_bytes::<32>(&b).into()).unwrap().invert_vartime();
        let of_p256 = Option::from(of_p256).map(|inverse: p256::Scalar| inverse.to_repr().to_vec());
        prop_assert_eq!((P256_ORDER.inverse)(&b).map(|inverse| to_be_bytes::<32>(&inverse).to_vec()), of_p256);
        let of_p384 = p384::Scalar::from_repr(to_be_bytes::<48>(&d).into()).unwrap().invert_vartime();
        let of_p384 = Option::from(of_p384).map(|inverse: p384::Scalar| inverse.to_repr().to_vec());
        prop_assert_eq!((P384_ORDER.inverse)(&d).map(|inverse| to_be_bytes::<48>(&inverse).to_vec()), of_p384);
    }

    #[test]
    fn digits_are_small_and_give_the_scalar(
        [short, ..] in numbers(&P256_ORDER),
        [long, ..] in numbers(&P384_ORDER),
        window_bits in 5_u32..=10,
    ) {
        digits_are_right(&short, window_bits);
        digits_are_right(&long, window_bits);
    }
}

#[test]
fn the_extremes_have_their_inverses() {
    extremes_have_their_inverses(&P256_PRIME);
    extremes_have_their_inverses(&P256_ORDER);
    extremes_have_their_inverses(&P384_PRIME);
    extremes_have_their_inverses(&P384_ORDER);
}

fn operations_are_right<const N: usize>(arithmetic: &Arithmetic<N>, [a, b, c, d]: &[[u64; N]; 4]) {
    let modulus = big(&arithmetic.modulus);
    let form = BigUint::from(1_u8) << (64 * N);
    let (big_a, big_b, big_c, big_d) = (big(a), big(b), big(c), big(d));
    for operations in [&arithmetic.ours, &arithmetic.fiat] {
        let product = big(&(operations.multiply)(a, b));
        assert!(product < modulus);
        assert_eq!((product * &form).rem(&modulus), (&big_a * &big_b).rem(&modulus));
        let difference = big(&(operations.multiply_sub)(a, b, c, d));
        assert!(difference < modulus);
        assert_eq!((difference * &form + &big_c * &big_d).rem(&modulus), (&big_a * &big_b).rem(&modulus));
        assert_eq!(big(&(operations.add)(a, b)), (&big_a + &big_b).rem(&modulus));
        assert_eq!(big(&(operations.sub)(a, b)), (&big_a + &modulus - &big_b).rem(&modulus));
    }
    // One factor may be any number.
    let product = big(&(arithmetic.ours.multiply)(a, &[u64::MAX; N]));
    assert!(product < modulus);
    assert_eq!((product * &form).rem(&modulus), (&big_a * big(&[u64::MAX; N])).rem(&modulus));
}

fn inverse_is_right<const N: usize>(arithmetic: &Arithmetic<N>, a: &[u64; N]) {
    match (arithmetic.inverse)(a) {
        Some(inverse) => {
            assert!(big(&inverse) < big(&arithmetic.modulus));
            assert_eq!((big(a) * big(&inverse)).rem(big(&arithmetic.modulus)), BigUint::from(1_u8));
        }
        None => assert_eq!(*a, [0; N]),
    }
}

fn extremes_have_their_inverses<const N: usize>(arithmetic: &Arithmetic<N>) {
    let mut one = [0; N];
    one[0] = 1;
    let minus_one = (arithmetic.ours.sub)(&[0; N], &one);
    assert_eq!((arithmetic.inverse)(&[0; N]), None);
    assert_eq!((arithmetic.inverse)(&one), Some(one));
    assert_eq!((arithmetic.inverse)(&minus_one), Some(minus_one));
    for bit in 0..64 * N as u32 - 1 {
        let mut power = [0; N];
        power[(bit / 64) as usize] = 1 << (bit % 64);
        inverse_is_right(arithmetic, &power);
    }
}

fn digits_are_right<const N: usize>(scalar: &[u64; N], window_bits: u32) {
    let (digits, recomposed) = arithmetic::digits(scalar, window_bits);
    assert_eq!(recomposed, Some(*scalar));
    let half = 1_i16 << (window_bits - 1);
    assert!(digits.iter().all(|digit| (-half..=half).contains(digit)));
    let topmost = i32::from(*digits.last().unwrap());
    assert!((0..=1 << (64 * N as u32 % window_bits)).contains(&topmost));
}

/// Four numbers below the modulus, many with limbs where carries begin or end.
fn numbers<const N: usize>(arithmetic: &Arithmetic<N>) -> impl Strategy<Value = [[u64; N]; 4]> + use<N> {
    let modulus = arithmetic.modulus;
    let mut limbs = vec![0, 1, u64::from(u32::MAX), 1 << 32, 1 << 63, u64::MAX];
    limbs.extend(modulus.iter().flat_map(|limb| [limb.wrapping_sub(1), *limb, limb.wrapping_add(1)]));
    let limb = prop_oneof![3 => prop::sample::select(limbs), 1 => any::<u64>()];
    let number = prop::collection::vec(limb, N).prop_map(move |limbs| {
        let number: [u64; N] = limbs.try_into().unwrap();
        // Reduction turns a too large number into one near zero, which is an edge case too.
        let reduced = (big(&number) % big(&modulus)).to_u64_digits();
        std::array::from_fn(|i| reduced.get(i).copied().unwrap_or(0))
    });
    [number.clone(), number.clone(), number.clone(), number]
}

fn big<const N: usize>(limbs: &[u64; N]) -> BigUint {
    BigUint::from_slice(&limbs.iter().flat_map(|limb| [*limb as u32, (limb >> 32) as u32]).collect::<Vec<_>>())
}

fn to_be_bytes<const BYTES: usize>(limbs: &[u64]) -> [u8; BYTES] {
    let bytes: Vec<u8> = limbs.iter().rev().flat_map(|limb| limb.to_be_bytes()).collect();
    bytes.try_into().unwrap()
}
