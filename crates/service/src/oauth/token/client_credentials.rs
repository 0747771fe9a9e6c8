use super::{answer, issue};
use crate::app::App;
use crate::confirmation::Confirmation;
use crate::form::Form;
use crate::ids::now;
use crate::oauth::client_auth::AuthenticatedClient;
use crate::oauth::error::OAuthError;
use crate::scope;
use crate::tokens::Grant;
use axum::response::Response;
use std::sync::Arc;
use tollgate_storage::GrantType;

/// RFC 6749 section 4.4.2: the client speaks for itself, and gets no refresh token (section 4.4.3).
pub(super) async fn token(
    app: &Arc<App>,
    client: &AuthenticatedClient,
    form: &Form<'_>,
    confirmation: Confirmation,
) -> Result<Response, OAuthError> {
    client.require(GrantType::ClientCredentials)?;
    let scope = scope::narrow(form.value("scope"), &client.scopes).ok_or(OAuthError::InvalidScope)?;
    if app.tokens.are_jwts() {
        // Nothing of this blocks, and a token that reaches nobody needs no revocation: nobody has it.
        let grant = Grant { scope: &scope, confirmation, ..Grant::of(&client.id, &client.id) };
        let minted = app.tokens.jwt(&grant, now()).await?;
        return Ok(answer(&grant, &minted, None, None));
    }
    let client_id = client.id.clone();
    app.blocking(move |app| {
        let grant = Grant { scope: &scope, confirmation, ..Grant::of(&client_id, &client_id) };
        issue(app, &grant, None, None)
    })
    .await
}
