use std::cmp::Ordering;

use tollgate_jwt::{CertificateNames, Header};

use crate::algorithm::Algorithm;
use crate::verifying_key::VerifyingKey;

/// A set's keys by the `x5t` and `x5t#S256` of their JWKs, for tokens that name a key that way and have no `kid`.
#[derive(Clone, Default)]
pub(crate) struct CertificateIndex {
    /// Sorted by algorithm, member and text; each combination occurs once.
    entries: Vec<Entry>,
}

#[derive(Clone)]
struct Entry {
    algorithm: Algorithm,
    member: Member,
    text: Box<str>,
    /// The key's position in its set.
    position: u32,
}

/// One of the two members.
#[derive(Clone, Copy, Eq, Ord, PartialEq, PartialOrd)]
enum Member {
    Sha1,
    Sha256,
}

impl CertificateIndex {
    /// A name that different keys share is left out.
    pub(crate) fn new(keys: &[VerifyingKey]) -> Self {
        let mut entries = Vec::new();
        for (position, key) in (0..).zip(keys) {
            for CertificateNames { x5t, x5t_sha256 } in key.purposes().iter().map(|purpose| &purpose.certificate) {
                for (member, text) in [(Member::Sha1, x5t), (Member::Sha256, x5t_sha256)] {
                    let algorithm = key.algorithm();
                    entries.extend(text.iter().map(|text| Entry { algorithm, member, text: text.clone(), position }));
                }
            }
        }
        entries.sort_by(|one, other| one.compare(other.algorithm, other.member, &other.text));
        let key = |entry: &Entry| &keys[entry.position as usize];
        let is_same = |one: &Entry, other: &Entry| {
            key(one).thumbprint() == key(other).thumbprint()
                && key(one).special_purposes() == key(other).special_purposes()
        };
        let of_one_name =
            entries.chunk_by(|one, other| one.compare(other.algorithm, other.member, &other.text).is_eq());
        let of_one_key = of_one_name.filter(|named| named.iter().all(|entry| is_same(&named[0], entry)));
        CertificateIndex { entries: of_one_key.map(|named| named[0].clone()).collect() }
    }

    /// The position of the key whose thumbprint `header` contains.
    pub(crate) fn find(&self, algorithm: Algorithm, header: &Header<'_>) -> Option<u32> {
        if self.entries.is_empty() {
            return None;
        }
        let CertificateNames { x5t, x5t_sha256 } = header.certificate();
        let by = |member, text: &Option<&str>| {
            let text = (*text)?;
            let index = self.entries.binary_search_by(|entry| entry.compare(algorithm, member, text)).ok()?;
            Some(self.entries[index].position)
        };
        by(Member::Sha256, x5t_sha256).or_else(|| by(Member::Sha1, x5t))
    }
}

impl Entry {
    fn compare(&self, algorithm: Algorithm, member: Member, text: &str) -> Ordering {
        (self.algorithm, self.member, &*self.text).cmp(&(algorithm, member, text))
    }
}
