use crate::app::App;
use crate::client_address::ClientAddress;
use crate::ids::now;
use crate::json::{self, rfc3339};
use crate::problem::Problem;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::HeaderMap;
use axum::{Extension, Json};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use tollgate::{Principal, Rejection};
use tollgate_storage::accounts::User;
use zeroize::Zeroizing;

/// `POST /api/v2/sessions`: a session token for an API key, or for e-mail and password.
///
/// The token may do what the key may do; with e-mail and password, what the user may do.
pub(super) async fn create(
    State(app): State<Arc<App>>,
    principal: Option<Extension<Principal>>,
    client: ClientAddress,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Value>, Problem> {
    match principal {
        Some(Extension(principal)) => with_api_key(&app, principal).await,
        None => with_password(&app, &headers, json::body(body)?, client).await,
    }
}

async fn with_api_key(app: &Arc<App>, principal: Principal) -> Result<Json<Value>, Problem> {
    let user = app.accounts.store.user_by_id(principal.subject().unwrap_or_default()).await?;
    let user = user.ok_or(Problem::Rejected(Rejection::CredentialNotAccepted))?;
    let scope = principal.scopes().iter().collect::<Vec<_>>().join(" ");
    let data = json!({"id": user.id, "email": user.email, "api_key_id": principal.credential_id()});
    answer(app, &user, &scope, data)
}

async fn with_password(
    app: &Arc<App>,
    headers: &HeaderMap,
    body: Bytes,
    client: ClientAddress,
) -> Result<Json<Value>, Problem> {
    if body.is_empty() {
        return Err(Problem::Rejected(Rejection::MissingCredential));
    }
    let CreateBody { session: Session { email, password } } = json::read(headers, &body, None)?;
    let user = app.login.check(&email, Zeroizing::new(password), client.counted()).await?;
    let user_id = user.id.clone();
    let keys = app.blocking(move |app| Ok::<_, Problem>(app.accounts.api_keys_of(&user_id)?)).await?;
    let data = json!({
        "id": user.id,
        "email": user.email,
        "api_key_id": keys.first().map(|key| key.record.id()),
        "api_key_exists": !keys.is_empty(),
    });
    answer(app, &user, &user.scopes, data)
}

fn answer(app: &App, user: &User, scope: &str, data: Value) -> Result<Json<Value>, Problem> {
    let minted = app.tokens.session(&user.id, scope, now())?;
    let meta = json!({"jwt": *minted.token, "expires_at": rfc3339(minted.expires_at)});
    Ok(Json(json!({"data": data, "meta": meta})))
}

#[derive(Deserialize)]
struct CreateBody {
    session: Session,
}

#[derive(Deserialize)]
struct Session {
    email: String,
    password: String,
}
