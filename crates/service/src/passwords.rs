use crate::error::ServerError;
use crate::limits::{ARGON2_LANES, ARGON2_MEMORY_KIB, ARGON2_PASSES, MAX_PASSWORD_BYTES, PASSWORD_QUEUE_WAIT};
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use zeroize::Zeroizing;

/// Hashes and checks passwords with argon2id, off the runtime's threads and a bounded number at once.
///
/// Each hash takes [`ARGON2_MEMORY_KIB`] of memory and tens of milliseconds of one core, so as many
/// run at once as there are cores and the others wait their turn.
#[derive(Clone)]
pub(crate) struct Passwords {
    turns: Arc<Semaphore>,
    argon2: Argon2<'static>,
    /// What the password for an unknown address is checked against, so that the answer takes as
    /// long as for a known one.
    nobody: Arc<str>,
}

/// A password cannot be checked now.
#[derive(Debug)]
pub(crate) struct Busy;

impl Passwords {
    /// Computes one hash, so call it where blocking is allowed.
    pub(crate) fn new() -> Result<Self, ServerError> {
        let argon2 = argon2()?;
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let nobody = hash(&argon2, b"the password of nobody")?;
        Ok(Self { turns: Arc::new(Semaphore::new(cores)), argon2, nobody: nobody.into() })
    }

    /// Whether `password` is the one that `phc` was made from; `None` costs the same and is never it.
    pub(crate) async fn verify(&self, password: Zeroizing<String>, phc: Option<String>) -> Result<bool, Busy> {
        let turn = self.turn().await?;
        let this = self.clone();
        let checked = tokio::task::spawn_blocking(move || {
            // The turn goes with the work: a caller that goes away does not free it early.
            let _turn = turn;
            let known = phc.is_some();
            let phc = phc.as_deref().unwrap_or(&this.nobody);
            let fits = password.len() <= MAX_PASSWORD_BYTES;
            let presented = if fits { password.as_bytes() } else { b"" };
            let matches = this.argon2.verify_password(presented, phc).is_ok();
            matches & known & fits
        });
        // The task panics only when memory for the hash is short.
        checked.await.map_err(|_| Busy)
    }

    async fn turn(&self) -> Result<OwnedSemaphorePermit, Busy> {
        let turn = Arc::clone(&self.turns).acquire_owned();
        match tokio::time::timeout(PASSWORD_QUEUE_WAIT, turn).await {
            Ok(Ok(turn)) => Ok(turn),
            Ok(Err(_)) | Err(_) => Err(Busy),
        }
    }
}

/// Hashes a new password into a PHC string. Blocks.
pub(crate) fn hash_password(password: &[u8]) -> Result<String, ServerError> {
    hash(&argon2()?, password)
}

fn argon2() -> Result<Argon2<'static>, ServerError> {
    let params =
        Params::new(ARGON2_MEMORY_KIB, ARGON2_PASSES, ARGON2_LANES, None).map_err(|_| ServerError::PasswordHash)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn hash(argon2: &Argon2<'_>, password: &[u8]) -> Result<String, ServerError> {
    let hash = argon2.hash_password(password).map_err(|_| ServerError::PasswordHash)?;
    Ok(hash.to_string())
}
