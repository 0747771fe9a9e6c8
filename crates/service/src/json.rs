//! JSON bodies and times as the API reads and writes them.

use crate::problem::Problem;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::IntoResponse;
use serde::de::DeserializeOwned;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Reads a JSON body; an empty one reads as `empty`.
pub(crate) fn read<T: DeserializeOwned>(headers: &HeaderMap, body: &[u8], empty: Option<T>) -> Result<T, Problem> {
    if let (true, Some(empty)) = (body.is_empty(), empty) {
        return Ok(empty);
    }
    if !has_media_type(headers, "application/json") {
        return Err(Problem::BadRequest("send a JSON body with Content-Type: application/json"));
    }
    // The parser's own message may quote the body.
    serde_json::from_slice(body).map_err(|_| Problem::BadRequest("the JSON body does not have the expected form"))
}

/// The whole body, within the size limit.
pub(crate) fn body(body: Result<Bytes, BytesRejection>) -> Result<Bytes, Problem> {
    body.map_err(|rejection| match rejection.into_response().status() {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::TooLarge,
        _ => Problem::BadRequest("the body could not be read"),
    })
}

/// Whether the body is of that media type; parameters such as `charset` are passed over.
pub(crate) fn has_media_type(headers: &HeaderMap, media_type: &str) -> bool {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = content_type.and_then(|value| value.split(';').next());
    essence.is_some_and(|essence| essence.trim().eq_ignore_ascii_case(media_type))
}

/// For what no cache may keep (RFC 6749 section 5.1).
pub(crate) const NOT_STORED: [(HeaderName, &str); 2] =
    [(header::CACHE_CONTROL, "no-store"), (header::PRAGMA, "no-cache")];

/// A time as RFC 3339 has it, in UTC: `2026-11-22T10:00:00Z`. `seconds`: since the Unix epoch.
pub(crate) fn rfc3339(seconds: i64) -> Option<String> {
    OffsetDateTime::from_unix_timestamp(seconds).ok()?.format(&Rfc3339).ok()
}

/// The time that the member `name` says, if it is there, in seconds since the Unix epoch.
pub(crate) fn time(name: &'static str, text: Option<&str>) -> Result<Option<i64>, Problem> {
    text.map(|text| from_rfc3339(text).ok_or(Problem::BadField(name))).transpose()
}

/// Seconds since the Unix epoch of a time as RFC 3339 has it.
fn from_rfc3339(text: &str) -> Option<i64> {
    Some(OffsetDateTime::parse(text, &Rfc3339).ok()?.unix_timestamp())
}
