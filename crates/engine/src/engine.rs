use std::cell::RefCell;
use std::sync::Arc;

use tollgate_apikeys::ApiKeyTable;
use tollgate_jwt::{CompactJws, HeaderCache, json};
use tollgate_keys::{Algorithm, KeyRing, VerifyError};

use crate::basic::BasicCredentials;
use crate::builder::EngineBuilder;
use crate::clock::Clock;
use crate::credential::Credential;
use crate::issuer::Issuers;
use crate::policy::{check_begun, check_not_expired};
use crate::principal::Principal;
use crate::record::{KeyKind, KeyRecord};
use crate::rejection::Rejection;
use crate::token::TokenText;

/// The token verification engine: the value of an Authorization header in, a [`Principal`] or a [`Rejection`] out.
///
/// It is meant to be built once, put into an [`Arc`] and used by every thread. It never blocks and does no I/O.
#[derive(Debug)]
pub struct Engine {
    issuers: Issuers,
    api_keys: Option<Arc<ApiKeyTable<KeyRecord>>>,
    max_header_bytes: usize,
    clock: Clock,
}

impl Engine {
    /// Begins to configure an engine.
    #[must_use]
    pub fn builder() -> EngineBuilder {
        EngineBuilder::new()
    }

    pub(crate) fn new(
        issuers: Issuers,
        api_keys: Option<Arc<ApiKeyTable<KeyRecord>>>,
        max_header_bytes: usize,
        clock: Clock,
    ) -> Self {
        Engine { issuers, api_keys, max_header_bytes, clock }
    }

    /// Verifies the value of an Authorization header: `Bearer` with a JWT, an API key or an opaque token; `Basic` with
    /// a client's id and secret; or a JWT or API key with no scheme.
    ///
    /// # Errors
    /// [`Rejection`] says why not.
    pub fn verify(&self, header: &[u8]) -> Result<Principal, Rejection> {
        self.verify_at(header, self.clock.now())
    }

    /// [`Engine::verify`] at a given time: `now`, in seconds since the Unix epoch.
    ///
    /// # Errors
    /// As [`Engine::verify`].
    pub fn verify_at(&self, header: &[u8], now: i64) -> Result<Principal, Rejection> {
        self.admit(Credential::parse(header, self.max_header_bytes)?, now)
    }

    /// Verifies an API key from a header of its own, such as `X-API-Key`.
    ///
    /// # Errors
    /// As [`Engine::verify`].
    pub fn verify_api_key(&self, value: &[u8]) -> Result<Principal, Rejection> {
        self.verify_api_key_at(value, self.clock.now())
    }

    /// [`Engine::verify_api_key`] at a given time: `now`, in seconds since the Unix epoch.
    ///
    /// # Errors
    /// As [`Engine::verify`].
    pub fn verify_api_key_at(&self, value: &[u8], now: i64) -> Result<Principal, Rejection> {
        self.admit(Credential::parse_api_key(value, self.max_header_bytes)?, now)
    }

    /// The keys that decide on the JWT in the value of an Authorization header: those of the issuer that it claims to
    /// be from. Nothing of the token is verified by this. For whoever can fetch a key that is not there.
    ///
    /// # Errors
    /// [`Rejection`] where there is no JWT, it cannot be read, or the issuer is not configured.
    pub fn key_ring_of(&self, header: &[u8]) -> Result<&KeyRing, Rejection> {
        let Credential::Jws(token) = Credential::parse(header, self.max_header_bytes)? else {
            return Err(Rejection::CredentialNotAccepted);
        };
        let jws = CompactJws::parse_within(token, self.max_header_bytes)?;
        SCRATCH.with_borrow_mut(|scratch| {
            let claims = jws.decode_claims(&mut scratch.claims)?;
            Ok(self.issuers.find(claims.iss())?.key_ring())
        })
    }

    fn admit(&self, credential: Credential<'_>, now: i64) -> Result<Principal, Rejection> {
        match credential {
            Credential::Jws(token) => self.admit_jws(token, now),
            Credential::ApiKey(key) => self.admit_key(key, &[KeyKind::ApiKey], now),
            Credential::OpaqueToken(token) => self.admit_key(token, &[KeyKind::ApiKey, KeyKind::AccessToken], now),
            Credential::Basic(credentials) => self.admit_client(credentials, now),
        }
    }

    fn admit_jws(&self, token: &str, now: i64) -> Result<Principal, Rejection> {
        if self.issuers.is_empty() {
            return Err(Rejection::CredentialNotAccepted);
        }
        SCRATCH.with_borrow_mut(|scratch| {
            let jws = CompactJws::parse_within(token, self.max_header_bytes)?;
            let header = scratch.headers.decode(&jws)?;
            let algorithm = Algorithm::from_name(header.alg()).ok_or(Rejection::AlgorithmNotAllowed)?;
            let claims = jws.decode_claims(&mut scratch.claims)?;
            let issuer = self.issuers.find(claims.iss())?;
            issuer.policy().check(algorithm, &header, &claims, now)?;
            let keys = issuer.key_ring().load();
            let proof = keys.verify(&jws, &header, &mut scratch.signature).map_err(|error| {
                if error == VerifyError::UnknownKey {
                    issuer.key_ring().report_unknown_key(header.kid());
                }
                Rejection::unverified(error, header.kid())
            })?;
            Ok(Principal::from_jws(&proof, &claims, &mut scratch.text))
        })
    }

    fn admit_key(&self, key: &str, kinds: &[KeyKind], now: i64) -> Result<Principal, Rejection> {
        let table = self.api_keys.as_ref().ok_or(Rejection::CredentialNotAccepted)?;
        let proof = table.find(key.as_bytes())?;
        let record = proof.record();
        if !kinds.contains(&record.kind()) {
            return Err(Rejection::UnknownApiKey);
        }
        check_validity(record, now)?;
        Ok(Principal::from_key(proof))
    }

    fn admit_client(&self, credentials: &str, now: i64) -> Result<Principal, Rejection> {
        let table = self.api_keys.as_ref().ok_or(Rejection::CredentialNotAccepted)?;
        let credentials = BasicCredentials::decode(credentials)?;
        let proof = table.find(credentials.password()).map_err(|_| Rejection::UnknownClient)?;
        let record = proof.record();
        if record.kind() != KeyKind::ClientSecret || record.client() != Some(credentials.user_id()) {
            return Err(Rejection::UnknownClient);
        }
        check_validity(record, now)?;
        Ok(Principal::from_key(proof))
    }
}

/// No leeway: the clock that set these times is the one that checks them.
fn check_validity(record: &KeyRecord, now: i64) -> Result<(), Rejection> {
    let (not_before, expires_at) = record.validity();
    not_before.map_or(Ok(()), |begin| check_begun(begin, 0, now))?;
    expires_at.map_or(Ok(()), |end| check_not_expired(end, 0, now))
}

/// A thread's memory for the token at hand, so that a verify allocates only what its [`Principal`] keeps.
#[derive(Default)]
struct Scratch {
    headers: HeaderCache,
    claims: json::Buffer,
    signature: Vec<u8>,
    text: TokenText,
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}
