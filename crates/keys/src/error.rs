use std::error::Error;
use std::fmt;

use tollgate_jwt::json::JsonError;

use crate::algorithm::Algorithm;
use crate::limits;

/// The signature is not valid for this message and key.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct BadSignature;

impl fmt::Display for BadSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the signature does not verify")
    }
}

impl Error for BadSignature {}

/// Why [`KeySet::verify`](crate::KeySet::verify) refused a token.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum VerifyError {
    /// The header's `alg` names no signature algorithm.
    UnknownAlgorithm,
    /// No key has the header's `kid`, and no key without `kid` has the header's algorithm and could have made a
    /// signature of this length.
    UnknownKey,
    /// The header's `kid` names a key of another algorithm (RFC 8725 section 3.1).
    AlgorithmMismatch {
        /// The algorithm that the header names.
        header: Algorithm,
        /// The algorithm of the key.
        key: Algorithm,
    },
    /// The key named by the header's `kid` is not for this token: the caller of
    /// [`KeySet::verify_if`](crate::KeySet::verify_if) does not admit it.
    KeyNotAdmitted,
    /// There are more candidate keys than are tried.
    AmbiguousKey {
        /// The number of candidates.
        candidates: usize,
        /// The number of keys that are tried.
        max: usize,
    },
    /// The signature is not canonical base64url, or its length is wrong for the algorithm.
    MalformedSignature,
    /// The signature does not verify under the key that the header names.
    BadSignature,
    /// The signature verifies under none of the keys that were tried, because the header has no `kid` or an unknown
    /// one. A key that is not in the set may have made it.
    NoKeyVerifies {
        /// The number of keys that were tried.
        tried: usize,
    },
}

impl VerifyError {
    /// The stable name of this reason, in kebab-case.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            VerifyError::UnknownAlgorithm => "unknown-algorithm",
            VerifyError::UnknownKey => "unknown-key",
            VerifyError::AlgorithmMismatch { .. } => "algorithm-mismatch",
            VerifyError::KeyNotAdmitted => "key-not-admitted",
            VerifyError::AmbiguousKey { .. } => "ambiguous-key",
            VerifyError::MalformedSignature => "malformed-signature",
            VerifyError::BadSignature | VerifyError::NoKeyVerifies { .. } => "bad-signature",
        }
    }
}

impl fmt::Display for VerifyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            VerifyError::UnknownAlgorithm => f.write_str("`alg` names no signature algorithm"),
            VerifyError::UnknownKey => f.write_str("no key of this `kid` and `alg`"),
            VerifyError::AlgorithmMismatch { header, key } => {
                write!(f, "the token names {header}, its key is for {key}")
            }
            VerifyError::KeyNotAdmitted => f.write_str("the key of this `kid` is for other tokens"),
            VerifyError::AmbiguousKey { candidates, max } => {
                write!(f, "{candidates} keys come into question, at most {max} are tried")
            }
            VerifyError::MalformedSignature => f.write_str("the signature has not the form that its algorithm gives"),
            VerifyError::BadSignature => BadSignature.fmt(f),
            VerifyError::NoKeyVerifies { tried: 1 } => {
                f.write_str("the signature is not of the one key that could be tried")
            }
            VerifyError::NoKeyVerifies { tried } => {
                write!(f, "the signature is of none of the {tried} keys that could be tried")
            }
        }
    }
}

impl Error for VerifyError {}

/// Why a document is not a key file at all. A flaw of a single key is a [`KeyRefused`](crate::KeyRefused) instead.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum NotAKeyFile {
    /// Longer than [`limits::MAX_KEY_FILE_BYTES`].
    TooLarge {
        /// The document's length.
        bytes: usize,
    },
    /// More than [`limits::MAX_KEYS`] keys, including those added before.
    TooManyKeys {
        /// The total number of keys.
        keys: usize,
    },
    /// Starts like JSON but is not, or breaks a rule of [`tollgate_jwt::json`].
    Json(JsonError),
    /// A JSON object that is neither a JWK (`kty`) nor a JWK set (`keys`, an array).
    NeitherKeyNorSet,
    /// No PEM block.
    NoPemBlock,
    /// Neither a SubjectPublicKeyInfo nor an RSAPublicKey nor a certificate in DER.
    UnknownDer,
    /// The base64 of a key in DER, without the lines that make it PEM.
    BareBase64,
    /// Starts like none of JSON, PEM and DER.
    UnknownFormat,
}

impl NotAKeyFile {
    /// The stable name of this reason, in kebab-case.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            NotAKeyFile::TooLarge { .. } => "key-file-too-large",
            NotAKeyFile::TooManyKeys { .. } => "too-many-keys",
            NotAKeyFile::Json(_) => "malformed-json",
            NotAKeyFile::NeitherKeyNorSet => "neither-jwk-nor-jwks",
            NotAKeyFile::NoPemBlock => "no-pem-block",
            NotAKeyFile::UnknownDer => "unknown-der",
            NotAKeyFile::BareBase64 => "bare-base64",
            NotAKeyFile::UnknownFormat => "unknown-format",
        }
    }
}

impl fmt::Display for NotAKeyFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NotAKeyFile::TooLarge { bytes } => {
                write!(f, "{bytes} bytes, at most {} are read", limits::MAX_KEY_FILE_BYTES)
            }
            NotAKeyFile::TooManyKeys { keys } => write!(f, "{keys} keys, at most {} are taken", limits::MAX_KEYS),
            NotAKeyFile::Json(error) => write!(f, "not the JSON of a key: {error}"),
            NotAKeyFile::NeitherKeyNorSet => f.write_str("a JSON object with neither `kty` nor an array `keys`"),
            NotAKeyFile::NoPemBlock => f.write_str("no PEM block"),
            NotAKeyFile::UnknownDer => f.write_str("not a SubjectPublicKeyInfo, RSAPublicKey or certificate in DER"),
            NotAKeyFile::BareBase64 => f.write_str(
                "base64 of a key without the lines around it: \
                 put -----BEGIN PUBLIC KEY----- (or CERTIFICATE) before it and the END line after it",
            ),
            NotAKeyFile::UnknownFormat => f.write_str("not a JWK, JWK set, PEM or DER"),
        }
    }
}

impl Error for NotAKeyFile {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            NotAKeyFile::Json(error) => Some(error),
            _ => None,
        }
    }
}

impl From<JsonError> for NotAKeyFile {
    fn from(error: JsonError) -> Self {
        NotAKeyFile::Json(error)
    }
}
