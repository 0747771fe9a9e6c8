//! Every limit of the command, with where its value comes from. Those of the crates below are in their `limits`.

use std::time::Duration;

/// The longest line of standard input that is held, in bytes: 1 MiB.
///
/// The longest credential that any engine can be told to look at has 64 KiB. As a JSON string with every character escaped it
/// has six times that.
pub(crate) const MAX_LINE_BYTES: usize = 1024 * 1024;

/// The longest `detail` of a rejected item, in characters: a line or two of a terminal. The contract of the command.
pub(crate) const MAX_DETAIL_CHARACTERS: usize = 256;

/// Bytes that are read from standard input at a time: what a pipe holds on Linux.
pub(crate) const READ_BYTES: usize = 64 * 1024;

/// A run is long, and shows its progress, once it has read this many bytes: several thousand tokens, half a second's work.
pub(crate) const LONG_RUN_BYTES: u64 = 4 * 1024 * 1024;

/// The longest configuration file, in bytes: 1 MiB holds several thousand issuers.
pub(crate) const MAX_CONFIGURATION_BYTES: usize = 1024 * 1024;

/// How long the keys of all remote issuers are waited for before the first token is verified. Fetching them takes a provider a
/// fraction of a second; who runs the command can wait ten times that.
pub(crate) const REMOTE_KEYS_WAIT: Duration = Duration::from_secs(10);

/// The longest line of an API-keys file, in bytes: 64 KiB holds a thousand scopes.
pub(crate) const MAX_RECORD_BYTES: u64 = 64 * 1024;

/// The longest file of an HMAC secret, in bytes: the longest secret that is taken (4096 bytes) in hexadecimal, and a line feed.
pub(crate) const MAX_SECRET_FILE_BYTES: usize = 2 * 4096 + 1;

/// The longest pepper, in bytes: far beyond the 32 that HMAC-SHA-256 makes use of, and few enough to read in one piece.
pub(crate) const MAX_PEPPER_BYTES: usize = 4096;

/// Keys that are read from a store, or changed in it, at a time: some milliseconds of work, during which other writers wait.
pub(crate) const KEYS_PER_BATCH: usize = 1_000;

/// Keys that `list` shows unless told otherwise: some screens full.
pub(crate) const DEFAULT_LISTED: usize = 100;

/// Keys that `new` makes at most in one run: as many as one process is meant to hold.
pub(crate) const MAX_MADE: u64 = 10_000_000;

/// How long a rotated key stays good unless told otherwise, in seconds: a day, in which whoever uses it takes up the new one.
pub(crate) const DEFAULT_KEY_OVERLAP_SECONDS: u32 = 24 * 60 * 60;

/// Secrets of one client that are looked at: more than any client has, revoked ones included.
pub(crate) const MAX_CLIENT_SECRETS: usize = 10_000;

/// The most distinct tokens of `tollgate bench`: a million take about a gigabyte.
pub(crate) const MAX_BENCH_TOKENS: i64 = 1_000_000;

/// The most API keys of `tollgate bench`: as many as the table is measured with.
pub(crate) const MAX_BENCH_API_KEYS: i64 = 10_000_000;

/// The most threads of `tollgate bench`: more than any one machine has processors today.
pub(crate) const MAX_BENCH_THREADS: i64 = 1024;

/// How long a gateway that read its file anew lets what was asked before be answered by the old one's sources: longer than any fetch that
/// a question waits for.
pub(crate) const RELOAD_GRACE: Duration = Duration::from_secs(30);

/// How often it looks whether all of that is answered.
pub(crate) const RELOAD_PAUSE: Duration = Duration::from_millis(20);
