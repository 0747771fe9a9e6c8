//! The last good set in a file, for a start without the provider.

use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;
use tollgate_jwt::json;

use crate::error::SavedSetError;
use crate::limits::SAVED_BYTES_BESIDE_DOCUMENT;

/// A document as it was published, and when.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SavedSet {
    version: u32,
    /// The issuer, or the `jwks_uri`, so that one issuer's keys are not taken for those of another.
    source: String,
    /// When the provider published the document last, in seconds since the Unix epoch.
    pub(crate) confirmed_at: i64,
    /// The document to the letter: it is vetted anew when it is read.
    pub(crate) jwks: String,
}

const VERSION: u32 = 1;

impl SavedSet {
    pub(crate) fn new(source: &str, confirmed_at: i64, document: &[u8]) -> Result<Self, SavedSetError> {
        let jwks = std::str::from_utf8(document).map_err(|_| SavedSetError::Malformed)?.to_owned();
        Ok(SavedSet { version: VERSION, source: source.to_owned(), confirmed_at, jwks })
    }

    /// Reads what was saved of `source`, a document of at most `max_bytes`. Blocks while it reads.
    pub(crate) fn read(path: &Path, source: &str, max_bytes: usize) -> Result<Self, SavedSetError> {
        // In JSON a byte takes up to six.
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

    /// Replaces the file as a whole or not at all: whoever reads sees the old one or the new one. It is for its owner
    /// alone (mode 0600). Blocks until it is on the disk.
    pub(crate) fn write(&self, path: &Path) -> Result<(), SavedSetError> {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        // A temporary file of this crate is created for its owner alone.
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
