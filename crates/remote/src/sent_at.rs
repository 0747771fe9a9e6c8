use std::time::SystemTime;

use http::HeaderMap;
use http::header::DATE;

use crate::cache_control::age;

/// The provider's time of the answer, in seconds since the Unix epoch: `Date` (RFC 9110 section 6.6.1), plus the `Age`
/// of an answer from a cache. None if the answer has no date.
pub(crate) fn sent_at(headers: &HeaderMap) -> Option<i64> {
    let date = httpdate::parse_http_date(headers.get(DATE)?.to_str().ok()?).ok()?;
    let seconds = date.duration_since(SystemTime::UNIX_EPOCH).ok()?.as_secs();
    i64::try_from(seconds.saturating_add(age(headers))).ok()
}
