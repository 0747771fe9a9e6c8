//! The shared parts of tests, benchmarks and fuzz targets: keys, valid and forged tokens, engines.
//!
//! The keys here are public: they are for tests only.

#![forbid(unsafe_code)]

#[cfg(feature = "oracle")]
pub mod agreement;
mod basic;
mod draft;
mod early_rejections;
mod fixture;
mod proof;
#[cfg(unix)]
pub mod real_servers;
mod traffic;

pub use basic::basic_readings;
pub use draft::Draft;
pub use early_rejections::{EARLY_REJECTIONS, EarlyRejection, EarlyRejections};
pub use fixture::{AUDIENCE, ISSUER, NOW, cold_engine, engine, issuer, key_set, signing_key};
pub use proof::ProofDraft;
pub use traffic::{traffic_claims, traffic_token};
