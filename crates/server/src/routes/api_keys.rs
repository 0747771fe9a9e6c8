use crate::accounts::NewCredential;
use crate::app::App;
use crate::auth::UserCaller;
use crate::json::{self, from_rfc3339, rfc3339};
use crate::problem::Problem;
use crate::storage::Credential;
use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// `GET /api/v2/api_keys`: which keys the user has; never the keys.
pub(super) async fn list(State(app): State<Arc<App>>, caller: UserCaller) -> Result<Json<Value>, Problem> {
    let keys = app.blocking(move |app| Ok::<_, Problem>(app.accounts.api_keys_of(&caller.user_id)?)).await?;
    Ok(Json(json!({"data": keys.iter().map(description).collect::<Vec<_>>()})))
}

/// `POST /api/v2/api_keys`: a further key, shown this once.
pub(super) async fn create(
    State(app): State<Arc<App>>,
    caller: UserCaller,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let UserCaller { principal, user_id } = caller;
    let CreateBody { api_key: wanted } = json::read(&headers, &json::body(body)?, None)?;
    let expires_at = match &wanted.expires_at {
        Some(text) => Some(from_rfc3339(text).ok_or(Problem::BadRequest("expires_at must be a time as in RFC 3339"))?),
        None => None,
    };
    // A key must not do more than the credential that made it.
    let scopes: Vec<&str> = wanted.scope.split(' ').filter(|scope| !scope.is_empty()).collect();
    principal.require_all(&scopes)?;
    let scope = scopes.join(" ");
    let new = app
        .blocking(move |app| Ok::<_, Problem>(app.accounts.add_api_key(&user_id, &wanted.name, &scope, expires_at)?))
        .await?;
    Ok(secret_answer(&new))
}

/// `DELETE /api/v2/api_keys/{id}`: the key stops working at once.
pub(super) async fn revoke(
    State(app): State<Arc<App>>,
    caller: UserCaller,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    app.blocking(move |app| Ok::<_, Problem>(app.accounts.revoke_api_key(&caller.user_id, &id)?)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The answer that shows a key's secret, the only one ever.
pub(super) fn secret_answer(new: &NewCredential) -> Response {
    let mut data = description(&new.credential);
    data["secret"] = new.secret.as_str().into();
    (StatusCode::CREATED, Json(json!({"data": data}))).into_response()
}

/// What may be told of a key.
pub(super) fn description(key: &Credential) -> Value {
    json!({
        "id": key.id,
        "name": key.name,
        "scope": key.scopes,
        "created_at": rfc3339(key.created_at),
        "expires_at": key.expires_at.and_then(rfc3339),
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CreateBody {
    api_key: Wanted,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    name: String,
    /// Scope-tokens joined by spaces.
    scope: String,
    expires_at: Option<String>,
}
