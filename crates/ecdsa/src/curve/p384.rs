//! P-384 (FIPS 186-5, SP 800-186 section 3.2.1.4).

use std::sync::LazyLock;

use fiat_crypto::{p384_64 as prime, p384_scalar_64 as order};

use super::Curve;
use crate::fiat::fiat_modulus;
use crate::limbs::Limbs;
use crate::residue::Modulus;
use crate::table::Table;
use crate::words;

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct P384;

impl Curve<6> for P384 {
    type Prime = Prime;
    type Order = Order;
    type VerifiedPrime = VerifiedPrime;
    type VerifiedOrder = VerifiedOrder;

    const B: Limbs<6> = [
        0x2a85c8edd3ec2aef,
        0xc656398d8a2ed19d,
        0x0314088f5013875a,
        0x181d9c6efe814112,
        0x988e056be3f82d19,
        0xb3312fa7e23ee7e4,
    ];
    const GENERATOR: [Limbs<6>; 2] = [
        [
            0x3a545e3872760ab7,
            0x5502f25dbf55296c,
            0x59f741e082542a38,
            0x6e1d3b628ba79b98,
            0x8eb1c71ef320ad74,
            0xaa87ca22be8b0537,
        ],
        [
            0x7a431d7c90ea0e5f,
            0x0a60b1ce1d7e819d,
            0xe9da3113b5f0b8c0,
            0xf8f41dbd289a147c,
            0x5d9e98bf9292dc29,
            0x3617de4a96262c6f,
        ],
    ];

    fn generator() -> Option<&'static Table<Self, 6>> {
        static TABLE: LazyLock<Option<Table<P384, 6>>> = LazyLock::new(Table::of_generator);
        TABLE.as_ref()
    }
}

/// `p = 2^384 - 2^128 - 2^96 + 2^32 - 1`
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Prime;

impl Modulus<6> for Prime {
    const MODULUS: Limbs<6> = [
        0x00000000ffffffff,
        0xffffffff00000000,
        0xfffffffffffffffe,
        0xffffffffffffffff,
        0xffffffffffffffff,
        0xffffffffffffffff,
    ];

    /// `-1 / p = 2^32 + 1 mod 2^64`. Adding a multiple of `p` means adding `2^384` times the factor and subtracting
    /// `2^128 + 2^96 - 2^32 + 1` times the factor, which takes only shifts.
    #[inline(always)]
    fn reduce(low: &Limbs<6>) -> Limbs<6> {
        let mut rest = *low;
        for _ in 0..6 {
            let factor = rest[0].wrapping_add(rest[0] << 32);
            // The limbs of the subtrahend. The lowest one equals that of `rest`.
            let (_, borrow) = factor.overflowing_sub(factor << 32);
            let (less_1, borrow) = words::borrowing_sub(factor << 32, factor >> 32, borrow);
            // A `factor` below 2^32 had no borrow.
            let (less_2, less_3) = factor.overflowing_add((factor >> 32).wrapping_sub(u64::from(borrow)));
            let (limb_0, borrow) = words::borrowing_sub(rest[1], less_1, false);
            let (limb_1, borrow) = words::borrowing_sub(rest[2], less_2, borrow);
            let (limb_2, borrow) = words::borrowing_sub(rest[3], u64::from(less_3), borrow);
            let (limb_3, borrow) = words::borrowing_sub(rest[4], 0, borrow);
            let (limb_4, borrow) = words::borrowing_sub(rest[5], 0, borrow);
            rest = [limb_0, limb_1, limb_2, limb_3, limb_4, factor.wrapping_sub(u64::from(borrow))];
        }
        rest
    }
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Order;

impl Modulus<6> for Order {
    const MODULUS: Limbs<6> = [
        0xecec196accc52973,
        0x581a0db248b0a77a,
        0xc7634d81f4372ddf,
        0xffffffffffffffff,
        0xffffffffffffffff,
        0xffffffffffffffff,
    ];
}

fiat_modulus!(
    VerifiedPrime,
    Prime,
    6,
    prime::fiat_p384_montgomery_domain_field_element,
    prime::fiat_p384_mul,
    prime::fiat_p384_add,
    prime::fiat_p384_sub
);

fiat_modulus!(
    VerifiedOrder,
    Order,
    6,
    order::fiat_p384_scalar_montgomery_domain_field_element,
    order::fiat_p384_scalar_mul,
    order::fiat_p384_scalar_add,
    order::fiat_p384_scalar_sub
);
