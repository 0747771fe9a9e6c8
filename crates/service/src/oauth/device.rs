//! The pages of the device authorization grant (RFC 8628 section 3.3): a person logs in, enters the code of a device, and decides.

use super::authorize::of_user;
use super::request;
use super::user_code::{normal, shown, user_digest};
use crate::app::App;
use crate::client_address::ClientAddress;
use crate::form::Form;
use crate::ids::now;
use crate::pages::{
    DeviceConsentPage, DevicePage, FormOfBrowser, FormProblem, LogInRefused, LoggedIn, LoginPage, Policy, client_name,
    failed, form_of, form_token, log_in, logged_in, message, not_a_form, page, scope_text,
};
use crate::problem::Problem;
use crate::scope;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use std::sync::Arc;
use tollgate_storage::accounts::{DeviceApproval, DeviceDecision, User};
use tollgate_storage::{AuditRecord, Client, new_key_id};

/// `GET /device`: the form for the code, filled in where the query has a `user_code`; first the login form where nobody is logged in.
pub(crate) async fn show_device(
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Response> {
    let query = query.unwrap_or_default();
    let form = Form::parse(query.as_bytes()).map_err(not_a_form)?;
    let user_code = typed(&form);
    match logged_in(&app, &headers).await? {
        Some((_, user)) => enter(&app, &headers, StatusCode::OK, &user, &user_code, None).map_err(failed),
        None => show_login(&app, &headers, StatusCode::OK, &user_code, "", None).map_err(failed),
    }
}

/// `POST /device/login`: the login form comes back.
pub(crate) async fn log_in_at_device(
    State(app): State<Arc<App>>,
    client: ClientAddress,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Response> {
    let form = form_of(&headers, body).map_err(|refused| *refused)?;
    let user_code = typed(&form);
    match log_in(&app, &form, client, &headers).await {
        Ok(LoggedIn { cookies, .. }) => {
            let mut response = Redirect::to(&format!("/device?user_code={user_code}")).into_response();
            response.headers_mut().extend(cookies.into_iter().map(|cookie| (header::SET_COOKIE, cookie)));
            Ok(response)
        }
        Err(LogInRefused::Again(status, problem)) => {
            let email = form.value("email").unwrap_or_default();
            show_login(&app, &headers, status, &user_code, email, Some(problem)).map_err(failed)
        }
        Err(LogInRefused::Failed(answer)) => Err(*answer),
    }
}

/// `POST /device`: a code; the page that asks whether its device may use the account.
pub(crate) async fn enter_code(
    State(app): State<Arc<App>>,
    address: ClientAddress,
    sent: FormOfBrowser,
) -> Result<Response, Response> {
    let asked = asked(&app, address, &sent).await.map_err(|answer| *answer)?;
    let (form_token, cookie) = form_token(&app, &sent.headers).map_err(failed)?;
    let shown = DeviceConsentPage {
        client: client_name(&asked.client),
        email: &sent.user.email,
        user_code: &shown(&asked.user_code),
        scopes: asked.scope.split(' ').map(scope_text).collect(),
        user_id: &sent.user.id,
        form_token: &form_token,
    };
    let mut response = page(StatusCode::OK, &shown, Policy::Forms);
    response.headers_mut().append(header::SET_COOKIE, cookie);
    Ok(response)
}

/// `POST /device/decision`: the page that asks comes back, with its `decision`.
pub(crate) async fn decide_device(
    State(app): State<Arc<App>>,
    address: ClientAddress,
    sent: FormOfBrowser,
) -> Result<Response, Response> {
    let asked = asked(&app, address, &sent).await.map_err(|answer| *answer)?;
    let is_allowed = match sent.form.value("decision") {
        // Another person may have logged in with this browser since the page was shown.
        _ if sent.form.value("user") != Some(&sent.user.id) => {
            let problem = FormProblem::new("Another person has logged in since. Please enter the code again.");
            let status = StatusCode::FORBIDDEN;
            return enter(&app, &sent.headers, status, &sent.user, "", Some(problem)).map_err(failed);
        }
        Some("allow") => true,
        Some("deny") => false,
        _ => return Err(failed(Problem::BadRequest("the form has no decision"))),
    };
    let FormOfBrowser { session, user, by, headers, .. } = sent;
    let user_id = user.id.clone();
    let decided = app.blocking_for(by, move |app| {
        let mut records = Vec::new();
        let decision = if is_allowed {
            // The store adds the consent to the approval: without one there is none, such as when the code has expired meanwhile.
            records.push(app.consent_record(&user_id, &asked.client)?);
            let (session_id, token_id) = (session.id.clone(), new_key_id("token")?);
            DeviceDecision::Approved(DeviceApproval { user_id: user_id.clone(), session_id, token_id })
        } else {
            DeviceDecision::Denied
        };
        let action = if is_allowed { "device-authorization.approve" } else { "device-authorization.deny" };
        records.push(AuditRecord::new(&crate::audit::caller(), action, asked.client.id())?.concerning(&user_id));
        let (digest, scope) = (user_digest(&asked.user_code), &asked.scope);
        let decided = app.accounts.store.decide_device_authorization(&digest, &decision, scope, now(), &records);
        Ok::<_, Problem>(app.accounts.keys.wait(decided)?)
    });
    match (decided.await.map_err(failed)?, is_allowed) {
        (true, true) => {
            let text = "The device continues by itself within a few seconds. You can close this page.";
            Ok(message(StatusCode::OK, "The device is connected", text))
        }
        (true, false) => Ok(message(StatusCode::OK, "The device is not connected", "It gets nothing of your account.")),
        (false, _) => enter(&app, &headers, StatusCode::BAD_REQUEST, &user, "", Some(unknown_code())).map_err(failed),
    }
}

/// A request of a device that nobody has decided.
struct Asked {
    user_code: String,
    client: Arc<Client>,
    /// What both the client asks for and the user may do, and what tells who the user is.
    scope: String,
}

/// The request whose code the form has; otherwise the answer. Each look for a code is counted (RFC 8628 section 5.1).
async fn asked(app: &Arc<App>, address: ClientAddress, sent: &FormOfBrowser) -> Result<Asked, Box<Response>> {
    let again = |status, problem| {
        Box::new(enter(app, &sent.headers, status, &sent.user, "", Some(problem)).unwrap_or_else(failed))
    };
    if let Err(wait) = app.device_throttle.look(&sent.session.id, address.counted()) {
        let text = format!("Too many attempts. Please wait {} seconds.", wait.seconds);
        let mut response = again(StatusCode::TOO_MANY_REQUESTS, FormProblem::new(text));
        response.headers_mut().insert(header::RETRY_AFTER, wait.seconds.into());
        return Err(response);
    }
    let unknown = || again(StatusCode::BAD_REQUEST, unknown_code());
    let user_code = sent.form.value("user_code").and_then(normal).ok_or_else(unknown)?;
    let digest = user_digest(&user_code);
    let found = app.blocking(move |app| {
        let Some(found) = app.accounts.keys.wait(app.accounts.store.device_authorization(&digest, now()))? else {
            return Ok(None);
        };
        let client = app.accounts.active_client(&found.client_id)?;
        // What a client of that id asked for that is gone is not this one's.
        let client = client.filter(|client| client.created_at() <= found.created_at);
        Ok::<_, Problem>(client.map(|client| (found, client)))
    });
    let (found, client) = found.await.map_err(|problem| Box::new(failed(problem)))?.ok_or_else(unknown)?;
    let scope = scope::intersection(&found.scope, &request::may_request(&client));
    let scope = of_user(&scope, &sent.user);
    if scope.is_empty() {
        let problem = FormProblem::new("Your account has nothing of what the device asks for.");
        return Err(again(StatusCode::FORBIDDEN, problem));
    }
    Ok(Asked { user_code, client, scope })
}

fn unknown_code() -> FormProblem {
    FormProblem::of("user_code", "There is no such code, or it has expired. Compare it with the one on your device.")
}

/// The code in a query or a form, as it is shown; empty where there is none.
fn typed(form: &Form<'_>) -> String {
    form.value("user_code").and_then(normal).map(|code| shown(&code)).unwrap_or_default()
}

fn enter(
    app: &App,
    headers: &HeaderMap,
    status: StatusCode,
    user: &User,
    user_code: &str,
    problem: Option<FormProblem>,
) -> Result<Response, Problem> {
    let (form_token, cookie) = form_token(app, headers)?;
    let is_wrong = problem.as_ref().is_some_and(|problem| !problem.field.is_empty());
    let shown = DevicePage { email: &user.email, user_code, form_token: &form_token, problem, is_wrong };
    let mut response = page(status, &shown, Policy::Forms);
    response.headers_mut().append(header::SET_COOKIE, cookie);
    Ok(response)
}

fn show_login(
    app: &App,
    headers: &HeaderMap,
    status: StatusCode,
    user_code: &str,
    email: &str,
    problem: Option<FormProblem>,
) -> Result<Response, Problem> {
    let (form_token, cookie) = form_token(app, headers)?;
    let hidden = vec![("user_code", user_code), ("form_token", form_token.as_str())];
    let notice = problem.is_none().then_some("Log in to connect a device.");
    let shown = LoginPage { notice, ..LoginPage::new("/device/login", hidden, email, problem) };
    let mut response = page(status, &shown, Policy::Forms);
    response.headers_mut().append(header::SET_COOKIE, cookie);
    Ok(response)
}
