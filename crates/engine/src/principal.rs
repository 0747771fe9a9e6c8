//! The verified caller.

mod serialize;

use std::fmt;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use tollgate_jwt::is_scope_token;
use tollgate_keys::{Algorithm, VerifyingKey};

use crate::claims::{self, ClaimsError};
use crate::confirmation::Confirmation;
use crate::issuer::{ClaimPath, Expected};
use crate::record::{KeyKind, KeyRecord};
use crate::rejection::Rejection;
use crate::scopes::Scopes;
use crate::table::MatchedKey;
use crate::token::Token;

/// The verified caller: who is calling, by which credential, with which scopes, until when.
///
/// Only a passed check makes one. It borrows nothing, and is cheap to clone, since clones share its data. To keep one
/// for longer than a request, use [`into_owned`](Principal::into_owned).
///
/// It can be serialised, for logs and for other services: `kind`, `issuer`, `subject`, `audience`, `scopes`,
/// `client_id`, `credential_id`, `session_id`, `key_id`, `algorithm`, `issued_at`, `not_before` and `expires_at`, with
/// null for absent ones. The credential is not included. It cannot be deserialised: that would be a principal without a
/// check.
#[derive(Clone)]
pub struct Principal(Source);

#[derive(Clone)]
enum Source {
    /// A JWT, or an opaque token whose issuer was asked.
    Token(Token),
    Key(MatchedKey<KeyRecord>),
}

/// The kind of credential of a [`Principal`].
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum PrincipalKind {
    /// A JSON Web Token.
    Jwt,
    /// An API key.
    ApiKey,
    /// A client's id and secret.
    Client,
    /// An opaque access token.
    AccessToken,
}

impl Principal {
    /// A token exists only if its signature was verified, or if its issuer confirmed it.
    pub(crate) fn from_token(token: Token) -> Self {
        Principal(Source::Token(token))
    }

    /// A matched key exists only if the table holds it.
    pub(crate) fn from_key(proof: MatchedKey<KeyRecord>) -> Self {
        Principal(Source::Key(proof))
    }

    /// The configured name of the issuer whose policy checked the token.
    #[inline]
    pub(crate) fn configured_issuer(&self) -> Option<&Arc<str>> {
        match &self.0 {
            Source::Token(token) => Some(token.configured_issuer().policy().name()),
            Source::Key(_) => None,
        }
    }

    /// The kind of the caller's credential.
    #[must_use]
    pub fn kind(&self) -> PrincipalKind {
        match &self.0 {
            Source::Token(token) if token.key().is_some() => PrincipalKind::Jwt,
            Source::Token(_) => PrincipalKind::AccessToken,
            Source::Key(key) => key.record().kind().into(),
        }
    }

    /// The issuer of the token (`iss`); `None` for a record of the table.
    ///
    /// A subject is unique only within its issuer: two issuers may use the same one.
    #[must_use]
    pub fn issuer(&self) -> Option<&str> {
        match &self.0 {
            Source::Token(token) => token.issuer(),
            Source::Key(_) => None,
        }
    }

    /// The subject of the credential: a token's `sub`, or the claim that its issuer's
    /// [settings](crate::ClaimSources::subject) name.
    #[must_use]
    pub fn subject(&self) -> Option<&str> {
        match &self.0 {
            Source::Token(token) => token.subject(),
            Source::Key(key) => Some(key.record().subject()),
        }
    }

    /// The audience of the token: `aud`, or the claim that its issuer's [settings](crate::ClaimSources::audience) name;
    /// empty for a record of the table.
    pub fn audience(&self) -> impl Iterator<Item = &str> {
        let token = match &self.0 {
            Source::Token(token) => Some(token),
            Source::Key(_) => None,
        };
        token.into_iter().flat_map(Token::audience)
    }

