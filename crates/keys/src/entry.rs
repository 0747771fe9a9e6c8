use std::fmt;

use crate::algorithm::{Algorithm, KeyType};
use crate::hmac_key::HmacKey;
use crate::jwk::{Jwk, JwkKey};
use crate::key_refused::KeyRefused;
use crate::key_set_builder::KeySource;
use crate::public_key::{PublicKey, Restriction};
use crate::report::Validity;
use crate::spki::DerKey;
use crate::verifying_key::VerifyingKey;

/// A key before [`KeySetBuilder::build`](crate::KeySetBuilder::build), which knows the options.
pub(crate) struct Entry {
    pub(crate) kid: Option<String>,
    pub(crate) kty: String,
    pub(crate) key_type: Option<KeyType>,
    pub(crate) private: bool,
    pub(crate) validity: Option<Validity>,
    /// The document that it came with. None for a key that was added on its own.
    pub(crate) document: Option<usize>,
    pub(crate) key: Result<EntryKey, KeyRefused>,
}

pub(crate) enum EntryKey {
    Public { key: PublicKey, algorithm: Option<Algorithm> },
    Hmac(HmacKey),
    Ready(VerifyingKey),
}

impl Entry {
    pub(crate) fn new(kid: Option<&str>, kty: &str, key: Result<EntryKey, KeyRefused>) -> Self {
        let (kid, kty) = (kid.map(str::to_owned), kty.to_owned());
        Entry { kid, kty, key_type: None, private: false, validity: None, document: None, key }
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
            JwkKey::Public { key, algorithm } => EntryKey::Public { key, algorithm },
            JwkKey::Hmac(key) => EntryKey::Hmac(key),
        });
        Entry {
            kid: jwk.kid,
            kty: jwk.kty,
            key_type: jwk.key_type,
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
            ..Entry::new(
                None,
                der.key_type.map_or("", KeyType::name),
                der.key.map(|key| EntryKey::Public { key, algorithm: None }),
            )
        }
    }
}

impl EntryKey {
    /// Binds the key to each algorithm that it is for.
    pub(crate) fn bind(self, algorithms: &[Algorithm], kid: Option<&str>) -> Result<Vec<VerifyingKey>, KeyRefused> {
        match self {
            EntryKey::Ready(key) => Ok(vec![key]),
            EntryKey::Hmac(key) => Ok(vec![VerifyingKey::hmac(key, kid)?]),
            EntryKey::Public { key, algorithm } => match (algorithm, key.restriction()) {
                (Some(algorithm), _) | (None, Restriction::To(algorithm)) => {
                    Ok(vec![VerifyingKey::new(&key, algorithm, kid)?])
                }
                (None, Restriction::None | Restriction::Pss) => {
                    let admitted = |algorithm: &Algorithm| {
                        key.admits(*algorithm) && (key.key_type() != KeyType::Rsa || algorithms.contains(algorithm))
                    };
                    let keys = Algorithm::all()
                        .filter(admitted)
                        .map(|algorithm| VerifyingKey::new(&key, algorithm, kid))
                        .collect::<Result<Vec<_>, _>>()?;
                    if keys.is_empty() { Err(KeyRefused::NoAdmittedAlgorithm) } else { Ok(keys) }
                }
            },
        }
    }
}
