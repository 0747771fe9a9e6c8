//! Who is calling.

mod serialize;

use std::fmt;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use tollgate_jwt::is_scope_token;
use tollgate_keys::{Algorithm, VerifyingKey};

use crate::claims::{self, ClaimsError};
use crate::issuer::{ClaimPath, Expected};
use crate::record::{KeyKind, KeyRecord};
use crate::rejection::Rejection;
use crate::scopes::Scopes;
use crate::table::MatchedKey;
use crate::token::Token;

/// Who is calling, by which credential, with which scopes, until when.
///
/// Only a passed check makes one. It borrows nothing, and is cheap to clone: clones share what they are made of. What is to
/// be kept for longer than a request is better kept as its [`into_owned`](Principal::into_owned).
///
/// It can be serialised, for logs and for other services: `kind`, `issuer`, `subject`, `audience`, `scopes`, `client_id`,
/// `credential_id`, `session_id`, `key_id`, `algorithm`, `issued_at`, `not_before` and `expires_at`, with null for what it does
/// not have. No credential is in it. It cannot be deserialised: that would be a principal without a check.
#[derive(Clone)]
pub struct Principal(Source);

#[derive(Clone)]
enum Source {
    /// A JWT, or an opaque token whose issuer was asked.
    Token(Token),
    Key(MatchedKey<KeyRecord>),
}

/// By which kind of credential a [`Principal`] is known.
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
    /// From a token, which exists only where there was a proof that it is signed, or its issuer has vouched for it.
    pub(crate) fn from_token(token: Token) -> Self {
        Principal(Source::Token(token))
    }

    /// From a key, which exists only where there was a proof that the table holds it.
    pub(crate) fn from_key(proof: MatchedKey<KeyRecord>) -> Self {
        Principal(Source::Key(proof))
    }

    /// The name of the issuer whose policy the token was held to, as it is configured.
    #[inline]
    pub(crate) fn configured_issuer(&self) -> Option<&Arc<str>> {
        match &self.0 {
            Source::Token(token) => Some(token.configured_issuer().policy().name()),
            Source::Key(_) => None,
        }
    }

    /// By which kind of credential the caller is known.
    #[must_use]
    pub fn kind(&self) -> PrincipalKind {
        match &self.0 {
            Source::Token(token) if token.key().is_some() => PrincipalKind::Jwt,
            Source::Token(_) => PrincipalKind::AccessToken,
            Source::Key(key) => key.record().kind().into(),
        }
    }

    /// Who issued the token (`iss`); `None` for what the table holds.
    ///
    /// A subject means something only together with its issuer: two issuers may use the same one.
    #[must_use]
    pub fn issuer(&self) -> Option<&str> {
        match &self.0 {
            Source::Token(token) => token.issuer(),
            Source::Key(_) => None,
        }
    }

    /// Whom the credential speaks for: a token's `sub`, or what its issuer's
    /// [settings](crate::ClaimSources::subject) name.
    #[must_use]
    pub fn subject(&self) -> Option<&str> {
        match &self.0 {
            Source::Token(token) => token.subject(),
            Source::Key(key) => Some(key.record().subject()),
        }
    }

    /// For whom the token is meant: `aud`, or what its issuer's [settings](crate::ClaimSources::audience) name; nothing for
    /// what the table holds.
    pub fn audience(&self) -> impl Iterator<Item = &str> {
        let token = match &self.0 {
            Source::Token(token) => Some(token),
            Source::Key(_) => None,
        };
        token.into_iter().flat_map(Token::audience)
    }

    /// What the credential may be used for: a token's `scope` or `scp`, or what its issuer's
    /// [settings](crate::ClaimSources::scopes) name.
    #[must_use]
    pub fn scopes(&self) -> Scopes<'_> {
        match &self.0 {
            Source::Token(token) => token.scopes(),
            Source::Key(key) => key.record().scopes(),
        }
    }

    /// The client that presents the credential: a token's `client_id`, `azp`, `cid` or `appid`, or what its issuer's
    /// [settings](crate::ClaimSources::client) name.
    #[must_use]
    pub fn client_id(&self) -> Option<&str> {
        match &self.0 {
            Source::Token(token) => token.client_id(),
            Source::Key(key) => key.record().client_id(),
        }
    }

    /// The credential's own name: a token's `jti`, a key's id.
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

    /// The login session that the token belongs to: its `sid` (OpenID Connect Front-Channel Logout 1.0 section 3), by which
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

    /// When the user last authenticated (`auth_time`, RFC 9068 section 2.2.1), in seconds since the Unix epoch, fractions
    /// rounded down; `None` where the claim is absent or there is no token.
    ///
    /// It is decoded at each call, as few ask for it.
    ///
    /// # Errors
    /// [`ClaimsError`] when the claim is present and no number.
    pub fn auth_time(&self) -> Result<Option<i64>, ClaimsError> {
        match &self.0 {
            Source::Token(token) => claims::time(token.payload(), "auth_time"),
            Source::Key(_) => Ok(None),
        }
    }

    /// How the user authenticated (`acr`, the authentication context class reference, RFC 9068 section 2.2.1 and RFC 9470);
    /// `None` where the claim is absent or there is no token.
    ///
    /// It is decoded at each call, as few ask for it.
    ///
    /// # Errors
    /// [`ClaimsError`] when the claim is present and no string.
    pub fn acr(&self) -> Result<Option<String>, ClaimsError> {
        self.claim("acr")
    }

    /// The claim `name` of the token; `None` where it is absent or there is no token.
    ///
    /// It is decoded at each call.
    ///
    /// # Errors
    /// [`ClaimsError`] when the claim is present and no `T`.
    pub fn claim<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, ClaimsError> {
        match &self.0 {
            Source::Token(token) => claims::one(token.payload(), name),
            Source::Key(_) => Ok(None),
        }
    }

    /// All claims of the token as a `T`, decoded at each call.
    ///
    /// # Errors
    /// [`ClaimsError`] when the claims are no `T`; without a token they are an empty object.
    pub fn claims<T: DeserializeOwned>(&self) -> Result<T, ClaimsError> {
        match &self.0 {
            Source::Token(token) => claims::all(token.payload()),
            // The base64url of an empty object.
            Source::Key(_) => claims::all(b"e30"),
        }
    }

    /// Passes when the credential carries `scope`, which is one scope-token (RFC 6749 section 3.3).
    ///
    /// # Errors
    /// [`Rejection::InsufficientScope`], to be answered with 403. [`Rejection::InvalidScopeRequirement`], to be answered
    /// with 500, when `scope` is no scope-token: `"read write"` is two of them, for
    /// [`require_all`](Principal::require_all).
    pub fn require_scope(&self, scope: &str) -> Result<(), Rejection> {
        self.require_all(&[scope])
    }

    /// Passes when the credential carries every one of `scopes`, at least one scope-token.
    ///
    /// # Errors
    /// [`Rejection::InsufficientScope`], to be answered with 403. [`Rejection::InvalidScopeRequirement`], to be answered
    /// with 500, when `scopes` is empty, as everybody would pass, or when a text in it is no scope-token, as nobody could.
    pub fn require_all(&self, scopes: &[&str]) -> Result<(), Rejection> {
        let granted = self.scopes();
        let pass = !scopes.is_empty() && scopes.iter().all(|scope| granted.contains(scope));
        if pass { Ok(()) } else { Err(insufficient(scopes)) }
    }

    /// Passes when the credential carries at least one of `scopes`, at least one scope-token.
    ///
    /// # Errors
    /// [`Rejection::InsufficientScope`], to be answered with 403. [`Rejection::InvalidScopeRequirement`], to be answered
    /// with 500, when the credential carries none of them and `scopes` is empty or a text in it is no scope-token.
    pub fn require_any(&self, scopes: &[&str]) -> Result<(), Rejection> {
        let granted = self.scopes();
        if scopes.iter().any(|scope| granted.contains(scope)) { Ok(()) } else { Err(insufficient(scopes)) }
    }
}

