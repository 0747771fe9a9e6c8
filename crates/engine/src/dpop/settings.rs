use std::fmt;
use std::sync::Arc;

use ring::rand::{SecureRandom, SystemRandom};
use tollgate_keys::{Algorithm, KeyType};

use super::{ProofAlgorithms, ReplayStore};
use crate::limits::{DEFAULT_PROOF_AGE, DEFAULT_REPLAY_BYTES, MAX_PROOF_AGE, MAX_REPLAY_BYTES, MIN_REPLAY_BYTES};

/// How an engine checks proofs of possession (DPoP, RFC 9449), for [`EngineBuilder::dpop`](crate::EngineBuilder::dpop).
///
/// ```
/// use tollgate::{Algorithm, Dpop, Engine, Issuer, KeyRing, KeySet};
///
/// let keys = KeyRing::new(KeySet::default());
/// let engine = Engine::builder()
///     .issuer(Issuer::new("https://auth.example.com/").audience("https://api.example.com").keys(keys))
///     .dpop(Dpop::new().algorithms([Algorithm::ES256]).require_nonce())
///     .build()?;
/// # Ok::<(), tollgate::BuildError>(())
/// ```
#[derive(Clone)]
pub struct Dpop {
    pub(super) algorithms: ProofAlgorithms,
    pub(super) max_age: u32,
    pub(super) nonce_required: bool,
    pub(super) replay_bytes: usize,
    pub(super) replay_store: Option<Arc<dyn ReplayStore>>,
    shared_secret: Option<[u8; 32]>,
    pub(super) started_at: Option<i64>,
}

impl Dpop {
    /// The defaults: proofs by ES256, EdDSA, RS256 and PS256, at most [`DEFAULT_PROOF_AGE`] seconds old, without a
    /// nonce, remembered by this engine alone in [`DEFAULT_REPLAY_BYTES`].
    #[must_use]
    pub fn new() -> Self {
        Dpop {
            algorithms: ProofAlgorithms::new([Algorithm::ES256, Algorithm::EdDSA, Algorithm::RS256, Algorithm::PS256]),
            max_age: DEFAULT_PROOF_AGE,
            nonce_required: false,
            replay_bytes: DEFAULT_REPLAY_BYTES,
            replay_store: None,
            shared_secret: None,
            started_at: None,
        }
    }

    /// Accepts proofs by these algorithms only.
    #[must_use]
    pub fn algorithms(self, algorithms: impl IntoIterator<Item = Algorithm>) -> Self {
        Dpop { algorithms: ProofAlgorithms::new(algorithms), ..self }
    }

    /// Accepts proofs whose `iat` is at most so many seconds in the past, from 1 to [`MAX_PROOF_AGE`]. `iat` may be
    /// [`PROOF_AHEAD`](crate::limits::PROOF_AHEAD) seconds in the future.
    #[must_use]
    pub fn max_age(self, seconds: u32) -> Self {
        Dpop { max_age: seconds, ..self }
    }

    /// Accepts only proofs with a nonce of this engine (RFC 9449 section 9). The nonce changes every
    /// [`NONCE_SECONDS`](crate::limits::NONCE_SECONDS), and stays valid for as long again. A client gets it with the
    /// rejection of a proof that has none ([`Rejection::dpop_nonce`](crate::Rejection::dpop_nonce)).
    #[must_use]
    pub fn require_nonce(self) -> Self {
        Dpop { nonce_required: true, ..self }
    }

    /// Remembers spent proofs in at most so many bytes, from [`MIN_REPLAY_BYTES`] to [`MAX_REPLAY_BYTES`]: 32 for each
    /// proof. They are allocated with the first proof.
    #[must_use]
    pub fn replay_bytes(self, bytes: usize) -> Self {
        Dpop { replay_bytes: bytes, ..self }
    }

