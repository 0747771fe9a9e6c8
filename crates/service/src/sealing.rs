//! The service's signing keys are encrypted in the store: whoever reads the database or a backup of it cannot sign.

use crate::error::ServerError;
use crate::limits::{MAX_SEALING_FILE_BYTES, MAX_SEALING_KEYS};
use base16ct::{lower, mixed};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom, SystemRandom};
use std::fmt;
use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use tollgate::jwt::base64url;
use zeroize::Zeroizing;

/// The keys of a file, under which the signing keys are encrypted in the store (AES-256-GCM): the first encrypts, each decrypts.
///
/// A key is a line of 64 hexadecimal digits, as `openssl rand -hex 32` prints them; empty lines and those that begin with `#` are passed
/// over. Of a key there is an id, by which the store names it: the first 8 bytes of the SHA-256 of a prefix and the key, in
/// hexadecimal.
pub(crate) struct SealingKeys {
    file: PathBuf,
    /// At least one.
    keys: Vec<SealingKey>,
}

struct SealingKey {
    id: String,
    cipher: LessSafeKey,
}

/// Signing keys that were decrypted.
pub(crate) struct Opened {
    pub(crate) private_jwks: Zeroizing<String>,
    /// Whether the first key of the file encrypted them.
    pub(crate) is_current: bool,
}

/// Why signing keys cannot be encrypted or decrypted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SealingError {
    /// The file cannot be read or made.
    #[error("cannot use the file of sealing keys, {}: {source}", file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// A line of the file is no key. The line is not told.
    #[error("{}, line {line}: a sealing key is 64 hexadecimal digits, as `openssl rand -hex 32` prints them", file.display())]
    Line {
        /// The file.
        file: PathBuf,
        /// The line, counted from 1.
        line: usize,
    },
    /// The file holds no key, or too many.
    #[error("{} holds {found} sealing keys, and has to hold from 1 to {max}, one a line", file.display(), max = MAX_SEALING_KEYS)]
    Count {
        /// The file.
        file: PathBuf,
        /// How many keys there are.
        found: usize,
    },
    /// The file lacks the key that encrypted the signing keys.
    #[error("the signing keys in the store are sealed under the key {id}, which is not in {}", file.display())]
    UnknownKey {
        /// The id of the key.
        id: String,
        /// The file.
        file: PathBuf,
    },
    /// No file was named, and the signing keys are encrypted.
    #[error("the signing keys in the store are sealed under the key {id}: name its file with --sealing-key-file")]
    NoFile {
        /// The id of the key.
        id: String,
    },
    /// What is in the store was not encrypted so: it was changed, or is from another version of the signing keys.
    #[error("the signing keys in the store cannot be opened: they were changed, or belong to another version")]
    Damaged,
}

impl SealingError {
    /// The stable kebab-case name of the error.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::File { .. } => "sealing-key-file",
            Self::Line { .. } | Self::Count { .. } => "invalid-sealing-key-file",
            Self::UnknownKey { .. } => "sealing-key-unknown",
            Self::NoFile { .. } => "sealing-key-needed",
            Self::Damaged => "signing-keys-damaged",
        }
    }
}

impl SealingKeys {
    /// Reads the file.
    pub(crate) fn read(file: &Path) -> Result<Self, SealingError> {
        // Sized beforehand, so that no outgrown copy stays behind.
        let mut text = Zeroizing::new(Vec::with_capacity(MAX_SEALING_FILE_BYTES + 1));
        let failed = |source| SealingError::File { file: file.to_owned(), source };
        let limit = MAX_SEALING_FILE_BYTES as u64 + 1;
        File::open(file).and_then(|file| file.take(limit).read_to_end(&mut text)).map_err(failed)?;
        if text.len() > MAX_SEALING_FILE_BYTES {
            return Err(failed(io::Error::other(format!("longer than {MAX_SEALING_FILE_BYTES} bytes"))));
        }
        let mut keys = Vec::new();
        for (index, line) in text.split(|byte| *byte == b'\n').enumerate() {
            let line = line.trim_ascii();
            if !line.is_empty() && !line.starts_with(b"#") {
                let key = SealingKey::from_hex(line);
                keys.push(key.ok_or_else(|| SealingError::Line { file: file.to_owned(), line: index + 1 })?);
            }
        }
        if keys.is_empty() || keys.len() > MAX_SEALING_KEYS {
            return Err(SealingError::Count { file: file.to_owned(), found: keys.len() });
        }
        Ok(Self { file: file.to_owned(), keys })
    }

    /// Makes the file with a random key, for its owner alone, unless there is one by now; and reads it.
    pub(crate) fn make(file: &Path) -> Result<Self, ServerError> {
        let mut key = Zeroizing::new([0; KEY_BYTES]);
        SystemRandom::new().fill(key.as_mut_slice()).map_err(|_| ServerError::NoRandomness)?;
        let mut text = Zeroizing::new([b'\n'; 2 * KEY_BYTES + 1]);
        let _ = lower::encode(key.as_slice(), &mut text[..2 * KEY_BYTES]);
        write_new(file, text.as_slice()).map_err(|source| SealingError::File { file: file.to_owned(), source })?;
        Ok(Self::read(file)?)
    }

