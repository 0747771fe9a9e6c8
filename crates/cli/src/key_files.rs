//! Key files to keys.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use tollgate::Algorithm;
use tollgate::jwt::json;
use tollgate::keys::limits::MAX_KEY_FILE_BYTES;
use tollgate::keys::{KeySetBuilder, KeyType};
use zeroize::Zeroizing;

use crate::error::CommandError;

/// Adds the keys of the file at `path` to `keys`.
///
/// `algorithms`, where there are any, are what a key is admitted for that does not tell by itself: an RSA key without `alg`, which
/// else is for RS256, and an `oct` key without `alg`, which else is refused.
pub(crate) fn add(keys: KeySetBuilder, path: &Path, algorithms: &[Algorithm]) -> Result<KeySetBuilder, CommandError> {
    let file = read(path, MAX_KEY_FILE_BYTES)?;
    let keys = if algorithms.is_empty() { keys } else { keys.algorithms(algorithms) };
    let not_a_key_file = |source| CommandError::NotAKeyFile { path: path.into(), source };
    let named = name_algorithms(&file, algorithms);
    if named.is_empty() {
        return keys.file(&file).map_err(not_a_key_file);
    }
    named.iter().try_fold(keys, |keys, jwk| keys.file(jwk)).map_err(not_a_key_file)
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

/// The `oct` JWK in `file`, where it has no `alg`, once for each of the HMAC `algorithms` with that `alg`.
fn name_algorithms(file: &[u8], algorithms: &[Algorithm]) -> Vec<Zeroizing<Vec<u8>>> {
    let mut buffer = json::Buffer::default();
    let Some(members) = file.trim_ascii_start().strip_prefix(b"{") else {
        return Vec::new();
    };
    let is_unnamed = json::parse(file, &mut buffer).is_ok_and(|jwk| {
        let kty = jwk.root().get("kty").and_then(|kty| kty.as_str());
        kty == Some(KeyType::Oct.name()) && jwk.root().get("alg").is_none()
    });
    if !is_unnamed {
        return Vec::new();
    }
    let hmac = algorithms.iter().filter(|algorithm| algorithm.key_type() == KeyType::Oct);
    hmac.map(|algorithm| {
        // A JWK has `kty` at least, so a comma is right.
        let alg = format!("{{\"alg\":\"{algorithm}\",");
        Zeroizing::new([alg.as_bytes(), members].concat())
    })
    .collect()
}
