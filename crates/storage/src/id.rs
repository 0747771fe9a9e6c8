use crate::clock;
use crate::error::StorageError;
use parking_lot::Mutex;
use ring::rand::{SecureRandom, SystemRandom};

/// A new public id: the prefix, `_`, then 48 bits of time in milliseconds and 80 random bits as 26 digits of lower-case
/// Crockford base32. Ids sort by creation time.
///
/// ```
/// let id = tollgate_storage::new_key_id("key")?;
/// assert_eq!(id.len(), "key_".len() + 26);
/// # Ok::<(), tollgate_storage::StorageError>(())
/// ```
///
/// # Errors
/// [`StorageError::NoRandomness`] if the operating system provides no random numbers.
pub fn new_key_id(prefix: &str) -> Result<String, StorageError> {
    Ok(id_of(prefix, new_number()?))
}

/// Like [`new_key_id`], and greater than every earlier id from this function in this process, even within one millisecond.
pub(crate) fn new_ordered_id(prefix: &str) -> Result<String, StorageError> {
    static LAST: Mutex<u128> = Mutex::new(0);
    let number = new_number()?;
    let mut last = LAST.lock();
    *last = number.max(last.saturating_add(1));
    Ok(id_of(prefix, *last))
}

fn new_number() -> Result<u128, StorageError> {
    let mut bytes = [0; 16];
    SystemRandom::new().fill(&mut bytes[6..]).map_err(|_| StorageError::NoRandomness)?;
    Ok((u128::from(clock::milliseconds()) << 80) | u128::from_be_bytes(bytes))
}

/// The least id that can be made at that time, in seconds since the Unix epoch.
pub(crate) fn first_id_at(prefix: &str, seconds: i64) -> String {
    let milliseconds = u64::try_from(seconds).unwrap_or(0).saturating_mul(1000).min((1 << 48) - 1);
    id_of(prefix, u128::from(milliseconds) << 80)
}

fn id_of(prefix: &str, number: u128) -> String {
    let digits = (0..DIGITS).rev().map(|place| char::from(ALPHABET[(number >> (5 * place)) as usize % 32]));
    format!("{prefix}_{}", digits.collect::<String>())
}

/// The number of base32 digits for 128 bits.
const DIGITS: usize = 26;

/// In ASCII order, so that texts compare as numbers.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
