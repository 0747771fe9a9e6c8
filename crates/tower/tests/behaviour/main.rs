//! The layers as a user meets them, one file a behaviour.

mod challenge;
#[cfg(feature = "axum")]
mod extract;
mod layer;
mod one_credential;
mod panics;
mod public_paths;
mod scopes;
mod sockets;
mod support;
