use crate::database::connect_reader;
use crate::error::SqliteError;
use crate::joined::Joined;
use crate::limits::POLL_INTERVAL;
use std::path::Path;
use std::sync::{Arc, Weak};
use std::thread;
use tokio::sync::watch;

/// A number that increases when the file may have new content.
pub(crate) type Commits = watch::Sender<u64>;

/// Checks for commits by other processes on its own thread until `commits` is dropped.
pub(crate) fn spawn(file: &Path, commits: &Arc<Commits>) -> Result<Joined, SqliteError> {
    let (connection, commits) = (connect_reader(file)?, Arc::downgrade(commits));
    let watch = move || {
        let mut seen = None;
        while let Some(commits) = Weak::upgrade(&commits) {
            // `data_version` counts the commits of other connections. If it cannot be read, the waiting readers
            // are woken and get the error.
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
