use std::hash::BuildHasher;
use std::sync::Arc;

use tollgate_jwt::{CompactJws, json};
use tollgate_keys::{Algorithm, PublicKey, VerifyingKey};

use super::{ProofAlgorithms, ProofError};
use crate::limits::{MAX_KEPT_PROOF_HEADER_BYTES, MAX_PROOF_KEYS};
use crate::sync::{Mutex, RandomState};

/// A cache of the keys of accepted proofs, by the text of the proof's header, which is the same in all proofs of a
/// client. Keys are vetted before insertion, and found by comparing the whole text. Only accepted proofs insert a key,
/// so garbage evicts none.
pub(super) struct ProofKeys {
    sets: Box<[Mutex<Set>]>,
    random: RandomState,
}

/// The key in a proof's header, ready to verify its signature. It has no tables, since most clients come only a few
/// times.
pub(super) struct ProofKey {
    header: Box<str>,
    pub(super) key: VerifyingKey,
}

#[derive(Default)]
struct Set {
    keys: [Option<Arc<ProofKey>>; WAYS],
    /// The index of the key to evict next.
    oldest: usize,
}

const WAYS: usize = 4;

impl ProofKeys {
    pub(super) fn new() -> Self {
        let sets = (0..MAX_PROOF_KEYS / WAYS).map(|_| Mutex::default()).collect();
        ProofKeys { sets, random: RandomState::new() }
    }

    /// The key of a header that was in an accepted proof.
    pub(super) fn find(&self, header: &str) -> Option<Arc<ProofKey>> {
        let set = self.set(header).lock().ok()?;
        set.keys.iter().flatten().find(|key| *key.header == *header).cloned()
    }

    /// Caches the key of an accepted proof.
    pub(super) fn keep(&self, key: &Arc<ProofKey>) {
        if key.header.len() > MAX_KEPT_PROOF_HEADER_BYTES {
            return;
        }
        let Ok(mut set) = self.set(&key.header).lock() else { return };
        if !set.keys.iter().flatten().any(|other| other.header == key.header) {
            let oldest = set.oldest;
            set.keys[oldest] = Some(key.clone());
            set.oldest = (oldest + 1) % WAYS;
        }
    }

    fn set(&self, header: &str) -> &Mutex<Set> {
        // A remainder is below the number of sets.
        &self.sets[(self.random.hash_one(header) % self.sets.len() as u64) as usize]
    }
}

impl ProofKey {
    /// Reads a proof's header (RFC 9449 section 4.2): its type, its algorithm, and its public key, which is vetted like
    /// any other.
    pub(super) fn read(proof: &CompactJws<'_>, algorithms: ProofAlgorithms) -> Result<Self, ProofError> {
        let mut buffer = json::Buffer::default();
        let (header, members) = proof.decode_header_members(&mut buffer)?;
        if !header.media_subtype().is_some_and(|typ| typ.eq_ignore_ascii_case("dpop+jwt")) {
            return Err(ProofError::Type);
        }
        let algorithm = Algorithm::from_name(header.alg()).filter(|algorithm| algorithms.contain(*algorithm));
        let algorithm = algorithm.ok_or(ProofError::AlgorithmNotAllowed)?;
        let jwk =
            members.root().get("jwk").and_then(|jwk| jwk.as_object()).ok_or(ProofError::Member { name: "jwk" })?;
        let key = PublicKey::from_jwk(&jwk, algorithm)?;
        Ok(ProofKey { header: proof.header().into(), key: VerifyingKey::new(&key, algorithm, None)? })
    }
}
