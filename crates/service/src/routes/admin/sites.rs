use super::super::sites::description;
use super::log;
use crate::app::App;
use crate::json;
use crate::problem::Problem;
use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use tollgate_tower::Authenticated;

/// `GET /api/v2/admin/users/{id}/sites`: the user's sites, the oldest first.
pub(super) async fn list(State(app): State<Arc<App>>, Path(user_id): Path<String>) -> Result<Json<Value>, Problem> {
    let sites = app.accounts.users().sites(&user_id).await?;
    Ok(Json(json!({"data": sites.iter().map(description).collect::<Vec<_>>()})))
}

/// `POST /api/v2/admin/users/{id}/sites`: adds one.
pub(super) async fn create(
    State(app): State<Arc<App>>,
    Authenticated(admin): Authenticated,
    Path(user_id): Path<String>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let CreateBody { site: NewSite { name, url } } = json::read(&headers, &json::body(body)?, None)?;
    app.blocking(move |app| {
        let site = app.accounts.add_site(&user_id, &name, &url)?;
        log(&admin, "site-added", &site.id);
        Ok((StatusCode::CREATED, Json(json!({"data": description(&site)}))))
    })
    .await
}

/// `POST /api/v2/admin/users/{id}/sites/{site_id}/rename`: gives it another name.
pub(super) async fn rename(
    State(app): State<Arc<App>>,
    Authenticated(admin): Authenticated,
    Path((user_id, id)): Path<(String, String)>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<StatusCode, Problem> {
    let RenameBody { name } = json::read(&headers, &json::body(body)?, None)?;
    app.blocking(move |app| {
        app.accounts.keys.wait(app.accounts.users().rename_site(&user_id, &id, &name))?;
        log(&admin, "site-renamed", &id);
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}

/// `DELETE /api/v2/admin/users/{id}/sites/{site_id}`: removes it.
pub(super) async fn remove(
    State(app): State<Arc<App>>,
    Authenticated(admin): Authenticated,
    Path((user_id, id)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    app.blocking(move |app| {
        app.accounts.keys.wait(app.accounts.users().remove_site(&user_id, &id))?;
        log(&admin, "site-removed", &id);
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CreateBody {
    site: NewSite,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewSite {
    name: String,
    url: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RenameBody {
    name: String,
}
