use std::fmt;
use std::str::FromStr;

use tollgate_jwt::Claims;

/// A claim that RFC 9068 section 2.2 requires of access tokens, and that an issuer's configuration can make optional.
/// `iss`, `exp` and `aud`, which the RFC also requires, cannot be made optional.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum OptionalClaim {
    /// `sub`.
    Sub,
    /// `client_id`.
    ClientId,
    /// `iat`.
    Iat,
    /// `jti`.
    Jti,
}

impl OptionalClaim {
    pub(crate) const ALL: [OptionalClaim; 4] =
        [OptionalClaim::Sub, OptionalClaim::ClientId, OptionalClaim::Iat, OptionalClaim::Jti];

    /// The claim's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            OptionalClaim::Sub => "sub",
            OptionalClaim::ClientId => "client_id",
            OptionalClaim::Iat => "iat",
            OptionalClaim::Jti => "jti",
        }
    }

    pub(crate) fn is_in(self, claims: &Claims<'_>) -> bool {
        match self {
            OptionalClaim::Sub => claims.sub().is_some(),
            OptionalClaim::ClientId => claims.client_id().is_some(),
            OptionalClaim::Iat => claims.iat().is_some(),
            OptionalClaim::Jti => claims.jti().is_some(),
        }
    }
}

impl FromStr for OptionalClaim {
    type Err = NotOptional;

    fn from_str(name: &str) -> Result<Self, NotOptional> {
        OptionalClaim::ALL
            .into_iter()
            .find(|claim| claim.name() == name)
            .ok_or_else(|| NotOptional { claim: name.into() })
    }
}

/// The error for a claim that cannot be made optional.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NotOptional {
    claim: Box<str>,
}

impl fmt::Display for NotOptional {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} cannot be made optional; sub, client_id, iat and jti can", self.claim)
    }
}

impl std::error::Error for NotOptional {}
