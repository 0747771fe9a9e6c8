use super::client_auth::AuthenticatedClient;
use super::client_form::ClientForm;
use super::error::OAuthError;
use super::presented_token::access_token;
use crate::app::App;
use crate::confirmation::{cnf, token_type};
use crate::ids::now;
use crate::json::NOT_STORED;
use crate::routes::scopes::INTROSPECT;
use crate::scope;
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};
use std::sync::Arc;
use tollgate::Examined;
use tollgate_storage::accounts::RefreshFamily;
use zeroize::Zeroizing;

/// `POST /oauth/v2/introspect` (RFC 7662), for clients that authenticate: each may ask about its own tokens, one that has the scope
/// `introspect` itself, a resource server, about the access tokens of all clients.
///
/// Whatever is no active token, or a token that the client may not ask about, is `{"active": false}` and nothing more (section 2.2).
pub(crate) async fn introspect(State(app): State<Arc<App>>, request: ClientForm) -> Result<Response, OAuthError> {
    let client = request.authenticate(&app).await?;
    // Anybody can send the id of a public client (section 2.1: "the endpoint MUST also require some form of authorization").
    if client.is_public {
        return Err(OAuthError::InvalidClient);
    }
    let token = request.form.value("token").ok_or(OAuthError::InvalidRequest("token is missing"))?;
    let token = Zeroizing::new(token.to_owned());
    let active = app.blocking(move |app| active(app, &client, &token)).await?;
    Ok((NOT_STORED, Json(active.unwrap_or_else(|| json!({"active": false})))).into_response())
}

fn active(app: &App, client: &AuthenticatedClient, token: &str) -> Result<Option<Value>, OAuthError> {
    if let Some((family, number)) = app.refresh_family(token, &client.id)? {
        let is_active = app.is_active(&family, number, now())?;
        return Ok(is_active.then(|| of_refresh_token(app, &family)));
    }
    let may_see =
        |token: &Examined| token.client_id() == Some(&client.id) || scope::contains(&client.scopes, INTROSPECT);
    Ok(access_token(app, token)?.filter(may_see).map(|token| of_access_token(app, &token)))
}

fn of_access_token(app: &App, token: &Examined) -> Value {
    let mut members = Map::new();
    let mut add = |name: &str, value: Value| {
        if !value.is_null() {
            members.insert(name.to_owned(), value);
        }
    };
    add("active", true.into());
    add("token_type", token_type(token.confirmation_methods()).into());
    add("scope", token.scopes().iter().collect::<Vec<_>>().join(" ").into());
    add("client_id", token.client_id().into());
    add("sub", token.subject().into());
    // Opaque tokens too are for this service.
    add("aud", app.origin.as_str().into());
    add("iss", app.origin.as_str().into());
    add("exp", token.expires_at().into());
    add("iat", token.issued_at().into());
    add("nbf", token.not_before().into());
    add("jti", token.credential_id().into());
    add("sid", token.session_id().into());
    // RFC 9449 section 6.2, RFC 8705 section 3.2: so that a resource server can check the sender.
    add("cnf", cnf(token.confirmation_methods()).into());
    members.into()
}

fn of_refresh_token(app: &App, family: &RefreshFamily) -> Value {
    json!({
        "active": true,
        "scope": family.scope,
        "client_id": family.client_id,
        "sub": family.user_id,
        "iss": app.origin,
        "exp": family.expires_at.min(family.ends_at),
        "iat": family.rotated_at,
        "sid": family.session_id,
    })
}
