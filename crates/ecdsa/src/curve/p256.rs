//! P-256 (FIPS 186-5, SP 800-186 section 3.2.1.3).

use std::sync::LazyLock;

use fiat_crypto::{p256_64 as prime, p256_scalar_64 as order};

use super::Curve;
use crate::fiat::fiat_modulus;
use crate::limbs::Limbs;
use crate::residue::Modulus;
use crate::table::Table;
use crate::words;

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct P256;

impl Curve<4> for P256 {
    type Prime = Prime;
    type Order = Order;
    type VerifiedPrime = VerifiedPrime;
    type VerifiedOrder = VerifiedOrder;

    const B: Limbs<4> = [0x3bce3c3e27d2604b, 0x651d06b0cc53b0f6, 0xb3ebbd55769886bc, 0x5ac635d8aa3a93e7];
    const GENERATOR: [Limbs<4>; 2] = [
        [0xf4a13945d898c296, 0x77037d812deb33a0, 0xf8bce6e563a440f2, 0x6b17d1f2e12c4247],
        [0xcbb6406837bf51f5, 0x2bce33576b315ece, 0x8ee7eb4a7c0f9e16, 0x4fe342e2fe1a7f9b],
    ];

    fn generator() -> Option<&'static Table<Self, 4>> {
        static TABLE: LazyLock<Option<Table<P256, 4>>> = LazyLock::new(Table::of_generator);
        TABLE.as_ref()
    }
}

/// `p = 2^256 - 2^224 + 2^192 + 2^96 - 1`
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Prime;

impl Modulus<4> for Prime {
    const MODULUS: Limbs<4> = [0xffffffffffffffff, 0x00000000ffffffff, 0x0000000000000000, 0xffffffff00000001];

    /// `p = -1 mod 2^64`, so adding `p` times the lowest limb makes that limb zero. With `p = (2^96 - 1) + 2^192 (2^64
    /// - 2^32 + 1)`, only the terms with `2^96` and `2^192` remain to be added.
    #[inline(always)]
    fn reduce(low: &Limbs<4>) -> Limbs<4> {
        let mut rest = *low;
        for _ in 0..4 {
            let factor = rest[0];
            let (limb_0, carry) = words::carrying_add(rest[1], factor << 32, false);
            let (limb_1, carry) = words::carrying_add(rest[2], factor >> 32, carry);
            let (limb_2, limb_3) = words::carrying_mul_add(factor, Self::MODULUS[3], rest[3], u64::from(carry));
            rest = [limb_0, limb_1, limb_2, limb_3];
        }
        rest
    }
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Order;

impl Modulus<4> for Order {
    const MODULUS: Limbs<4> = [0xf3b9cac2fc632551, 0xbce6faada7179e84, 0xffffffffffffffff, 0xffffffff00000000];
}

fiat_modulus!(
    VerifiedPrime,
    Prime,
    4,
    prime::fiat_p256_montgomery_domain_field_element,
    prime::fiat_p256_mul,
    prime::fiat_p256_add,
    prime::fiat_p256_sub
);

fiat_modulus!(
    VerifiedOrder,
    Order,
    4,
    order::fiat_p256_scalar_montgomery_domain_field_element,
    order::fiat_p256_scalar_mul,
    order::fiat_p256_scalar_add,
    order::fiat_p256_scalar_sub
);
