//! Every bound of this crate, with where its value comes from.

use std::time::Duration;

/// How many connections a store has for commands and look-ups, unless the URL says `pool_size`. Our own choice: a command holds one
/// for some round trips and not while it waits for the standby, and a server has 100 by default for all its clients.
pub const DEFAULT_POOL_SIZE: usize = 16;

/// The most that a URL may ask for.
pub const MAX_POOL_SIZE: usize = 1_000;

/// How long a command may take in all, failover and retries included, before its writer is told that it failed. The service stops
/// within 15 s with writes waiting.
pub const WRITE_DEADLINE: Duration = Duration::from_secs(10);

/// How long one try of a command may take: a server that hangs is given up so early that there is time for another one.
pub const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(4);

/// By how much an import may take longer, both in all and in one try, for each of its keys. A busy server takes 0.1 ms.
pub const IMPORT_TIME_A_KEY: Duration = Duration::from_millis(1);

/// How long a connection of the pool is waited for, and how long connecting may take.
pub const POOL_TIMEOUT: Duration = Duration::from_secs(3);

/// How long a look-up may take.
pub const READ_TIMEOUT: Duration = Duration::from_secs(10);

/// How often a look-up is tried in all. A pool may hold several connections that a failover has ended.
pub const READ_TRIES: usize = 3;

/// How long connecting to one address may take, unless the URL says `connect_timeout`.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// How long what was sent may stay unacknowledged by a server's host before its connection counts as broken, unless the URL says
/// `tcp_user_timeout`; and how long a connection is idle before the host is asked whether it is there.
pub const HOST_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a statement waits for a lock (`lock_timeout`). The counter's is held for the end of a transaction alone, or for the end of
/// an import's chunk.
pub const LOCK_TIMEOUT: Duration = Duration::from_secs(2);

/// After how long the server ends a transaction whose client says nothing (`idle_in_transaction_session_timeout`): it may hold the
/// counter, and so all writers.
pub const IDLE_IN_TRANSACTION_TIMEOUT: Duration = Duration::from_secs(1);

/// How long the shared durable transaction waits for disk and standby before the writers behind it are told that the outcome is not
/// known.
pub const BARRIER_TIMEOUT: Duration = Duration::from_secs(5);

/// How long it waits before it tries again on another connection.
pub const BARRIER_RETRY_INTERVAL: Duration = Duration::from_millis(50);

/// How many writers one durable transaction acknowledges. Our own choice: the statement has two numbers for each.
pub const MAX_BARRIER_GROUP: usize = 1_024;

/// How many commands may be committed and not known to be durable before no more are made: they are seen by followers, and lost with
/// the primary. Reached only while no standby answers.
pub const MAX_UNACKNOWLEDGED: u64 = 4_096;

/// How many commands may wait for a connection. Our own choice: beyond it a writer would wait longer than
/// [`WRITE_DEADLINE`].
pub const MAX_WAITING_WRITERS: usize = 1_024;

/// The first wait before a try is repeated; each is twice the one before, up to [`MAX_RETRY_WAIT`]. A random part is added.
pub const FIRST_RETRY_WAIT: Duration = Duration::from_millis(5);

/// See [`FIRST_RETRY_WAIT`]. Short against the second that a failover takes.
pub const MAX_RETRY_WAIT: Duration = Duration::from_millis(200);

/// How often a waiting reader looks at the end of the log, whatever the listener hears: notifications are lost when its connection
/// is, and a restored copy sends none.
pub const LOOK_INTERVAL: Duration = Duration::from_millis(250);

/// How often a waiting reader looks where there are no notifications, on a standby. A look costs the server one index look-up.
pub const STANDBY_LOOK_INTERVAL: Duration = Duration::from_millis(50);

/// How long the listener waits before it connects again.
pub const LISTENER_RETRY_INTERVAL: Duration = Duration::from_millis(500);

/// How often the listener of a standby looks whether the standby was promoted.
pub const PROMOTION_LOOK_INTERVAL: Duration = Duration::from_secs(2);

/// After how many changes a writer removes those beyond [`CHANGES_KEPT`](tollgate_storage::limits::CHANGES_KEPT). Our own choice: one
/// in a thousand commands pays for it.
pub const CHANGES_PER_COMPACTION: u64 = 1_024;

/// Most connections that read a snapshot. Our own choice: beyond it the reader's table is the bottleneck.
pub const MAX_SNAPSHOT_CONNECTIONS: usize = 4;

/// Keys for each connection that reads a snapshot: below this a connection costs more than it saves.
pub(crate) const KEYS_PER_SNAPSHOT_CONNECTION: i64 = 20_000;

/// How many different locks stand for the names that transactions lock: a transaction holds no more, whatever it does, and the
/// server's table of locks has room for `max_locks_per_transaction` (64) x `max_connections` (100) by default.
pub(crate) const NAME_LOCKS: i32 = 1_024;

/// How often a command is begun anew because another one added the same name at the same time.
pub(crate) const MAX_CONFLICTS: usize = 8;
