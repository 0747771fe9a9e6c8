use tollgate_tower::LayerError;

use crate::limits::MAX_INTERNAL_TOKEN_SECONDS;

/// An invalid configuration of a gateway.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum GatewayError {
    /// There is no rule, so everything would be denied.
    #[error("there is no rule, so that every request would be denied")]
    NoRules,
    /// An invalid pattern of paths.
    #[error(
        "{path:?} is no pattern of paths: it begins with /, may end with /*, and has one reading, without empty segments, dots, %, ; or \\"
    )]
    InvalidPath {
        /// The pattern.
        path: String,
    },
    /// A rule without a path, which would never apply.
    #[error("a rule has no path, so that it would never be used")]
    NoPaths,
    /// An invalid host of a rule.
    #[error(
        "{host:?} is no host of a rule: lower-case letters, digits, dots and hyphens, or an address, without a port"
    )]
    InvalidHost {
        /// The text.
        host: String,
    },
    /// An invalid method of a rule.
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
    /// A rule that never applies, because an earlier one matches all its requests.
    #[error("a rule for {path:?} is never used: one before it covers the same hosts, paths and methods")]
    Unreachable {
        /// The first of its paths.
        path: String,
    },
    /// An invalid name of an identity field.
    #[error(
        "{name:?} is no name of an identity field: it is a field that the proxy or the credential needs, or no field's name"
    )]
    InvalidField {
        /// The name.
        name: String,
    },
    /// Two identity fields have the same name.
    #[error("the identity field {name:?} is there twice")]
    FieldTwice {
        /// The name.
        name: String,
    },
    /// An internal token without an audience.
    #[error("the internal token has no audience")]
    NoTokenAudience,
    /// An internal token with an HMAC key, which every server behind the gateway would need to know.
    #[error("the internal token is signed with a secret; it needs a private key, of ES256 say")]
    SecretTokenKey,
    /// An invalid lifetime of an internal token.
    #[error(
        "the internal token cannot live for {seconds} s: 1 to {MAX_INTERNAL_TOKEN_SECONDS}, and no longer than its key stays published"
    )]
    InvalidTokenLifetime {
        /// The number.
        seconds: u32,
    },
    /// A claim of an internal token without a name, or with a reserved or repeated one.
    #[error("the claim {name:?} of the internal token is there already, or is no claim's name")]
    TokenClaimTaken {
        /// The name.
        name: String,
    },
    /// An internal token that cannot be made.
    #[error("the internal token: {reason}")]
    Token {
        /// The reason.
        reason: String,
    },
    /// An invalid setting of the layer.
    #[error(transparent)]
    Layer(#[from] LayerError),
}
