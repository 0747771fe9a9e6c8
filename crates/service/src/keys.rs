//! The service's own signing keys: made once, kept in the store, published, and cleared away when they have retired.

use crate::error::ServerError;
use tollgate::Algorithm;
use tollgate_issuer::{SigningKey, SigningKeys};
use tollgate_storage::AccountStore;

/// The keys in the store, or new ones. `overlap`: how long a key stays published after it stopped signing, in seconds.
pub(crate) async fn open(store: &dyn AccountStore, overlap: i64) -> Result<SigningKeys, ServerError> {
    for _ in 0..ATTEMPTS {
        if let Some(stored) = store.signing_keys().await? {
            return Ok(SigningKeys::from_private_jwks(&stored.private_jwks)?.with_overlap(overlap)?);
        }
        let keys = SigningKeys::new(SigningKey::generate(Algorithm::ES256)?).with_overlap(overlap)?;
        if store.replace_signing_keys(0, &keys.to_private_jwks()).await? {
            return Ok(keys);
        }
        // Another process was first: take its keys.
    }
    Err(ServerError::SigningKeysContended)
}

/// Drops the keys whose overlap has ended, here and in the store. `now`: seconds since the Unix epoch.
pub(crate) async fn prune(store: &dyn AccountStore, keys: &SigningKeys, now: i64) -> Result<(), ServerError> {
    if keys.prune(now) > 0
        && let Some(stored) = store.signing_keys().await?
    {
        store.replace_signing_keys(stored.version, &keys.to_private_jwks()).await?;
    }
    Ok(())
}

/// Each failed attempt means that another process wrote in between, which happens once in a folder's life.
const ATTEMPTS: usize = 5;
