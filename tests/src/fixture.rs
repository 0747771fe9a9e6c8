use tollgate::{Algorithm, Engine, Issuer, KeySet};
use tollgate_issuer::SigningKey;
use tollgate_keys::KeyType;

/// The issuer of the test tokens.
pub const ISSUER: &str = "https://auth.example.com/";

/// The audience of the test tokens.
pub const AUDIENCE: &str = "https://api.example.com";

/// The time of the tests, in seconds since the Unix epoch.
pub const NOW: i64 = 1_763_800_000;

const RSA_KEYS: [&str; 2] = [include_str!("../keys/rsa2048-1.pem"), include_str!("../keys/rsa2048-2.pem")];

/// A signing key for `algorithm`: a new one, except for RSA, where `index` 0 and 1 are two fixed keys. Its `kid` is the
/// algorithm's name and `index`.
///
/// # Panics
/// For an algorithm that `tollgate-issuer` cannot sign with.
#[must_use]
pub fn signing_key(algorithm: Algorithm, index: usize) -> SigningKey {
    let key = match algorithm.key_type() {
        KeyType::Rsa => SigningKey::from_pkcs8_pem(algorithm, RSA_KEYS[index % RSA_KEYS.len()]),
        _ => SigningKey::generate(algorithm),
    };
    key.and_then(|key| key.with_kid(format!("{}-{index}", algorithm.name()))).expect("a test key")
}

/// The set of the verifying keys of `keys`.
///
/// # Panics
/// If two have the same `kid` and algorithm.
#[must_use]
pub fn key_set<'k>(keys: impl IntoIterator<Item = &'k SigningKey>) -> KeySet {
    let keys = keys.into_iter().fold(KeySet::builder(), |set, key| set.key(key.verifying_key().clone()));
    let loaded = keys.build_with_reports();
    assert!(loaded.reports.iter().all(|report| report.refused.is_none()), "{:?}", loaded.reports);
    loaded.set
}

/// The issuer [`ISSUER`] with [`AUDIENCE`] and the default policy.
#[must_use]
pub fn issuer<'k>(keys: impl IntoIterator<Item = &'k SigningKey>) -> Issuer {
    Issuer::new(ISSUER).audience(AUDIENCE).keys(key_set(keys))
}

/// An engine with one [`issuer`] and no cache, so that each verify is a full one.
///
/// # Panics
/// Never: an issuer is enough to build an engine.
#[must_use]
pub fn cold_engine<'k>(keys: impl IntoIterator<Item = &'k SigningKey>) -> Engine {
    Engine::builder().issuer(issuer(keys)).no_cache().build().expect("an issuer is enough")
}

/// An engine with one [`issuer`].
///
/// # Panics
/// Never: an issuer is enough to build an engine.
#[must_use]
pub fn engine<'k>(keys: impl IntoIterator<Item = &'k SigningKey>) -> Engine {
    Engine::builder().issuer(issuer(keys)).build().expect("an issuer is enough")
}
