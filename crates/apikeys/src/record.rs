use crate::seats::Shared;
use std::fmt;
use std::sync::Arc;

/// What a table keeps for each key.
///
/// A record that packs into 32 bytes lies in the table beside its digest, in one cache line: to find it takes one access
/// to memory and writes nothing. One that does not is held whole, behind a reference count.
///
/// ```
/// use tollgate_apikeys::{Packed, Record};
///
/// struct Account(u32);
///
/// impl Record for Account {
///     type Names = ();
///
///     fn pack(&self, _: &()) -> Option<Packed> {
///         Some(Packed([1, self.0.into(), 0, 0]))
///     }
///
///     fn unpack(packed: Packed, _: &()) -> Self {
///         Account(packed.0[1] as u32)
///     }
/// }
/// ```
pub trait Record: Sized {
    /// What packed records refer to by number instead of holding it themselves: names that many of them share. A table
    /// begins with an empty one, and begins again with each replacement of everything.
    type Names: Default;

    /// The record in 32 bytes, or `None` when they do not hold all of it.
    fn pack(&self, names: &Self::Names) -> Option<Packed>;

    /// The record that was packed so, with the same names.
    fn unpack(packed: Packed, names: &Self::Names) -> Self;
}

/// A packed record. The first number may be neither 0 nor [`u64::MAX`], which the table needs itself; a record that packs
/// to one of them is held whole.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Packed(pub [u64; 4]);

/// A set of keys of which nothing is known.
impl Record for () {
    type Names = ();

    fn pack(&self, (): &()) -> Option<Packed> {
        Some(Packed([1, 0, 0, 0]))
    }

    fn unpack(_: Packed, (): &()) {}
}

/// A record as it was found.
pub enum Found<R: Record> {
    /// In the table itself.
    Packed(Packed, Shared<R::Names>),
    /// Behind a reference count.
    Whole(Arc<R>),
}

impl<R: Record> Found<R> {
    /// The record; one that was packed is made anew.
    #[must_use]
    pub fn into_record(self) -> Arc<R> {
        match self {
            Self::Packed(packed, names) => Arc::new(R::unpack(packed, &names)),
            Self::Whole(record) => record,
        }
    }
}

impl<R: Record> Clone for Found<R> {
    fn clone(&self) -> Self {
        match self {
            Self::Packed(packed, names) => Self::Packed(*packed, names.clone()),
            Self::Whole(record) => Self::Whole(record.clone()),
        }
    }
}

impl<R: Record> fmt::Debug for Found<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Found(..)")
    }
}
