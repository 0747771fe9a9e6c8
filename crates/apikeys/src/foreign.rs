use crate::digest::Digest;
use crate::error::KeyError;
use crate::format::KeyFormat;
use crate::limits::{FOREIGN_MAX_BYTES, FOREIGN_MIN_BYTES, FOREIGN_MIN_ESTIMATED_BITS, PEPPER_MIN_BYTES};
use crate::native_key::NativeKey;
use ring::hmac;
use std::fmt;

/// A key that another system issued, checked for import.
///
/// Any 16 to 512 bytes are accepted, except bytes that start like this operator's own keys and keys of tollgate's
/// format with other labels ([`NativeKey`]). A foreign key has no checksum that tells it from garbage, and nobody knows
/// how it was drawn. Therefore a key with an estimated entropy under 112 bits is refused.
///
/// ```
/// use tollgate_apikeys::{ApiKeyTable, ForeignKey, KeyFormat, Pepper};
///
/// let format = KeyFormat::new("tg", "live")?;
/// let table = ApiKeyTable::<()>::builder(format.clone()).pepper(Pepper::new(&[7; 32])?).build();
/// let key = ForeignKey::new(&format, b"9b2f64f1-6f0e-4c0e-9d0a-6a1f0c9b7d52")?;
/// table.insert(table.foreign_digest(&key), ());
/// assert!(table.find(b"9b2f64f1-6f0e-4c0e-9d0a-6a1f0c9b7d52").is_ok());
/// # Ok::<(), tollgate_apikeys::KeyError>(())
/// ```
#[derive(Clone, Copy)]
pub struct ForeignKey<'k>(&'k [u8]);

impl<'k> ForeignKey<'k> {
    /// Checks a foreign key.
    ///
    /// The entropy estimate is an upper bound. It assumes that every byte was drawn at random from the smallest common
    /// alphabet that contains them all (digits, hexadecimal, letters and digits, ...), or from the key's own distinct
    /// bytes if those are far fewer than chance would give. The estimate finds keys that are certainly weak, not every
    /// weak key.
    ///
    /// # Errors
    /// [`KeyError::ForeignLength`], [`KeyError::ForeignLooksNative`] or [`KeyError::ForeignGuessable`].
    pub fn new(format: &KeyFormat, key: &'k [u8]) -> Result<Self, KeyError> {
        let foreign = Self::danger_guessable(format, key)?;
        let estimated_bits = estimated_bits(key);
        if estimated_bits < FOREIGN_MIN_ESTIMATED_BITS {
            return Err(KeyError::ForeignGuessable { estimated_bits });
        }
        Ok(foreign)
    }

    /// Accepts a foreign key of any entropy.
    ///
    /// An attacker who reads the stored digest can find a weak key by trying billions of keys a second. With a pepper,
    /// the attacker needs the pepper too.
    ///
    /// # Errors
    /// [`KeyError::ForeignLength`] or [`KeyError::ForeignLooksNative`].
    pub fn danger_guessable(format: &KeyFormat, key: &'k [u8]) -> Result<Self, KeyError> {
        if format.claims(key) || NativeKey::parse(key).is_ok() {
            return Err(KeyError::ForeignLooksNative);
        }
        Self::presented(key).ok_or(KeyError::ForeignLength { bytes: key.len() })
    }

    /// Accepts presented bytes whose length allows a foreign key.
    pub(crate) fn presented(key: &'k [u8]) -> Option<Self> {
        (FOREIGN_MIN_BYTES..=FOREIGN_MAX_BYTES).contains(&key.len()).then_some(Self(key))
    }

    pub(crate) fn digest(self, pepper: Option<&Pepper>) -> Digest {
        match pepper {
            Some(Pepper(key)) => Digest::from_output(hmac::sign(key, self.0).as_ref()),
            None => Digest::of_foreign(self.0),
        }
    }
}

impl fmt::Debug for ForeignKey<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ForeignKey(..)")
    }
}

/// The operator's secret for digesting foreign keys (HMAC-SHA-256, RFC 2104).
///
/// Store the pepper apart from the digests: an attacker who steals only the digests then cannot find even weak keys.
/// After a change of the pepper, the foreign keys must be imported again.
#[derive(Clone)]
pub struct Pepper(hmac::Key);

impl Pepper {
    /// Creates a pepper from at least 32 random bytes.
    ///
    /// # Errors
    /// [`KeyError::PepperTooShort`].
    pub fn new(secret: &[u8]) -> Result<Self, KeyError> {
        if secret.len() < PEPPER_MIN_BYTES {
            return Err(KeyError::PepperTooShort { bytes: secret.len() });
        }
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, secret)))
    }
}

impl fmt::Debug for Pepper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pepper(..)")
    }
}

fn estimated_bits(key: &[u8]) -> u32 {
    let all = |belongs: fn(&u8) -> bool| key.iter().all(belongs);
    let alphabet = if all(u8::is_ascii_digit) {
        10
    } else if all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f' | b'-'))
        || all(|byte| matches!(byte, b'0'..=b'9' | b'A'..=b'F' | b'-'))
    {
        16
    } else if all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        || all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
    {
        36
    } else if all(u8::is_ascii_graphic) {
        // 64 covers base64url and base62: separators between groups add almost nothing.
        64
    } else {
        256
    };
    let mut seen = [false; 256];
    for &byte in key {
        seen[usize::from(byte)] = true;
    }
    let distinct = seen.iter().filter(|&&seen| seen).count();
    // Random keys repeat some bytes too, but less than half of the possible distinct bytes is no accident.
    let repeats = distinct * 2 < key.len().min(alphabet);
    let choices = if repeats { distinct } else { alphabet };
    // At most 512 bytes of 8 bits.
    (key.len() as f64 * (choices as f64).log2()) as u32
}
