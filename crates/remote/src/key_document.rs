//! From a provider's document to a key set.

use tollgate_keys::{Algorithm, KeyRefused, KeyReport, KeySet, KeySource, KeyUses, NotAKeyFile, VerifyingKey};

use crate::error::FetchError;

/// The rules for vetting a document.
#[derive(Clone, Debug)]
pub(crate) struct Vetting {
    pub(crate) form: DocumentForm,
    /// The algorithms of an RSA key without `alg`.
    pub(crate) algorithms: Option<Vec<Algorithm>>,
    pub(crate) key_uses: KeyUses,
    pub(crate) max_keys: usize,
}

/// The form of the published document.
#[derive(Clone, Copy, Debug)]
pub(crate) enum DocumentForm {
    /// RFC 7517 section 5.
    JwkSet,
    /// A JSON object that maps key ids to certificates in PEM.
    Certificates,
}

/// The vetted contents of a document.
#[derive(Debug)]
pub(crate) struct Vetted {
    /// The usable keys, or why there are none.
    pub(crate) set: Result<KeySet, FetchError>,
    /// The refused keys. A document with a private key exposes that key: everyone who reads the document can sign with
    /// it.
    pub(crate) refused: Vec<KeyReport>,
}

impl Vetting {
    /// Vets every key. Takes up to half a second for the largest set, so do not call it on an async thread.
    pub(crate) fn vet(&self, document: &[u8]) -> Vetted {
        let unusable = |error| Vetted { set: Err(error), refused: Vec::new() };
        let builder = KeySet::builder().source(KeySource::Remote).key_uses(self.key_uses.clone());
        let builder = self.algorithms.iter().fold(builder, |builder, algorithms| builder.algorithms(algorithms));
        let builder = match self.form {
            DocumentForm::JwkSet => builder.jwks(document),
            DocumentForm::Certificates => builder.certificates(document),
        };
        let loaded = match builder {
            Ok(builder) => builder.build_with_reports(),
            Err(NotAKeyFile::TooManyKeys { .. }) => return unusable(FetchError::TooManyKeys { max: self.max_keys }),
            Err(error) => return unusable(FetchError::NotAKeySet(error)),
        };
        let published = loaded.reports.len();
        if published > self.max_keys {
            return unusable(FetchError::TooManyKeys { max: self.max_keys });
        }
        let refused = loaded.reports.iter().filter(|report| report.refused.is_some()).cloned().collect();
        Vetted { set: loaded.into_set().map_err(|_| FetchError::NoUsableKey { published }), refused }
    }
}

impl Vetted {
    /// Returns `set` without the keys that this document has exposed. None if `set` contains no such key.
    pub(crate) fn without_exposed(&self, set: &KeySet) -> Option<KeySet> {
        let exposed: Vec<_> =
            self.refused.iter().filter(|report| report.refused == Some(KeyRefused::PrivateKey)).collect();
        let is_exposed =
            |key: &VerifyingKey| exposed.iter().any(|report| report.thumbprint.as_ref() == Some(key.thumbprint()));
        set.iter().any(is_exposed).then(|| set.filter(|key| !is_exposed(key)))
    }
}
