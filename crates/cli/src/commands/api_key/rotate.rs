//! `tollgate api-key rotate`.

use clap::Args;
use serde::Serialize;
use tollgate::{ApiKey, KeyFormat, KeyRecord};
use tollgate_storage::{Command, Refusal, StoredKey, new_key_id};

use super::key_printer::KeyPrinter;
use super::shown::Shown;
use crate::commands::{Outcome, Unknown};
use crate::error::{CommandError, warn};
use crate::limits::DEFAULT_KEY_OVERLAP_SECONDS;
use crate::store_options::{FormatOption, Store, StoreOption, labels};
use crate::stream::{JsonLines, gone_or_failed};
use crate::values::{self, now, shown_moment};

const HELP: &str = "\
The new key has its own id, and the kind, subject, client, scopes, name, addresses and metadata of the old key. If the old key
expires, the new key gets the same lifetime, counted from now. The old key stays valid until the overlap ends, or until its own
expiry if that is earlier.

Standard output has the new key and nothing else, or with --json {\"key\":...} with the members of `tollgate api-key list --json`,
then \"replaces\" and \"old_ends_at\". Exit status: 0, or 1 when the old key is unknown, disabled, revoked or already rotated.

Examples:
  tollgate api-key rotate key_01kdzb6y0v8e6q5t3h4jm2n7ra --store /var/lib/tollgate
  tollgate api-key rotate key_01kdzb6y0v8e6q5t3h4jm2n7ra --overlap 7d --json
  tollgate api-key rotate key_01kdzb6y0v8e6q5t3h4jm2n7ra --overlap 0";

/// Make a successor to a key, and print it once. The old key stays valid for a while.
#[derive(Args, Debug)]
#[command(after_help = HELP)]
pub(super) struct Arguments {
    /// The old key's id
    id: String,

    #[command(flatten)]
    overlap: OverlapOption,

    #[command(flatten)]
    store: StoreOption,

    #[command(flatten)]
    format: FormatOption,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// The overlap in which the old key stays valid.
#[derive(Args, Clone, Copy, Debug)]
pub(in crate::commands) struct OverlapOption {
    /// How long the old key stays valid: seconds, or 90s, 15m, 12h, 30d
    #[arg(long, value_name = "TIME", value_parser = values::seconds, default_value = "24h")]
    overlap: u32,
}

impl Default for OverlapOption {
    fn default() -> Self {
        OverlapOption { overlap: DEFAULT_KEY_OVERLAP_SECONDS }
    }
}

impl Arguments {
    pub(super) fn run(&self) -> Result<Outcome, CommandError> {
        let store = self.store.open()?;
        match store.wait(store.key(&self.id))? {
            Some(old) => rotate(&store, &old, self.overlap, &self.format, self.json, |new, overlap_ends_at| {
                Command::RotateKey { id: self.id.clone(), new, overlap_ends_at }
            }),
            None => refuse(&self.id, "unknown-api-key", "is no key of this store", self.json),
        }
    }
}

#[derive(Serialize)]
struct Replacement<'k> {
    #[serde(flatten)]
    key: Shown<'k>,
    replaces: &'k str,
    old_ends_at: i64,
}

/// Replaces `old` by a new key with `command`, and prints the new key.
pub(in crate::commands) fn rotate(
    store: &Store,
    old: &StoredKey,
    overlap: OverlapOption,
    format: &FormatOption,
    json: bool,
    command: impl FnOnce(StoredKey, i64) -> Command,
) -> Result<Outcome, CommandError> {
    let id = old.record.id();
    let format = match old.format.as_deref().and_then(labels) {
        Some((prefix, env)) if !format.is_given() => KeyFormat::new(prefix, env).map_err(CommandError::ApiKeyFormat)?,
        _ => format.format(Some(store))?,
    };
    let now = now();
    let key = ApiKey::generate(&format).map_err(|_| CommandError::Random)?;
    let new = StoredKey::native(
        &format,
        &key,
        successor(old, &new_key_id("key").map_err(|source| store.failed(source))?, now),
    )
    .made_at(now);
    let overlap_ends_at = now + i64::from(overlap.overlap);
    if let Err(refusal) = store.run_command(command(new.clone(), overlap_ends_at))? {
        let reason = match &refusal {
            Refusal::NotFound { .. } => return refuse(id, "unknown-api-key", "is no key of this store", json),
            Refusal::Changed { .. } => "was rotated meanwhile; look again".to_owned(),
            Refusal::KeyRevoked => "is revoked permanently; make a new one".to_owned(),
            Refusal::Disabled { .. } => "is disabled; enable it first".to_owned(),
            Refusal::KeyRotated { rotated_to } => format!("was rotated to {rotated_to} already; rotate that one"),
            Refusal::KeyEnded { .. } => "has ended; make a new one".to_owned(),
            _ => return Err(store.failed(refusal.into())),
        };
        return refuse(id, refusal.code(), &reason, json);
    }
    let old_ends_at = old.ends_at().map_or(overlap_ends_at, |end| end.min(overlap_ends_at));
    let outcome =
        KeyPrinter::new(json).print(&key, &Replacement { key: Shown::from(&new), replaces: id, old_ends_at })?;
    warn(&format!(
        "the new key's id is {}; it is shown only this once; the old one stays valid until {}",
        new.record.id(),
        shown_moment(old_ends_at)
    ));
    Ok(outcome)
}

/// The record of the new key, with the lifetime that the old key was given.
fn successor(old: &StoredKey, id: &str, now: i64) -> KeyRecord {
    let (record, made) = (old.successor(id, now), old.created_at);
    match record.expires_at() {
        // The lifetime is unknown if the creation time is.
        Some(end) if made != 0 => record.edit().expires_at(now.saturating_add(end.saturating_sub(made))).build(),
        _ => record,
    }
}

/// Reports why a key cannot be rotated.
pub(in crate::commands) fn refuse(
    id: &str,
    error: &'static str,
    reason: &str,
    json: bool,
) -> Result<Outcome, CommandError> {
    if json {
        let mut output = JsonLines::new();
        let written = output.write(&Unknown::new(id, error, reason)).and_then(|()| output.flush());
        return written.map_or_else(gone_or_failed, |()| Ok(Outcome::Rejected));
    }
    warn(&format!("{id} {reason}"));
    Ok(Outcome::Rejected)
}
