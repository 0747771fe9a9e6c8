use tollgate::KeyKind;
use tollgate::apikeys::KeyError;

/// The error of a store.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StorageError {
    /// The store's location, a folder or a server, could not be used.
    #[error("cannot use {location}: {source}")]
    Location {
        /// The location, without secrets.
        location: String,
        /// The reason.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The store was written by a newer release.
    #[error("the store has schema version {found}, this release knows up to {known}: use a newer release")]
    NewerSchema {
        /// The version in the store.
        found: i64,
        /// The newest version that this release reads.
        known: i64,
    },
    /// A condition does not hold. Nothing was changed.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// One of several keys cannot be added. None was added.
    #[error("key {index} of these: {refusal}")]
    Key {
        /// Its position, counted from 0.
        index: usize,
        /// The reason.
        refusal: Refusal,
    },
    /// A row does not have the format of this release.
    #[error("table {table} holds a row that this release did not write: {row}")]
    Corrupt {
        /// The table.
        table: &'static str,
        /// The row.
        row: String,
    },
    /// A line of an imported file was refused. The lines before `resume_at` are in the store.
    #[error("line {line}: {reason}; {}", imported(*resume_at))]
    Line {
        /// The line, counted from 1.
        line: u64,
        /// The error of the line.
        reason: LineRefused,
        /// The first line that was not imported.
        resume_at: u64,
    },
    /// The imported file could not be read, or the exported one not be written.
    #[error("cannot read or write the file: {0}")]
    File(#[from] std::io::Error),
    /// The operating system provides no random numbers.
    #[error("the operating system gives no randomness")]
    NoRandomness,
    /// The operation did not start in time: others hold the store, or too many wait for it. Nothing was changed; try
    /// again.
    #[error("the store is busy: nothing was done")]
    Busy,
    /// The answer to a commit was lost: the change may or may not be durable.
    #[error("the store did not say whether the change was made")]
    OutcomeUnknown,
    /// The database failed. Nothing was changed.
    #[error("the store failed: {0}")]
    Failed(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// The reason for the refusal of a [command](crate::Command): a condition that does not hold.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The record exists already.
    #[error("there is already such a {what}")]
    AlreadyExists {
        /// The kind of record: `key`, `client`, ...
        what: &'static str,
    },
    /// The record does not exist.
    #[error("there is no such {what}")]
    NotFound {
        /// The kind of record.
        what: &'static str,
    },
    /// The maximum number of records is reached.
    #[error("there are {max} already, which is the maximum")]
    TooMany {
        /// The maximum.
        max: u32,
    },
    /// The record was changed since it was read.
    #[error("the {what} was changed meanwhile: look again")]
    Changed {
        /// The kind of record.
        what: &'static str,
    },
    /// The record is disabled.
    #[error("the {what} is disabled: enable it first")]
    Disabled {
        /// The kind of record.
        what: &'static str,
    },
    /// A revoked key stays revoked.
    #[error("the key is revoked permanently; make a new one")]
    KeyRevoked,
    /// The key was rotated.
    #[error("the key was rotated to {rotated_to} already; rotate that one")]
    KeyRotated {
        /// The id of the new key.
        rotated_to: Box<str>,
    },
    /// The key has ended.
    #[error("the key has ended; make a new one")]
    KeyEnded {
        /// The time, in seconds since the Unix epoch.
        ended_at: i64,
    },
    /// A field is empty although it must not be, longer than its limit, or invalid.
    #[error("{field} is empty, too long or malformed")]
    Field {
        /// The field's name.
        field: &'static str,
    },
}

/// The error of a line of an imported file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LineRefused {
    /// The line is longer than [`MAX_LINE_BYTES`](crate::limits::MAX_LINE_BYTES).
    #[error("longer than {max} bytes")]
    TooLong {
        /// The limit.
        max: usize,
    },
    /// The line is not JSON.
    #[error("not the record of a key: not JSON, at column {column}")]
    NotJson {
        /// The column, counted from 1.
        column: usize,
    },
    /// The line is JSON, but not an object of the known members. Its content is not quoted: it may be a key in clear.
    #[error("not the record of a key: a member is unknown, there twice or of another type, at column {column}")]
    NotARecord {
        /// The column, counted from 1.
        column: usize,
    },
    /// The row and the header have different numbers of fields.
    #[error("{found} fields instead of {expected}")]
    Fields {
        /// The number in the row.
        found: usize,
        /// The number in the header.
        expected: usize,
    },
    /// The header names an unknown column, or one twice. The name is not quoted: if the header is missing, it is a field
    /// of the first row.
    #[error("column {number} of the header is unknown or there twice")]
    Column {
        /// The column, counted from 1.
        number: usize,
    },
    /// The value of a field is invalid.
    #[error("{field} is missing or malformed")]
    Field {
        /// The field's name.
        field: &'static str,
    },
    /// There is no digest, and minting is not enabled.
    #[error("there is no digest, and keys are not to be minted")]
    NoDigest,
    /// There is a key in clear, which is not enabled.
    #[error("there is a key in clear, and only digests are to be taken")]
    InClear,
    /// The key in clear is refused.
    #[error("{0}")]
    Key(KeyError),
    /// No header could carry the key in clear ([`KeyKind::fits_header`]).
    #[error("{}", fits_no_header(*kind))]
    FitsNoHeader {
        /// The kind of the key.
        kind: KeyKind,
    },
    /// The store has a key with this id or digest.
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

/// The store's error about the key of a line.
impl From<Refusal> for LineRefused {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Field { field } => Self::Field { field },
            _ => Self::AlreadyExists,
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

/// The error of an import that ended at a bad line.
fn imported(resume_at: u64) -> String {
    match resume_at {
        1 => "nothing was imported".to_owned(),
        _ => format!("everything before line {resume_at} was imported"),
    }
}

impl StorageError {
    /// The database's error.
    #[must_use]
    pub fn failed(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Failed(source.into())
    }

    /// The stable kebab-case name of the error.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Location { .. } => "store-location",
            Self::NewerSchema { .. } => "store-newer-schema",
            Self::Refused(refusal) | Self::Key { refusal, .. } => refusal.code(),
            Self::Corrupt { .. } => "store-corrupt",
            Self::Line { .. } => "invalid-line",
            Self::File(_) => "file-failed",
            Self::NoRandomness => "no-randomness",
            Self::Busy => "store-busy",
            Self::OutcomeUnknown => "store-outcome-unknown",
            Self::Failed(_) => "store-failed",
        }
    }
}

impl Refusal {
    /// The stable kebab-case name of the reason.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::AlreadyExists { .. } => "already-exists",
            Self::NotFound { .. } => "not-found",
            Self::TooMany { .. } => "too-many",
            Self::Changed { .. } => "changed",
            Self::Disabled { .. } => "disabled",
            Self::KeyRevoked => "key-revoked",
            Self::KeyRotated { .. } => "rotated",
            Self::KeyEnded { .. } => "ended",
            Self::Field { .. } => "invalid-field",
        }
    }
}
