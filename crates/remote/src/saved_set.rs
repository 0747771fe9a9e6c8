//! The last good set in a file, for a start without the provider.

use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;
use tollgate_jwt::json;

use crate::error::SavedSetError;
use crate::limits::SAVED_BYTES_BESIDE_DOCUMENT;

/// A published document and the time of its confirmation.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SavedSet {
    version: u32,
    /// The issuer or the configured URI, so that one issuer's keys are not used for another.
    source: String,
    /// When the provider last confirmed the document, in seconds since the Unix epoch.
    pub(crate) confirmed_at: i64,
    /// The exact document, which is vetted again when it is read.
    pub(crate) jwks: String,
}

const VERSION: u32 = 1;

impl SavedSet {
    pub(crate) fn new(source: &str, confirmed_at: i64, document: &[u8]) -> Result<Self, SavedSetError> {
        let jwks = std::str::from_utf8(document).map_err(|_| SavedSetError::Malformed)?.to_owned();
        Ok(SavedSet { version: VERSION, source: source.to_owned(), confirmed_at, jwks })
    }

    /// Reads the saved set of `source`, whose document may have at most `max_bytes`. Blocks while it reads.
    pub(crate) fn read(path: &Path, source: &str, max_bytes: usize) -> Result<Self, SavedSetError> {
        // JSON takes up to six bytes for one.
        let max_bytes = max_bytes.saturating_mul(6).saturating_add(SAVED_BYTES_BESIDE_DOCUMENT);
        let file = File::open(path)?;
        vet_mode(&file)?;
        let mut text = Vec::new();
        file.take(max_bytes as u64 + 1).read_to_end(&mut text)?;
        if text.len() > max_bytes {
            return Err(SavedSetError::Malformed);
        }
        let saved: SavedSet =
            serde_json::from_slice(json::without_byte_order_mark(&text)).map_err(|_| SavedSetError::Malformed)?;
        if saved.version != VERSION {
            return Err(SavedSetError::Malformed);
        }
        if saved.source != source {
            return Err(SavedSetError::OtherSource { found: saved.source });
        }
        Ok(saved)
    }

    /// Replaces the file atomically: a reader sees the old or the new contents. Only the owner can read it (mode 0600).
    /// Blocks until the data is on the disk.
    pub(crate) fn write(&self, path: &Path) -> Result<(), SavedSetError> {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        // tempfile creates its files with access for the owner only.
        let mut file = NamedTempFile::new_in(folder)?;
        let text = serde_json::to_vec(self).map_err(|_| SavedSetError::Malformed)?;
        file.write_all(&text)?;
        file.as_file().sync_all()?;
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
    }
}

#[cfg(unix)]
fn vet_mode(file: &File) -> Result<(), SavedSetError> {
    use std::os::unix::fs::PermissionsExt;
    const WRITE_BY_OTHERS: u32 = 0o022;
    if file.metadata()?.permissions().mode() & WRITE_BY_OTHERS == 0 {
        Ok(())
    } else {
        Err(SavedSetError::WritableByOthers)
    }
}

#[cfg(not(unix))]
fn vet_mode(_: &File) -> Result<(), SavedSetError> {
    Ok(())
}
