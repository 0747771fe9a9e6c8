//! Who is logged in with a browser, and whether it was this service that showed it the form it sends.

use super::cookies::Cookie;
use super::problem::{failed, not_a_form, refusal};
use crate::app::App;
use crate::audit;
use crate::form::Form;
use crate::ids::new_secret;
use crate::json::has_media_type;
use crate::limits::LOGIN_SESSION_TTL_SECONDS;
use crate::problem::Problem;
use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use std::sync::Arc;
use subtle::ConstantTimeEq;
use tollgate_storage::Actor;
use tollgate_storage::accounts::{LoginSession, User};
use zeroize::Zeroizing;

/// A form that a logged-in browser sends, from a page that it was shown here. Without a login the answer leads to the login page.
pub(crate) struct FormOfBrowser {
    pub(crate) session: LoginSession,
    pub(crate) user: User,
    pub(crate) form: Form<'static>,
    pub(crate) headers: HeaderMap,
    /// Who sends it, for the audit log.
    pub(crate) by: Actor,
}

impl FromRequest<Arc<App>> for FormOfBrowser {
    type Rejection = Response;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Response> {
        let headers = request.headers().clone();
        let form = form_of(&headers, Bytes::from_request(request, app).await).map_err(|refused| *refused)?;
        let Some((session, user)) = logged_in(app, &headers).await? else {
            return Err(Redirect::to("/login").into_response());
        };
        if !is_ours(app, &headers, &form) {
            return Err(refusal(StatusCode::FORBIDDEN, "The form had expired. Please go back and try again."));
        }
        let by = actor(&session, &user);
        Ok(Self { session, user, form, headers, by })
    }
}

/// The user, by the login session of the browser, for the audit log.
pub(crate) fn actor(session: &LoginSession, user: &User) -> Actor {
    audit::caller_as(&user.id, Some(format!("browser {}", session.id)))
}

/// The body as a form; the error is already the answer.
pub(crate) fn form_of(
    headers: &HeaderMap,
    body: Result<Bytes, axum::extract::rejection::BytesRejection>,
) -> Result<Form<'static>, Box<Response>> {
    let body = crate::json::body(body).map_err(|problem| Box::new(failed(problem)))?;
    if !has_media_type(headers, "application/x-www-form-urlencoded") {
        return Err(Box::new(refusal(StatusCode::BAD_REQUEST, "The form was not sent as a form.")));
    }
    Ok(Form::parse(&body).map_err(|error| Box::new(not_a_form(error)))?.into_owned())
}

/// The session and the user of the request's cookie, unless they have ended.
pub(crate) async fn logged_in(app: &Arc<App>, headers: &HeaderMap) -> Result<Option<(LoginSession, User)>, Response> {
    let Some(cookie) = session_cookie(app, headers) else { return Ok(None) };
    app.blocking(move |app| app.browser_session(&cookie)).await.map_err(failed)
}

pub(super) fn session_cookie(app: &App, headers: &HeaderMap) -> Option<Zeroizing<String>> {
    app.cookies.value(Cookie::Session, headers).map(|cookie| Zeroizing::new(cookie.to_owned()))
}

/// Whether this browser was shown the form: another site cannot log somebody in as somebody else, or out, or change anything.
pub(crate) fn is_ours(app: &App, headers: &HeaderMap, form: &Form<'_>) -> bool {
    match (app.cookies.value(Cookie::LoginForm, headers), form.value("form_token")) {
        (Some(shown), Some(sent)) => bool::from(shown.as_bytes().ct_eq(sent.as_bytes())),
        _ => false,
    }
}

/// What a form that is shown to this browser has to hold, and the cookie that goes with it. A browser with forms open in two tabs keeps
/// one value for both.
pub(crate) fn form_token(app: &App, headers: &HeaderMap) -> Result<(Zeroizing<String>, HeaderValue), Problem> {
    let shown = app.cookies.value(Cookie::LoginForm, headers).filter(|value| value.len() == FORM_TOKEN_CHARS);
    let token = match shown {
        Some(shown) => Zeroizing::new(shown.to_owned()),
        None => new_secret()?.0,
    };
    let cookie = app.cookies.set(Cookie::LoginForm, &token, LOGIN_SESSION_TTL_SECONDS);
    Ok((token, cookie))
}

/// Characters of a form token: base64url of 32 bytes.
const FORM_TOKEN_CHARS: usize = 43;
