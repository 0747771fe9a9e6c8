//! Every limit of this crate, with the origin of its value.

use std::time::Duration;

/// The interval at which a waiting reader checks for writes by other processes.
///
/// A quarter of the 200 ms within which a change must be visible. A check takes microseconds: it reads one number in memory
/// that the processes share.
pub const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// The deadline for the start of a write, which waits for earlier writes and for other processes. A commit takes
/// milliseconds, a batch of an import a tenth of a second, so the deadline passes only if a process hangs while it holds the
/// lock. All waiting writes then fail at once, so that a service can stop within its grace period.
pub const WRITE_TIMEOUT: Duration = Duration::from_secs(10);

/// The most waiting writes; further ones are refused. Our own choice: some seconds of work.
pub const MAX_WAITING_WRITES: usize = 4_096;

/// The most reads that wait for the reading connection; further ones wait for a place in the queue. Our own choice.
pub(crate) const MAX_WAITING_READS: usize = 1_024;

/// The most writes in one commit. Our own choice: with more, the disk's sync no longer dominates.
pub(crate) const WRITES_PER_COMMIT: usize = 128;

/// The size of the write-ahead log, in bytes, above which a commit empties it. Our own choice: a batch of an import takes
/// some 10 MB.
pub const WRITE_AHEAD_LOG_BYTES: u64 = 64 * 1024 * 1024;

/// How long opening the file may wait for another process.
pub(crate) const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// The pause between two attempts when SQLite itself does not wait. Our own choice: long for an attempt, short for a person.
pub(crate) const BUSY_INTERVAL: Duration = Duration::from_millis(1);

/// Prepared statements per connection: more than the store has.
pub(crate) const STATEMENTS: usize = 64;

/// The most threads that read a snapshot. With more, the table's memory is the bottleneck.
pub const MAX_SNAPSHOT_THREADS: usize = 4;

/// Keys for each thread that reads a snapshot: with fewer, a thread costs more than it saves.
pub(crate) const KEYS_PER_SNAPSHOT_THREAD: i64 = 20_000;
