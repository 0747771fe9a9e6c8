use crate::base62;
use crate::digest::Digest;
use crate::entry::KeyDigest;
use crate::error::KeyError;
use crate::format::KeyFormat;
use ring::rand::{SecureRandom, SystemRandom};
use std::fmt;
use zeroize::Zeroizing;

/// A new API key: the secret itself, to be shown to its owner once and then dropped.
///
/// Only its [`Digest`] is stored. Dropping the key zeroizes the secret's memory. `Debug` shows nothing of the secret,
/// which cannot be cloned, displayed or serialized by accident.
///
/// ```
/// use tollgate_apikeys::{ApiKey, ApiKeyTable, KeyFormat};
///
/// let format = KeyFormat::new("tg", "live")?;
/// let table = ApiKeyTable::<()>::new(format.clone());
/// let key = ApiKey::generate(&format)?;
/// table.insert(&key, ());
/// println!("Copy this, it is shown only once: {}", key.as_str());
/// # Ok::<(), tollgate_apikeys::KeyError>(())
/// ```
pub struct ApiKey {
    text: Zeroizing<String>,
    digest: Digest,
}

impl ApiKey {
    /// Generates a key of 256 bits from the operating system's random source.
    ///
    /// # Errors
    /// [`KeyError::RandomnessUnavailable`] when that source fails.
    pub fn generate(format: &KeyFormat) -> Result<Self, KeyError> {
        let mut entropy = Zeroizing::new([0; 32]);
        SystemRandom::new().fill(entropy.as_mut_slice()).map_err(|_| KeyError::RandomnessUnavailable)?;
        Ok(Self::danger_from_entropy(format, &entropy))
    }

    /// Builds the key of the given bits: for test vectors, and for keys that another generator has drawn.
    ///
    /// Anyone who can guess the bits has the key: they must come from a cryptographic random source.
    #[must_use]
    pub fn danger_from_entropy(format: &KeyFormat, entropy: &[u8; 32]) -> Self {
        // The capacity is exact: growing would leave a copy of the secret behind.
        let mut text = Zeroizing::new(String::with_capacity(format.key_length()));
        text.push_str(format.head());
        text.push(KeyFormat::VERSION);
        text.extend(base62::encode_body(entropy).iter().map(|&digit| char::from(digit)));
        let checksum = crc32fast::hash(text.as_bytes());
        let digest = Digest::of_native(text.as_bytes(), checksum);
        text.extend(base62::encode_checksum(checksum).map(char::from));
        Self { text, digest }
    }

    /// The secret.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The digest to store instead of the secret.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest
    }
}

impl From<&ApiKey> for KeyDigest {
    fn from(key: &ApiKey) -> Self {
        Self::Native(key.digest)
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey(..)")
    }
}
