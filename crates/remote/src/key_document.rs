//! From the document that a provider publishes to a key set.

use tollgate_keys::{Algorithm, KeyRefused, KeyReport, KeySet, KeySource, KeyUses, NotAKeyFile, VerifyingKey};

use crate::error::FetchError;

/// How a document is judged.
#[derive(Clone, Debug)]
pub(crate) struct Vetting {
    pub(crate) form: DocumentForm,
    /// What an RSA key without `alg` is for.
    pub(crate) algorithms: Option<Vec<Algorithm>>,
    pub(crate) key_uses: KeyUses,
    pub(crate) max_keys: usize,
}

/// In which form keys are published.
#[derive(Clone, Copy, Debug)]
pub(crate) enum DocumentForm {
    /// RFC 7517 section 5.
    JwkSet,
    /// A JSON object from key ids to certificates in PEM.
    Certificates,
}

/// What a document holds.
#[derive(Debug)]
pub(crate) struct Vetted {
    /// The keys that may be used, or why there are none.
    pub(crate) set: Result<KeySet, FetchError>,
    /// The keys that may not be used. A document that shows a private key exposes it: everybody who reads the document can
    /// sign with it.
    pub(crate) refused: Vec<KeyReport>,
}

impl Vetting {
    /// Vets every key, which takes up to half a second for the largest set: not to be done where others wait.
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
    /// What remains of `set` without the keys that this document has exposed, if it held any.
    pub(crate) fn without_exposed(&self, set: &KeySet) -> Option<KeySet> {
        let exposed: Vec<_> =
            self.refused.iter().filter(|report| report.refused == Some(KeyRefused::PrivateKey)).collect();
        let is_exposed =
            |key: &VerifyingKey| exposed.iter().any(|report| report.thumbprint.as_ref() == Some(key.thumbprint()));
        set.iter().any(is_exposed).then(|| set.filter(|key| !is_exposed(key)))
    }
}
