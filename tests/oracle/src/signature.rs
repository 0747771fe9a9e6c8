//! Changes to the bytes of a signature: invalid ones, and other signatures of the same message.

use crate::mutation::Choices;

pub(crate) fn flip_bit(signature: &mut [u8], choices: &mut Choices) {
    if !signature.is_empty() {
        let bit = choices.below(8 * signature.len());
        signature[bit / 8] ^= 1 << (bit % 8);
    }
}

pub(crate) fn resize(signature: &mut Vec<u8>, choices: &mut Choices) {
    let way = choices.below(8);
    let length = signature.len();
    match way {
        0 => signature.clear(),
        1 => drop(signature.pop()),
        2 => drop(signature.drain(..1.min(length))),
        3 => signature.push(0),
        4 => signature.insert(0, 0),
        5 => signature.truncate(choices.below(length + 1)),
        6 => signature.extend_from_within(..),
        _ => {
            signature.insert(length / 2, 0);
            signature.insert(0, 0);
        }
    }
}

/// By the algorithm: n - s, r + n, S + L, DER, zeros, halves swapped, and the like.
pub(crate) fn transform(signature: &mut Vec<u8>, alg: &str, choices: &mut Choices) {
    let way = choices.below(12);
    let order = match alg {
        "ES256" => P256_ORDER,
        "ES384" => P384_ORDER,
        "ES512" => P521_ORDER,
        "ES256K" => SECP256K1_ORDER,
        "EdDSA" | "Ed25519" => ED25519_ORDER,
        _ => return transform_opaque(signature, way),
    };
    let order = hex(order);
    if signature.len() != 2 * order.len() {
        // An earlier mutation has changed it.
        return;
    }
    let (r, s) = signature.split_at(signature.len() / 2);
    if alg.starts_with("Ed") {
        // Little-endian.
        let reversed = |number: &[u8]| number.iter().rev().copied().collect::<Vec<_>>();
        let (s, zeros) = (reversed(s), vec![0; 32]);
        *signature = match way {
            0..=4 => [r, &reversed(&add(&s, &order)[1..])].concat(),
            5 => [r, &reversed(&subtract(&order, &s))].concat(),
            6 => [&zeros[..], &zeros].concat(),
            7 => [&[&[1], &zeros[1..]].concat()[..], &zeros].concat(),
            8 => [r, &zeros].concat(),
            9 => [&reversed(&s)[..], r].concat(),
            // The other sign of x.
            10 => [&r[..31], &[r[31] ^ 0x80], &signature[32..]].concat(),
            _ => [&vec![0xff; 32][..], &signature[32..]].concat(),
        };
        return;
    }
    let (zeros, one) = (vec![0; r.len()], [&vec![0; r.len() - 1][..], &[1]].concat());
    *signature = match way {
        // The other signature of the same message (attack 7).
        0..=3 => [r, &subtract(&order, s)].concat(),
        4 => [r, &add(s, &order)[1..]].concat(),
        5 => [&add(r, &order)[1..], s].concat(),
        6 => der(r, s),
        7 => [s, r].concat(),
        8 => [&zeros[..], &zeros].concat(),
        9 => [&one[..], &one].concat(),
        10 => [&order[..], &order].concat(),
        _ => [r, &zeros].concat(),
    };
}

/// HMAC, RSA, ML-DSA.
fn transform_opaque(signature: &mut [u8], way: usize) {
    match way {
        0..=2 => signature.fill(0),
        3..=5 => signature.fill(0xff),
        6..=8 => signature.reverse(),
        // Adds to an RSA signature a value that is most likely not the modulus. The signature may be empty by now.
        _ => signature.iter_mut().take(1).for_each(|first| *first = first.wrapping_add(0x80)),
    }
}

/// a + b, one byte longer.
fn add(a: &[u8], b: &[u8]) -> Vec<u8> {
    let mut carry = 0;
    let mut sum: Vec<u8> = Vec::with_capacity(a.len() + 1);
    for (a, b) in a.iter().rev().zip(b.iter().rev()) {
        let digit = u16::from(*a) + u16::from(*b) + carry;
        sum.push(digit as u8);
        carry = digit >> 8;
    }
    sum.push(carry as u8);
    sum.reverse();
    sum
}

/// a - b modulo 256 to the power of their length.
fn subtract(a: &[u8], b: &[u8]) -> Vec<u8> {
    let mut borrow = 0;
    let mut difference: Vec<u8> = Vec::with_capacity(a.len());
    for (a, b) in a.iter().rev().zip(b.iter().rev()) {
        let digit = 256 + u16::from(*a) - u16::from(*b) - borrow;
        difference.push(digit as u8);
        borrow = 1 - (digit >> 8);
    }
    difference.reverse();
    difference
}

/// SEQUENCE of two INTEGERs (RFC 3279 section 2.2.3), as X.509 has it.
fn der(r: &[u8], s: &[u8]) -> Vec<u8> {
    let integer = |number: &[u8]| {
        let digits: Vec<u8> = number.iter().copied().skip_while(|byte| *byte == 0).collect();
        let sign = if digits.first().is_none_or(|first| first & 0x80 != 0) { &[0][..] } else { &[] };
        [&[2, (sign.len() + digits.len()) as u8], sign, &digits].concat()
    };
    let body = [integer(r), integer(s)].concat();
    let length = if body.len() < 0x80 { vec![body.len() as u8] } else { vec![0x81, body.len() as u8] };
    [&[0x30][..], &length, &body].concat()
}

fn hex(text: &str) -> Vec<u8> {
    let digit = |index| u8::from_str_radix(&text[index..index + 2], 16).expect("hexadecimal");
    (0..text.len()).step_by(2).map(digit).collect()
}

/// NIST SP 800-186 sections 3.2.1.3 to 3.2.1.5, SEC 2 section 2.4.1, RFC 8032 section 5.1.
const P256_ORDER: &str = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
const P384_ORDER: &str =
    "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973";
const P521_ORDER: &str = "01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409";
const SECP256K1_ORDER: &str = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141";
const ED25519_ORDER: &str = "1000000000000000000000000000000014def9dea2f79cd65812631a5cf5d3ed";