    /// The scopes of the credential: a token's `scope` or `scp`, or the claims that its issuer's
    /// [settings](crate::ClaimSources::scopes) name.
    #[must_use]
    pub fn scopes(&self) -> Scopes<'_> {
        match &self.0 {
            Source::Token(token) => token.scopes(),
            Source::Key(key) => key.record().scopes(),
        }
    }

    /// The client that presents the credential: a token's `client_id`, `azp`, `cid` or `appid`, or the claim that its
    /// issuer's [settings](crate::ClaimSources::client) name.
    #[must_use]
    pub fn client_id(&self) -> Option<&str> {
        match &self.0 {
            Source::Token(token) => token.client_id(),
            Source::Key(key) => key.record().client_id(),
        }
    }

    /// The identifier of the credential: a token's `jti`, a key's id.
    #[must_use]
    pub fn credential_id(&self) -> Option<&str> {
        match &self.0 {
            Source::Token(token) => token.jti(),
            Source::Key(key) => Some(key.record().id()),
        }
    }

    /// The `kid` of the key that signed the token.
    #[must_use]
    pub fn key_id(&self) -> Option<&str> {
        match &self.0 {
            Source::Token(token) => token.key()?.kid(),
            Source::Key(_) => None,
        }
    }

    /// The algorithm of the key that signed the token.
    #[must_use]
    pub fn algorithm(&self) -> Option<Algorithm> {
        match &self.0 {
            Source::Token(token) => token.key().map(VerifyingKey::algorithm),
            Source::Key(_) => None,
        }
    }

    /// The login session of the token: its `sid` (OpenID Connect Front-Channel Logout 1.0 section 3), which
    /// [`Revocation::session`](crate::Revocation::session) revokes.
    #[must_use]
    pub fn session_id(&self) -> Option<&str> {
        match &self.0 {
            Source::Token(token) => token.session(),
            Source::Key(_) => None,
        }
    }

    /// When the token was issued (`iat`), in seconds since the Unix epoch, fractions rounded down.
    #[must_use]
    pub fn issued_at(&self) -> Option<i64> {
        match &self.0 {
            Source::Token(token) => token.times().issued_at(),
            Source::Key(_) => None,
        }
    }

    /// When the credential begins (`nbf`), in seconds since the Unix epoch, fractions rounded up, leeway not counted.
    #[must_use]
    pub fn not_before(&self) -> Option<i64> {
        match &self.0 {
            Source::Token(token) => token.times().not_before(),
            Source::Key(key) => key.record().not_before(),
        }
    }

    /// When the credential ends (`exp`), in seconds since the Unix epoch, leeway not counted.
    #[must_use]
    pub fn expires_at(&self) -> Option<i64> {
        match &self.0 {
            Source::Token(token) => token.times().expires_at(),
            Source::Key(key) => key.record().expires_at(),
        }
    }

    /// When the user last authenticated (`auth_time`, RFC 9068 section 2.2.1), in seconds since the Unix epoch,
    /// fractions rounded down; `None` if the claim is absent or there is no token.
    ///
    /// It is decoded at each call, since few callers need it.
    ///
    /// # Errors
    /// [`ClaimsError`] if the claim is present and not a number.
    pub fn auth_time(&self) -> Result<Option<i64>, ClaimsError> {
        match &self.0 {
            Source::Token(token) => claims::time(token.payload(), "auth_time"),
            Source::Key(_) => Ok(None),
        }
    }

    /// How the user authenticated (`acr`, the authentication context class reference, RFC 9068 section 2.2.1 and RFC
    /// 9470); `None` if the claim is absent or there is no token.
    ///
    /// It is decoded at each call, since few callers need it.
    ///
    /// # Errors
    /// [`ClaimsError`] if the claim is present and not a string.
    pub fn acr(&self) -> Result<Option<String>, ClaimsError> {
        self.claim("acr")
    }

    /// The claim `name` of the token; `None` if it is absent or there is no token.
    ///
    /// It is decoded at each call.
    ///
    /// # Errors
    /// [`ClaimsError`] if the claim is present and not a `T`.
    pub fn claim<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, ClaimsError> {
        match &self.0 {
            Source::Token(token) => claims::one(token.payload(), name),
            Source::Key(_) => Ok(None),
        }
    }

    /// All claims of the token as a `T`, decoded at each call.
    ///
    /// # Errors
    /// [`ClaimsError`] if the claims are not a `T`. Without a token they are an empty object.
    pub fn claims<T: DeserializeOwned>(&self) -> Result<T, ClaimsError> {
        match &self.0 {
            Source::Token(token) => claims::all(token.payload()),
            // The base64url of an empty object.
            Source::Key(_) => claims::all(b"e30"),
        }
    }

    /// Passes if the credential has `scope`, which is one scope-token (RFC 6749 section 3.3).
    ///
    /// # Errors
    /// [`Rejection::InsufficientScope`], to be answered with 403. [`Rejection::InvalidScopeRequirement`], to be
    /// answered with 500, if `scope` is not one scope-token: `"read write"` is two of them, for
    /// [`require_all`](Principal::require_all).
    pub fn require_scope(&self, scope: &str) -> Result<(), Rejection> {
        self.require_all(&[scope])
    }

    /// Passes if the credential has all of `scopes`, at least one scope-token.
    ///
    /// # Errors
    /// [`Rejection::InsufficientScope`], to be answered with 403. [`Rejection::InvalidScopeRequirement`], to be
    /// answered with 500, if `scopes` is empty, since everybody would pass, or a text in it is not a scope-token, since
    /// nobody could.
    pub fn require_all(&self, scopes: &[&str]) -> Result<(), Rejection> {
        let granted = self.scopes();
        let pass = !scopes.is_empty() && scopes.iter().all(|scope| granted.contains(scope));
        if pass { Ok(()) } else { Err(insufficient(scopes)) }
    }

    /// Passes if the credential has at least one of `scopes`, at least one scope-token.
    ///
    /// # Errors
    /// [`Rejection::InsufficientScope`], to be answered with 403. [`Rejection::InvalidScopeRequirement`], to be
    /// answered with 500, if the credential has none of them and `scopes` is empty or a text in it is not a
    /// scope-token.
    pub fn require_any(&self, scopes: &[&str]) -> Result<(), Rejection> {
        let granted = self.scopes();
        if scopes.iter().any(|scope| granted.contains(scope)) { Ok(()) } else { Err(insufficient(scopes)) }
    }
}

