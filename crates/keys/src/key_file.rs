//! Key files of any kind.

use crate::error::NotAKeyFile;
use crate::key_set_builder::KeySetBuilder;
use crate::report::Loaded;

/// Loads a key file: a JWK, a JWK set, PEM of one or many blocks, or DER. The kind is detected from the first bytes.
///
/// `options` is a builder that may already contain other keys. A single flawed key does not affect the others; its
/// report says what is wrong.
///
/// # Errors
/// [`NotAKeyFile`] if the file is none of these.
///
/// ```
/// use tollgate_keys::{KeySet, NotAKeyFile, key_file};
///
/// let loaded = key_file::load(br#"{"keys":[{"kty":"Unheard-of"}]}"#, KeySet::builder())?;
/// assert!(loaded.set.is_empty());
/// assert_eq!(loaded.reports[0].refused.as_ref().map(|refused| refused.code()), Some("unsupported-key-type"));
///
/// assert_eq!(key_file::load(b"hello", KeySet::builder()).unwrap_err(), NotAKeyFile::UnknownFormat);
/// # Ok::<(), NotAKeyFile>(())
/// ```
pub fn load(bytes: &[u8], options: KeySetBuilder) -> Result<Loaded, NotAKeyFile> {
    Ok(options.file(bytes)?.build_with_reports())
}
