use super::key_rows::KeyReader;
use super::store::Store;
use super::{change_rows, client_rows, keys, revocation_rows, snapshot};
use crate::change_log::{Change, ChangeLog, Since};
use crate::error::StoreError;
use crate::limits::POLL_INTERVAL;
use rusqlite::Connection;
use std::time::{Duration, Instant};

/// A read gives each thing as it is at the time of the read. What another process has written is seen within
/// [`POLL_INTERVAL`], what this one has, at once.
impl ChangeLog for Store {
    type Error = StoreError;

    fn append(&self, changes: &[Change]) -> Result<u64, StoreError> {
        if changes.is_empty() {
            return self.latest();
        }
        let ((), sequence) = self.write(|transaction| {
            changes.iter().try_for_each(|change| match change {
                Change::Key(key) => Self::put(transaction, key),
                Change::KeyRemoved { digest } => keys::remove(transaction, digest).map(drop),
                Change::Client(client) => client_rows::put(transaction, client),
                Change::ClientRemoved { id } => client_rows::remove(transaction, id).map(drop),
                Change::Revocation(revocation) => revocation_rows::put(transaction, revocation),
                Change::RevocationRemoved { kind, issuer, name } => {
                    revocation_rows::remove(transaction, *kind, issuer, name).map(drop)
                }
            })
        })?;
        Ok(sequence)
    }

    fn changes_after(&self, after: u64, max: usize) -> Result<Since, StoreError> {
        self.read(|transaction| change_rows::after(transaction, &mut KeyReader::default(), after, max))
    }

    fn wait_after(&self, after: u64, timeout: Duration) -> Result<bool, StoreError> {
        let deadline = Instant::now() + timeout;
        let mut seen_version = None;
        loop {
            let commits = *self.commits.lock();
            {
                let watcher = self.watcher.lock();
                let version = data_version(&watcher)?;
                // Read before the number: what is committed in between is seen by the next look. A lower number is that of a
                // copy that was restored, of which `changes_after` tells.
                if seen_version.replace(version) != Some(version) && change_rows::latest(&watcher)? != after {
                    return Ok(true);
                }
            }
            let mut commits_now = self.commits.lock();
            let look_again = deadline.min(Instant::now() + POLL_INTERVAL);
            if *commits_now == commits
                && self.has_committed.wait_until(&mut commits_now, look_again).timed_out()
                && look_again == deadline
            {
                return Ok(false);
            }
        }
    }

    fn snapshot(&self, visit: &(dyn Fn(Vec<Change>) + Sync)) -> Result<u64, StoreError> {
        snapshot::read(self, visit)
    }
}

/// A number that changes when another connection, of this process or of another, has committed.
fn data_version(connection: &Connection) -> Result<i64, StoreError> {
    Ok(connection.pragma_query_value(None, "data_version", |row| row.get(0))?)
}
