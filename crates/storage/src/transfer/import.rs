use super::FileFormat;
use super::csv_file::CsvFile;
use super::json_lines::JsonLines;
use super::line::{KeyLine, refused};
use crate::audit::{Actor, AuditRecord, Door};
use crate::clock;
use crate::error::{LineRefused, StorageError};
use crate::id::new_key_id;
use crate::key::StoredKey;
use crate::key_store::{Existing, KeyStore};
use crate::limits::LINES_PER_TRANSACTION;
use std::io::{self, BufRead};
use std::sync::Arc;
use tollgate::apikeys::{ForeignKey, NativeKey};
use tollgate::{ApiKey, ApiKeyTable, Digest, KeyFormat, KeyKind};

/// An import of keys from a file.
///
/// ```
/// use tollgate_storage::{FileFormat, Import, KeyStore};
///
/// # async fn import(store: &dyn KeyStore) -> Result<(), Box<dyn std::error::Error>> {
/// let file = br#"{"digest":"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad","id":"key_1","kind":"api-key","subject":"user_7"}"#;
/// let report = Import::new(FileFormat::JsonLines).run(store, &mut file.as_slice()).await?;
/// assert_eq!(report.added, 1);
/// # Ok(())
/// # }
/// ```
pub struct Import<'a> {
    format: FileFormat,
    existing: Existing,
    mint: Option<(&'a KeyFormat, &'a mut Minted<'a>)>,
    in_clear: Option<InClear<'a>>,
    refused: Option<&'a mut Refusals<'a>>,
    report: Option<&'a mut dyn FnMut(&ImportReport)>,
    by: Actor,
}

/// The treatment of keys in clear.
struct InClear<'a> {
    table: &'a ApiKeyTable<()>,
    danger_guessable: bool,
}

/// Receives each minted key.
type Minted<'a> = dyn FnMut(&StoredKey, &ApiKey) + 'a;

/// Receives each skipped line, and its error.
type Refusals<'a> = dyn FnMut(u64, &LineRefused) + 'a;

/// The progress of an import.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct ImportReport {
    /// Keys added, those minted included.
    pub added: u64,
    /// Keys skipped because they exist.
    pub skipped: u64,
    /// Keys minted.
    pub minted: u64,
    /// Lines skipped because they are invalid.
    pub refused: u64,
}

impl<'a> Import<'a> {
    /// An import that refuses existing keys, and lines without a digest.
    #[must_use]
    pub fn new(format: FileFormat) -> Self {
        let by = Actor::unknown(Door::Service);
        Self { format, existing: Existing::Refuse, mint: None, in_clear: None, refused: None, report: None, by }
    }

    /// The actor for the audit log, which gets a record for each transaction. Default: the service itself.
    #[must_use]
    pub fn by(self, by: Actor) -> Self {
        Self { by, ..self }
    }

    /// The treatment of existing keys.
    #[must_use]
    pub fn existing(mut self, existing: Existing) -> Self {
        self.existing = existing;
        self
    }

    /// Mints a key of `format` for each line without a digest. `minted` receives each key exactly once, after it is in
    /// the store.
    #[must_use]
    pub fn mint(mut self, format: &'a KeyFormat, minted: &'a mut Minted<'a>) -> Self {
        self.mint = Some((format, minted));
        self
    }

    /// Accepts keys in clear that another system made: the members or columns `key`, the key as it is, and `key_base64`.
    /// The store gets the digest that `table` makes of them, under its pepper if it has one; the key's memory is
    /// zeroized. A key whose estimated entropy is too low is refused ([`ForeignKey::new`]), and so is a key that no
    /// header could carry ([`KeyKind::fits_header`](tollgate::KeyKind::fits_header)).
    ///
    /// In JSON, write keys without escapes: unescaping leaves copies in memory.
    #[must_use]
    pub fn in_clear(mut self, table: &'a ApiKeyTable<()>) -> Self {
        self.in_clear = Some(InClear { table, danger_guessable: false });
        self
    }