impl Principal {
    /// The key and certificate that the credential is bound to.
    pub(crate) fn confirmation(&self) -> Confirmation<[u8; 32]> {
        match &self.0 {
            // What a token is bound to was decoded before.
            Source::Token(token) => token.confirmation().decoded().unwrap_or_default(),
            Source::Key(key) => key.record().confirmation(),
        }
    }

    /// Whether the token has a claim with an expected value.
    pub(crate) fn has_claim(&self, path: &ClaimPath, expected: &Expected) -> bool {
        match &self.0 {
            Source::Token(token) => claims::has(token.payload(), path, expected),
            Source::Key(_) => false,
        }
    }

    /// The same principal, to be kept for longer than a request, such as in a session or a queue.
    ///
    /// A principal that was made from a token keeps the token's whole text, which is a credential, and shares memory
    /// with the engine's cache. The returned principal keeps the claims in memory of its own, without the signature. A
    /// principal that was made from a key has no credential in it, and is returned unchanged.
    ///
    /// The returned principal is no longer checked: its keeper has to look at [`expires_at`](Principal::expires_at),
    /// and is not told of revocations.
    #[must_use]
    pub fn into_owned(self) -> Self {
        match self.0 {
            Source::Token(token) => Principal(Source::Token(token.without_signature())),
            key @ Source::Key(_) => Principal(key),
        }
    }

    /// The table's record of the key; `None` for a token.
    #[must_use]
    pub fn key_record(&self) -> Option<&KeyRecord> {
        match &self.0 {
            Source::Token(_) => None,
            Source::Key(key) => Some(key.record()),
        }
    }
}

impl fmt::Debug for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Principal")
            .field("kind", &self.kind())
            .field("issuer", &self.issuer())
            .field("subject", &self.subject())
            .field("scopes", &self.scopes())
            .field("client_id", &self.client_id())
            .field("credential_id", &self.credential_id())
            .field("expires_at", &self.expires_at())
            .finish_non_exhaustive()
    }
}

impl PrincipalKind {
    /// Every kind.
    pub const ALL: [Self; 4] =
        [PrincipalKind::Jwt, PrincipalKind::ApiKey, PrincipalKind::Client, PrincipalKind::AccessToken];

    /// A stable kebab-case name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            PrincipalKind::Jwt => "jwt",
            PrincipalKind::ApiKey => "api-key",
            PrincipalKind::Client => "client",
            PrincipalKind::AccessToken => "access-token",
        }
    }

    /// The kind with that [name](Self::as_str).
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

impl From<KeyKind> for PrincipalKind {
    fn from(kind: KeyKind) -> Self {
        match kind {
            KeyKind::ApiKey => PrincipalKind::ApiKey,
            KeyKind::ClientSecret => PrincipalKind::Client,
            KeyKind::AccessToken => PrincipalKind::AccessToken,
        }
    }
}

impl fmt::Display for PrincipalKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Granted scopes are scope-tokens, so an invalid requirement never passes, and is detected only here.
#[cold]
fn insufficient(required: &[&str]) -> Rejection {
    let is_valid = !required.is_empty() && required.iter().all(|scope| is_scope_token(scope));
    let required = required.join(" ").into();
    if is_valid { Rejection::InsufficientScope { required } } else { Rejection::InvalidScopeRequirement { required } }
}
