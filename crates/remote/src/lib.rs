#![doc = include_str!("../README.md")]
//! [`RemoteKeys`] keep the [`KeyRing`](tollgate_keys::KeyRing) of one issuer up to date. An engine reads the ring; it
//! never waits for a fetch, and a provider that rotates, lies, hangs or dies costs no valid request for as long as the
//! clocks say.
//!
//! ```
//! use tollgate::{Engine, Issuer, Request};
//! use tollgate_remote::{RemoteKeys, verify_or_refresh};
//!
//! # fn runtime() -> std::io::Result<tokio::runtime::Runtime> { tokio::runtime::Builder::new_current_thread().enable_all().build() }
//! # let jwks = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"k1","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;
//! # let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
//! # let uri = format!("http://{}/jwks.json", listener.local_addr()?);
//! # std::thread::spawn(move || {
//! #     use std::io::{Read, Write};
//! #     let (mut peer, _) = listener.accept().unwrap();
//! #     let _ = peer.read(&mut [0; 4096]);
//! #     let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length:";
//! #     peer.write_all(format!("{head} {}\r\n\r\n{jwks}", jwks.len()).as_bytes()).unwrap();
//! # });
//! # let uri = uri.as_str();
//! # runtime()?.block_on(async {
//! let keys = RemoteKeys::from_jwks_uri(uri).start()?; // "https://auth.example.com/jwks.json"
//! let engine = Engine::builder()
//!     .issuer(Issuer::new("https://auth.example.com/").audience("https://api.example.com").keys(keys.key_ring()))
//!     .build()?;
//! keys.ready().await;
//! assert_eq!(keys.health().keys, 2); // An Ed25519 key is one for `EdDSA` and one for `Ed25519`.
//!
//! let request = Request::new().authorization("Bearer not.a.token");
//! let verdict = verify_or_refresh(&engine, &request).await;
//! assert_eq!(verdict.unwrap_err().status(), 401);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Where the keys come from
//! From a [`jwks_uri`](RemoteKeys::from_jwks_uri), from a URI of [certificates](RemoteKeys::from_x509_uri), from [OpenID
//! discovery](RemoteKeys::from_openid_issuer) or from [RFC 8414 metadata](RemoteKeys::from_authorization_server), whose
//! `issuer` has to be exactly the expected one; and from [failover URIs](RemoteKeysBuilder::failover) when that one does not
//! deliver. A configuration file says the same in [`RemoteSettings`].
//!
//! - **URIs** are `https:`, or `http:` to a loopback address, or [by
//!   option](RemoteKeysBuilder::danger_accept_plain_http) in a private network. Redirects are refused. Size, keys and time
//!   are bounded ([`limits`]).
//! - **Content types**: `application/json`, `application/jwk-set+json` and other types that end in `+json`; and
//!   `application/octet-stream` and `binary/octet-stream`, which storage services give to files of no known type. All
//!   others, and none, are refused: `text/html` is that of error and login pages, `text/plain` that of the texts that users
//!   paste. [An option](RemoteKeysBuilder::danger_accept_any_content_type) accepts them. A byte order mark is skipped.
//! - **Credentials** ([`header`](RemoteKeysBuilder::header)) are sent to the origin of the configured URI alone. A value in a
//!   file is read anew for each request.
//! - **Connections** are made directly, or through the [proxy](RemoteKeysBuilder::proxy) that is configured, or by [a client
//!   of your own](RemoteKeysBuilder::http_client). A proxy that the environment names is used where [`Proxy::Environment`]
//!   says so.
//!
//! # Three clocks
//! [`Clocks`] tells them: the **freshness** of a set, the **revocation bound** and the **outage grace**. When they
//! strike is decided in [`schedule`], without any I/O.
//!
//! # What becomes of a token
//! | the provider | tokens under a key that serves | tokens under a new key |
//! |---|---|---|
//! | answers | accepted; rejected within the revocation bound after the key's removal | the first waits for one fetch ([`verify_or_refresh`]), or is rejected and hints at it ([`Engine::verify`](tollgate::Engine::verify)) |
//! | is slow, hangs, is down, sends errors, redirects, garbage or an empty set | accepted until the outage grace ends | rejected |
//! | is down when the process starts | accepted, if the set was [saved](RemoteKeysBuilder::saved_in), until the grace ends | rejected |
//! | has been down for longer than the grace | rejected: the issuer fails closed | rejected |
//! | publishes a private key | rejected if it is under this key, which is refused; [`Event::KeyRefused`] and the log say so | |
//!
//! # Unknown keys
//! Tokens that name keys which do not exist cost the sender more than us: all of them together lead to one fetch a
//! [`cool_down`](Clocks::cool_down), each verify hashes the key id and writes one word, and nothing grows. A key id
//! that a fetch has shown not to exist leads to no other one for a while, which leaves the budget to a real rotation.
//! So do tokens without a key id that no key verifies, but that they are never remembered: a forged one would hide the
//! rotation of all others.
//! Every issuer has a task, a budget and connections of its own.

#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod builder;
mod cache_control;
mod clocks;
mod connector;
mod endpoint;
mod error;
mod event;
mod fetcher;
mod headers;
mod health;
mod http_client;
mod hyper_client;
mod introspection;
mod key_document;
pub mod limits;
mod metadata;
mod proxy;
mod refresher;
mod remote_keys;
mod report;
mod saved_set;
pub mod schedule;
mod settings;
mod source;
mod status_lists;
mod store;
mod task;
mod tls;
mod token_bucket;
mod unknown_keys;
mod verifier;
mod verify_or_refresh;
mod waiting;

pub use builder::RemoteKeysBuilder;
pub use clocks::Clocks;
pub use error::{ConfigurationError, FetchError, SavedSetError};
pub use event::{Event, Observer};
pub use headers::HeaderSource;
pub use health::{Failure, Health, Status};
pub use http_client::{HttpClient, ResponseBody, Sending};
pub use introspection::{Introspection, IntrospectionBuilder, IntrospectionSettings, IntrospectionStatistics};
pub use proxy::Proxy;
pub use remote_keys::RemoteKeys;
pub use settings::{Discovery, RemoteSettings};
pub use status_lists::{StatusListSettings, StatusListsBuilder};
pub use verifier::Verifier;
pub use verify_or_refresh::verify_or_refresh;
