use http::header::AUTHORIZATION;
use http::{HeaderName, request};
use tollgate::{Rejection, Request};

/// The request with its credential, unread; `None` where it has none.
///
/// RFC 6750 section 2: "Clients MUST NOT use more than one method to transmit the token in each request." A credential in the
/// query is none by itself, but another beside one in a header.
pub(crate) fn presented<'r>(
    request: &'r request::Parts,
    api_key_header: Option<&HeaderName>,
) -> Result<Option<Request<'r>>, Rejection> {
    let headers = &request.headers;
    let api_key_header = api_key_header.filter(|name| headers.contains_key(*name));
    if !headers.contains_key(AUTHORIZATION) && api_key_header.is_none() {
        return Ok(None);
    }
    if request.uri.query().is_some_and(has_access_token) {
        return Err(Rejection::MultipleCredentials);
    }
    let authorizations = headers.get_all(AUTHORIZATION).into_iter();
    let api_keys = api_key_header.into_iter().flat_map(|name| headers.get_all(name));
    let presented = authorizations.fold(Request::new(), Request::authorization);
    Ok(Some(api_keys.fold(presented, Request::api_key)))
}

/// RFC 6750 section 2.3, the name decoded as a handler would.
fn has_access_token(query: &str) -> bool {
    form_urlencoded::parse(query.as_bytes()).any(|(name, _)| name == "access_token")
}
