//! The service's own signing keys: made once, kept in the storage, published, and cleared away when they have retired.

use crate::error::ServerError;
use crate::storage::Storage;
use tollgate::Algorithm;
use tollgate_issuer::{SigningKey, SigningKeys};

/// The keys in the storage, or new ones. `overlap`: how long a key stays published after it stopped signing, in seconds.
pub(crate) fn open(storage: &Storage, overlap: i64) -> Result<SigningKeys, ServerError> {
    for _ in 0..ATTEMPTS {
        if let Some(stored) = storage.signing_keys()? {
            return Ok(SigningKeys::from_private_jwks(&stored.private_jwks)?.with_overlap(overlap)?);
        }
        let keys = SigningKeys::new(SigningKey::generate(Algorithm::ES256)?).with_overlap(overlap)?;
        if storage.replace_signing_keys(0, &keys.to_private_jwks())? {
            return Ok(keys);
        }
        // Another process was first: take its keys.
    }
    Err(ServerError::SigningKeysContended)
}

/// Drops the keys whose overlap has ended, here and in the storage. `now`: seconds since the Unix epoch.
pub(crate) fn prune(storage: &Storage, keys: &SigningKeys, now: i64) -> Result<(), ServerError> {
    if keys.prune(now) > 0
        && let Some(stored) = storage.signing_keys()?
    {
        storage.replace_signing_keys(stored.version, &keys.to_private_jwks())?;
    }
    Ok(())
}

/// Each failed attempt means that another process wrote in between, which happens once in a folder's life.
const ATTEMPTS: usize = 5;
