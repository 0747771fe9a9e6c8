use super::{issue, refresh_token};
use crate::app::App;
use crate::form::Form;
use crate::ids::{digest, now};
use crate::oauth::client_auth::AuthenticatedClient;
use crate::oauth::error::OAuthError;
use crate::problem::Problem;
use crate::refresh_tokens::RefreshGrant;
use crate::revocations;
use crate::tokens::Grant;
use axum::response::Response;
use std::sync::Arc;
use tollgate_storage::GrantType;
use tollgate_storage::accounts::{DeviceApproval, DeviceAuthorization, DevicePoll, LoginSession};

/// RFC 8628 section 3.4: a device code, for tokens of the user who has approved it, once.
pub(super) async fn token(
    app: &Arc<App>,
    client: &AuthenticatedClient,
    form: &Form<'_>,
    jkt: Option<String>,
) -> Result<Response, OAuthError> {
    client.require(GrantType::DeviceCode)?;
    let device_code = form.value("device_code").ok_or(OAuthError::InvalidRequest("device_code is missing"))?;
    let (device_digest, client_id) = (digest(device_code), client.id.clone());
    let polled = app.blocking(move |app| app.poll_device(&device_digest, &client_id)).await?;
    let (authorization, approval, session) = polled?;
    let client_id = client.id.clone();
    let has_refresh_tokens = client.require(GrantType::RefreshToken).is_ok();
    // Those of other clients are bound to what the client authenticates with (RFC 9449 section 5).
    let refresh_jkt = jkt.clone().filter(|_| client.is_public);
    app.blocking(move |app| {
        let refresh_token = if has_refresh_tokens {
            let (token_id, scope) = (approval.token_id.as_str(), authorization.scope.as_str());
            let grant = RefreshGrant { token_id, client_id: &client_id, scope, session: &session, jkt: refresh_jkt };
            Some(refresh_token(app, grant)?.ok_or(OAuthError::AccessDenied)?)
        } else {
            None
        };
        let grant = Grant {
            client_id: &client_id,
            subject: &approval.user_id,
            scope: &authorization.scope,
            token_id: Some(&approval.token_id),
            session_id: Some(&session.id),
            ends_at: Some(session.expires_at),
            authenticated_at: Some(session.authenticated_at),
            jkt: jkt.as_deref(),
        };
        issue(app, &grant, None, refresh_token.as_ref())
    })
    .await
}

type Approved = (Box<DeviceAuthorization>, DeviceApproval, LoginSession);

impl App {
    /// What the user has approved, which is used up by that. Waits for the disk.
    fn poll_device(&self, device_digest: &[u8; 32], client_id: &str) -> Result<Result<Approved, OAuthError>, Problem> {
        let (keys, store, now) = (&self.accounts.keys, &self.accounts.store, now());
        let (authorization, approval) =
            match keys.wait(store.poll_device_authorization(device_digest, client_id, now))? {
                DevicePoll::First(authorization, approval) => (authorization, approval),
                DevicePoll::Pending => return Ok(Err(OAuthError::AuthorizationPending)),
                DevicePoll::TooSoon => return Ok(Err(OAuthError::SlowDown)),
                DevicePoll::Denied => return Ok(Err(OAuthError::AccessDenied)),
                DevicePoll::Expired => return Ok(Err(OAuthError::ExpiredToken)),
                DevicePoll::Used => return Ok(Err(OAuthError::InvalidGrant("the device code was used before"))),
                DevicePoll::Unknown => return Ok(Err(OAuthError::InvalidGrant("unknown device code"))),
            };
        let DeviceApproval { user_id, session_id, .. } = &approval;
        let sessions = keys.wait(store.login_sessions_of(user_id, now))?;
        let session = sessions.into_iter().find(|session| session.id == *session_id);
        let grant = Grant { session_id: Some(session_id), ..Grant::of(client_id, user_id) };
        let is_revoked = revocations::concern(keys, &self.origin, &grant, authorization.created_at)?;
        // Whoever revokes a consent does that first and then ends codes and their tokens; this one is used up first and then looks for the
        // consent. So one of the two sees the other.
        let client = self.accounts.active_client(client_id)?;
        let lacks_consent = match &client {
            Some(client) => self.lacks_consent(user_id, client, &authorization.scope)?,
            None => true,
        };
        let approved = session.filter(|_| !is_revoked && !lacks_consent);
        Ok(approved.map(|session| (authorization, approval, session)).ok_or(OAuthError::AccessDenied))
    }
}
