use super::error::OAuthError;
use crate::form::{Form, FormError};
use crate::json::has_media_type;
use axum::http::HeaderMap;

/// The form that a client sends to an endpoint of its own (RFC 6749 section 3.2, RFC 9126 section 2.1).
pub(super) fn read<'b>(headers: &HeaderMap, body: &'b [u8]) -> Result<Form<'b>, OAuthError> {
    if !has_media_type(headers, "application/x-www-form-urlencoded") {
        return Err(OAuthError::InvalidRequest("send a form: Content-Type: application/x-www-form-urlencoded"));
    }
    Form::parse(body).map_err(|error| match error {
        FormError::Repeated => OAuthError::InvalidRequest("a parameter is repeated"),
        FormError::NotText => OAuthError::InvalidRequest("a parameter is not UTF-8 text"),
        FormError::TooMany => OAuthError::InvalidRequest("there are too many parameters"),
    })
}
