use crate::database::connect_reader;
use crate::error::SqliteError;
use crate::joined::Joined;
use crate::limits::POLL_INTERVAL;
use std::path::Path;
use std::sync::{Arc, Weak};
use std::thread;
use tokio::sync::watch;

/// A number that goes up when there may be something new in the file.
pub(crate) type Commits = watch::Sender<u64>;

/// Looks for commits of other processes until `commits` is dropped, on a thread of its own.
pub(crate) fn spawn(file: &Path, commits: &Arc<Commits>) -> Result<Joined, SqliteError> {
    let (connection, commits) = (connect_reader(file)?, Arc::downgrade(commits));
    let watch = move || {
        let mut seen = None;
        while let Some(commits) = Weak::upgrade(&commits) {
            // It counts what other connections have committed. Where it cannot be read, whoever waits looks and is told why.
            let version: Option<i64> = connection.pragma_query_value(None, "data_version", |row| row.get(0)).ok();
            if version.is_none() || version != seen {
                seen = version;
                commits.send_modify(|number| *number += 1);
            }
            drop(commits);
            thread::park_timeout(POLL_INTERVAL);
        }
    };
    Joined::spawn("tollgate-watch", watch)
}
