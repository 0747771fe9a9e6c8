//! Strict JSON (RFC 8259) on simd-json, for JOSE documents.
//!
//! A [`Document`] is one JSON object. Beyond RFC 8259, duplicate member names are refused at every depth, also when one
//! is written with escapes (RFC 7515 section 4, RFC 7519 section 4, RFC 8725 section 2.6). Documents deeper or wider
//! than the [`limits`](crate::limits) are refused too.
//!
//! ```
//! use tollgate_jwt::json;
//!
//! let mut buffer = json::Buffer::default();
//! let document = json::parse(br#"{"kty":"EC","crv":"P-256"}"#, &mut buffer)?;
//! assert_eq!(document.root().get("crv").and_then(|value| value.as_str()), Some("P-256"));
//!
//! let mut buffer = json::Buffer::default();
//! assert!(json::parse(br#"{"kty":"EC","\u006bty":"oct"}"#, &mut buffer).is_err());
//! # Ok::<(), json::JsonError>(())
//! ```

mod document;
mod duplicates;
mod error;
mod value;

pub use document::{Buffer, Document, parse, parse_within};
pub use error::JsonError;
pub use value::{Array, Number, Object, Value};

pub(crate) use duplicates::fingerprint;

/// Strips a leading byte order mark: RFC 8259 section 8.1 lets a reader ignore one.
///
/// For files and fetched documents only. [`parse`] accepts none, because a token has none.
///
/// ```
/// assert_eq!(tollgate_jwt::json::without_byte_order_mark(b"\xef\xbb\xbf{}"), b"{}");
/// ```
#[must_use]
pub fn without_byte_order_mark(document: &[u8]) -> &[u8] {
    document.strip_prefix(b"\xef\xbb\xbf").unwrap_or(document)
}
