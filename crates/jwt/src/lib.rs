#![doc = include_str!("../README.md")]
//! Reading order:
//!
//! 1. [`CompactJws`] splits `header.payload.signature` once, limits first (RFC 7515 section 7.1).
//! 2. [`CompactJws::decode_header`] returns a [`Header`]: `alg`, `kid`, `typ`. It refuses what tollgate does not
//!    implement: `crit`, `b64`, `zip`, `enc`, nested JWTs.
//! 3. [`CompactJws::decode_claims`] returns [`Claims`]: the registered claims, typed (RFC 7519 section 4.1), and the
//!    others by name.
//! 4. [`json`] and [`base64url`] are the two codecs underneath, also for other readers of JOSE documents.
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
// For the engine's claim lookup and header cache. Public for the crate `tollgate` alone; may change with any release.
#[doc(hidden)]
pub use claims::{ClaimNames, FoundClaims, KnownClaim};
pub use compact::CompactJws;
pub use error::{ParseError, Part};
pub use excerpt::{UnverifiedText, excerpt};
pub use header::{CertificateNames, Header};
#[doc(hidden)]
pub use header_cache::HeaderCache;
pub use scope::is_scope_token;
