//! Errors of creating, loading and rotating keys, and of minting tokens.

use tollgate_keys::{Algorithm, KeyRefused};

use crate::limits::{MAX_KID_BYTES, MAX_PRIVATE_KEY_BYTES, MAX_PUBLISHED_KEYS, MAX_TIME_SECONDS};

/// Why a signing key was refused, a rotation failed or a token was not minted.
///
/// Contains no secret: names, lengths and times only. [`code`](IssuerError::code) is stable.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IssuerError {
    /// No backend of this build can sign with the algorithm.
    #[error("{} cannot be used for signing in this build", .algorithm.name())]
    UnsupportedAlgorithm {
        /// The requested algorithm.
        algorithm: Algorithm,
    },
    /// ring cannot generate RSA keys; the feature `aws-lc-rs` can.
    #[error("{} keys are generated only with the feature aws-lc-rs; load one from PKCS#8 or a private JWK instead", .algorithm.name())]
    RsaGenerationUnavailable {
        /// The requested algorithm.
        algorithm: Algorithm,
    },
    /// The key's type or curve does not fit the algorithm.
    #[error("the key is not one for {}", .algorithm.name())]
    AlgorithmMismatch {
        /// The requested algorithm.
        algorithm: Algorithm,
    },
    /// A symmetric key must name its algorithm in `alg`.
    #[error("an oct key needs the member alg")]
    MissingAlgorithm,
    /// The text is not a private key in the named format.
    #[error("this is not a {format}")]
    NotAPrivateKey {
        /// `private JWK`, `private JWKS` or `PKCS#8 private key`.
        format: &'static str,
    },
    /// The key file is longer than any usable key.
    #[error("a private key of {bytes} bytes is longer than {MAX_PRIVATE_KEY_BYTES}")]
    PrivateKeyTooLong {
        /// The length in bytes.
        bytes: usize,
    },
    /// A required member of the key is absent.
    #[error("the key lacks {name}")]
    MissingMember {
        /// The member, by its JWK name.
        name: &'static str,
    },
    /// A member does not conform to RFC 7517 or RFC 7518.
    #[error("the key's {name} is malformed or not usable")]
    InvalidMember {
        /// The member, by its JWK name.
        name: &'static str,
    },
    /// `use` or `key_ops` do not allow signing.
    #[error("the key's use or key_ops do not allow signing")]
    NotForSigning,
    /// The key's parts do not match each other, or its size is out of range.
    #[error("the private key was refused: {rejected}")]
    KeyRejected {
        /// The signature library's error.
        rejected: ring::error::KeyRejected,
    },
    /// No verifier would accept the key, so it must not sign.
    #[error("no verifier would take this key: {0}")]
    KeyRefused(#[from] KeyRefused),
    /// The `kid` is empty, too long or contains control characters.
    #[error("a kid has 1 to {MAX_KID_BYTES} bytes and no control characters")]
    InvalidKid,
    /// The system's random number generator failed, or the signature could not be computed.
    #[error("the signature could not be made")]
    SigningFailed,

    /// The key, or another one with its `kid`, is already published.
    #[error("a key with the kid {kid:?} or the same key is published already")]
    DuplicateKey {
        /// The `kid` of the refused key.
        kid: String,
    },
    /// [`rotate`](crate::SigningKeys::rotate) was called, but no key is announced.
    #[error("no key is announced to rotate to")]
    NothingAnnounced,
    /// A key is already announced and has not signed yet.
    #[error("the key {kid:?} is announced already")]
    AlreadyAnnounced {
        /// The `kid` of the announced key.
        kid: String,
    },
    /// The maximum number of keys is already published.
    #[error("{MAX_PUBLISHED_KEYS} keys are published; prune retired ones first")]
    TooManyKeys,
    /// No published key has that `kid`.
    #[error("no published key has the kid {kid:?}")]
    UnknownKey {
        /// The requested `kid`.
        kid: String,
    },
    /// The signing key cannot be withdrawn; rotate first.
    #[error("the key {kid:?} signs now; rotate before withdrawing it")]
    KeyInUse {
        /// The requested `kid`.
        kid: String,
    },
    /// The overlap is negative, or longer than a claim can express.
    #[error("an overlap of {seconds} s is out of range")]
    InvalidOverlap {
        /// The requested overlap in seconds.
        seconds: i64,
    },
    /// The time is outside the range of a claim.
    #[error("the time {seconds} is not within 0 and {MAX_TIME_SECONDS}")]
    InvalidTime {
        /// The time given, in seconds since the Unix epoch.
        seconds: i64,
    },

    /// A claim that has its own method was given to [`claim`](crate::TokenBuilder::claim).
    #[error("{name} is set by its own method, not by claim")]
    RegisteredClaim {
        /// The claim.
        name: String,
    },
    /// The same claim was given twice.
    #[error("the claim {name:?} was given twice")]
    DuplicateClaim {
        /// The claim.
        name: String,
    },
    /// A claim has a value that verifiers refuse: empty, with control characters, or contradicting another claim.
    #[error("the value of {name} is empty, malformed or contradicts another claim")]
    InvalidClaim {
        /// The claim.
        name: &'static str,
    },
    /// A claim nests deeper, or has more members or entries, than verifiers accept.
    #[error("the claim {name:?} nests deeper or has more members than verifiers read")]
    UnreadableClaim {
        /// The claim.
        name: String,
    },
    /// A claim that the access token profile requires is absent.
    #[error("an access token (RFC 9068) needs {name}")]
    MissingClaim {
        /// The claim.
        name: &'static str,
    },
    /// The requested type is malformed, or contradicts the access token profile.
    #[error("the token type is malformed or contradicts the access token profile")]
    InvalidType,
    /// The lifetime is not positive, or ends later than a claim can express.
    #[error("a lifetime of {seconds} s is out of range")]
    InvalidLifetime {
        /// The requested lifetime in seconds.
        seconds: i64,
    },
    /// The token would outlive its key's publication if that key were rotated away right after.
    #[error("a lifetime of {seconds} s exceeds the keys' overlap of {overlap} s")]
    LifetimeExceedsOverlap {
        /// The requested lifetime in seconds.
        seconds: i64,
        /// The overlap of the [`SigningKeys`](crate::SigningKeys) in seconds.
        overlap: i64,
    },
    /// The token is longer than verifiers accept by default.
    #[error("a token of {bytes} bytes is longer than the {max} that verifiers take")]
    TokenTooLong {
        /// The length in bytes.
        bytes: usize,
        /// The default limit of tollgate-jwt.
        max: usize,
    },
}

