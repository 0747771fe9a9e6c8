use crate::app::App;
use crate::auth::UserCaller;
use crate::problem::Problem;
use crate::routes::scopes;
use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};
use std::sync::Arc;

/// `GET` and `POST /oauth/v2/userinfo` (OpenID Connect Core 1.0 section 5.3): the claims that the access token's scopes let its client see.
/// `sub` is that of the ID token.
pub(crate) async fn userinfo(State(app): State<Arc<App>>, caller: UserCaller) -> Result<Json<Value>, Problem> {
    let UserCaller { principal, user_id } = caller;
    app.blocking(move |app| {
        let user = app.accounts.keys.wait(app.accounts.store.user_by_id(&user_id))?.ok_or(Problem::NotFound)?;
        let mut claims = json!({"sub": user.id});
        if principal.require_scope(scopes::EMAIL).is_ok() {
            claims["email"] = user.email.into();
            // Nobody has sent a message to it and waited for an answer (section 5.1).
            claims["email_verified"] = false.into();
        }
        Ok(Json(claims))
    })
    .await
}
