#![doc = include_str!("../README.md")]
//! [`AuthLayer`] verifies the credential of every request. The [`Principal`] of a valid one is put into the
//! request's extensions; an invalid one is answered with 401 or 400 and the challenge of RFC 6750, one that cannot
//! be decided now with 503 and Retry-After. [`Require`] answers 403 if the principal lacks a scope, or does not
//! meet another requirement. Both work with any request and response body, with plain hyper and tonic as with axum;
//! gRPC clients receive a `grpc-status`. `Authenticated` and `Claims` (feature `axum`) extract the principal and
//! its claims.
//!
//! `docs/tower.md` is the guide.
//!
//! ```
//! use axum::{Extension, Router, body::Body, http::Request, routing::get};
//! use tollgate::{ApiKey, ApiKeyTable, Engine, KeyFormat, KeyRecord, Principal};
//! use tollgate_tower::{AuthLayer, JsonBody, Require};
//! use tower::ServiceExt;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let format = KeyFormat::new("tg", "live")?;
//! let (key, table) = (ApiKey::generate(&format)?, ApiKeyTable::new(format));
//! table.insert(&key, KeyRecord::api_key("key_1", "user_7").scopes(["read:sites"]));
//! let engine = Engine::builder().api_keys(table).build()?;
//!
//! async fn sites(Extension(principal): Extension<Principal>) -> String {
//!     format!("the sites of {}", principal.subject().unwrap_or("nobody"))
//! }
//! let app = Router::new()
//!     .route("/sites", get(sites).layer(Require::scopes(["read:sites"])?))
//!     .route("/healthz", get(|| async { "well" }))
//!     .layer(AuthLayer::new(engine).realm("sites")?.public_paths(["/healthz"])?.respond_with(JsonBody));
//!
//! let request = Request::get("/sites").header("authorization", format!("Bearer {}", key.as_str()));
//! assert_eq!(app.clone().oneshot(request.body(Body::empty())?).await?.status(), 200);
//!
//! let answer = app.clone().oneshot(Request::get("/sites").body(Body::empty())?).await?;
//! assert_eq!(answer.status(), 401);
//! assert_eq!(answer.headers()["www-authenticate"], r#"Bearer realm="sites""#);
//!
//! assert_eq!(app.oneshot(Request::get("/healthz").body(Body::empty())?).await?.status(), 200);
//! # Ok(())
//! # }
//! ```
//!
//! In reading order: `layer` decides, with an engine or a `swappable` one; `client_address` finds a request's
//! client, and `origin` its public origin. `service` applies the decision, and `waiting` does if the layer may wait
//! (feature `remote`). `response` turns a [`Rejection`] into an HTTP response, and `grpc` into one for gRPC.
//!
//! [`Principal`]: tollgate::Principal
//! [`Rejection`]: tollgate::Rejection

#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod client_address;
mod decision;
mod error;
#[cfg(feature = "axum")]
mod extract;
mod future;
mod grpc;
mod layer;
mod origin;
mod public_paths;
mod require;
mod resource_metadata;
mod response;
mod service;
mod swappable;
#[cfg(feature = "remote")]
mod waiting;

pub use client_address::{PeerAddress, client_address};
pub use decision::Decision;
pub use error::LayerError;
#[cfg(feature = "axum")]
pub use extract::{Authenticated, Claims};
pub use layer::AuthLayer;
pub use origin::public_origin;
pub use require::Require;
pub use resource_metadata::ResourceMetadata;
pub use response::{EmptyBody, JsonBody, Respond};
pub use service::Guard;
pub use swappable::SwappableEngine;
pub use tollgate::PeerCertificate;
#[cfg(feature = "remote")]
pub use waiting::WaitingGuard;

#[cfg(all(doctest, feature = "axum", feature = "remote"))]
#[doc = include_str!("../../../README.md")]
struct Readme;

#[cfg(all(doctest, feature = "axum", feature = "remote"))]
#[doc = include_str!("../../../docs/tower.md")]
struct Guide;
