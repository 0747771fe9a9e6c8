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
/// Made by a [`KeySetBuilder`]. The default is the empty set, under which no token verifies.
#[derive(Clone, Default)]
pub struct KeySet {
    /// By algorithm, then by `kid`, those without one first. No two have the same algorithm, `kid` and thumbprint.
    keys: Vec<VerifyingKey>,
    /// Where the keys of each algorithm start, and at last where the last one's end.
    starts: Starts,
    /// The positions of `keys` without those of a key that is there before with the same algorithm and special purposes and
    /// another `kid`.
    distinct: Vec<u32>,
    /// As `starts`, for `distinct`.
    distinct_starts: Starts,
    certificates: CertificateIndex,
}

impl KeySet {
    /// Starts a set.
    #[must_use]
    pub fn builder() -> KeySetBuilder {
        KeySetBuilder::default()
    }

    /// No two of `keys` have the same algorithm and `kid`, unless they have none; and no two are equal.
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
    /// - With a `kid` that a key has: the key of that `kid` and algorithm.
    /// - With another `kid`: the keys of the algorithm that have no `kid` (those from PEM, say).
    /// - Without `kid`, with an `x5t#S256` or `x5t` that the JWK of one key of the algorithm has: that key. They are names: no
    ///   certificate is looked at.
    /// - Without either: all keys of the algorithm. A key that is there under several names is one.
    ///
    /// The algorithm is always that of the key; the header's has to be the same. Of several keys at most
    /// [`MAX_KEYS_TRIED_WITHOUT_KID`] are tried. `signature` is memory for the decoded signature, used again from call
    /// to call; nothing else is allocated here.
    ///
    /// What a key's [`purposes`](VerifyingKey::purposes) say is not looked at: who issued the token is not known here.
    /// [`KeySet::verify_if`] lets the caller judge.
    ///
    /// # Errors
    /// [`VerifyError`]. All but [`VerifyError::BadSignature`] and [`VerifyError::NoKeyVerifies`] come before any
    /// signature check.
    pub fn verify<'a>(
        &'a self,
        jws: &CompactJws<'a>,
        header: &Header<'_>,
        signature: &mut Vec<u8>,
    ) -> Result<VerifiedJws<'a>, VerifyError> {
        self.verify_if(jws, header, signature, |_| true)
    }

    /// As [`KeySet::verify`], under keys that `admits` says yes to. Where the header's `kid` names one that it says no to, no
    /// other is tried.
    ///
    /// # Errors
    /// As [`KeySet::verify`]; [`VerifyError::KeyNotAdmitted`].
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
        // An RSA key of another length may have made it.
        if tried == 0 { Err(VerifyError::UnknownKey) } else { Err(VerifyError::NoKeyVerifies { tried }) }
    }

    /// Whether a key like this one is in the set: the same key material, algorithm and `kid`.
    #[must_use]
    pub fn contains(&self, key: &VerifyingKey) -> bool {
        self.find_same(key).is_some()
    }

    /// The set's own key of the same key material, algorithm and `kid`, which may be for other
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

    /// The key of that `kid` and algorithm. None where no key at all has the `kid`.
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

    /// The positions of the keys to try where none is named. `kid`: what the token says, which no key has.
    fn unnamed(&self, algorithm: Algorithm, kid: Option<&str>) -> Result<&[u32], VerifyError> {
        let mut candidates = &self.distinct[range(&self.distinct_starts, algorithm)];
        if kid.is_some() {
            // Those without a `kid` are before the others, so that none of them is left out of `distinct`.
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

/// Where those of each algorithm start. `algorithms`: in their order.
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
