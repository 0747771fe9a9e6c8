use std::fmt;

use crate::curve::{P256, P384};
use crate::key_refused::KeyRefused;
use crate::limits::{MAX_WINDOW_BITS, MIN_WINDOW_BITS};
use crate::table::KeyTables;
use crate::verdict::Verdict;
use crate::verify::verify;

/// A public key with its multiples.
pub struct PreparedKey(Tables);

enum Tables {
    P256(KeyTables<P256, 4>),
    P384(KeyTables<P384, 6>),
}

/// A curve (SP 800-186 section 3.2.1).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Curve {
    /// NIST P-256, secp256r1.
    P256,
    /// NIST P-384, secp384r1.
    P384,
}

impl PreparedKey {
    /// Computes and proves the multiples of `point`, which is uncompressed: `04 || x || y` (SEC 1 section 2.3.3).
    ///
    /// The first key of a curve computes the generator's as well.
    /// [`KEY_WINDOW_BITS`](crate::limits::KEY_WINDOW_BITS) is the width of windows for an ordinary number of keys.
    ///
    /// # Errors
    /// [`KeyRefused`].
    pub fn new(curve: Curve, point: &[u8], window_bits: u32) -> Result<Self, KeyRefused> {
        if !(MIN_WINDOW_BITS..=MAX_WINDOW_BITS).contains(&window_bits) {
            return Err(KeyRefused::WindowBits);
        }
        Ok(PreparedKey(match curve {
            Curve::P256 => Tables::P256(KeyTables::new(point, window_bits)?),
            Curve::P384 => Tables::P384(KeyTables::new(point, window_bits)?),
        }))
    }

    /// Whether `signature`, `r || s` in as many bytes each as a coordinate has (RFC 7518 section 3.4), is one of the message
    /// whose hash is `digest`.
    ///
    /// Of a digest longer than a coordinate the leftmost bytes count (FIPS 186-5 section 6.4.2). `s` and `n - s` are
    /// equally good: nothing here asks for the lower one.
    pub fn verify(&self, digest: &[u8], signature: &[u8]) -> Verdict {
        match &self.0 {
            Tables::P256(tables) => verify(tables, digest, signature),
            Tables::P384(tables) => verify(tables, digest, signature),
        }
    }

    /// The memory that the tables take, in bytes, without the generator's, which all keys share.
    #[must_use]
    pub fn table_bytes(&self) -> usize {
        match &self.0 {
            Tables::P256(tables) => tables.key.bytes(),
            Tables::P384(tables) => tables.key.bytes(),
        }
    }
}

impl fmt::Debug for PreparedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let curve = match &self.0 {
            Tables::P256(_) => Curve::P256,
            Tables::P384(_) => Curve::P384,
        };
        f.debug_struct("PreparedKey").field("curve", &curve).finish_non_exhaustive()
    }
}
