use std::fmt;
use std::sync::Arc;

use ring::rand::{SecureRandom, SystemRandom};
use tollgate_keys::{Algorithm, KeyType};

use super::{NonceSecrets, ProofAlgorithms, ReplayStore};
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
    pub(super) nonces: NonceSettings,
    pub(super) replay_bytes: usize,
    pub(super) replay_store: Option<Arc<dyn ReplayStore>>,
    shared_secret: Option<[u8; 32]>,
    pub(super) started_at: Option<i64>,
}

/// Whether proofs need a nonce, and of whose secrets.
#[derive(Clone, Debug)]
pub(super) enum NonceSettings {
    NotRequired,
    Own,
    Shared(NonceSecrets),
}

impl Dpop {
    /// The defaults: proofs by ES256, EdDSA, RS256 and PS256, at most [`DEFAULT_PROOF_AGE`] seconds old, without a
    /// nonce, remembered by this engine alone in [`DEFAULT_REPLAY_BYTES`].
    #[must_use]
    pub fn new() -> Self {
        Dpop {
            algorithms: ProofAlgorithms::new([Algorithm::ES256, Algorithm::EdDSA, Algorithm::RS256, Algorithm::PS256]),
            max_age: DEFAULT_PROOF_AGE,
            nonces: NonceSettings::NotRequired,
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

    /// Accepts only proofs with a nonce of this engine (RFC 9449 sections 8 and 9), for
    /// [`NONCE_SECONDS`](crate::limits::NONCE_SECONDS). A client gets it with the rejection of a proof that has none
    /// ([`Rejection::dpop_nonce`](crate::Rejection::dpop_nonce)).
    ///
    /// The time of the nonce then counts as that of the proof, not `iat`, as section 4.3 allows: the client's clock may be
    /// wrong, and the proof was not made before the nonce. [`max_age`](Self::max_age) has no meaning.
    #[must_use]
    pub fn require_nonce(self) -> Self {
        Dpop { nonces: NonceSettings::Own, ..self }
    }

    /// As [`require_nonce`](Self::require_nonce), with a nonce of any engine that has these secrets.
    #[must_use]
    pub fn require_nonce_of(self, secrets: &NonceSecrets) -> Self {
        Dpop { nonces: NonceSettings::Shared(secrets.clone()), ..self }
    }

    /// Remembers spent proofs in at most so many bytes, from [`MIN_REPLAY_BYTES`] to [`MAX_REPLAY_BYTES`]: 32 for each
    /// proof. They are allocated with the first proof.
    #[must_use]
    pub fn replay_bytes(self, bytes: usize) -> Self {
        Dpop { replay_bytes: bytes, ..self }
    }

    /// Remembers spent proofs in `store`, which other engines may share. `secret` is the same for all of them, and
    /// known to nobody else: it keys the digests by which the store knows proofs, and nonces are made with it, unless they
    /// have [secrets of their own](Self::require_nonce_of).
    #[must_use]
    pub fn replay_store(self, store: impl Into<Arc<dyn ReplayStore>>, secret: [u8; 32]) -> Self {
        Dpop { replay_store: Some(store.into()), shared_secret: Some(secret), ..self }
    }

    /// Sets the time since which this engine alone has seen all proofs, in seconds since the Unix epoch. By default
    /// that is when it was built. Proofs that are older, or could have been accepted before that time, are rejected: so
    /// no proof is accepted for [`PROOF_AHEAD`](crate::limits::PROOF_AHEAD) seconds. With a required nonce that gap is not
    /// there: a nonce is known to be of a later time.
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
            .field("nonces", &self.nonces)
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
