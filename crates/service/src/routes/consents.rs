use crate::app::App;
use crate::auth::{UserCaller, require_own};
use crate::json::rfc3339;
use crate::problem::Problem;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde_json::{Value, json};
use std::sync::Arc;

/// `GET /api/v2/consents`: what the user has let clients have.
pub(super) async fn list(State(app): State<Arc<App>>, caller: UserCaller) -> Result<Json<Value>, Problem> {
    require_own(&caller.principal)?;
    let consents = app.accounts.store.consents_of(&caller.user_id).await?;
    let described: Vec<Value> = consents
        .iter()
        .map(|consent| {
            let granted_at = rfc3339(consent.granted_at);
            json!({"client_id": consent.client_id, "scope": consent.scopes, "granted_at": granted_at})
        })
        .collect();
    Ok(Json(json!({"data": described})))
}

/// `DELETE /api/v2/consents/{client_id}`: takes one back, and ends the codes and tokens that came of it.
pub(super) async fn revoke(
    State(app): State<Arc<App>>,
    caller: UserCaller,
    Path(client_id): Path<String>,
) -> Result<StatusCode, Problem> {
    require_own(&caller.principal)?;
    app.blocking(move |app| {
        let consents = app.accounts.keys.wait(app.accounts.store.consents_of(&caller.user_id))?;
        if !consents.iter().any(|consent| consent.client_id == client_id) {
            return Err(Problem::NotFound);
        }
        app.revoke_consent(&caller.user_id, &client_id)
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}
