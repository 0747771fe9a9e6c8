use super::browser::{actor, form_of, form_token, is_ours, logged_in};
use super::cookies::Cookie;
use super::log_in::{LogInRefused, LoggedIn, log_in};
use super::page::{Policy, page};
use super::problem::{FormProblem, failed, refusal};
use crate::app::App;
use crate::client_address::ClientAddress;
use crate::problem::Problem;
use askama::Template;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use std::sync::Arc;

/// The login form, of `/login` and of an authorization request.
#[derive(Template)]
#[template(path = "login.html")]
pub(crate) struct LoginPage<'a> {
    pub(crate) action: &'a str,
    pub(crate) hidden: Vec<(&'a str, &'a str)>,
    /// The client to which the login leads.
    pub(crate) client: Option<&'a str>,
    pub(crate) email: &'a str,
    pub(crate) notice: Option<&'a str>,
    pub(crate) problem: Option<FormProblem>,
    /// Whether the problem is about what was typed in.
    pub(crate) is_wrong: bool,
}

#[derive(Template)]
#[template(path = "logout.html")]
pub(crate) struct LogoutPage<'a> {
    /// Whose login would end; `None` where nobody is logged in.
    pub(crate) email: Option<&'a str>,
    /// The client that asks for it.
    pub(crate) client: Option<&'a str>,
    pub(crate) action: &'a str,
    pub(crate) hidden: Vec<(&'a str, &'a str)>,
    pub(crate) form_token: &'a str,
}

/// `GET /login`: the login form; who is logged in already is sent to My Profile.
pub(crate) async fn show_login(
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Response> {
    if logged_in(&app, &headers).await?.is_some() {
        return Ok(Redirect::to("/profile").into_response());
    }
    let notice = (query.as_deref() == Some(PASSWORD_CHANGED)).then_some("Your password has changed. Log in with it.");
    form(&app, &headers, StatusCode::OK, "", notice, None).map_err(failed)
}

/// `POST /login`: the form comes back. Whoever else was logged in with this browser is not any more.
pub(crate) async fn log_in_by_form(
    State(app): State<Arc<App>>,
    client: ClientAddress,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Response> {
    let sent = form_of(&headers, body).map_err(|refused| *refused)?;
    match log_in(&app, &sent, client, &headers).await {
        Ok(LoggedIn { cookies, .. }) => {
            let mut response = Redirect::to("/profile").into_response();
            response.headers_mut().extend(cookies.into_iter().map(|cookie| (header::SET_COOKIE, cookie)));
            Ok(response)
        }
        Err(LogInRefused::Again(status, problem)) => {
            let email = sent.value("email").unwrap_or_default();
            form(&app, &headers, status, email, None, Some(problem)).map_err(failed)
        }
        Err(LogInRefused::Failed(answer)) => Err(*answer),
    }
}

/// `GET /logout`: a button that ends the login; without one, that there is none.
pub(crate) async fn show_logout(State(app): State<Arc<App>>, headers: HeaderMap) -> Result<Response, Response> {
    let user = logged_in(&app, &headers).await?.map(|(_, user)| user);
    let (form_token, cookie) = form_token(&app, &headers).map_err(failed)?;
    let email = user.as_ref().map(|user| user.email.as_str());
    let shown = LogoutPage { email, client: None, action: "/logout", hidden: Vec::new(), form_token: &form_token };
    let mut response = page(StatusCode::OK, &shown, Policy::Forms);
    response.headers_mut().append(header::SET_COOKIE, cookie);
    Ok(response)
}

/// `POST /logout`: ends the browser's session, and every code and token that came of it. Without a session nothing is left to be done.
pub(crate) async fn log_out(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Response> {
    let sent = form_of(&headers, body).map_err(|refused| *refused)?;
    if let Some((session, user)) = logged_in(&app, &headers).await? {
        if !is_ours(&app, &headers, &sent) {
            return Err(refusal(StatusCode::FORBIDDEN, "The form had expired. Please go back and try again."));
        }
        let by = actor(&session, &user);
        let ended = app.blocking_for(by, move |app| Ok::<_, Problem>(app.accounts.end_session(&user.id, &session.id)?));
        ended.await.map_err(failed)?;
    }
    Ok(logged_out(&app, "/logout"))
}

/// Sends a browser whose session has ended to that page, without its cookie.
pub(super) fn logged_out(app: &App, location: &str) -> Response {
    forget_login(app, Redirect::to(location).into_response())
}

/// Has the browser forget its session, which has ended.
pub(crate) fn forget_login(app: &App, mut response: Response) -> Response {
    response.headers_mut().append(header::SET_COOKIE, app.cookies.forget(Cookie::Session));
    response
}

fn form(
    app: &App,
    headers: &HeaderMap,
    status: StatusCode,
    email: &str,
    notice: Option<&str>,
    problem: Option<FormProblem>,
) -> Result<Response, Problem> {
    let (form_token, cookie) = form_token(app, headers)?;
    let hidden = vec![("form_token", form_token.as_str())];
    let shown = LoginPage::new("/login", hidden, email, problem);
    Ok(with_cookie(page(status, &LoginPage { notice, ..shown }, Policy::Forms), cookie))
}

impl<'a> LoginPage<'a> {
    pub(crate) fn new(
        action: &'a str,
        hidden: Vec<(&'a str, &'a str)>,
        email: &'a str,
        problem: Option<FormProblem>,
    ) -> Self {
        let is_wrong = problem.as_ref().is_some_and(|problem| !problem.field.is_empty());
        Self { action, hidden, client: None, email, notice: None, problem, is_wrong }
    }
}

pub(super) fn with_cookie(mut response: Response, cookie: HeaderValue) -> Response {
    response.headers_mut().append(header::SET_COOKIE, cookie);
    response
}

/// The query with which the login page is shown after a change of the password.
pub(super) const PASSWORD_CHANGED: &str = "done=password";
