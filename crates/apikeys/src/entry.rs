use crate::digest::Digest;
use std::fmt;
use std::hint::black_box;
use triomphe::Arc;

/// A key's digest and the key's kind.
///
/// `&ApiKey` converts into a `KeyDigest`, and [`ApiKeyTable::foreign_digest`](crate::ApiKeyTable::foreign_digest)
/// returns one, so that a digest is only stored where the presented key is looked up. For a digest read from storage,
/// the owner has to know the kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyDigest {
    /// The digest of a key in tollgate's format with any prefix and environment:
    /// [`NativeKey::digest`](crate::NativeKey::digest).
    Native(Digest),
    /// The digest of a key that another system issued:
    /// [`ApiKeyTable::foreign_digest`](crate::ApiKeyTable::foreign_digest).
    Foreign(Digest),
}

impl KeyDigest {
    /// The digest without its kind, for storage.
    #[must_use]
    pub fn digest(&self) -> &Digest {
        match self {
            Self::Native(digest) | Self::Foreign(digest) => digest,
        }
    }
}

/// A table's entry for one key: digest and record, in an allocation of its own.
///
/// Cheap to clone. A clone keeps this record alive, and nothing else of the table.
pub struct TableEntry<R>(Arc<EntryData<R>>);

/// The field order puts an entry with a usual record into two cache lines: the reference count in the first, the
/// digest's end in the last.
#[repr(C)]
struct EntryData<R> {
    record: R,
    digest: Digest,
}

impl<R> TableEntry<R> {
    pub(crate) fn new(digest: Digest, record: R) -> Self {
        Self(Arc::new(EntryData { record, digest }))
    }

    /// The key's digest.
    #[inline]
    #[must_use]
    pub fn digest(&self) -> &Digest {
        &self.0.digest
    }

    /// The key's record.
    #[inline]
    #[must_use]
    pub fn record(&self) -> &R {
        &self.0.record
    }

    /// Copies the digest. Touches the reference count first, so that both cache lines of the entry are loaded.
    #[inline]
    pub(crate) fn fetch(&self) -> Digest {
        black_box(Arc::strong_count(&self.0));
        self.0.digest
    }

    /// Whether both are the same allocation, not only equal.
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
