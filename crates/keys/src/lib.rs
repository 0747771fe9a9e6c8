#![doc = include_str!("../README.md")]
//! A key is parsed, vetted and prepared once, when it is loaded, and is bound to one algorithm (RFC 8725 section 3.1).
//! Finding a key and verifying with it allocates nothing in this crate.
//!
//! In reading order:
//!
//! 1. [`key_file::load`] detects the kind of a key file; [`KeySetBuilder`] has one method per kind.
//! 2. A [`PublicKey`] or an [`HmacKey`] is a key that passed vetting. The two are different types, and neither can be
//!    converted into the other. A refused key is reported with its [`KeyRefused`].
//! 3. A [`VerifyingKey`] is one such key bound to one [`Algorithm`].
//! 4. A [`KeySet`] is an immutable index of verifying keys by (`kid`, `alg`). [`KeySet::verify`] returns a
//!    [`VerifiedJws`], the proof that a signature was checked.
//! 5. A [`KeyRing`] publishes the current set to any number of readers.
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
//! The cryptography comes from ring (feature `ring`, on by default) or aws-lc-rs (feature `aws-lc-rs`). A build with
//! neither does not compile. A build with both uses the faster library for each algorithm.
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
//! A key for an algorithm that the build lacks is refused with `unsupported-algorithm`. Neither library has Ed448: a
//! key on that curve is refused with `unsupported-curve`.
//!
//! With the features `ed25519-tables` and `ecdsa-tables`, building a set computes tables for its first
//! [`limits::MAX_KEYS_WITH_TABLES`] suitable keys. A table holds multiples of the key: 55 KiB for Ed25519
//! (curve25519-dalek), 145 KiB for P-256 and 330 KiB for P-384 (both `tollgate-ecdsa`). A check takes half the time, or
//! about a quarter, and accepts exactly the signatures that the libraries accept.
//!
//! With the feature `fips`, every algorithm comes from aws-lc-rs with its FIPS 140-3 module, even if the feature `ring`
//! is on. Building the module requires CMake, Go and libclang. `ed25519-tables` and `ecdsa-tables` then have no effect.
//! Parsing and vetting a key is arithmetic of this crate, outside the module. The module's certificate says which
//! algorithms are approved: ES256K is not.
//!
//! # Vetting
//! Every key must pass these checks, whatever the backend. Every refusal is a [`KeyRefused`] with a stable
//! [`code`](KeyRefused::code).
//!
//! - RSA: a modulus of 2048 to 8192 bits, odd, without the fingerprint of ROCA (CVE-2017-15361); an odd exponent from 3 up
//!   to 33 bits.
//! - EC: an uncompressed point of full length on its curve, not at infinity.
//! - Ed25519: a canonical encoding of a point on the curve, not of small order.
//! - HMAC: a secret as long as the hash's output, and not the text of a public key.
//! - A JWK: `use`, `key_ops`, `alg`, `crv` and `kty` that allow verifying and do not contradict each other. A member
//!   that is null is absent.
//! - A remote set: no `oct` keys, and no keys whose private part the set contains.
//! - Any set: no `oct` keys in one document with other keys, and no different keys under one `kid` and algorithm.

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
