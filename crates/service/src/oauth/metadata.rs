use super::dpop::ALGORITHMS as DPOP_ALGORITHMS;
use super::id_token::ACR;
use crate::app::App;
use crate::keys::SIGNING_ALGORITHM;
use crate::routes::scopes;
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use std::sync::Arc;
use tollgate::Algorithm;
use tollgate::keys::KeyType;

/// `GET /.well-known/jwks.json`: the public keys (RFC 7517 section 5).
pub(crate) async fn jwks(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    let jwks = app.signing_keys.jwks();
    // Of the content, which is the same in each process, as a counter of changes would not be.
    let digest = ring::digest::digest(&ring::digest::SHA256, jwks.as_bytes());
    let tag = format!("\"{}\"", base16ct::lower::encode_string(&digest.as_ref()[..ETAG_BYTES]));
    let is_known = headers.get_all(header::IF_NONE_MATCH).iter().any(|tags| names(tags, &tag));
    let cached = [(header::ETAG, tag.as_str()), CACHED];
    if is_known {
        return (StatusCode::NOT_MODIFIED, cached).into_response();
    }
    (cached, [(header::CONTENT_TYPE, "application/jwk-set+json")], jwks.to_string()).into_response()
}

/// Whether a value of `If-None-Match` (RFC 9110 section 13.1.2) names that tag, or any.
fn names(tags: &HeaderValue, tag: &str) -> bool {
    let tags = tags.to_str().unwrap_or_default().split(',').map(str::trim);
    tags.map(|known| known.strip_prefix("W/").unwrap_or(known)).any(|known| known == tag || known == "*")
}

/// Of the digest of the keys: 16 bytes do not meet by chance.
const ETAG_BYTES: usize = 16;

/// `GET /.well-known/oauth-authorization-server` (RFC 8414).
pub(crate) async fn authorization_server(State(app): State<Arc<App>>) -> impl IntoResponse {
    ([CACHED], Json(metadata(&app)))
}

/// `GET /.well-known/openid-configuration` (OpenID Connect Discovery 1.0 section 4): the same members, since both are of one server.
pub(crate) async fn openid_configuration(State(app): State<Arc<App>>) -> impl IntoResponse {
    ([CACHED], Json(metadata(&app)))
}

fn metadata(app: &App) -> Value {
    let origin = &app.origin;
    let mut scopes: Vec<&str> = scopes::OF_IDENTITY.to_vec();
    scopes.extend(scopes::ALL.iter().filter(|scope| !scopes::OF_IDENTITY.contains(scope)));
    let mut confidential = vec!["client_secret_basic", "client_secret_post", "private_key_jwt"];
    if let Some(mutual_tls) = &app.mutual_tls {
        confidential.push("self_signed_tls_client_auth");
        confidential.extend(mutual_tls.authorities.as_ref().map(|_| "tls_client_auth"));
    }
    let all_methods = [&confidential[..], &["none"]].concat();
    let mut metadata = json!({
        "issuer": origin,
        "authorization_endpoint": format!("{origin}/oauth/v2/authorize"),
        "token_endpoint": format!("{origin}/oauth/v2/token"),
        "device_authorization_endpoint": format!("{origin}/oauth/v2/device_authorization"),
        "jwks_uri": format!("{origin}/.well-known/jwks.json"),
        "userinfo_endpoint": format!("{origin}/oauth/v2/userinfo"),
        "scopes_supported": scopes,
        "response_types_supported": ["code"],
        "response_modes_supported": ["query", "form_post"],
        "grant_types_supported": [
            "authorization_code", "client_credentials", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code",
        ],
        "token_endpoint_auth_methods_supported": all_methods,
        "token_endpoint_auth_signing_alg_values_supported": signature_algorithms(),
        "tls_client_certificate_bound_access_tokens": app.mutual_tls.is_some(),
        "dpop_signing_alg_values_supported": DPOP_ALGORITHMS.map(Algorithm::name),
        "pushed_authorization_request_endpoint": format!("{origin}/oauth/v2/par"),
        "require_pushed_authorization_requests": app.requires_pushed_requests,
        "revocation_endpoint": format!("{origin}/oauth/v2/revoke"),
        "revocation_endpoint_auth_methods_supported": all_methods,
        "revocation_endpoint_auth_signing_alg_values_supported": signature_algorithms(),
        "introspection_endpoint": format!("{origin}/oauth/v2/introspect"),
        "introspection_endpoint_auth_methods_supported": confidential,
        "introspection_endpoint_auth_signing_alg_values_supported": signature_algorithms(),
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": true,
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": [SIGNING_ALGORITHM.name()],
        "acr_values_supported": [ACR],
        "claims_supported": [
            "sub", "iss", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "at_hash", "sid", "email", "email_verified",
        ],
        "prompt_values_supported": ["none", "login", "consent", "select_account"],
        "end_session_endpoint": format!("{origin}/oauth/v2/logout"),
        "backchannel_logout_supported": true,
        "backchannel_logout_session_supported": true,
        "claims_parameter_supported": false,
        "request_parameter_supported": false,
        "request_uri_parameter_supported": false,
    });
    if let Some(mtls_origin) = app.mutual_tls.as_ref().and_then(|mutual_tls| mutual_tls.origin.as_deref()) {
        metadata["mtls_endpoint_aliases"] = aliases(&metadata, origin, mtls_origin);
    }
    metadata
}

/// The endpoints that clients call themselves, at the origin that asks for certificates (RFC 8705 section 5).
fn aliases(metadata: &Value, origin: &str, mtls_origin: &str) -> Value {
    const OF_CLIENTS: [&str; 6] = [
        "token_endpoint",
        "revocation_endpoint",
        "introspection_endpoint",
        "device_authorization_endpoint",
        "pushed_authorization_request_endpoint",
        "userinfo_endpoint",
    ];
    let alias = |name: &str| {
        let path = metadata[name].as_str()?.strip_prefix(origin)?;
        Some((name.to_owned(), Value::from(format!("{mtls_origin}{path}"))))
    };
    Value::Object(OF_CLIENTS.into_iter().filter_map(alias).collect())
}

/// What clients may sign assertions with: any algorithm but the symmetric ones, whose secret this service does not keep.
fn signature_algorithms() -> Vec<&'static str> {
    let is_asymmetric = |algorithm: &Algorithm| algorithm.is_supported() && algorithm.key_type() != KeyType::Oct;
    Algorithm::all().filter(is_asymmetric).map(Algorithm::name).collect()
}

/// `GET /.well-known/oauth-protected-resource` (RFC 9728).
pub(crate) async fn protected_resource(State(app): State<Arc<App>>) -> Response {
    ([CACHED], [(header::CONTENT_TYPE, "application/json")], app.resource_metadata.to_json()).into_response()
}

/// Five minutes: a rotated key is announced for longer than that before it signs.
const CACHED: (HeaderName, &str) = (header::CACHE_CONTROL, "public, max-age=300");
