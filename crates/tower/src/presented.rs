use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName, HeaderValue, request};
use tollgate::Rejection;

/// The one credential of a request, unread.
pub(crate) enum Presented<'r> {
    Authorization(&'r HeaderValue),
    ApiKey(&'r HeaderValue),
    Nothing,
}

impl<'r> Presented<'r> {
    /// RFC 6750 section 2: "Clients MUST NOT use more than one method to transmit the token in each request."
    pub(crate) fn find(request: &'r request::Parts, api_key_header: Option<&HeaderName>) -> Result<Self, Rejection> {
        let authorization = only(&request.headers, &AUTHORIZATION)?;
        let api_key = api_key_header.map_or(Ok(None), |name| only(&request.headers, name))?;
        let presented = match (authorization, api_key) {
            (Some(_), Some(_)) => return Err(Rejection::MultipleCredentials),
            (Some(value), None) => Presented::Authorization(value),
            (None, Some(value)) => Presented::ApiKey(value),
            (None, None) => return Ok(Presented::Nothing),
        };
        if request.uri.query().is_some_and(has_access_token) {
            return Err(Rejection::MultipleCredentials);
        }
        Ok(presented)
    }
}

/// The value of the field `name`; two fields are not joined, as neither a token nor an API key is a list.
fn only<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Result<Option<&'h HeaderValue>, Rejection> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (_, Some(_)) => Err(Rejection::MultipleCredentials),
        (value, None) => Ok(value),
    }
}

/// RFC 6750 section 2.3, the name decoded as a handler would.
fn has_access_token(query: &str) -> bool {
    form_urlencoded::parse(query.as_bytes()).any(|(name, _)| name == "access_token")
}
