use std::fmt;
use std::str::FromStr;

use tollgate_jwt::is_scope_token;

use super::claim_path::{ClaimPath, InvalidClaimPath};
use crate::limits::MAX_SCOPE_PREFIX_BYTES;

/// The claims of an issuer's tokens with the audience, client, subject and scopes: each an ordered list.
///
/// For `audience`, `client` and `subject` the first claim that is present is used. If it is `null` or of another type,
/// the token is rejected; the next claim is not tried.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize), serde(deny_unknown_fields, default))]
#[non_exhaustive]
pub struct ClaimSources {
    /// The audience of a token: a string or an array of strings. By default `aud`.
    pub audience: Vec<ClaimPath>,
    /// The client that a token was issued to: a string. By default `client_id`, `azp`, `cid`, `appid`.
    pub client: Vec<ClaimPath>,
    /// The subject of a token: a string. By default `sub`.
    pub subject: Vec<ClaimPath>,
    /// The scopes of a token: a string or an array of strings. By default `scope`, `scp`.
    ///
    /// A string is split at spaces in `scope` and `scp`; elsewhere it is one value. An array's entry is never split. A
    /// value that is not a scope-token (RFC 6749 section 3.3) is an error in `scope` and `scp`, and is left out
    /// elsewhere.
    pub scopes: Vec<ScopeSource>,
    /// Whether the first or all of [`scopes`](ClaimSources::scopes) are read.
    pub scopes_from: ScopesFrom,
}

impl Default for ClaimSources {
    fn default() -> Self {
        let paths = |names: &[&str]| names.iter().map(|name| name.parse().expect("a name")).collect::<Vec<ClaimPath>>();
        ClaimSources {
            audience: paths(&["aud"]),
            client: paths(&["client_id", "azp", "cid", "appid"]),
            subject: paths(&["sub"]),
            scopes: paths(&["scope", "scp"]).into_iter().map(ScopeSource::from).collect(),
            scopes_from: ScopesFrom::default(),
        }
    }
}

/// A claim whose values are scopes.
#[derive(Clone, Debug, PartialEq)]
pub struct ScopeSource {
    at: ClaimPath,
    prefix: Box<str>,
}

impl ScopeSource {
    /// The values of the claim at `at`, each with `prefix` before it. A scope from another claim that begins with
    /// `prefix` is left out, so that a scope that a client asked for cannot be mistaken for one of these.
    ///
    /// # Errors
    /// [`InvalidScopePrefix`] if `prefix` is not 1 to [`MAX_SCOPE_PREFIX_BYTES`] characters of a scope-token.
    pub fn with_prefix(at: ClaimPath, prefix: &str) -> Result<Self, InvalidScopePrefix> {
        if is_scope_token(prefix) && prefix.len() <= MAX_SCOPE_PREFIX_BYTES {
            Ok(ScopeSource { at, prefix: prefix.into() })
        } else {
            Err(InvalidScopePrefix { prefix: prefix.into() })
        }
    }

    /// The claim.
    #[must_use]
    pub fn at(&self) -> &ClaimPath {
        &self.at
    }

    /// The prefix of each value, or empty.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.prefix
    }
}

impl From<ClaimPath> for ScopeSource {
    fn from(at: ClaimPath) -> Self {
        ScopeSource { at, prefix: "".into() }
    }
}

impl FromStr for ScopeSource {
    type Err = InvalidClaimPath;

    fn from_str(path: &str) -> Result<Self, InvalidClaimPath> {
        path.parse().map(|path: ClaimPath| path.into())
    }
}

/// Which of the claims with scopes are read.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize), serde(rename_all = "lowercase"))]
#[non_exhaustive]
pub enum ScopesFrom {
    /// The first one that is present.
    #[default]
    First,
    /// All of them, as a set: a scope in several claims is included once, where it comes first.
    All,
}

/// The error for a text that is not a prefix of scopes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct InvalidScopePrefix {
    prefix: Box<str>,
}

impl fmt::Display for InvalidScopePrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:?} is no prefix of scopes: 1 to {MAX_SCOPE_PREFIX_BYTES} characters of a scope-token (RFC 6749 section 3.3)",
            self.prefix
        )
    }
}

impl std::error::Error for InvalidScopePrefix {}
