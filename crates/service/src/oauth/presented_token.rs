use super::error::OAuthError;
use crate::app::App;
use tollgate::{AcceptedCredentials, Principal, PrincipalKind, Request};

/// What the engine says of an access token that a client was issued; `None` when it is not accepted. A session token is none.
pub(super) fn access_token(app: &App, token: &str) -> Result<Option<Principal>, OAuthError> {
    let accepted = AcceptedCredentials::only([PrincipalKind::Jwt, PrincipalKind::AccessToken]);
    match app.engine.verify_request(&Request::new().token(token).accept(accepted)) {
        Ok(principal) => Ok(Some(principal).filter(|principal| principal.client_id().is_some())),
        // The store is stale: nothing can be said about the token.
        Err(rejection) => {
            rejection.retry_after().map_or(Ok(None), |seconds| Err(OAuthError::TemporarilyUnavailable(seconds)))
        }
    }
}
