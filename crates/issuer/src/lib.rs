#![doc = include_str!("../README.md")]
//! Reading order:
//!
//! 1. A [`SigningKey`] is a private key bound to one algorithm: generated, or loaded from a private JWK or PKCS#8.
//! 2. [`SigningKeys`] are the keys of one issuer: the key that signs and the other published keys. They provide
//!    rotation, the JWKS for other verifiers and a [`KeyRing`](tollgate_keys::KeyRing) for an engine in the same
//!    process.
//! 3. A [`Minter`] starts a [`TokenBuilder`], which checks the claims and signs.
//!
//! ```
//! use std::sync::Arc;
//! use tollgate_issuer::{Minter, SigningKey, SigningKeys};
//! use tollgate_jwt::{CompactJws, json};
//! use tollgate_keys::Algorithm;
//!
//! let keys = Arc::new(SigningKeys::new(SigningKey::generate(Algorithm::ES256)?));
//! let minter = Minter::new("https://auth.example.com/", Arc::clone(&keys))?;
//! let token = minter
//!     .token()
//!     .access_token()
//!     .subject("client-1")
//!     .client_id("client-1")
//!     .audience("https://api.example.com")
//!     .scope("read:sites write:sites")
//!     .mint()?;
//!
//! let jws = CompactJws::parse(&token)?;
//! let mut buffer = json::Buffer::default();
//! let header = jws.decode_header(&mut buffer)?;
//! let set = keys.key_set();
//! let verified = set.verify(&jws, &header, &mut Vec::new())?;
//! assert_eq!(verified.key().kid(), Some(keys.signing_key().kid()));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Algorithms
//! ES256 (the default choice), ES384, EdDSA and Ed25519 (RFC 9864), RS256 to RS512, PS256 to PS512 and HS256 to HS512,
//! all signed by ring. The feature `aws-lc-rs` adds the generation of RSA keys, which ring lacks.

#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod error;
mod generate;
mod header;
mod jwk;
pub mod limits;
mod material;
mod minter;
mod payload;
mod pkcs8;
mod private_jwks;
mod published_key;
mod rotation;
mod scheme;
mod signing_key;
mod signing_keys;
mod text;
mod token;
mod vetting;

pub use error::IssuerError;
pub use minter::Minter;
pub use published_key::{KeyRole, PublishedKey};
pub use signing_key::SigningKey;
pub use signing_keys::SigningKeys;
pub use token::TokenBuilder;
