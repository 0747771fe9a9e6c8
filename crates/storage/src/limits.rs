//! Every limit of this crate, with the origin of its value.

use std::time::Duration;

/// Longest id of a key or a client, in bytes. Our own choice: fits every header, log line and URL that contains it.
pub const MAX_ID_BYTES: usize = 256;

/// Longest subject, in bytes. Our own choice: OpenID Connect Core section 2 admits 255 characters of `sub`.
pub const MAX_SUBJECT_BYTES: usize = 1024;

/// Longest name for people, in bytes. Our own choice: more than a screen shows.
pub const MAX_NAME_BYTES: usize = 1024;

/// Longest field of an audit record, in bytes; the rest is cut off. Our own choice: a caller's input becomes a stored row.
pub const MAX_AUDIT_FIELD_BYTES: usize = 512;

/// Longest metadata of a key, in bytes. Our own choice: every engine holds it in memory.
pub const MAX_METADATA_BYTES: usize = 4096;

/// Longest scope set, in bytes. Half of the header line that servers accept, because a challenge must fit into it.
pub const MAX_SCOPES_BYTES: usize = 4096;

/// Most address blocks of a key. Our own choice: the search is linear.
pub const MAX_ADDRESS_BLOCKS: usize = 64;

/// Longest issuer of a revocation, in bytes. Servers accept URLs of at least this length (RFC 9110 section 4.1 recommends
/// 8000).
pub const MAX_URI_BYTES: usize = 8000;

/// Longest redirect URI, in bytes. Our own choice: it is returned in a URL with a code and a state.
pub const MAX_REDIRECT_URI_BYTES: usize = 2_048;

/// Most redirect URIs of a client. Our own choice: each is compared at every authorization request.
pub const MAX_REDIRECT_URIS: usize = 100;

/// Longest JWK set of a client, in bytes. Our own choice: [`MAX_CLIENT_KEYS`] RSA keys of 2048 bits with their certificates, of some
/// 1,900 bytes each.
pub const MAX_CLIENT_KEYS_BYTES: usize = 16 * 1024;

/// Longest name of a client's certificates, in bytes. Our own choice: a distinguished name of ten long attributes.
pub const MAX_CERTIFICATE_SUBJECT_BYTES: usize = 1024;

/// Most keys of a client. Our own choice: each is vetted at every assertion of the client, and a rotation has two or three.
pub const MAX_CLIENT_KEYS: usize = 8;

/// Longest line of an imported file, in bytes. The fields above at their longest, escaped.
pub const MAX_LINE_BYTES: usize = 64 * 1024;

/// The number of changes that the feed keeps; a follower that is further behind begins with a snapshot.
///
/// Our own choice: some megabytes; at a thousand changes a second, more than a minute and a half of absence.
pub const CHANGES_KEPT: u64 = 100_000;

/// The number of changes that a follower reads at once. Our own choice: some milliseconds of reading.
pub const CHANGES_PER_READ: usize = 4_096;

/// The number of changes in a batch of a snapshot. Our own choice: enough to amortise the cost of a batch, and few enough for
/// the L2 cache.
pub const CHANGES_PER_VISIT: usize = 256;

/// How long a follower's table holds a revoked or expired key after its end, so that its rejection has a reason; after that
/// the key is unknown. A revoked key ends when the follower applies the revocation. A day: enough to find out why a client
/// fails.
pub const TOMBSTONE_SECONDS: i64 = 24 * 60 * 60;

/// The most ended keys in a follower's table. [`Follower::max_tombstones`](crate::Follower::max_tombstones) changes it. Our
/// own choice: 20 MB, at some 200 bytes each.
pub const MAX_TOMBSTONES: usize = 100_000;

/// The interval at which ended records are freed in a follower's tables. Our own choice: expired keys are rejected anyway, so
/// this only frees memory, and it reads the whole table.
pub const RECLAIM_INTERVAL: Duration = Duration::from_secs(60);

/// The age of the newest applied change or heartbeat at which a follower's tables become stale.
/// [`Follower::max_staleness`](crate::Follower::max_staleness) changes it. Our own choice: long enough for a restart of the
/// log's host or a slow disk; an unknown revocation has no effect for at most this time.
pub const DEFAULT_MAX_STALENESS: Duration = Duration::from_secs(60);

/// The time without a change after which a follower commits a heartbeat; a quarter of its `max_staleness` if that is shorter.
///
/// Followers of one store share heartbeats, so that about one is committed in this time. Our own choice: rare commits are
/// cheap, and twelve must be missing before the tables are stale.
pub const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(5);

/// How long a revocation is kept after its end, on disk and in memory: the longest leeway of an issuer, because a token that
/// expires at that end stays valid for the leeway.
pub const REVOCATION_KEPT_SECONDS: i64 = tollgate::limits::MAX_LEEWAY as i64;

/// How long a follower's thread waits after a failure of the log. Our own choice: long for the queue of a failing disk, short
/// for a person.
pub const RETRY_INTERVAL: Duration = Duration::from_secs(1);

/// Lines that an import writes in one transaction: enough that the disk's sync does not dominate, few enough that other
/// writers get their turn.
pub const LINES_PER_TRANSACTION: usize = 10_000;

/// The number of keys between two progress reports of a load, an import or an export.
pub const KEYS_PER_REPORT: u64 = 8_192;
