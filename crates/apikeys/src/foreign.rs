use crate::digest::Digest;
use crate::error::KeyError;
use crate::format::KeyFormat;
use crate::limits::{FOREIGN_MAX_BYTES, FOREIGN_MIN_BYTES, FOREIGN_MIN_ESTIMATED_BITS, PEPPER_MIN_BYTES};
use crate::native_key::NativeKey;
use ring::hmac;
use std::fmt;

/// A key that somebody else's system made, fit to be imported.
///
/// Any 16 to 512 bytes that do not start as this operator's own keys do, and are no key of tollgate's format with other
/// labels ([`NativeKey`]). There is no checksum to tell it from garbage, and how it was drawn is unknown; so one whose
/// entropy is estimated under 112 bits is refused.
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
    /// Takes a foreign key.
    ///
    /// The entropy is estimated from above, as if every byte had been drawn at random from the smallest usual set that
    /// holds them all (digits, hexadecimal, letters and digits, ...), or from its own distinct bytes where those are
    /// far fewer than chance would give. It finds what is surely weak, not all that is.
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

    /// Takes a foreign key whatever its entropy.
    ///
    /// Whoever reads the stored digest can then find a weak key by trying, at billions a second; under a pepper only
    /// who has the pepper too.
    ///
    /// # Errors
    /// [`KeyError::ForeignLength`] or [`KeyError::ForeignLooksNative`].
    pub fn danger_guessable(format: &KeyFormat, key: &'k [u8]) -> Result<Self, KeyError> {
        if format.claims(key) || NativeKey::parse(key).is_ok() {
            return Err(KeyError::ForeignLooksNative);
        }
        Self::presented(key).ok_or(KeyError::ForeignLength { bytes: key.len() })
    }

    /// What a caller presents and may be a foreign key: the length decides.
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

/// The operator's secret under which foreign keys are digested (HMAC-SHA-256, RFC 2104).
///
/// Kept apart from the digests, it makes them useless to whoever steals those alone, even of weak keys. When it
/// changes, the foreign keys must be imported again.
#[derive(Clone)]
pub struct Pepper(hmac::Key);

impl Pepper {
    /// A pepper of at least 32 random bytes.
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
        // Sixty-four for base64url and base62 alike: signs between groups add next to nothing.
        64
    } else {
        256
    };
    let mut seen = [false; 256];
    for &byte in key {
        seen[usize::from(byte)] = true;
    }
    let distinct = seen.iter().filter(|&&seen| seen).count();
    // Random keys repeat some bytes too: under half of what could occur is no accident.
    let repeats = distinct * 2 < key.len().min(alphabet);
    let choices = if repeats { distinct } else { alphabet };
    // At most 512 bytes of 8 bits.
    (key.len() as f64 * (choices as f64).log2()) as u32
}
