//! The API-keys file: one JSON object per line, with the digest and the record of a key. The key itself is not in it.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};
use tollgate::apikeys::KeyDigest;
use tollgate::jwt::{base64url, is_scope_token};
use tollgate::{AddressBlock, ApiKeyTable, Digest, KeyFormat, KeyRecord, KeyRecordBuilder, KeyState};

use crate::error::CommandError;
use crate::limits::MAX_RECORD_BYTES;
use crate::values::{Kind, State};

/// One line of the file.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct KeyLine {
    /// base64url of the SHA-256 of the key, or its hexadecimal digits.
    pub(crate) digest: String,
    pub(crate) id: String,
    pub(crate) kind: Kind,
    /// For a client secret, the client.
    pub(crate) subject: Option<String>,
    pub(crate) client_id: Option<String>,
    #[serde(default)]
    pub(crate) scopes: Vec<String>,
    /// All times are seconds since the Unix epoch.
    pub(crate) not_before: Option<i64>,
    pub(crate) expires_at: Option<i64>,
    /// The format of the key; `None` for a key that was made elsewhere and has no checksum.
    pub(crate) format: Option<FormatName>,
    /// Members that only `tollgate api-key export` writes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) state: Option<State>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) created_at: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) overlap_ends_at: Option<i64>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) allowed_addresses: Vec<String>,
    // An engine ignores these three.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) metadata: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) rotated_to: Option<String>,
}

/// The beginning of a key: `<prefix>_<env>_`.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FormatName {
    pub(crate) prefix: String,
    pub(crate) env: String,
}

/// The table of the keys in the file at `path`.
///
/// The table's own format is that of the first line with one.
pub(crate) fn read(path: &Path) -> Result<ApiKeyTable<KeyRecord>, CommandError> {
    let refused = |line, reason: String| CommandError::KeyRecord { path: path.into(), line, reason };
    let lines = lines(path)?;
    let native = lines.iter().find_map(|(number, line)| Some((*number, line.format.clone()?)));
    let (number, native) = native.unwrap_or((1, FormatName::default()));
    let format = KeyFormat::new(&native.prefix, &native.env).map_err(|error| refused(number, error.to_string()))?;
    let table = ApiKeyTable::builder(format).capacity(lines.len()).build();
    for (number, line) in lines {
        let (digest, record) = line.record().map_err(|reason| refused(number, reason.to_owned()))?;
        let origin = if line.format.is_some() { KeyDigest::Native } else { KeyDigest::Foreign };
        if table.insert(origin(digest), record).is_some() {
            return Err(refused(number, "this digest is in an earlier line too; leave one out".to_owned()));
        }
    }
    Ok(table)
}

/// Appends `line` to the file at `path`, which is made if it is missing, readable by its owner only. When this returns,
/// the line is on disk.
pub(crate) fn append(path: &Path, line: &KeyLine) -> Result<(), CommandError> {
    let append = || -> io::Result<()> {
        let mut text = serde_json::to_vec(line)?;
        text.push(b'\n');
        let mut options = OpenOptions::new();
        options.read(true).append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path)?;
        if !ends_a_line(&mut file)? {
            text.insert(0, b'\n');
        }
        // In one write, so that lines of two writers do not mix.
        file.write_all(&text)?;
        file.sync_all()
    };
    append().map_err(|source| CommandError::File { path: path.into(), source })
}

impl KeyLine {
    /// The key's digest and record, or the error of the line.
    pub(crate) fn record(&self) -> Result<(Digest, KeyRecord), &'static str> {
        let digest = self.digest()?;
        if self.id.is_empty() {
            return Err("`id` is empty; give the key a name");
        }
        if !self.scopes.iter().all(|scope| is_scope_token(scope)) {
            return Err("`scopes` contains an invalid scope-token (RFC 6749 section 3.3)");
        }
        let blocks = self.allowed_addresses.iter().map(|block| block.parse());
        let blocks: Vec<AddressBlock> =
            blocks.collect::<Result<_, _>>().map_err(|_| "`allowed_addresses` are blocks as 192.0.2.0/24")?;
        let record = self
            .blank()?
            .scopes(self.scopes.iter().map(String::as_str))
            .not_before(self.not_before)
            .expires_at(self.ends_at())
            .allowed_addresses(blocks)
            .state(self.state.map_or(KeyState::Active, Into::into));
        Ok((digest, record.build()))
    }

    fn digest(&self) -> Result<Digest, &'static str> {
        if let Some(digest) = Digest::from_hex(&self.digest) {
            return Ok(digest);
        }
        let mut digest = Vec::new();
        base64url::decode(&self.digest, &mut digest).map_err(|_| DIGEST)?;
        Ok(Digest::from_bytes(digest.try_into().map_err(|_| DIGEST)?))
    }

    /// The expiry, or the end of the overlap after a rotation if that is earlier.
    fn ends_at(&self) -> Option<i64> {
        match (self.expires_at, self.overlap_ends_at) {
            (Some(end), Some(overlap)) => Some(end.min(overlap)),
            (end, overlap) => end.or(overlap),
        }
    }

    fn blank(&self) -> Result<KeyRecordBuilder<'_>, &'static str> {
        fn given(text: &Option<String>) -> Option<&str> {
            text.as_deref().filter(|text| !text.is_empty())
        }
        let client_id = given(&self.client_id);
        if self.kind == Kind::ClientSecret {
            let client_id = client_id.ok_or("a client-secret needs `client_id`")?;
            if self.subject.as_ref().is_some_and(|subject| *subject != client_id) {
                return Err("the `subject` of a client-secret is its `client_id`; leave it out");
            }
            return Ok(KeyRecord::client_secret(&self.id, client_id));
        }
        let subject = given(&self.subject).ok_or("`subject` is missing; say whom the key speaks for")?;
        Ok(KeyRecord::builder(self.kind.into(), &self.id, subject).client_id(client_id))
    }
}

const DIGEST: &str = "`digest` is not the base64url of a SHA-256";

impl Default for FormatName {
    fn default() -> Self {
        FormatName { prefix: DEFAULT_PREFIX.to_owned(), env: DEFAULT_ENVIRONMENT.to_owned() }
    }
}

/// The default prefix of keys.
pub(crate) const DEFAULT_PREFIX: &str = "tg";
/// The default environment of keys.
pub(crate) const DEFAULT_ENVIRONMENT: &str = "live";

/// The lines of the file at `path` with their numbers, without blank ones.
fn lines(path: &Path) -> Result<Vec<(usize, KeyLine)>, CommandError> {
    let failed = |source| CommandError::File { path: path.into(), source };
    let mut input = BufReader::new(File::open(path).map_err(failed)?);
    let (mut lines, mut text) = (Vec::new(), Vec::new());
    for number in 1.. {
        text.clear();
        let length = input.by_ref().take(MAX_RECORD_BYTES).read_until(b'\n', &mut text).map_err(failed)?;
        if length == 0 {
            break;
        }
        if !text.trim_ascii().is_empty() {
            let line = serde_json::from_slice(&text).map_err(|error| {
                let reason = format!("not the record of an API key: {error}");
                CommandError::KeyRecord { path: path.into(), line: number, reason }
            })?;
            lines.push((number, line));
        }
    }
    Ok(lines)
}

fn ends_a_line(file: &mut File) -> io::Result<bool> {
    if file.seek(SeekFrom::End(0))? == 0 {
        return Ok(true);
    }
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}
