#![doc = include_str!("../README.md")]
//! A server hands over the value of the Authorization header and gets back a [`Principal`] (who is calling, by which
//! credential, with which scopes, until when) or a [`Rejection`] (why not, which status, which challenge). JWTs, API
//! keys, opaque tokens and client credentials are all verified by the same call. [`AcceptedCredentials`] lists the
//! accepted credentials. A [`Request`] carries more of a request than its header.
//!
//! ```
//! use tollgate::{ApiKey, ApiKeyTable, Engine, KeyFormat, KeyRecord};
//!
//! let format = KeyFormat::new("tg", "live")?;
//! let (key, table) = (ApiKey::generate(&format)?, ApiKeyTable::new(format));
//! table.insert(&key, KeyRecord::api_key("key_1", "user_7").scopes(["read:sites"]));
//!
//! let engine = Engine::builder().api_keys(table).build()?;
//! let principal = engine.verify(key.as_str())?;
//! assert_eq!(principal.subject(), Some("user_7"));
//! principal.require_scope("read:sites")?;
//! assert_eq!(engine.verify("Bearer nonsense").unwrap_err().status(), 401);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! JWTs need an [`Issuer`] with its keys:
//!
//! ```
//! use tollgate::{Engine, Issuer, KeySet};
//!
//! let jwks = br#"{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"k1","use":"sig",
//!     "x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;
//! let keys = KeySet::builder().jwks(jwks)?.build()?;
//! let engine = Engine::builder()
//!     .issuer(Issuer::new("https://auth.example.com/").audience("https://api.example.com").keys(keys))
//!     .build()?;
//! assert_eq!(engine.verify("").unwrap_err().code(), "missing-credential");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Features
//!
//! | feature | gives |
//! |---|---|
//! | `ring` (on by default), `aws-lc-rs`, `fips`, `ed25519-tables` | the cryptography: see [`keys`] |
//! | `apikeys` (on by default) | API keys, opaque tokens and client secrets. Without it the engine verifies JWTs, and opaque tokens by introspection |
//! | `axum` | [`Rejection`] is an axum response, so that a handler returns `Result<_, Rejection>` |
//! | `serde` | [`IssuerSettings`] can be deserialised |
//! | `explain` | `Engine::explain`: explains a verification step by step |
//! | `testing` | `testing`: principals for the tests of handlers, not for production |

#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod accepted;
mod address;
#[cfg(feature = "apikeys")]
pub mod apikeys;
mod basic;
mod builder;
mod cache;
mod certificate_field;
mod challenge;
mod claims;
mod clock;
mod confirmation;
mod credential;
mod dpop;
mod engine;
mod examined;
mod excerpt;
#[cfg(feature = "explain")]
mod explain;
#[cfg(feature = "axum")]
mod into_response;
mod introspection;
mod issuer;
pub mod jwt;
pub mod keys;
mod known;
pub mod limits;
mod observer;
mod peer;
mod policy;
mod principal;
mod public_origin;
mod record;
mod rejection;
mod request;
mod requirement;
mod revocation;
mod scopes;
mod sources;
mod status_lists;
mod sync;
mod table;
#[cfg(feature = "testing")]
pub mod testing;
mod thread;
mod token;
mod trusted_proxies;
mod unavailable;
mod validator;

pub use accepted::AcceptedCredentials;
pub use address::{AddressBlock, NotAnAddressBlock};
pub use builder::{BuildError, EngineBuilder};
pub use cache::{CacheConfig, CacheStatistics};
pub use certificate_field::CertificateField;
pub use challenge::Challenge;
pub use claims::ClaimsError;
pub use confirmation::{ConfirmationMethod, NotAConfirmationMethod};
pub use dpop::{
    Dpop, DpopError, NonceSecrets, NotSpent, ProofAlgorithms, ProofError, ReplayMemory, ReplayStatistics, ReplayStore,
    SpentProof, VerifiedProof,
};
pub use engine::Engine;
pub use examined::Examined;
#[cfg(feature = "explain")]
pub use explain::{ExplainedStep, StepOutcome};
pub use introspection::{
    Introspecting, IntrospectionAnswer, IntrospectionFailure, IntrospectionResponse, Introspector, UnknownToken,
};
pub use issuer::{
    ClaimPath, ClaimSources, Expected, ExpectedValue, InvalidClaimPath, InvalidScopePrefix, InvalidTemplate,
    InvalidTrustDomain, InvalidTyp, Issuer, IssuerSettings, NotOptional, OpaqueIssuer, OpaqueIssuerSettings,
    OptionalClaim, ScopeSource, ScopesFrom, SettingsError, TrustDomain, TypProfile, TypSet,
};
pub use observer::Verification;
pub use peer::{Peer, PeerCertificate};
pub use principal::{Principal, PrincipalKind};
pub use public_origin::{NotAnOrigin, PublicOrigin};
pub use record::{KeyKind, KeyRecord, KeyRecordBuilder, KeyState};
pub use rejection::{DpopChallenge, MissingKey, Rejection};
pub use request::Request;
pub use requirement::{InvalidRequirement, Requirement};
pub use revocation::{LogoutTokenError, Revocation, Revocations};
pub use scopes::Scopes;
pub use sources::{CsrfRule, InvalidSource, RequestLine, Source, Sources};
pub use status_lists::{
    MissingStatusList, StatusList, StatusListFetch, StatusListFetcher, StatusLists, WeakStatusLists,
};
pub use trusted_proxies::{ForwardedField, TrustedProxies};
pub use unavailable::Unavailable;
pub use validator::{Refusal, RefusalCode, VerifiedClaims};

#[cfg(feature = "apikeys")]
pub use tollgate_apikeys::{ApiKey, ApiKeyTable, Digest, KeyFormat, LastUse};
pub use tollgate_keys::{Algorithm, InvalidKeyUses, KeyRing, KeySet, KeyUses};

#[cfg(doctest)]
#[doc = include_str!("../../../docs/claims.md")]
struct Claims;

#[cfg(doctest)]
#[doc = include_str!("../../../docs/providers.md")]
struct Providers;
