use std::collections::HashSet;
use std::fmt;
use std::ops::Range;

use tollgate_jwt::{CompactJws, Header};

use crate::algorithm::Algorithm;
use crate::certificate_index::CertificateIndex;
use crate::error::{BadSignature, VerifyError};
use crate::key_set_builder::KeySetBuilder;
use crate::key_tables;
use crate::limits::MAX_KEYS_TRIED_WITHOUT_KID;
use crate::table::{self, ALGORITHMS};
use crate::verifying_key::VerifyingKey;

/// An immutable set of keys, indexed by (`kid`, `alg`).
///
/// Built by a [`KeySetBuilder`]. The default is the empty set, under which no token verifies.
#[derive(Clone, Default)]
pub struct KeySet {
    /// Sorted by algorithm, then by `kid`, keys without one first. No two have the same algorithm, `kid` and
    /// thumbprint.
    keys: Vec<VerifyingKey>,
    /// The start of each algorithm's keys; the last element is the end of the last algorithm's keys.
    starts: Starts,
    /// The positions in `keys`, without keys that occur earlier with the same algorithm and special purposes under
    /// another `kid`.
    distinct: Vec<u32>,
    /// Like `starts`, for `distinct`.
    distinct_starts: Starts,
    certificates: CertificateIndex,
}

impl KeySet {
    /// Starts to build a set.
    #[must_use]
    pub fn builder() -> KeySetBuilder {
        KeySetBuilder::default()
    }

    /// `keys` must be distinct, and no two may have the same algorithm and `kid`, except keys without one.
    pub(crate) fn new(mut keys: Vec<VerifyingKey>) -> Self {
        key_tables::allot(&mut keys);
        keys.sort_by(|a, b| (a.algorithm(), a.kid()).cmp(&(b.algorithm(), b.kid())));
        let (mut seen, mut distinct) = (HashSet::new(), Vec::<u32>::new());
        for (position, key) in (0..).zip(&keys) {
            if seen.insert((key.algorithm(), key.thumbprint(), key.special_purposes())) {
                distinct.push(position);
            }
        }
        let distinct_starts = starts(distinct.iter().map(|position| keys[*position as usize].algorithm()));
        let (starts, certificates) = (starts(keys.iter().map(VerifyingKey::algorithm)), CertificateIndex::new(&keys));
        KeySet { starts, keys, distinct, distinct_starts, certificates }
    }

