use std::fmt;

use tollgate_jwt::{ParseError, UnverifiedText};
use tollgate_keys::KeyRefused;

use crate::rejection::Rejection;

/// Why a request does not prove possession of the key that its token is bound to (RFC 9449 sections 4.3 and 7).
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum ProofError {
    /// The token is bound to a key (`jkt`), and the request has no proof.
    Required,
    /// The token is bound to a key, and was sent with another scheme than `DPoP` (section 7.1).
    SchemeRequired,
    /// The token was sent with the scheme `DPoP`, and is bound to no key.
    TokenNotBound,
    /// The request has more than one proof.
    Several,
    /// The request's method is not known: the server gave none.
    MethodUnknown,
    /// The request's absolute URI is not known: the server gave none. A layer needs its public origins for it.
    UriUnknown,
    /// The proof is longer than the limit. Both figures in bytes.
    TooLong {
        /// The proof's length.
        length: usize,
        /// The limit.
        max: usize,
    },
    /// The proof cannot be parsed, or its header requires an unsupported extension.
    Malformed(ParseError),
    /// A member of the proof's header, or a claim, is absent or has the wrong type.
    Member {
        /// Its name.
        name: &'static str,
    },
    /// `typ` is not `dpop+jwt`.
    Type,
    /// `alg` is unknown or symmetric, or not among those that are accepted.
    AlgorithmNotAllowed,
    /// The header's `jwk` is no public key that can be used.
    KeyRefused(KeyRefused),
    /// The token is bound to another key than the proof's.
    WrongKey,
    /// `htm` is not the request's method, letter case included.
    WrongMethod {
        /// The value of `htm`.
        sent: UnverifiedText,
    },
    /// `htu` is not the request's URI.
    WrongUri {
        /// The value of `htu`.
        sent: UnverifiedText,
    },
    /// `ath` is not the hash of the token.
    WrongToken,
    /// `iat` is too far in the past. Both in seconds since the Unix epoch.
    TooOld {
        /// `iat`.
        issued_at: i64,
        /// The time of the check.
        now: i64,
    },
    /// `iat` is too far in the future. Both in seconds since the Unix epoch.
    NotYetIssued {
        /// `iat`.
        issued_at: i64,
        /// The time of the check.
        now: i64,
    },
    /// The proof has no `nonce`, and the engine requires one of its own.
    NonceRequired,
    /// `nonce` is not one of this engine's, or is too old.
    WrongNonce,
    /// The signature is malformed, or does not verify under the proof's key.
    BadSignature,
    /// The proof was accepted before.
    Replayed,
    /// Proofs of that time are no longer remembered, or were not yet, so this one may be a replay. Both in seconds
    /// since the Unix epoch.
    Forgotten {
        /// `iat`.
        issued_at: i64,
        /// Only proofs issued after this time are accepted.
        floor: i64,
    },
}

impl ProofError {
    /// A stable kebab-case code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            ProofError::Required => "proof-required",
            ProofError::SchemeRequired => "dpop-scheme-required",
            ProofError::TokenNotBound => "token-not-bound",
            ProofError::Several => "multiple-proofs",
            ProofError::MethodUnknown => "method-required",
            ProofError::UriUnknown => "uri-required",
            ProofError::TooLong { .. } => "proof-too-long",
            ProofError::Malformed(_) | ProofError::Member { .. } => "malformed-proof",
            ProofError::Type => "proof-type-not-allowed",
            ProofError::AlgorithmNotAllowed => "proof-algorithm-not-allowed",
            ProofError::KeyRefused(_) => "proof-key-refused",
            ProofError::WrongKey => "wrong-proof-key",
            ProofError::WrongMethod { .. } => "wrong-proof-method",
            ProofError::WrongUri { .. } => "wrong-proof-uri",
            ProofError::WrongToken => "wrong-proof-token",
            ProofError::TooOld { .. } => "proof-too-old",
            ProofError::NotYetIssued { .. } => "proof-not-yet-issued",
            ProofError::NonceRequired => "proof-nonce-required",
            ProofError::WrongNonce => "wrong-proof-nonce",
            ProofError::BadSignature => "bad-proof-signature",
            ProofError::Replayed => "proof-replayed",
            ProofError::Forgotten { .. } => "proof-forgotten",
        }
    }

    /// The error code of a challenge (RFC 9449 sections 7.1 and 9): it says whether the proof or the token is at fault.
    pub(crate) fn challenge_code(&self) -> &'static str {
        match self {
            ProofError::NonceRequired | ProofError::WrongNonce => "use_dpop_nonce",
            ProofError::Required | ProofError::SchemeRequired | ProofError::TokenNotBound => "invalid_token",
            _ => "invalid_dpop_proof",
        }
    }
}

impl fmt::Display for ProofError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ProofError::Required => f.write_str("the token is bound to a key, and the request has no DPoP proof"),
            ProofError::SchemeRequired => f.write_str("the token is bound to a key: its scheme is DPoP and no other"),
            ProofError::TokenNotBound => f.write_str("the token is bound to no key, so that its scheme is not DPoP"),
            ProofError::Several => f.write_str("the request has more than one DPoP proof"),
            ProofError::MethodUnknown => f.write_str("the request's method is not known, and the proof is for one"),
            ProofError::UriUnknown => f.write_str(
                "the request's absolute URI is not known, and the proof is for one: no public origin is configured",
            ),
            ProofError::TooLong { length, max } => {
                write!(f, "the proof is {length} bytes long; at most {max} are taken")
            }
            ProofError::Malformed(error) => write!(f, "the proof: {error}"),
            ProofError::Member { name } => write!(f, "the proof has no {name}, or none of the right type"),
            ProofError::Type => f.write_str("the proof's typ is not dpop+jwt"),
            ProofError::AlgorithmNotAllowed => f.write_str("the proof's alg is not accepted"),
            ProofError::KeyRefused(refused) => write!(f, "the proof's jwk cannot be used: {refused}"),
            ProofError::WrongKey => f.write_str("the token is bound to another key than the proof's"),
            ProofError::WrongMethod { sent } => write!(f, "the proof is for the method {sent}, not for the request's"),
            ProofError::WrongUri { sent } => write!(f, "the proof is for the URI {sent}, not for the request's"),
            ProofError::WrongToken => f.write_str("the proof's ath is not the hash of the token"),
            ProofError::TooOld { issued_at, now } => write!(f, "the proof was issued at {issued_at}; it is {now}"),
            ProofError::NotYetIssued { issued_at, now } => {
                write!(f, "the proof says that it was issued at {issued_at}; it is {now}")
            }
            ProofError::NonceRequired => f.write_str("the proof has no nonce, and one is required"),
            ProofError::WrongNonce => f.write_str("the proof's nonce is none that is good now"),
            ProofError::BadSignature => f.write_str("the proof's signature does not verify"),
            ProofError::Replayed => f.write_str("the proof was used before"),
            ProofError::Forgotten { issued_at, floor } => {
                write!(f, "the proof was issued at {issued_at}; what was used until {floor} is not remembered")
            }
        }
    }
}

impl std::error::Error for ProofError {}

impl From<ProofError> for Rejection {
    #[cold]
    fn from(error: ProofError) -> Self {
        Rejection::Proof(error)
    }
}

impl From<ParseError> for ProofError {
    #[cold]
    fn from(error: ParseError) -> Self {
        ProofError::Malformed(error)
    }
}

impl From<KeyRefused> for ProofError {
    #[cold]
    fn from(refused: KeyRefused) -> Self {
        ProofError::KeyRefused(refused)
    }
}
