use super::authorize::{ask_for_login, denied, grant, granted, read};
use super::par;
use super::request::{AuthorizationError, AuthorizationRequest};
use crate::app::App;
use crate::pages::{
    ConsentPage, FormProblem, Policy, actor, client_name, failed, form_of, form_token, is_ours, logged_in, page,
    scope_text,
};
use crate::problem::Problem;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use std::sync::Arc;
use tollgate_storage::accounts::User;

/// `POST /oauth/v2/consent`: the consent page comes back, with its `decision`.
pub(crate) async fn decide(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Response> {
    let form = form_of(&headers, body).map_err(|refused| *refused)?;
    let request = read(&app, &form).await?;
    let Some((session, user)) = logged_in(&app, &headers).await? else {
        return Ok(ask_for_login(&app, &request, &headers));
    };
    let scope = granted(&app, &request, &user).map_err(|denied| *denied)?;
    // Another person may have logged in with this browser since the page was shown.
    if !is_ours(&app, &headers, &form) || form.value("user") != Some(&user.id) {
        let problem = FormProblem::new("The form had expired. Please decide again.");
        return show(&app, &request, &headers, &user, &scope, StatusCode::FORBIDDEN, Some(problem)).map_err(failed);
    }
    match form.value("decision") {
        Some("allow") => {
            let (client, user_id, allowed) = (request.client.clone(), user.id.clone(), scope.clone());
            let by = actor(&session, &user);
            app.blocking_for(by, move |app| app.give_consent(&user_id, &client, &allowed)).await.map_err(failed)?;
            grant(&app, request, &headers, session, user, scope).await
        }
        Some("deny") => {
            par::end(&app, &request).await.map_err(|error| failed(Problem::from(error)))?;
            Err(denied(&app, &request.redirect, AuthorizationError::ConsentDenied))
        }
        _ => Err(failed(Problem::BadRequest("the form has no decision"))),
    }
}

/// The page that asks the user.
pub(super) fn show(
    app: &App,
    request: &AuthorizationRequest,
    headers: &HeaderMap,
    user: &User,
    scope: &str,
    status: StatusCode,
    problem: Option<FormProblem>,
) -> Result<Response, Problem> {
    let (form_token, cookie) = form_token(app, headers)?;
    let mut hidden = request.parameters();
    hidden.extend([("user", user.id.as_str()), ("form_token", form_token.as_str())]);
    let target = request.redirect.origin();
    let shown = ConsentPage {
        client: client_name(&request.client),
        email: &user.email,
        scopes: scope.split(' ').map(scope_text).collect(),
        target: &target,
        is_of_this_device: request.redirect.is_of_this_device(),
        hidden,
        form_token: &form_token,
        problem,
    };
    let mut response = page(status, &shown, Policy::FormsTo(&target));
    response.headers_mut().append(header::SET_COOKIE, cookie);
    Ok(response)
}
