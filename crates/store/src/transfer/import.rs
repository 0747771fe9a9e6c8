use super::FileFormat;
use super::csv_file::CsvFile;
use super::json_lines::JsonLines;
use super::line::KeyLine;
use crate::clock;
use crate::error::{LineRefused, StoreError};
use crate::id::new_key_id;
use crate::key::StoredKey;
use crate::limits::LINES_PER_TRANSACTION;
use crate::sqlite::Store;
use std::io::{self, BufRead};
use tollgate::{ApiKey, KeyFormat, ScopeSets};

/// An import of keys from a file.
///
/// ```
/// use tollgate_store::{FileFormat, Import, Store};
///
/// # let folder = tempfile::tempdir()?;
/// # let folder = folder.path();
/// let store = Store::open(folder)?;
/// let file = br#"{"digest":"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad","id":"key_1","kind":"api-key","subject":"user_7"}"#;
/// let report = Import::new(FileFormat::JsonLines).run(&store, &mut file.as_slice())?;
/// assert_eq!(report.added, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Import<'a> {
    format: FileFormat,
    existing: Existing,
    mint: Option<(&'a KeyFormat, &'a mut Minted<'a>)>,
    report: Option<&'a mut dyn FnMut(&ImportReport)>,
}

/// Gets each minted key.
type Minted<'a> = dyn FnMut(&StoredKey, &ApiKey) + 'a;

/// What to do with a key whose id or digest the store has.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Existing {
    /// Refuse the line, and end.
    #[default]
    Refuse,
    /// Pass over it: to go on with an import that ended half-way.
    Skip,
}

/// How far an import is.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct ImportReport {
    /// Keys added, those minted included.
    pub added: u64,
    /// Keys passed over because they were there.
    pub skipped: u64,
    /// Keys minted.
    pub minted: u64,
}

impl<'a> Import<'a> {
    /// An import that refuses keys which are there, and lines without a digest.
    #[must_use]
    pub fn new(format: FileFormat) -> Self {
        Self { format, existing: Existing::Refuse, mint: None, report: None }
    }

    /// What to do with keys that are there.
    #[must_use]
    pub fn existing(mut self, existing: Existing) -> Self {
        self.existing = existing;
        self
    }

    /// Mints a key of `format` for each line without a digest. `minted` gets each, once and for the only time, when it is
    /// in the store.
    #[must_use]
    pub fn mint(mut self, format: &'a KeyFormat, minted: &'a mut Minted<'a>) -> Self {
        self.mint = Some((format, minted));
        self
    }

    /// Calls `report` after each transaction.
    #[must_use]
    pub fn report(mut self, report: &'a mut dyn FnMut(&ImportReport)) -> Self {
        self.report = Some(report);
        self
    }

    /// Imports everything, [`LINES_PER_TRANSACTION`] lines at a time; other writers get their turn in between.
    ///
    /// # Errors
    /// [`StoreError::Line`] says what is wrong with which line, and up to which one everything is imported.
    pub fn run(mut self, store: &Store, input: &mut dyn BufRead) -> Result<ImportReport, StoreError> {
        let mut lines = Lines::new(self.format, input)?;
        let (mut outcome, mut resume_at) = (ImportReport::default(), 1);
        loop {
            let refused = |(line, reason)| StoreError::Line { line, reason, resume_at };
            let batch = lines.batch()?.map_err(refused)?;
            let Some(last) = batch.last().map(|&(line, _)| line) else {
                return Ok(outcome);
            };
            let new = self.new_keys(&batch, resume_at)?;
            let mut at = 0;
            let are_added = store.add_each(new.iter().map(|new| &new.key), self.existing == Existing::Skip, &mut at);
            let are_added = are_added.map_err(|error| of_key(error, batch[at].0, resume_at))?;
            for (new, is_added) in new.iter().zip(are_added) {
                outcome.added += u64::from(is_added);
                outcome.skipped += u64::from(!is_added);
                if let (true, Some(secret), Some((_, minted))) = (is_added, &new.secret, &mut self.mint) {
                    minted(&new.key, secret);
                    outcome.minted += 1;
                }
            }
            if let Some(report) = &mut self.report {
                report(&outcome);
            }
            resume_at = last + 1;
        }
    }

    fn new_keys(&self, batch: &[(u64, KeyLine)], resume_at: u64) -> Result<Vec<NewKey>, StoreError> {
        let (now, scope_sets) = (clock::now(), ScopeSets::default());
        batch
            .iter()
            .map(|(line, fields)| {
                let refused = |reason| StoreError::Line { line: *line, reason, resume_at };
                let secret = match (fields.digest().map_err(refused)?, &self.mint) {
                    (Some(_), _) => None,
                    (None, Some((format, _))) => Some(ApiKey::generate(format).map_err(|_| StoreError::NoRandomness)?),
                    (None, None) => return Err(refused(LineRefused::NoDigest)),
                };
                let digest = secret.as_ref().map(ApiKey::digest).or(fields.digest().map_err(refused)?);
                let digest = digest.ok_or_else(|| refused(LineRefused::NoDigest))?;
                let id = fields.id.clone().filter(|id| !id.is_empty()).map_or_else(|| new_key_id("key"), Ok)?;
                let mut key = fields.key(digest, &id, now, &scope_sets).map_err(refused)?;
                if let (Some(_), Some((format, _))) = (&secret, &self.mint) {
                    key.format = Some(format.head().into());
                }
                Ok(NewKey { key, secret })
            })
            .collect()
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

impl<'i> Lines<'i> {
    fn new(format: FileFormat, input: &'i mut dyn BufRead) -> Result<Self, StoreError> {
        Ok(match format {
            FileFormat::JsonLines => Lines::Json(JsonLines::new(input)),
            FileFormat::Csv => {
                let file = CsvFile::new(input);
                Lines::Csv(Box::new(file.map_err(|reason| StoreError::Line { line: 1, reason, resume_at: 1 })?))
            }
        })
    }

    /// The next lines, as many as go into one transaction, with their numbers.
    fn batch(&mut self) -> io::Result<Result<Vec<(u64, KeyLine)>, Refused>> {
        let mut batch = Vec::new();
        while batch.len() < LINES_PER_TRANSACTION {
            let next = match self {
                Lines::Json(lines) => lines.next()?,
                Lines::Csv(rows) => rows.next(),
            };
            match next {
                None => break,
                Some((line, Ok(fields))) => batch.push((line, fields)),
                Some((line, Err(reason))) => return Ok(Err((line, reason))),
            }
        }
        Ok(Ok(batch))
    }
}

/// A line's number and what is wrong with it.
type Refused = (u64, LineRefused);

/// Says which line an error concerns.
fn of_key(error: StoreError, line: u64, resume_at: u64) -> StoreError {
    let reason = match error {
        StoreError::AlreadyExists { .. } => LineRefused::AlreadyExists,
        StoreError::Field { field } => LineRefused::Field { field },
        other => return other,
    };
    StoreError::Line { line, reason, resume_at }
}

impl std::fmt::Debug for Import<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Import").field("format", &self.format).field("existing", &self.existing).finish_non_exhaustive()
    }
}
