//! Every bound of this crate, with where its value comes from.

use std::time::Duration;

/// Longest id of a key or a client, in bytes. Our own choice: fits every header, log line and URL that names one.
pub const MAX_ID_BYTES: usize = 256;

/// Longest subject, in bytes. Our own choice: OpenID Connect Core section 2 admits 255 characters of `sub`.
pub const MAX_SUBJECT_BYTES: usize = 1024;

/// Longest name for people, in bytes. Our own choice: more than a screen shows.
pub const MAX_NAME_BYTES: usize = 1024;

/// Longest field of an audit record, in bytes; what is longer is cut off. Our own choice: what a caller sends becomes a row that is kept.
pub const MAX_AUDIT_FIELD_BYTES: usize = 512;

/// Longest metadata of a key, in bytes. Our own choice: every engine holds it in memory.
pub const MAX_METADATA_BYTES: usize = 4096;

/// Longest scope set, in bytes. Half of the header line that servers take, which a challenge has to fit.
pub const MAX_SCOPES_BYTES: usize = 4096;

/// Most address blocks of a key. Our own choice: they are searched one after the other.
pub const MAX_ADDRESS_BLOCKS: usize = 64;

/// Longest issuer of a revocation, in bytes. What servers take as a URL at least (RFC 9110 section 4.1 recommends 8000).
pub const MAX_URI_BYTES: usize = 8000;

/// Longest redirect URI, in bytes. Our own choice: it is sent back in a URL beside a code and a state.
pub const MAX_REDIRECT_URI_BYTES: usize = 2_048;

/// Most redirect URIs of a client. Our own choice: each is compared at every authorization request.
pub const MAX_REDIRECT_URIS: usize = 100;

/// Longest JWK set of a client, in bytes. Our own choice: [`MAX_CLIENT_KEYS`] RSA keys of 4096 bits, of some 800 bytes each.
pub const MAX_CLIENT_KEYS_BYTES: usize = 8 * 1024;

/// Most keys of a client. Our own choice: each is vetted at every assertion of the client, and a rotation has two or three.
pub const MAX_CLIENT_KEYS: usize = 8;

/// Longest line of a file that is imported, in bytes. The fields above at their longest, escaped.
pub const MAX_LINE_BYTES: usize = 64 * 1024;

/// How many changes the feed keeps; a follower that is further behind starts from a snapshot again.
///
/// Our own choice: some megabytes, and at a thousand changes a second more than a minute and a half of absence.
pub const CHANGES_KEPT: u64 = 100_000;

/// How many changes a follower reads at a time. Our own choice: some milliseconds of reading.
pub const CHANGES_PER_READ: usize = 4_096;

/// How many changes of a snapshot are handed on at a time. Our own choice: enough that what is done once for all of them does
/// not count, and they stay in the second-level cache.
pub const CHANGES_PER_VISIT: usize = 256;

/// For how long after its end a follower's table holds a revoked or expired key, so that its rejection says why; from then on it is
/// unknown. Of a revoked key the end is when the follower learnt of it. A day: whoever looks why a client fails does so by then.
pub const TOMBSTONE_SECONDS: i64 = 24 * 60 * 60;

/// The most keys that a follower's table holds beyond their end, unless
/// [`Follower::max_tombstones`](crate::Follower::max_tombstones) says otherwise. Our own choice: 20 MB, at some 200 bytes each.
pub const MAX_TOMBSTONES: usize = 100_000;

/// How often what is to be forgotten is removed from a follower's tables. Our own choice: what has expired is rejected in any case,
/// this only frees memory, and it reads the whole table.
pub const RECLAIM_INTERVAL: Duration = Duration::from_secs(60);

/// How old the newest change or heartbeat that a follower has applied may be before its tables count as stale, unless
/// [`Follower::max_staleness`](crate::Follower::max_staleness) says otherwise. Our own choice: a restart of what holds the log, or a
/// slow disk, is over by then; a revocation that is not known counts for nothing for no longer.
pub const DEFAULT_MAX_STALENESS: Duration = Duration::from_secs(60);

/// After how long without a change a follower commits a heartbeat, a quarter of its `max_staleness` if that is shorter.
///
/// Followers of one store see each other's, so that about one is committed in this time. Our own choice: a commit costs
/// little so often, and twelve have to be missing before the tables count as stale.
pub const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(5);

/// For how long a revocation is kept after its end, on the disk and in memory: the longest leeway that an issuer may be given, since a
/// token whose expiry is that end is good until the leeway is over too.
pub const REVOCATION_KEPT_SECONDS: i64 = tollgate::limits::MAX_LEEWAY as i64;

/// How long a follower's thread waits after the log failed. Our own choice: long against a failing disk's queue, short
/// against the time in which a person reacts.
pub const RETRY_INTERVAL: Duration = Duration::from_secs(1);

/// Lines that an import writes in one transaction: enough that the disk's sync is not what takes the time, few enough
/// that other writers get their turn.
pub const LINES_PER_TRANSACTION: usize = 10_000;

/// After how many keys a load, an import or an export reports how far it is.
pub const KEYS_PER_REPORT: u64 = 8_192;
