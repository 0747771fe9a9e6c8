use crate::app::App;
use crate::auth::{UserCaller, require_granted, require_own};
use crate::json::{self, rfc3339, time};
use crate::key_store::NewKey;
use crate::problem::Problem;
use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use tollgate::ApiKey;
use tollgate_storage::StoredKey;

/// `GET /api/v2/api_keys`: which keys the user has; never the keys.
pub(super) async fn list(State(app): State<Arc<App>>, caller: UserCaller) -> Result<Json<Value>, Problem> {
    require_own(&caller.principal)?;
    let keys = app.blocking(move |app| Ok::<_, Problem>(app.accounts.api_keys_of(&caller.user_id)?)).await?;
    Ok(Json(json!({"data": keys.iter().map(description).collect::<Vec<_>>()})))
}

/// `POST /api/v2/api_keys`: a further key, shown this once. Made with a key, or with a session of one, it ends with that key.
pub(super) async fn create(
    State(app): State<Arc<App>>,
    caller: UserCaller,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let UserCaller { principal, user_id } = caller;
    require_own(&principal)?;
    let CreateBody { api_key: wanted } = json::read(&headers, &json::body(body)?, None)?;
    let expires_at = time("expires_at", wanted.expires_at.as_deref())?;
    // A key must not do more than the credential that made it.
    let scopes: Vec<&str> = wanted.scope.split(' ').filter(|scope| !scope.is_empty()).collect();
    require_granted(&principal, &scopes)?;
    let scope = scopes.join(" ");
    app.blocking(move |app| {
        let maker = app.maker(&principal, &user_id)?;
        let new = app.accounts.add_api_key_with(&user_id, &wanted.name, &scope, expires_at, maker.as_ref())?;
        Ok(secret_answer(&new))
    })
    .await
}

/// `DELETE /api/v2/api_keys/{id}`: the key stops working at once.
pub(super) async fn revoke(
    State(app): State<Arc<App>>,
    caller: UserCaller,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    require_own(&caller.principal)?;
    app.blocking(move |app| Ok::<_, Problem>(app.accounts.revoke_api_key(&caller.user_id, &id)?)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The answer that shows a key's secret, the only one ever.
pub(super) fn secret_answer(new: &NewKey) -> Response {
    secret_answer_with(description(&new.stored), &new.secret)
}

/// [`secret_answer`] with what is to be said of the key.
pub(super) fn secret_answer_with(mut data: Value, secret: &ApiKey) -> Response {
    data["secret"] = secret.as_str().into();
    (StatusCode::CREATED, Json(json!({"data": data}))).into_response()
}

/// What may be told of a key.
pub(super) fn description(key: &StoredKey) -> Value {
    let record = &key.record;
    json!({
        "id": record.id(),
        "name": record.name(),
        "scope": record.scopes().as_str(),
        "state": record.state().as_str(),
        "made_with": key.parent,
        "created_at": rfc3339(key.created_at),
        "expires_at": key.ends_at().and_then(rfc3339),
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
