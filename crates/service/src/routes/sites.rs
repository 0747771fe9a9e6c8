use crate::app::App;
use crate::auth::UserCaller;
use crate::json::rfc3339;
use crate::problem::Problem;
use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};
use std::sync::Arc;
use tollgate_storage::accounts::Site;

/// `GET /api/v2/sites`: the sites of the user whom the credential speaks for.
pub(super) async fn list(State(app): State<Arc<App>>, caller: UserCaller) -> Result<Json<Value>, Problem> {
    let sites = app.accounts.users().sites(&caller.user_id).await?;
    Ok(Json(json!({"data": sites.iter().map(description).collect::<Vec<_>>()})))
}

/// What is told of a site.
pub(super) fn description(site: &Site) -> Value {
    json!({"id": site.id, "name": site.name, "url": site.url, "created_at": rfc3339(site.created_at)})
}