impl Principal {
    /// Whether the token has a claim with a value that is expected.
    pub(crate) fn has_claim(&self, path: &ClaimPath, expected: &Expected) -> bool {
        match &self.0 {
            Source::Token(token) => claims::has(token.payload(), path, expected),
            Source::Key(_) => false,
        }
    }

    /// The same principal, to be kept for longer than a request, such as in a session or a queue.
    ///
    /// A principal never borrows. But one that was made from a token keeps the token's whole text, which is a credential, and
    /// shares memory with the engine's cache. What this gives keeps the claims in memory of its own, and not the signature.
    /// What was made from a key has no credential in it, and is given back as it is.
    ///
    /// It is no longer checked: whoever keeps it asks [`expires_at`](Principal::expires_at), and does not hear of revocations.
    #[must_use]
    pub fn into_owned(self) -> Self {
        match self.0 {
            Source::Token(token) => Principal(Source::Token(token.without_signature())),
            key @ Source::Key(_) => Principal(key),
        }
    }

    /// What the table knows of the key; `None` for a token.
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

    /// The kind of that [name](Self::as_str).
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

/// What is granted is scope-tokens, so that a requirement that is none never passes: it is looked at only here.
#[cold]
fn insufficient(required: &[&str]) -> Rejection {
    let is_valid = !required.is_empty() && required.iter().all(|scope| is_scope_token(scope));
    let required = required.join(" ").into();
    if is_valid { Rejection::InsufficientScope { required } } else { Rejection::InvalidScopeRequirement { required } }
}
