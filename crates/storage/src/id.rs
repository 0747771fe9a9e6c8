use crate::clock;
use crate::error::StorageError;
use ring::rand::{SecureRandom, SystemRandom};

/// A new public id: the prefix, `_`, then 48 bits of time in milliseconds and 80 random bits as 26 digits of lower-case
/// Crockford base32. Ids sort by when they were made.
///
/// ```
/// let id = tollgate_storage::new_key_id("key")?;
/// assert_eq!(id.len(), "key_".len() + 26);
/// # Ok::<(), tollgate_storage::StorageError>(())
/// ```
///
/// # Errors
/// [`StorageError::NoRandomness`] when the operating system gives none.
pub fn new_key_id(prefix: &str) -> Result<String, StorageError> {
    let mut bytes = [0; 16];
    SystemRandom::new().fill(&mut bytes[6..]).map_err(|_| StorageError::NoRandomness)?;
    let random = u128::from_be_bytes(bytes);
    let number = (u128::from(clock::milliseconds()) << 80) | random;
    let digits = (0..DIGITS).rev().map(|place| char::from(ALPHABET[(number >> (5 * place)) as usize % 32]));
    Ok(format!("{prefix}_{}", digits.collect::<String>()))
}

/// The least number that holds 128 bits.
const DIGITS: usize = 26;

/// In ASCII order, so that texts compare as numbers.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
