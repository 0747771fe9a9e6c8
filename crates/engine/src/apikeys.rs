//! What of `tollgate-apikeys` a server meets beside its table of keys.

pub use tollgate_apikeys::{
    ApiKeyTableBuilder, Flaw, ForeignKey, KeyDigest, KeyError, MatchedKey, NativeKey, Pepper, TableEntry, limits,
};
