//! Who did what, by which credential, from where, when, and what came of it.

use crate::clock;
use crate::command::Outcome;
use crate::error::{Refusal, StorageError};
use crate::id::{first_id_at, new_ordered_id};
use crate::limits::MAX_AUDIT_FIELD_BYTES;
use async_trait::async_trait;

/// One act, as it is kept. What a field holds beyond [`MAX_AUDIT_FIELD_BYTES`] is cut off.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AuditRecord {
    /// Unique; ids sort by when they were made, those of one process strictly.
    pub id: String,
    /// When, in seconds since the Unix epoch.
    pub at: i64,
    /// Who, by which credential, from where.
    pub by: Actor,
    /// What was done: `client.disable`, `login`, ...
    pub action: String,
    /// To what: the id or the name of a key, a client, a user, a session; empty where there is none.
    pub target: String,
    /// Whom it concerns beside the target: the subject of a key, the user of a session, the issuer of a revoked name.
    pub concerns: Option<String>,
    /// [`DONE`](Self::DONE), or the code of the reason why it was not done.
    pub outcome: String,
}

/// Who asks for a change.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Actor {
    /// By which way in.
    pub door: Door,
    /// The principal's subject; of a command the user of the operating system. `None` where nobody has said who they are.
    pub subject: Option<String>,
    /// Its kind and its id: `api-key key_01...`, `jwt session_01...`.
    pub credential: Option<String>,
    /// The network address, where it is known.
    pub address: Option<String>,
}

/// A way into the store.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Door {
    /// A route of a service.
    Http,
    /// A command on the command line.
    Command,
    /// A service by itself: what it does without being asked, and what the program that runs it has it do.
    Service,
}

/// Which records to list; `None` for any.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct AuditFilter {
    /// Made at this time or later, in seconds since the Unix epoch.
    pub since: Option<i64>,
    /// Made before this time.
    pub until: Option<i64>,
    /// Of this action.
    pub action: Option<String>,
    /// By this subject, to this target, or concerning it.
    pub about: Option<String>,
}

/// The audit records of a store.
///
/// Records of changes are written by the changes, in their transactions ([`Command::by`](crate::Command::by), the methods of
/// [`AccountStore`](crate::AccountStore)). Records are never changed.
#[async_trait]
pub trait AuditLog: Send + Sync + 'static {
    /// Writes down what has changed nothing here: a failed login, a token that was issued, a change that was refused.
    ///
    /// # Errors
    /// When the store cannot be written.
    async fn record(&self, records: &[AuditRecord]) -> Result<(), StorageError>;

    /// The records that pass `filter`, in the order of their ids, after `after`; at most `max`.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn audit(
        &self,
        filter: &AuditFilter,
        after: Option<&str>,
        max: usize,
    ) -> Result<Vec<AuditRecord>, StorageError>;

    /// Forgets the records that were made before `at`, in seconds since the Unix epoch; returns how many.
    ///
    /// # Errors
    /// When the store cannot be written.
    async fn forget_audit(&self, at: i64) -> Result<u64, StorageError>;
}

impl AuditRecord {
    /// The outcome of what was done.
    pub const DONE: &str = "done";

    /// That `by` does `action` to `target`, now.
    ///
    /// # Errors
    /// [`StorageError::NoRandomness`] when the operating system gives none.
    pub fn new(by: &Actor, action: &str, target: &str) -> Result<Self, StorageError> {
        Ok(Self {
            id: new_ordered_id(ID_PREFIX)?,
            at: clock::now(),
            by: by.bounded(),
            action: bounded(action),
            target: bounded(target),
            concerns: None,
            outcome: Self::DONE.to_owned(),
        })
    }

    /// With whom it concerns beside the target.
    #[must_use]
    pub fn concerning(self, concerns: &str) -> Self {
        Self { concerns: Some(bounded(concerns)), ..self }
    }

    /// Not done, for the reason of that code.
    #[must_use]
    pub fn failed(self, code: &str) -> Self {
        Self { outcome: bounded(code), ..self }
    }

    /// Not done, for that reason.
    #[must_use]
    pub fn refused(self, refusal: &Refusal) -> Self {
        self.failed(refusal.code())
    }

    pub(crate) fn with_outcome(self, outcome: &Outcome) -> Self {
        match outcome {
            Ok(_) => self,
            Err(refusal) => self.refused(refusal),
        }
    }
}

impl Actor {
    /// Nobody in particular, by that door.
    #[must_use]
    pub fn unknown(door: Door) -> Self {
        Self { door, subject: None, credential: None, address: None }
    }

    fn bounded(&self) -> Self {
        let field = |field: &Option<String>| field.as_deref().map(bounded);
        Self {
            door: self.door,
            subject: field(&self.subject),
            credential: field(&self.credential),
            address: field(&self.address),
        }
    }
}

impl Door {
    /// A stable name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Command => "command",
            Self::Service => "service",
        }
    }

    /// The one of that [name](Self::as_str).
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Http, Self::Command, Self::Service].into_iter().find(|door| door.as_str() == name)
    }
}

impl AuditFilter {
    /// The id after which the records begin, for a reader that has got to `after`.
    #[must_use]
    pub fn after(&self, after: Option<&str>) -> String {
        let first = self.since.map_or_else(String::new, Self::id_at);
        after.filter(|after| **after > *first).map_or(first, str::to_owned)
    }

    /// The id before which the records end.
    #[must_use]
    pub fn before(&self) -> Option<String> {
        self.until.map(Self::id_at)
    }

    /// The id that sorts between the records made before that time, in seconds since the Unix epoch, and those made then.
    #[must_use]
    pub fn id_at(seconds: i64) -> String {
        first_id_at(ID_PREFIX, seconds)
    }
}

/// PostgreSQL keeps no text with U+0000.
fn bounded(text: &str) -> String {
    let end = (0..=text.len().min(MAX_AUDIT_FIELD_BYTES)).rev().find(|end| text.is_char_boundary(*end));
    text[..end.unwrap_or(0)].replace('\0', "\u{fffd}")
}

const ID_PREFIX: &str = "audit";
