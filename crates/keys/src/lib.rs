#![doc = include_str!("../README.md")]
//! A key is read, vetted and prepared once, when it is loaded; from then on it belongs to one algorithm
//! (RFC 8725 section 3.1), and finding it and verifying with it allocates nothing here.
//!
//! In reading order:
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
//! The cryptography is that of ring (feature `ring`, on by default) or of aws-lc-rs (feature `aws-lc-rs`). A build with
//! neither does not compile; one with both takes the faster library for each algorithm.
//!
//! | | ring | aws-lc-rs | both |
//! |---|---|---|---|
//! | HS256 | yes | yes | aws-lc-rs, 1.03 to 1.2 times as fast |
//! | HS384, HS512 | yes | yes | ring, 1.05 times |
//! | RS256 to RS512, PS256 to PS512 | yes | yes, keys parsed once | aws-lc-rs, 1.35 to 1.4 times |
//! | ES256 | yes | yes | aws-lc-rs, 1.05 times |
//! | ES384 | yes | yes | aws-lc-rs, 3.1 times |
//! | EdDSA, Ed25519 | yes | yes | aws-lc-rs, 1.15 times |
//! | ES512, ES256K, ML-DSA-44, ML-DSA-65, ML-DSA-87 | no | yes | aws-lc-rs |
//!
//! A key for an algorithm that the build lacks is refused with `unsupported-algorithm`. Ed448 is in neither library: a key
//! on it is refused with `unsupported-curve`.
//!
//! With the features `ed25519-tables` and `ecdsa-tables` the first [`limits::MAX_KEYS_WITH_TABLES`] keys of a set that can have tables
//! get them when the set is built: multiples of each Ed25519 key (curve25519-dalek, 55 KiB a key), of each key on P-256 (145 KiB)
//! and on P-384 (330 KiB, both `tollgate-ecdsa`). A check takes half the time, or about a quarter, and accepts exactly what the
//! libraries accept.
//!
//! The feature `fips` takes every algorithm from aws-lc-rs, built on its FIPS 140-3 module, also where the feature `ring` is on;
//! building the module takes CMake, Go and libclang. `ed25519-tables` and `ecdsa-tables` then change nothing. Reading and vetting a key is arithmetic of this
//! crate, outside of the module. Which algorithms are approved is for the module's certificate to say: ES256K is not.
//!
//! # Vetting
//! What a key must pass, whatever the backend; every reason is a [`KeyRefused`] with a stable [`code`](KeyRefused::code).
//!
//! - RSA: a modulus of 2048 to 8192 bits, odd, without the fingerprint of ROCA (CVE-2017-15361); an odd exponent from 3 up
//!   to 33 bits.
//! - EC: an uncompressed point of full length on its curve, not at infinity.
//! - Ed25519: a canonical encoding of a point on the curve, not of small order.
//! - HMAC: a secret as long as the hash's output, and not the text of a public key.
//! - A JWK: `use`, `key_ops`, `alg`, `crv` and `kty` that allow verifying and do not contradict each other. A member that is
//!   null is absent. From a remote set neither `oct` keys nor keys whose private part it holds; from no set `oct` keys beside
//!   others; no different keys under one `kid` and algorithm.

#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod algorithm;
mod backend;
mod certificate_index;
mod certificates;
mod digest;
mod entry;
mod error;
mod hmac_key;
mod jwk;
pub mod key_file;
mod key_purpose;
mod key_refresher;
mod key_refused;
mod key_ring;
mod key_set;
mod key_set_builder;
mod key_tables;
mod key_uses;
pub mod limits;
mod pem;
mod public_key;
mod report;
mod secret_encoding;
mod spki;
#[cfg(not(tollgate_model))]
mod sync;
#[cfg(tollgate_model)]
pub mod sync;
mod table;
#[cfg(feature = "test-hooks")]
pub mod test_hooks;
mod thumbprint;
mod verifying_key;
mod vetting;

pub use algorithm::{Algorithm, Curve, KeyType};
#[cfg(all(feature = "ecdsa-tables", not(feature = "fips")))]
pub use backend::undecided_checks;
pub use digest::sha256;
pub use error::{BadSignature, NotAKeyFile, VerifyError};
pub use hmac_key::HmacKey;
pub use key_purpose::KeyPurpose;
pub use key_refresher::{KeyRefresher, Refreshed};
pub use key_refused::KeyRefused;
pub use key_ring::{KeyRing, PublishedKeySet, WeakKeyRing};
pub use key_set::{KeySet, VerifiedJws};
pub use key_set_builder::{KeySetBuilder, KeySource};
pub use key_uses::{InvalidKeyUses, KeyUses};
pub use public_key::PublicKey;
pub use report::{KeyReport, Loaded, NoUsableKey, Validity};
pub use secret_encoding::{NotASecret, SecretEncoding};
pub use verifying_key::VerifyingKey;
