#![doc = include_str!("../README.md")]
//! [`RemoteKeys`] keep the [`KeyRing`](tollgate_keys::KeyRing) of one issuer up to date. An engine reads the ring and
//! never waits for a fetch. A provider that rotates its keys, sends wrong data, hangs or fails costs no valid request
//! for the time that the clocks define.
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
//! assert_eq!(keys.health().keys, 2); // An Ed25519 key counts as one for `EdDSA` and one for `Ed25519`.
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
//! Keys come from a [`jwks_uri`](RemoteKeys::from_jwks_uri), from a URI of [certificates](RemoteKeys::from_x509_uri),
//! from [OpenID discovery](RemoteKeys::from_openid_issuer) or from [RFC 8414
//! metadata](RemoteKeys::from_authorization_server), whose `issuer` must equal the expected one exactly. If that source
//! fails, [failover URIs](RemoteKeysBuilder::failover) are tried. A configuration file sets the same options in
//! [`RemoteSettings`].
//!
//! - **URIs** are `https:`, or `http:` to a loopback address, or [by
//!   option](RemoteKeysBuilder::danger_accept_plain_http) `http:` in a private network. Redirects are refused. Size,
//!   number of keys and time are bounded ([`limits`]).
//! - **Content types**: `application/json`, `application/jwk-set+json` and other types that end in `+json`, and
//!   `application/octet-stream` and `binary/octet-stream`, which storage services use for files of unknown type. All
//!   others, and none, are refused: error and login pages are `text/html`, and texts that users paste are `text/plain`.
//!   [An option](RemoteKeysBuilder::danger_accept_any_content_type) accepts them. A byte order mark is ignored.
//! - **Credentials** ([`header`](RemoteKeysBuilder::header)) are sent only to the origin of the configured URI. A value
//!   in a file is read for every request.
//! - **Connections** are made directly, through the configured [proxy](RemoteKeysBuilder::proxy), or by [your own
//!   client](RemoteKeysBuilder::http_client). The proxy of the environment is used only with [`Proxy::Environment`].
//!
//! # Three clocks
//! [`Clocks`] has three: the **freshness** of a set, the **revocation bound** and the **outage grace**. [`schedule`]
//! decides what happens when, without any I/O.
//!
//! # What happens to a token
//! | the provider | tokens under a current key | tokens under a new key |
//! |---|---|---|
//! | answers | accepted; rejected within the revocation bound after the key's removal | the first waits for one fetch ([`verify_or_refresh`]), or is rejected and triggers one ([`Engine::verify`](tollgate::Engine::verify)) |
//! | is slow, hangs, is down, sends errors, redirects, garbage or an empty set | accepted until the outage grace ends | rejected |
//! | is down when the process starts | accepted, if the set was [saved](RemoteKeysBuilder::saved_in), until the grace ends | rejected |
//! | has been down for longer than the grace | rejected: the issuer fails closed | rejected |
//! | publishes a private key | rejected if it is under this key, which is refused; [`Event::KeyRefused`] and the log say so | |
//!
//! # Unknown keys
//! An attacker who sends tokens with unknown key ids pays more than the server. All such tokens together cause one
//! fetch per [`cool_down`](Clocks::cool_down). Each verify hashes the key id and writes one word, and no memory grows.
//! A key id that a fetch has shown to be missing causes no other fetch for a while, which leaves the budget to a real
//! rotation.
//!
//! The same budget applies to tokens without a key id that no key verifies. They are never remembered as missing: one
//! forged token would hide the rotation from all others.
//!
//! Every issuer has its own task, budget and connections.

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
mod sent_at;
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

pub use builder::{RemoteKeysBuilder, built_in_client};
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
