//! `private_key_jwt`: a client authenticates by an assertion that its key has signed (RFC 7523 section 3, OpenID Connect Core section 9).

use super::super::error::OAuthError;
use super::active;
use crate::app::App;
use crate::form::Form;
use crate::ids::{digest, now};
use crate::limits::{
    ASSERTION_BUSY_SECONDS, ASSERTION_LEEWAY_SECONDS, MAX_ASSERTION_SECONDS, MAX_SPENT_ASSERTIONS_PER_CLIENT,
};
use std::sync::Arc;
use tollgate::jwt::{CompactJws, json};
use tollgate::{Engine, Issuer, Principal, RefusalCode, Request, TypProfile, TypSet, VerifiedClaims};
use tollgate_storage::accounts::SpentJti;
use tollgate_storage::{Client, ClientAuthMethod, Refusal, StorageError};

/// The `client_assertion_type` of RFC 7523 section 2.2.
const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// The `typ` that draft-ietf-oauth-rfc7523bis gives to assertions; most clients send `JWT` or none.
const ASSERTION_TYPES: [&str; 3] = ["client-authentication+jwt", "JWT", ""];

/// The client whose key has signed the form's `client_assertion`, which is spent.
pub(super) async fn authenticate(app: &App, form: &Form<'_>) -> Result<Arc<Client>, OAuthError> {
    let assertion = form.value("client_assertion").ok_or(OAuthError::InvalidRequest("client_assertion is missing"))?;
    if form.value("client_assertion_type") != Some(JWT_BEARER) {
        return Err(OAuthError::InvalidClient);
    }
    // Whose keys to use; the verify expects the same client in `iss` and `sub`.
    let client_id = claimed_client(assertion).ok_or(OAuthError::InvalidClient)?;
    // RFC 7521 section 4.2: "the value of the client_id parameter MUST identify the same client".
    if form.value("client_id").is_some_and(|in_form| in_form != client_id) {
        return Err(OAuthError::InvalidClient);
    }
    let client = active(app, &client_id)?;
    if client.settings().auth_method != ClientAuthMethod::PrivateKeyJwt {
        return Err(OAuthError::InvalidClient);
    }
    let principal = verify(&client, assertion, &app.origin)?;
    spend(app, &client, &principal).await?;
    Ok(client)
}

/// The `sub` of an assertion that is not verified yet.
fn claimed_client(assertion: &str) -> Option<String> {
    let mut buffer = json::Buffer::default();
    let claims = CompactJws::parse(assertion).ok()?.decode_claims(&mut buffer).ok()?;
    claims.sub().map(str::to_owned)
}

/// Verifies the assertion as an engine verifies a token of the issuer `client`. That engine lives for one verify, so the keys are those that
/// the client has now.
fn verify(client: &Client, assertion: &str, audience: &str) -> Result<Principal, OAuthError> {
    let keys = client.settings().jwks.as_ref().and_then(|jwks| jwks.key_set().ok()).ok_or(OAuthError::InvalidClient)?;
    let types = TypSet::new(ASSERTION_TYPES).map_err(|_| OAuthError::ServerError)?;
    let issuer = Issuer::new(client.id())
        .audience(audience)
        .keys(keys)
        .typ(TypProfile::OneOf(types))
        .leeway(ASSERTION_LEEWAY_SECONDS)
        .expect_claim("sub", client.id())
        .validator(check);
    let engine = Engine::builder().issuer(issuer).no_cache().no_dpop().build().map_err(|_| OAuthError::ServerError)?;
    engine.verify_request(&Request::new().token(assertion)).map_err(|rejection| {
        tracing::info!(code = rejection.code(), detail = %rejection, "client assertion rejected");
        OAuthError::InvalidClient
    })
}

/// What an assertion has to say beyond a token.
fn check(claims: &VerifiedClaims<'_>) -> Result<(), tollgate::Refusal> {
    const AUDIENCE: RefusalCode = RefusalCode::new("assertion-audience");
    const LIFETIME: RefusalCode = RefusalCode::new("assertion-lifetime");
    const ID: RefusalCode = RefusalCode::new("assertion-id");
    // draft-ietf-oauth-rfc7523bis section 4: the issuer "as its sole value". An assertion for several servers could be used by one at
    // another.
    if claims.audience().count() != 1 {
        return Err(AUDIENCE.refuse("aud has more than one value"));
    }
    let latest = claims.now().saturating_add(MAX_ASSERTION_SECONDS + i64::from(ASSERTION_LEEWAY_SECONDS));
    if claims.expires_at().is_none_or(|expires_at| expires_at > latest) {
        return Err(LIFETIME.refuse("exp is too far in the future"));
    }
    if claims.token_id().is_none_or(str::is_empty) { Err(ID.refuse("jti is missing")) } else { Ok(()) }
}

/// OpenID Connect Core section 9, `jti`: "These tokens MUST only be used once".
async fn spend(app: &App, client: &Client, principal: &Principal) -> Result<(), OAuthError> {
    let id: String = principal.claim("jti").ok().flatten().ok_or(OAuthError::InvalidClient)?;
    let expires_at = principal.expires_at().ok_or(OAuthError::InvalidClient)?;
    let assertion = SpentJti {
        owner: client.id().to_owned(),
        digest: digest(&id),
        expires_at: expires_at.saturating_add(i64::from(ASSERTION_LEEWAY_SECONDS)),
    };
    match app.accounts.store.spend_jti(&assertion, now(), MAX_SPENT_ASSERTIONS_PER_CLIENT).await {
        Ok(true) => Ok(()),
        Ok(false) => {
            tracing::info!(client_id = ?client.id(), "client assertion rejected: it was used before");
            Err(OAuthError::InvalidClient)
        }
        Err(StorageError::Refused(Refusal::TooMany { .. })) => {
            Err(OAuthError::TemporarilyUnavailable(ASSERTION_BUSY_SECONDS))
        }
        Err(error) => Err(error.into()),
    }
}
