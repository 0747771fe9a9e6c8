//! Montgomery arithmetic modulo an odd number. For public values only: the time depends on them.

/// An odd modulus of at most `64 * N` bits.
pub(super) struct Field<const N: usize> {
    modulus: [u64; N],
    /// -1 / modulus, modulo 2^64.
    negative_inverse: u64,
    /// R^2 modulo the modulus, where R is 2^(64 * N).
    r_squared: [u64; N],
}

/// A number below the modulus, multiplied by R.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(super) struct Element<const N: usize>([u64; N]);

impl<const N: usize> Field<N> {
    /// `modulus`: big-endian, odd, above 1, at most `8 * N` bytes.
    pub(super) fn new(modulus: &[u8]) -> Self {
        let modulus = limbs(modulus);
        let mut field = Field { modulus, negative_inverse: negative_inverse(modulus[0]), r_squared: [0; N] };
        field.r_squared[0] = 1;
        for _ in 0..2 * 64 * N {
            field.r_squared = field.sum(&field.r_squared, &field.r_squared);
        }
        field
    }

    /// The number that `bytes` (big-endian, at most `8 * N`) encode; None if it is not below the modulus.
    pub(super) fn element(&self, bytes: &[u8]) -> Option<Element<N>> {
        let limbs = limbs(bytes);
        is_below(&limbs, &self.modulus).then(|| Element(self.product(&limbs, &self.r_squared)))
    }

    pub(super) fn add(&self, a: Element<N>, b: Element<N>) -> Element<N> {
        Element(self.sum(&a.0, &b.0))
    }

    pub(super) fn multiply(&self, a: Element<N>, b: Element<N>) -> Element<N> {
        Element(self.product(&a.0, &b.0))
    }

    pub(super) fn square(&self, a: Element<N>) -> Element<N> {
        self.multiply(a, a)
    }

    /// Raises `base` to the power of `exponent`, which is big-endian and not 0.
    pub(super) fn power(&self, base: Element<N>, exponent: &[u8]) -> Element<N> {
        let mut result = None;
        for bit in exponent.iter().flat_map(|byte| (0..8).rev().map(move |shift| byte >> shift & 1)) {
            result = result.map(|result| self.square(result));
            if bit == 1 {
                result = Some(result.map_or(base, |result| self.multiply(result, base)));
            }
        }
        result.unwrap_or(base)
    }

    fn sum(&self, a: &[u64; N], b: &[u64; N]) -> [u64; N] {
        let mut sum = [0; N];
        let mut carry = false;
        for i in 0..N {
            (sum[i], carry) = add_with_carry(a[i], b[i], carry);
        }
        self.reduce_once(sum, carry)
    }

    /// a * b / R: "coarsely integrated operand scanning" (Koç, Acar, Kaliski 1996).
    fn product(&self, a: &[u64; N], b: &[u64; N]) -> [u64; N] {
        let mut product = [0; N];
        let mut overflow = false;
        for &b in b {
            let mut carry = 0;
            for i in 0..N {
                (product[i], carry) = multiply_add(a[i], b, product[i], carry);
            }
            let (high, overflow_of_sum) = carry.overflowing_add(u64::from(overflow));

            let factor = product[0].wrapping_mul(self.negative_inverse);
            (_, carry) = multiply_add(factor, self.modulus[0], product[0], 0);
            for i in 1..N {
                (product[i - 1], carry) = multiply_add(factor, self.modulus[i], product[i], carry);
            }
            let (top, overflow_of_shift) = high.overflowing_add(carry);
            product[N - 1] = top;
            // The sum stays below 2 * modulus * 2^64, so at most one of the two is set.
            overflow = overflow_of_sum || overflow_of_shift;
        }
        self.reduce_once(product, overflow)
    }

    /// Reduces a number below twice the modulus, whose highest bit is `overflow`.
    fn reduce_once(&self, number: [u64; N], overflow: bool) -> [u64; N] {
        if !overflow && is_below(&number, &self.modulus) {
            return number;
        }
        let mut difference = [0; N];
        let mut borrow = false;
        for i in 0..N {
            (difference[i], borrow) = subtract_with_borrow(number[i], self.modulus[i], borrow);
        }
        difference
    }
}

fn add_with_carry(a: u64, b: u64, carry: bool) -> (u64, bool) {
    let (sum, first) = a.overflowing_add(b);
    let (sum, second) = sum.overflowing_add(u64::from(carry));
    (sum, first || second)
}

fn subtract_with_borrow(a: u64, b: u64, borrow: bool) -> (u64, bool) {
    let (difference, first) = a.overflowing_sub(b);
    let (difference, second) = difference.overflowing_sub(u64::from(borrow));
    (difference, first || second)
}

/// a * b + c + carry, low half first. It fits: (2^64 - 1)^2 + 2 (2^64 - 1) is 2^128 - 1.
fn multiply_add(a: u64, b: u64, c: u64, carry: u64) -> (u64, u64) {
    let wide = u128::from(a) * u128::from(b) + u128::from(c) + u128::from(carry);
    (wide as u64, (wide >> 64) as u64)
}

/// Newton's method: each round doubles the number of correct bits, and x is its own inverse modulo 8.
fn negative_inverse(odd: u64) -> u64 {
    let mut inverse = odd;
    for _ in 0..5 {
        inverse = inverse.wrapping_mul(2_u64.wrapping_sub(odd.wrapping_mul(inverse)));
    }
    inverse.wrapping_neg()
}

fn is_below<const N: usize>(a: &[u64; N], b: &[u64; N]) -> bool {
    a.iter().rev().lt(b.iter().rev())
}

/// Big-endian bytes to limbs, the lowest first.
fn limbs<const N: usize>(bytes: &[u8]) -> [u64; N] {
    let mut limbs = [0; N];
    for (limb, chunk) in limbs.iter_mut().zip(bytes.rchunks(8)) {
        *limb = chunk.iter().fold(0, |limb, &byte| limb << 8 | u64::from(byte));
    }
    limbs
}

/// A constant from a standard: `2 * L` hexadecimal digits, in lower case.
pub(super) const fn hex<const L: usize>(text: &str) -> [u8; L] {
    let text = text.as_bytes();
    assert!(text.len() == 2 * L);
    let mut bytes = [0; L];
    let mut index = 0;
    while index < 2 * L {
        let digit = match text[index] {
            digit @ b'0'..=b'9' => digit - b'0',
            digit @ b'a'..=b'f' => digit - b'a' + 10,
            _ => panic!("not a hexadecimal digit"),
        };
        bytes[index / 2] = bytes[index / 2] << 4 | digit;
        index += 1;
    }
    bytes
}
