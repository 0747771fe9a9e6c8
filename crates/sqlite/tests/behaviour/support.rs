//! Shared by the tests.

use std::path::Path;
use std::sync::{Arc, LazyLock};
use std::time::Duration;
use tokio::runtime::Runtime;
use tollgate::{ApiKey, KeyFormat, KeyKind, KeyRecord, KeyState};
use tollgate_sqlite::SqliteKeyStore;
use tollgate_storage::{
    Actor, AuditRecord, Change, Client, Command, Door, Existing, KeyFilter, KeyStore, Position, Refusal,
    RevocationKind, Since, StorageError, StoredKey, StoredRevocation, TokensOf,
};

pub(crate) const NOW: i64 = 1_763_800_000;

pub(crate) fn format() -> KeyFormat {
    KeyFormat::new("tg", "live").unwrap()
}

/// Always the same key for the same number.
pub(crate) fn secret(number: u64) -> ApiKey {
    let mut entropy = [0; 32];
    for (lane, bytes) in (0..).zip(entropy.chunks_exact_mut(8)) {
        let mut n = (number * 4 + lane + 1_u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        n = (n ^ (n >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        n = (n ^ (n >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        bytes.copy_from_slice(&(n ^ (n >> 31)).to_le_bytes());
    }
    ApiKey::danger_from_entropy(&format(), &entropy)
}

pub(crate) fn id(number: u64) -> String {
    format!("key_{number:012}")
}

pub(crate) fn key(number: u64) -> StoredKey {
    let id = id(number);
    let record = KeyRecord::api_key(&id, "user_7").scopes(["read:sites"]);
    StoredKey::native(&format(), &secret(number), record).made_at(NOW)
}

pub(crate) fn store() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    (folder, store)
}

/// Waits for a future.
pub(crate) fn wait<T>(answer: impl Future<Output = T>) -> T {
    static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());
    RUNTIME.block_on(answer)
}

/// A blocking store for tests. Methods that change it return the number of the change; `None` if nothing was changed.
#[derive(Clone, Debug)]
pub(crate) struct Store(pub(crate) Arc<SqliteKeyStore>);

type Result<T> = std::result::Result<T, StorageError>;

impl Store {
    pub(crate) fn open(folder: &Path) -> Result<Self> {
        SqliteKeyStore::open(folder).map(|store| Self(Arc::new(store)))
    }

    pub(crate) fn file(&self) -> &Path {
        self.0.file()
    }

    pub(crate) fn shared(&self) -> Arc<dyn KeyStore> {
        self.0.clone()
    }

    pub(crate) fn run(&self, command: Command) -> Result<u64> {
        wait(self.shared().run(command)).map(|(_, position)| position.number)
    }

    /// `None` if it does not exist, or is in that state already.
    fn try_run(&self, command: Command) -> Result<Option<u64>> {
        match wait(self.shared().run(command)) {
            Ok((0, _)) | Err(StorageError::Refused(Refusal::NotFound { .. })) => Ok(None),
            ran => ran.map(|(_, position)| Some(position.number)),
        }
    }

    pub(crate) fn position(&self) -> Position {
        wait(self.0.latest()).unwrap()
    }

    pub(crate) fn latest(&self) -> Result<u64> {
        Ok(wait(self.0.latest())?.number)
    }

    pub(crate) fn add_key(&self, key: &StoredKey) -> Result<u64> {
        self.run(Command::AddKey { key: key.clone(), max: None })
    }

    pub(crate) fn add_keys(&self, keys: &[StoredKey]) -> Result<u64> {
        wait(self.0.import(keys.to_vec(), Existing::Refuse, &audit()))?;
        self.latest()
    }

    pub(crate) fn change_key(&self, id: &str, change: impl FnOnce(StoredKey) -> StoredKey) -> Result<Option<u64>> {
        let Some(was) = self.key(id)? else { return Ok(None) };
        self.try_run(Command::ChangeKey { now: change(was.clone()), was })
    }

    pub(crate) fn put_in_state(&self, id: &str, state: KeyState) -> Result<Option<u64>> {
        self.try_run(Command::PutKeyInState { id: id.to_owned(), state })
    }

    pub(crate) fn disable_key(&self, id: &str) -> Result<Option<u64>> {
        self.put_in_state(id, KeyState::Disabled)
    }

    pub(crate) fn enable_key(&self, id: &str) -> Result<Option<u64>> {
        self.put_in_state(id, KeyState::Active)
    }

    pub(crate) fn revoke_key(&self, id: &str) -> Result<Option<u64>> {
        self.put_in_state(id, KeyState::Revoked)
    }

    pub(crate) fn remove_key(&self, id: &str) -> Result<Option<u64>> {
        self.try_run(Command::RemoveKey { id: id.to_owned() })
    }

    pub(crate) fn rotate_key(&self, id: &str, new: &StoredKey, overlap_ends_at: i64) -> Result<Option<u64>> {
        self.try_run(Command::RotateKey { id: id.to_owned(), new: new.clone(), overlap_ends_at })
    }

    pub(crate) fn key(&self, id: &str) -> Result<Option<StoredKey>> {
        wait(self.0.key(id))
    }

    pub(crate) fn keys(&self, filter: &KeyFilter, after: Option<&str>, max: usize) -> Result<Vec<StoredKey>> {
        wait(self.0.keys(filter, after, max))
    }

    pub(crate) fn key_count(&self) -> Result<usize> {
        wait(self.0.key_count())
    }

    pub(crate) fn live_keys_of(&self, subject: &str, kind: KeyKind, now: i64) -> Result<Vec<StoredKey>> {
        wait(self.0.live_keys_of(subject, kind, now))
    }

    pub(crate) fn add_client(&self, client: &Client, secret: Option<&StoredKey>) -> Result<u64> {
        self.run(Command::AddClient { client: client.clone(), secret: secret.cloned() })
    }

    pub(crate) fn remove_client(&self, id: &str) -> Result<Option<u64>> {
        self.try_run(Command::RemoveClient { id: id.to_owned(), issued: Default::default() })
    }

    pub(crate) fn client(&self, id: &str) -> Result<Option<Client>> {
        wait(self.0.client(id))
    }

    pub(crate) fn clients(&self, after: Option<&str>, max: usize) -> Result<Vec<Client>> {
        wait(self.0.clients(after, max))
    }

    pub(crate) fn revoke(&self, revocation: &StoredRevocation) -> Result<u64> {
        self.run(Command::Revoke { revocation: revocation.clone(), with_opaque: false })
    }

    pub(crate) fn restore(&self, kind: RevocationKind, issuer: &str, name: &str) -> Result<Option<u64>> {
        self.try_run(Command::Restore { kind, issuer: issuer.to_owned(), name: name.to_owned() })
    }

    pub(crate) fn revocation(
        &self,
        kind: RevocationKind,
        issuer: &str,
        name: &str,
    ) -> Result<Option<StoredRevocation>> {
        wait(self.0.revocation(kind, issuer, name))
    }

    pub(crate) fn revoke_access_tokens(&self, of: TokensOf, made_before: i64) -> Result<(u64, u64)> {
        let (revoked, position) = wait(self.shared().run(Command::RevokeTokens { of, made_before }))?;
        Ok((revoked, position.number))
    }

    pub(crate) fn compact(&self, kept: u64) -> Result<u64> {
        wait(self.0.compact(kept))
    }

    pub(crate) fn forget_expired(&self, now: i64) -> Result<usize> {
        wait(self.0.forget_expired(now))
    }

    pub(crate) fn changes_after(&self, after: Position, max: usize) -> Result<Since> {
        use tollgate_storage::KeyFeed;
        wait(self.0.changes_after(after, max))
    }

    pub(crate) fn wait_after(&self, after: Position, timeout: Duration) -> Result<bool> {
        use tollgate_storage::KeyFeed;
        wait(self.0.wait_after(after, timeout))
    }

    pub(crate) fn snapshot(&self) -> (Position, Vec<Change>) {
        use tollgate_storage::KeyFeed;
        let changes = Arc::new(std::sync::Mutex::new(Vec::new()));
        let gathered = changes.clone();
        let position = wait(self.0.snapshot(Arc::new(move |some| gathered.lock().unwrap().extend(some)))).unwrap();
        let changes = std::mem::take(&mut *changes.lock().unwrap());
        (position, changes)
    }
}

/// A record of its own.
pub(crate) fn audit() -> AuditRecord {
    AuditRecord::new(&Actor::unknown(Door::Service), "test", "").expect("there is randomness")
}