    /// Encrypts the private JWKS that becomes that version of the signing keys.
    pub(crate) fn seal(&self, version: i64, private_jwks: &str) -> Result<Zeroizing<String>, ServerError> {
        let Some(SealingKey { id, cipher }) = self.keys.first() else { return Err(SealingError::Damaged.into()) };
        let mut nonce = [0; NONCE_LEN];
        SystemRandom::new().fill(&mut nonce).map_err(|_| ServerError::NoRandomness)?;
        let mut bytes = Zeroizing::new(private_jwks.as_bytes().to_vec());
        let tag = cipher
            .seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), associated(id, version), &mut bytes)
            .map_err(|_| SealingError::Damaged)?;
        let sealed = base64url::encode([&nonce, bytes.as_slice(), tag.as_ref()].concat());
        Ok(Zeroizing::new(format!("{PREFIX}{id}.{sealed}")))
    }

    /// Decrypts what is stored as that version.
    fn open(&self, version: i64, id: &str, sealed: &str) -> Result<Opened, SealingError> {
        let place = self.keys.iter().position(|key| key.id == id);
        let unknown = || SealingError::UnknownKey { id: id.to_owned(), file: self.file.clone() };
        let place = place.ok_or_else(unknown)?;
        let open = || {
            let mut bytes = Zeroizing::new(Vec::new());
            base64url::decode(sealed, &mut bytes).ok()?;
            let (nonce, ciphertext) = bytes.split_at_mut_checked(NONCE_LEN)?;
            let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
            let opened = self.keys.get(place)?.cipher.open_in_place(nonce, associated(id, version), ciphertext).ok()?;
            Some(Zeroizing::new(std::str::from_utf8(opened).ok()?.to_owned()))
        };
        let private_jwks = open().ok_or(SealingError::Damaged)?;
        Ok(Opened { private_jwks, is_current: place == 0 })
    }
}

/// The private JWKS in what is stored as that version, in clear or encrypted. In clear it is current where there is no key.
pub(crate) fn open(keys: Option<&SealingKeys>, version: i64, stored: &str) -> Result<Opened, SealingError> {
    let Some((id, sealed)) = split(stored) else {
        return Ok(Opened { private_jwks: Zeroizing::new(stored.to_owned()), is_current: keys.is_none() });
    };
    match keys {
        Some(keys) => keys.open(version, id, sealed),
        None => Err(SealingError::NoFile { id: id.to_owned() }),
    }
}

/// Whether what is stored is encrypted.
pub(crate) fn is_sealed(stored: &str) -> bool {
    split(stored).is_some()
}

/// The key's id, and what it encrypted.
fn split(stored: &str) -> Option<(&str, &str)> {
    stored.strip_prefix(PREFIX)?.split_once('.')
}

impl SealingKey {
    fn from_hex(digits: &[u8]) -> Option<Self> {
        let mut key = Zeroizing::new([0; KEY_BYTES]);
        if digits.len() != 2 * KEY_BYTES {
            return None;
        }
        mixed::decode(digits, key.as_mut_slice()).ok()?;
        let cipher = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key.as_slice()).ok()?);
        let named = Zeroizing::new([b"tollgate sealing key ".as_slice(), key.as_slice()].concat());
        let id = lower::encode_string(digest(&SHA256, &named).as_ref().get(..ID_BYTES)?);
        Some(Self { id, cipher })
    }
}

impl fmt::Debug for SealingKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ids = self.keys.iter().map(|key| key.id.as_str());
        f.debug_struct("SealingKeys").field("file", &self.file).field("ids", &ids.collect::<Vec<_>>()).finish()
    }
}

/// What is authenticated along with the text, so that it opens as the version alone that it was written as.
fn associated(id: &str, version: i64) -> Aad<String> {
    Aad::from(format!("tollgate signing keys, key {id}, version {version}"))
}

/// Writes a file for its owner alone, durably, unless there is one by now. Of several at once the first one's stays.
fn write_new(file: &Path, text: &[u8]) -> io::Result<()> {
    let folder = file.parent().unwrap_or(Path::new("."));
    let mut written = tempfile::NamedTempFile::new_in(folder)?;
    written.write_all(text)?;
    written.as_file().sync_all()?;
    match written.persist_noclobber(file) {
        Err(error) if error.error.kind() == ErrorKind::AlreadyExists => return Ok(()),
        persisted => drop(persisted?),
    }
    // What is encrypted under it must not be durable before its name is.
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

/// No private JWKS begins so.
const PREFIX: &str = "sealed.1.";

/// AES-256.
const KEY_BYTES: usize = 32;

const ID_BYTES: usize = 8;
