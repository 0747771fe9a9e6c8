//! The shape of a key, and the flaws that reject one.

use proptest::prelude::*;
use regex::Regex;
use tollgate_apikeys::{ApiKey, Digest, Flaw, KeyError, KeyFormat, NativeKey};

const ALPHABET: &str = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Computed independently of this crate: Python's `int`, `zlib.crc32` and `hashlib.sha256`. As in docs/api-keys.md.
const VECTORS: [(&str, &str, [u8; 32], &str, &str); 5] = [
    (
        "tg",
        "live",
        [0x00; 32],
        "tg_live_2000000000000000000000000000000000000000000023A3zs",
        "6fff29a855cf19ea53f3ffd25ed36a4b01c1010c9f77843c7685a5c457cc5728",
    ),
    (
        "tg",
        "live",
        [0xFF; 32],
        "tg_live_2yhjskwdA6OZ1AL1YmHWZWm8LLG7HjnuCA2j5rOw8Xp13b2Lfs",
        "c4702158c54171f7230abd72b02006f464fd7e902e0f3cb61a6060cee54bb579",
    ),
    (
        "tg",
        "live",
        counting(),
        "tg_live_2003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf1E1Wau",
        "42f531286cc5e2686dc65b59ecdd1f1ae727a99eb3f6e25b2047b0fc3eb4a62a",
    ),
    (
        "tg",
        "test",
        counting(),
        "tg_test_2003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf1Dz4iD",
        "42ec488d1d52d1fd9e901f31414c05ddde72a5f3f29e974a1446427d146b477a",
    ),
    (
        "acme2",
        "sandbox",
        sixty_one(),
        "acme2_sandbox_2000000000000000000000000000000000000000000z0yxJC6",
        "35afd3223179fc8616de26e702920bd674d15f5af8e9e74358e773558e7b00b2",
    ),
];

#[test]
fn keys_and_digests_are_those_of_the_specification() {
    for (prefix, env, entropy, text, digest) in VECTORS {
        let format = KeyFormat::new(prefix, env).unwrap();
        let key = ApiKey::danger_from_entropy(&format, &entropy);
        assert_eq!(key.as_str(), text);
        assert_eq!(key.as_str().len(), format.key_length());
        assert_eq!(key.digest().to_hex(), digest);
        for checked in [format.check(text.as_bytes()), NativeKey::parse(text.as_bytes())] {
            let checked = checked.unwrap();
            assert_eq!((checked.digest(), checked.head()), (key.digest(), format.head()));
        }
    }
}

#[test]
fn the_documentation_holds_the_vectors_and_the_pattern() {
    let specification = include_str!("../../../../docs/api-keys.md");
    for (.., text, digest) in VECTORS {
        assert!(specification.contains(text), "{text}");
        assert!(specification.contains(digest), "{digest}");
    }
    assert!(specification.contains(&live().scanner_pattern()));
}

#[test]
fn each_flaw_is_named() {
    let key = "tg_live_2003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf1E1Wau";
    for (presented, flaw) in [
        (String::new(), Flaw::Prefix),
        (key.replace("live", "test"), Flaw::Prefix),
        (key.to_uppercase(), Flaw::Prefix),
        (format!(" {key}"), Flaw::Prefix),
        ("tg_live_".into(), Flaw::Length { bytes: 8, expected: 58 }),
        (format!("{key}\n"), Flaw::Length { bytes: 59, expected: 58 }),
        (key[..57].into(), Flaw::Length { bytes: 57, expected: 58 }),
        (key.replace("_20", "_10"), Flaw::Version { found: b'1' }),
        (key.replace("_20", "_\0\x30"), Flaw::Version { found: 0 }),
        (key.replace("JC7", "J_7"), Flaw::Alphabet),
        (key.replace("JC7", "__7"), Flaw::Alphabet),
        (key.replace("1Wau", "1Wa="), Flaw::Alphabet),
        (key.replace("_20", "_2z"), Flaw::Range),
        (key.replace("1Wau", "1Wav"), Flaw::Checksum),
        (key.replace("JC7", "JC8"), Flaw::Checksum),
        (key.replace("1E1Wau", "zzzzzz"), Flaw::Checksum),
    ] {
        assert_eq!(live().check(presented.as_bytes()).unwrap_err(), KeyError::Malformed(flaw), "{presented}");
        // `NativeKey::parse`, for any prefix, reports the same flaw, unless the prefix alone is wrong.
        match NativeKey::parse(presented.as_bytes()) {
            Ok(_) => panic!("{presented}"),
            Err(error) => assert!(flaw == Flaw::Prefix || error == KeyError::Malformed(flaw), "{presented}: {error}"),
        }
        assert_eq!(KeyError::Malformed(flaw).code(), flaw.code());
    }
}

#[test]
fn labels_of_any_operator_have_their_form() {
    let key = "acme2_sandbox_2000000000000000000000000000000000000000000z0yxJC6";
    assert!(NativeKey::parse(key.as_bytes()).is_ok());
    for (label, other) in
        [("acme2", "Acme2"), ("acme2", ""), ("sandbox", "sand-box"), ("sandbox", ""), ("sandbox", "2")]
    {
        let presented = key.replacen(label, other, 1);
        assert_eq!(
            NativeKey::parse(presented.as_bytes()).unwrap_err(),
            KeyError::Malformed(Flaw::Prefix),
            "{presented}"
        );
    }
}

#[test]
fn a_body_above_256_bits_is_rejected_though_its_checksum_is_right() {
    let largest = ApiKey::danger_from_entropy(&live(), &[0xFF; 32]);
    let head = largest.as_str()[..52].replace("w8Xp1", "w8Xp2");
    let presented = with_checksum(&head);
    assert_eq!(live().check(presented.as_bytes()).unwrap_err(), KeyError::Malformed(Flaw::Range));
}

