//! ECDSA (FIPS 186-5 section 6.4) with big integers.

use std::sync::LazyLock;

use num_bigint::BigUint;

use super::hash::{Hash, expand};
use super::{from_hex, to_bytes};

/// y^2 = x^3 + ax + b over the integers modulo p, with a base point of order n.
pub(crate) struct Curve {
    pub(crate) name: &'static str,
    /// The content of its object identifier.
    pub(crate) oid: &'static [u8],
    pub(crate) p: BigUint,
    a: BigUint,
    pub(crate) n: BigUint,
    /// The base point, doubled repeatedly.
    doublings: Vec<Point>,
}

/// In Jacobian coordinates: x = X / Z^2, y = Y / Z^3; Z is 0 at infinity.
#[derive(Clone)]
struct Point {
    x: BigUint,
    y: BigUint,
    z: BigUint,
}

impl Curve {
    fn new(name: &'static str, oid: &'static [u8], [p, a, n, x, y]: [&str; 5]) -> Self {
        let base = Point { x: from_hex(x), y: from_hex(y), z: BigUint::from(1_u8) };
        let mut curve = Curve { name, oid, p: from_hex(p), a: from_hex(a), n: from_hex(n), doublings: Vec::new() };
        let doublings =
            std::iter::successors(Some(base), |point| Some(curve.double(point))).take(curve.n.bits() as usize);
        curve.doublings = doublings.collect();
        curve
    }

    /// Bytes in a coordinate, and in each half of a signature.
    pub(crate) fn length(&self) -> usize {
        self.p.bits().div_ceil(8) as usize
    }

    /// A number from 1 to n - 1 derived from `label` and `data`.
    pub(crate) fn scalar(&self, label: &str, data: &[u8]) -> BigUint {
        // Twice the length, so that the remainder is spread evenly.
        BigUint::from_bytes_be(&expand(label, data, 2 * self.length())) % (&self.n - 1_u8) + 1_u8
    }

    /// The affine coordinates of `scalar` times the base point.
    pub(crate) fn multiple(&self, scalar: &BigUint) -> (BigUint, BigUint) {
        let zero = Point { x: BigUint::from(1_u8), y: BigUint::from(1_u8), z: BigUint::ZERO };
        let addends = self.doublings.iter().enumerate().filter(|(bit, _)| scalar.bit(*bit as u64));
        let point = addends.fold(zero, |sum, (_, addend)| self.add(&sum, addend));
        let inverse = point.z.modinv(&self.p).expect("the scalar is no multiple of n");
        let square = self.times(&inverse, &inverse);
        (self.times(&point.x, &square), self.times(&point.y, &self.times(&square, &inverse)))
    }

    /// r and s.
    pub(crate) fn sign(&self, private: &BigUint, hash: Hash, message: &[u8]) -> (BigUint, BigUint) {
        let k = self.scalar("nonce", &[to_bytes(private, self.length()).as_slice(), message].concat());
        let r = self.multiple(&k).0 % &self.n;
        let digest = hash.digest(message);
        let excess = (8 * digest.len() as u64).saturating_sub(self.n.bits());
        let e = BigUint::from_bytes_be(&digest) >> excess;
        let s = k.modinv(&self.n).expect("n is prime") * (e + &r * private) % &self.n;
        (r, s)
    }

    fn times(&self, a: &BigUint, b: &BigUint) -> BigUint {
        a * b % &self.p
    }

    /// Both reduced.
    fn minus(&self, a: &BigUint, b: &BigUint) -> BigUint {
        (a + &self.p - b) % &self.p
    }

    fn double(&self, point: &Point) -> Point {
        let yy = self.times(&point.y, &point.y);
        let s = self.times(&point.x, &yy) * 4_u8 % &self.p;
        let zz = self.times(&point.z, &point.z);
        let m = (self.times(&point.x, &point.x) * 3_u8 + &self.a * self.times(&zz, &zz)) % &self.p;
        let x = self.minus(&self.times(&m, &m), &(&s * 2_u8 % &self.p));
        let y = self.minus(&self.times(&m, &self.minus(&s, &x)), &(self.times(&yy, &yy) * 8_u8 % &self.p));
        Point { x, y, z: self.times(&point.y, &point.z) * 2_u8 % &self.p }
    }

    /// The sum of two different points.
    fn add(&self, a: &Point, b: &Point) -> Point {
        if a.z == BigUint::ZERO {
            return b.clone();
        }
        let (aa, bb) = (self.times(&a.z, &a.z), self.times(&b.z, &b.z));
        let (u, v) = (self.times(&a.x, &bb), self.times(&b.x, &aa));
        let s = self.times(&a.y, &self.times(&bb, &b.z));
        let t = self.times(&b.y, &self.times(&aa, &a.z));
        let (h, r) = (self.minus(&v, &u), self.minus(&t, &s));
        let hh = self.times(&h, &h);
        let (hhh, uhh) = (self.times(&h, &hh), self.times(&u, &hh));
        let x = self.minus(&self.minus(&self.times(&r, &r), &hhh), &(&uhh * 2_u8 % &self.p));
        let y = self.minus(&self.times(&r, &self.minus(&uhh, &x)), &self.times(&s, &hhh));
        Point { x, y, z: self.times(&h, &self.times(&a.z, &b.z)) }
    }
}

/// NIST P-256 (SP 800-186 section 3.2.1.3).
pub(crate) static P256: LazyLock<Curve> = LazyLock::new(|| {
    Curve::new(
        "P-256",
        b"\x2a\x86\x48\xce\x3d\x03\x01\x07",
        [
            "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff",
            "ffffffff00000001000000000000000000000000fffffffffffffffffffffffc",
            "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551",
            "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296",
            "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5",
        ],
    )
});

/// NIST P-384 (SP 800-186 section 3.2.1.4).
pub(crate) static P384: LazyLock<Curve> = LazyLock::new(|| {
    Curve::new(
        "P-384",
        b"\x2b\x81\x04\x00\x22",
        [
            "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffff0000000000000000ffffffff",
            "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffff0000000000000000fffffffc",
            "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973",
            "aa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a385502f25dbf55296c3a545e3872760ab7",
            "3617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147ce9da3113b5f0b8c00a60b1ce1d7e819d7a431d7c90ea0e5f",
        ],
    )
});

/// NIST P-521 (SP 800-186 section 3.2.1.5).
pub(crate) static P521: LazyLock<Curve> = LazyLock::new(|| {
    Curve::new(
        "P-521",
        b"\x2b\x81\x04\x00\x23",
        [
            concat!(
                "01ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
                "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
            ),
            concat!(
                "01ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
                "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc"
            ),
            concat!(
                "01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
                "a51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409"
            ),
            concat!(
                "00c6858e06b70404e9cd9e3ecb662395b4429c648139053fb521f828af606b4d3dba",
                "a14b5e77efe75928fe1dc127a2ffa8de3348b3c1856a429bf97e7e31c2e5bd66"
            ),
            concat!(
                "011839296a789a3bc0045c8a5fb42c7d1bd998f54449579b446817afbd17273e662c",
                "97ee72995ef42640c550b9013fad0761353c7086a272c24088be94769fd16650"
            ),
        ],
    )
});

/// secp256k1 (SEC 2 section 2.4.1).
pub(crate) static SECP256K1: LazyLock<Curve> = LazyLock::new(|| {
    Curve::new(
        "secp256k1",
        b"\x2b\x81\x04\x00\x0a",
        [
            "fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f",
            "00",
            "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141",
            "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798",
            "483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8",
        ],
    )
});
