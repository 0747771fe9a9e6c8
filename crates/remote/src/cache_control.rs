use std::time::Duration;

use http::HeaderMap;
use http::header::{AGE, CACHE_CONTROL};

/// How long the answer is fresh from now on, according to the provider (RFC 9111 section 4.2): `max-age` minus `Age`.
/// None if the provider does not say.
///
/// The first `max-age` is used; with `no-store` or `no-cache` the result is zero.
pub(crate) fn max_age(headers: &HeaderMap) -> Option<Duration> {
    let values = headers.get_all(CACHE_CONTROL).into_iter().filter_map(|value| value.to_str().ok());
    let mut max_age = None;
    for directive in values.flat_map(|value| value.split(',')) {
        let (name, argument) = directive.split_once('=').unwrap_or((directive, ""));
        match name.trim().to_ascii_lowercase().as_str() {
            "no-store" | "no-cache" => return Some(Duration::ZERO),
            "max-age" if max_age.is_none() => max_age = Some(seconds(argument.trim().trim_matches('"')).unwrap_or(0)),
            _ => {}
        }
    }
    max_age.map(|max_age| Duration::from_secs(max_age.saturating_sub(age(headers))))
}

/// How long ago the provider sent the answer of a cache, in seconds (RFC 9111 section 5.1).
pub(crate) fn age(headers: &HeaderMap) -> u64 {
    headers.get(AGE).and_then(|age| age.to_str().ok()).and_then(seconds).unwrap_or(0)
}

/// RFC 9111 section 1.2.2: digits only. A value that is too large for the type is as good as infinite.
fn seconds(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(u64::MAX))
}
