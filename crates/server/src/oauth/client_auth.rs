use super::error::OAuthError;
use crate::app::App;
use crate::client_address::ClientAddress;
use crate::form::{Form, decode_value};
use axum::http::{HeaderMap, header};
use base64_simd::STANDARD;
use tollgate::{AcceptedCredentials, Principal, PrincipalKind, Request};
use zeroize::Zeroizing;

/// The client that calls the token endpoint, by Basic or by the form's `client_id` and `client_secret`
/// (RFC 6749 section 2.3.1). Both end in
/// [`Engine::verify_request`](tollgate::Engine::verify_request) as Basic credentials.
pub(super) fn authenticate(
    app: &App,
    headers: &HeaderMap,
    form: &Form<'_>,
    address: ClientAddress,
) -> Result<Principal, OAuthError> {
    let mut authorizations = headers.get_all(header::AUTHORIZATION).iter();
    let (authorization, further) = (authorizations.next(), authorizations.next());
    let (client_id, secret) = match (authorization, form.value("client_secret")) {
        (Some(_), Some(_)) => return Err(OAuthError::InvalidRequest("authenticate in one way")),
        (Some(_), None) if further.is_some() => return Err(OAuthError::InvalidRequest("authenticate once")),
        (Some(value), None) => from_basic(value.as_bytes()).ok_or(OAuthError::InvalidClient)?,
        (None, Some(secret)) => {
            let client_id = form.value("client_id").ok_or(OAuthError::InvalidRequest("client_id is missing"))?;
            (client_id.to_owned(), Zeroizing::new(secret.to_owned()))
        }
        (None, None) => return Err(OAuthError::InvalidClient),
    };
    if form.value("client_id").is_some_and(|in_form| in_form != client_id) {
        return Err(OAuthError::InvalidRequest("client_id is another than that of the credentials"));
    }
    // A colon in the id would end it early when the engine splits the two again (RFC 7617 section 2).
    if client_id.contains(':') {
        return Err(OAuthError::InvalidClient);
    }
    let joined = Zeroizing::new(format!("{client_id}:{}", *secret));
    let header = Zeroizing::new(format!("Basic {}", STANDARD.encode_to_string(joined.as_bytes())));
    let clients_alone = AcceptedCredentials::only([PrincipalKind::Client]);
    let request = Request::new().authorization(header.as_bytes()).address(address.known()).accept(clients_alone);
    app.engine.verify_request(&request).map_err(|rejection| {
        tracing::debug!(code = rejection.code(), "client rejected: {rejection}");
        OAuthError::InvalidClient
    })
}

/// Id and secret of a Basic header, each form-encoded before they were joined. Ids and secrets of this service read the
/// same encoded and plain, so clients that skip the encoding are served too.
fn from_basic(header: &[u8]) -> Option<(String, Zeroizing<String>)> {
    let text = std::str::from_utf8(header).ok()?;
    let (scheme, encoded) = text.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = Zeroizing::new(STANDARD.decode_to_vec(encoded.trim_start_matches(' ')).ok()?);
    let (client_id, secret) = std::str::from_utf8(&decoded).ok()?.split_once(':')?;
    Some((decode_value(client_id)?, Zeroizing::new(decode_value(secret)?)))
}