impl IssuerError {
    /// The stable kebab-case code of this error.
    ///
    /// ```
    /// use tollgate_issuer::IssuerError;
    ///
    /// assert_eq!(IssuerError::NothingAnnounced.code(), "nothing-announced");
    /// ```
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::UnsupportedAlgorithm { .. } => "unsupported-algorithm",
            Self::RsaGenerationUnavailable { .. } => "rsa-generation-unavailable",
            Self::AlgorithmMismatch { .. } => "algorithm-mismatch",
            Self::MissingAlgorithm => "missing-algorithm",
            Self::NotAPrivateKey { .. } => "not-a-private-key",
            Self::PrivateKeyTooLong { .. } => "private-key-too-long",
            Self::MissingMember { .. } => "missing-member",
            Self::InvalidMember { .. } => "invalid-member",
            Self::NotForSigning => "not-for-signing",
            Self::KeyRejected { .. } => "key-rejected",
            Self::KeyRefused(_) => "key-refused",
            Self::InvalidKid => "invalid-kid",
            Self::SigningFailed => "signing-failed",
            Self::DuplicateKey { .. } => "duplicate-key",
            Self::NothingAnnounced => "nothing-announced",
            Self::AlreadyAnnounced { .. } => "already-announced",
            Self::TooManyKeys => "too-many-keys",
            Self::UnknownKey { .. } => "unknown-key",
            Self::KeyInUse { .. } => "key-in-use",
            Self::InvalidOverlap { .. } => "invalid-overlap",
            Self::InvalidTime { .. } => "invalid-time",
            Self::RegisteredClaim { .. } => "registered-claim",
            Self::DuplicateClaim { .. } => "duplicate-claim",
            Self::InvalidClaim { .. } => "invalid-claim",
            Self::UnreadableClaim { .. } => "unreadable-claim",
            Self::MissingClaim { .. } => "missing-claim",
            Self::InvalidType => "invalid-type",
            Self::InvalidLifetime { .. } => "invalid-lifetime",
            Self::LifetimeExceedsOverlap { .. } => "lifetime-exceeds-overlap",
            Self::TokenTooLong { .. } => "token-too-long",
        }
    }
}
