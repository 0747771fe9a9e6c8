//! The items of `tollgate-apikeys` that a server needs besides its table of keys.

pub use tollgate_apikeys::{
    ApiKeyTableBuilder, Flaw, ForeignKey, KeyDigest, KeyError, MatchedKey, NativeKey, Pepper, TableEntry, limits,
};
