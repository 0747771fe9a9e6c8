//! All limits of the command, with the origin of each value. Those of the crates below are in their `limits`.

use std::time::Duration;

/// The longest line of standard input that is held, in bytes: 1 MiB.
///
/// The longest credential that an engine can be configured to read has 64 KiB. As a JSON string with every character
/// escaped it takes six times that.
pub(crate) const MAX_LINE_BYTES: usize = 1024 * 1024;

/// The longest `detail` of a rejected item, in characters: a line or two of a terminal. The contract of the command.
pub(crate) const MAX_DETAIL_CHARACTERS: usize = 256;

/// Bytes that are read from standard input at a time: the capacity of a pipe on Linux.
pub(crate) const READ_BYTES: usize = 64 * 1024;

/// Bytes after which a run shows its progress: several thousand tokens, half a second's work.
pub(crate) const LONG_RUN_BYTES: u64 = 4 * 1024 * 1024;

/// The longest configuration file, in bytes: 1 MiB holds several thousand issuers.
pub(crate) const MAX_CONFIGURATION_BYTES: usize = 1024 * 1024;

/// How long to wait for the keys of all remote issuers before the first token is verified. A provider answers within a
/// fraction of a second, and a person can wait ten times that.
pub(crate) const REMOTE_KEYS_WAIT: Duration = Duration::from_secs(10);

/// The margin above the leeway before `check` reports a difference between clocks, in seconds: `Date` has whole seconds, and
/// the answer spends some time in transit.
pub(crate) const CLOCK_TOLERANCE: u64 = 2;

/// The longest line of an API-keys file, in bytes: 64 KiB holds a thousand scopes.
pub(crate) const MAX_RECORD_BYTES: u64 = 64 * 1024;

/// The longest file of an HMAC secret, in bytes: the longest accepted secret (4096 bytes) in hexadecimal, and a line
/// feed.
pub(crate) const MAX_SECRET_FILE_BYTES: usize = 2 * 4096 + 1;

/// The longest pepper, in bytes: far beyond the 32 that HMAC-SHA-256 uses, and few enough to read in one piece.
pub(crate) const MAX_PEPPER_BYTES: usize = 4096;

/// Keys that are read from a store, or changed in it, at a time: some milliseconds of work, during which other
/// writers wait.
pub(crate) const KEYS_PER_BATCH: usize = 1_000;

/// Keys that `list` shows by default: a few screens.
pub(crate) const DEFAULT_LISTED: usize = 100;

/// The most keys that `new` makes in one run: as many as one process is meant to hold.
pub(crate) const MAX_MADE: u64 = 10_000_000;

/// How long a rotated key stays valid by default, in seconds: a day, in which its user switches to the new one.
pub(crate) const DEFAULT_KEY_OVERLAP_SECONDS: u32 = 24 * 60 * 60;

/// Secrets of one client that are read: more than any client has, revoked ones included.
pub(crate) const MAX_CLIENT_SECRETS: usize = 10_000;

/// The most distinct tokens of `tollgate bench`: a million take about a gigabyte.
pub(crate) const MAX_BENCH_TOKENS: i64 = 1_000_000;

/// The most API keys of `tollgate bench`: as many as the table is measured with.
pub(crate) const MAX_BENCH_API_KEYS: i64 = 10_000_000;

/// The most threads of `tollgate bench`: more than any one machine has processors today.
pub(crate) const MAX_BENCH_THREADS: i64 = 1024;

/// How long a gateway that has read its file again lets earlier requests use the old sources: longer than any fetch
/// that a request waits for.
pub(crate) const RELOAD_GRACE: Duration = Duration::from_secs(30);

/// The interval at which the gateway checks whether these requests are answered.
pub(crate) const RELOAD_PAUSE: Duration = Duration::from_millis(20);
