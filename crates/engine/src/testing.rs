//! **For tests only**: principals of your own, to test handlers without minting credentials.
//!
//! They need the feature `testing`, which is off by default and belongs in the dev-dependencies:
//!
//! ```toml
//! [dev-dependencies]
//! tollgate = { version = "0.1", features = ["testing"] }
//! ```
//!
//! A [`TestingPrincipal`] does not bypass the engine. It signs a token with a secret that is made for it alone and
//! thrown away, and has an engine of its own verify that token, so the [`Principal`] comes from a proof here too. The
//! feature does not make any other engine accept more.
//!
//! Cargo enables a feature for all dependents when one of them asks for it. To see whether one does in production code,
//! run
//!
//! ```text
//! cargo tree --edges normal,build,features --invert tollgate
//! ```
//!
//! which then has a line `tollgate feature "testing"`, and below it the crate that asks. cargo-deny forbids it
//! permanently, with `exclude-dev = true` under `[graph]` in its `deny.toml`:
//!
//! ```toml
//! [[bans.features]]
//! crate = "tollgate"
//! deny = ["testing"]
//! ```
//!
//! A handler and its test:
//!
//! ```
//! use tollgate::testing::TestingPrincipal;
//! use tollgate::{Principal, Rejection};
//!
//! fn delete_site(caller: &Principal) -> Result<String, Rejection> {
//!     caller.require_scope("write:sites")?;
//!     Ok(format!("deleted by {}", caller.subject().unwrap_or("nobody")))
//! }
//!
//! let writer = TestingPrincipal::new("user_7").scopes(["write:sites"]).build();
//! assert_eq!(delete_site(&writer)?, "deleted by user_7");
//! let reader = TestingPrincipal::new("user_8").scopes(["read:sites"]).build();
//! assert_eq!(delete_site(&reader).unwrap_err().status(), 403);
//! # Ok::<(), Rejection>(())
//! ```

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use ring::rand::{SecureRandom, SystemRandom};
use ring::{digest, hmac};
use serde::Serialize;
use tollgate_apikeys::{ApiKey, ApiKeyTable, KeyFormat};
use tollgate_jwt::base64url;
use tollgate_keys::{Algorithm, KeySet};

use crate::address::AddressBlock;
use crate::engine::Engine;
use crate::issuer::Issuer;
use crate::limits::{HIGHEST_MAX_MEMBERS, MAX_HEADER_BYTES};
use crate::principal::Principal;
use crate::record::{KeyKind, KeyRecord};
use crate::request::Request;

/// **For tests only**: builds a [`Principal`] as from a JWT.
///
/// By default its issuer is `https://testing.example/`, it has no audience, scope or client, was issued now and is
/// valid for an hour. The token is always signed with HS256.
///
/// ```
/// use tollgate::testing::TestingPrincipal;
///
/// let principal = TestingPrincipal::new("user_7")
///     .issuer("https://auth.example.com/")
///     .scopes(["read:sites", "write:sites"])
///     .claim("tenant", 7)
///     .build();
/// assert_eq!((principal.subject(), principal.claim("tenant")), (Some("user_7"), Ok(Some(7))));
/// ```
#[derive(Clone, Debug)]
#[must_use = "a principal is made by `build`"]
pub struct TestingPrincipal {
    /// The JSON text of each claim.
    claims: BTreeMap<String, String>,
    issuer: String,
    key_id: String,
    expires_at: i64,
}

impl TestingPrincipal {
    /// Begins a principal of `subject`.
    ///
    /// # Panics
    /// If `subject` is empty (when it is [built](Self::build)).
    pub fn new(subject: &str) -> Self {
        let now = now();
        let begun = TestingPrincipal {
            claims: BTreeMap::new(),
            issuer: String::new(),
            key_id: "testing".to_owned(),
            expires_at: 0,
        };
        begun.issuer("https://testing.example/").claim("sub", subject).claim("iat", now).expires_at(now + 3600)
    }

    /// Sets [`Principal::issuer`].
    pub fn issuer(mut self, name: &str) -> Self {
        self.issuer = name.to_owned();
        self.claim("iss", name)
    }

