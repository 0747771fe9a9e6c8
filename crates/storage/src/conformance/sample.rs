//! Records for the tests.

use crate::audit::{Actor, AuditRecord, Door};
use crate::command::Command;
use crate::error::Refusal;
use crate::feed::{Change, Position, Since};
use crate::key::StoredKey;
use crate::key_store::KeyStore;
use crate::revocation::{RevocationKind, StoredRevocation};
use parking_lot::Mutex;
use std::sync::Arc;
use tollgate::{ApiKey, KeyFormat, KeyKind, KeyRecord, KeyState};

/// The creation time of all records.
pub(super) const NOW: i64 = 1_763_800_000;

pub(super) fn format() -> KeyFormat {
    KeyFormat::new("tg", "live").expect("the format is well-formed")
}

/// Always the same key for the same number.
pub(super) fn secret(number: u64) -> ApiKey {
    let mut entropy = [0; 32];
    for (lane, bytes) in (0..).zip(entropy.chunks_exact_mut(8)) {
        // One step of splitmix64.
        let n = (number * 4 + lane + 1_u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let n = (n ^ (n >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bytes.copy_from_slice(&(n ^ (n >> 31)).to_le_bytes());
    }
    ApiKey::danger_from_entropy(&format(), &entropy)
}

pub(super) fn id(number: u64) -> String {
    format!("key_{number:012}")
}

pub(super) fn key(number: u64) -> StoredKey {
    let id = id(number);
    let record = KeyRecord::api_key(&id, "user_7").scopes(["read:sites", "write:sites"]);
    StoredKey::native(&format(), &secret(number), record).made_at(NOW)
}

/// A key of any kind.
pub(super) fn key_of(number: u64, kind: KeyKind, subject: &str, client: Option<&str>) -> StoredKey {
    let id = id(number);
    StoredKey::native(&format(), &secret(number), KeyRecord::builder(kind, &id, subject).client_id(client)).made_at(NOW)
}

pub(super) fn token(number: u64, subject: &str, client: &str, made_at: i64) -> StoredKey {
    key_of(number, KeyKind::AccessToken, subject, Some(client)).made_at(made_at)
}

pub(super) fn revocation(kind: RevocationKind, name: &str) -> StoredRevocation {
    let issuer = if kind == RevocationKind::ApiKey { "" } else { "https://as.example" };
    StoredRevocation::new(kind, issuer, name)
}

pub(super) fn add(number: u64) -> Command {
    Command::AddKey { key: key(number), max: None }
}

pub(super) fn put(number: u64, state: KeyState) -> Command {
    Command::PutKeyInState { id: id(number), state }
}

pub(super) fn revoke(revocation: &StoredRevocation) -> Command {
    Command::Revoke { revocation: revocation.clone(), with_opaque: false }
}

/// The number of records that the command changed.
pub(super) async fn run(store: &Arc<dyn KeyStore>, command: Command) -> u64 {
    store.run(command).await.expect("the command is not refused").0
}

/// The end of the log after the command.
pub(super) async fn done(store: &Arc<dyn KeyStore>, command: Command) -> Position {
    store.run(command).await.expect("the command is not refused").1
}

/// The reason for the command's refusal.
pub(super) async fn refused(store: &Arc<dyn KeyStore>, command: Command) -> Refusal {
    let executed = store.execute(vec![command]).await.expect("the store works");
    executed.outcomes.into_iter().next().expect("one outcome a command").expect_err("the command is refused")
}

/// A record of its own.
pub(super) fn audit() -> AuditRecord {
    AuditRecord::new(&Actor::unknown(Door::Service), "test", "").expect("there is randomness")
}

pub(super) async fn state(store: &Arc<dyn KeyStore>, number: u64) -> Option<KeyState> {
    store.key(&id(number)).await.expect("the store is read").map(|key| key.record.state())
}

/// The changes after a valid position, and their last position.
pub(super) async fn after(store: &Arc<dyn KeyStore>, position: Position, max: usize) -> (Vec<(u64, Change)>, Position) {
    match store.changes_after(position, max).await.expect("the log is read") {
        Since::Changes(read) => (read.changes, read.through),
        Since::Compacted => panic!("the position is not good"),
    }
}

pub(super) async fn is_compacted(store: &Arc<dyn KeyStore>, position: Position) -> bool {
    matches!(store.changes_after(position, 1).await.expect("the log is read"), Since::Compacted)
}

pub(super) async fn snapshot(store: &Arc<dyn KeyStore>) -> (Position, Vec<Change>) {
    let changes = Arc::new(Mutex::new(Vec::new()));
    let gathered = Arc::clone(&changes);
    let position = store.snapshot(Arc::new(move |some| gathered.lock().extend(some))).await;
    let changes = std::mem::take(&mut *changes.lock());
    (position.expect("the snapshot is read"), changes)
}
