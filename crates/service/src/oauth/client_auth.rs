mod assertion;
mod certificate;

use super::error::OAuthError;
use crate::app::App;
use crate::form::Form;
use crate::sender::Sender;
use axum::http::{HeaderMap, header};
use std::sync::Arc;
use tollgate::{AcceptedCredentials, PrincipalKind, Request};
use tollgate_storage::{Client, ClientAuthMethod, GrantType};

/// A client that has shown who it is, by the method that it is registered for.
pub(super) struct AuthenticatedClient {
    pub(super) id: String,
    /// What it may do itself.
    pub(super) scopes: String,
    /// Whether it has shown nothing but its id.
    pub(super) is_public: bool,
    grants: Vec<GrantType>,
    /// Whether it gets only tokens that are bound to its key.
    pub(super) is_dpop_bound: bool,
    /// Whether it gets only tokens that are bound to its certificate.
    pub(super) is_certificate_bound: bool,
}

impl AuthenticatedClient {
    /// One that has authenticated without a secret, which would have scopes of its own.
    fn of(client: &Client) -> Self {
        let settings = client.settings();
        Self {
            id: client.id().to_owned(),
            scopes: client.scopes().to_owned(),
            is_public: client.is_public(),
            grants: settings.grants.clone(),
            is_dpop_bound: settings.is_dpop_bound,
            is_certificate_bound: settings.is_certificate_bound,
        }
    }

    /// What is registered of it. A secret whose client is not registered here speaks for itself, and for no user.
    pub(super) fn registered(&self, app: &App) -> Result<Arc<Client>, OAuthError> {
        app.accounts.keys.client(&self.id)?.ok_or(OAuthError::UnauthorizedClient)
    }

    /// Passes when it is registered for that grant.
    pub(super) fn require(&self, grant: GrantType) -> Result<(), OAuthError> {
        if self.grants.contains(&grant) { Ok(()) } else { Err(OAuthError::UnauthorizedClient) }
    }
}

/// The client that calls the token endpoint: by Basic or by the form's `client_id` and `client_secret` (RFC 6749 section 2.3.1), which the
/// engine verifies; by an assertion (RFC 7523); by its `client_id` and its certificate (RFC 8705); a public one by its `client_id` alone,
/// since the code that it presents is bound to a verifier that it alone has.
pub(super) async fn authenticate(
    app: &App,
    headers: &HeaderMap,
    form: &Form<'_>,
    sender: &Sender,
) -> Result<AuthenticatedClient, OAuthError> {
    let by_assertion = ["client_assertion", "client_assertion_type"].iter().any(|name| form.value(name).is_some());
    let mut authorizations = headers.get_all(header::AUTHORIZATION).iter();
    let (authorization, further) = (authorizations.next(), authorizations.next());
    let secret = form.value("client_secret");
    if by_assertion {
        // RFC 6749 section 2.3: not "more than one authentication method in each request".
        return match (authorization, secret) {
            (None, None) => assertion::authenticate(app, form).await.map(|client| AuthenticatedClient::of(&client)),
            _ => Err(OAuthError::InvalidRequest("authenticate in one way")),
        };
    }
    let (request, method) = match (authorization, secret) {
        (Some(_), Some(_)) => return Err(OAuthError::InvalidRequest("authenticate in one way")),
        (Some(_), None) if further.is_some() => return Err(OAuthError::InvalidRequest("authenticate once")),
        (Some(value), None) => (Request::new().authorization(value.as_bytes()), ClientAuthMethod::ClientSecretBasic),
        (None, Some(secret)) => {
            let client_id = form.value("client_id").ok_or(OAuthError::InvalidRequest("client_id is missing"))?;
            (Request::new().client(client_id, secret), ClientAuthMethod::ClientSecretPost)
        }
        (None, None) => {
            let client_id = form.value("client_id").ok_or(OAuthError::InvalidClient)?;
            return without_secret(app, client_id, sender).map(|client| AuthenticatedClient::of(&client));
        }
    };
    let clients_alone = AcceptedCredentials::only([PrincipalKind::Client]);
    let request = request.address(sender.address.known()).accept(clients_alone);
    let principal = app.engine.verify_request(&request).map_err(|rejection| {
        tracing::info!(code = rejection.code(), detail = %rejection, "client rejected");
        rejection.retry_after().map_or(OAuthError::InvalidClient, OAuthError::TemporarilyUnavailable)
    })?;
    let id = principal.client_id().ok_or(OAuthError::InvalidClient)?.to_owned();
    if form.value("client_id").is_some_and(|in_form| in_form != id) {
        return Err(OAuthError::InvalidRequest("client_id is another than that of the credentials"));
    }
    let scopes = principal.scopes().iter().collect::<Vec<_>>().join(" ");
    // A secret whose client is not registered here speaks for itself alone.
    let Some(client) = app.accounts.keys.client(&id)? else {
        return Ok(AuthenticatedClient {
            id,
            scopes,
            is_public: false,
            grants: vec![GrantType::ClientCredentials],
            is_dpop_bound: false,
            is_certificate_bound: false,
        });
    };
    let settings = client.settings();
    let is_registered = settings.auth_method == ClientAuthMethod::ClientSecret || settings.auth_method == method;
    if settings.is_disabled || !is_registered {
        tracing::info!(client_id = ?id, "client rejected: disabled, or not registered for that method");
        return Err(OAuthError::InvalidClient);
    }
    Ok(AuthenticatedClient { id, scopes, ..AuthenticatedClient::of(&client) })
}

/// A client that has sent nothing but its id: a public one, or one whose certificate says the rest.
fn without_secret(app: &App, client_id: &str, sender: &Sender) -> Result<Arc<Client>, OAuthError> {
    let client = active(app, client_id)?;
    if !client.is_public() {
        certificate::authenticate(app, &client, sender)?;
    }
    Ok(client)
}

/// The client of that id, if it is not disabled.
fn active(app: &App, client_id: &str) -> Result<Arc<Client>, OAuthError> {
    let client = app.accounts.keys.client(client_id)?;
    client.filter(|client| !client.settings().is_disabled).ok_or(OAuthError::InvalidClient)
}
