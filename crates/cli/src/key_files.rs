//! Key files to keys.

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
/// `algorithms`, where there are any, are what a key without `alg` is admitted for that does not tell by itself: an RSA key, which
/// else is for RS256, and an `oct` key, which else is refused.
pub(crate) fn add(keys: KeySetBuilder, path: &Path, algorithms: &[Algorithm]) -> Result<KeySetBuilder, CommandError> {
    let file = read(path, MAX_KEY_FILE_BYTES)?;
    let keys = if algorithms.is_empty() { keys } else { keys.algorithms(algorithms) };
    keys.file(&file).map_err(|source| CommandError::NotAKeyFile { path: path.into(), source })
}

/// Reads the file at `path`, of which at most one byte more than `limit` is taken: enough to tell that it is too long. The bytes may
/// hold a secret.
pub(crate) fn read(path: &Path, limit: usize) -> Result<Zeroizing<Vec<u8>>, CommandError> {
    let read = |path| -> io::Result<_> {
        // Sized beforehand, so that no outgrown copy stays behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(limit + 1));
        File::open(path)?.take(limit as u64 + 1).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    read(path).map_err(|source| CommandError::File { path: path.into(), source })
}