    /// Remembers spent proofs in `store`, which other engines may share. `secret` is the same for all of them, and
    /// known to nobody else: it keys the digests by which the store knows proofs, and the nonces are made with it.
    #[must_use]
    pub fn replay_store(self, store: impl Into<Arc<dyn ReplayStore>>, secret: [u8; 32]) -> Self {
        Dpop { replay_store: Some(store.into()), shared_secret: Some(secret), ..self }
    }

    /// Sets the time since which this engine alone has seen all proofs, in seconds since the Unix epoch. By default
    /// that is when it was built. Proofs that are older, or could have been accepted before that time, are rejected: so
    /// no proof is accepted for [`PROOF_AHEAD`](crate::limits::PROOF_AHEAD) seconds.
    #[must_use]
    pub fn started_at(self, time: i64) -> Self {
        Dpop { started_at: Some(time), ..self }
    }

    pub(super) fn check(&self) -> Result<(), DpopError> {
        if self.algorithms.iter().next().is_none() {
            return Err(DpopError::NoAlgorithm);
        }
        let is_unfit = |algorithm: &Algorithm| algorithm.key_type() == KeyType::Oct || !algorithm.is_supported();
        if let Some(algorithm) = self.algorithms.iter().find(is_unfit) {
            return Err(DpopError::Algorithm { algorithm });
        }
        if !(1..=MAX_PROOF_AGE).contains(&self.max_age) {
            return Err(DpopError::MaxAge { seconds: self.max_age });
        }
        if !(MIN_REPLAY_BYTES..=MAX_REPLAY_BYTES).contains(&self.replay_bytes) {
            return Err(DpopError::ReplayBytes { bytes: self.replay_bytes });
        }
        Ok(())
    }

    pub(super) fn secret(&self) -> Result<[u8; 32], DpopError> {
        let mut secret = [0; 32];
        match self.shared_secret {
            Some(shared) => secret = shared,
            // Each run of a model must be the same.
            None if cfg!(tollgate_model) => {}
            None => SystemRandom::new().fill(&mut secret).map_err(|_| DpopError::NoRandomness)?,
        }
        Ok(secret)
    }
}

impl Default for Dpop {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Dpop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dpop")
            .field("algorithms", &self.algorithms)
            .field("max_age", &self.max_age)
            .field("nonce_required", &self.nonce_required)
            .field("replay_bytes", &self.replay_bytes)
            .finish_non_exhaustive()
    }
}

/// Why the settings of proofs cannot work.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum DpopError {
    /// No algorithm is accepted, so that every proof would be rejected.
    NoAlgorithm,
    /// An algorithm is symmetric, or this build does not support it.
    Algorithm {
        /// The algorithm.
        algorithm: Algorithm,
    },
    /// The maximum age of proofs is not 1 to [`MAX_PROOF_AGE`] seconds.
    MaxAge {
        /// The seconds that were asked for.
        seconds: u32,
    },
    /// The memory of spent proofs is not [`MIN_REPLAY_BYTES`] to [`MAX_REPLAY_BYTES`].
    ReplayBytes {
        /// The bytes that were asked for.
        bytes: usize,
    },
    /// The system has no random bytes for a secret.
    NoRandomness,
}

impl fmt::Display for DpopError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DpopError::NoAlgorithm => f.write_str("no algorithm of proofs is accepted; name one"),
            DpopError::Algorithm { algorithm } => {
                write!(f, "proofs cannot be by {algorithm}: it is symmetric, or this build lacks it")
            }
            DpopError::MaxAge { seconds } => {
                write!(f, "proofs may be {seconds} s old; 1 to {MAX_PROOF_AGE} s are allowed (max_age)")
            }
            DpopError::ReplayBytes { bytes } => write!(
                f,
                "spent proofs have {bytes} bytes; {MIN_REPLAY_BYTES} to {MAX_REPLAY_BYTES} are allowed (replay_bytes)"
            ),
            DpopError::NoRandomness => f.write_str("the system has no random bytes for the secret of proofs"),
        }
    }
}

impl std::error::Error for DpopError {}
