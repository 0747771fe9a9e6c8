use std::fmt;

use crate::credential::Credential;
use crate::principal::PrincipalKind;
use crate::rejection::Rejection;

/// The credentials that an engine or a route accepts: a set of kinds, and whether bare values (without a scheme) are
/// accepted.
///
/// Everything is accepted by default, since the two services that the engine was built for accept all of these:
///
/// | sent as | accepted where these are accepted |
/// |---|---|
/// | `Bearer <jws>` | [`PrincipalKind::Jwt`] |
/// | the bare `<jws>` | [`PrincipalKind::Jwt`], bare values |
/// | `Bearer <token>`, any other token | [`PrincipalKind::AccessToken`] or [`PrincipalKind::ApiKey`], whichever it is |
/// | the bare `<key>` | [`PrincipalKind::ApiKey`], bare values |
/// | `X-API-Key: <key>` | [`PrincipalKind::ApiKey`] |
/// | `Basic base64(client_id:client_secret)` | [`PrincipalKind::Client`] |
///
/// Another credential is rejected ([`Rejection::CredentialNotAccepted`], [`Rejection::MethodNotAccepted`]) before it is
/// decoded or looked up.
///
/// ```
/// use tollgate::{AcceptedCredentials, PrincipalKind};
///
/// let bearer_jwts_alone = AcceptedCredentials::only([PrincipalKind::Jwt]).no_bare();
/// assert!(!bearer_jwts_alone.contains(PrincipalKind::Client));
/// ```
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct AcceptedCredentials {
    kinds: Kinds,
    bare: bool,
}

impl AcceptedCredentials {
    /// Every kind, with a scheme and bare: the default.
    pub const ALL: Self = AcceptedCredentials { kinds: Kinds::ALL, bare: true };

    /// These kinds alone, with a scheme and bare.
    #[must_use]
    pub fn only(kinds: impl IntoIterator<Item = PrincipalKind>) -> Self {
        let kinds = kinds.into_iter().fold(Kinds::NONE, |kinds, kind| kinds.or(Kinds::of(kind)));
        AcceptedCredentials { kinds, ..Self::ALL }
    }

    /// Accepts no bare value: an Authorization header has to name a scheme.
    #[must_use]
    pub fn no_bare(self) -> Self {
        AcceptedCredentials { bare: false, ..self }
    }

    /// Credentials accepted by both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        AcceptedCredentials { kinds: self.kinds.and(other.kinds), bare: self.bare && other.bare }
    }

    /// Whether credentials of that kind are accepted.
    #[must_use]
    pub fn contains(self, kind: PrincipalKind) -> bool {
        self.kinds.contains(kind)
    }

    /// Whether values without a scheme are accepted.
    #[must_use]
    pub fn has_bare(self) -> bool {
        self.bare
    }

    /// Whether no credential is accepted.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.kinds == Kinds::NONE
    }

    pub(crate) fn has_all_kinds(self) -> bool {
        self.kinds == Kinds::ALL
    }

    pub(crate) fn has_jwts_alone(self) -> bool {
        self.kinds == Kinds::JWT
    }

    pub(crate) fn without_table(self, has_introspection: bool) -> Self {
        let kinds = if has_introspection {
            self.kinds.and(Kinds::JWT.or(Kinds::ACCESS_TOKEN))
        } else {
            self.kinds.and(Kinds::JWT)
        };
        AcceptedCredentials { kinds, ..self }
    }

    pub(crate) fn without(self, kinds: Kinds) -> Self {
        AcceptedCredentials { kinds: Kinds(self.kinds.0 & !kinds.0), ..self }
    }

    /// The accepted kinds among those that the credential may be of.
    #[inline]
    pub(crate) fn kinds_of(self, credential: &Credential<'_>) -> Result<Kinds, Rejection> {
        let kinds = self.kinds.and(credential.kind.principals());
        if kinds == Kinds::NONE || (credential.is_bare && !self.bare) {
            return Err(credential.not_accepted());
        }
        Ok(kinds)
    }
}

impl Default for AcceptedCredentials {
    fn default() -> Self {
        Self::ALL
    }
}

impl fmt::Debug for AcceptedCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AcceptedCredentials").field("kinds", &self.kinds).field("bare", &self.bare).finish()
    }
}

/// A set of [`PrincipalKind`]s.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(crate) struct Kinds(u8);

impl Kinds {
    const NONE: Self = Kinds(0);
    const ALL: Self = Self::JWT.or(Self::OF_THE_TABLE);
    pub(crate) const JWT: Self = Self::of(PrincipalKind::Jwt);
    pub(crate) const API_KEY: Self = Self::of(PrincipalKind::ApiKey);
    pub(crate) const CLIENT: Self = Self::of(PrincipalKind::Client);
    /// The kinds of an opaque Bearer token.
    pub(crate) const OPAQUE: Self = Self::API_KEY.or(Self::of(PrincipalKind::AccessToken));
    pub(crate) const ACCESS_TOKEN: Self = Self::of(PrincipalKind::AccessToken);
    /// The kinds stored in the table of API keys.
    pub(crate) const OF_THE_TABLE: Self = Self::OPAQUE.or(Self::CLIENT);

    const fn of(kind: PrincipalKind) -> Self {
        Kinds(1 << kind as u8)
    }

    const fn or(self, other: Self) -> Self {
        Kinds(self.0 | other.0)
    }

    const fn and(self, other: Self) -> Self {
        Kinds(self.0 & other.0)
    }

    /// The kind, where there is only one.
    pub(crate) fn only(self) -> Option<PrincipalKind> {
        PrincipalKind::ALL.into_iter().find(|kind| self == Self::of(*kind))
    }

    #[inline]
    pub(crate) fn contains(self, kind: PrincipalKind) -> bool {
        self.and(Self::of(kind)) != Self::NONE
    }
}

impl fmt::Debug for Kinds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(PrincipalKind::ALL.into_iter().filter(|kind| self.contains(*kind))).finish()
    }
}
