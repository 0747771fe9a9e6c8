use crate::database::open_writer;
use crate::error::{SqliteError, gone};
use crate::joined::Joined;
use crate::reader::Reader;
use crate::watch::Commits;
use crate::writer::Writer;
use crate::{audit_rows, change_rows, client_rows, key_rows, revocation_rows, schema, snapshot, transaction, watch};
use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, Transaction};
use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::{self, Instant};
use tollgate::{Digest, KeyKind};
use tollgate_storage::limits::{CHANGES_KEPT, REVOCATION_KEPT_SECONDS};
use tollgate_storage::{
    AuditRecord, Client, Command, Executed, Existing, KeyFeed, KeyFilter, KeyStore, Position, Refusal, RevocationKind,
    Since, StorageError, StoredKey, StoredRevocation, Visit,
};

/// Keys, clients and revocations in one SQLite file, and the log of their changes.
///
/// A change is on disk when its future is ready (`synchronous=FULL`). After a crash it is complete or absent. Readers do not
/// wait for the writer (WAL), and several processes of a host may open the same folder.
///
/// The store has its own threads, which end when it is dropped: one writes, one answers look-ups, one reads the log, and
/// while a caller [waits](KeyFeed::wait_after), one checks for commits by other processes, every
/// [`POLL_INTERVAL`](crate::limits::POLL_INTERVAL).
#[derive(Debug)]
pub struct SqliteKeyStore {
    file: PathBuf,
    writer: Writer,
    look_ups: Reader,
    /// A separate connection, so that look-ups do not delay the followers.
    feed: Reader,
    commits: Arc<Commits>,
    /// Dropped after all holders of `commits`, whose end stops it.
    watcher: OnceLock<Joined>,
}

impl SqliteKeyStore {
    /// Opens the store in `folder`, and creates both if they are missing. On Unix only their owner can read them.
    ///
    /// # Errors
    /// [`StorageError::Location`] if the folder cannot be used, [`StorageError::NewerSchema`] if a newer release wrote
    /// the file, [`StorageError::Failed`] if it is not a database.
    pub fn open(folder: &Path) -> Result<Self, StorageError> {
        Self::open_file(&Self::file_in(folder))
    }

    /// The path of the store's file in `folder`, which need not exist.
    #[must_use]
    pub fn file_in(folder: &Path) -> PathBuf {
        folder.join(FILE_NAME)
    }

    /// Like [`open`](Self::open), for a file of any name. SQLite creates two more files beside it, whose names begin with
    /// the same name.
    ///
    /// # Errors
    /// Those of [`open`](Self::open).
    pub fn open_file(file: &Path) -> Result<Self, StorageError> {
        let commits = Arc::new(Commits::new(0));
        let committed = Arc::clone(&commits);
        let last = Cell::new(Position::START);
        let has_changed = move |connection: &Connection| {
            let end = change_rows::latest(connection)?;
            // Audit records are no changes: followers need not be woken for them.
            let has_changed = last.replace(end) != end;
            if has_changed {
                change_rows::compact(connection, CHANGES_KEPT)?;
            }
            Ok(has_changed)
        };
        let tell = move || committed.send_modify(|number| *number += 1);
        let writer = Writer::spawn(open_writer(file, schema::STEPS)?, has_changed, tell)?;
        let (look_ups, feed) = (Reader::open(file)?, Reader::open(file)?);
        Ok(Self { file: file.to_owned(), writer, look_ups, feed, commits, watcher: OnceLock::new() })
    }

    /// The database file.
    #[must_use]
    pub fn file(&self) -> &Path {
        &self.file
    }

    pub(crate) fn writer(&self) -> &Writer {
        &self.writer
    }

    pub(crate) fn reader(&self) -> &Reader {
        &self.look_ups
    }
}

#[async_trait]
impl KeyFeed for SqliteKeyStore {
    async fn changes_after(&self, after: Position, max: usize) -> Result<Since, StorageError> {
        self.feed.read(move |connection| change_rows::after(connection, after, max)).await
    }

    async fn wait_after(&self, after: Position, timeout: Duration) -> Result<bool, StorageError> {
        let deadline = Instant::now() + timeout;
        let mut commits = self.commits.subscribe();
        if self.watcher.get().is_none() {
            // If two are started at once, one is dropped, which is harmless.
            let _ = self.watcher.set(watch::spawn(&self.file, &self.commits)?);
        }
        loop {
            if self.feed.read(|connection| change_rows::latest(connection)).await? != after {
                return Ok(true);
            }
            match time::timeout_at(deadline, commits.changed()).await {
                Ok(changed) => changed.map_err(|_| gone())?,
                Err(_) => return Ok(false),
            }
        }
    }

    async fn snapshot(&self, visit: Visit) -> Result<Position, StorageError> {
        let (file, (answer, answered)) = (self.file.clone(), oneshot::channel());
        let read = move || {
            let read = snapshot::read(&file, &|changes| {
                visit(changes);
                // An error means that the caller has given up.
                !answer.is_closed()
            });
            let _ = answer.send(read.map_err(StorageError::from));
        };
        thread::Builder::new().name("tollgate-snapshot".to_owned()).spawn(read).map_err(StorageError::failed)?;
        answered.await.map_err(|_| gone())?
    }

    async fn heartbeat(&self) -> Result<(), StorageError> {
        self.writer.write(|connection| change_rows::heartbeat(connection)).await
    }
}

#[async_trait]
impl KeyStore for SqliteKeyStore {
    async fn execute(&self, commands: Vec<Command>) -> Result<Executed, StorageError> {
        let execute = move |connection: &mut _| {
            let outcomes = transaction::apply(connection, &commands)?;
            Ok(Executed { outcomes, position: change_rows::latest(connection)? })
        };
        self.writer.write(execute).await
    }

