//! Logout that a client asks for (OpenID Connect RP-Initiated Logout 1.0).

use super::authorize::see_other;
use super::id_token::{Hint, verified_hint};
use super::request::origin_of;
use crate::app::App;
use crate::form::Form;
use crate::limits::MAX_PARAMETER_BYTES;
use crate::pages::{
    LogoutPage, Policy, actor, client_name, failed, forget_login, form_of, form_token, is_ours, logged_in, not_a_form,
    page, refusal,
};
use crate::problem::Problem;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use std::sync::Arc;
use tollgate_storage::Client;
use tollgate_storage::accounts::{LoginSession, User};

/// A logout request that passed every check (section 2).
struct LogoutRequest {
    /// Of an ID token that verifies. A client may keep one for longer than its key is published.
    hint: Option<Hint>,
    client: Option<Arc<Client>>,
    /// Where the browser is sent afterwards: a URI that the client has registered, and the `state` for it.
    target: Option<(String, Option<String>)>,
}

/// `GET /oauth/v2/logout`: ends the browser's login if the hint is of it; otherwise the person is asked (section 2).
pub(crate) async fn show(
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Response> {
    let query = query.unwrap_or_default();
    let form = Form::parse(query.as_bytes()).map_err(not_a_form)?;
    let request = read(&app, &form).await?;
    let Some((session, user)) = logged_in(&app, &headers).await? else { return Ok(request.done()) };
    let is_of_this_login =
        request.hint.as_ref().is_some_and(|hint| hint.session_id == session.id && hint.user_id == user.id);
    if is_of_this_login {
        return end(&app, &request, session, user).await;
    }
    ask(&app, &request, &headers, &user).map_err(failed)
}

/// `POST /oauth/v2/logout/confirm`: the person wants it.
pub(crate) async fn confirm(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Response> {
    let form = form_of(&headers, body).map_err(|refused| *refused)?;
    let request = read(&app, &form).await?;
    let Some((session, user)) = logged_in(&app, &headers).await? else { return Ok(request.done()) };
    if !is_ours(&app, &headers, &form) {
        return Err(refusal(StatusCode::FORBIDDEN, "The form had expired. Please go back and try again."));
    }
    end(&app, &request, session, user).await
}

/// Checks the request; the error is already the answer. A target that is not registered is an error and leads nowhere (sections 2 and 4).
async fn read(app: &Arc<App>, form: &Form<'_>) -> Result<LogoutRequest, Response> {
    let refused = |reason| refusal(StatusCode::BAD_REQUEST, reason);
    let hint = form.value("id_token_hint").and_then(|token| verified_hint(app, token));
    let of_hint = hint.as_ref().map(|hint| hint.client_id.as_str());
    if form.value("client_id").is_some_and(|client_id| of_hint.is_some_and(|of_hint| of_hint != client_id)) {
        return Err(refused("Its client_id is another than that of its id_token_hint."));
    }
    let client = match form.value("client_id").or(of_hint).map(str::to_owned) {
        Some(client_id) => {
            app.blocking(move |app| Ok::<_, Problem>(app.accounts.active_client(&client_id)?)).await.map_err(failed)?
        }
        None => None,
    };
    let Some(uri) = form.value("post_logout_redirect_uri") else {
        return Ok(LogoutRequest { hint, client, target: None });
    };
    let client = client.ok_or_else(|| refused("It names no known client, by client_id or id_token_hint."))?;
    let mut registered = client.settings().post_logout_redirect_uris.iter();
    if !registered.any(|registered| registered.as_str() == uri) {
        return Err(refused("Its post_logout_redirect_uri is not one that the client registered."));
    }
    let state = form.value("state").map(str::to_owned);
    if state.as_ref().is_some_and(|state| state.len() > MAX_PARAMETER_BYTES) {
        return Err(refused("Its state is too long."));
    }
    Ok(LogoutRequest { hint, client: Some(client), target: Some((uri.to_owned(), state)) })
}

/// Ends the login, with every code and token that came of it.
async fn end(app: &Arc<App>, request: &LogoutRequest, session: LoginSession, user: User) -> Result<Response, Response> {
    let by = actor(&session, &user);
    let ended = app.blocking_for(by, move |app| Ok::<_, Problem>(app.accounts.end_session(&user.id, &session.id)?));
    ended.await.map_err(failed)?;
    Ok(forget_login(app, request.done()))
}

fn ask(app: &App, request: &LogoutRequest, headers: &HeaderMap, user: &User) -> Result<Response, Problem> {
    let (form_token, cookie) = form_token(app, headers)?;
    let mut hidden = Vec::new();
    hidden.extend(request.client.as_ref().map(|client| ("client_id", client.id())));
    if let Some((uri, state)) = &request.target {
        hidden.push(("post_logout_redirect_uri", uri.as_str()));
        hidden.extend(state.as_ref().map(|state| ("state", state.as_str())));
    }
    let shown = LogoutPage {
        email: Some(&user.email),
        client: request.client.as_deref().map(client_name),
        action: "/oauth/v2/logout/confirm",
        hidden,
        form_token: &form_token,
    };
    let target = request.target.as_ref().map(|(uri, _)| origin_of(uri));
    let policy = target.as_deref().map_or(Policy::Forms, Policy::FormsTo);
    let mut response = page(StatusCode::OK, &shown, policy);
    response.headers_mut().append(header::SET_COOKIE, cookie);
    Ok(response)
}

impl LogoutRequest {
    /// Sends the browser where the client wants it, with its `state` (section 3), or to the page that says that nobody is logged in.
    fn done(&self) -> Response {
        match &self.target {
            None => see_other("/logout"),
            Some((uri, None)) => see_other(uri),
            Some((uri, Some(state))) => {
                let state = form_urlencoded::Serializer::new(String::new()).append_pair("state", state).finish();
                let separator = if uri.contains('?') { '&' } else { '?' };
                see_other(&format!("{uri}{separator}{state}"))
            }
        }
    }
}
