//! Keys that are not points, and window widths out of bounds.

use tollgate_ecdsa::limits::{KEY_WINDOW_BITS, MAX_WINDOW_BITS, MIN_WINDOW_BITS};
use tollgate_ecdsa::{Curve, KeyRefused, PreparedKey};

use crate::support::Signer;

#[test]
fn a12_what_is_no_uncompressed_point_of_the_curve_is_refused() {
    for (curve, prime) in [(Curve::P256, P256_PRIME), (Curve::P384, P384_PRIME)] {
        let refused = |point: &[u8]| {
            assert_eq!(PreparedKey::new(curve, point, KEY_WINDOW_BITS).err(), Some(KeyRefused::Point), "{point:02x?}");
        };
        let point = Signer::new(curve).point;
        let bytes = point.len() / 2;
        refused(&[]);
        refused(&[4]);
        refused(&point[1..]);
        refused(&point[..point.len() - 1]);
        refused(&[&point[..], &[0]].concat());
        for first in [0, 2, 3, 5, 6, 7] {
            refused(&[&[first], &point[1..]].concat());
        }
        refused(&[&[2 + (point[2 * bytes] & 1)], &point[1..=bytes]].concat());
        refused(&[&[4][..], &vec![0; 2 * bytes]].concat());
        for place in 1..point.len() {
            let mut other = point.clone();
            other[place] ^= 0x10;
            refused(&other);
        }
        // A coordinate must be below the prime.
        let prime = &prime[..bytes];
        refused(&[&[4], prime, &point[1 + bytes..]].concat());
        refused(&[&[4], &point[1..=bytes], prime].concat());
        refused(&[&[4], &vec![0xff; 2 * bytes][..]].concat());
    }
}

#[test]
fn windows_out_of_bounds_are_refused() {
    let point = Signer::new(Curve::P256).point;
    for window_bits in [0, 1, MIN_WINDOW_BITS - 1, MAX_WINDOW_BITS + 1, 64, u32::MAX] {
        assert_eq!(PreparedKey::new(Curve::P256, &point, window_bits).err(), Some(KeyRefused::WindowBits));
    }
    for window_bits in MIN_WINDOW_BITS..=MAX_WINDOW_BITS {
        assert!(PreparedKey::new(Curve::P256, &point, window_bits).is_ok());
    }
}

#[test]
fn a_refusal_says_why() {
    for (refused, message) in [
        (KeyRefused::WindowBits, "the width of the windows is out of bounds"),
        (KeyRefused::Point, "the key is no uncompressed point of the curve"),
        (KeyRefused::Tables, "the tables were computed wrongly"),
    ] {
        assert_eq!(refused.to_string(), message);
    }
}

#[test]
fn a_prepared_key_shows_its_curve_and_no_tables() {
    for (curve, text) in
        [(Curve::P256, "PreparedKey { curve: P256, .. }"), (Curve::P384, "PreparedKey { curve: P384, .. }")]
    {
        let key = PreparedKey::new(curve, &Signer::new(curve).point, KEY_WINDOW_BITS).unwrap();
        assert_eq!(format!("{key:?}"), text);
    }
}

#[test]
fn tables_take_the_documented_memory() {
    for (curve, kibibytes) in [(Curve::P256, [52, 85, 145, 257]), (Curve::P384, [116, 193, 330, 577])] {
        let point = Signer::new(curve).point;
        for (window_bits, kibibytes) in (5..=8).zip(kibibytes) {
            let bytes = PreparedKey::new(curve, &point, window_bits).unwrap().table_bytes();
            assert_eq!(bytes.div_ceil(1024), kibibytes, "{curve:?} {window_bits}");
        }
    }
}

const P256_PRIME: [u8; 48] = {
    let mut prime = [0; 48];
    let mut i = 0;
    while i < 32 {
        prime[i] = if i < 4 || i >= 20 { 0xff } else { 0 };
        i += 1;
    }
    prime[7] = 1;
    prime
};

const P384_PRIME: [u8; 48] = {
    let mut prime = [0xff; 48];
    prime[31] = 0xfe;
    let mut i = 36;
    while i < 44 {
        prime[i] = 0;
        i += 1;
    }
    prime
};
