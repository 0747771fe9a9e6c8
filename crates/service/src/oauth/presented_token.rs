use super::error::OAuthError;
use crate::app::App;
use tollgate::Examined;

/// What the engine says of an access token that a client was issued; `None` when it is not valid. A session token is none. The client that
/// asks need not be able to use the token: of one that is bound to a key it has no proof.
pub(super) fn access_token(app: &App, token: &str) -> Result<Option<Examined>, OAuthError> {
    match app.engine.examine(token) {
        Ok(examined) => Ok(Some(examined).filter(|examined| examined.client_id().is_some())),
        // The store is stale: nothing can be said about the token.
        Err(rejection) => {
            rejection.retry_after().map_or(Ok(None), |seconds| Err(OAuthError::TemporarilyUnavailable(seconds)))
        }
    }
}
