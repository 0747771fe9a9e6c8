//! My Profile, and what its forms do.

mod agent;
mod keys;
mod password;
mod sessions;
mod sites;
mod view;

use super::browser::{FormOfBrowser, form_token, logged_in};
use super::login::with_cookie;
use super::page::{Policy, page};
use super::problem::{FormProblem, failed};
use crate::app::App;
use crate::limits::MIN_PASSWORD_CHARS;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
pub(crate) use keys::{make_key, revoke_key, rotate_key};
pub(crate) use password::set_password;
pub(crate) use sessions::{end_all_sessions, end_session};
pub(crate) use sites::revoke_consent;
use std::sync::Arc;
use tollgate_storage::accounts::{LoginSession, User};
use view::{Account, ProfilePage};

/// `GET /profile`: the user's API keys, logins, connected sites and password. Who is not logged in is sent to the login page.
pub(crate) async fn show(
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Response> {
    let Some((session, user)) = logged_in(&app, &headers).await? else {
        return Ok(Redirect::to("/login").into_response());
    };
    let query = query.unwrap_or_default();
    let done = DONE.into_iter().find(|(name, _)| query.strip_prefix("done=") == Some(name)).map(|(_, text)| text);
    profile(&app, &headers, StatusCode::OK, session, user, done, None).await
}

/// The page again, with a problem of one of its forms.
async fn again(app: &Arc<App>, sent: FormOfBrowser, status: StatusCode, problem: FormProblem) -> Response {
    let FormOfBrowser { session, user, headers, .. } = sent;
    let shown = profile(app, &headers, status, session, user, None, Some(problem)).await;
    shown.unwrap_or_else(|failed| failed)
}

async fn profile(
    app: &Arc<App>,
    headers: &HeaderMap,
    status: StatusCode,
    session: LoginSession,
    user: User,
    done: Option<&str>,
    problem: Option<FormProblem>,
) -> Result<Response, Response> {
    let read = app.blocking(move |app| Account::read(app, &session, &user).map(|account| (account, user)));
    let (account, user) = read.await.map_err(failed)?;
    let (form_token, cookie) = form_token(app, headers).map_err(failed)?;
    let shown = ProfilePage {
        email: &user.email,
        form_token: &form_token,
        done,
        problem_field: problem.as_ref().map_or("", |problem| problem.field),
        problem,
        account,
        min_password_chars: MIN_PASSWORD_CHARS,
    };
    Ok(with_cookie(page(status, &shown, Policy::Forms), cookie))
}

/// After a change: the page, which begins with what was done. A place in the URL would take the focus from that.
fn done(name: &str) -> Response {
    debug_assert!(DONE.iter().any(|(known, _)| *known == name));
    Redirect::to(&format!("/profile?done={name}")).into_response()
}

/// What the page says that was done, by its name in the query.
const DONE: [(&str, &str); 3] = [
    ("key-revoked", "The API key is revoked."),
    ("login-ended", "The login has ended."),
    ("disconnected", "The site is disconnected. Its access has ended."),
];
