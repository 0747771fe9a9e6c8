//! The properties of the fuzz targets: each function takes any bytes and panics if a property is violated.
//!
//! Nor may tollgate panic, overflow, or run out of bounds, which the sanitizer checks.

#![forbid(unsafe_code)]

mod api_key;
mod authorization;
mod basic;
mod compact;
mod der;
mod differential;
mod dpop;
mod ecdsa;
mod introspection;
mod json;
mod jwk;
mod jwks;
mod policy;
mod scopes;
mod tables;

pub use api_key::api_key;
pub use authorization::authorization;
pub use basic::basic;
pub use compact::compact;
pub use der::der;
pub use differential::differential;
pub use dpop::dpop;
pub use ecdsa::ecdsa;
pub use introspection::introspection;
pub use json::{claims, header};
pub use jwk::jwk;
pub use jwks::jwks;
pub use policy::policy;
pub use scopes::scopes;
pub use tables::tables;
