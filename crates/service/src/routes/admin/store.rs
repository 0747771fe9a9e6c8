use crate::app::App;
use crate::key_store::Status;
use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};
use std::sync::Arc;

/// `GET /api/v2/admin/store`: how far this process is behind the store, and what it holds in memory.
pub(super) async fn show(State(app): State<Arc<App>>) -> Json<Value> {
    let status = app.accounts.keys.status();
    let Status { applied, behind, since_in_sync, failures, failed_heartbeats, panics, unreadable, keys, revocations } =
        status;
    Json(json!({"data": {
        "applied": applied,
        "behind": behind,
        "milliseconds_since_in_sync": u64::try_from(since_in_sync.as_millis()).unwrap_or(u64::MAX),
        "failures": failures,
        "failed_heartbeats": failed_heartbeats,
        "panics": panics,
        "unreadable": unreadable,
        "keys_in_memory": keys,
        "revocations_in_memory": revocations,
    }}))
}
