use crate::app::App;
use crate::auth::{UserCaller, require_own};
use crate::client_address::ClientAddress;
use crate::ids::now;
use crate::json::{self, rfc3339};
use crate::login::Attempt;
use crate::login_sessions::Visitor;
use crate::problem::Problem;
use crate::tokens::Minted;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::{Extension, Json};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use tollgate::{Principal, Rejection};
use tollgate_storage::accounts::LoginSession;
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
    let visitor = Visitor::new(client, &headers);
    match principal {
        Some(Extension(principal)) => with_api_key(&app, principal, visitor).await,
        None => with_password(&app, &headers, json::body(body)?, client, visitor).await,
    }
}

/// `GET /api/v2/sessions`: where the user is logged in.
pub(super) async fn list(State(app): State<Arc<App>>, caller: UserCaller) -> Result<Json<Value>, Problem> {
    app.require_control(&caller).await?;
    let sessions = app.accounts.store.login_sessions_of(&caller.user_id, now()).await?;
    let current = caller.principal.session_id();
    let described: Vec<Value> = sessions
        .iter()
        .map(|session| {
            let mut described = description(session);
            described["current"] = (current == Some(session.id.as_str())).into();
            described
        })
        .collect();
    Ok(Json(json!({"data": described})))
}

/// `DELETE /api/v2/sessions/{id}`: ends one, and the codes and tokens that came of it. `current` is that of the session token presented,
/// which every session token may end.
pub(super) async fn end(
    State(app): State<Arc<App>>,
    caller: UserCaller,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let current = caller.principal.session_id();
    let id = if id == "current" { current.ok_or(Problem::NotFound)?.to_owned() } else { id };
    if current == Some(&id) {
        require_own(&caller.principal)?;
    } else {
        app.require_control(&caller).await?;
    }
    app.blocking(move |app| Ok::<_, Problem>(app.accounts.end_session(&caller.user_id, &id)?)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `DELETE /api/v2/sessions`: ends all, that of the token presented too.
pub(super) async fn end_all(State(app): State<Arc<App>>, caller: UserCaller) -> Result<StatusCode, Problem> {
    app.require_control(&caller).await?;
    app.blocking(move |app| Ok::<_, Problem>(app.accounts.log_out(&caller.user_id)?)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What may be told of a session.
pub(super) fn description(session: &LoginSession) -> Value {
    json!({
        "id": session.id,
        "kind": if session.digest.is_some() { "browser" } else { "token" },
        "api_key_id": session.key_id,
        "agent": session.agent,
        "address": session.address,
        "created_at": rfc3339(session.created_at),
        "expires_at": rfc3339(session.expires_at),
    })
}

async fn with_api_key(app: &Arc<App>, principal: Principal, visitor: Visitor) -> Result<Json<Value>, Problem> {
    let user = app.accounts.store.user_by_id(principal.subject().unwrap_or_default()).await?;
    let user = user.filter(|user| user.disabled_at.is_none());
    let user = user.ok_or(Problem::Rejected(Rejection::CredentialNotAccepted))?;
    let scope = principal.scopes().iter().collect::<Vec<_>>().join(" ");
    let data = json!({"id": user.id, "email": user.email, "api_key_id": principal.credential_id()});
    app.blocking(move |app| {
        let key = app.maker(&principal, &user.id)?;
        let begun = app.begin_token_session(&user, visitor, &scope, key.as_ref());
        begun.map(|minted| answer(&minted, data)).map_err(|problem| match problem {
            // There is no password here that could be wrong: the user has changed since the key was looked up.
            Problem::WrongPassword => Problem::Rejected(Rejection::CredentialNotAccepted),
            problem => problem,
        })
    })
    .await
}

async fn with_password(
    app: &Arc<App>,
    headers: &HeaderMap,
    body: Bytes,
    client: ClientAddress,
    visitor: Visitor,
) -> Result<Json<Value>, Problem> {
    if body.is_empty() {
        return Err(Problem::Rejected(Rejection::MissingCredential));
    }
    let CreateBody { session: Session { email, password } } = json::read(headers, &body, None)?;
    let password = Zeroizing::new(password);
    let user = app.login.check(Attempt { email: &email, password, from: client.counted(), device: None }).await?;
    app.blocking(move |app| {
        let keys = app.accounts.api_keys_of(&user.id)?;
        let data = json!({
            "id": user.id,
            "email": user.email,
            "api_key_id": keys.first().map(|key| key.record.id()),
            "api_key_exists": !keys.is_empty(),
        });
        Ok(answer(&app.begin_token_session(&user, visitor, &user.scopes, None)?, data))
    })
    .await
}

fn answer(minted: &Minted, data: Value) -> Json<Value> {
    let meta = json!({"jwt": *minted.token, "expires_at": rfc3339(minted.expires_at)});
    Json(json!({"data": data, "meta": meta}))
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
