use super::api_keys::{description, secret_answer};
use crate::app::App;
use crate::auth::{UserCaller, require_granted, require_own};
use crate::client_address::ClientAddress;
use crate::json;
use crate::login::Attempt;
use crate::problem::Problem;
use crate::routes::{FIRST_KEY_NAME, scopes};
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use tollgate::{KeyState, Principal, PrincipalKind};
use tollgate_storage::StoredKey;
use zeroize::Zeroizing;

/// `GET /api/v2/profile`: the user whom the credential speaks for; for who may see it, also which API keys there are, never the keys.
///
/// A login with the password sees all of it. Another credential needs the scope `profile`, or `manage:api-keys` where it is the user's own,
/// and for the keys the latter. A token that a client got shows the e-mail address with the scope `email` alone.
pub(super) async fn show(State(app): State<Arc<App>>, caller: UserCaller) -> Result<Json<Value>, Problem> {
    let UserCaller { principal, user_id } = caller;
    app.blocking(move |app| {
        let may_see_keys = sees_keys(app, &principal, &user_id)?;
        if !may_see_keys {
            principal.require_scope(scopes::PROFILE)?;
        }
        let user = app.accounts.keys.wait(app.accounts.store.user_by_id(&user_id))?.ok_or(Problem::NotFound)?;
        let mut data = json!({"id": user.id, "scope": user.scopes});
        if principal.client_id().is_none() || principal.require_scope(scopes::EMAIL).is_ok() {
            data["email"] = user.email.into();
        }
        if may_see_keys {
            let keys = app.accounts.api_keys_of(&user.id)?;
            data["api_key_id"] = current(&principal, &keys).map(|key| key.record.id()).into();
            data["api_keys"] = keys.iter().map(description).collect();
        }
        let meta = json!({"authenticated_by": principal.kind().as_str(), "scope": principal_scope(&principal)});
        Ok(Json(json!({"data": data, "meta": meta})))
    })
    .await
}

/// Whether it is a credential of the user's own that may manage keys, or that was had for the password.
fn sees_keys(app: &App, principal: &Principal, user_id: &str) -> Result<bool, Problem> {
    if require_own(principal).is_err() {
        return Ok(false);
    }
    Ok(principal.require_scope(scopes::MANAGE_API_KEYS).is_ok() || app.maker(principal, user_id)?.is_none())
}

/// `POST /api/v2/profile/api-key`: a new key in the place of the current one, which stops working at once. The current one
/// is the one presented, or that of which the session presented was made, otherwise the newest; without any, the first is made.
pub(super) async fn rotate_api_key(State(app): State<Arc<App>>, caller: UserCaller) -> Result<Response, Problem> {
    let UserCaller { principal, user_id } = caller;
    require_own(&principal)?;
    let new = app
        .blocking(move |app| {
            let keys = app.accounts.api_keys_of(&user_id)?;
            // What ends with a key does not get hold of one that does not.
            let maker = app.maker(&principal, &user_id)?;
            let Some(old) = maker.as_ref().or_else(|| current(&principal, &keys)) else {
                return Ok(app.accounts.add_api_key(&user_id, FIRST_KEY_NAME, &principal_scope(&principal), None)?);
            };
            // Whoever gets the new key gets its scopes: no more than the caller has.
            let granted: Vec<&str> = old.record.scopes().iter().collect();
            require_granted(&principal, &granted)?;
            Ok::<_, Problem>(app.accounts.rotate_api_key(old)?)
        })
        .await?;
    Ok(secret_answer(&new))
}

/// `POST /api/v2/profile/password`: another password, for whoever knows the present one. Every login and token of the user ends, that of the
/// caller too.
pub(super) async fn set_password(
    State(app): State<Arc<App>>,
    caller: UserCaller,
    client: ClientAddress,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<StatusCode, Problem> {
    app.require_control(&caller).await?;
    let PasswordBody { password: Passwords { current, new } } = json::read(&headers, &json::body(body)?, None)?;
    let (current, new) = (Zeroizing::new(current), Zeroizing::new(new));
    let user = app.accounts.store.user_by_id(&caller.user_id).await?.ok_or(Problem::NotFound)?;
    let attempt = Attempt { email: &user.email, password: current, from: client.counted(), device: None };
    let user = app.login.check(attempt).await?;
    app.blocking(move |app| Ok::<_, Problem>(app.accounts.set_password(&user.id, &new)?)).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PasswordBody {
    password: Passwords,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Passwords {
    current: String,
    new: String,
}

fn current<'k>(principal: &Principal, keys: &'k [StoredKey]) -> Option<&'k StoredKey> {
    if principal.kind() == PrincipalKind::ApiKey {
        keys.iter().find(|key| principal.credential_id() == Some(key.record.id()))
    } else {
        // What an administrator has disabled stays so: it is not replaced by one that works.
        keys.iter().find(|key| key.record.state() == KeyState::Active)
    }
}

fn principal_scope(principal: &Principal) -> String {
    principal.scopes().iter().collect::<Vec<_>>().join(" ")
}
