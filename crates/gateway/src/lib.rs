#![doc = include_str!("../README.md")]
//! A proxy asks about each request before it lets it pass: nginx with `auth_request`, Caddy and Traefik with `forward_auth`, Envoy with
//! `ext_authz`, over HTTP and gRPC. A [`Gateway`] answers: by its [rules](Rule) which requests need what, by the road of every
//! tollgate server whether the credential is good, and with [identity fields](Identity) that the proxy puts into the request, over any
//! copies that the client sent. What no rule covers, and a path that two servers could read differently, is denied.
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
//! In reading order: `gateway` decides; `question` finds in what a proxy sends the request that it is about, and `path` whether its
//! path has one reading; `rule` says who may pass; `identity` says who is passing in fields and `internal_token` in a signed token; `ext_authz` is the
//! same for Envoy over gRPC; `server` listens.

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
