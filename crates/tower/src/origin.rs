//! Selects the public origin of a request. Fields from clients or proxies only select one of the configured
//! origins: an attacker's proofs of possession are for the attacker's origin.

use http::{HeaderMap, request};
use tollgate::{ForwardedField, PublicOrigin, TrustedProxies};

use crate::client_address::peer_address;

/// The one of `origins` that a request is for, by its `Host` or the fields of a trusted proxy. `None` without origins, or
/// if the request is for none of several.
///
/// [`AuthLayer`](crate::AuthLayer) calls this. A server that verifies DPoP proofs itself
/// ([`Engine::verify_proof`](tollgate::Engine::verify_proof)) needs it too, if clients reach it at several origins.
#[must_use]
pub fn public_origin<'o>(
    origins: &'o [PublicOrigin],
    request: &request::Parts,
    proxies: &TrustedProxies,
) -> Option<&'o PublicOrigin> {
    if let [only] = origins {
        return Some(only);
    }
    let Named { authority, scheme } = Named::of(request, proxies);
    let authority = authority?;
    let mut found = origins.iter().filter(|origin| origin.has_authority(authority));
    match scheme.map(|scheme| scheme.eq_ignore_ascii_case("https")) {
        Some(is_https) => found.find(|origin| origin.is_https() == is_https),
        // https, if the host has both.
        None => found.max_by_key(|origin| origin.is_https()),
    }
}

/// The scheme and host in a request.
#[derive(Default)]
struct Named<'r> {
    authority: Option<&'r str>,
    scheme: Option<&'r str>,
}

impl<'r> Named<'r> {
    fn of(request: &'r request::Parts, proxies: &TrustedProxies) -> Self {
        let headers = &request.headers;
        let by_proxy = match proxies.field() {
            _ if !peer_address(&request.extensions).is_some_and(|peer| proxies.contain(peer)) => Named::default(),
            Some(ForwardedField::Forwarded) => Named::forwarded(headers),
            _ => Named { authority: last(headers, "x-forwarded-host"), scheme: last(headers, "x-forwarded-proto") },
        };
        let own = request.uri.authority().map(http::uri::Authority::as_str);
        Named {
            authority: by_proxy.authority.or(own).or_else(|| last(headers, "host")),
            scheme: by_proxy.scheme.or_else(|| request.uri.scheme_str()),
        }
    }

    /// The parameters of the last element (RFC 7239 section 4), which the nearest proxy has added.
    fn forwarded(headers: &'r HeaderMap) -> Self {
        let element = last(headers, "forwarded").unwrap_or_default();
        let value = |name: &str| {
            element.split(';').filter_map(|pair| pair.split_once('=')).find_map(|(other, value)| {
                other.trim().eq_ignore_ascii_case(name).then(|| value.trim().trim_matches('"'))
            })
        };
        Named { authority: value("host"), scheme: value("proto") }
    }
}

/// The last entry of a list over all its field lines.
fn last<'r>(headers: &'r HeaderMap, name: &str) -> Option<&'r str> {
    let line = headers.get_all(name).iter().next_back()?.to_str().ok()?;
    line.rsplit(',').next().map(str::trim)
}
