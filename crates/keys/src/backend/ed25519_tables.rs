//! Ed25519 with tables of each key's multiples, computed when a set is built (feature `ed25519-tables`).
//!
//! Accepts exactly the signatures that ring and aws-lc-rs accept: computes the same point and compares the same bytes.
//! Nothing here is secret, so the time may depend on the values.

use std::sync::{Arc, LazyLock};

use curve25519_dalek::constants::ED25519_BASEPOINT_POINT;
use curve25519_dalek::edwards::{CompressedEdwardsY, EdwardsPoint};
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::Identity;

use super::library::{self, sha512};
use super::{Backend, KeyMaterial, PreparedKey, SignatureCheck};

/// Keys start without tables: only a key set knows whether there are too many.
pub(crate) struct Ed25519;

impl Backend for Ed25519 {
    fn prepare(&self, key: &KeyMaterial<'_>) -> Option<PreparedKey> {
        match *key {
            KeyMaterial::Encoded(bytes) => {
                let library = library::ED25519?.prepare(key)?;
                Some(Arc::new(WithoutTables { key: bytes.try_into().ok()?, library }))
            }
            _ => None,
        }
    }
}

#[derive(Clone)]
struct WithoutTables {
    key: [u8; 32],
    library: PreparedKey,
}

impl SignatureCheck for WithoutTables {
    fn check(&self, message: &[u8], signature: &[u8]) -> bool {
        self.library.check(message, signature)
    }

    fn has_tables(&self) -> Option<bool> {
        Some(false)
    }

    fn with_tables(&self, wanted: bool) -> Option<PreparedKey> {
        if !wanted {
            return Some(Arc::new(self.clone()));
        }
        let point = CompressedEdwardsY(self.key).decompress()?;
        LazyLock::force(&MULTIPLES_OF_BASE);
        Some(Arc::new(WithTables { without: self.clone(), multiples_of_minus_key: Multiples::new(-point) }))
    }
}

struct WithTables {
    without: WithoutTables,
    multiples_of_minus_key: Multiples,
}

impl SignatureCheck for WithTables {
    /// RFC 8032 section 5.1.7, the equation without the cofactor: R is compared as bytes with the encoding of `[S]B -
    /// [k]A`, so no other encoding of R passes.
    fn check(&self, message: &[u8], signature: &[u8]) -> bool {
        let Some((r, s)) = signature.split_first_chunk::<32>() else {
            return false;
        };
        // None if S is not below the order of B.
        let s = s.try_into().ok().and_then(|s| Option::<Scalar>::from(Scalar::from_canonical_bytes(s)));
        let Some(s) = s else {
            return false;
        };
        let k = Scalar::from_bytes_mod_order_wide(&sha512([r, &self.without.key, message]));
        let point = sum_of_products([(&self.multiples_of_minus_key, &k), (&MULTIPLES_OF_BASE, &s)]);
        point.compress().as_bytes() == r
    }

    fn has_tables(&self) -> Option<bool> {
        Some(true)
    }

    fn with_tables(&self, wanted: bool) -> Option<PreparedKey> {
        self.without.with_tables(wanted)
    }
}

/// Initialised when a key gets its tables, so that no check waits for it.
static MULTIPLES_OF_BASE: LazyLock<Multiples> = LazyLock::new(|| Multiples::new(ED25519_BASEPOINT_POINT));

/// A scalar has 253 bits. In radix 64 these are 43 digits, in groups of four: `PLACES` times `DIGITS`.
const DIGITS: usize = 4;
const PLACES: usize = 11;

/// Index `i` holds the multiples by 1 to 32 of `[2^(24 i)]P`: every digit of a group selects one of them or its
/// negative.
struct Multiples(Box<[[EdwardsPoint; 32]]>);

impl Multiples {
    fn new(point: EdwardsPoint) -> Self {
        let mut unit = point;
        let place = |_| {
            let mut multiple = EdwardsPoint::identity();
            let multiples = [(); 32].map(|()| {
                multiple += unit;
                multiple
            });
            unit = (0..DIGITS).fold(unit, |unit, _| times_64(unit));
            multiples
        };
        Multiples((0..PLACES).map(place).collect())
    }
}

/// The sum of each point times its scalar.
///
/// Adds the digits of one weight within their groups first, for all groups and points. Then multiplies by 64 and adds
/// the next weight's digits: three multiplications by 64 in all (Lim and Lee, "More Flexible Exponentiation with
/// Precomputation", 1994).
fn sum_of_products(terms: [(&Multiples, &Scalar); 2]) -> EdwardsPoint {
    let terms = terms.map(|(multiples, scalar)| (multiples, signed_digits(scalar)));
    let mut sum = EdwardsPoint::identity();
    for weight in (0..DIGITS).rev() {
        for (multiples, digits) in &terms {
            for (multiples, digits) in multiples.0.iter().zip(digits) {
                match digits[weight] {
                    0 => {}
                    digit @ 1.. => sum += &multiples[usize::from(digit.unsigned_abs()) - 1],
                    digit => sum -= &multiples[usize::from(digit.unsigned_abs()) - 1],
                }
            }
        }
        if weight > 0 {
            sum = times_64(sum);
        }
    }
    sum
}

fn times_64(point: EdwardsPoint) -> EdwardsPoint {
    point.mul_by_cofactor().mul_by_cofactor()
}

/// The digits of `scalar` in radix 64, from -31 to 32, the lowest first.
fn signed_digits(scalar: &Scalar) -> [[i8; DIGITS]; PLACES] {
    let mut digits = [[0; DIGITS]; PLACES];
    let mut carry = 0;
    for (digits, bytes) in digits.iter_mut().zip(scalar.as_bytes().chunks(3)) {
        let place = bytes.iter().rev().fold(0, |place, &byte| place << 8 | u32::from(byte));
        for (index, digit) in digits.iter_mut().enumerate() {
            let value = (place >> (6 * index) & 63) as i8 + carry;
            carry = i8::from(value > 32);
            *digit = value - 64 * carry;
        }
    }
    // The highest digit is at most 2, so the last carry is 0.
    digits
}