#[test]
fn labels_are_short_lower_case_and_start_with_a_letter() {
    for label in ["a", "tg", "k8s", "abcdefghijklmnop"] {
        assert!(KeyFormat::new(label, "live").is_ok(), "{label}");
        assert!(KeyFormat::new("tg", label).is_ok(), "{label}");
    }
    for label in ["", "TG", "1st", "a_b", "a-b", "é", "a b", "abcdefghijklmnopq"] {
        assert_eq!(KeyFormat::new(label, "live"), Err(KeyError::InvalidLabel), "{label}");
        assert_eq!(KeyFormat::new("tg", label), Err(KeyError::InvalidLabel), "{label}");
    }
}

#[test]
fn two_generated_keys_differ_and_debug_shows_neither() {
    let (one, other) = (ApiKey::generate(&live()).unwrap(), ApiKey::generate(&live()).unwrap());
    assert_ne!(one.as_str(), other.as_str());
    assert_eq!(format!("{one:?}"), "ApiKey(..)");
    assert_eq!(format!("{:?}", one.digest()), "Digest(..)");
}

#[test]
fn hexadecimal_digests_are_read_strictly() {
    let digest = Digest::from_bytes(counting());
    let hex = digest.to_hex();
    assert_eq!(Digest::from_hex(&hex), Some(digest));
    assert_eq!(*digest.as_bytes(), counting());
    for wrong in ["", &hex[1..], &hex.to_uppercase(), &format!("{hex}00"), &hex.replace('a', "g")] {
        assert_eq!(Digest::from_hex(wrong), None, "{wrong}");
    }
}

proptest! {
    #[test]
    fn a_key_is_its_entropy_and_an_independent_checksum(entropy: [u8; 32]) {
        let key = ApiKey::danger_from_entropy(&live(), &entropy);
        let (head, _) = key.as_str().split_at(52);
        prop_assert_eq!(with_checksum(head), key.as_str());
        prop_assert_eq!(decode(&head[9..]), entropy);
        prop_assert!(live().check(key.as_str().as_bytes()).is_ok());
    }

    #[test]
    fn any_one_changed_byte_is_detected(entropy: [u8; 32], at in 0_usize..58, by in 1_u8..) {
        let mut presented = ApiKey::danger_from_entropy(&live(), &entropy).as_str().as_bytes().to_vec();
        presented[at] ^= by;
        prop_assert!(live().check(&presented).is_err());
    }

    #[test]
    fn two_exchanged_neighbours_are_detected(entropy: [u8; 32], at in 0_usize..57) {
        let key = ApiKey::danger_from_entropy(&live(), &entropy);
        let mut presented = key.as_str().as_bytes().to_vec();
        presented.swap(at, at + 1);
        prop_assert_eq!(live().check(&presented).is_ok(), presented == key.as_str().as_bytes());
    }

    #[test]
    fn arbitrary_bytes_never_panic_and_are_no_key(bytes: Vec<u8>, tail in "[0-9A-Za-z]{50}") {
        prop_assert!(live().check(&bytes).is_err());
        // One in 2^32 passes by chance; a failure here is worth a look.
        let lookalike = format!("tg_live_{tail}");
        prop_assert!(live().check(lookalike.as_bytes()).is_err());
    }

    #[test]
    fn the_pattern_finds_a_key_in_text(entropy: [u8; 32], before in "[ \"'=:,\n]", after in "[ \"'&;,\n]") {
        let key = ApiKey::danger_from_entropy(&live(), &entropy);
        let pattern = Regex::new(&live().scanner_pattern()).unwrap();
        let text = format!("curl -H {before}{}{after} https://api.example.com", key.as_str());
        let found: Vec<_> = pattern.find_iter(&text).map(|found| found.as_str()).collect();
        prop_assert_eq!(found, [key.as_str()]);
        let longer = format!("x{}", key.as_str());
        prop_assert!(!pattern.is_match(&longer));
    }
}

fn live() -> KeyFormat {
    KeyFormat::new("tg", "live").unwrap()
}

const fn counting() -> [u8; 32] {
    let mut bytes = [0; 32];
    let mut n = 0;
    while n < 32 {
        bytes[n] = n as u8;
        n += 1;
    }
    bytes
}

const fn sixty_one() -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes[31] = 61;
    bytes
}

/// The naive version: CRC-32 (IEEE 802.3) bit by bit, and base62 by repeated division of one number.
fn with_checksum(head: &str) -> String {
    let crc = head
        .bytes()
        .fold(!0_u32, |crc, byte| (0..8).fold(crc ^ u32::from(byte), |crc, _| (crc >> 1) ^ (0xEDB8_8320 * (crc & 1))));
    let mut checksum = !crc as usize;
    let mut digits = [' '; 6];
    for digit in digits.iter_mut().rev() {
        *digit = char::from(ALPHABET.as_bytes()[checksum % 62]);
        checksum /= 62;
    }
    digits.iter().fold(head.to_owned(), |mut key, &digit| {
        key.push(digit);
        key
    })
}

/// The naive version of the body's encoding: Horner's rule over bytes.
fn decode(body: &str) -> [u8; 32] {
    let mut number = [0_u8; 32];
    for digit in body.chars() {
        let mut carry = ALPHABET.find(digit).unwrap();
        for byte in number.iter_mut().rev() {
            carry += usize::from(*byte) * 62;
            *byte = (carry % 256) as u8;
            carry /= 256;
        }
        assert_eq!(carry, 0);
    }
    number
}