    /// Checks the signature of `jws` under the key that `header` names.
    ///
    /// - A `kid` that a key has: the key with that `kid` and algorithm.
    /// - Another `kid`: the keys of the algorithm that have no `kid` (for example from PEM).
    /// - No `kid`, but an `x5t#S256` or `x5t` that the JWK of one key of the algorithm has: that key. These are used as
    ///   names only; no certificate is read.
    /// - Neither: all keys of the algorithm. A key with several names is tried once.
    ///
    /// The key determines the algorithm, and the header's `alg` must be equal. At most [`MAX_KEYS_TRIED_WITHOUT_KID`]
    /// keys are tried. `signature` is reusable memory for the decoded signature; nothing else is allocated here.
    ///
    /// A key's [`purposes`](VerifyingKey::purposes) are not checked, because the token's issuer is not known here. With
    /// [`KeySet::verify_if`] the caller checks them.
    ///
    /// # Errors
    /// [`VerifyError`]. All except [`VerifyError::BadSignature`] and [`VerifyError::NoKeyVerifies`] are returned before
    /// any signature check.
    pub fn verify<'a>(
        &'a self,
        jws: &CompactJws<'a>,
        header: &Header<'_>,
        signature: &mut Vec<u8>,
    ) -> Result<VerifiedJws<'a>, VerifyError> {
        self.verify_if(jws, header, signature, |_| true)
    }

    /// Like [`KeySet::verify`], but only under keys for which `admits` returns true. If the header's `kid` names a key
    /// that is not admitted, no other is tried.
    ///
    /// # Errors
    /// The errors of [`KeySet::verify`], and [`VerifyError::KeyNotAdmitted`].
    #[inline]
    pub fn verify_if<'a>(
        &'a self,
        jws: &CompactJws<'a>,
        header: &Header<'_>,
        signature: &mut Vec<u8>,
        admits: impl Fn(&VerifyingKey) -> bool,
    ) -> Result<VerifiedJws<'a>, VerifyError> {
        let algorithm = Algorithm::from_name(header.alg()).ok_or(VerifyError::UnknownAlgorithm)?;
        let named = match header.kid() {
            Some(kid) => self.named(algorithm, kid)?,
            None => self.certificates.find(algorithm, header).map(|position| &self.keys[position as usize]),
        };
        let candidates = match named {
            Some(key) if !admits(key) => return Err(VerifyError::KeyNotAdmitted),
            Some(_) => &[],
            None => self.unnamed(algorithm, header.kid())?,
        };
        jws.decode_signature(signature).map_err(|_| VerifyError::MalformedSignature)?;
        match named {
            Some(key) if key.signature_bytes() != signature.len() => Err(VerifyError::MalformedSignature),
            Some(key) => match key.verify(jws.signing_input(), signature) {
                Ok(()) => Ok(VerifiedJws { jws: *jws, key }),
                Err(BadSignature) => Err(VerifyError::BadSignature),
            },
            None => self.try_each(algorithm, candidates, jws, signature, admits),
        }
    }

    fn try_each<'a>(
        &'a self,
        algorithm: Algorithm,
        candidates: &[u32],
        jws: &CompactJws<'a>,
        signature: &[u8],
        admits: impl Fn(&VerifyingKey) -> bool,
    ) -> Result<VerifiedJws<'a>, VerifyError> {
        if !table::row(algorithm).signature_length.admits(signature.len()) {
            return Err(VerifyError::MalformedSignature);
        }
        let mut tried = 0;
        let keys = candidates.iter().map(|position| &self.keys[*position as usize]);
        for key in keys.filter(|key| key.signature_bytes() == signature.len() && admits(key)) {
            if key.verify(jws.signing_input(), signature).is_ok() {
                return Ok(VerifiedJws { jws: *jws, key });
            }
            tried += 1;
        }
        // An RSA key of another length may have made the signature.
        if tried == 0 { Err(VerifyError::UnknownKey) } else { Err(VerifyError::NoKeyVerifies { tried }) }
    }

    /// Whether the set contains a key with the same key material, algorithm and `kid`.
    #[must_use]
    pub fn contains(&self, key: &VerifyingKey) -> bool {
        self.find_same(key).is_some()
    }

    /// The set's own key with the same key material, algorithm and `kid`, which may have other
    /// [purposes](VerifyingKey::purposes).
    #[must_use]
    pub fn find_same(&self, key: &VerifyingKey) -> Option<&VerifyingKey> {
        let range = self.range(key.algorithm());
        let start = range.start + self.keys[range.clone()].partition_point(|other| other.kid() < key.kid());
        self.keys[start..range.end]
            .iter()
            .take_while(|other| other.kid() == key.kid())
            .find(|other| other.thumbprint() == key.thumbprint())
    }

    /// Iterates over the keys, by algorithm and then by `kid`.
    pub fn iter(&self) -> impl Iterator<Item = &VerifyingKey> {
        self.keys.iter()
    }

    /// The number of keys. A key that is used for two algorithms counts as two.
    #[must_use]
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there is no key.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Returns a set of the keys for which `keep` returns true.
    #[must_use]
    pub fn filter(&self, mut keep: impl FnMut(&VerifyingKey) -> bool) -> KeySet {
        KeySet::new(self.keys.iter().filter(|key| keep(key)).cloned().collect())
    }

    /// Finds the key with `kid` and `algorithm`. None if no key has the `kid`.
    fn named(&self, algorithm: Algorithm, kid: &str) -> Result<Option<&VerifyingKey>, VerifyError> {
        let of_algorithm = |algorithm| {
            let keys = &self.keys[self.range(algorithm)];
            keys.binary_search_by(|key| key.kid().cmp(&Some(kid))).ok().map(|index| &keys[index])
        };
        if let Some(key) = of_algorithm(algorithm) {
            return Ok(Some(key));
        }
        match Algorithm::all().find(|other| of_algorithm(*other).is_some()) {
            Some(key) => Err(VerifyError::AlgorithmMismatch { header: algorithm, key }),
            None => Ok(None),
        }
    }

    /// The positions of the keys to try when the header names none. `kid`: the token's `kid`, which no key has.
    fn unnamed(&self, algorithm: Algorithm, kid: Option<&str>) -> Result<&[u32], VerifyError> {
        let mut candidates = &self.distinct[range(&self.distinct_starts, algorithm)];
        if kid.is_some() {
            // Keys without a `kid` are sorted first, so `distinct` contains all of them.
            let is_nameless = |position: &u32| self.keys[*position as usize].kid().is_none();
            candidates = &candidates[..candidates.partition_point(is_nameless)];
        }
        match candidates.len() {
            0 => Err(VerifyError::UnknownKey),
            1..=MAX_KEYS_TRIED_WITHOUT_KID => Ok(candidates),
            candidates => Err(VerifyError::AmbiguousKey { candidates, max: MAX_KEYS_TRIED_WITHOUT_KID }),
        }
    }

    fn range(&self, algorithm: Algorithm) -> Range<usize> {
        range(&self.starts, algorithm)
    }
}

type Starts = [u32; ALGORITHMS + 1];

/// The start of each algorithm's keys. `algorithms` is sorted.
fn starts(algorithms: impl Iterator<Item = Algorithm>) -> Starts {
    let mut starts = [0; ALGORITHMS + 1];
    for algorithm in algorithms {
        starts[algorithm as usize + 1] += 1;
    }
    for index in 0..ALGORITHMS {
        starts[index + 1] += starts[index];
    }
    starts
}

fn range(starts: &Starts, algorithm: Algorithm) -> Range<usize> {
    let index = algorithm as usize;
    starts[index] as usize..starts[index + 1] as usize
}

impl fmt::Debug for KeySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.keys).finish()
    }
}

/// The proof that a token's signature was checked, and under which key.
///
/// Only [`KeySet::verify`] and [`KeySet::verify_if`] create one. It says nothing about the claims: the caller must
/// check those.
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
    /// Omits the token, which is a credential.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifiedJws").field("key", &self.key).finish_non_exhaustive()
    }
}
