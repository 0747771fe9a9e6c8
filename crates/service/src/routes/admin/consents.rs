use super::super::consents::description;
use super::log;
use crate::app::App;
use crate::problem::Problem;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde_json::{Value, json};
use std::sync::Arc;
use tollgate_tower::Authenticated;

/// `GET /api/v2/admin/users/{id}/consents`: what the user lets clients have.
pub(super) async fn list(State(app): State<Arc<App>>, Path(user_id): Path<String>) -> Result<Json<Value>, Problem> {
    let consents = app.accounts.users().consents(&user_id).await?;
    Ok(Json(json!({"data": consents.iter().map(description).collect::<Vec<_>>()})))
}

/// `DELETE /api/v2/admin/users/{id}/consents/{client_id}`: takes one back, and ends the codes and tokens that came of it.
pub(super) async fn revoke(
    State(app): State<Arc<App>>,
    Authenticated(admin): Authenticated,
    Path((user_id, client_id)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    app.blocking(move |app| {
        app.accounts.revoke_consent(&user_id, &client_id)?;
        log(&admin, "consent-revoked", &client_id);
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}
