use crate::error::{Flaw, KeyError};
use crate::limits::{BODY_CHARACTERS, CHECKSUM_CHARACTERS, LABEL_MAX_BYTES, LABEL_MIN_BYTES};
use crate::native_key::{NativeKey, TAIL_CHARACTERS, Tail};

/// The format of an operator's own API keys: `<prefix>_<env>_<version><body><checksum>`.
///
/// | part | characters | meaning |
/// |---|---|---|
/// | prefix | 1 to 16 of `a-z0-9`, a letter first | whose key it is: the operator's choice |
/// | env | 1 to 16 of `a-z0-9`, a letter first | where it is valid: `live`, `test`, ... |
/// | version | `2` | the other digits are reserved |
/// | body | 43 of `0-9A-Za-z` | 256 random bits, a big-endian number in base62 |
/// | checksum | 6 of `0-9A-Za-z` | CRC-32 (IEEE 802.3) of all characters before it, in base62 |
///
/// The checksum lets a scanner, a form field and the table itself tell a real key from garbage without a lookup. The
/// checksum is no secret and proves nothing: anyone can compute it. It detects any single changed character and any
/// change within four neighbouring characters of the body. One in 2^32 other changes goes undetected.
///
/// ```
/// use tollgate_apikeys::{ApiKey, KeyFormat};
///
/// let format = KeyFormat::new("tg", "live")?;
/// let key = ApiKey::generate(&format)?;
/// assert!(key.as_str().starts_with("tg_live_2"));
/// assert_eq!(key.as_str().len(), 58);
/// assert!(format.check(key.as_str().as_bytes()).is_ok());
/// # Ok::<(), tollgate_apikeys::KeyError>(())
/// ```
///
/// # Test vectors
/// ```
/// # use tollgate_apikeys::{ApiKey, KeyFormat};
/// let format = KeyFormat::new("tg", "live")?;
/// let counting = std::array::from_fn(|n| n as u8); // 00 01 02 ... 1f
/// for (entropy, key) in [
///     ([0x00; 32], "tg_live_2000000000000000000000000000000000000000000023A3zs"),
///     ([0xFF; 32], "tg_live_2yhjskwdA6OZ1AL1YmHWZWm8LLG7HjnuCA2j5rOw8Xp13b2Lfs"),
///     (counting, "tg_live_2003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf1E1Wau"),
/// ] {
///     assert_eq!(ApiKey::danger_from_entropy(&format, &entropy).as_str(), key);
/// }
/// # Ok::<(), tollgate_apikeys::KeyError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyFormat {
    /// `<prefix>_<env>_`
    head: Box<str>,
    head_checksum: u32,
}

impl KeyFormat {
    /// The version digit that this release writes and reads.
    pub const VERSION: char = '2';

    /// Defines the format of keys that start with `<prefix>_<env>_`.
    ///
    /// # Errors
    /// [`KeyError::InvalidLabel`] unless both are 1 to 16 of `a-z0-9` with a letter first.
    pub fn new(prefix: &str, env: &str) -> Result<Self, KeyError> {
        if !is_label(prefix) || !is_label(env) {
            return Err(KeyError::InvalidLabel);
        }
        let head = format!("{prefix}_{env}_").into_boxed_str();
        let head_checksum = crc32fast::hash(head.as_bytes());
        Ok(Self { head, head_checksum })
    }

    /// `<prefix>_<env>_`: the start of every key of this format.
    #[must_use]
    pub fn head(&self) -> &str {
        &self.head
    }

    /// The number of characters in every key of this format.
    #[must_use]
    pub fn key_length(&self) -> usize {
        self.head.len() + TAIL_CHARACTERS
    }

    /// A regular expression that finds keys of this format, of any version, in text: for secret scanners.
    ///
    /// RE2, PCRE, Hyperscan and the `regex` crate accept it. A scanner that can compute the checksum should: a match
    /// that passes [`check`](Self::check) is a key and not an accident.
    ///
    /// ```
    /// # use tollgate_apikeys::KeyFormat;
    /// let format = KeyFormat::new("tg", "live")?;
    /// assert_eq!(format.scanner_pattern(), r"\btg_live_[0-9][0-9A-Za-z]{49}\b");
    /// # Ok::<(), tollgate_apikeys::KeyError>(())
    /// ```
    #[must_use]
    pub fn scanner_pattern(&self) -> String {
        let body_and_checksum = BODY_CHARACTERS + CHECKSUM_CHARACTERS;
        format!(r"\b{}[0-9][0-9A-Za-z]{{{body_and_checksum}}}\b", self.head)
    }

    /// Whether `presented` starts like the keys of this format.
    ///
    /// Such bytes are judged as a native key, never as a foreign one, whatever follows the start.
    #[inline]
    #[must_use]
    pub fn claims(&self, presented: &[u8]) -> bool {
        presented.starts_with(self.head.as_bytes())
    }

    /// Checks the shape and the checksum of a presented key. Does not hash, allocate or look up.
    ///
    /// # Errors
    /// [`KeyError::Malformed`] with the first flaw.
    #[inline]
    pub fn check<'k>(&self, presented: &'k [u8]) -> Result<NativeKey<'k>, KeyError> {
        let malformed = |flaw| Err(KeyError::Malformed(flaw));
        match self.tail(presented) {
            Some(tail) => self.check_tail(presented, tail),
            None if !self.claims(presented) => malformed(Flaw::Prefix),
            None => malformed(Flaw::Length { bytes: presented.len(), expected: self.key_length() }),
        }
    }

    /// The part after the head, if `presented` has this format's head and length.
    #[inline]
    pub(crate) fn tail<'k>(&self, presented: &'k [u8]) -> Option<&'k Tail> {
        presented.strip_prefix(self.head.as_bytes())?.try_into().ok()
    }

    /// The second half of [`check`](Self::check).
    #[inline]
    pub(crate) fn check_tail<'k>(&self, presented: &'k [u8], tail: &Tail) -> Result<NativeKey<'k>, KeyError> {
        NativeKey::check(presented, tail, self.head_checksum).map_err(KeyError::Malformed)
    }
}

pub(crate) fn is_label(label: &str) -> bool {
    (LABEL_MIN_BYTES..=LABEL_MAX_BYTES).contains(&label.len())
        && label.starts_with(|first: char| first.is_ascii_lowercase())
        && label.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
}
