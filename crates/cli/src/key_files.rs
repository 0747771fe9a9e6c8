//! Reads keys from key files.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use tollgate::Algorithm;
use tollgate::keys::KeySetBuilder;
use tollgate::keys::limits::MAX_KEY_FILE_BYTES;
use zeroize::Zeroizing;

use crate::error::CommandError;

/// Adds the keys of the file at `path` to `keys`.
///
/// `algorithms`, if not empty, apply to keys without `alg` whose type admits several: to RSA keys, which otherwise admit
/// RS256, and to `oct` keys, which are otherwise refused.
pub(crate) fn add(keys: KeySetBuilder, path: &Path, algorithms: &[Algorithm]) -> Result<KeySetBuilder, CommandError> {
    let file = read(path, MAX_KEY_FILE_BYTES)?;
    let keys = if algorithms.is_empty() { keys } else { keys.algorithms(algorithms) };
    keys.file(&file).map_err(|source| CommandError::NotAKeyFile { path: path.into(), source })
}

/// Reads the file at `path`, but at most one byte more than `limit`: enough to see that it is too long. The bytes may
/// be a secret.
pub(crate) fn read(path: &Path, limit: usize) -> Result<Zeroizing<Vec<u8>>, CommandError> {
    let read = |path| -> io::Result<_> {
        // Sized beforehand: a growing buffer would leave copies behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(limit + 1));
        File::open(path)?.take(limit as u64 + 1).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    read(path).map_err(|source| CommandError::File { path: path.into(), source })
}
