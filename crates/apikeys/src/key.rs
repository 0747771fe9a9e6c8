use crate::digest::Digest;
use crate::error::KeyError;
use crate::format::KeyFormat;
use ring::rand::{SecureRandom, SystemRandom};
use std::fmt;
use zeroize::Zeroizing;

/// A new API key: the secret itself, to be shown to its owner once and then dropped.
///
/// What is kept is its [`Digest`]. The secret's memory is zeroized when it is dropped; `Debug` shows nothing of it; it
/// cannot be cloned, displayed or serialized by accident.
///
/// ```
/// use tollgate_apikeys::{ApiKey, ApiKeyTable, KeyFormat};
///
/// let format = KeyFormat::new("tg", "live")?;
/// let table = ApiKeyTable::<()>::new(format.clone());
/// let key = ApiKey::generate(&format)?;
/// table.insert(key.digest(), ().into());
/// println!("Copy this, it is shown only once: {}", key.as_str());
/// # Ok::<(), tollgate_apikeys::KeyError>(())
/// ```
pub struct ApiKey(Zeroizing<String>);

impl ApiKey {
    /// Makes a key of 256 bits from the operating system's random source.
    ///
    /// # Errors
    /// [`KeyError::RandomnessUnavailable`] when that source fails.
    pub fn generate(format: &KeyFormat) -> Result<Self, KeyError> {
        let mut entropy = Zeroizing::new([0; 32]);
        SystemRandom::new().fill(entropy.as_mut_slice()).map_err(|_| KeyError::RandomnessUnavailable)?;
        Ok(Self::danger_from_entropy(format, &entropy))
    }

    /// The key of given bits: for test vectors, and for keys that another generator has drawn.
    ///
    /// Whoever can guess the bits has the key: they must come from a cryptographic random source.
    #[must_use]
    pub fn danger_from_entropy(format: &KeyFormat, entropy: &[u8; 32]) -> Self {
        Self(format.assemble(entropy))
    }

    /// The secret.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What is stored in the secret's place.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(self.0.as_bytes())
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey(..)")
    }
}
