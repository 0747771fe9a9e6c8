//! The table of API keys. In a build without the feature `apikeys`, types without values replace it, so that the rest
//! of the engine is written once.

#[cfg(not(feature = "apikeys"))]
mod absent;

#[cfg(not(feature = "apikeys"))]
pub(crate) use absent::{ApiKeyTable, KeyError, LastUse, MatchedKey, NativeKey};
#[cfg(feature = "apikeys")]
pub(crate) use tollgate_apikeys::{ApiKeyTable, KeyError, LastUse, MatchedKey, NativeKey};

use crate::rejection::Rejection;

impl From<KeyError> for Rejection {
    #[cold]
    fn from(error: KeyError) -> Self {
        if is_unknown(&error) { Rejection::UnknownApiKey } else { Rejection::MalformedApiKey }
    }
}

#[cfg(feature = "apikeys")]
fn is_unknown(error: &KeyError) -> bool {
    matches!(error, KeyError::Unknown)
}

#[cfg(not(feature = "apikeys"))]
use absent::is_unknown;

#[cfg(feature = "apikeys")]
const _: () = assert!(crate::limits::MIN_HEADER_BYTES == tollgate_apikeys::limits::FOREIGN_MIN_BYTES);
