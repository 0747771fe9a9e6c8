use super::issue;
use crate::app::App;
use crate::form::Form;
use crate::oauth::client_auth::AuthenticatedClient;
use crate::oauth::error::OAuthError;
use crate::scope;
use axum::response::Response;
use std::sync::Arc;
use tollgate_storage::GrantType;

/// RFC 6749 section 4.4.2: the client speaks for itself.
pub(super) async fn token(
    app: &Arc<App>,
    client: &AuthenticatedClient,
    form: &Form<'_>,
    jkt: Option<String>,
) -> Result<Response, OAuthError> {
    client.require(GrantType::ClientCredentials)?;
    let granted = scope::narrow(form.value("scope"), &client.scopes).ok_or(OAuthError::InvalidScope)?;
    issue(app, client.id.clone(), client.id.clone(), granted, None, jkt).await
}
