//! Envoy's `ext_authz` over gRPC: the service `envoy.service.auth.v3.Authorization`, served by [`serve`](crate::serve).

use std::net::SocketAddr;
use std::sync::Arc;

use arc_swap::ArcSwap;
use axum::extract::ConnectInfo;
use envoy_types::ext_authz::v3::pb::{
    Authorization, CheckRequest, CheckResponse, DeniedHttpResponse, HeaderAppendAction, HttpResponse, HttpStatus,
    OkHttpResponse,
};
use envoy_types::pb::envoy::config::core::v3::{HeaderValue as Field, HeaderValueOption};
use envoy_types::pb::envoy::service::auth::v3::attribute_context::HttpRequest;
use envoy_types::pb::google::rpc;
use http::header::CACHE_CONTROL;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use tonic::{Code, Request, Status};

use crate::gateway::{Gateway, count};
use crate::question::{Original, Undecidable};

/// The label of its answers in metrics.
const CONVENTION: &str = "envoy-grpc";

/// Answers with the current gateway.
#[derive(Clone, Debug)]
pub(crate) struct ExtAuthz(pub(crate) Arc<ArcSwap<Gateway>>);

#[tonic::async_trait]
impl Authorization for ExtAuthz {
    async fn check(&self, question: Request<CheckRequest>) -> Result<tonic::Response<CheckResponse>, Status> {
        let peer = question.extensions().get().map(|ConnectInfo(peer): &ConnectInfo<SocketAddr>| peer.ip());
        let peer = peer.ok_or_else(|| Status::internal("the connection has no address"))?;
        let request = question.into_inner().attributes.and_then(|attributes| attributes.request);
        let request = request.and_then(|request| request.http);
        let request = request.ok_or_else(|| Status::invalid_argument("there is no HTTP request in the question"))?;
        // One gateway answers the whole request, even if it waits and is replaced meanwhile.
        let gateway = self.0.load_full();
        let original = Original::new(&request.method, &request.host, &request.path);
        let asked = original.and_then(|original| Ok((original, headers(&request)?)));
        let answer = match asked {
            Ok((original, headers)) => gateway.decide(Ok(original), headers, peer).await,
            Err(undecidable) => gateway.decide(Err(undecidable), HeaderMap::new(), peer).await,
        };
        count(CONVENTION, answer.status());
        Ok(tonic::Response::new(if answer.status() == StatusCode::OK { pass(&answer) } else { deny(answer) }))
    }
}

/// The fields of the request, raw if Envoy sends them so (`encode_raw_headers`); otherwise Envoy has joined fields of one
/// name.
fn headers(request: &HttpRequest) -> Result<HeaderMap, Undecidable> {
    let raw = request.header_map.iter().flat_map(|map| &map.headers).map(|field| {
        let value = if field.raw_value.is_empty() { field.value.as_bytes() } else { &field.raw_value };
        (&field.key, value)
    });
    let joined = request.headers.iter().map(|(name, value)| (name, value.as_bytes()));
    let mut headers = HeaderMap::new();
    // Pseudo-header fields (RFC 9113 section 8.3) are included; the message has its own members for them.
    for (name, value) in raw.chain(joined).filter(|(name, _)| !name.starts_with(':')) {
        let name = HeaderName::try_from(name.as_str()).map_err(|_| Undecidable::NotAField)?;
        let value = HeaderValue::from_bytes(value).map_err(|_| Undecidable::NotAField)?;
        headers.try_append(name, value).map_err(|_| Undecidable::NotAField)?;
    }
    Ok(headers)
}

/// Lets the request pass with the fields of `answer`. For an empty field, the client's copies are removed.
fn pass(answer: &Response<String>) -> CheckResponse {
    let mut passing = OkHttpResponse::default();
    for (name, value) in answer.headers() {
        if name == DPOP_NONCE {
            passing.response_headers_to_add.push(overwriting(name, value));
        } else if value.is_empty() {
            passing.headers_to_remove.push(name.to_string());
        } else {
            passing.headers.push(overwriting(name, value));
        }
    }
    response(Code::Ok, HttpResponse::OkResponse(passing))
}

/// For the client, not for the server behind the proxy (RFC 9449 section 8.2).
const DPOP_NONCE: &str = "dpop-nonce";

fn deny(answer: Response<String>) -> CheckResponse {
    let (mut head, body) = answer.into_parts();
    head.headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // A denial and not an error, even for 503: Envoy's `failure_mode_allow` would let a request pass after an error.
    let denied = DeniedHttpResponse {
        status: Some(HttpStatus { code: head.status.as_u16().into() }),
        headers: head.headers.iter().map(|(name, value)| overwriting(name, value)).collect(),
        body,
    };
    let code = match head.status {
        StatusCode::UNAUTHORIZED => Code::Unauthenticated,
        status if status.is_server_error() => Code::Unavailable,
        _ => Code::PermissionDenied,
    };
    response(code, HttpResponse::DeniedResponse(denied))
}

fn response(code: Code, http_response: HttpResponse) -> CheckResponse {
    let status = rpc::Status { code: code.into(), ..rpc::Status::default() };
    CheckResponse { status: Some(status), http_response: Some(http_response), ..CheckResponse::default() }
}

fn overwriting(name: &HeaderName, value: &HeaderValue) -> HeaderValueOption {
    // All values are made by the gateway, and ASCII.
    let value = value.to_str().unwrap_or_default().to_owned();
    HeaderValueOption {
        header: Some(Field { key: name.to_string(), value, ..Field::default() }),
        append_action: HeaderAppendAction::OverwriteIfExistsOrAdd.into(),
        ..HeaderValueOption::default()
    }
}
