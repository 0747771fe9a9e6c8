use std::fmt;
use std::ops::Range;

use tollgate_jwt::{CompactJws, Header};

use crate::algorithm::Algorithm;
use crate::error::VerifyError;
use crate::key_set_builder::KeySetBuilder;
use crate::key_tables;
use crate::limits::MAX_KEYS_TRIED_WITHOUT_KID;
use crate::table::ALGORITHMS;
use crate::verifying_key::VerifyingKey;

/// An immutable set of keys, indexed by (`kid`, `alg`).
///
/// Made by a [`KeySetBuilder`]. The default is the empty set, under which no token verifies.
#[derive(Clone, Default)]
pub struct KeySet {
    /// By algorithm, then by `kid`, those without one first.
    keys: Vec<VerifyingKey>,
    /// Where the keys of each algorithm start, and at last where the last one's end.
    starts: [u32; ALGORITHMS + 1],
}

impl KeySet {
    /// Starts a set.
    #[must_use]
    pub fn builder() -> KeySetBuilder {
        KeySetBuilder::default()
    }

    /// No two of `keys` have the same algorithm and `kid`, unless they have none.
    pub(crate) fn new(mut keys: Vec<VerifyingKey>) -> Self {
        key_tables::allot(&mut keys);
        keys.sort_by(|a, b| (a.algorithm(), a.kid()).cmp(&(b.algorithm(), b.kid())));
        let mut starts = [0; ALGORITHMS + 1];
        for key in &keys {
            starts[key.algorithm() as usize + 1] += 1;
        }
        for index in 0..ALGORITHMS {
            starts[index + 1] += starts[index];
        }
        KeySet { keys, starts }
    }

    /// Checks the signature of `jws` under the key that `header` names.
    ///
    /// - With `kid`: the key of that `kid` and algorithm. Where no key at all has the `kid`, the keys of the algorithm
    ///   that carry none (those from PEM, say) come into question.
    /// - Without `kid`: all keys of the algorithm.
    ///
    /// The algorithm is always that of the key; the header's has to be the same. Of several keys at most
    /// [`MAX_KEYS_TRIED_WITHOUT_KID`] are tried. `signature` is memory for the decoded signature, used again from call
    /// to call; nothing else is allocated here.
    ///
    /// # Errors
    /// [`VerifyError`]. All but [`VerifyError::BadSignature`] come before any signature check.
    pub fn verify<'a>(
        &'a self,
        jws: &CompactJws<'a>,
        header: &Header<'_>,
        signature: &mut Vec<u8>,
    ) -> Result<VerifiedJws<'a>, VerifyError> {
        let algorithm = Algorithm::from_name(header.alg()).ok_or(VerifyError::UnknownAlgorithm)?;
        let candidates = self.candidates(algorithm, header.kid())?;
        jws.decode_signature(signature).map_err(|_| VerifyError::MalformedSignature)?;
        let mut rejection = VerifyError::MalformedSignature;
        for key in candidates {
            if key.signature_bytes() != signature.len() {
                continue;
            }
            if key.verify(jws.signing_input(), signature).is_ok() {
                return Ok(VerifiedJws { jws: *jws, key });
            }
            rejection = VerifyError::BadSignature;
        }
        Err(rejection)
    }

    /// Whether a key like this one is in the set: the same key material, algorithm and `kid`.
    #[must_use]
    pub fn contains(&self, key: &VerifyingKey) -> bool {
        let range = self.range(key.algorithm());
        let start = range.start + self.keys[range.clone()].partition_point(|other| other.kid() < key.kid());
        self.keys[start..range.end]
            .iter()
            .take_while(|other| other.kid() == key.kid())
            .any(|other| other.thumbprint() == key.thumbprint())
    }

    /// The keys, by algorithm and then by `kid`.
    pub fn iter(&self) -> impl Iterator<Item = &VerifyingKey> {
        self.keys.iter()
    }

    /// The number of keys. A key that is there for two algorithms counts as two.
    #[must_use]
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there is no key.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The keys that `keep` says yes to, as a set of their own.
    #[must_use]
    pub fn filter(&self, mut keep: impl FnMut(&VerifyingKey) -> bool) -> KeySet {
        KeySet::new(self.keys.iter().filter(|key| keep(key)).cloned().collect())
    }

    fn candidates(&self, algorithm: Algorithm, kid: Option<&str>) -> Result<&[VerifyingKey], VerifyError> {
        let of_algorithm = &self.keys[self.range(algorithm)];
        let candidates = match kid {
            None => of_algorithm,
            Some(kid) => match of_algorithm.binary_search_by(|key| key.kid().cmp(&Some(kid))) {
                Ok(index) => return Ok(&of_algorithm[index..=index]),
                Err(_) => {
                    self.refuse_other_algorithm(algorithm, kid)?;
                    &of_algorithm[..of_algorithm.partition_point(|key| key.kid().is_none())]
                }
            },
        };
        match candidates.len() {
            0 => Err(VerifyError::UnknownKey),
            1..=MAX_KEYS_TRIED_WITHOUT_KID => Ok(candidates),
            candidates => Err(VerifyError::AmbiguousKey { candidates, max: MAX_KEYS_TRIED_WITHOUT_KID }),
        }
    }

    fn refuse_other_algorithm(&self, header: Algorithm, kid: &str) -> Result<(), VerifyError> {
        for key in Algorithm::all() {
            if self.keys[self.range(key)].binary_search_by(|key| key.kid().cmp(&Some(kid))).is_ok() {
                return Err(VerifyError::AlgorithmMismatch { header, key });
            }
        }
        Ok(())
    }

    fn range(&self, algorithm: Algorithm) -> Range<usize> {
        let index = algorithm as usize;
        self.starts[index] as usize..self.starts[index + 1] as usize
    }
}

impl fmt::Debug for KeySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.keys).finish()
    }
}

/// The proof that a token's signature was checked, and under which key.
///
/// Only [`KeySet::verify`] makes one. It says nothing about the claims: those are the caller's to judge.
#[derive(Clone, Copy)]
pub struct VerifiedJws<'a> {
    jws: CompactJws<'a>,
    key: &'a VerifyingKey,
}

impl<'a> VerifiedJws<'a> {
    /// The token.
    #[must_use]
    pub fn jws(&self) -> &CompactJws<'a> {
        &self.jws
    }

    /// The key under which the signature verified.
    #[must_use]
    pub fn key(&self) -> &'a VerifyingKey {
        self.key
    }
}

impl fmt::Debug for VerifiedJws<'_> {
    /// Without the token, which is a credential.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifiedJws").field("key", &self.key).finish_non_exhaustive()
    }
}
