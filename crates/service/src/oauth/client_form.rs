use super::client_auth::{AuthenticatedClient, authenticate};
use super::error::OAuthError;
use super::request::is_own_resource;
use crate::app::App;
use crate::form::{Form, FormError};
use crate::json;
use crate::sender::Sender;
use axum::RequestExt;
use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use std::sync::Arc;

/// The form that a client sends to an endpoint of its own (RFC 6749 section 3.2, RFC 9126 section 2.1), and what it authenticates with
/// beside the form.
pub(crate) struct ClientForm {
    pub(super) form: Form<'static>,
    pub(super) headers: HeaderMap,
    pub(super) sender: Sender,
}

impl ClientForm {
    pub(crate) fn read(sender: Sender, headers: HeaderMap, body: &[u8]) -> Result<Self, OAuthError> {
        if !json::has_media_type(&headers, "application/x-www-form-urlencoded") {
            return Err(OAuthError::InvalidRequest("send a form: Content-Type: application/x-www-form-urlencoded"));
        }
        let form = Form::parse(body).map_err(|error| match error {
            FormError::Repeated => OAuthError::InvalidRequest("a parameter is repeated"),
            FormError::NotText => OAuthError::InvalidRequest("a parameter is not UTF-8 text"),
            FormError::TooMany => OAuthError::InvalidRequest("there are too many parameters"),
        })?;
        Ok(Self { form: form.into_owned(), headers, sender })
    }

    /// The client, once it has shown who it is.
    pub(super) async fn authenticate(&self, app: &App) -> Result<AuthenticatedClient, OAuthError> {
        authenticate(app, &self.headers, &self.form, &self.sender).await
    }

    /// Passes when every `resource` is this service (RFC 8707 section 2).
    pub(super) fn require_own_resources(&self, app: &App) -> Result<(), OAuthError> {
        let are_own = self.form.resources().all(|resource| is_own_resource(resource, &app.origin));
        if are_own { Ok(()) } else { Err(OAuthError::InvalidTarget) }
    }
}

impl FromRequest<Arc<App>> for ClientForm {
    type Rejection = Response;

    async fn from_request(mut request: Request, app: &Arc<App>) -> Result<Self, Response> {
        let sender = request.extract_parts_with_state(app).await.map_err(IntoResponse::into_response)?;
        let headers = request.headers().clone();
        let body = json::body(Bytes::from_request(request, app).await).map_err(IntoResponse::into_response)?;
        Self::read(sender, headers, &body).map_err(IntoResponse::into_response)
    }
}
