use super::{UserGrant, issue_first};
use crate::app::App;
use crate::confirmation::Confirmation;
use crate::form::Form;
use crate::ids::{digest, now};
use crate::oauth::client_auth::AuthenticatedClient;
use crate::oauth::error::OAuthError;
use crate::revocations;
use crate::tokens::Grant;
use axum::response::Response;
use std::sync::Arc;
use tollgate_storage::GrantType;
use tollgate_storage::accounts::{DeviceApproval, DeviceAuthorization, DevicePoll, LoginSession};

/// RFC 8628 section 3.4: a device code, for tokens of the user who has approved it, once.
pub(super) async fn token(
    app: &Arc<App>,
    client: AuthenticatedClient,
    form: &Form<'_>,
    confirmation: Confirmation,
) -> Result<Response, OAuthError> {
    client.require(GrantType::DeviceCode)?;
    let device_code = form.value("device_code").ok_or(OAuthError::InvalidRequest("device_code is missing"))?;
    let device_digest = digest(device_code);
    app.blocking(move |app| {
        let (authorization, approval, session) = app.poll_device(&device_digest, &client.id)?;
        let (token_id, scope) = (approval.token_id.as_str(), authorization.scope.as_str());
        let grant = UserGrant { token_id, scope, session: &session, nonce: None, confirmation };
        issue_first(app, &client, grant)?.ok_or(OAuthError::AccessDenied)
    })
    .await
}

type Approved = (Box<DeviceAuthorization>, DeviceApproval, LoginSession);

impl App {
    /// What the user has approved, which is used up by that. Waits for the disk.
    fn poll_device(&self, device_digest: &[u8; 32], client_id: &str) -> Result<Approved, OAuthError> {
        let (keys, store, now) = (&self.accounts.keys, &self.accounts.store, now());
        let (authorization, approval) =
            match keys.wait(store.poll_device_authorization(device_digest, client_id, now))? {
                DevicePoll::First(authorization, approval) => (authorization, approval),
                DevicePoll::Pending => return Err(OAuthError::AuthorizationPending),
                DevicePoll::TooSoon => return Err(OAuthError::SlowDown),
                DevicePoll::Denied => return Err(OAuthError::AccessDenied),
                DevicePoll::Expired => return Err(OAuthError::ExpiredToken),
                DevicePoll::Used => return Err(OAuthError::InvalidGrant("the device code was used before")),
                DevicePoll::Unknown => return Err(OAuthError::InvalidGrant("unknown device code")),
            };
        let DeviceApproval { user_id, session_id, .. } = &approval;
        let sessions = keys.wait(store.login_sessions_of(user_id, now))?;
        let session = sessions.into_iter().find(|session| session.id == *session_id);
        let grant = Grant { session_id: Some(session_id), ..Grant::of(client_id, user_id) };
        let is_revoked = revocations::concern(keys, &self.origin, &grant, authorization.created_at)?;
        // Whoever revokes a consent does that first and then ends codes and their tokens; this one is used up first and then looks for the
        // consent. So one of the two sees the other.
        let client = keys.client(client_id)?;
        let lacks_consent = match &client {
            Some(client) => self.lacks_consent(user_id, client, &authorization.scope)?,
            None => true,
        };
        let approved = session.filter(|_| !is_revoked && !lacks_consent);
        approved.map(|session| (authorization, approval, session)).ok_or(OAuthError::AccessDenied)
    }
}
