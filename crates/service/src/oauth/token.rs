use super::client_auth::authenticate;
use super::error::OAuthError;
use super::request::is_own_resource;
use crate::app::App;
use crate::client_address::ClientAddress;
use crate::form::{Form, FormError};
use crate::ids::{digest, now};
use crate::json::has_media_type;
use crate::limits::CODE_VERIFIER_CHARS;
use crate::problem::Problem;
use crate::revocations;
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
use tollgate::jwt::base64url;
use tollgate_storage::GrantType;
use tollgate_storage::accounts::{AuthorizationCode, LoginSession, PresentedCode, Redemption};

/// `POST /oauth/v2/token` (RFC 6749 sections 4.1.3 and 4.4.2).
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
    if !has_media_type(headers, "application/x-www-form-urlencoded") {
        return Err(OAuthError::InvalidRequest("send a form: Content-Type: application/x-www-form-urlencoded"));
    }
    let form = Form::parse(body).map_err(|error| match error {
        FormError::Repeated => OAuthError::InvalidRequest("a parameter is repeated"),
        FormError::NotText => OAuthError::InvalidRequest("a parameter is not UTF-8 text"),
        FormError::TooMany => OAuthError::InvalidRequest("there are too many parameters"),
    })?;
    let client = authenticate(app, headers, &form, address).await?;
    if !form.resources().all(|resource| is_own_resource(resource, &app.origin)) {
        return Err(OAuthError::InvalidTarget);
    }
    let client_id = client.id.clone();
    match form.value("grant_type") {
        Some("client_credentials") => {
            client.require(GrantType::ClientCredentials)?;
            let granted = scope::narrow(form.value("scope"), &client.scopes).ok_or(OAuthError::InvalidScope)?;
            issue(app, client_id.clone(), client_id, granted, None).await
        }
        Some("authorization_code") => {
            client.require(GrantType::AuthorizationCode)?;
            let (code, session) = redeem(app, &client_id, &form).await?;
            let of_code = OfCode { token_id: code.token_id, session };
            issue(app, client_id, code.user_id, code.scope, Some(of_code)).await
        }
        Some(_) => Err(OAuthError::UnsupportedGrantType),
        None => Err(OAuthError::InvalidRequest("grant_type is missing")),
    }
}

/// What a code says of the token that is made from it.
struct OfCode {
    token_id: String,
    session: LoginSession,
}

async fn issue(
    app: &Arc<App>,
    client_id: String,
    subject: String,
    scope: String,
    of_code: Option<OfCode>,
) -> Result<Response, OAuthError> {
    app.blocking(move |app| {
        let (client_id, subject) = (client_id.as_str(), subject.as_str());
        let token_id = of_code.as_ref().map(|code| code.token_id.as_str());
        let login = of_code.as_ref().map(|code| &code.session);
        let session_id = login.map(|login| login.id.as_str());
        let ends_at = login.map(|login| login.expires_at);
        let grant = Grant { client_id, subject, scope: &scope, token_id, session_id, ends_at };
        Ok::<_, Problem>(token_answer(&app.tokens.access(&grant, now())?, &scope))
    })
    .await
    .map_err(failed)
}

/// Uses the code up; it, and the login that it comes of. A second use revokes the token made from the first.
async fn redeem(
    app: &Arc<App>,
    client_id: &str,
    form: &Form<'_>,
) -> Result<(AuthorizationCode, LoginSession), OAuthError> {
    let required = |name, missing| form.value(name).ok_or(OAuthError::InvalidRequest(missing));
    let presented = PresentedCode {
        digest: digest(required("code", "code is missing")?),
        client_id: client_id.to_owned(),
        // As in the authorization request, absent too.
        redirect_uri: form.value("redirect_uri").unwrap_or_default().to_owned(),
        code_challenge: challenge(required("code_verifier", "code_verifier is missing")?)?,
    };
    let (redemption, session) = app
        .blocking(move |app| {
            let now = now();
            let (keys, store) = (&app.accounts.keys, &app.accounts.store);
            let redemption = keys.wait(store.redeem_code(&presented, now))?;
            if let Redemption::First(code) = &redemption {
                let sessions = keys.wait(store.login_sessions_of(&code.user_id, now))?;
                let session = sessions.into_iter().find(|session| session.id == code.session_id);
                let (subject, session_id) = (code.user_id.as_str(), Some(code.session_id.as_str()));
                let grant = Grant { session_id, ..Grant::of(&code.client_id, subject) };
                if session.is_none() || revocations::concern(keys, &app.origin, &grant, code.created_at)? {
                    return Ok((Redemption::Unknown, None));
                }
                return Ok((redemption, session));
            }
            if let Redemption::Again(code) = &redemption {
                let until = now.saturating_add(app.tokens.access_token_ttl());
                revocations::revoke_token(&app.accounts.keys, &app.origin, &code.token_id, until)?;
                tracing::warn!(client_id = ?code.client_id, "an authorization code was used twice: its token is revoked");
            }
            Ok::<_, Problem>((redemption, None))
        })
        .await
        .map_err(failed)?;
    Err(OAuthError::InvalidGrant(match redemption {
        Redemption::First(code) => return session.map(|session| (code, session)).ok_or(OAuthError::ServerError),
        Redemption::Again(_) => "the code was used before; the token made from it is revoked",
        Redemption::Expired => "the code has expired",
        Redemption::OtherRedirectUri => "redirect_uri differs from that of the authorization request",
        Redemption::OtherVerifier => "code_verifier does not belong to the code_challenge",
        Redemption::Unknown => "unknown code",
    }))
}

/// The S256 challenge of a code verifier (RFC 7636 section 4.6).
fn challenge(verifier: &str) -> Result<String, OAuthError> {
    let is_unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    if CODE_VERIFIER_CHARS.contains(&verifier.len()) && verifier.bytes().all(is_unreserved) {
        Ok(base64url::encode(digest(verifier)))
    } else {
        Err(OAuthError::InvalidGrant("code_verifier is not 43 to 128 characters of A-Z a-z 0-9 - . _ ~"))
    }
}

/// The answer of RFC 6749 section 5.1.
fn token_answer(minted: &Minted, scope: &str) -> Response {
    let body = json!({
        "token_type": "Bearer",
        "expires_in": minted.expires_in,
        "access_token": *minted.token,
        "scope": scope,
    });
    (NOT_STORED, Json(body)).into_response()
}

/// The problem's own answer is not one of RFC 6749; making it writes the cause to the log.
fn failed(problem: Problem) -> OAuthError {
    let _ = problem.into_response();
    OAuthError::ServerError
}

const NOT_STORED: [(HeaderName, &str); 2] = [(header::CACHE_CONTROL, "no-store"), (header::PRAGMA, "no-cache")];
