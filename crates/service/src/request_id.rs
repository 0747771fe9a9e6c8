//! The id by which the lines of one request are found in the log, and the trace that the request is part of.

use crate::limits::MAX_REQUEST_ID_BYTES;
use axum::extract::ConnectInfo;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName};
use std::net::SocketAddr;
use tollgate::TrustedProxies;
use tollgate_storage::new_key_id;
use tracing::Span;

/// The field in which a proxy says its id of the request, and in which the answer says it.
pub(crate) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What a request is called in the log.
pub(crate) struct RequestId {
    /// The trusted proxy's, or a new one. It can be the value of a header.
    pub(crate) id: String,
    /// The `trace-id` of W3C Trace Context, where a trusted proxy gives one.
    trace_id: Option<String>,
}

impl RequestId {
    /// Anybody else's ids are not looked at: the lines of two clients could be mistaken for those of one request.
    pub(crate) fn of(request: &Parts, trusted: &TrustedProxies) -> Self {
        let peer = request.extensions.get::<ConnectInfo<SocketAddr>>();
        let is_trusted = peer.is_some_and(|ConnectInfo(peer)| trusted.contain(peer.ip()));
        let field = |name| if is_trusted { single(&request.headers, name) } else { None };
        let given = field(X_REQUEST_ID).filter(|id| is_request_id(id)).map(str::to_owned);
        // Without randomness no secret is made either; the request is answered as far as that goes.
        let id = given.or_else(|| new_key_id("request").ok()).unwrap_or_else(|| "-".to_owned());
        let trace_id = field(HeaderName::from_static("traceparent")).and_then(trace_id).map(str::to_owned);
        Self { id, trace_id }
    }

    /// What every line of the request is logged in, whatever the level of the log.
    pub(crate) fn span(&self) -> Span {
        tracing::error_span!("request", request_id = self.id, trace_id = self.trace_id)
    }
}

/// The value of a field that is there once.
fn single(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next().filter(|_| values.next().is_none())?;
    value.to_str().ok()
}

/// Of the characters of UUIDs, base64, base64url and AWS's trace ids: none of them ends a field of a line of the log.
fn is_request_id(id: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=:;".contains(&byte);
    (1..=MAX_REQUEST_ID_BYTES).contains(&id.len()) && id.bytes().all(is_allowed)
}

/// The `trace-id` of a `traceparent` (W3C Trace Context, section 3.2): `00-{trace-id}-{parent-id}-{flags}`; later versions may have more
/// after another dash.
fn trace_id(traceparent: &str) -> Option<&str> {
    let mut fields = traceparent.split('-');
    let mut field = |digits| fields.next().filter(|field| is_hex(field, digits));
    let (version, trace_id, parent_id) = (field(2)?, field(32)?, field(16)?);
    field(2)?;
    let is_zero = |id: &str| id.bytes().all(|digit| digit == b'0');
    let is_valid = version != "ff" && !is_zero(trace_id) && !is_zero(parent_id);
    (is_valid && (version != "00" || fields.next().is_none())).then_some(trace_id)
}

/// Lower case alone, as the section says.
fn is_hex(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_traceparent_names_its_trace() {
        const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
        assert_eq!(trace_id(&format!("00-{TRACE}-00f067aa0ba902b7-01")), Some(TRACE));
        assert_eq!(trace_id(&format!("cc-{TRACE}-00f067aa0ba902b7-01")), Some(TRACE));
        assert_eq!(trace_id(&format!("ff-{TRACE}-00f067aa0ba902b7-01")), None);
        assert_eq!(trace_id(&format!("cc-{TRACE}-00f067aa0ba902b7-01-more")), Some(TRACE));
        for malformed in [
            String::new(),
            format!("00-{TRACE}-00f067aa0ba902b7"),
            format!("00-{TRACE}-00f067aa0ba902b7-01-more"),
            format!("00-{}-00f067aa0ba902b7-01", TRACE.to_uppercase()),
            format!("00-{}-00f067aa0ba902b7-01", "0".repeat(32)),
            format!("00-{TRACE}-{}-01", "0".repeat(16)),
            format!("00-{TRACE}0-00f067aa0ba902b7-01"),
        ] {
            assert_eq!(trace_id(&malformed), None, "{malformed}");
        }
    }
}
