//! Key files of any kind.

use crate::error::NotAKeyFile;
use crate::key_set_builder::KeySetBuilder;
use crate::report::Loaded;

/// Reads a key file: a JWK, a JWK set, PEM of one or many blocks, or DER, told apart by how it starts.
///
/// `options` is a builder, with whatever else is to be in the set. What is wrong with a single key is said in its
/// report and leaves its neighbours alone.
///
/// # Errors
/// [`NotAKeyFile`] where it is none of these.
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
