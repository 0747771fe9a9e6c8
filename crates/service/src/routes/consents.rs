use crate::app::App;
use crate::auth::UserCaller;
use crate::json::rfc3339;
use crate::problem::Problem;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde_json::{Value, json};
use std::sync::Arc;
use tollgate_storage::accounts::Consent;

/// `GET /api/v2/consents`: what the user has let clients have.
pub(super) async fn list(State(app): State<Arc<App>>, caller: UserCaller) -> Result<Json<Value>, Problem> {
    app.require_control(&caller).await?;
    let consents = app.accounts.users().consents(&caller.user_id).await?;
    Ok(Json(json!({"data": consents.iter().map(description).collect::<Vec<_>>()})))
}

/// What is told of a consent.
pub(super) fn description(consent: &Consent) -> Value {
    let granted_at = rfc3339(consent.granted_at);
    json!({"client_id": consent.client_id, "scope": consent.scopes, "granted_at": granted_at})
}

/// `DELETE /api/v2/consents/{client_id}`: takes one back, and ends the codes and tokens that came of it.
pub(super) async fn revoke(
    State(app): State<Arc<App>>,
    caller: UserCaller,
    Path(client_id): Path<String>,
) -> Result<StatusCode, Problem> {
    app.require_control(&caller).await?;
    app.blocking(move |app| Ok::<_, Problem>(app.accounts.revoke_consent(&caller.user_id, &client_id)?)).await?;
    Ok(StatusCode::NO_CONTENT)
}
