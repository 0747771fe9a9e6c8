//! What errors say, and what `Debug` shows of values that hold something secret.

use std::num::NonZeroU32;
use tollgate_apikeys::{ApiKeyTable, Flaw, ForeignKey, KeyError, KeyFormat, LastUse, NativeKey, Pepper};

use crate::support::key;

#[test]
fn every_error_has_its_code_and_message() {
    for (error, code, message) in [
        (KeyError::Unknown, "unknown-key", "no such API key"),
        (
            KeyError::InvalidLabel,
            "invalid-label",
            "a prefix or environment is 1 to 16 lower-case letters and digits, a letter first",
        ),
        (KeyError::RandomnessUnavailable, "randomness-unavailable", "the operating system gave no random bytes"),
        (KeyError::ForeignLength { bytes: 9 }, "foreign-length", "a foreign key has 16 to 512 bytes, not 9"),
        (KeyError::ForeignLooksNative, "foreign-looks-native", "a foreign key may not start as keys of this format do"),
        (
            KeyError::ForeignGuessable { estimated_bits: 53 },
            "foreign-guessable",
            "a foreign key of at most 53 bits of entropy can be guessed; 112 are needed",
        ),
        (KeyError::PepperTooShort { bytes: 31 }, "pepper-too-short", "a pepper has at least 32 bytes, not 31"),
    ] {
        assert_eq!((error.code(), error.to_string().as_str()), (code, message));
    }
    for (flaw, code, message) in [
        (Flaw::Prefix, "wrong-prefix", "another prefix"),
        (Flaw::Length { bytes: 57, expected: 58 }, "wrong-length", "57 bytes instead of 58"),
        (Flaw::Version { found: b'\n' }, "unknown-version", r"unknown version '\n'"),
        (Flaw::Alphabet, "not-base62", "a character outside 0-9A-Za-z"),
        (Flaw::Range, "body-out-of-range", "a body of more than 256 bits"),
        (Flaw::Checksum, "wrong-checksum", "the checksum does not match"),
    ] {
        assert_eq!((flaw.code(), flaw.to_string().as_str()), (code, message));
        let malformed = KeyError::Malformed(flaw);
        assert_eq!(malformed.code(), code);
        assert_eq!(malformed.to_string(), format!("not an API key of this format: {message}"));
    }
}

#[test]
fn debug_shows_names_alone() {
    let format = KeyFormat::new("tg", "live").unwrap();
    let table = ApiKeyTable::<u64>::new(format.clone());
    table.insert(&key(1), 1_u64);
    let (matched, entry) = (table.find(key(1).as_str().as_bytes()).unwrap(), table.get(&key(1).digest()).unwrap());
    assert_eq!(format!("{matched:?} {entry:?}"), "MatchedKey(..) TableEntry(..)");
    let foreign = ForeignKey::new(&format, b"9b2f64f1-6f0e-4c0e-9d0a-6a1f0c9b7d52").unwrap();
    let native = NativeKey::parse(key(1).as_str().as_bytes()).map(|native| format!("{native:?}"));
    assert_eq!(format!("{foreign:?} {}", native.unwrap()), "ForeignKey(..) NativeKey(..)");
    assert_eq!(format!("{:?}", Pepper::new(&[7; 32]).unwrap()), "Pepper(..)");
    assert_eq!(format!("{:?}", LastUse::one_in(NonZeroU32::MIN)), "LastUse { one_in: 1, .. }");
}
