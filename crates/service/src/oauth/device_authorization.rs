use super::client_form::ClientForm;
use super::error::OAuthError;
use super::request;
use super::user_code::{new_user_code, shown, user_digest};
use crate::app::App;
use crate::ids::{new_secret, now};
use crate::json::NOT_STORED;
use crate::limits::{
    DEVICE_CODE_TTL_SECONDS, DEVICE_POLL_SECONDS, MAX_DEVICE_AUTHORIZATIONS, MAX_DEVICE_AUTHORIZATIONS_PER_CLIENT,
    MAX_USER_CODE_COLLISIONS,
};
use crate::problem::Problem;
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde_json::json;
use std::sync::Arc;
use tollgate_storage::accounts::DeviceAuthorization;
use tollgate_storage::{GrantType, Refusal, StorageError};
use zeroize::Zeroizing;

/// `POST /oauth/v2/device_authorization` (RFC 8628 section 3.1): a code for the device, and one that its user types in elsewhere.
pub(crate) async fn authorize_device(State(app): State<Arc<App>>, request: ClientForm) -> Result<Response, OAuthError> {
    let client = request.authenticate(&app).await?;
    client.require(GrantType::DeviceCode)?;
    request.require_own_resources(&app)?;
    // A public client shows no more than its id, so that anybody could use its share up.
    let asked = app.device_throttle.request(request.sender.address.counted());
    asked.map_err(|wait| OAuthError::TemporarilyUnavailable(u32::try_from(wait.seconds).unwrap_or(u32::MAX)))?;
    let (client_id, requested) = (client.id.clone(), request.form.value("scope").map(str::to_owned));
    let codes = app.blocking(move |app| app.add_device_authorization(client_id, requested.as_deref())).await;
    let Codes { device_code, user_code } = codes??;
    let (origin, user_code) = (&app.origin, shown(&user_code));
    let body = json!({
        "device_code": *device_code,
        "user_code": user_code,
        "verification_uri": format!("{origin}/device"),
        "verification_uri_complete": format!("{origin}/device?user_code={user_code}"),
        "expires_in": DEVICE_CODE_TTL_SECONDS,
        "interval": DEVICE_POLL_SECONDS,
    });
    Ok((NOT_STORED, Json(body)).into_response())
}

struct Codes {
    device_code: Zeroizing<String>,
    user_code: Zeroizing<String>,
}

impl App {
    /// Writes a request down. Waits for the disk.
    fn add_device_authorization(
        &self,
        client_id: String,
        requested: Option<&str>,
    ) -> Result<Result<Codes, OAuthError>, Problem> {
        // Only a client that has authenticated comes here.
        let Some(client) = self.accounts.keys.client(&client_id)? else { return Ok(Err(OAuthError::InvalidClient)) };
        let Some(scope) = request::requested(requested, &client).filter(|scope| !scope.is_empty()) else {
            return Ok(Err(OAuthError::InvalidScope));
        };
        for _ in 0..MAX_USER_CODE_COLLISIONS {
            let ((device_code, device_digest), user_code) = (new_secret()?, Zeroizing::new(new_user_code()?));
            let created_at = now();
            let authorization = DeviceAuthorization {
                device_digest,
                user_digest: user_digest(&user_code),
                client_id: client_id.clone(),
                scope: scope.clone(),
                created_at,
                expires_at: created_at.saturating_add(DEVICE_CODE_TTL_SECONDS),
                interval: DEVICE_POLL_SECONDS,
                polled_at: None,
                decision: None,
            };
            let added = self.accounts.store.add_device_authorization(
                &authorization,
                MAX_DEVICE_AUTHORIZATIONS_PER_CLIENT,
                MAX_DEVICE_AUTHORIZATIONS,
                self.tokens.access_token_ttl(),
            );
            match self.accounts.keys.wait(added) {
                Ok(()) => return Ok(Ok(Codes { device_code, user_code })),
                // Another device has that user code now.
                Err(StorageError::Refused(Refusal::AlreadyExists { .. })) => {}
                Err(StorageError::Refused(Refusal::TooMany { .. })) => {
                    let busy = u32::try_from(DEVICE_CODE_TTL_SECONDS).unwrap_or(u32::MAX);
                    return Ok(Err(OAuthError::TemporarilyUnavailable(busy)));
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(Err(OAuthError::ServerError))
    }
}
