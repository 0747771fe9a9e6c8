use tollgate_tower::LayerError;

use crate::limits::MAX_INTERNAL_TOKEN_SECONDS;

/// A gateway cannot be built as it is described.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum GatewayError {
    /// There is no rule, so that everything would be denied.
    #[error("there is no rule, so that every request would be denied")]
    NoRules,
    /// A pattern of paths is none.
    #[error(
        "{path:?} is no pattern of paths: it begins with /, may end with /*, and has one reading, without empty segments, dots, %, ; or \\"
    )]
    InvalidPath {
        /// The pattern.
        path: String,
    },
    /// A rule has no path, so that it would never be used.
    #[error("a rule has no path, so that it would never be used")]
    NoPaths,
    /// A host of a rule is none.
    #[error(
        "{host:?} is no host of a rule: lower-case letters, digits, dots and hyphens, or an address, without a port"
    )]
    InvalidHost {
        /// The text.
        host: String,
    },
    /// A method of a rule is none.
    #[error("{method:?} is no method")]
    InvalidMethod {
        /// The text.
        method: String,
    },
    /// A rule is public and has requirements.
    #[error("a rule for {path:?} is public, so that what it requires would never be looked at")]
    PublicWithRequirement {
        /// The first of its paths.
        path: String,
    },
    /// A rule can never be used, because one before it covers all of it.
    #[error("a rule for {path:?} is never used: one before it covers the same hosts, paths and methods")]
    Unreachable {
        /// The first of its paths.
        path: String,
    },
    /// What an identity field would be named is no name of one.
    #[error(
        "{name:?} is no name of an identity field: it is a field that the proxy or the credential needs, or no field's name"
    )]
    InvalidField {
        /// The name.
        name: String,
    },
    /// Two identity fields have one name.
    #[error("the identity field {name:?} is there twice")]
    FieldTwice {
        /// The name.
        name: String,
    },
    /// An internal token is for nobody.
    #[error("the internal token has no audience")]
    NoTokenAudience,
    /// An internal token would be signed with a secret, which every server behind would have to know.
    #[error("the internal token is signed with a secret; it needs a private key, of ES256 say")]
    SecretTokenKey,
    /// An internal token cannot live as long.
    #[error(
        "the internal token cannot live for {seconds} s: 1 to {MAX_INTERNAL_TOKEN_SECONDS}, and no longer than its key stays published"
    )]
    InvalidTokenLifetime {
        /// The number.
        seconds: u32,
    },
    /// A claim of an internal token has no name, or one that is there already.
    #[error("the claim {name:?} of the internal token is there already, or is no claim's name")]
    TokenClaimTaken {
        /// The name.
        name: String,
    },
    /// An internal token cannot be made.
    #[error("the internal token: {reason}")]
    Token {
        /// Why not.
        reason: String,
    },
    /// What is set of the layer cannot work.
    #[error(transparent)]
    Layer(#[from] LayerError),
}
