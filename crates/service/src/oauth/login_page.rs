use super::authorize::{not_a_form, see_other};
use super::cookies::Cookie;
use super::log_in::{LogInRefused, LoggedIn, form_token, is_ours, log_in, logged_in};
use super::page;
use crate::app::App;
use crate::client_address::ClientAddress;
use crate::form::Form;
use crate::json::has_media_type;
use crate::problem::Problem;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::sync::Arc;

/// `GET /login`: the login form, or who is logged in and a button that ends that.
pub(crate) async fn show_login(State(app): State<Arc<App>>, headers: HeaderMap) -> Result<Response, Response> {
    match logged_in(&app, &headers).await? {
        None => form(&app, &headers, StatusCode::OK, None).map_err(IntoResponse::into_response),
        Some((_, user)) => {
            let (form_token, cookie) = form_token(&app, &headers).map_err(IntoResponse::into_response)?;
            let mut response = page::logged_in(&user.email, &form_token);
            response.headers_mut().append(header::SET_COOKIE, cookie);
            Ok(response)
        }
    }
}

/// `POST /login`: the form comes back. Whoever else was logged in with this browser is not any more.
pub(crate) async fn log_in_by_form(
    State(app): State<Arc<App>>,
    client: ClientAddress,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Response> {
    let body = read(&headers, body).map_err(IntoResponse::into_response)?;
    let sent = Form::parse(&body).map_err(not_a_form)?;
    match log_in(&app, &sent, client, &headers).await {
        Ok(LoggedIn { cookie, .. }) => {
            let mut response = see_other("/login");
            response.headers_mut().append(header::SET_COOKIE, cookie);
            Ok(response)
        }
        Err(LogInRefused::Again(status, problem)) => {
            form(&app, &headers, status, Some(problem)).map_err(IntoResponse::into_response)
        }
        Err(LogInRefused::Failed(answer)) => Err(*answer),
    }
}

/// `POST /logout`: ends the browser's session, and every code and token that came of it. Without a session nothing is left to be done.
pub(crate) async fn log_out(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Response> {
    let body = read(&headers, body).map_err(IntoResponse::into_response)?;
    let sent = Form::parse(&body).map_err(not_a_form)?;
    if let Some((session, user)) = logged_in(&app, &headers).await? {
        if !is_ours(&app, &headers, &sent) {
            return Err(page::refusal(StatusCode::FORBIDDEN, "The form had expired. Please go back and try again."));
        }
        let ended = app.blocking(move |app| Ok::<_, Problem>(app.accounts.end_session(&user.id, &session.id)?));
        ended.await.map_err(IntoResponse::into_response)?;
    }
    let mut response = see_other("/login");
    response.headers_mut().append(header::SET_COOKIE, app.cookies.forget(Cookie::Session));
    Ok(response)
}

fn read(headers: &HeaderMap, body: Result<Bytes, BytesRejection>) -> Result<Bytes, Problem> {
    let body = crate::json::body(body)?;
    if has_media_type(headers, "application/x-www-form-urlencoded") {
        Ok(body)
    } else {
        Err(Problem::BadRequest("send a form: Content-Type: application/x-www-form-urlencoded"))
    }
}

fn form(app: &App, headers: &HeaderMap, status: StatusCode, problem: Option<&str>) -> Result<Response, Problem> {
    let (form_token, cookie) = form_token(app, headers)?;
    let mut response = page::login_form(status, &form_token, problem);
    response.headers_mut().append(header::SET_COOKIE, cookie);
    Ok(response)
}