    async fn import(
        &self,
        keys: Vec<StoredKey>,
        existing: Existing,
        audit: &AuditRecord,
    ) -> Result<Vec<bool>, StorageError> {
        let audit = audit.clone();
        let add_each = move |connection: &mut Connection| {
            let add = |(index, key): (usize, &StoredKey)| {
                key.check().map_err(|refusal| StorageError::Key { index, refusal })?;
                match key_rows::insert(connection, key) {
                    Ok(number) => change_rows::key(connection, number).map(|()| true),
                    Err(SqliteError::Storage(StorageError::Refused(refusal))) => match (existing, refusal) {
                        (Existing::Skip, Refusal::AlreadyExists { .. }) => Ok(false),
                        (_, refusal) => Err(StorageError::Key { index, refusal }.into()),
                    },
                    Err(error) => Err(error),
                }
            };
            let are_added = keys.iter().enumerate().map(add).collect::<Result<_, _>>()?;
            audit_rows::insert(connection, &audit)?;
            Ok(are_added)
        };
        self.writer.write(add_each).await
    }

    async fn compact(&self, kept: u64) -> Result<u64, StorageError> {
        self.writer.write(move |connection| change_rows::compact(connection, kept)).await
    }

    async fn forget_expired(&self, now: i64) -> Result<usize, StorageError> {
        let forget = move |connection: &mut Connection| {
            let forget =
                |sql, end| -> Result<usize, SqliteError> { Ok(connection.prepare_cached(sql)?.execute([end])?) };
            let tokens = forget("DELETE FROM keys WHERE kind = 'access-token' AND expires_at <= ?1", now)?;
            forget("DELETE FROM key_sessions WHERE ends_at <= ?1", now)?;
            let ended = now.saturating_sub(REVOCATION_KEPT_SECONDS);
            Ok(tokens + forget("DELETE FROM revocations WHERE until <= ?1", ended)?)
        };
        self.writer.write(forget).await
    }

    async fn latest(&self) -> Result<Position, StorageError> {
        self.look_ups.read(|connection| change_rows::latest(connection)).await
    }

    async fn key(&self, id: &str) -> Result<Option<StoredKey>, StorageError> {
        let id = id.to_owned();
        self.look_ups.read(move |connection| key_rows::by_id(connection, &id)).await
    }

    async fn key_of(&self, digest: &Digest) -> Result<Option<StoredKey>, StorageError> {
        let digest = *digest;
        self.look_ups.read(move |connection| key_rows::by_digest(connection, &digest)).await
    }

    async fn keys(&self, filter: &KeyFilter, after: Option<&str>, max: usize) -> Result<Vec<StoredKey>, StorageError> {
        let (filter, after) = (filter.clone(), after.unwrap_or_default().to_owned());
        self.look_ups.read(move |connection| key_rows::page(connection, &filter, &after, max)).await
    }

    async fn live_keys_of(&self, subject: &str, kind: KeyKind, now: i64) -> Result<Vec<StoredKey>, StorageError> {
        let subject = subject.to_owned();
        self.look_ups.read(move |connection| key_rows::live(connection, &subject, kind, now)).await
    }

    async fn key_count(&self) -> Result<usize, StorageError> {
        let (first, last) = self.look_ups.read(|connection| key_rows::numbers(connection)).await?;
        Ok(usize::try_from(last - first).unwrap_or(0))
    }

    async fn first_format(&self) -> Result<Option<String>, StorageError> {
        let first = "SELECT format FROM keys WHERE format IS NOT NULL ORDER BY number LIMIT 1";
        let read = |connection: &Transaction<'_>| {
            Ok(connection.prepare_cached(first)?.query_row((), |row| row.get(0)).optional()?)
        };
        self.look_ups.read(read).await
    }

    async fn client(&self, id: &str) -> Result<Option<Client>, StorageError> {
        let id = id.to_owned();
        self.look_ups.read(move |connection| client_rows::by_id(connection, &id)).await
    }

    async fn clients(&self, after: Option<&str>, max: usize) -> Result<Vec<Client>, StorageError> {
        let after = after.unwrap_or_default().to_owned();
        let read = move |connection: &Transaction<'_>| client_rows::page(connection, &after, max);
        // An unreadable client does not prevent the others from being listed.
        Ok(self.look_ups.read(read).await?.into_iter().filter_map(Result::ok).collect())
    }

    async fn revocations_of(
        &self,
        issuer: &str,
        names: &[(RevocationKind, &str)],
    ) -> Result<Vec<StoredRevocation>, StorageError> {
        let issuer = issuer.to_owned();
        let names: Vec<_> = names.iter().map(|(kind, name)| (*kind, (*name).to_owned())).collect();
        let read = move |connection: &Transaction<'_>| {
            let found = names.iter().map(|(kind, name)| revocation_rows::by_name(connection, *kind, &issuer, name));
            found.filter_map(Result::transpose).collect()
        };
        self.look_ups.read(read).await
    }

    async fn revocations(
        &self,
        after: Option<&StoredRevocation>,
        max: usize,
    ) -> Result<Vec<StoredRevocation>, StorageError> {
        let after = after.cloned();
        let read = move |connection: &Transaction<'_>| {
            let after = after.as_ref().map(|after| (after.kind.as_str(), &*after.issuer, &*after.name));
            revocation_rows::page(connection, after.unwrap_or_default(), max)
        };
        self.look_ups.read(read).await
    }
}

const FILE_NAME: &str = "tollgate-keys.sqlite3";
