#![doc = include_str!("../README.md")]
//! Bytes in, borrowed views out. There is no clock, no cryptography and no I/O in this crate: what it
//! returns is well-formed, and **not yet verified**.
//!
//! The road, in reading order:
//!
//! 1. [`CompactJws`] splits `header.payload.signature` once, limits first (RFC 7515 section 7.1).
//! 2. [`CompactJws::decode_header`] gives a [`Header`]: `alg`, `kid`, `typ`; what tollgate does not
//!    implement (`crit`, `b64`, `zip`, `enc`, nested JWTs) is refused here.
//! 3. [`CompactJws::decode_claims`] gives [`Claims`]: the registered claims, typed (RFC 7519
//!    section 4.1), and the rest by name.
//! 4. [`json`] and [`base64url`] are the two codecs underneath, for others who read JOSE documents.
//!
//! ```
//! use tollgate_jwt::{CompactJws, json};
//!
//! let token = "eyJhbGciOiJFUzI1NiIsImtpZCI6ImsxIn0.eyJpc3MiOiJodHRwczovL2FzIiwiZXhwIjoxfQ.c2ln";
//! let jws = CompactJws::parse(token)?;
//!
//! let (mut header_buffer, mut claims_buffer) = (json::Buffer::default(), json::Buffer::default());
//! let header = jws.decode_header(&mut header_buffer)?;
//! assert_eq!((header.alg(), header.kid()), ("ES256", Some("k1")));
//!
//! let claims = jws.decode_claims(&mut claims_buffer)?;
//! assert_eq!((claims.iss(), claims.exp()), (Some("https://as"), Some(1)));
//! # Ok::<(), tollgate_jwt::ParseError>(())
//! ```

#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod base64url;
mod bytes;
mod claims;
mod compact;
mod error;
mod excerpt;
mod header;
mod header_cache;
pub mod json;
pub mod limits;
mod scope;

pub use claims::{ClaimLimits, Claims, ScopeClaim, StringList};
// How an engine looks claims up and remembers headers. They are public for the crate `tollgate` alone, and may change with any
// release.
#[doc(hidden)]
pub use claims::{ClaimNames, FoundClaims, KnownClaim};
pub use compact::CompactJws;
pub use error::{ParseError, Part};
pub use excerpt::{UnverifiedText, excerpt};
pub use header::{CertificateNames, Header};
#[doc(hidden)]
pub use header_cache::HeaderCache;
pub use scope::is_scope_token;
