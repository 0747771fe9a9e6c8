//! DPoP at the endpoints that clients call (RFC 9449 section 5): the key that a token is to be bound to.

use super::client_auth::AuthenticatedClient;
use super::error::OAuthError;
use crate::app::App;
use axum::http::HeaderMap;
use tollgate::jwt::base64url;
use tollgate::{Algorithm, Request};

/// What proofs may be signed with, here and at the API.
pub(crate) const ALGORITHMS: [Algorithm; 4] = [Algorithm::ES256, Algorithm::EdDSA, Algorithm::PS256, Algorithm::RS256];

/// The thumbprint of the key whose proof is sent with a POST to `path`, which spends the proof; `None` without a proof.
pub(super) fn thumbprint(app: &App, headers: &HeaderMap, path: &str) -> Result<Option<String>, OAuthError> {
    let mut proofs = headers.get_all("dpop").iter().peekable();
    if proofs.peek().is_none() {
        return Ok(None);
    }
    if !app.tokens.can_be_bound() {
        return Err(OAuthError::InvalidRequest("opaque access tokens cannot be bound to a key"));
    }
    let mut request = Request::new().method("POST").uri_of(&app.origin, path);
    for proof in proofs {
        request = request.proof(proof.as_bytes());
    }
    let thumbprint = app.engine.verify_proof(&request).map_err(|rejection| {
        tracing::info!(code = rejection.code(), detail = %rejection, "DPoP proof rejected");
        let refused = OAuthError::InvalidDpopProof("the DPoP proof is not accepted");
        rejection.retry_after().map_or(refused, OAuthError::TemporarilyUnavailable)
    })?;
    Ok(Some(base64url::encode(thumbprint)))
}

/// As [`thumbprint`], at the token endpoint: a client that gets only bound tokens has to send a proof (section 5.2).
pub(super) fn of_token(
    app: &App,
    headers: &HeaderMap,
    client: &AuthenticatedClient,
) -> Result<Option<String>, OAuthError> {
    match thumbprint(app, headers, "/oauth/v2/token")? {
        None if client.is_dpop_bound => {
            Err(OAuthError::InvalidDpopProof("the client gets no token without a DPoP proof"))
        }
        thumbprint => Ok(thumbprint),
    }
}
