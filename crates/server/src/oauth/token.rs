use super::client_auth::authenticate;
use super::error::OAuthError;
use crate::app::App;
use crate::form::{Form, FormError};
use crate::ids::{digest, now};
use crate::json::has_media_type;
use crate::limits::CODE_VERIFIER_CHARS;
use crate::problem::Problem;
use crate::scope;
use crate::storage::{AuthorizationCode, Redemption};
use crate::tokens::Minted;
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, HeaderName, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use std::sync::Arc;
use subtle::ConstantTimeEq;
use tollgate::jwt::base64url;

/// `POST /oauth/v2/token` (RFC 6749 sections 4.1.3 and 4.4.2).
pub(crate) async fn token(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Response> {
    let body = crate::json::body(body).map_err(IntoResponse::into_response)?;
    answer(&app, &headers, &body).await.map_err(IntoResponse::into_response)
}

async fn answer(app: &Arc<App>, headers: &HeaderMap, body: &[u8]) -> Result<Response, OAuthError> {
    if !has_media_type(headers, "application/x-www-form-urlencoded") {
        return Err(OAuthError::InvalidRequest("send a form: Content-Type: application/x-www-form-urlencoded"));
    }
    let form = Form::parse(body).map_err(|error| match error {
        FormError::Repeated => OAuthError::InvalidRequest("a parameter is repeated"),
        FormError::NotText => OAuthError::InvalidRequest("a parameter is not UTF-8 text"),
    })?;
    let client = authenticate(app, headers, &form)?;
    let client_id = client.client_id().ok_or(OAuthError::InvalidClient)?;
    match form.value("grant_type") {
        Some("client_credentials") => {
            let allowed = client.scopes().iter().collect::<Vec<_>>().join(" ");
            let granted = scope::narrow(form.value("scope"), &allowed).ok_or(OAuthError::InvalidScope)?;
            let minted = app.tokens.access(client_id, client_id, &granted, None, now());
            Ok(token_answer(minted.map_err(failed)?, &granted))
        }
        Some("authorization_code") => {
            let code = redeem(app, &form).await?;
            check_binding(&code, client_id, &form)?;
            let minted = app.tokens.access(client_id, &code.user_id, &code.scope, Some(code.token_id), now());
            Ok(token_answer(minted.map_err(failed)?, &code.scope))
        }
        Some(_) => Err(OAuthError::UnsupportedGrantType),
        None => Err(OAuthError::InvalidRequest("grant_type is missing")),
    }
}

/// Uses the code up. One that comes again takes the token made from it along.
async fn redeem(app: &Arc<App>, form: &Form<'_>) -> Result<AuthorizationCode, OAuthError> {
    let code = form.value("code").ok_or(OAuthError::InvalidRequest("code is missing"))?;
    let digest = digest(code);
    let redemption = app
        .blocking(move |app| {
            let now = now();
            let revoked_until = now.saturating_add(app.tokens.access_token_ttl());
            let redemption = app.accounts.store.redeem_code(&digest, now, revoked_until)?;
            if let Redemption::Again(code) = &redemption {
                app.revoke_token(&code.token_id, revoked_until);
                tracing::warn!(client_id = ?code.client_id, "an authorization code was used twice: its token is revoked");
            }
            Ok::<_, Problem>(redemption)
        })
        .await;
    match redemption {
        Ok(Redemption::First(code)) => Ok(code),
        Ok(Redemption::Again(_) | Redemption::Unknown) => Err(OAuthError::InvalidGrant),
        Err(problem) => {
            // Its answer is not one of RFC 6749; making it writes the cause to the log.
            let _ = problem.into_response();
            Err(OAuthError::ServerError)
        }
    }
}

/// The code is this client's, was sent to this redirect URI, and the caller knows the verifier (RFC 7636 section 4.6).
fn check_binding(code: &AuthorizationCode, client_id: &str, form: &Form<'_>) -> Result<(), OAuthError> {
    let verifier = form.value("code_verifier").ok_or(OAuthError::InvalidRequest("code_verifier is missing"))?;
    let well_formed = CODE_VERIFIER_CHARS.contains(&verifier.len())
        && verifier.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte));
    let challenge = base64url::encode(digest(verifier));
    let proves = bool::from(challenge.as_bytes().ct_eq(code.code_challenge.as_bytes()));
    let same_redirect = form.value("redirect_uri") == Some(&code.redirect_uri);
    if well_formed && proves && same_redirect && code.client_id == client_id {
        Ok(())
    } else {
        Err(OAuthError::InvalidGrant)
    }
}

/// The answer of RFC 6749 section 5.1.
fn token_answer(minted: Minted, scope: &str) -> Response {
    let body = json!({
        "token_type": "Bearer",
        "expires_in": minted.expires_in,
        "access_token": minted.token,
        "scope": scope,
    });
    (NOT_STORED, Json(body)).into_response()
}

fn failed(error: tollgate_issuer::IssuerError) -> OAuthError {
    tracing::error!(code = error.code(), "no token was minted: {error}");
    OAuthError::ServerError
}

const NOT_STORED: [(HeaderName, &str); 2] = [(header::CACHE_CONTROL, "no-store"), (header::PRAGMA, "no-cache")];
