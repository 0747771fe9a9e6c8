use super::field::{Field, hex};
use crate::key_refused::KeyRefused;

/// Vets an Ed25519 key (RFC 8032 section 5.1.3; RFC 7748 section 6.1 on points of small order).
///
/// A key with a component of small order besides one of large order is accepted: nobody but its owner can sign for it.
pub(crate) fn vet_ed25519(key: &[u8]) -> Result<(), KeyRefused> {
    let mut y: [u8; 32] = key.try_into().map_err(|_| KeyRefused::Ed25519KeyLength)?;
    y.reverse();
    // Clears the sign bit of x.
    y[0] &= 0x7f;

    let field = Field::<4>::new(&PRIME);
    let element = |bytes: &[u8]| field.element(bytes).ok_or(KeyRefused::Ed25519NotCanonical);
    let (one, minus_one, d) = (element(&ONE)?, element(&MINUS_ONE)?, element(&D)?);
    let square = field.square(element(&y)?);
    if SMALL_ORDER.contains(&y) {
        return Err(KeyRefused::Ed25519SmallOrder);
    }
    // x^2 = (y^2 - 1) / (d y^2 + 1). The quotient is a square exactly if the product is, because they differ by a
    // square factor. Neither factor is 0: the first only for y = 1 or -1, which are of small order; the second never,
    // because -1/d is not a square.
    let product = field.multiply(field.add(square, minus_one), field.add(field.multiply(d, square), one));
    if field.power(product, &HALF_OF_PRIME_LESS_ONE) == one { Ok(()) } else { Err(KeyRefused::Ed25519NotOnCurve) }
}

const PRIME: [u8; 32] = hex("7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffed");
const HALF_OF_PRIME_LESS_ONE: [u8; 32] = hex("3ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff6");
const ONE: [u8; 32] = hex("0000000000000000000000000000000000000000000000000000000000000001");
const MINUS_ONE: [u8; 32] = hex("7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffec");
const D: [u8; 32] = hex("52036cee2b6ffe738cc740797779e89800700a4d4141d8ab75eb4dca135978a3");

/// The y of the eight points whose order divides 8, with either sign of x: of order 4, 1, 2, and 8 twice.
const SMALL_ORDER: [[u8; 32]; 5] = [
    [0; 32],
    ONE,
    MINUS_ONE,
    hex("05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826"),
    hex("7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7"),
];
