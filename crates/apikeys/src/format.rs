use crate::base62::{self, LARGEST_BODY};
use crate::checksum::Crc32;
use crate::error::{Flaw, KeyError};
use crate::limits::{BODY_CHARACTERS, CHECKSUM_CHARACTERS, LABEL_MAX_BYTES, LABEL_MIN_BYTES};
use zeroize::Zeroizing;

/// How an operator's own API keys look: `<prefix>_<env>_<version><body><checksum>`.
///
/// | part | characters | meaning |
/// |---|---|---|
/// | prefix | 1 to 16 of `a-z0-9`, a letter first | whose key it is: the operator's choice |
/// | env | 1 to 16 of `a-z0-9`, a letter first | where it is valid: `live`, `test`, ... |
/// | version | `1` | the other digits are reserved |
/// | body | 43 of `0-9A-Za-z` | 256 random bits, a big-endian number in base62 |
/// | checksum | 6 of `0-9A-Za-z` | CRC-32 (IEEE 802.3) of all characters before it, in base62 |
///
/// The checksum lets a scanner, a form field and the table itself tell a real key from garbage without a look-up. It
/// is no secret and proves nothing: anyone can compute it. Any one changed character is detected, and any change within
/// four neighbouring characters of the body; of other changes one in 2^32 goes unseen.
///
/// ```
/// use tollgate_apikeys::{ApiKey, KeyFormat};
///
/// let format = KeyFormat::new("tg", "live")?;
/// let key = ApiKey::generate(&format)?;
/// assert!(key.as_str().starts_with("tg_live_1"));
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
///     ([0x00; 32], "tg_live_100000000000000000000000000000000000000000000JtwuU"),
///     ([0xFF; 32], "tg_live_1yhjskwdA6OZ1AL1YmHWZWm8LLG7HjnuCA2j5rOw8Xp13PDsDu"),
///     (counting, "tg_live_1003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf16kdCw"),
/// ] {
///     assert_eq!(ApiKey::danger_from_entropy(&format, &entropy).as_str(), key);
/// }
/// # Ok::<(), tollgate_apikeys::KeyError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyFormat {
    /// `<prefix>_<env>_`
    head: Box<str>,
    head_checksum: Crc32,
}

/// The version digit that this release writes and reads. The other digits are reserved.
pub(crate) const VERSION: u8 = b'1';

const TAIL_CHARACTERS: usize = 1 + BODY_CHARACTERS + CHECKSUM_CHARACTERS;

impl KeyFormat {
    /// The format of keys that start with `<prefix>_<env>_`.
    ///
    /// # Errors
    /// [`KeyError::InvalidLabel`] unless both are 1 to 16 of `a-z0-9` with a letter first.
    pub fn new(prefix: &str, env: &str) -> Result<Self, KeyError> {
        if !is_label(prefix) || !is_label(env) {
            return Err(KeyError::InvalidLabel);
        }
        let head = format!("{prefix}_{env}_").into_boxed_str();
        let head_checksum = Crc32::new().update(head.as_bytes());
        Ok(Self { head, head_checksum })
    }

    /// `<prefix>_<env>_`: what every key of this format starts with.
    #[must_use]
    pub fn head(&self) -> &str {
        &self.head
    }

    /// Characters in every key of this format.
    #[must_use]
    pub fn key_length(&self) -> usize {
        self.head.len() + TAIL_CHARACTERS
    }

    /// A regular expression that finds keys of this format, of any version, in text: for secret scanners.
    ///
    /// Understood alike by RE2, PCRE, Hyperscan, and the `regex` crate. A scanner that can compute the checksum should:
    /// what matches and passes [`check`](Self::check) is a key and not an accident.
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

    /// Whether `presented` starts as keys of this format do.
    ///
    /// What does is judged as a native key and never as a foreign one, whatever follows.
    #[inline]
    #[must_use]
    pub fn claims(&self, presented: &[u8]) -> bool {
        presented.starts_with(self.head.as_bytes())
    }

    /// Checks shape and checksum of a presented key. Hashes nothing, allocates nothing, looks nothing up.
    ///
    /// # Errors
    /// [`KeyError::Malformed`] with the first flaw.
    #[inline]
    pub fn check(&self, presented: &[u8]) -> Result<(), KeyError> {
        self.first_flaw(presented).map_or(Ok(()), |flaw| Err(KeyError::Malformed(flaw)))
    }

    fn first_flaw(&self, presented: &[u8]) -> Option<Flaw> {
        let Some(tail) = presented.strip_prefix(self.head.as_bytes()) else {
            return Some(Flaw::Prefix);
        };
        let Ok(tail) = <&[u8; TAIL_CHARACTERS]>::try_from(tail) else {
            let (bytes, expected) = (presented.len(), self.key_length());
            return Some(Flaw::Length { bytes, expected });
        };
        if tail[0] != VERSION {
            return Some(Flaw::Version { found: tail[0] });
        }
        if !base62::is_base62(tail) {
            return Some(Flaw::Alphabet);
        }
        let (checked, checksum) = tail.split_last_chunk::<CHECKSUM_CHARACTERS>()?;
        if &checked[1..] > LARGEST_BODY.as_slice() {
            return Some(Flaw::Range);
        }
        let expected = self.head_checksum.update(checked).finish();
        if base62::decode_checksum(checksum) != u64::from(expected) {
            return Some(Flaw::Checksum);
        }
        None
    }

    /// The key of these 256 bits.
    pub(crate) fn assemble(&self, entropy: &[u8; 32]) -> Zeroizing<String> {
        let body = base62::encode_body(entropy);
        // The capacity is exact: growing would leave a copy of the secret behind.
        let mut key = Zeroizing::new(String::with_capacity(self.key_length()));
        key.push_str(&self.head);
        key.push(char::from(VERSION));
        key.extend(body.iter().map(|&digit| char::from(digit)));
        let checksum = crate::checksum::crc32(key.as_bytes());
        key.extend(base62::encode_checksum(checksum).map(char::from));
        key
    }
}

fn is_label(label: &str) -> bool {
    (LABEL_MIN_BYTES..=LABEL_MAX_BYTES).contains(&label.len())
        && label.starts_with(|first: char| first.is_ascii_lowercase())
        && label.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
}
