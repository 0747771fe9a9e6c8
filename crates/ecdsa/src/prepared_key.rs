use std::fmt;

use crate::curve::{P256, P384};
use crate::key_refused::KeyRefused;
use crate::limits::{MAX_WINDOW_BITS, MIN_WINDOW_BITS};
use crate::table::KeyTables;
use crate::verdict::Verdict;
use crate::verify::verify;

/// A public key with tables of its multiples.
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
    /// Computes and proves the tables of `point`, an uncompressed point: `04 || x || y` (SEC 1 section 2.3.3).
    ///
    /// The first key of a curve also computes the generator's table.
    /// [`KEY_WINDOW_BITS`](crate::limits::KEY_WINDOW_BITS) is the window width for a usual number of keys.
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

    /// Verifies `signature` over the message with the hash `digest`. `signature` is `r || s`, each as long as a
    /// coordinate (RFC 7518 section 3.4).
    ///
    /// If the digest is longer than a coordinate, only its leftmost bytes are used (FIPS 186-5 section 6.4.2). Both `s`
    /// and `n - s` are accepted: the lower one is not required.
    pub fn verify(&self, digest: &[u8], signature: &[u8]) -> Verdict {
        match &self.0 {
            Tables::P256(tables) => verify(tables, digest, signature),
            Tables::P384(tables) => verify(tables, digest, signature),
        }
    }

    /// The size of the key's tables in bytes, without the generator's, which all keys share.
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
