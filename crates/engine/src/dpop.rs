//! Proofs of possession (DPoP, RFC 9449): whether the sender of a request has the key that its token is bound to.

mod algorithms;
mod error;
mod nonce;
mod proof;
mod proof_keys;
mod replay;
mod settings;
mod target;

pub use algorithms::ProofAlgorithms;
pub use error::ProofError;
pub use nonce::NonceSecrets;
pub use proof::VerifiedProof;
pub use replay::{NotSpent, ReplayMemory, ReplayStatistics, ReplayStore, SpentProof};
pub use settings::{Dpop, DpopError};

use std::fmt;
use std::sync::{Arc, OnceLock};

use tollgate_keys::sha256;

use crate::clock::Now;
use crate::limits::PROOF_AHEAD;
use crate::rejection::{DpopChallenge, Rejection};
use crate::unavailable::Unavailable;

use proof::Proof;
use proof_keys::ProofKeys;
use settings::NonceSettings;

/// The state with which an engine checks proofs.
pub(crate) struct DpopChecks {
    settings: Dpop,
    /// Keys the digests by which proofs are remembered, so that no client can choose where its proof is stored.
    secret: [u8; 32],
    nonces: Option<NonceSecrets>,
    /// Created with the first proof: most engines see none.
    memory: OnceLock<ProofMemory>,
    /// The start of the [memory](ReplayMemory::new) of proofs, in seconds since the Unix epoch.
    started_at: i64,
}

struct ProofMemory {
    keys: ProofKeys,
    replays: Arc<dyn ReplayStore>,
}

impl DpopChecks {
    /// `started_at`: the time at which the engine is built.
    pub(crate) fn new(settings: Dpop, started_at: i64) -> Result<Self, DpopError> {
        settings.check()?;
        let secret = settings.secret()?;
        let started_at = settings.started_at.unwrap_or(started_at);
        let (nonces, started_at) = match &settings.nonces {
            NonceSettings::NotRequired => (None, started_at),
            // No nonce of a secret that is made now was in a proof before.
            NonceSettings::Own => (Some(NonceSecrets::new(&sha256(&[&secret, &b"nonce"[..]].concat()))), i64::MIN),
            // One may have been, but unlike an `iat` it is not accepted ahead of its time.
            NonceSettings::Shared(secrets) => (Some(secrets.clone()), started_at.saturating_sub(PROOF_AHEAD)),
        };
        Ok(DpopChecks { secret, nonces, memory: OnceLock::new(), started_at, settings })
    }

    /// Spends a proof that has passed all other checks: the last step.
    fn spend(&self, proof: &Proof<'_>, jkt: &[u8; 32], now: Now) -> Result<(), Rejection> {
        let spent = SpentProof {
            id: first_16(&self.digest(jkt, proof.jti.as_bytes())),
            key: first_8(&self.digest(jkt, b"")),
            issued_at: proof.issued_at,
            expires_at: proof.expires_at,
            now: now.earliest,
        };
        match self.memory().replays.spend(&spent) {
            Ok(()) => Ok(()),
            Err(NotSpent::Replayed) => Err(ProofError::Replayed.into()),
            // With the next nonce a proof is one of a later time.
            Err(NotSpent::Forgotten { .. }) if self.nonces.is_some() => Err(ProofError::WrongNonce.into()),
            Err(NotSpent::Forgotten { floor }) => {
                Err(ProofError::Forgotten { issued_at: proof.issued_at, floor }.into())
            }
            Err(NotSpent::Unavailable) => Err(Unavailable::ReplayStore.into()),
        }
    }

    fn digest(&self, jkt: &[u8; 32], jti: &[u8]) -> [u8; 32] {
        sha256(&[&self.secret, &jkt[..], jti].concat())
    }

    /// `None` before the first proof, and if the store is not in memory.
    pub(crate) fn statistics(&self) -> Option<ReplayStatistics> {
        self.memory.get()?.replays.statistics()
    }

    fn memory(&self) -> &ProofMemory {
        self.memory.get_or_init(|| ProofMemory {
            keys: ProofKeys::new(),
            replays: self
                .settings
                .replay_store
                .clone()
                .unwrap_or_else(|| Arc::new(ReplayMemory::new(self.settings.replay_bytes, self.started_at))),
        })
    }

    /// The challenge for a client that has to send a proof, or another one.
    pub(crate) fn challenge(&self, now: Now) -> DpopChallenge {
        let nonce = self.nonces.as_ref().map(|nonces| nonces.at(now.earliest).into());
        DpopChallenge { algorithms: self.settings.algorithms, nonce }
    }
}

impl fmt::Debug for DpopChecks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.settings.fmt(f)
    }
}

fn first_16(digest: &[u8; 32]) -> [u8; 16] {
    digest.first_chunk().copied().unwrap_or_default()
}

fn first_8(digest: &[u8; 32]) -> u64 {
    digest.first_chunk().copied().map_or(0, u64::from_le_bytes)
}
