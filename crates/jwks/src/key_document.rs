//! From the document that a provider publishes to a key set.

use tollgate_keys::{Algorithm, KeyRefused, KeyReport, KeySet, KeySetBuilder, KeySource, NotAKeyFile, VerifyingKey};

use crate::error::FetchError;

/// How a document is judged.
#[derive(Clone, Debug)]
pub(crate) struct Vetting {
    /// What an RSA key without `alg` is for.
    pub(crate) algorithms: Option<Vec<Algorithm>>,
    pub(crate) max_keys: usize,
}

/// What a document holds.
#[derive(Debug)]
pub(crate) struct Vetted {
    /// The keys that may be used, or why there are none.
    pub(crate) set: Result<KeySet, FetchError>,
    pub(crate) refused: Vec<KeyReport>,
    /// The keys that came with their private part: whoever has read the document can sign with them.
    exposed: KeySet,
}

impl Vetting {
    /// Vets every key, which takes up to half a second for the largest set: not to be done where others wait.
    pub(crate) fn vet(&self, document: &[u8]) -> Vetted {
        let unusable = |error| Vetted { set: Err(error), refused: Vec::new(), exposed: KeySet::default() };
        let loaded = match self.builder(KeySource::Remote).jwks(document) {
            Ok(builder) => builder.build_with_reports(),
            Err(NotAKeyFile::TooManyKeys { .. }) => return unusable(FetchError::TooManyKeys { max: self.max_keys }),
            Err(error) => return unusable(FetchError::NotAKeySet(error)),
        };
        let published = loaded.reports.len();
        if published > self.max_keys {
            return unusable(FetchError::TooManyKeys { max: self.max_keys });
        }
        let refused: Vec<_> = loaded.reports.into_iter().filter(|report| report.refused.is_some()).collect();
        let any_exposed = refused.iter().any(|report| report.refused == Some(KeyRefused::PrivateKey));
        let exposed = if any_exposed { self.exposed(document, &loaded.set) } else { KeySet::default() };
        let mut vetted = Vetted { set: Ok(KeySet::default()), refused, exposed };
        // The same key may be there a second time without its private part.
        let usable = vetted.without_exposed(&loaded.set).unwrap_or(loaded.set);
        vetted.set = if usable.is_empty() { Err(FetchError::NoUsableKey { published }) } else { Ok(usable) };
        vetted
    }

    /// A local set takes the public part of private keys; a remote set (`public`) does not take them at all.
    fn exposed(&self, document: &[u8], public: &KeySet) -> KeySet {
        match self.builder(KeySource::Local).jwks(document) {
            Ok(builder) => builder.build_with_reports().set.filter(|key| !public.contains(key)),
            Err(_) => KeySet::default(),
        }
    }

    fn builder(&self, source: KeySource) -> KeySetBuilder {
        let builder = KeySet::builder().source(source);
        match &self.algorithms {
            Some(algorithms) => builder.algorithms(algorithms),
            None => builder,
        }
    }
}

impl Vetted {
    /// What remains of `set` without the keys that this document has exposed, if it held any.
    pub(crate) fn without_exposed(&self, set: &KeySet) -> Option<KeySet> {
        let is_exposed =
            |key: &VerifyingKey| self.exposed.iter().any(|exposed| exposed.thumbprint() == key.thumbprint());
        set.iter().any(is_exposed).then(|| set.filter(|key| !is_exposed(key)))
    }
}
