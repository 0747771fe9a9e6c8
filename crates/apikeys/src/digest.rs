use ring::digest::{SHA256, digest};
use std::fmt;
use std::hash::{Hash, Hasher};
use subtle::ConstantTimeEq;

/// The only part of a key that is stored.
///
/// - Native key: the SHA-256 of all characters before the checksum, with its first four bytes replaced by the checksum
///   as a big-endian number. Neither salt nor stretching adds anything: nobody can search 256 random bits, nor the 224
///   bits that the checksum says nothing about.
/// - Foreign key: the SHA-256 of its bytes, or with a [`Pepper`](crate::Pepper) their HMAC-SHA-256.
///
/// Comparing two digests always takes all 32 bytes and constant time. `Debug` shows nothing of the digest: a foreign
/// key's digest could confirm a guess.
///
/// ```
/// use tollgate_apikeys::{Digest, NativeKey};
///
/// let digest = NativeKey::parse(b"tg_live_2000000000000000000000000000000000000000000023A3zs")?.digest();
/// assert_eq!(digest.to_hex(), "6fff29a855cf19ea53f3ffd25ed36a4b01c1010c9f77843c7685a5c457cc5728");
/// assert_eq!(Digest::from_hex(&digest.to_hex()), Some(digest));
/// # Ok::<(), tollgate_apikeys::KeyError>(())
/// ```
#[derive(Clone, Copy)]
pub struct Digest([u8; 32]);

impl Digest {
    /// Digests a native key: `text` is everything before the checksum. This takes one block of SHA-256 if prefix and
    /// environment have at most 9 characters together.
    #[inline]
    pub(crate) fn of_native(text: &[u8], checksum: u32) -> Self {
        let mut digest = Self::of_foreign(text);
        digest.0[..4].copy_from_slice(&checksum.to_be_bytes());
        digest
    }

    /// Digests a foreign key without a pepper.
    #[inline]
    pub(crate) fn of_foreign(presented: &[u8]) -> Self {
        Self::from_output(digest(&SHA256, presented).as_ref())
    }

    /// Restores a stored digest.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes, for storage.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Writes 64 lower-case hexadecimal digits.
    #[must_use]
    pub fn to_hex(&self) -> String {
        let nibbles = self.0.iter().flat_map(|byte| [byte >> 4, byte & 0xF]);
        nibbles.filter_map(|nibble| char::from_digit(nibble.into(), 16)).collect()
    }

    /// Reads the output of [`to_hex`](Self::to_hex); `None` for anything else, upper case included.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        let (pairs, []) = text.as_bytes().as_chunks::<2>() else {
            return None;
        };
        let pairs: &[[u8; 2]; 32] = pairs.try_into().ok()?;
        let mut bytes = [0; 32];
        for (byte, &[high, low]) in bytes.iter_mut().zip(pairs) {
            *byte = (nibble(high)? << 4) | nibble(low)?;
        }
        Some(Self(bytes))
    }

    /// Takes the output of SHA-256 or HMAC-SHA-256, which is 32 bytes long.
    #[inline]
    pub(crate) fn from_output(output: &[u8]) -> Self {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(output);
        Self(bytes)
    }

    /// The checksum of a native key.
    #[inline]
    pub(crate) fn checksum(&self) -> u32 {
        let [a, b, c, d, ..] = self.0;
        u32::from_be_bytes([a, b, c, d])
    }

    /// The digest as four numbers.
    #[inline]
    pub(crate) fn lanes(&self) -> [u64; 4] {
        let (lanes, _) = self.0.as_chunks::<8>();
        let lane = |n: usize| u64::from_le_bytes(lanes[n]);
        [lane(0), lane(1), lane(2), lane(3)]
    }
}

/// Constant time: combines the differences of all lanes before it tests the result.
impl PartialEq for Digest {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        let (a, b) = (self.lanes(), other.lanes());
        let differences = (a[0] ^ b[0]) | (a[1] ^ b[1]) | (a[2] ^ b[2]) | (a[3] ^ b[3]);
        differences.ct_eq(&0).into()
    }
}

impl Eq for Digest {}

impl Hash for Digest {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write(&self.0);
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digest(..)")
    }
}

fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}
