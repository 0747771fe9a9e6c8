//! Every bound of this crate, with where its value comes from.

use std::time::Duration;

/// How often a waiting reader looks whether another process has written.
///
/// A quarter of the 200 ms within which a change has to be seen. A look costs microseconds: it reads one number in memory
/// that the processes share.
pub const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// How long a write may take from when it is asked for until it begins: it waits for those before it and for other processes.
/// A commit takes milliseconds, a batch of an import a tenth of a second, so this is reached only when a process hangs with
/// the lock held. All that wait then are told at once, so that a service that is to stop does within its grace.
pub const WRITE_TIMEOUT: Duration = Duration::from_secs(10);

/// Most writes that wait; more are refused. Our own choice: some seconds of work.
pub const MAX_WAITING_WRITES: usize = 4_096;

/// Most reads that wait for the connection that reads; more wait for a place. Our own choice.
pub(crate) const MAX_WAITING_READS: usize = 1_024;

/// Most writes that are committed together. Our own choice: beyond this the sync of the disk is not what takes the time.
pub(crate) const WRITES_PER_COMMIT: usize = 128;

/// How large the write-ahead log may be after a commit, in bytes, before it is emptied. Our own choice: a batch of an import takes
/// some 10 MB of it.
pub const WRITE_AHEAD_LOG_BYTES: u64 = 64 * 1024 * 1024;

/// How long opening the file may wait for another process.
pub(crate) const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// How long is waited between two tries where SQLite itself does not wait. Our own choice: long against one try, short
/// against what a person notices.
pub(crate) const BUSY_INTERVAL: Duration = Duration::from_millis(1);

/// Prepared statements kept a connection: more than the store has.
pub(crate) const STATEMENTS: usize = 64;

/// Most threads that read a snapshot. Beyond this the table's memory is the bottleneck, not the reading.
pub const MAX_SNAPSHOT_THREADS: usize = 4;

/// Keys for each thread that reads a snapshot: below this a thread costs more than it saves.
pub(crate) const KEYS_PER_SNAPSHOT_THREAD: i64 = 20_000;
