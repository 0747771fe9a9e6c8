mod authorization_code;
mod client_credentials;
mod device_code;
mod refresh_token;

use super::client_auth::AuthenticatedClient;
use super::client_form::ClientForm;
use super::dpop::{self, Prover};
use super::error::OAuthError;
use super::id_token::IdToken;
use crate::app::App;
use crate::confirmation::{Confirmation, token_type};
use crate::ids::now;
use crate::json::NOT_STORED;
use crate::refresh_tokens::RefreshGrant;
use crate::routes::scopes;
use crate::scope;
use crate::sender::Sender;
use crate::tokens::{Grant, Minted};
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use std::sync::Arc;
use tollgate_storage::GrantType;
use tollgate_storage::accounts::LoginSession;
use zeroize::Zeroizing;

/// `POST /oauth/v2/token` (RFC 6749 sections 4.1.3, 4.4.2 and 6, RFC 8628 section 3.4).
pub(crate) async fn token(State(app): State<Arc<App>>, request: ClientForm) -> Result<Response, OAuthError> {
    let client = request.authenticate(&app).await?;
    request.require_own_resources(&app)?;
    let (app, ClientForm { form, headers, sender }) = (&app, &request);
    let certificate = bound_certificate(&client, sender)?;
    // Before a code is used up, so that a proof that is refused costs none.
    let prover = Prover { client_id: &client.id, is_public: client.is_public, sender };
    let proven = dpop::prove(app, headers, "/oauth/v2/token", &prover).await?;
    // RFC 9449 section 5.2.
    if client.is_dpop_bound && proven.thumbprint.is_none() {
        return Err(OAuthError::InvalidDpopProof("the client gets no token without a DPoP proof"));
    }
    let confirmation = Confirmation { key: proven.thumbprint, certificate };
    let answer = match form.value("grant_type") {
        Some("client_credentials") => client_credentials::token(app, &client, form, confirmation).await,
        Some("authorization_code") => authorization_code::token(app, client, form, confirmation).await,
        Some("urn:ietf:params:oauth:grant-type:device_code") => {
            device_code::token(app, client, form, confirmation).await
        }
        Some("refresh_token") => refresh_token::token(app, &client, form, confirmation).await,
        Some(_) => Err(OAuthError::UnsupportedGrantType),
        None => Err(OAuthError::InvalidRequest("grant_type is missing")),
    };
    Ok(proven.with_nonce(answer?))
}

/// The SHA-256 of the certificate that the client's tokens are bound to (RFC 8705 section 3). A client that is registered for that gets no
/// token otherwise, as section 3 leaves open.
fn bound_certificate(client: &AuthenticatedClient, sender: &Sender) -> Result<Option<[u8; 32]>, OAuthError> {
    const REQUIRED: OAuthError = OAuthError::InvalidRequest("the client gets no token without a client certificate");
    if !client.is_certificate_bound {
        return Ok(None);
    }
    let certificate = sender.certificate().map_err(|rejection| {
        tracing::info!(code = rejection.code(), detail = %rejection, "client certificate not read");
        REQUIRED
    })?;
    certificate.map(|certificate| Some(*certificate.sha256())).ok_or(REQUIRED)
}

/// What a user let a client have, of which the first tokens are issued now.
struct UserGrant<'a> {
    /// The id of the access token.
    token_id: &'a str,
    scope: &'a str,
    session: &'a LoginSession,
    nonce: Option<&'a str>,
    confirmation: Confirmation,
}

/// The first tokens of a user's grant, with a refresh token for a client that is registered for them; `None` when the login session, the
/// grant or the user's consent has ended meanwhile. Blocks.
fn issue_first(
    app: &App,
    client: &AuthenticatedClient,
    user_grant: UserGrant<'_>,
) -> Result<Option<Response>, OAuthError> {
    let UserGrant { token_id, scope, session, nonce, confirmation } = user_grant;
    let mut refresh_token = None;
    if client.require(GrantType::RefreshToken).is_ok() {
        // Those of other clients are bound to what the client authenticates with (RFC 9449 section 5).
        let confirmation = if client.is_public { confirmation } else { Confirmation::default() };
        let grant = RefreshGrant { token_id, client_id: &client.id, scope, session, confirmation };
        refresh_token = first_refresh_token(app, grant)?;
        if refresh_token.is_none() {
            return Ok(None);
        }
    }
    let grant = Grant {
        client_id: &client.id,
        subject: &session.user_id,
        scope,
        token_id: Some(token_id),
        session_id: Some(&session.id),
        ends_at: Some(session.expires_at),
        authenticated_at: Some(session.authenticated_at),
        confirmation,
    };
    issue(app, &grant, nonce, refresh_token.as_ref()).map(Some)
}

fn first_refresh_token(app: &App, grant: RefreshGrant<'_>) -> Result<Option<Zeroizing<String>>, OAuthError> {
    let RefreshGrant { token_id, client_id, scope, session, .. } = grant;
    let Some(token) = app.first_refresh_token(grant)? else { return Ok(None) };
    // Whoever revokes a consent ends the refresh tokens that are there by then; these are there first and then look for the consent.
    let client = app.accounts.keys.client(client_id)?.ok_or(OAuthError::InvalidClient)?;
    if app.lacks_consent(&session.user_id, &client, scope)? {
        app.end_grant(token_id, &session.user_id)?;
        return Ok(None);
    }
    Ok(Some(token))
}

/// Issues what was granted, with an ID token (OpenID Connect Core 1.0 sections 3.1.3.3 and 12.2) where a user was asked for `openid`.
/// Blocks.
fn issue(
    app: &App,
    grant: &Grant<'_>,
    nonce: Option<&str>,
    refresh_token: Option<&Zeroizing<String>>,
) -> Result<Response, OAuthError> {
    let now = now();
    let minted = app.tokens.access(grant, now)?;
    let mut id_token = None;
    if let (Some(session_id), Some(authenticated_at)) = (grant.session_id, grant.authenticated_at)
        && scope::contains(grant.scope, scopes::OPENID)
    {
        let Grant { client_id, subject: user_id, .. } = *grant;
        let claims = IdToken { client_id, user_id, session_id, authenticated_at, nonce };
        id_token = Some(app.id_token(&claims, &minted, now)?);
    }
    let (id_token, refresh_token) = (id_token.as_deref(), refresh_token.map(|token| token.as_str()));
    Ok(answer(grant, &minted, id_token.map(String::as_str), refresh_token))
}

/// RFC 6749 section 5.1, OpenID Connect Core 1.0 section 3.1.3.3.
#[derive(Serialize)]
struct TokenResponse<'a> {
    token_type: &'static str,
    expires_in: i64,
    access_token: &'a str,
    scope: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id_token: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<&'a str>,
}

/// The answer to a request for what was granted.
fn answer(grant: &Grant<'_>, minted: &Minted, id_token: Option<&str>, refresh_token: Option<&str>) -> Response {
    let (token_type, access_token) = (token_type(grant.confirmation.methods()), minted.token.as_str());
    let (expires_in, scope) = (minted.expires_in, grant.scope);
    let body = TokenResponse { token_type, expires_in, access_token, scope, id_token, refresh_token };
    (NOT_STORED, Json(body)).into_response()
}
