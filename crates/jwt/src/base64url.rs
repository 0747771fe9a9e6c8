//! base64url without padding, in its one canonical form (RFC 7515 section 2, RFC 4648 sections 3.5 and 5).
//!
//! Padding, the characters `+` and `/`, white space, a length of 1 modulo 4 and non-zero trailing bits are all refused,
//! so an accepted text is the only encoding of its bytes.

use std::fmt;

use base64_simd::AsOut;

/// The text is not canonical base64url.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct InvalidBase64Url;

impl fmt::Display for InvalidBase64Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not canonical base64url without padding")
    }
}

impl std::error::Error for InvalidBase64Url {}

/// Decodes `text` into `out`, replacing the content and reusing the capacity.
///
/// # Errors
/// [`InvalidBase64Url`]; `out` is then empty.
///
/// ```
/// let mut bytes = Vec::new();
/// tollgate_jwt::base64url::decode("Zm9v", &mut bytes)?;
/// assert_eq!(bytes, b"foo");
/// assert!(tollgate_jwt::base64url::decode("Zm9=", &mut bytes).is_err());
/// # Ok::<(), tollgate_jwt::base64url::InvalidBase64Url>(())
/// ```
pub fn decode(text: impl AsRef<[u8]>, out: &mut Vec<u8>) -> Result<(), InvalidBase64Url> {
    out.clear();
    append(text, out)
}

/// Decodes `text` and appends the bytes to `out`. On an error `out` is unchanged.
///
/// # Errors
/// [`InvalidBase64Url`].
pub fn append(text: impl AsRef<[u8]>, out: &mut Vec<u8>) -> Result<(), InvalidBase64Url> {
    base64_simd::URL_SAFE_NO_PAD.decode_append(text.as_ref(), out).map_err(|_| InvalidBase64Url)
}

/// Decodes `text` into the whole of `out`.
///
/// # Errors
/// [`InvalidBase64Url`], also if `text` encodes more or fewer bytes. The content of `out` is then unspecified.
///
/// ```
/// let mut bytes = [0; 3];
/// tollgate_jwt::base64url::decode_exactly("Zm9v", &mut bytes)?;
/// assert_eq!(&bytes, b"foo");
/// assert!(tollgate_jwt::base64url::decode_exactly("Zm9vYg", &mut bytes).is_err());
/// # Ok::<(), tollgate_jwt::base64url::InvalidBase64Url>(())
/// ```
pub fn decode_exactly(text: impl AsRef<[u8]>, out: &mut [u8]) -> Result<(), InvalidBase64Url> {
    let text = text.as_ref();
    if text.len() != encoded_length(out.len()) {
        return Err(InvalidBase64Url);
    }
    let decoded = base64_simd::URL_SAFE_NO_PAD.decode(text, out.as_out());
    decoded.map(drop).map_err(|_| InvalidBase64Url)
}

/// Encodes `bytes`.
#[must_use]
pub fn encode(bytes: impl AsRef<[u8]>) -> String {
    base64_simd::URL_SAFE_NO_PAD.encode_to_string(bytes.as_ref())
}

/// The length of the text that encodes `length` bytes.
#[must_use]
pub const fn encoded_length(length: usize) -> usize {
    length / 3 * 4 + [0, 2, 3][length % 3]
}
