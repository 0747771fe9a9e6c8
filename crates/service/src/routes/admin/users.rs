use super::super::sessions::description as session_description;
use super::log;
use super::page::{Page, parameters};
use crate::app::App;
use crate::ids::now;
use crate::json::{self, rfc3339};
use crate::problem::Problem;
use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use tollgate_storage::accounts::User;
use tollgate_tower::Authenticated;
use zeroize::Zeroizing;

/// `GET /api/v2/admin/users?email=&limit=&page_token=`: by id, which is the order in which they were added.
pub(super) async fn list(State(app): State<Arc<App>>, RawQuery(query): RawQuery) -> Result<Json<Value>, Problem> {
    let query = query.unwrap_or_default();
    app.blocking(move |app| {
        let form = parameters(&query)?;
        let (page, users) = (Page::of(&form)?, app.accounts.users());
        let found = match form.value("email") {
            Some(email) => app.accounts.keys.wait(users.find(email))?.into_iter().collect(),
            None => app.accounts.keys.wait(users.list(page.after.as_deref(), page.wanted()))?,
        };
        Ok(Json(page.answer(&found, |user| user.id.clone(), description)))
    })
    .await
}

/// `POST /api/v2/admin/users`: a user who can log in with that password.
pub(super) async fn create(
    State(app): State<Arc<App>>,
    Authenticated(admin): Authenticated,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let CreateBody { user: wanted } = json::read(&headers, &json::body(body)?, None)?;
    app.blocking(move |app| {
        let user = app.accounts.add_user(&wanted.email, &Zeroizing::new(wanted.password), &wanted.scope)?;
        log(&admin, "user-made", &user.id);
        Ok((StatusCode::CREATED, answer(&user)))
    })
    .await
}

/// `GET /api/v2/admin/users/{id}`.
pub(super) async fn show(State(app): State<Arc<App>>, Path(id): Path<String>) -> Result<Json<Value>, Problem> {
    let user = app.accounts.store.user_by_id(&id).await?.ok_or(Problem::NotFound)?;
    Ok(answer(&user))
}

/// `POST /api/v2/admin/users/{id}/disable`: every login and token ends, the API keys are disabled.
pub(super) async fn disable(
    State(app): State<Arc<App>>,
    Authenticated(admin): Authenticated,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    app.blocking(move |app| {
        let user = app.accounts.disable_user(&id)?;
        log(&admin, "user-disabled", &id);
        Ok(answer(&user))
    })
    .await
}

/// `POST /api/v2/admin/users/{id}/enable`: the user can log in again; the API keys stay disabled.
pub(super) async fn enable(
    State(app): State<Arc<App>>,
    Authenticated(admin): Authenticated,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    app.blocking(move |app| {
        let user = app.accounts.enable_user(&id)?;
        log(&admin, "user-enabled", &id);
        Ok(answer(&user))
    })
    .await
}

/// `POST /api/v2/admin/users/{id}/password`: another password; every login and token ends.
pub(super) async fn set_password(
    State(app): State<Arc<App>>,
    Authenticated(admin): Authenticated,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Value>, Problem> {
    let PasswordBody { password } = json::read(&headers, &json::body(body)?, None)?;
    app.blocking(move |app| {
        let user = app.accounts.set_password(&id, &Zeroizing::new(password))?;
        log(&admin, "user-password-set", &id);
        Ok(answer(&user))
    })
    .await
}

/// `DELETE /api/v2/admin/users/{id}`: every login and token ends, the API keys are revoked, and the user is forgotten.
pub(super) async fn remove(
    State(app): State<Arc<App>>,
    Authenticated(admin): Authenticated,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    app.blocking(move |app| {
        app.accounts.remove_user(&id)?;
        log(&admin, "user-removed", &id);
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}

/// `GET /api/v2/admin/users/{id}/sessions`: where the user is logged in.
pub(super) async fn sessions(State(app): State<Arc<App>>, Path(id): Path<String>) -> Result<Json<Value>, Problem> {
    let sessions = app.accounts.store.login_sessions_of(&id, now()).await?;
    Ok(Json(json!({"data": sessions.iter().map(session_description).collect::<Vec<_>>()})))
}

/// `DELETE /api/v2/admin/users/{id}/sessions`: ends all.
pub(super) async fn end_sessions(
    State(app): State<Arc<App>>,
    Authenticated(admin): Authenticated,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    app.blocking(move |app| {
        app.accounts.log_out(&id)?;
        log(&admin, "user-logged-out", &id);
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}

/// `DELETE /api/v2/admin/users/{id}/sessions/{session_id}`: ends one.
pub(super) async fn end_session(
    State(app): State<Arc<App>>,
    Authenticated(admin): Authenticated,
    Path((id, session_id)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    app.blocking(move |app| {
        app.accounts.end_session(&id, &session_id)?;
        log(&admin, "session-ended", &session_id);
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}

fn answer(user: &User) -> Json<Value> {
    Json(json!({"data": description(user)}))
}

fn description(user: &User) -> Value {
    json!({
        "id": user.id,
        "email": user.email,
        "scope": user.scopes,
        "state": if user.disabled_at.is_some() { "disabled" } else { "active" },
        "created_at": rfc3339(user.created_at),
        "disabled_at": user.disabled_at.and_then(rfc3339),
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CreateBody {
    user: Wanted,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    email: String,
    password: String,
    /// Scope-tokens joined by spaces.
    scope: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PasswordBody {
    password: String,
}