    /// Like [`in_clear`](Self::in_clear), for any entropy ([`ForeignKey::danger_guessable`]).
    #[must_use]
    pub fn danger_in_clear_guessable(mut self, table: &'a ApiKeyTable<()>) -> Self {
        self.in_clear = Some(InClear { table, danger_guessable: true });
        self
    }

    /// Skips invalid lines, and passes each to `refused`.
    #[must_use]
    pub fn keep_going(mut self, refused: &'a mut Refusals<'a>) -> Self {
        self.refused = Some(refused);
        self
    }

    /// Calls `report` after each transaction.
    #[must_use]
    pub fn report(mut self, report: &'a mut dyn FnMut(&ImportReport)) -> Self {
        self.report = Some(report);
        self
    }

    /// Imports the whole file, [`LINES_PER_TRANSACTION`] lines at a time; other writers get their turn in between.
    ///
    /// # Errors
    /// [`StorageError::Line`] names the line and its error, and the line up to which everything is imported.
    pub async fn run(mut self, store: &dyn KeyStore, input: &mut dyn BufRead) -> Result<ImportReport, StorageError> {
        let mut lines = Lines::new(self.format, input)?;
        let (mut outcome, mut resume_at) = (ImportReport::default(), 1);
        while let Some(batch) = lines.batch()? {
            let Some(&(last, _)) = batch.last() else {
                break;
            };
            let mut new = Vec::with_capacity(batch.len());
            let now = clock::now();
            for (line, fields) in batch {
                match fields.and_then(|fields| self.new_key(&fields, now)) {
                    Ok(Ok(key)) => match key.key.check() {
                        Err(refusal) => self.refuse(line, refusal.into(), resume_at, &mut outcome)?,
                        Ok(()) => new.push((line, key)),
                    },
                    Ok(Err(error)) => return Err(error),
                    Err(reason) => self.refuse(line, reason, resume_at, &mut outcome)?,
                }
            }
            // If refused lines do not end the import, existing keys do not either.
            let existing = if self.refused.is_some() { Existing::Skip } else { self.existing };
            let keys = new.iter().map(|(_, new)| new.key.clone()).collect();
            let lines = format!("{} keys up to line {last}", new.len());
            let audit = AuditRecord::new(&self.by, "api-key.import", &lines)?;
            let are_added = match store.import(keys, existing, &audit).await {
                Err(StorageError::Key { index, refusal }) => {
                    let (line, reason) = (new[index].0, refusal.into());
                    return Err(StorageError::Line { line, reason, resume_at });
                }
                imported => imported?,
            };
            for ((line, new), is_added) in new.iter().zip(are_added) {
                match is_added {
                    false if self.existing == Existing::Skip => outcome.skipped += 1,
                    false => self.refuse(*line, LineRefused::AlreadyExists, resume_at, &mut outcome)?,
                    true => {
                        outcome.added += 1;
                        if let (Some(secret), Some((_, minted))) = (&new.secret, &mut self.mint) {
                            minted(&new.key, secret);
                            outcome.minted += 1;
                        }
                    }
                }
            }
            if let Some(report) = &mut self.report {
                report(&outcome);
            }
            resume_at = last + 1;
        }
        Ok(outcome)
    }

    fn refuse(
        &mut self,
        line: u64,
        reason: LineRefused,
        resume_at: u64,
        outcome: &mut ImportReport,
    ) -> Result<(), StorageError> {
        let Some(refused) = &mut self.refused else {
            return Err(StorageError::Line { line, reason, resume_at });
        };
        refused(line, &reason);
        outcome.refused += 1;
        Ok(())
    }

