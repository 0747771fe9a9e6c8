//! The layers as a user meets them, one file a behaviour.

#![forbid(unsafe_code)]

mod accepted;
mod challenge;
mod client_address;
mod client_certificate;
mod dpop;
#[cfg(feature = "axum")]
mod extract;
#[cfg(feature = "axum")]
mod handlers;
#[cfg(feature = "remote")]
mod introspection;
mod layer;
mod one_credential;
mod panics;
mod public_paths;
#[cfg(feature = "axum")]
mod real_client;
#[cfg(feature = "axum")]
mod real_proxies;
mod require;
mod sockets;
mod support;
#[cfg(all(feature = "axum", feature = "remote"))]
mod waiting;
