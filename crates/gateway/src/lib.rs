#![doc = include_str!("../README.md")]
//! A proxy asks about each request before it lets the request pass: nginx with `auth_request`, Caddy and Traefik with
//! `forward_auth`, Envoy with `ext_authz`, over HTTP and gRPC. A [`Gateway`] answers. Its [rules](Rule) determine the
//! requirements of a request, a tollgate engine verifies the credential, and the answer has [identity fields](Identity) with
//! which the proxy replaces any that the client sent. Requests that match no rule, and paths that two servers could read
//! differently, are denied.
//!
//! ```
//! use tollgate::{ApiKey, ApiKeyTable, Engine, KeyFormat, KeyRecord, Requirement};
//! use tollgate_gateway::{Gateway, Rule};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let format = KeyFormat::new("tg", "live")?;
//! let (key, table) = (ApiKey::generate(&format)?, ApiKeyTable::new(format));
//! table.insert(&key, KeyRecord::api_key("key_1", "user_7").scopes(["read:sites"]));
//! let gateway = Gateway::builder(Engine::builder().api_keys(table).build()?)
//!     .rule(Rule::new(["/assets/*"])?.public())
//!     .rule(Rule::new(["/sites", "/sites/*"])?.require(Requirement::scope("read:sites"))?)
//!     .build()?;
//!
//! // As nginx asks.
//! let question = |uri: &str| {
//!     http::Request::get("/nginx")
//!         .header("x-original-method", "GET")
//!         .header("x-original-host", "example.com")
//!         .header("x-original-uri", uri)
//!         .header("authorization", key.as_str())
//! };
//! let peer = [127, 0, 0, 1].into();
//! let answer = gateway.answer(question("/sites/1?page=2").body(())?, peer).await;
//! assert_eq!((answer.status().as_u16(), &answer.headers()["x-auth-request-user"]), (200, &"user_7".parse()?));
//! assert_eq!(gateway.answer(question("/admin").body(())?, peer).await.status(), 403);
//! # Ok(())
//! # }
//! ```
//!
//! In reading order: `gateway` decides; `question` extracts the client's request from the proxy's, and `path` checks that its
//! path is unambiguous; `rule` has the requirements; `identity` expresses the caller in fields and `internal_token` in a
//! signed token; `ext_authz` is the same for Envoy over gRPC; `server` listens.

#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod error;
#[cfg(feature = "grpc")]
mod ext_authz;
mod gateway;
mod identity;
mod internal_token;
pub mod limits;
mod path;
mod question;
mod rule;
mod server;

pub use error::GatewayError;
pub use gateway::{Gateway, GatewayBuilder};
pub use identity::{Identity, InvalidIdentity};
pub use internal_token::InternalToken;
pub use rule::Rule;
pub use server::{serve, serve_metrics};