    /// Sets [`Principal::audience`].
    pub fn audience<'a>(self, audience: impl IntoIterator<Item = &'a str>) -> Self {
        self.claim("aud", audience.into_iter().collect::<Vec<_>>())
    }

    /// Sets [`Principal::scopes`], each one scope-token.
    pub fn scopes<'s>(self, scopes: impl IntoIterator<Item = &'s str>) -> Self {
        self.claim("scope", scopes.into_iter().collect::<Vec<_>>())
    }

    /// Sets [`Principal::client_id`].
    pub fn client_id(self, client_id: &str) -> Self {
        self.claim("client_id", client_id)
    }

    /// Sets [`Principal::credential_id`].
    pub fn credential_id(self, token_id: &str) -> Self {
        self.claim("jti", token_id)
    }

    /// Sets [`Principal::session_id`].
    pub fn session_id(self, session_id: &str) -> Self {
        self.claim("sid", session_id)
    }

    /// Sets [`Principal::key_id`].
    pub fn key_id(mut self, key_id: &str) -> Self {
        self.key_id = key_id.to_owned();
        self
    }

    /// Sets [`Principal::expires_at`], in seconds since the Unix epoch. It may be in the past: a handler may be called
    /// late.
    pub fn expires_at(mut self, seconds: i64) -> Self {
        self.expires_at = seconds;
        self.claim("exp", seconds)
    }

    /// Sets any claim, for [`Principal::claim`] and for claims without a method here, such as `nbf`, `auth_time` or
    /// `acr`.
    ///
    /// # Panics
    /// If `value` cannot be written as JSON.
    pub fn claim(mut self, name: &str, value: impl Serialize) -> Self {
        self.claims.insert(name.to_owned(), json(&value));
        self
    }

    /// Removes a claim, such as the `sub` of a token without a user.
    pub fn without_claim(mut self, name: &str) -> Self {
        self.claims.remove(name);
        self
    }

    /// Builds the principal.
    ///
    /// # Panics
    /// If no engine could accept such a token: for example, with a text that is not a scope-token among its scopes, or
    /// with a `cnf`.
    #[must_use]
    pub fn build(&self) -> Principal {
        let secret = secret();
        let keys = KeySet::builder().hmac(Some(&self.key_id), Algorithm::HS256, &secret).build();
        let issuer = Issuer::new(&self.issuer)
            .keys(keys.expect("a secret of 32 bytes is a key"))
            .leeway(0)
            .max_members(HIGHEST_MAX_MEMBERS)
            .danger_accept_any_audience();
        let engine = Engine::builder().issuer(issuer).max_header_bytes(MAX_HEADER_BYTES).no_cache().build();
        let engine = engine.unwrap_or_else(|error| panic!("no engine has such an issuer: {error}"));
        let verdict = engine.verify_at(self.token(&secret), self.expires_at.saturating_sub(1));
        verdict.unwrap_or_else(|rejection| panic!("no engine accepts such a token: {rejection}"))
    }

    fn token(&self, secret: &[u8]) -> String {
        let members: Vec<_> = self.claims.iter().map(|(name, value)| format!("{}:{value}", json(name))).collect();
        let header = format!(r#"{{"alg":"HS256","kid":{}}}"#, json(&self.key_id));
        let payload = format!("{{{}}}", members.join(","));
        let signing_input = format!("{}.{}", base64url::encode(header), base64url::encode(payload));
        let signature = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), signing_input.as_bytes());
        format!("{signing_input}.{}", base64url::encode(signature))
    }
}

/// **For tests only**: a [`Principal`] as from the table of API keys, with this record of an API key, a client secret
/// or an access token.
///
/// ```
/// use tollgate::testing::testing_key_principal;
/// use tollgate::{KeyRecord, PrincipalKind};
///
/// let principal = testing_key_principal(KeyRecord::api_key("key_1", "user_7").scopes(["read:sites"]));
/// assert_eq!((principal.kind(), principal.credential_id()), (PrincipalKind::ApiKey, Some("key_1")));
/// ```
///
/// # Panics
/// If no engine could accept a key with such a record: for example, a disabled or revoked one.
#[must_use]
pub fn testing_key_principal(record: impl Into<KeyRecord>) -> Principal {
    let record = record.into();
    let format = KeyFormat::new("testing", "testing").expect("it is a format");
    let key = ApiKey::generate(&format).expect("the system has random bytes");
    let bearer = format!("Bearer {}", key.as_str());
    let client_id = record.client_id().unwrap_or_default().to_owned();
    let request = match record.kind() {
        KeyKind::ClientSecret => Request::new().client(&client_id, key.as_str()),
        _ => Request::new().authorization(&bearer),
    };
    let address = record.allowed_addresses().first().map(AddressBlock::first);
    let begins = record.not_before().unwrap_or(0).max(now());
    let at = record.expires_at().map_or(begins, |end| end.saturating_sub(1));
    let table = ApiKeyTable::new(format);
    table.insert(&key, record);
    let engine = Engine::builder().api_keys(table).build().expect("a table is enough");
    let verdict = engine.verify_request_at(&request.address(address), at);
    verdict.unwrap_or_else(|rejection| panic!("no engine accepts such a key: {rejection}"))
}

fn json(value: &(impl Serialize + ?Sized)) -> String {
    simd_json::to_string(value).unwrap_or_else(|error| panic!("this is no JSON: {error}"))
}

fn secret() -> [u8; digest::SHA256_OUTPUT_LEN] {
    let mut secret = [0; digest::SHA256_OUTPUT_LEN];
    SystemRandom::new().fill(&mut secret).expect("the system has random bytes");
    secret
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("the time is past 1970");
    since.as_secs().cast_signed()
}
