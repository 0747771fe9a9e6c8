//! An authorization request: the client's request as the proxy describes it.

use std::fmt;
use std::net::IpAddr;

use http::header::{CONTENT_TYPE, HOST};
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderValue, Method, Uri, request};
use tollgate_tower::PeerAddress;

use crate::path::has_one_reading;
use crate::rule::Host;

/// The convention by which a proxy describes the client's request. Only the path of the authorization request selects it, so
/// that fields of another convention, which a client may have sent, are not read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Convention {
    /// At `/nginx`: `X-Original-Method`, `X-Original-Host` and `X-Original-URI`, which the proxy's configuration must
    /// set.
    Nginx,
    /// At `/forward`: `X-Forwarded-Method`, `X-Forwarded-Host` and `X-Forwarded-Uri`, as Caddy and Traefik set them.
    Forward,
    /// Below `/envoy`: the authorization request's own method, `Host`, and the rest of the path.
    Envoy,
}

impl Convention {
    /// By the path of the authorization request.
    pub(crate) fn of(path: &str) -> Option<Self> {
        match path {
            "/nginx" => Some(Convention::Nginx),
            "/forward" => Some(Convention::Forward),
            _ => path.strip_prefix(ENVOY).is_some_and(|rest| rest.starts_with('/')).then_some(Convention::Envoy),
        }
    }
}

impl Convention {
    /// The label of its answers.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Convention::Nginx => "nginx",
            Convention::Forward => "forward",
            Convention::Envoy => "envoy",
        }
    }
}

const ENVOY: &str = "/envoy";

/// The client's request.
#[derive(Debug)]
pub(crate) struct Original<'q> {
    pub(crate) method: Method,
    pub(crate) host: Host,
    /// Path and query, as the client sent them.
    target: &'q str,
}

/// The reason why the client's request, or its reading by a server, is unknown.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Undecidable {
    /// A field is missing, repeated or malformed.
    Field(&'static str),
    /// Two servers could read the path differently.
    Path,
    /// A header field has an invalid name or value.
    #[cfg(feature = "grpc")]
    NotAField,
}

impl fmt::Display for Undecidable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Undecidable::Field(name) => write!(f, "the proxy has to send {name}, once"),
            Undecidable::Path => f.write_str("two servers could read the path differently"),
            #[cfg(feature = "grpc")]
            Undecidable::NotAField => f.write_str("a header field has a name or a value that no field of HTTP has"),
        }
    }
}

impl<'q> Original<'q> {
    /// From an authorization request over HTTP.
    pub(crate) fn of(convention: Convention, question: &'q request::Parts) -> Result<Self, Undecidable> {
        let headers = &question.headers;
        let [method_field, host_field, uri_field] = match convention {
            Convention::Nginx => ["x-original-method", "x-original-host", "x-original-uri"],
            Convention::Forward => ["x-forwarded-method", "x-forwarded-host", "x-forwarded-uri"],
            Convention::Envoy => ["the method", "host", "the path"],
        };
        let (method, target) = match convention {
            Convention::Envoy => {
                let target = question.uri.path_and_query().map_or("", PathAndQuery::as_str);
                (Some(question.method.as_str()), target.strip_prefix(ENVOY))
            }
            Convention::Nginx | Convention::Forward => (once(headers, method_field), once(headers, uri_field)),
        };
        Self::new(
            method.ok_or(Undecidable::Field(method_field))?,
            once(headers, host_field).ok_or(Undecidable::Field(host_field))?,
            target.ok_or(Undecidable::Field(uri_field))?,
        )
    }

    /// The request with this method, host and path with query, as the client sent them.
    pub(crate) fn new(method: &str, host: &str, target: &'q str) -> Result<Self, Undecidable> {
        let method = Method::from_bytes(method.as_bytes()).map_err(|_| Undecidable::Field("the method"))?;
        let host = Host::parse(host).ok_or(Undecidable::Field("the host"))?;
        let original = Original { method, host, target };
        // Clients do not send fragments. One would be removed below, but not by a server that reads it as a part of
        // the path.
        let is_plain = has_one_reading(original.path()) && !original.target.contains('#');
        if is_plain { Ok(original) } else { Err(Undecidable::Path) }
    }

    pub(crate) fn path(&self) -> &'q str {
        self.target.split_once('?').map_or(self.target, |(path, _)| path)
    }

    /// The request itself, without its body, with `headers`, as if it came from `peer`, the proxy.
    pub(crate) fn request(&self, headers: HeaderMap, peer: IpAddr) -> Result<http::Request<()>, Undecidable> {
        let mut request = http::Request::new(());
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = Uri::try_from(self.target).map_err(|_| Undecidable::Path)?;
        *request.headers_mut() = headers;
        let headers = request.headers_mut();
        // A gRPC client is denied in a response 200 (tollgate-tower), with which the proxy would let it pass.
        headers.remove(CONTENT_TYPE);
        // The rules used `self.host`, so other sources of the host are replaced.
        let host = HeaderValue::try_from(&*self.host.0).map_err(|_| Undecidable::Field("the host"))?;
        headers.insert("x-forwarded-host", host.clone());
        headers.insert(HOST, host);
        request.extensions_mut().insert(PeerAddress(peer));
        Ok(request)
    }
}

/// The value of a field that is present once, and is text.
fn once<'q>(headers: &'q HeaderMap, name: &str) -> Option<&'q str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?;
    if values.next().is_some() { None } else { value.to_str().ok() }
}
