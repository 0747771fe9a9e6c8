use super::log_in::{LogInRefused, LoggedIn, form_token, log_in, logged_in};
use super::page;
use super::request::{self, AuthorizationError, AuthorizationRequest, Redirect};
use crate::app::App;
use crate::client_address::ClientAddress;
use crate::form::{Form, FormError};
use crate::ids::{new_secret, now};
use crate::json::has_media_type;
use crate::limits::CODE_TTL_SECONDS;
use crate::problem::Problem;
use crate::scope;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::sync::Arc;
use tollgate_storage::accounts::{AuthorizationCode, LoginSession, User};
use tollgate_storage::{Refusal, StorageError, new_key_id};

/// `GET /oauth/v2/authorize` (RFC 6749 section 4.1.1): a code for a browser that is logged in, otherwise the login form.
pub(crate) async fn show(
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Response> {
    let query = query.unwrap_or_default();
    let form = Form::parse(query.as_bytes()).map_err(not_a_form)?;
    let request = read(&app, &form).await?;
    match logged_in(&app, &headers).await? {
        Some((session, user)) => grant(&app, request, &headers, session, user, None).await,
        None => show_form(&app, &request, &headers, StatusCode::OK, None).map_err(IntoResponse::into_response),
    }
}

/// `POST /oauth/v2/authorize`: the login form comes back.
pub(crate) async fn login(
    State(app): State<Arc<App>>,
    client: ClientAddress,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Response> {
    let body = crate::json::body(body).map_err(IntoResponse::into_response)?;
    if !has_media_type(&headers, "application/x-www-form-urlencoded") {
        return Err(page::refusal(StatusCode::BAD_REQUEST, "The form was not sent as a form."));
    }
    let form = Form::parse(&body).map_err(not_a_form)?;
    let request = read(&app, &form).await?;
    match log_in(&app, &form, client, &headers).await {
        Ok(LoggedIn { session, user, cookie }) => grant(&app, request, &headers, session, user, Some(cookie)).await,
        Err(LogInRefused::Again(status, problem)) => {
            show_form(&app, &request, &headers, status, Some(problem)).map_err(IntoResponse::into_response)
        }
        Err(LogInRefused::Failed(answer)) => Err(*answer),
    }
}

/// Checks the request; the error is already the answer.
async fn read(app: &Arc<App>, form: &Form<'_>) -> Result<AuthorizationRequest, Response> {
    let refused = |reason| page::refusal(StatusCode::BAD_REQUEST, reason);
    let client_id = form.value("client_id").ok_or_else(|| refused("It names no client."))?.to_owned();
    let client = app.blocking(move |app| Ok::<_, Problem>(app.accounts.active_client(&client_id)?)).await;
    let client = client.map_err(IntoResponse::into_response)?.ok_or_else(|| refused("It names no known client."))?;
    let redirect = request::redirect(form, &client).map_err(refused)?;
    request::check(form, client, redirect.clone()).map_err(|error| denied(app, &redirect, error))
}

/// Sends the browser back to the client with a code, for what both the client may ask for and the user may do.
async fn grant(
    app: &Arc<App>,
    request: AuthorizationRequest,
    headers: &HeaderMap,
    session: LoginSession,
    user: User,
    cookie: Option<HeaderValue>,
) -> Result<Response, Response> {
    let scope = scope::intersection(&request.scope, &user.scopes);
    if scope.is_empty() {
        return Err(denied(app, &request.redirect, AuthorizationError::AccessDenied));
    }
    let client_id = request.client.id().to_owned();
    // What was not named need not be named again.
    let redirect_uri = if request.redirect.is_named { request.redirect.uri.clone() } else { String::new() };
    let code_challenge = request.code_challenge.clone();
    let code = app
        .blocking(move |app| {
            let (code, digest) = new_secret()?;
            let token_id = new_key_id("token")?;
            let created_at = now();
            let issued = AuthorizationCode {
                digest,
                client_id,
                user_id: user.id,
                session_id: session.id,
                redirect_uri,
                code_challenge,
                scope,
                created_at,
                expires_at: created_at.saturating_add(CODE_TTL_SECONDS),
                token_id,
            };
            match app.accounts.keys.wait(app.accounts.store.add_code(&issued, app.tokens.access_token_ttl())) {
                Ok(()) => Ok(Some(code)),
                // The session was ended meanwhile.
                Err(StorageError::Refused(Refusal::Changed { .. })) => Ok(None),
                Err(error) => Err(Problem::from(error)),
            }
        })
        .await
        .map_err(IntoResponse::into_response)?;
    let Some(code) = code else {
        return show_form(app, &request, headers, StatusCode::OK, None).map_err(IntoResponse::into_response);
    };
    let mut response = see_other(&request.redirect.with_answer(&[("code", &*code)], &app.origin));
    if let Some(cookie) = cookie {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

fn show_form(
    app: &App,
    request: &AuthorizationRequest,
    headers: &HeaderMap,
    status: StatusCode,
    problem: Option<&str>,
) -> Result<Response, Problem> {
    let (form_token, cookie) = form_token(app, headers)?;
    let mut response = page::authorize_form(status, request, &form_token, problem);
    response.headers_mut().append(header::SET_COOKIE, cookie);
    Ok(response)
}

/// Sends the browser back to the client with an error.
fn denied(app: &App, redirect: &Redirect, error: AuthorizationError) -> Response {
    let members = [("error", error.code()), ("error_description", error.description())];
    see_other(&redirect.with_answer(&members, &app.origin))
}

pub(super) fn not_a_form(error: FormError) -> Response {
    let reason = match error {
        FormError::Repeated => "It repeats a parameter.",
        FormError::NotText => "A parameter is not UTF-8 text.",
    };
    page::refusal(StatusCode::BAD_REQUEST, reason)
}

/// 303: the browser must not send the password on to the client, as it would with 307 (RFC 9700 section 4.12).
pub(super) fn see_other(location: &str) -> Response {
    match HeaderValue::try_from(location) {
        Ok(location) => (StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response(),
        Err(_) => page::refusal(StatusCode::BAD_REQUEST, "Its redirect_uri cannot be used."),
    }
}
