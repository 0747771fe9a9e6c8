use crate::digest::Digest;
use std::fmt;
use std::hint::black_box;
use triomphe::Arc;

/// What a table is told of a key: its digest, and which digest that is.
///
/// `&ApiKey` converts into it, and [`ApiKeyTable::foreign_digest`](crate::ApiKeyTable::foreign_digest) makes it, so that a
/// digest is only ever put where a presented key is looked for. Of a digest that was stored the owner has to say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyDigest {
    /// Of a key in tollgate's format, whatever its prefix and environment: [`NativeKey::digest`](crate::NativeKey::digest).
    Native(Digest),
    /// Of a key that another system made: [`ApiKeyTable::foreign_digest`](crate::ApiKeyTable::foreign_digest).
    Foreign(Digest),
}

impl KeyDigest {
    /// The digest alone, to be stored.
    #[must_use]
    pub fn digest(&self) -> &Digest {
        match self {
            Self::Native(digest) | Self::Foreign(digest) => digest,
        }
    }
}

/// A key as a table holds it: digest and record, in memory of its own.
///
/// Cheap to clone. A clone keeps this record alone, whatever becomes of the table.
pub struct TableEntry<R>(Arc<Kept<R>>);

/// In this order: an entry of a usual record lies in two cache lines, the reference count in the first and the digest's end
/// in the last.
#[repr(C)]
struct Kept<R> {
    record: R,
    digest: Digest,
}

impl<R> TableEntry<R> {
    pub(crate) fn new(digest: Digest, record: R) -> Self {
        Self(Arc::new(Kept { record, digest }))
    }

    /// What is kept of the key.
    #[inline]
    #[must_use]
    pub fn digest(&self) -> &Digest {
        &self.0.digest
    }

    /// What it stands for.
    #[inline]
    #[must_use]
    pub fn record(&self) -> &R {
        &self.0.record
    }

    /// The digest, after asking for all memory of the entry.
    #[inline]
    pub(crate) fn fetch(&self) -> Digest {
        black_box(Arc::strong_count(&self.0));
        self.0.digest
    }

    /// Whether the two are one entry, not only equal.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl<R> Clone for TableEntry<R> {
    #[inline]
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<R> fmt::Debug for TableEntry<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TableEntry(..)")
    }
}
