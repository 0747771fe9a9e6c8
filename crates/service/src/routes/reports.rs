use axum::Json;
use serde_json::{Value, json};
use tollgate_tower::Authenticated;

/// `GET /api/v2/reports`: what a client of Service B is let in for.
pub(super) async fn list(Authenticated(principal): Authenticated) -> Json<Value> {
    let caller = json!({"client_id": principal.client_id(), "subject": principal.subject()});
    Json(json!({"data": [{"id": "report_1", "title": "Visits"}], "meta": caller}))
}
