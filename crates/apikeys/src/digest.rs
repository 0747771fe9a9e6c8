use ring::digest::{SHA256, digest};
use std::fmt;
use std::hash::{Hash, Hasher};
use subtle::ConstantTimeEq;

/// What is kept of a key: the SHA-256 of its bytes, or for a foreign key under a [`Pepper`](crate::Pepper) their
/// HMAC-SHA-256.
///
/// A plain hash is enough for native keys: 256 random bits cannot be searched, so neither salt nor stretching adds
/// anything. Two digests compare in a time that does not depend on their content, all 32 bytes always. `Debug` shows
/// none of it: a foreign key's digest could confirm a guess.
///
/// ```
/// use tollgate_apikeys::Digest;
///
/// let digest = Digest::of(b"abc");
/// assert_eq!(digest.to_hex(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
/// assert_eq!(Digest::from_hex(&digest.to_hex()), Some(digest));
/// ```
#[derive(Clone, Copy)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The digest of a native key, or of a foreign key when there is no pepper.
    #[inline]
    #[must_use]
    pub fn of(presented: &[u8]) -> Self {
        Self::from_output(digest(&SHA256, presented).as_ref())
    }

    /// A digest that was stored.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes, to be stored.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// 64 lower-case hexadecimal digits.
    #[must_use]
    pub fn to_hex(&self) -> String {
        let nibbles = self.0.iter().flat_map(|byte| [byte >> 4, byte & 0xF]);
        nibbles.filter_map(|nibble| char::from_digit(nibble.into(), 16)).collect()
    }

    /// Reads what [`to_hex`](Self::to_hex) writes; `None` for anything else, upper case included.
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

    /// The output of SHA-256 or HMAC-SHA-256, which is 32 bytes long.
    #[inline]
    pub(crate) fn from_output(output: &[u8]) -> Self {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(output);
        Self(bytes)
    }

    /// The digest as four numbers.
    #[inline]
    pub(crate) fn lanes(&self) -> [u64; 4] {
        let (lanes, _) = self.0.as_chunks::<8>();
        let lane = |n: usize| u64::from_le_bytes(lanes[n]);
        [lane(0), lane(1), lane(2), lane(3)]
    }

    pub(crate) fn from_lanes(lanes: [u64; 4]) -> Self {
        let mut bytes = [0; 32];
        for (bytes, lane) in bytes.as_chunks_mut::<8>().0.iter_mut().zip(lanes) {
            *bytes = lane.to_le_bytes();
        }
        Self(bytes)
    }

    /// Constant time over the whole digest: the differences of all lanes are gathered before any is looked at.
    #[inline]
    pub(crate) fn are_equal(a: &[u64; 4], b: &[u64; 4]) -> bool {
        let differences = (a[0] ^ b[0]) | (a[1] ^ b[1]) | (a[2] ^ b[2]) | (a[3] ^ b[3]);
        differences.ct_eq(&0).into()
    }
}

/// In constant time.
impl PartialEq for Digest {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        Self::are_equal(&self.lanes(), &other.lanes())
    }
}

impl Eq for Digest {}

impl Hash for Digest {
    /// One `write` of 32 bytes, with no length before it: what the table's keyed hasher expects.
    #[inline]
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
