//! The layers through their public API, one file a behaviour.

#![forbid(unsafe_code)]

mod accepted;
mod allocations;
mod challenge;
mod client_address;
mod client_certificate;
mod decisions;
mod dpop;
#[cfg(feature = "axum")]
mod extract;
mod grpc;
#[cfg(feature = "axum")]
mod handlers;
#[cfg(feature = "remote")]
mod introspection;
mod layer;
mod one_credential;
mod panics;
mod policies;
mod public_paths;
#[cfg(feature = "axum")]
mod real_client;
#[cfg(feature = "axum")]
mod real_proxies;
mod require;
mod resource_metadata;
mod sockets;
mod sources;
mod support;
mod swappable;
#[cfg(all(feature = "axum", feature = "remote"))]
mod waiting;
