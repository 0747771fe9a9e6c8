use crate::base62::{self, LARGEST_BODY};
use crate::digest::Digest;
use crate::error::{Flaw, KeyError};
use crate::format::{KeyFormat, is_label};
use crate::limits::{BODY_CHARACTERS, CHECKSUM_CHARACTERS};
use crc32fast::Hasher;
use std::fmt;

/// A presented key in tollgate's format, with a valid shape and checksum.
///
/// This does not prove that the key was issued: anyone can compute the checksum.
#[derive(Clone, Copy)]
pub struct NativeKey<'k> {
    /// Everything before the checksum.
    text: &'k [u8],
    checksum: u32,
}

/// The part of a key after its head: version, body, checksum.
pub(crate) type Tail = [u8; TAIL_CHARACTERS];

pub(crate) const TAIL_CHARACTERS: usize = CHECKED_CHARACTERS + CHECKSUM_CHARACTERS;

const CHECKED_CHARACTERS: usize = 1 + BODY_CHARACTERS;

impl<'k> NativeKey<'k> {
    /// Parses a key with any prefix and environment.
    ///
    /// # Errors
    /// [`KeyError::Malformed`] with the first flaw.
    ///
    /// ```
    /// use tollgate_apikeys::NativeKey;
    ///
    /// let key = NativeKey::parse(b"acme2_sandbox_2000000000000000000000000000000000000000000z0yxJC6")?;
    /// assert_eq!(key.head(), "acme2_sandbox_");
    /// # Ok::<(), tollgate_apikeys::KeyError>(())
    /// ```
    pub fn parse(presented: &'k [u8]) -> Result<Self, KeyError> {
        let malformed = |flaw| Err(KeyError::Malformed(flaw));
        let mut parts = std::str::from_utf8(presented).unwrap_or_default().splitn(3, '_');
        let (Some(prefix), Some(env), Some(tail)) = (parts.next(), parts.next(), parts.next()) else {
            return malformed(Flaw::Prefix);
        };
        if !is_label(prefix) || !is_label(env) {
            return malformed(Flaw::Prefix);
        }
        let (bytes, head) = (presented.len(), presented.len() - tail.len());
        match tail.as_bytes().try_into() {
            Ok(tail) => Self::check(presented, tail, crc32fast::hash(&presented[..head])).map_err(KeyError::Malformed),
            Err(_) => malformed(Flaw::Length { bytes, expected: head + TAIL_CHARACTERS }),
        }
    }

    /// Checks a key whose head is valid and has the checksum `head_checksum`.
    #[inline]
    pub(crate) fn check(presented: &'k [u8], tail: &Tail, head_checksum: u32) -> Result<Self, Flaw> {
        if char::from(tail[0]) != KeyFormat::VERSION {
            return Err(Flaw::Version { found: tail[0] });
        }
        if !base62::is_base62(tail) {
            return Err(Flaw::Alphabet);
        }
        let (checked, checksum) = tail.split_at(CHECKED_CHARACTERS);
        if &checked[1..] > LARGEST_BODY.as_slice() {
            return Err(Flaw::Range);
        }
        let mut expected = Hasher::new_with_initial(head_checksum);
        expected.update(checked);
        let expected = expected.finalize();
        if base62::decode_checksum(checksum) != u64::from(expected) {
            return Err(Flaw::Checksum);
        }
        Ok(Self { text: &presented[..presented.len() - CHECKSUM_CHARACTERS], checksum: expected })
    }

    /// The checksum in a key's text. Meaningless if the key is flawed.
    #[inline]
    pub(crate) fn claimed_checksum(tail: &Tail) -> u32 {
        base62::decode_checksum(&tail[CHECKED_CHARACTERS..]) as u32
    }

    /// The key's digest.
    #[inline]
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of_native(self.text, self.checksum)
    }

    /// `<prefix>_<env>_`, like [`KeyFormat::head`].
    #[must_use]
    pub fn head(&self) -> &'k str {
        // Cannot fail: the head is ASCII.
        std::str::from_utf8(&self.text[..self.text.len() - CHECKED_CHARACTERS]).unwrap_or_default()
    }
}

impl fmt::Debug for NativeKey<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NativeKey(..)")
    }
}
