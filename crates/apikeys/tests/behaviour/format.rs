//! What a key looks like, and what is not one.

use proptest::prelude::*;
use regex::Regex;
use tollgate_apikeys::{ApiKey, Digest, Flaw, KeyError, KeyFormat};

const ALPHABET: &str = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Computed apart from this crate: Python's `int`, `zlib.crc32` and `hashlib.sha256`. As in docs/api-keys.md.
const VECTORS: [(&str, &str, [u8; 32], &str, &str); 5] = [
    (
        "tg",
        "live",
        [0x00; 32],
        "tg_live_100000000000000000000000000000000000000000000JtwuU",
        "98109360551b45853d72aa66841b8fa6e458f3f8114564c195cdca0304d864b2",
    ),
    (
        "tg",
        "live",
        [0xFF; 32],
        "tg_live_1yhjskwdA6OZ1AL1YmHWZWm8LLG7HjnuCA2j5rOw8Xp13PDsDu",
        "e7913144bb5345ba5d2ad43388ff18b1b0711e4e223e2bf18d4c229d0fb20937",
    ),
    (
        "tg",
        "live",
        counting(),
        "tg_live_1003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf16kdCw",
        "f4f4b2dff3c1c15acb13e21b06af1214bf620f8a7c94417e438d9642f580bb1d",
    ),
    (
        "tg",
        "test",
        counting(),
        "tg_test_1003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf16mQSx",
        "fb7055a91247e8924fe0bf7c323228c270a1c7e2f3b36453e3a9803fa7c82da3",
    ),
    (
        "acme2",
        "sandbox",
        sixty_one(),
        "acme2_sandbox_1000000000000000000000000000000000000000000z1O6wtQ",
        "a9a0c8e61a6faea83b8fec902c1fd66a5fbd523cad52d5a98588ab9439857155",
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
        assert_eq!(format.check(text.as_bytes()), Ok(()));
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
    let key = "tg_live_1003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf16kdCw";
    for (presented, flaw) in [
        (String::new(), Flaw::Prefix),
        (key.replace("live", "test"), Flaw::Prefix),
        (key.to_uppercase(), Flaw::Prefix),
        (format!(" {key}"), Flaw::Prefix),
        ("tg_live_".into(), Flaw::Length { bytes: 8, expected: 58 }),
        (format!("{key}\n"), Flaw::Length { bytes: 59, expected: 58 }),
        (key[..57].into(), Flaw::Length { bytes: 57, expected: 58 }),
        (key.replace("_10", "_20"), Flaw::Version { found: b'2' }),
        (key.replace("_10", "_\0\x30"), Flaw::Version { found: 0 }),
        (key.replace("JC7", "J_7"), Flaw::Alphabet),
        (key.replace("kdCw", "kdC="), Flaw::Alphabet),
        (key.replace("_10", "_1z"), Flaw::Range),
        (key.replace("kdCw", "kdCx"), Flaw::Checksum),
        (key.replace("JC7", "JC8"), Flaw::Checksum),
        (key.replace("16kdCw", "zzzzzz"), Flaw::Checksum),
    ] {
        assert_eq!(live().check(presented.as_bytes()), Err(KeyError::Malformed(flaw)), "{presented}");
        assert_eq!(KeyError::Malformed(flaw).code(), flaw.code());
    }
}

#[test]
fn a_body_above_256_bits_is_rejected_though_its_checksum_is_right() {
    let largest = ApiKey::danger_from_entropy(&live(), &[0xFF; 32]);
    let head = largest.as_str()[..52].replace("w8Xp1", "w8Xp2");
    let presented = with_checksum(&head);
    assert_eq!(live().check(presented.as_bytes()), Err(KeyError::Malformed(Flaw::Range)));
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
    let digest = Digest::of(b"abc");
    let hex = digest.to_hex();
    assert_eq!(Digest::from_hex(&hex), Some(digest));
    for wrong in ["", &hex[1..], &hex.to_uppercase(), &format!("{hex}00"), &hex.replace('b', "g")] {
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

/// The slow twin: another CRC-32, and base62 by repeated division of one number.
fn with_checksum(head: &str) -> String {
    let mut checksum = crc32fast::hash(head.as_bytes()) as usize;
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

/// The slow twin of the body's encoding: Horner's rule over bytes.
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
