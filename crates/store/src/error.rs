use std::path::PathBuf;

use tollgate::KeyKind;
use tollgate::apikeys::KeyError;

/// Why the store could not do what was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The folder or the file in it could not be created or opened.
    #[error("cannot use the folder {}: {source}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The file was written by a newer release.
    #[error("the store has schema version {found}, this release knows up to {known}: use a newer release")]
    NewerSchema {
        /// The version in the file.
        found: i64,
        /// The newest version that this release reads.
        known: i64,
    },
    /// What should be added is there already.
    #[error("there is already such a {what}")]
    AlreadyExists {
        /// The kind of thing: `key`, `client`, ...
        what: &'static str,
    },
    /// A revoked key stays revoked.
    #[error("the key is revoked, which is for ever; make a new one")]
    KeyRevoked,
    /// A field is empty that must not be, or longer than its limit.
    #[error("{field} is empty, too long or malformed")]
    Field {
        /// The field's name.
        field: &'static str,
    },
    /// A row does not have the shape that this release writes.
    #[error("table {table} holds a row that this release did not write")]
    Corrupt {
        /// The table.
        table: &'static str,
    },
    /// A line of an imported file was refused. What came before `resume_at` is in the store.
    #[error("line {line}: {reason}; {}", imported(*resume_at))]
    Line {
        /// The line, counted from 1.
        line: u64,
        /// What is wrong with it.
        reason: LineRefused,
        /// The first line of which nothing was imported.
        resume_at: u64,
    },
    /// What is imported could not be read, or what is exported could not be written.
    #[error("cannot read or write the file: {0}")]
    File(#[from] std::io::Error),
    /// The operating system gives no randomness.
    #[error("the operating system gives no randomness")]
    NoRandomness,
    /// SQLite failed.
    #[error("the store failed: {0}")]
    Sqlite(#[from] rusqlite::Error),
}

/// What is wrong with a line of an imported file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LineRefused {
    /// It is longer than [`MAX_LINE_BYTES`](crate::limits::MAX_LINE_BYTES).
    #[error("longer than {max} bytes")]
    TooLong {
        /// The limit.
        max: usize,
    },
    /// It is not JSON.
    #[error("not the record of a key: not JSON, at column {column}")]
    NotJson {
        /// Where, counted from 1.
        column: usize,
    },
    /// It is JSON, but no object of the known members. What it says instead is not told: it may be a key in clear.
    #[error("not the record of a key: a member is unknown, there twice or of another type, at column {column}")]
    NotARecord {
        /// Where, counted from 1.
        column: usize,
    },
    /// It does not have as many fields as the header.
    #[error("{found} fields instead of {expected}")]
    Fields {
        /// How many it has.
        found: usize,
        /// How many the header has.
        expected: usize,
    },
    /// The header names a column that is unknown, or the same one twice. The name is not told: where the header is missing, it is
    /// a field of the first row.
    #[error("column {number} of the header is unknown or there twice")]
    Column {
        /// Which, counted from 1.
        number: usize,
    },
    /// A field does not say what it should.
    #[error("{field} is missing or malformed")]
    Field {
        /// The field's name.
        field: &'static str,
    },
    /// There is no digest, and keys are not to be minted.
    #[error("there is no digest, and keys are not to be minted")]
    NoDigest,
    /// There is a key in clear, and such are not to be taken.
    #[error("there is a key in clear, and only digests are to be taken")]
    InClear,
    /// The key in clear is not taken.
    #[error("{0}")]
    Key(KeyError),
    /// No header could present the key in clear ([`KeyKind::fits_header`]).
    #[error("{}", fits_no_header(*kind))]
    FitsNoHeader {
        /// What the key is for.
        kind: KeyKind,
    },
    /// The store has a key of this id or digest.
    #[error("there is already a key of that id or digest")]
    AlreadyExists,
}

impl LineRefused {
    /// The stable kebab-case name of the reason.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooLong { .. } => "line-too-long",
            Self::NotJson { .. } => "not-json",
            Self::NotARecord { .. } => "not-a-record",
            Self::Fields { .. } => "wrong-field-count",
            Self::Column { .. } => "unknown-column",
            Self::Field { .. } => "invalid-field",
            Self::NoDigest => "no-digest",
            Self::InClear => "key-in-clear",
            Self::Key(error) => error.code(),
            Self::FitsNoHeader { .. } => "fits-no-header",
            Self::AlreadyExists => "already-exists",
        }
    }
}

fn fits_no_header(kind: KeyKind) -> &'static str {
    match kind {
        KeyKind::ClientSecret => {
            "no Basic credentials can hold this secret: it has to be UTF-8 without control characters"
        }
        _ => {
            "no Authorization header can hold this key: it has to be of letters, digits and !#$%&'*+-.^_`|~/=: and must not begin as a JWT"
        }
    }
}

/// How far an import came that ended at a bad line.
fn imported(resume_at: u64) -> String {
    match resume_at {
        1 => "nothing was imported".to_owned(),
        _ => format!("everything before line {resume_at} was imported"),
    }
}

impl StoreError {
    /// The stable kebab-case name of the error.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Folder { .. } => "store-folder",
            Self::NewerSchema { .. } => "store-newer-schema",
            Self::AlreadyExists { .. } => "already-exists",
            Self::KeyRevoked => "key-revoked",
            Self::Field { .. } => "invalid-field",
            Self::Corrupt { .. } => "store-corrupt",
            Self::Line { .. } => "invalid-line",
            Self::File(_) => "file-failed",
            Self::NoRandomness => "no-randomness",
            Self::Sqlite(_) => "store-failed",
        }
    }

    /// Why an insertion failed: a broken rule of the table becomes [`AlreadyExists`](Self::AlreadyExists).
    #[must_use]
    pub fn of_insert(error: rusqlite::Error, what: &'static str) -> Self {
        match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::ConstraintViolation) => Self::AlreadyExists { what },
            _ => Self::Sqlite(error),
        }
    }
}
