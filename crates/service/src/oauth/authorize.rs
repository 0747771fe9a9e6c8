use super::consent;
use super::form_post;
use super::id_token::verified_hint;
use super::par;
use super::request::{self, AuthorizationError, AuthorizationRequest, Redirect, ResponseMode};
use crate::app::App;
use crate::client_address::ClientAddress;
use crate::form::Form;
use crate::ids::{new_secret, now};
use crate::limits::{CODE_TTL_SECONDS, MAX_EMAIL_BYTES};
use crate::pages::{
    FormProblem, LogInRefused, LoggedIn, LoginPage, Policy, client_name, failed, form_of, form_token, log_in,
    logged_in, not_a_form, page, refusal,
};
use crate::problem::Problem;
use crate::routes::scopes;
use crate::scope;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{MatchedPath, RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::sync::Arc;
use tollgate_storage::accounts::{AuthorizationCode, LoginSession, User};
use tollgate_storage::{Refusal, StorageError, new_key_id};

/// `GET /oauth/v2/authorize` (RFC 6749 section 4.1.1): a code for a browser that is logged in and whose user lets the client have it; the
/// consent page where the user has to be asked; otherwise the login form. With `prompt=none` an error in the place of either page.
pub(crate) async fn show(
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Response> {
    let query = query.unwrap_or_default();
    let form = Form::parse(query.as_bytes()).map_err(not_a_form)?;
    let request = read(&app, &form).await?;
    let login = logged_in(&app, &headers).await?;
    let Some((session, user)) = login.filter(|(session, user)| request.accepts(session, user, now())) else {
        return Ok(ask_for_login(&app, &request, &headers));
    };
    let scope = granted(&app, &request, &user).map_err(|denied| *denied)?;
    if must_ask(&app, &request, &user, &scope).await? {
        if request.prompt.none {
            return Err(denied(&app, &request.redirect, AuthorizationError::ConsentRequired));
        }
        return consent::show(&app, &request, &headers, &user, &scope, StatusCode::OK, None).map_err(failed);
    }
    grant(&app, request, &headers, session, user, scope).await
}

/// `POST` of an authorization request (OpenID Connect Core 1.0 section 3.1.2.1) or a logout request (RP-Initiated Logout 1.0 section 2): sends
/// the browser on to the same request as a GET. A form of another site brings no cookie of this service along (SameSite), the GET after it
/// does.
pub(crate) async fn repeat_as_get(
    path: MatchedPath,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Response> {
    let form = form_of(&headers, body).map_err(|refused| *refused)?;
    Ok(see_other(&format!("{}?{}", path.as_str(), form.to_query())))
}

/// `POST /oauth/v2/login`: the login form of an authorization request comes back.
pub(crate) async fn login(
    State(app): State<Arc<App>>,
    client: ClientAddress,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Response> {
    let form = form_of(&headers, body).map_err(|refused| *refused)?;
    let request = read(&app, &form).await?;
    let LoggedIn { session, user, cookies } = match log_in(&app, &form, client, &headers).await {
        Ok(logged_in) => logged_in,
        Err(LogInRefused::Again(status, problem)) => {
            let email = form.value("email").unwrap_or_default();
            return show_form(&app, &request, &headers, status, email, Some(problem)).map_err(failed);
        }
        Err(LogInRefused::Failed(answer)) => return Err(*answer),
    };
    let mut response = after_login(&app, request, &headers, session, user).await.unwrap_or_else(|answer| answer);
    response.headers_mut().extend(cookies.into_iter().map(|cookie| (header::SET_COOKIE, cookie)));
    Ok(response)
}

async fn after_login(
    app: &Arc<App>,
    request: AuthorizationRequest,
    headers: &HeaderMap,
    session: LoginSession,
    user: User,
) -> Result<Response, Response> {
    // Another user than the client means (OpenID Connect Core 1.0 section 3.1.2.1, id_token_hint).
    if request.user_id.as_ref().is_some_and(|user_id| *user_id != user.id) {
        return Err(denied(app, &request.redirect, AuthorizationError::LoginRequired));
    }
    let scope = granted(app, &request, &user).map_err(|denied| *denied)?;
    if must_ask(app, &request, &user, &scope).await? {
        // So that the page can be loaded again without the password.
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(request.parameters()).finish();
        return Ok(see_other(&format!("/oauth/v2/authorize?{query}")));
    }
    grant(app, request, headers, session, user, scope).await
}

/// The login form, or the error where no page may be shown.
pub(super) fn ask_for_login(app: &App, request: &AuthorizationRequest, headers: &HeaderMap) -> Response {
    if request.prompt.none {
        return denied(app, &request.redirect, AuthorizationError::LoginRequired);
    }
    let email = request.login_hint.as_deref().filter(|hint| hint.len() <= MAX_EMAIL_BYTES).unwrap_or_default();
    show_form(app, request, headers, StatusCode::OK, email, None).unwrap_or_else(failed)
}

/// Checks the request; the error is already the answer.
pub(super) async fn read(app: &Arc<App>, form: &Form<'_>) -> Result<AuthorizationRequest, Response> {
    let refused = |reason| refusal(StatusCode::BAD_REQUEST, reason);
    let client_id = form.value("client_id").ok_or_else(|| refused("It names no client."))?.to_owned();
    let client = app.blocking(move |app| Ok::<_, Problem>(app.accounts.active_client(&client_id)?)).await;
    let client = client.map_err(failed)?.ok_or_else(|| refused("It names no known client."))?;
    let pushed = par::begun(app, form, client.id()).await?;
    let must_be_pushed = app.requires_pushed_requests || client.settings().requires_pushed_requests;
    if pushed.is_none() && must_be_pushed {
        return Err(refused("The client has to push it first (RFC 9126)."));
    }
    // RFC 9126 section 4: of a request that was pushed nothing else that the browser sends counts.
    let form = pushed.as_ref().map_or(form, |pushed| &pushed.form);
    let redirect = request::redirect(form, &client).map_err(refused)?;
    let checked = request::check(form, client, redirect.clone(), &app.origin);
    let mut request = checked.map_err(|error| denied(app, &redirect, error))?;
    if let Some(pushed) = pushed {
        if pushed.is_continued {
            request.logged_in_anew();
        }
        request.pushed = Some(pushed.request_uri);
    }
    if let Some(hint) = &request.id_token_hint {
        let hint = verified_hint(app, hint).filter(|hint| hint.client_id == request.client.id());
        let refused = AuthorizationError::InvalidRequest("id_token_hint is no ID token of this service for the client");
        request.user_id = Some(hint.ok_or_else(|| denied(app, &redirect, refused))?.user_id);
    }
    Ok(request)
}

/// What both the client asks for and the user may do, and what tells who the user is; otherwise the error, which is already the answer.
pub(super) fn granted(app: &App, request: &AuthorizationRequest, user: &User) -> Result<String, Box<Response>> {
    let scope = of_user(&request.scope, user);
    let denied = || Box::new(denied(app, &request.redirect, AuthorizationError::AccessDenied));
    if scope.is_empty() { Err(denied()) } else { Ok(scope) }
}

/// What the user may do of `scope`, and what tells who the user is.
pub(super) fn of_user(scope: &str, user: &User) -> String {
    scope::intersection(scope, &format!("{} {}", scopes::OF_IDENTITY.join(" "), user.scopes))
}

async fn must_ask(app: &Arc<App>, request: &AuthorizationRequest, user: &User, scope: &str) -> Result<bool, Response> {
    let (request, user_id, scope) = (request.clone(), user.id.clone(), scope.to_owned());
    app.blocking(move |app| app.must_ask(&user_id, &request, &scope)).await.map_err(failed)
}

/// Sends the browser back to the client with a code.
pub(super) async fn grant(
    app: &Arc<App>,
    request: AuthorizationRequest,
    headers: &HeaderMap,
    session: LoginSession,
    user: User,
    scope: String,
) -> Result<Response, Response> {
    let client = request.client.clone();
    // What was not named need not be named again.
    let redirect_uri = if request.redirect.is_named { request.redirect.uri.clone() } else { String::new() };
    let (code_challenge, nonce, dpop_jkt) =
        (request.code_challenge.clone(), request.nonce.clone(), request.dpop_jkt.clone());
    let code = app
        .blocking(move |app| {
            let (keys, store) = (&app.accounts.keys, &app.accounts.store);
            let (code, digest) = new_secret()?;
            let token_id = new_key_id("token")?;
            let created_at = now();
            let issued = AuthorizationCode {
                digest,
                client_id: client.id().to_owned(),
                user_id: user.id.clone(),
                session_id: session.id,
                redirect_uri,
                code_challenge,
                scope: scope.clone(),
                nonce,
                dpop_jkt,
                created_at,
                expires_at: created_at.saturating_add(CODE_TTL_SECONDS),
                token_id,
            };
            match keys.wait(store.add_code(&issued, app.tokens.access_token_ttl())) {
                Ok(()) => {}
                // The session was ended meanwhile.
                Err(StorageError::Refused(Refusal::Changed { .. })) => return Ok(Issued::LoggedOut),
                Err(error) => return Err(Problem::from(error)),
            }
            // Whoever revokes a consent does that first and then ends codes; this one is written down first and then looks for the
            // consent. So one of the two sees the other.
            if app.lacks_consent(&user.id, &client, &scope)? {
                app.revoke_consent(&user.id, client.id())?;
                return Ok(Issued::Revoked);
            }
            Ok(Issued::Code(code))
        })
        .await
        .map_err(failed)?;
    // The code of a request that another page has ended meanwhile is not sent.
    if matches!(code, Issued::Code(_))
        && !par::end(app, &request).await.map_err(|error| failed(Problem::from(error)))?
    {
        return Err(refusal(StatusCode::BAD_REQUEST, "It was used before."));
    }
    match code {
        Issued::Code(code) => Ok(answer(app, &request.redirect, &[("code", &*code)])),
        Issued::Revoked => Err(denied(app, &request.redirect, AuthorizationError::ConsentDenied)),
        Issued::LoggedOut => Ok(ask_for_login(app, &request, headers)),
    }
}

enum Issued {
    Code(zeroize::Zeroizing<String>),
    Revoked,
    LoggedOut,
}

pub(super) fn show_form(
    app: &App,
    request: &AuthorizationRequest,
    headers: &HeaderMap,
    status: StatusCode,
    email: &str,
    problem: Option<FormProblem>,
) -> Result<Response, Problem> {
    let (form_token, cookie) = form_token(app, headers)?;
    let mut hidden = request.parameters();
    hidden.push(("form_token", &form_token));
    let shown = LoginPage::new("/oauth/v2/login", hidden, email, problem);
    let shown = LoginPage { client: Some(client_name(&request.client)), ..shown };
    let mut response = page(status, &shown, Policy::FormsTo(&request.redirect.origin()));
    response.headers_mut().append(header::SET_COOKIE, cookie);
    Ok(response)
}

/// Sends the browser back to the client with an error.
pub(super) fn denied(app: &App, redirect: &Redirect, error: AuthorizationError) -> Response {
    let members = [("error", error.code()), ("error_description", error.description())];
    answer(app, redirect, &members)
}

fn answer(app: &App, redirect: &Redirect, members: &[(&str, &str)]) -> Response {
    match redirect.mode {
        ResponseMode::Query => see_other(&redirect.with_answer(members, &app.origin)),
        ResponseMode::FormPost => form_post::show(redirect, &redirect.answer(members, &app.origin)),
    }
}

/// 303: the browser must not send the password on to the client, as it would with 307 (RFC 9700 section 4.12).
pub(super) fn see_other(location: &str) -> Response {
    match HeaderValue::try_from(location) {
        Ok(location) => (StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response(),
        Err(_) => refusal(StatusCode::BAD_REQUEST, "Its redirect_uri cannot be used."),
    }
}
