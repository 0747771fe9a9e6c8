use crate::limits::{
    FOREIGN_MAX_BYTES, FOREIGN_MIN_BYTES, FOREIGN_MIN_ESTIMATED_BITS, LABEL_MAX_BYTES, LABEL_MIN_BYTES,
    PEPPER_MIN_BYTES,
};
use std::fmt;

/// Why a key was not found, generated or accepted. Holds nothing of the key itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyError {
    /// The presented bytes are not a key of the format; nothing was hashed.
    Malformed(Flaw),
    /// The presented bytes could be a key, but no key in the table is equal to them.
    Unknown,
    /// A prefix or environment label is not 1 to 16 lower-case letters and digits that start with a letter.
    InvalidLabel,
    /// The operating system returned no random bytes.
    RandomnessUnavailable,
    /// A foreign key has fewer than 16 or more than 512 bytes.
    ForeignLength {
        /// Bytes in the key.
        bytes: usize,
    },
    /// A foreign key starts like a native key, and would therefore never be looked up.
    ForeignLooksNative,
    /// A foreign key could be guessed from its digest.
    ForeignGuessable {
        /// Upper estimate of its entropy, in bits.
        estimated_bits: u32,
    },
    /// A pepper has fewer than 32 bytes.
    PepperTooShort {
        /// Bytes in the pepper.
        bytes: usize,
    },
}

/// How a presented key departs from the format: the first flaw found. The checksum is checked last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Flaw {
    /// The key does not start with `<prefix>_<env>_`.
    Prefix,
    /// The key has the right start and the wrong length.
    Length {
        /// Bytes presented.
        bytes: usize,
        /// Bytes of a key of this format.
        expected: usize,
    },
    /// This release does not know the key's version digit.
    Version {
        /// The byte in the version digit's place.
        found: u8,
    },
    /// The body or the checksum contains a byte outside `0-9A-Za-z`.
    Alphabet,
    /// The body encodes a number of more than 256 bits.
    Range,
    /// The checksum does not match the characters before it.
    Checksum,
}

impl KeyError {
    /// The stable kebab-case name of the reason.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Malformed(flaw) => flaw.code(),
            Self::Unknown => "unknown-key",
            Self::InvalidLabel => "invalid-label",
            Self::RandomnessUnavailable => "randomness-unavailable",
            Self::ForeignLength { .. } => "foreign-length",
            Self::ForeignLooksNative => "foreign-looks-native",
            Self::ForeignGuessable { .. } => "foreign-guessable",
            Self::PepperTooShort { .. } => "pepper-too-short",
        }
    }
}

impl Flaw {
    /// The stable kebab-case name of the flaw.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Prefix => "wrong-prefix",
            Self::Length { .. } => "wrong-length",
            Self::Version { .. } => "unknown-version",
            Self::Alphabet => "not-base62",
            Self::Range => "body-out-of-range",
            Self::Checksum => "wrong-checksum",
        }
    }
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(flaw) => write!(f, "not an API key of this format: {flaw}"),
            Self::Unknown => f.write_str("no such API key"),
            Self::InvalidLabel => write!(
                f,
                "a prefix or environment is {LABEL_MIN_BYTES} to {LABEL_MAX_BYTES} lower-case letters and digits, a letter first"
            ),
            Self::RandomnessUnavailable => f.write_str("the operating system gave no random bytes"),
            Self::ForeignLength { bytes } => {
                write!(f, "a foreign key has {FOREIGN_MIN_BYTES} to {FOREIGN_MAX_BYTES} bytes, not {bytes}")
            }
            Self::ForeignLooksNative => f.write_str("a foreign key may not start as keys of this format do"),
            Self::ForeignGuessable { estimated_bits } => write!(
                f,
                "a foreign key of at most {estimated_bits} bits of entropy can be guessed; {FOREIGN_MIN_ESTIMATED_BITS} are needed"
            ),
            Self::PepperTooShort { bytes } => {
                write!(f, "a pepper has at least {PEPPER_MIN_BYTES} bytes, not {bytes}")
            }
        }
    }
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Prefix => f.write_str("another prefix"),
            Self::Length { bytes, expected } => write!(f, "{bytes} bytes instead of {expected}"),
            Self::Version { found } => {
                write!(f, "unknown version '{}'", found.escape_ascii())
            }
            Self::Alphabet => f.write_str("a character outside 0-9A-Za-z"),
            Self::Range => f.write_str("a body of more than 256 bits"),
            Self::Checksum => f.write_str("the checksum does not match"),
        }
    }
}

impl std::error::Error for KeyError {}
impl std::error::Error for Flaw {}
