use std::fmt;

use crate::json::JsonError;

/// The part of a token that an error is about.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Part {
    /// The JOSE header (RFC 7515 section 4).
    Header,
    /// The payload: a JWT's claims (RFC 7519 section 4).
    Payload,
    /// The signature.
    Signature,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Part::Header => "header",
            Part::Payload => "payload",
            Part::Signature => "signature",
        })
    }
}

/// Why a text was not accepted as a token.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum ParseError {
    /// The token is longer than the limit and was not parsed. Both figures are in bytes.
    TooLong {
        /// The token's length.
        length: usize,
        /// The limit.
        max: usize,
    },
    /// Not three parts joined by two dots (RFC 7515 section 7.1).
    NotCompact,
    /// Five parts: an encrypted token (RFC 7516 section 7.1), which tollgate does not support.
    Encrypted,
    /// A part is not canonical base64url without padding (RFC 7515 section 2).
    Base64 {
        /// The part.
        part: Part,
    },
    /// A part is not a JSON object.
    Json {
        /// The part.
        part: Part,
        /// What is wrong with the JSON.
        error: JsonError,
    },
    /// A required header member is absent.
    MissingMember {
        /// The member's name.
        name: &'static str,
    },
    /// A header member has a value of the wrong type or form.
    InvalidMember {
        /// The member's name.
        name: &'static str,
        /// The required type or form.
        expected: &'static str,
    },
    /// A registered claim has a value of the wrong type or form.
    InvalidClaim {
        /// The claim's name.
        name: &'static str,
        /// The required type or form.
        expected: &'static str,
    },
    /// A claim is an array with more entries than the limit.
    TooManyEntries {
        /// The claim's name.
        name: &'static str,
        /// The number of entries.
        entries: usize,
        /// The limit.
        max: usize,
    },
    /// The header has a `crit` member. tollgate implements no critical extension, so RFC 7515 section 4.1.11 requires
    /// refusing the token.
    CriticalHeader,
    /// The header has a member that changes how the token is read (`b64`, `zip`, `enc`, `cty` for a nested JWT) and
    /// that tollgate does not implement.
    UnsupportedHeader {
        /// The member's name.
        name: &'static str,
    },
}

impl ParseError {
    /// A stable kebab-case code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            ParseError::Json { error: JsonError::TooManyMembers { .. }, .. } => "too-many-members",
            ParseError::TooManyEntries { .. } => "too-many-entries",
            ParseError::TooLong { .. }
            | ParseError::NotCompact
            | ParseError::Base64 { .. }
            | ParseError::Json { .. }
            | ParseError::MissingMember { .. }
            | ParseError::InvalidMember { .. } => "malformed-token",
            ParseError::Encrypted => "encrypted-token",
            ParseError::InvalidClaim { .. } => "invalid-claim",
            ParseError::CriticalHeader => "critical-header",
            ParseError::UnsupportedHeader { .. } => "unsupported-header",
        }
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ParseError::TooLong { length, max } => {
                write!(f, "the token is {length} bytes long; at most {max} are taken")
            }
            ParseError::NotCompact => f.write_str("the token is not three parts joined by dots"),
            ParseError::Encrypted => f.write_str("the token has five parts: encrypted tokens are not taken"),
            ParseError::Base64 { part } => write!(f, "the {part} is not canonical base64url"),
            ParseError::Json { part, error: error @ JsonError::TooManyMembers { .. } } => {
                write!(f, "the {part} is too wide: {error}")
            }
            ParseError::Json { part, error } => write!(f, "the {part} is not a JSON object: {error}"),
            ParseError::MissingMember { name } => write!(f, "the header has no {name}"),
            ParseError::InvalidMember { name, expected } => write!(f, "the header's {name} is not {expected}"),
            ParseError::InvalidClaim { name, expected } => write!(f, "the claim {name} is not {expected}"),
            ParseError::TooManyEntries { name, entries, max } => {
                write!(f, "the claim {name} has {entries} entries; at most {max} are allowed (max_list_entries)")
            }
            ParseError::CriticalHeader => f.write_str("the header has crit, and no extension is implemented"),
            ParseError::UnsupportedHeader { name } => write!(f, "the header has {name}, which is not implemented"),
        }
    }
}

impl std::error::Error for ParseError {}
