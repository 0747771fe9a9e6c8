//! Moduli with the arithmetic of fiat-crypto, which was generated together with a proof of correctness for all operands
//! (Erbsen, Philipoom, Gross, Sloan and Chlipala, "Simple High-Level Code for Cryptographic Arithmetic", 2019).
//!
//! fiat-crypto has the same Montgomery form as this crate, so nothing is converted. It is slower, so it computes only
//! the checks.

/// Defines `$name` with the same modulus as `$same`.
macro_rules! fiat_modulus {
    ($name:ident, $same:ty, $limbs:literal, $element:path, $multiply:path, $add:path, $sub:path) => {
        #[derive(Clone, Copy, Debug, Eq, PartialEq)]
        pub(crate) struct $name;

        impl crate::residue::Modulus<$limbs> for $name {
            const MODULUS: [u64; $limbs] = <$same as crate::residue::Modulus<$limbs>>::MODULUS;

            fn multiply(a: &[u64; $limbs], b: &[u64; $limbs]) -> [u64; $limbs] {
                let mut product = $element([0; $limbs]);
                $multiply(&mut product, &$element(*a), &$element(*b));
                product.0
            }

            fn multiply_sub(
                a: &[u64; $limbs],
                b: &[u64; $limbs],
                c: &[u64; $limbs],
                d: &[u64; $limbs],
            ) -> [u64; $limbs] {
                Self::sub(&Self::multiply(a, b), &Self::multiply(c, d))
            }

            fn add(a: &[u64; $limbs], b: &[u64; $limbs]) -> [u64; $limbs] {
                let mut sum = $element([0; $limbs]);
                $add(&mut sum, &$element(*a), &$element(*b));
                sum.0
            }

            fn sub(a: &[u64; $limbs], b: &[u64; $limbs]) -> [u64; $limbs] {
                let mut difference = $element([0; $limbs]);
                $sub(&mut difference, &$element(*a), &$element(*b));
                difference.0
            }
        }
    };
}

pub(crate) use fiat_modulus;
