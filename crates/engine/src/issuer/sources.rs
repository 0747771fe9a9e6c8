use std::fmt;
use std::str::FromStr;

use tollgate_jwt::is_scope_token;

use super::claim_path::{ClaimPath, InvalidClaimPath};
use crate::limits::MAX_SCOPE_PREFIX_BYTES;

/// Where the tokens of an issuer say for whom they are, what they may do, and who asks: each an ordered list of claims.
///
/// Of `audience`, `client` and `subject` the first that is there counts. One that is `null` or of another type is an error,
/// and the next is not looked at.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize), serde(deny_unknown_fields, default))]
#[non_exhaustive]
pub struct ClaimSources {
    /// For whom a token is meant: a string or an array of strings. By default `aud`.
    pub audience: Vec<ClaimPath>,
    /// The client that a token was issued to: a string. By default `client_id`, `azp`, `cid`, `appid`.
    pub client: Vec<ClaimPath>,
    /// Whom a token speaks for: a string. By default `sub`.
    pub subject: Vec<ClaimPath>,
    /// What a token may be used for: a string or an array of strings. By default `scope`, `scp`.
    ///
    /// A string is split at spaces in `scope` and `scp`; elsewhere it is one value. An array's entry is never split. A value
    /// that is no scope-token (RFC 6749 section 3.3) is an error in `scope` and `scp`, and is left out elsewhere.
    pub scopes: Vec<ScopeSource>,
    /// How many of [`scopes`](ClaimSources::scopes) count.
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
    /// The values of the claim at `at`, each behind `prefix`, so that a scope that a client asked for cannot pass for one: a
    /// scope from another claim that begins with `prefix` is left out.
    ///
    /// # Errors
    /// [`InvalidScopePrefix`].
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

    /// What is put before each value; empty where nothing is.
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

/// How many of the claims that name scopes count.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize), serde(rename_all = "lowercase"))]
#[non_exhaustive]
pub enum ScopesFrom {
    /// The first that is there.
    #[default]
    First,
    /// All of them together, as a set: a scope that several have is there once, where it comes first.
    All,
}

/// A text cannot stand before scopes.
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
