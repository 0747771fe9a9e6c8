use std::fmt;

use crate::algorithm::{Algorithm, KeyType};
use crate::hmac_key::HmacKey;
use crate::jwk::{Jwk, JwkKey};
use crate::key_refused::KeyRefused;
use crate::key_set_builder::KeySource;
use crate::public_key::{PublicKey, Restriction};
use crate::report::{KeyReport, Validity};
use crate::spki::DerKey;
use crate::verifying_key::VerifyingKey;

/// A key before [`KeySetBuilder::build`](crate::KeySetBuilder::build), which knows the options.
pub(crate) struct Entry {
    pub(crate) kid: Option<String>,
    pub(crate) kty: String,
    pub(crate) key_type: Option<KeyType>,
    /// The algorithm that it claims to be for.
    pub(crate) algorithm: Option<Algorithm>,
    pub(crate) private: bool,
    pub(crate) validity: Option<Validity>,
    /// The document that it came with. None for a key that was added on its own.
    pub(crate) document: Option<usize>,
    pub(crate) key: Result<EntryKey, KeyRefused>,
}

pub(crate) enum EntryKey {
    Public(PublicKey),
    Hmac(HmacKey),
    Ready(VerifyingKey),
}

impl Entry {
    pub(crate) fn new(kid: Option<&str>, kty: &str, key: Result<EntryKey, KeyRefused>) -> Self {
        let (kid, kty) = (kid.map(str::to_owned), kty.to_owned());
        Entry { kid, kty, key_type: None, algorithm: None, private: false, validity: None, document: None, key }
    }

    /// The report, before anything is known of the key.
    pub(crate) fn report(&self) -> KeyReport {
        let (kid, kty) = (self.kid.clone(), self.kty.clone());
        KeyReport { kid, kty, algs: Vec::new(), validity: self.validity, refused: None }
    }

    /// Binds the key to each algorithm that it is for. `algorithms`: those for an RSA key that names none.
    pub(crate) fn bind(self, algorithms: &[Algorithm]) -> Result<Vec<VerifyingKey>, KeyRefused> {
        let kid = self.kid.as_deref();
        let key = match self.key? {
            EntryKey::Ready(key) => return Ok(vec![key]),
            EntryKey::Hmac(key) => return Ok(vec![VerifyingKey::hmac(key, kid)?]),
            EntryKey::Public(key) => key,
        };
        let admitted = match (self.algorithm, key.restriction()) {
            (Some(algorithm), _) | (None, Restriction::To(algorithm)) => vec![algorithm],
            (None, Restriction::None | Restriction::Pss) => Algorithm::all()
                .filter(|algorithm| key.admits(*algorithm))
                .filter(|algorithm| key.key_type() != KeyType::Rsa || algorithms.contains(algorithm))
                .collect(),
        };
        if admitted.is_empty() {
            return Err(KeyRefused::NoAdmittedAlgorithm);
        }
        admitted.into_iter().map(|algorithm| VerifyingKey::new(&key, algorithm, kid)).collect()
    }

    pub(crate) fn refused_by_source(&self, source: KeySource, in_mixed_document: bool) -> Option<KeyRefused> {
        let symmetric = self.key_type == Some(KeyType::Oct) && self.document.is_some();
        match source {
            KeySource::Remote if self.private => Some(KeyRefused::PrivateKey),
            KeySource::Remote if symmetric => Some(KeyRefused::SymmetricKeyInRemoteSet),
            _ if symmetric && in_mixed_document => Some(KeyRefused::SymmetricKeyBesidePublicKeys),
            _ => None,
        }
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry").field("kid", &self.kid).field("kty", &self.kty).finish_non_exhaustive()
    }
}

impl From<Jwk> for Entry {
    fn from(jwk: Jwk) -> Self {
        let key = jwk.key.map(|key| match key {
            JwkKey::Public(key) => EntryKey::Public(key),
            JwkKey::Hmac(key) => EntryKey::Hmac(key),
        });
        Entry {
            kid: jwk.kid,
            kty: jwk.kty,
            key_type: jwk.key_type,
            algorithm: jwk.algorithm,
            private: jwk.private,
            validity: None,
            document: None,
            key,
        }
    }
}

impl From<DerKey> for Entry {
    fn from(der: DerKey) -> Self {
        Entry {
            key_type: der.key_type,
            validity: der.validity,
            ..Entry::new(None, der.key_type.map_or("", KeyType::name), der.key.map(EntryKey::Public))
        }
    }
}
