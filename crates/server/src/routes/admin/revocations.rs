use super::log;
use crate::app::App;
use crate::json::{self, rfc3339, time};
use crate::problem::Problem;
use crate::revocations::revoke;
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use tollgate_store::{RevocationKind, StoredRevocation};
use tollgate_tower::Authenticated;

/// `POST /api/v2/admin/revocations`: revokes a token by its `jti`, or all tokens of a subject, a session, a client or an issuer, or
/// a key by its id; wholly, or as far as issued before a time. In force when it is answered.
pub(super) async fn create(
    State(app): State<Arc<App>>,
    Authenticated(admin): Authenticated,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let CreateBody { revocation: wanted } = json::read(&headers, &json::body(body)?, None)?;
    app.blocking(move |app| {
        let revocation = wanted.revocation(&app.origin)?;
        revoke(&app.accounts.keys, &app.origin, &revocation)?;
        log(&admin, revocation.kind.as_str(), &revocation.name);
        Ok((StatusCode::CREATED, Json(json!({"data": description(&revocation)}))))
    })
    .await
}

fn description(revocation: &StoredRevocation) -> Value {
    json!({
        "kind": revocation.kind.as_str(),
        "issuer": revocation.issuer,
        "name": revocation.name,
        // Beyond every time that can be written: without an end.
        "issued_before": rfc3339(revocation.issued_before),
        "until": rfc3339(revocation.until),
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CreateBody {
    revocation: Wanted,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    kind: String,
    #[serde(default)]
    name: String,
    /// This service, unless it says otherwise.
    issuer: Option<String>,
    issued_before: Option<String>,
    until: Option<String>,
}

impl Wanted {
    fn revocation(&self, origin: &str) -> Result<StoredRevocation, Problem> {
        let kind = RevocationKind::from_name(&self.kind)
            .ok_or(Problem::BadRequest("kind is token, subject, session, client, issuer or api-key"))?;
        // A key has no issuer.
        let default_issuer = if kind == RevocationKind::ApiKey { "" } else { origin };
        let issuer = self.issuer.as_deref().unwrap_or(default_issuer);
        let issued_before = time("issued_before", self.issued_before.as_deref())?.unwrap_or(i64::MAX);
        let until = time("until", self.until.as_deref())?.unwrap_or(i64::MAX);
        Ok(StoredRevocation { issued_before, until, ..StoredRevocation::new(kind, issuer, &self.name) })
    }
}
