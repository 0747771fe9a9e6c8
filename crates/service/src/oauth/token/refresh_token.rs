use super::issue;
use crate::app::App;
use crate::confirmation::Confirmation;
use crate::form::Form;
use crate::limits::REFRESH_RETRY_AFTER_SECONDS;
use crate::oauth::client_auth::AuthenticatedClient;
use crate::oauth::error::OAuthError;
use crate::refresh_tokens::{ArrivedRefreshToken, Exchanged};
use crate::revocations;
use crate::tokens::Grant;
use axum::response::Response;
use std::sync::Arc;
use tollgate_storage::GrantType;
use tollgate_storage::accounts::Refresh;

/// RFC 6749 section 6: an access token with the scope of the grant or less of it, and the next refresh token.
pub(super) async fn token(
    app: &Arc<App>,
    client: &AuthenticatedClient,
    form: &Form<'_>,
    confirmation: Confirmation,
) -> Result<Response, OAuthError> {
    client.require(GrantType::RefreshToken)?;
    let token = form.value("refresh_token").ok_or(OAuthError::InvalidRequest("refresh_token is missing"))?;
    let arrived = ArrivedRefreshToken {
        token: token.to_owned().into(),
        client_id: client.id.clone(),
        scope: form.value("scope").map(str::to_owned),
        confirmation,
        is_authenticated: !client.is_public,
    };
    app.blocking(move |app| refresh(app, &arrived)).await
}

fn refresh(app: &App, arrived: &ArrivedRefreshToken) -> Result<Response, OAuthError> {
    let (family, _) = app.refresh_family(&arrived.token, &arrived.client_id)?.ok_or(UNKNOWN)?;
    let Exchanged { family, scope, successor, token_id } = app.exchange(arrived, &family)?.map_err(refused)?;
    let grant = Grant {
        client_id: &family.client_id,
        subject: &family.user_id,
        scope: &scope,
        token_id: Some(&token_id),
        session_id: Some(&family.session_id),
        ends_at: Some(family.ends_at),
        authenticated_at: Some(family.authenticated_at),
        confirmation: arrived.confirmation,
    };
    // The ID token has no nonce (OpenID Connect Core 1.0 section 12.2).
    let answer = issue(app, &grant, None, Some(&successor))?;
    // Whoever revokes all that a user, a client or a session was granted writes that down; this token is made first and then looks for it.
    if revocations::concern(&app.accounts.keys, &app.origin, &grant, family.created_at)? {
        app.end_refresh_family(&family)?;
        return Err(ENDED);
    }
    Ok(answer)
}

fn refused(refresh: Refresh) -> OAuthError {
    match refresh {
        Refresh::Reused(_) => OAuthError::InvalidGrant("the refresh token was used before; its grant has ended"),
        Refresh::Expired => OAuthError::InvalidGrant("the refresh token has expired"),
        Refresh::Ended => ENDED,
        Refresh::OtherKey => OAuthError::InvalidGrant("the refresh token is bound to another key or certificate"),
        Refresh::TooWide => OAuthError::InvalidScope,
        Refresh::TooMany => OAuthError::TemporarilyUnavailable(REFRESH_RETRY_AFTER_SECONDS),
        Refresh::Rotated(_) | Refresh::Again(_) | Refresh::Unknown => UNKNOWN,
    }
}

const ENDED: OAuthError = OAuthError::InvalidGrant("the grant of the refresh token has ended");
const UNKNOWN: OAuthError = OAuthError::InvalidGrant("unknown refresh token");
