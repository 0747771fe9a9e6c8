//! The layers as a user meets them, one file a behaviour.

#![forbid(unsafe_code)]

mod accepted;
mod challenge;
mod client_address;
mod client_certificate;
#[cfg(feature = "axum")]
mod dpop;
mod extract;
#[cfg(feature = "axum")]
mod handlers;
mod layer;
mod one_credential;
mod panics;
mod public_paths;
mod require;
mod sockets;
mod support;
#[cfg(all(feature = "axum", feature = "remote"))]
mod waiting;
