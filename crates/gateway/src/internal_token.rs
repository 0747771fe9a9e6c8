//! The caller's identity as a token that the gateway signs for the servers behind it.

use std::time::{SystemTime, UNIX_EPOCH};

use http::{HeaderName, HeaderValue};
use serde_json::{Map, Value, json};
use tollgate::Principal;
use tollgate_issuer::{IssuerError, Minter, TokenBuilder};

use crate::error::GatewayError;
use crate::identity::{Identity, check_field};
use crate::limits::{DEFAULT_INTERNAL_TOKEN_SECONDS, MAX_IDENTITY_BYTES, MAX_INTERNAL_TOKEN_SECONDS};

/// A JWT about the caller, in addition to the identity fields or instead of them. A server that verifies it need not trust
/// every host that can reach it.
///
/// A new one is made for each request. `sub`, `client_id` and `scope` are the principal's ([`Principal::subject`],
/// [`client_id`](Principal::client_id), [`scopes`](Principal::scopes)). `credential` is an object with the principal's
/// `kind`, `issuer` and `id`, if it has them: with several issuers, `sub` is unique only together with `credential.issuer`.
/// `exp` is never later than the credential's own, but at least a second from now.
///
/// ```
/// use std::sync::Arc;
/// use tollgate_gateway::{Identity, InternalToken};
/// use tollgate_issuer::{Minter, SigningKey, SigningKeys};
///
/// let keys = Arc::new(SigningKeys::new(SigningKey::generate(tollgate::Algorithm::ES256)?));
/// let token = InternalToken::new(Minter::new("https://gateway.internal", keys)?, ["https://sites.internal"])?
///     .lifetime(30)?
///     .claim("email", Identity::Claim("/email".into()))?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct InternalToken {
    field: HeaderName,
    minter: Minter,
    audiences: Vec<String>,
    lifetime: i64,
    claims: Vec<(String, Identity)>,
}

/// The reserved claims, which such tokens always have or may have.
const OWN_CLAIMS: [&str; 9] = ["iss", "sub", "aud", "exp", "nbf", "iat", "jti", "client_id", "scope"];
const CREDENTIAL: &str = "credential";

impl InternalToken {
    /// A token of `minter` for `audiences`, in the field `X-Auth-Request-Token`, with a lifetime of
    /// [`DEFAULT_INTERNAL_TOKEN_SECONDS`].
    ///
    /// # Errors
    /// [`GatewayError::NoTokenAudience`] without an audience; [`GatewayError::SecretTokenKey`] if the minter signs with
    /// an HMAC key, with which every verifier could sign too; [`GatewayError::Token`] if no such token can be made, for
    /// example because an audience contains control characters.
    pub fn new<A: Into<String>>(minter: Minter, audiences: impl IntoIterator<Item = A>) -> Result<Self, GatewayError> {
        if minter.keys().signing_key().public_jwk().is_none() {
            return Err(GatewayError::SecretTokenKey);
        }
        let token = InternalToken {
            field: HeaderName::from_static("x-auth-request-token"),
            minter,
            audiences: audiences.into_iter().map(Into::into).collect(),
            lifetime: DEFAULT_INTERNAL_TOKEN_SECONDS,
            claims: Vec::new(),
        };
        if token.audiences.is_empty() {
            return Err(GatewayError::NoTokenAudience);
        }
        let trial = token.audiences.iter().fold(token.minter.token(), TokenBuilder::audience);
        trial.lifetime(token.lifetime).mint().map_err(|error| GatewayError::Token { reason: error.to_string() })?;
        Ok(token)
    }

    /// Sets the name of the field.
    ///
    /// # Errors
    /// [`GatewayError::InvalidField`].
    pub fn field(self, name: &str) -> Result<Self, GatewayError> {
        Ok(InternalToken { field: check_field(name)?, ..self })
    }

    /// Sets the lifetime in seconds, at most [`MAX_INTERNAL_TOKEN_SECONDS`].
    ///
    /// # Errors
    /// [`GatewayError::InvalidTokenLifetime`].
    pub fn lifetime(self, seconds: u32) -> Result<Self, GatewayError> {
        let lifetime = i64::from(seconds);
        let is_possible =
            (1..=MAX_INTERNAL_TOKEN_SECONDS).contains(&lifetime) && lifetime <= self.minter.keys().overlap();
        if is_possible {
            Ok(InternalToken { lifetime, ..self })
        } else {
            Err(GatewayError::InvalidTokenLifetime { seconds })
        }
    }

    /// Adds a claim with this part of the principal. A claim of the credential is copied as it is, whatever its type. If
    /// the principal has none, the claim is left out.
    ///
    /// # Errors
    /// [`GatewayError::TokenClaimTaken`] for a reserved or repeated claim.
    pub fn claim(mut self, name: &str, identity: Identity) -> Result<Self, GatewayError> {
        let is_taken =
            OWN_CLAIMS.contains(&name) || name == CREDENTIAL || self.claims.iter().any(|(other, _)| other == name);
        if is_taken || name.is_empty() {
            return Err(GatewayError::TokenClaimTaken { name: name.into() });
        }
        self.claims.push((name.into(), identity));
        Ok(self)
    }

    pub(crate) fn field_name(&self) -> &HeaderName {
        &self.field
    }

    /// The keys that verify it, as a JWKS.
    pub(crate) fn jwks(&self) -> std::sync::Arc<str> {
        self.minter.keys().jwks()
    }

    /// The token about `principal`, whose credential has `claims`.
    pub(crate) fn mint(&self, principal: &Principal, claims: &Value) -> Result<HeaderValue, UnsayableToken> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let now = i64::try_from(now).unwrap_or(i64::MAX);
        let left = principal.expires_at().map_or(self.lifetime, |expires_at| expires_at.saturating_sub(now));
        let mut token = self.minter.token().lifetime(left.clamp(1, self.lifetime));
        token = token.scope(principal.scopes().to_string()).claim(CREDENTIAL, credential(principal));
        token = self.audiences.iter().fold(token, TokenBuilder::audience);
        if let Some(subject) = principal.subject() {
            token = token.subject(subject);
        }
        if let Some(client_id) = principal.client_id() {
            token = token.client_id(client_id);
        }
        for (name, identity) in &self.claims {
            if let Some(value) = identity.value(principal, claims) {
                token = token.claim(name, value);
            }
        }
        let token = token.mint_at(now).map_err(UnsayableToken::Claims)?;
        if token.len() > MAX_IDENTITY_BYTES {
            return Err(UnsayableToken::TooLong);
        }
        HeaderValue::try_from(token).map_err(|_| UnsayableToken::TooLong)
    }

    pub(crate) fn reads_claims(&self) -> bool {
        self.claims.iter().any(|(_, identity)| matches!(identity, Identity::Claim(_)))
    }
}

fn credential(principal: &Principal) -> Value {
    let mut members = Map::from_iter([("kind".to_owned(), json!(principal.kind().as_str()))]);
    let further = [("issuer", principal.issuer()), ("id", principal.credential_id())];
    members.extend(further.into_iter().filter_map(|(name, value)| Some((name.to_owned(), json!(value?)))));
    Value::Object(members)
}

/// The reason why there is no token about a principal, whose request is then denied.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UnsayableToken {
    #[error("the internal token: {0}")]
    Claims(IssuerError),
    #[error("the internal token is longer than {MAX_IDENTITY_BYTES} bytes")]
    TooLong,
}
