//! The measured engine, and its credentials.

use std::sync::Arc;
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use ring::digest;
use tollgate::{ApiKey, ApiKeyTable, CacheConfig, Engine, Issuer, KeyFormat, KeyRecord, KeySet};
use tollgate_issuer::limits::DEFAULT_OVERLAP_SECONDS;
use tollgate_issuer::{IssuerError, Minter, SigningKey, SigningKeys};

use super::progress::Progress;
use super::shape::Shape;
use crate::error::CommandError;

const ISSUER: &str = "https://auth.example.com/";
const AUDIENCE: &str = "https://api.example.com";

/// The number of credentials between two updates of the progress.
const STEP: usize = 256;

/// The engine and the credentials that the threads verify.
pub(crate) struct Traffic {
    pub(crate) engine: Engine,
    /// The tokens that are presented repeatedly, each as the value of an Authorization header.
    pub(crate) seen: Vec<String>,
    pub(crate) mint: Mint,
    pub(crate) api_keys: ApiKeys,
}

impl Traffic {
    pub(crate) fn new(shape: &Shape, progress: &Progress) -> Result<Self, CommandError> {
        let key = SigningKey::generate(shape.algorithm).map_err(CommandError::Issuer)?;
        let mint = Mint::new(key, shape.token_bytes).map_err(CommandError::Issuer)?;
        let api_keys = ApiKeys { format: KeyFormat::new("bench", "test").map_err(CommandError::ApiKeyFormat)? };
        let issuer = Issuer::new(ISSUER).audience(AUDIENCE).keys(mint.minter.keys().key_ring());
        let mut builder = Engine::builder().issuer(issuer);
        if shape.api_keys > 0 {
            builder = builder.api_keys(api_keys.table(shape.api_keys, progress));
        }
        builder = match shape.cache_bytes {
            Some(0) => builder.no_cache(),
            Some(bytes) => builder.cache(CacheConfig { bytes, ..CacheConfig::default() }),
            None => builder,
        };
        let engine = builder.build().map_err(CommandError::Engine)?;
        let seen = mint.many(shape, progress).map_err(CommandError::Issuer)?;
        Ok(Traffic { engine, seen, mint, api_keys })
    }
}

/// Makes tokens that differ in `sub` and `jti`.
pub(crate) struct Mint {
    minter: Minter,
    padding: String,
}

impl Mint {
    fn new(key: SigningKey, token_bytes: usize) -> Result<Self, IssuerError> {
        let keys = SigningKeys::new(key).with_overlap(DEFAULT_OVERLAP_SECONDS)?;
        let mut mint = Mint { minter: Minter::new(ISSUER, Arc::new(keys))?, padding: String::new() };
        // Three bytes of text take four characters of base64url.
        mint.padding = "x".repeat(token_bytes.saturating_sub(mint.token(0)?.len()) / 4 * 3);
        Ok(mint)
    }

    /// The keys that the engine verifies with.
    pub(crate) fn key_set(&self) -> KeySet {
        self.minter.keys().key_set()
    }

    /// The public keys, as they would be published.
    pub(crate) fn jwks(&self) -> Arc<str> {
        self.minter.keys().jwks()
    }

    /// A token that is valid for an hour.
    pub(crate) fn token(&self, number: u64) -> Result<String, IssuerError> {
        let token = self.minter.token().subject(format!("user-{number:010}")).audience(AUDIENCE);
        let token = token.client_id("web-frontend-7").scope("read:sites write:sites read:users");
        let token = token.claim("email", "someone.else@mail.example.com".into());
        token.claim("padding", self.padding.as_str().into()).mint()
    }

    /// The tokens that are presented repeatedly, made by all threads.
    fn many(&self, shape: &Shape, progress: &Progress) -> Result<Vec<String>, IssuerError> {
        progress.begin("signing tokens", shape.tokens as u64);
        let numbers: Vec<u64> = (0..shape.tokens as u64).collect();
        let part = |numbers: &[u64]| -> Result<Vec<String>, IssuerError> {
            let mut headers = Vec::with_capacity(numbers.len());
            for number in numbers {
                headers.push(format!("Bearer {}", self.token(*number)?));
                progress.advance(1);
            }
            Ok(headers)
        };
        thread::scope(|scope| {
            let parts = numbers.chunks(numbers.len().div_ceil(shape.threads).max(1));
            let threads: Vec<_> = parts.map(|numbers| scope.spawn(|| part(numbers))).collect();
            let mut all = Vec::with_capacity(numbers.len());
            for thread in threads {
                all.extend(thread.join().unwrap_or(Err(IssuerError::SigningFailed))?);
            }
            Ok(all)
        })
    }
}

/// API keys by number. A key is created again for each request, so that ten million keys are not held in clear.
pub(crate) struct ApiKeys {
    format: KeyFormat,
}

impl ApiKeys {
    pub(crate) fn key(&self, number: usize) -> ApiKey {
        let mut entropy = [0; 32];
        entropy.copy_from_slice(digest::digest(&digest::SHA256, &number.to_le_bytes()).as_ref());
        // The key is public, but its table lives only as long as the measurement.
        ApiKey::danger_from_entropy(&self.format, &entropy)
    }

    fn table(&self, size: usize, progress: &Progress) -> ApiKeyTable<KeyRecord> {
        progress.begin("making API keys", size as u64);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()) as i64;
        let table = ApiKeyTable::builder(self.format.clone()).capacity(size).build();
        for number in 0..size {
            let id = format!("key-{number:08}");
            let record = KeyRecord::api_key(&id, "user-7").scopes(["read:sites"]).expires_at(now + 86_400);
            table.insert(&self.key(number), record);
            if number % STEP == 0 {
                progress.advance(STEP as u64);
            }
        }
        table
    }
}
