use std::collections::HashSet;
use std::fmt;

use zeroize::Zeroizing;

use crate::algorithm::{Algorithm, KeyType};
use crate::hmac_key::HmacKey;
use crate::jwk::{Jwk, JwkKey};
use crate::key_purpose::KeyPurpose;
use crate::key_refused::KeyRefused;
use crate::key_set_builder::KeySource;
use crate::key_uses::KeyUses;
use crate::public_key::{PublicKey, Restriction};
use crate::report::{KeyReport, Validity};
use crate::spki::DerKey;
use crate::thumbprint::Thumbprint;
use crate::verifying_key::VerifyingKey;

/// A key before [`KeySetBuilder::build`](crate::KeySetBuilder::build) applies the options.
pub(crate) struct Entry {
    pub(crate) kid: Option<String>,
    pub(crate) kty: String,
    pub(crate) key_type: Option<KeyType>,
    /// The algorithm that the key claims.
    pub(crate) algorithm: Option<Algorithm>,
    /// `None` for a key that does not come from a JWK.
    pub(crate) purpose: Option<KeyPurpose>,
    pub(crate) private: bool,
    /// The public key's thumbprint, if the key could be read.
    pub(crate) thumbprint: Option<Thumbprint>,
    pub(crate) validity: Option<Validity>,
    /// The index of the key's document. None for a key that was added on its own.
    pub(crate) document: Option<usize>,
    pub(crate) key: Result<EntryKey, KeyRefused>,
}

pub(crate) enum EntryKey {
    Public(PublicKey),
    Hmac(HmacKey),
    /// A secret without an `alg`.
    Secret(Zeroizing<Vec<u8>>),
    Ready(VerifyingKey),
}

impl Entry {
    pub(crate) fn new(kid: Option<&str>, kty: &str, key: Result<EntryKey, KeyRefused>) -> Self {
        Entry {
            kid: kid.map(str::to_owned),
            kty: kty.to_owned(),
            key_type: None,
            algorithm: None,
            purpose: None,
            private: false,
            thumbprint: None,
            validity: None,
            document: None,
            key,
        }
    }

    /// The initial report, before the key is judged.
    pub(crate) fn report(&self) -> KeyReport {
        let (kid, kty) = (self.kid.clone(), self.kty.clone());
        let (validity, thumbprint) = (self.validity, self.thumbprint);
        KeyReport { kid, kty, algs: Vec::new(), validity, thumbprint, refused: None }
    }

    /// Binds the key to each of its algorithms. `algorithms` applies to an RSA key or a secret that names none.
    pub(crate) fn bind(mut self, algorithms: &[Algorithm]) -> Result<Vec<VerifyingKey>, KeyRefused> {
        let purpose = self.purpose.take();
        let bound = self.bind_to_each(algorithms)?;
        Ok(match purpose {
            Some(purpose) => bound.into_iter().map(|key| key.with_purposes(vec![purpose.clone()])).collect(),
            None => bound,
        })
    }

    fn bind_to_each(self, algorithms: &[Algorithm]) -> Result<Vec<VerifyingKey>, KeyRefused> {
        let kid = self.kid.as_deref();
        let key = match self.key? {
            EntryKey::Ready(key) => return Ok(vec![key]),
            EntryKey::Hmac(key) => return Ok(vec![VerifyingKey::hmac(key, kid)?]),
            EntryKey::Secret(secret) => return bind_secret(&secret, kid, algorithms),
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

    /// The algorithm that an HMAC secret claims.
    pub(crate) fn hmac_algorithm(&self) -> Option<Algorithm> {
        self.algorithm.filter(|algorithm| self.key_type == Some(KeyType::Oct) && algorithm.key_type() == KeyType::Oct)
    }

    /// The thumbprint of a key that was published with its private part.
    pub(crate) fn exposed(&self) -> Option<Thumbprint> {
        self.thumbprint.filter(|_| self.private)
    }

    pub(crate) fn refused_by_use(&self, uses: &KeyUses) -> Option<KeyRefused> {
        let key_use = self.purpose.as_ref()?.key_use();
        if uses.admit(key_use) { None } else { Some(KeyRefused::use_not_accepted(key_use, uses)) }
    }

    /// `exposed`: the keys whose private parts are in the same documents.
    pub(crate) fn refused_by_source(
        &self,
        source: KeySource,
        in_mixed_document: bool,
        exposed: &HashSet<Thumbprint>,
    ) -> Option<KeyRefused> {
        let symmetric = self.key_type == Some(KeyType::Oct) && self.document.is_some();
        let is_exposed = self.private || self.thumbprint.is_some_and(|thumbprint| exposed.contains(&thumbprint));
        match source {
            KeySource::Remote if is_exposed => Some(KeyRefused::PrivateKey),
            KeySource::Remote if symmetric => Some(KeyRefused::SymmetricKeyInRemoteSet),
            _ if symmetric && in_mixed_document => Some(KeyRefused::SymmetricKeyBesidePublicKeys),
            _ => None,
        }
    }
}

/// Binds the secret to each of `algorithms` that it is long enough for.
fn bind_secret(secret: &[u8], kid: Option<&str>, algorithms: &[Algorithm]) -> Result<Vec<VerifyingKey>, KeyRefused> {
    let algorithms = algorithms.iter().filter(|algorithm| algorithm.key_type() == KeyType::Oct);
    let (mut keys, mut refused) = (Vec::new(), KeyRefused::MissingAlgorithm);
    for algorithm in algorithms {
        match HmacKey::new(*algorithm, secret) {
            Ok(key) => keys.push(VerifyingKey::hmac(key, kid)?),
            Err(error) => refused = error,
        }
    }
    if keys.is_empty() { Err(refused) } else { Ok(keys) }
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
            JwkKey::Secret(secret) => EntryKey::Secret(secret),
        });
        Entry {
            kid: jwk.kid,
            kty: jwk.kty,
            key_type: jwk.key_type,
            algorithm: jwk.algorithm,
            purpose: Some(jwk.purpose),
            private: jwk.private,
            thumbprint: jwk.thumbprint,
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
            thumbprint: der.key.as_ref().ok().map(|key| *key.thumbprint()),
            ..Entry::new(None, der.key_type.map_or("", KeyType::name), der.key.map(EntryKey::Public))
        }
    }
}