    /// The key of a line, or the line's error, or an error that would affect every line.
    fn new_key(&self, fields: &KeyLine, now: i64) -> Result<Result<NewKey, StorageError>, LineRefused> {
        let mut format = None;
        let (digest, secret) = match (fields.digest()?, self.digest_of_key_in_clear(fields)?, &self.mint) {
            (Some(digest), _, _) => (digest, None),
            (None, Some((digest, head)), _) => {
                format = head;
                (digest, None)
            }
            (None, None, Some((minted, _))) => {
                let Ok(secret) = ApiKey::generate(minted) else {
                    return Ok(Err(StorageError::NoRandomness));
                };
                format = Some(minted.head().into());
                (secret.digest(), Some(secret))
            }
            (None, None, None) => return Err(LineRefused::NoDigest),
        };
        let id = match fields.id.clone().filter(|id| !id.is_empty()).map_or_else(|| new_key_id("key"), Ok) {
            Ok(id) => id,
            Err(error) => return Ok(Err(error)),
        };
        let mut key = fields.key(digest, &id, now)?;
        if format.is_some() {
            key.format = format;
        }
        Ok(Ok(NewKey { key, secret }))
    }

    /// The beginning of the key, if it is in tollgate's format with another prefix or environment.
    fn digest_of_key_in_clear(&self, fields: &KeyLine) -> Result<Option<DigestAndFormat>, LineRefused> {
        let Some(key) = fields.key_in_clear()? else {
            return Ok(None);
        };
        let InClear { table, danger_guessable } = self.in_clear.as_ref().ok_or(LineRefused::InClear)?;
        if fields.digest.is_some() {
            return Err(refused("digest"));
        }
        if fields.format.is_some() {
            return Err(refused("format"));
        }
        let (key, kind) = (key.as_bytes(), fields.kind()?);
        if !kind.fits_header(key) {
            return Err(LineRefused::FitsNoHeader { kind });
        }
        // It is sent with the secret, under the same rules.
        let client_id = fields.client_id.as_deref().unwrap_or("");
        if kind == KeyKind::ClientSecret && !kind.fits_header(client_id.as_bytes()) {
            return Err(refused("client_id"));
        }
        if let (Ok(key), false) = (NativeKey::parse(key), table.format().claims(key)) {
            return Ok(Some((key.digest(), Some(key.head().into()))));
        }
        let take = if *danger_guessable { ForeignKey::danger_guessable } else { ForeignKey::new };
        let key = take(table.format(), key).map_err(LineRefused::Key)?;
        Ok(Some((*table.foreign_digest(&key).digest(), None)))
    }
}

struct NewKey {
    key: StoredKey,
    secret: Option<ApiKey>,
}

/// The lines of a file of either format.
enum Lines<'i> {
    Json(JsonLines<&'i mut dyn BufRead>),
    Csv(Box<CsvFile<&'i mut dyn BufRead>>),
}

/// A line's number and content.
type Line = (u64, Result<KeyLine, LineRefused>);

impl<'i> Lines<'i> {
    fn new(format: FileFormat, input: &'i mut dyn BufRead) -> Result<Self, StorageError> {
        Ok(match format {
            FileFormat::JsonLines => Lines::Json(JsonLines::new(input)),
            FileFormat::Csv => {
                let file = CsvFile::new(input)?;
                Lines::Csv(Box::new(file.map_err(|reason| StorageError::Line { line: 1, reason, resume_at: 1 })?))
            }
        })
    }

    /// The next lines with their numbers, as many as go into one transaction.
    fn batch(&mut self) -> io::Result<Option<Vec<Line>>> {
        let mut batch = Vec::new();
        while batch.len() < LINES_PER_TRANSACTION {
            let next = match self {
                Lines::Json(lines) => lines.next()?,
                Lines::Csv(rows) => rows.next()?,
            };
            match next {
                None => break,
                Some(line) => batch.push(line),
            }
        }
        Ok((!batch.is_empty()).then_some(batch))
    }
}

impl std::fmt::Debug for Import<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Import").field("format", &self.format).field("existing", &self.existing).finish_non_exhaustive()
    }
}

/// A key's digest, and the beginning of the key.
type DigestAndFormat = (Digest, Option<Arc<str>>);
