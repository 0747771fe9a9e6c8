//! What the fuzz targets hold tollgate to: each function takes any bytes and panics when a property breaks.
//!
//! None of them may panic inside tollgate either, overflow, or run out of bounds, which the sanitizer sees to.

mod api_key;
mod authorization;
mod compact;
mod json;
mod jwks;

pub use api_key::api_key;
pub use authorization::authorization;
pub use compact::compact;
pub use json::{claims, header};
pub use jwks::jwks;
