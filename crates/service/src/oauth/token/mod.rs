mod authorization_code;
mod client_credentials;
mod device_code;

use super::client_auth::authenticate;
use super::client_form;
use super::dpop;
use super::error::OAuthError;
use super::id_token::IdToken;
use super::request::is_own_resource;
use crate::app::App;
use crate::client_address::ClientAddress;
use crate::ids::now;
use crate::problem::Problem;
use crate::routes::scopes;
use crate::scope;
use crate::tokens::{Grant, Minted};
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, HeaderName, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use std::sync::Arc;
use tollgate_storage::accounts::LoginSession;

/// `POST /oauth/v2/token` (RFC 6749 sections 4.1.3 and 4.4.2, RFC 8628 section 3.4).
pub(crate) async fn token(
    State(app): State<Arc<App>>,
    client: ClientAddress,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Response> {
    let body = crate::json::body(body).map_err(IntoResponse::into_response)?;
    answer(&app, &headers, &body, client).await.map_err(IntoResponse::into_response)
}

async fn answer(
    app: &Arc<App>,
    headers: &HeaderMap,
    body: &[u8],
    address: ClientAddress,
) -> Result<Response, OAuthError> {
    let form = client_form::read(headers, body)?;
    let client = authenticate(app, headers, &form, address).await?;
    if !form.resources().all(|resource| is_own_resource(resource, &app.origin)) {
        return Err(OAuthError::InvalidTarget);
    }
    // Before a code is used up, so that a proof that is refused costs none.
    let jkt = dpop::of_token(app, headers, &client)?;
    match form.value("grant_type") {
        Some("client_credentials") => client_credentials::token(app, &client, &form, jkt).await,
        Some("authorization_code") => authorization_code::token(app, &client, &form, jkt).await,
        Some("urn:ietf:params:oauth:grant-type:device_code") => device_code::token(app, &client, &form, jkt).await,
        Some(_) => Err(OAuthError::UnsupportedGrantType),
        None => Err(OAuthError::InvalidRequest("grant_type is missing")),
    }
}

/// What a code says of the token that is made from it.
struct OfCode {
    token_id: String,
    nonce: Option<String>,
    session: LoginSession,
}

async fn issue(
    app: &Arc<App>,
    client_id: String,
    subject: String,
    scope: String,
    of_code: Option<OfCode>,
    jkt: Option<String>,
) -> Result<Response, OAuthError> {
    app.blocking(move |app| {
        let (client_id, subject) = (client_id.as_str(), subject.as_str());
        let token_id = of_code.as_ref().map(|code| code.token_id.as_str());
        let login = of_code.as_ref().map(|code| &code.session);
        let session_id = login.map(|login| login.id.as_str());
        let ends_at = login.map(|login| login.expires_at);
        let authenticated_at = login.map(|login| login.authenticated_at);
        let jkt = jkt.as_deref();
        let grant = Grant { client_id, subject, scope: &scope, token_id, session_id, ends_at, authenticated_at, jkt };
        let now = now();
        let minted = app.tokens.access(&grant, now)?;
        let id_token = match &of_code {
            Some(OfCode { nonce, session, .. }) if scope::contains(&scope, scopes::OPENID) => {
                let id_token = IdToken {
                    client_id,
                    user_id: &session.user_id,
                    session_id: &session.id,
                    authenticated_at: session.authenticated_at,
                    nonce: nonce.as_deref(),
                };
                Some(app.id_token(&id_token, &minted, now)?)
            }
            _ => None,
        };
        let token_type = if jkt.is_some() { "DPoP" } else { "Bearer" };
        Ok::<_, Problem>(token_answer(&minted, token_type, &scope, id_token.as_deref().map(String::as_str)))
    })
    .await
    .map_err(failed)
}

/// The answer of RFC 6749 section 5.1.
fn token_answer(minted: &Minted, token_type: &str, scope: &str, id_token: Option<&str>) -> Response {
    let mut body = json!({
        "token_type": token_type,
        "expires_in": minted.expires_in,
        "access_token": *minted.token,
        "scope": scope,
    });
    // OpenID Connect Core 1.0 section 3.1.3.3.
    if let Some(id_token) = id_token {
        body["id_token"] = id_token.into();
    }
    (NOT_STORED, Json(body)).into_response()
}

/// The problem's own answer is not one of RFC 6749; making it writes the cause to the log.
pub(super) fn failed(problem: Problem) -> OAuthError {
    let _ = problem.into_response();
    OAuthError::ServerError
}

pub(super) const NOT_STORED: [(HeaderName, &str); 2] =
    [(header::CACHE_CONTROL, "no-store"), (header::PRAGMA, "no-cache")];
