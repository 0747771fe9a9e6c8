use super::cookies::Cookie;
use super::page;
use super::request::{self, AuthorizationError, AuthorizationRequest, Redirect};
use crate::app::App;
use crate::client_address::ClientAddress;
use crate::form::{Form, FormError};
use crate::ids::{new_secret, now};
use crate::json::has_media_type;
use crate::limits::{CODE_TTL_SECONDS, LOGIN_SESSION_TTL_SECONDS};
use crate::login::LoginError;
use crate::login_sessions::Visitor;
use crate::problem::Problem;
use crate::scope;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::sync::Arc;
use subtle::ConstantTimeEq;
use tollgate_storage::accounts::{AuthorizationCode, LoginSession, User};
use tollgate_storage::{Refusal, StorageError, new_key_id};
use zeroize::Zeroizing;

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
    // The form must be one that this browser was shown: another site cannot log somebody in as somebody else.
    let shown = app.cookies.value(Cookie::LoginForm, &headers);
    let is_ours = match (shown, form.value("form_token")) {
        (Some(shown), Some(sent)) => bool::from(shown.as_bytes().ct_eq(sent.as_bytes())),
        _ => false,
    };
    if !is_ours {
        let problem = "The form had expired. Please try again.";
        let form = show_form(&app, &request, &headers, StatusCode::FORBIDDEN, Some(problem));
        return form.map_err(IntoResponse::into_response);
    }
    let (email, password) = (form.value("email").unwrap_or_default(), form.value("password").unwrap_or_default());
    match app.login.check(email, Zeroizing::new(password.to_owned()), client.counted()).await {
        Ok(user) => {
            let visitor = Visitor::new(client, &headers);
            let begun = app.blocking(move |app| {
                let begun = app.begin_browser_session(&user, visitor);
                begun.map(|(session, value)| (session, user, value))
            });
            match begun.await {
                Ok((session, user, value)) => {
                    let cookie = app.cookies.set(Cookie::Session, &value, LOGIN_SESSION_TTL_SECONDS);
                    grant(&app, request, &headers, session, user, Some(cookie)).await
                }
                Err(Problem::WrongPassword) => {
                    retry(&app, &request, &headers, LoginError::WrongPassword).map_err(IntoResponse::into_response)
                }
                Err(problem) => Err(problem.into_response()),
            }
        }
        Err(error) => retry(&app, &request, &headers, error).map_err(IntoResponse::into_response),
    }
}

/// Checks the request; the error is already the answer.
async fn read(app: &Arc<App>, form: &Form<'_>) -> Result<AuthorizationRequest, Response> {
    let refused = |reason| page::refusal(StatusCode::BAD_REQUEST, reason);
    let client_id = form.value("client_id").ok_or_else(|| refused("It names no client."))?.to_owned();
    let client = app.blocking(move |app| Ok::<_, Problem>(app.accounts.active_client(&client_id)?)).await;
    let client = client.map_err(IntoResponse::into_response)?.ok_or_else(|| refused("It names no known client."))?;
    let redirect_uri = form.value("redirect_uri").ok_or_else(|| refused("It names no redirect_uri."))?;
    let redirect = request::redirect(form, redirect_uri, &client)
        .ok_or_else(|| refused("Its redirect_uri is not one that the client registered."))?;
    request::check(form, client, redirect.clone()).map_err(|error| denied(app, &redirect, error))
}

async fn logged_in(app: &Arc<App>, headers: &HeaderMap) -> Result<Option<(LoginSession, User)>, Response> {
    let Some(cookie) = app.cookies.value(Cookie::Session, headers) else { return Ok(None) };
    let cookie = Zeroizing::new(cookie.to_owned());
    app.blocking(move |app| app.browser_session(&cookie)).await.map_err(IntoResponse::into_response)
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
    let (client_id, redirect_uri) = (request.client.id().to_owned(), request.redirect.uri.clone());
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
    // A browser with the form open in two tabs keeps one value for both.
    let shown = app.cookies.value(Cookie::LoginForm, headers).filter(|value| value.len() == FORM_TOKEN_CHARS);
    let form_token = match shown {
        Some(shown) => Zeroizing::new(shown.to_owned()),
        None => new_secret()?.0,
    };
    let mut response = page::login_form(status, request, &form_token, problem);
    let cookie = app.cookies.set(Cookie::LoginForm, &form_token, LOGIN_SESSION_TTL_SECONDS);
    response.headers_mut().append(header::SET_COOKIE, cookie);
    Ok(response)
}

fn retry(
    app: &App,
    request: &AuthorizationRequest,
    headers: &HeaderMap,
    error: LoginError,
) -> Result<Response, Problem> {
    let (status, problem) = match error {
        LoginError::WrongPassword => (StatusCode::FORBIDDEN, "No such e-mail address, or another password."),
        LoginError::TooManyAttempts(_) => (StatusCode::TOO_MANY_REQUESTS, "Too many attempts. Please wait."),
        LoginError::Busy => (StatusCode::SERVICE_UNAVAILABLE, "The service is busy. Please try again."),
        LoginError::Store(error) => return Err(error.into()),
    };
    show_form(app, request, headers, status, Some(problem))
}

/// Sends the browser back to the client with an error.
fn denied(app: &App, redirect: &Redirect, error: AuthorizationError) -> Response {
    let members = [("error", error.code()), ("error_description", error.description())];
    see_other(&redirect.with_answer(&members, &app.origin))
}

fn not_a_form(error: FormError) -> Response {
    let reason = match error {
        FormError::Repeated => "It repeats a parameter.",
        FormError::NotText => "A parameter is not UTF-8 text.",
    };
    page::refusal(StatusCode::BAD_REQUEST, reason)
}

/// 303: the browser must not send the password on to the client, as it would with 307 (RFC 9700 section 4.12).
fn see_other(location: &str) -> Response {
    match HeaderValue::try_from(location) {
        Ok(location) => (StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response(),
        Err(_) => page::refusal(StatusCode::BAD_REQUEST, "Its redirect_uri cannot be used."),
    }
}

/// Characters of a form token: base64url of 32 bytes.
const FORM_TOKEN_CHARS: usize = 43;
