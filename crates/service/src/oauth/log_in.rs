//! What the forms of `/login` and of `/oauth/v2/authorize` have in common: the token that ties them to a browser, and the login itself.

use super::cookies::Cookie;
use crate::app::App;
use crate::client_address::ClientAddress;
use crate::form::Form;
use crate::ids::new_secret;
use crate::limits::LOGIN_SESSION_TTL_SECONDS;
use crate::login::LoginError;
use crate::login_sessions::Visitor;
use crate::problem::Problem;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use std::sync::Arc;
use subtle::ConstantTimeEq;
use tollgate_storage::accounts::{LoginSession, User};
use zeroize::Zeroizing;

/// A browser that has just logged in.
pub(super) struct LoggedIn {
    pub(super) session: LoginSession,
    pub(super) user: User,
    /// Set-Cookie.
    pub(super) cookie: HeaderValue,
}

/// Why nobody is logged in.
pub(super) enum LogInRefused {
    /// The form is to be shown again, with that problem.
    Again(StatusCode, &'static str),
    /// The answer.
    Failed(Box<Response>),
}

/// Logs in with the form's `email` and `password`.
pub(super) async fn log_in(
    app: &Arc<App>,
    form: &Form<'_>,
    client: ClientAddress,
    headers: &HeaderMap,
) -> Result<LoggedIn, LogInRefused> {
    if !is_ours(app, headers, form) {
        return Err(LogInRefused::Again(StatusCode::FORBIDDEN, "The form had expired. Please try again."));
    }
    let (email, password) = (form.value("email").unwrap_or_default(), form.value("password").unwrap_or_default());
    let user = app.login.check(email, Zeroizing::new(password.to_owned()), client.counted()).await?;
    let (visitor, old) = (Visitor::new(client, headers), cookie_of(app, headers));
    let begun = app.blocking(move |app| {
        let begun = app.begin_browser_session(&user, visitor)?;
        // Whose browser it was before is logged out. One person with two forms open keeps what came of the first.
        if let Some((session, owner)) = old.map(|old| app.browser_session(&old)).transpose()?.flatten()
            && owner.id != user.id
        {
            app.accounts.end_session(&owner.id, &session.id)?;
        }
        Ok((begun, user))
    });
    let ((session, value), user) = begun.await.map_err(|problem: Problem| match problem {
        Problem::WrongPassword => LogInRefused::from(LoginError::WrongPassword),
        problem => LogInRefused::Failed(Box::new(problem.into_response())),
    })?;
    let cookie = app.cookies.set(Cookie::Session, &value, LOGIN_SESSION_TTL_SECONDS);
    Ok(LoggedIn { session, user, cookie })
}

/// The session and the user of the request's cookie, unless they have ended.
pub(super) async fn logged_in(app: &Arc<App>, headers: &HeaderMap) -> Result<Option<(LoginSession, User)>, Response> {
    let Some(cookie) = cookie_of(app, headers) else { return Ok(None) };
    app.blocking(move |app| app.browser_session(&cookie)).await.map_err(IntoResponse::into_response)
}

fn cookie_of(app: &App, headers: &HeaderMap) -> Option<Zeroizing<String>> {
    app.cookies.value(Cookie::Session, headers).map(|cookie| Zeroizing::new(cookie.to_owned()))
}

/// Whether this browser was shown the form: another site cannot log somebody in as somebody else, or out.
pub(super) fn is_ours(app: &App, headers: &HeaderMap, form: &Form<'_>) -> bool {
    match (app.cookies.value(Cookie::LoginForm, headers), form.value("form_token")) {
        (Some(shown), Some(sent)) => bool::from(shown.as_bytes().ct_eq(sent.as_bytes())),
        _ => false,
    }
}

/// What a form that is shown to this browser has to hold, and the cookie that goes with it. A browser with forms open in two tabs keeps
/// one value for both.
pub(super) fn form_token(app: &App, headers: &HeaderMap) -> Result<(Zeroizing<String>, HeaderValue), Problem> {
    let shown = app.cookies.value(Cookie::LoginForm, headers).filter(|value| value.len() == FORM_TOKEN_CHARS);
    let token = match shown {
        Some(shown) => Zeroizing::new(shown.to_owned()),
        None => new_secret()?.0,
    };
    let cookie = app.cookies.set(Cookie::LoginForm, &token, LOGIN_SESSION_TTL_SECONDS);
    Ok((token, cookie))
}

impl From<LoginError> for LogInRefused {
    fn from(error: LoginError) -> Self {
        match error {
            LoginError::WrongPassword => {
                Self::Again(StatusCode::FORBIDDEN, "No such e-mail address, or another password.")
            }
            LoginError::TooManyAttempts(_) => {
                Self::Again(StatusCode::TOO_MANY_REQUESTS, "Too many attempts. Please wait.")
            }
            LoginError::Busy => Self::Again(StatusCode::SERVICE_UNAVAILABLE, "The service is busy. Please try again."),
            LoginError::Store(error) => Self::Failed(Box::new(Problem::from(error).into_response())),
        }
    }
}

/// Characters of a form token: base64url of 32 bytes.
const FORM_TOKEN_CHARS: usize = 43;
