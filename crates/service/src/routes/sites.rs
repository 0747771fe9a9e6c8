use crate::app::App;
use crate::auth::UserCaller;
use crate::json::rfc3339;
use crate::limits::MAX_SITES;
use crate::problem::Problem;
use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};
use std::sync::Arc;

/// `GET /api/v2/sites`: the sites of the user whom the credential speaks for.
pub(super) async fn list(State(app): State<Arc<App>>, caller: UserCaller) -> Result<Json<Value>, Problem> {
    let sites = app.accounts.store.sites_of(&caller.user_id, MAX_SITES).await?;
    let sites: Vec<Value> = sites
        .iter()
        .map(|site| json!({"id": site.id, "name": site.name, "url": site.url, "created_at": rfc3339(site.created_at)}))
        .collect();
    Ok(Json(json!({"data": sites})))
}
