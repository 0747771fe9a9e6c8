use super::field::{Field, hex};
use crate::algorithm::Curve;
use crate::key_refused::KeyRefused;

/// Vets `point`, an encoded point of `curve` (SEC 1 section 2.3.4, FIPS 186-5 section 6.2.3, NIST SP 800-56A section
/// 5.6.2.3.4). These curves have groups of prime order, so a point on the curve needs no test of its order.
pub(crate) fn vet_point(curve: Curve, point: &[u8]) -> Result<(), KeyRefused> {
    let parameters = parameters(curve);
    let length = parameters.prime.len();
    let (x, y) = match point {
        [0] => return Err(KeyRefused::EcPointAtInfinity),
        [4, coordinates @ ..] if coordinates.len() == 2 * length => coordinates.split_at(length),
        _ => return Err(KeyRefused::EcCoordinateLength),
    };
    if point[1..].iter().all(|&byte| byte == 0) {
        return Err(KeyRefused::EcPointAtInfinity);
    }
    let on_curve = match length.div_ceil(8) {
        4 => parameters.holds::<4>(x, y),
        6 => parameters.holds::<6>(x, y),
        _ => parameters.holds::<9>(x, y),
    };
    if on_curve { Ok(()) } else { Err(KeyRefused::EcPointNotOnCurve) }
}

/// The curve y^2 = x^3 + a x + b modulo a prime. All values are big-endian and as long as the prime.
struct Parameters {
    prime: &'static [u8],
    a: A,
    b: &'static [u8],
}

enum A {
    Zero,
    MinusThree,
}

impl Parameters {
    fn holds<const N: usize>(&self, x: &[u8], y: &[u8]) -> bool {
        let field = Field::<N>::new(self.prime);
        let (Some(x), Some(y), Some(b)) = (field.element(x), field.element(y), field.element(self.b)) else {
            return false;
        };
        let mut left = field.square(y);
        if let A::MinusThree = self.a {
            left = field.add(left, field.add(x, field.add(x, x)));
        }
        let right = field.add(field.multiply(field.square(x), x), b);
        left == right
    }
}

/// NIST SP 800-186 sections 3.2.1.3 to 3.2.1.5, SEC 2 section 2.4.1.
fn parameters(curve: Curve) -> Parameters {
    match curve {
        Curve::P256 => Parameters { prime: &P256_PRIME, a: A::MinusThree, b: &P256_B },
        Curve::P384 => Parameters { prime: &P384_PRIME, a: A::MinusThree, b: &P384_B },
        Curve::P521 => Parameters { prime: &P521_PRIME, a: A::MinusThree, b: &P521_B },
        Curve::Secp256k1 => Parameters { prime: &SECP256K1_PRIME, a: A::Zero, b: &SECP256K1_B },
    }
}

const P256_PRIME: [u8; 32] = hex("ffffffff00000001000000000000000000000000ffffffffffffffffffffffff");
const P256_B: [u8; 32] = hex("5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b");
const P384_PRIME: [u8; 48] =
    hex("fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffff0000000000000000ffffffff");
const P384_B: [u8; 48] =
    hex("b3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aef");
const P521_PRIME: [u8; 66] = hex(
    "01ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
);
const P521_B: [u8; 66] = hex(
    "0051953eb9618e1c9a1f929a21a0b68540eea2da725b99b315f3b8b489918ef109e156193951ec7e937b1652c0bd3bb1bf073573df883d2c34f1ef451fd46b503f00",
);
const SECP256K1_PRIME: [u8; 32] = hex("fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f");
const SECP256K1_B: [u8; 32] = hex("0000000000000000000000000000000000000000000000000000000000000007");
