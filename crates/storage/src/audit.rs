//! Audit records: actor, credential, address, time, action and outcome.

use crate::clock;
use crate::command::Outcome;
use crate::error::{Refusal, StorageError};
use crate::id::{first_id_at, new_ordered_id};
use crate::limits::MAX_AUDIT_FIELD_BYTES;
use async_trait::async_trait;

/// One action as stored. Fields are cut off after [`MAX_AUDIT_FIELD_BYTES`].
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AuditRecord {
    /// Unique; ids sort by their creation time, strictly within one process.
    pub id: String,
    /// The time, in seconds since the Unix epoch.
    pub at: i64,
    /// The actor, the credential and the address.
    pub by: Actor,
    /// The action: `client.disable`, `login`, ...
    pub action: String,
    /// The object: the id or the name of a key, a client, a user, a session; empty if there is none.
    pub target: String,
    /// The affected party, if it is not the target: the subject of a key, the user of a session, the issuer of a revoked
    /// name.
    pub concerns: Option<String>,
    /// [`DONE`](Self::DONE), or the code of the reason for a failure.
    pub outcome: String,
}

/// The actor of a change.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Actor {
    /// The way in.
    pub door: Door,
    /// The principal's subject; for a command the user of the operating system. `None` without authentication.
    pub subject: Option<String>,
    /// The credential's kind and id: `api-key key_01...`, `jwt session_01...`.
    pub credential: Option<String>,
    /// The network address, if known.
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
    /// A service without a request: its own tasks, and calls by the program that runs it.
    Service,
}

/// A filter for records; `None` for any.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct AuditFilter {
    /// Made at this time or later, in seconds since the Unix epoch.
    pub since: Option<i64>,
    /// Made before this time.
    pub until: Option<i64>,
    /// Of this action.
    pub action: Option<String>,
    /// With this subject as actor, or with this target, or concerning this id.
    pub about: Option<String>,
}

/// The audit records of a store.
///
/// Changes write their records in their own transactions ([`Command::by`](crate::Command::by), the methods of
/// [`AccountStore`](crate::AccountStore)). Records are never changed.
#[async_trait]
pub trait AuditLog: Send + Sync + 'static {
    /// Records an event that has changed nothing here: a failed login, an issued token, a refused change.
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

    /// Removes the records from before `at`, in seconds since the Unix epoch. Returns their number.
    ///
    /// # Errors
    /// When the store cannot be written.
    async fn forget_audit(&self, at: i64) -> Result<u64, StorageError>;
}

impl AuditRecord {
    /// The outcome of a success.
    pub const DONE: &str = "done";

    /// A record that `by` does `action` to `target` now.
    ///
    /// # Errors
    /// [`StorageError::NoRandomness`] if the operating system provides no random numbers.
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

    /// Sets the affected party.
    #[must_use]
    pub fn concerning(self, concerns: &str) -> Self {
        Self { concerns: Some(bounded(concerns)), ..self }
    }

    /// Sets the outcome to the code of a failure.
    #[must_use]
    pub fn failed(self, code: &str) -> Self {
        Self { outcome: bounded(code), ..self }
    }

    /// Sets the outcome to the reason of a refusal.
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
    /// An unnamed actor, through that door.
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

    /// The door with that [name](Self::as_str).
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Http, Self::Command, Self::Service].into_iter().find(|door| door.as_str() == name)
    }
}

impl AuditFilter {
    /// The id after which the records begin, for a reader that has read up to `after`.
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

    /// The id that sorts between the records from before that time, in seconds since the Unix epoch, and later ones.
    #[must_use]
    pub fn id_at(seconds: i64) -> String {
        first_id_at(ID_PREFIX, seconds)
    }
}

/// PostgreSQL text cannot contain U+0000.
fn bounded(text: &str) -> String {
    let end = (0..=text.len().min(MAX_AUDIT_FIELD_BYTES)).rev().find(|end| text.is_char_boundary(*end));
    text[..end.unwrap_or(0)].replace('\0', "\u{fffd}")
}

const ID_PREFIX: &str = "audit";
