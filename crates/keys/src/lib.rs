//! JWK, JWKS, PEM and DER to vetted, prepared verification keys.
//!
//! A key is read, vetted and prepared once, when it is loaded; from then on it belongs to one algorithm
//! (RFC 8725 section 3.1), and verifying with it allocates nothing.
//!
//! The road, in reading order:
//!
//! 1. [`key_file::load`] tells what kind of key file it has; [`KeySetBuilder`] takes the kinds one by one.
//! 2. A [`PublicKey`] or an [`HmacKey`] is a key that passed vetting. The two are different types, and neither can
//!    be made from the other. What did not pass is reported with its [`KeyRefused`].
//! 3. A [`VerifyingKey`] is one such key bound to one [`Algorithm`].
//! 4. A [`KeySet`] is an immutable index of them by (`kid`, `alg`). [`KeySet::verify`] gives a [`VerifiedJws`]: the
//!    proof that a signature was checked.
//! 5. A [`KeyRing`] publishes one set after another to any number of readers.
//!
//! ```
//! use tollgate_jwt::{CompactJws, json};
//! use tollgate_keys::{KeySet, key_file};
//!
//! // RFC 8037, appendix A.
//! let jwk = br#"{"kty":"OKP","crv":"Ed25519","kid":"k1","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
//! let loaded = key_file::load(jwk, KeySet::builder())?;
//! assert_eq!(loaded.reports[0].refused, None);
//!
//! let token = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.\
//!     hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
//! let jws = CompactJws::parse(token)?;
//! let mut buffer = json::Buffer::default();
//! let header = jws.decode_header(&mut buffer)?;
//! let verified = loaded.set.verify(&jws, &header, &mut Vec::new())?;
//! assert_eq!(verified.key().kid(), Some("k1"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Backends
//! The cryptography is that of ring (feature `ring`, on by default) or of aws-lc-rs (feature `aws-lc-rs`); with both,
//! each algorithm takes the faster one. Only aws-lc-rs has ES512, ES256K and ML-DSA: without it such a key is refused
//! with `unsupported-algorithm`. The feature `fips` gives every algorithm to the FIPS module of aws-lc-rs.

mod algorithm;
mod backend;
mod entry;
mod error;
mod hmac_key;
mod jwk;
pub mod key_file;
mod key_refresher;
mod key_refused;
mod key_ring;
mod key_set;
mod key_set_builder;
pub mod limits;
mod pem;
mod public_key;
mod report;
mod spki;
mod table;
#[cfg(feature = "test-hooks")]
pub mod test_hooks;
mod thumbprint;
mod verifying_key;
mod vetting;

pub use algorithm::{Algorithm, Curve, KeyType};
pub use error::{BadSignature, NotAKeyFile, VerifyError};
pub use hmac_key::HmacKey;
pub use key_refresher::KeyRefresher;
pub use key_refused::KeyRefused;
pub use key_ring::{KeyRing, PublishedKeySet};
pub use key_set::{KeySet, VerifiedJws};
pub use key_set_builder::{KeySetBuilder, KeySource};
pub use public_key::PublicKey;
pub use report::{KeyReport, Loaded, Validity};
pub use verifying_key::VerifyingKey;
