use super::error::OAuthError;
use crate::app::App;
use crate::client_address::ClientAddress;
use crate::form::Form;
use axum::http::{HeaderMap, header};
use tollgate::{AcceptedCredentials, Principal, PrincipalKind, Request};

/// The client that calls the token endpoint, by Basic or by the form's `client_id` and `client_secret`
/// (RFC 6749 section 2.3.1). Both are verified by the engine.
pub(super) fn authenticate(
    app: &App,
    headers: &HeaderMap,
    form: &Form<'_>,
    address: ClientAddress,
) -> Result<Principal, OAuthError> {
    let mut authorizations = headers.get_all(header::AUTHORIZATION).iter();
    let (authorization, further) = (authorizations.next(), authorizations.next());
    let request = match (authorization, form.value("client_secret")) {
        (Some(_), Some(_)) => return Err(OAuthError::InvalidRequest("authenticate in one way")),
        (Some(_), None) if further.is_some() => return Err(OAuthError::InvalidRequest("authenticate once")),
        (Some(value), None) => Request::new().authorization(value.as_bytes()),
        (None, Some(secret)) => {
            let client_id = form.value("client_id").ok_or(OAuthError::InvalidRequest("client_id is missing"))?;
            Request::new().client(client_id, secret)
        }
        (None, None) => return Err(OAuthError::InvalidClient),
    };
    let clients_alone = AcceptedCredentials::only([PrincipalKind::Client]);
    let request = request.address(address.known()).accept(clients_alone);
    let principal = app.engine.verify_request(&request).map_err(|rejection| {
        tracing::info!(code = rejection.code(), detail = %rejection, "client rejected");
        rejection.retry_after().map_or(OAuthError::InvalidClient, OAuthError::TemporarilyUnavailable)
    })?;
    if form.value("client_id").is_some_and(|in_form| Some(in_form) != principal.client_id()) {
        return Err(OAuthError::InvalidRequest("client_id is another than that of the credentials"));
    }
    Ok(principal)
}
