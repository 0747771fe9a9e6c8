#![doc = include_str!("../README.md")]
//! It is two services that share one store and one [`Engine`](tollgate::Engine):
//!
//! - **Service A** logs users in. `POST /api/v2/sessions` turns an API key, or e-mail and password, into a session token;
//!   `GET /oauth/v2/authorize` lets other sites have their users log in here (authorization code with PKCE).
//! - **Service B** lets machines in. `POST /oauth/v2/token` turns a client's id and secret into an access token.
//!
//! Every protected route learns who is calling from `Engine::verify` alone, as in any server that embeds the engine: there
//! is no back door. [`Server`] is the way in; [`Accounts`] adds users and clients; [`Users`]
//! changes users also beside a running service; a
//! [`StoreUrl`] says where they are kept.
//!
//! ```no_run
//! use tollgate_service::{Config, Server, shutdown_signal};
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let server = Server::bind(Config::default()).await?;
//! server.run(shutdown_signal()).await?;
//! # Ok(())
//! # }
//! ```

#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod accounts;
mod app;
mod audit;
mod auth;
mod backchannel_logout;
mod client_address;
mod client_authorities;
mod client_certificate;
mod clients;
mod config;
mod confirmation;
mod connection;
mod connection_count;
mod consents;
mod demo;
mod error;
mod form;
mod ids;
mod json;
mod key_rotation;
mod key_store;
mod keys;
pub mod limits;
mod login;
mod login_sessions;
mod mutual_tls;
mod network;
mod new_user;
mod nonce_secrets;
mod oauth;
mod pages;
mod password_rules;
mod passwords;
mod problem;
mod rate_limit;
mod refresh_tokens;
mod request_id;
mod revocations;
mod routes;
mod scope;
mod sealing;
mod sender;
mod server;
mod store;
mod throttle;
mod tls;
mod tokens;
mod undelivered;
mod users;

pub use accounts::{AccountError, Accounts};
pub use audit::AuditTrail;
pub use config::{AccessTokenFormat, Config, DpopNonces};
pub use error::ServerError;
pub use key_rotation::KeyRotation;
pub use key_store::NewKey;
pub use new_user::NewUser;
pub use password_rules::PasswordRefused;
pub use sealing::SealingError;
pub use server::{Certificates, Server, shutdown_signal};
pub use store::StoreUrl;
pub use tls::TlsFiles;
pub use users::{Ended, Users};
