use tollgate::KeyKind;
use tollgate::apikeys::KeyError;

/// Why a store could not do what was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StorageError {
    /// The store's place, a folder or a server, could not be used.
    #[error("cannot use {location}: {source}")]
    Location {
        /// The place, without secrets.
        location: String,
        /// Why not.
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
    /// A condition does not hold. Nothing has changed.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// One key of many cannot be added. None was.
    #[error("key {index} of these: {refusal}")]
    Key {
        /// Which, counted from 0.
        index: usize,
        /// Why not.
        refusal: Refusal,
    },
    /// A row does not have the shape that this release writes.
    #[error("table {table} holds a row that this release did not write: {row}")]
    Corrupt {
        /// The table.
        table: &'static str,
        /// Which row.
        row: String,
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
    /// It was not begun in time: others hold the store, or too many wait for it. Nothing has changed; try again.
    #[error("the store is busy: nothing was done")]
    Busy,
    /// The answer to a commit was lost: the change may be there or not.
    #[error("the store did not say whether the change was made")]
    OutcomeUnknown,
    /// What keeps the data failed. Nothing has changed.
    #[error("the store failed: {0}")]
    Failed(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Why a [command](crate::Command) is not done: a condition that does not hold.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// What should be added is there already.
    #[error("there is already such a {what}")]
    AlreadyExists {
        /// The kind of thing: `key`, `client`, ...
        what: &'static str,
    },
    /// There is none.
    #[error("there is no such {what}")]
    NotFound {
        /// The kind of thing.
        what: &'static str,
    },
    /// There are as many as may be.
    #[error("there are {max} already, which is the maximum")]
    TooMany {
        /// The maximum.
        max: u32,
    },
    /// Somebody else has changed it since it was read.
    #[error("the {what} was changed meanwhile: look again")]
    Changed {
        /// The kind of thing.
        what: &'static str,
    },
    /// It is disabled.
    #[error("the {what} is disabled: enable it first")]
    Disabled {
        /// The kind of thing.
        what: &'static str,
    },
    /// A revoked key stays revoked.
    #[error("the key is revoked, which is for ever; make a new one")]
    KeyRevoked,
    /// Another key has taken its place.
    #[error("the key was rotated to {rotated_to} already; rotate that one")]
    KeyRotated {
        /// The id of that key.
        rotated_to: Box<str>,
    },
    /// The key has ended.
    #[error("the key has ended; make a new one")]
    KeyEnded {
        /// When, in seconds since the Unix epoch.
        ended_at: i64,
    },
    /// A field is empty that must not be, longer than its limit, or not what it may be.
    #[error("{field} is empty, too long or malformed")]
    Field {
        /// The field's name.
        field: &'static str,
    },
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

/// What the store says of the key of a line.
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

/// How far an import came that ended at a bad line.
fn imported(resume_at: u64) -> String {
    match resume_at {
        1 => "nothing was imported".to_owned(),
        _ => format!("everything before line {resume_at} was imported"),
    }
}

impl StorageError {
    /// The error of what keeps the data.
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
