//! Every limit of this crate, with the origin of its value.

use std::time::Duration;

/// Connections of a store for commands and look-ups, unless the URL sets `pool_size`. Our own choice: a command holds one for
/// a few round trips, but not while it waits for the standby, and a server has 100 by default for all its clients.
pub const DEFAULT_POOL_SIZE: usize = 16;

/// The largest `pool_size`.
pub const MAX_POOL_SIZE: usize = 1_000;

/// The deadline of a command, failover and retries included, after which its writer gets an error. The service stops within
/// 15 s with writes waiting.
pub const WRITE_DEADLINE: Duration = Duration::from_secs(10);

/// The deadline of one attempt of a command: a hanging server is abandoned early enough for another attempt.
pub const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(4);

/// The additional time of an import, in all and in one attempt, for each of its keys. A busy server takes 0.1 ms.
pub const IMPORT_TIME_A_KEY: Duration = Duration::from_millis(1);

/// The longest wait for a connection of the pool, and for connecting.
pub const POOL_TIMEOUT: Duration = Duration::from_secs(3);

/// The deadline of a look-up.
pub const READ_TIMEOUT: Duration = Duration::from_secs(10);

/// The most attempts of a look-up. A pool may hold several connections that a failover has ended.
pub const READ_TRIES: usize = 3;

/// The longest time to connect to one address, unless the URL sets `connect_timeout`.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// How long sent data may stay unacknowledged by a server's host before the connection counts as broken, unless the URL sets
/// `tcp_user_timeout`; also the idle time of a connection before a keepalive probe.
pub const HOST_TIMEOUT: Duration = Duration::from_secs(5);

/// The longest wait of a statement for a lock (`lock_timeout`). The counter is locked only for the end of a transaction, or
/// for the end of an import's chunk.
pub const LOCK_TIMEOUT: Duration = Duration::from_secs(2);

/// The idle time after which the server ends a transaction (`idle_in_transaction_session_timeout`): it may hold the counter,
/// and so block all writers.
pub const IDLE_IN_TRANSACTION_TIMEOUT: Duration = Duration::from_secs(1);

/// How long the shared durable transaction waits for disk and standby before its writers are told that the outcome is
/// unknown.
pub const BARRIER_TIMEOUT: Duration = Duration::from_secs(5);

/// The pause before it retries on another connection.
pub const BARRIER_RETRY_INTERVAL: Duration = Duration::from_millis(50);

/// The most writers that one durable transaction acknowledges. Our own choice: the statement has two numbers for each.
pub const MAX_BARRIER_GROUP: usize = 1_024;

/// The most requests whose audit records are written in one transaction. Our own choice: with more, the first would wait long
/// for the last.
pub const MAX_RECORD_GROUP: usize = 256;

/// The most committed commands that are not known to be durable; further ones are refused. Followers see them, and they are
/// lost with the primary. Reached only while no standby answers.
pub const MAX_UNACKNOWLEDGED: u64 = 4_096;

/// The most commands that wait for a connection. Our own choice: with more, a writer would wait longer than
/// [`WRITE_DEADLINE`].
pub const MAX_WAITING_WRITERS: usize = 1_024;

/// The wait before the first retry; it doubles with each retry, up to [`MAX_RETRY_WAIT`]. A random part is added.
pub const FIRST_RETRY_WAIT: Duration = Duration::from_millis(5);

/// See [`FIRST_RETRY_WAIT`]. Short compared to the second that a failover takes.
pub const MAX_RETRY_WAIT: Duration = Duration::from_millis(200);

/// The interval at which a waiting reader polls the end of the log besides the listener: notifications are lost with its
/// connection, and a restored copy sends none.
pub const LOOK_INTERVAL: Duration = Duration::from_millis(250);

/// The polling interval of a waiting reader on a standby, which sends no notifications. It costs the server one index
/// look-up.
pub const STANDBY_LOOK_INTERVAL: Duration = Duration::from_millis(50);

/// The pause before the listener reconnects.
pub const LISTENER_RETRY_INTERVAL: Duration = Duration::from_millis(500);

/// The interval at which the listener of a standby checks whether the standby was promoted.
pub const PROMOTION_LOOK_INTERVAL: Duration = Duration::from_secs(2);

/// The number of changes after which a writer removes those beyond [`CHANGES_KEPT`](tollgate_storage::limits::CHANGES_KEPT).
/// Our own choice: one in a thousand commands pays for it.
pub const CHANGES_PER_COMPACTION: u64 = 1_024;

/// The most connections that read a snapshot. Our own choice: with more, the reader's table is the bottleneck.
pub const MAX_SNAPSHOT_CONNECTIONS: usize = 4;

/// Keys for each connection that reads a snapshot: with fewer, a connection costs more than it saves.
pub(crate) const KEYS_PER_SNAPSHOT_CONNECTION: i64 = 20_000;

/// The number of locks to which names are mapped: no transaction holds more, and the server's lock table has room for
/// `max_locks_per_transaction` (64) x `max_connections` (100) by default.
pub(crate) const NAME_LOCKS: i32 = 1_024;

/// How often a command is restarted because another one added the same name at the same time.
pub(crate) const MAX_CONFLICTS: usize = 8;
