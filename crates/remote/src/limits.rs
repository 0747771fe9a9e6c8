//! Every limit of this crate, with the origin of its value. Those of a single key are in
//! [`tollgate_keys::limits`].

use std::time::Duration;

/// [`Clocks::freshness`](crate::Clocks::freshness) unless told otherwise.
///
/// What jose keeps a key set for; Nimbus takes half of it. An unknown key is fetched when it appears: this is not what
/// a rotation waits for.
pub const DEFAULT_FRESHNESS: Duration = Duration::from_secs(10 * 60);

/// [`Clocks::min_freshness`](crate::Clocks::min_freshness) unless told otherwise: a provider that sends `max-age=0` is
/// asked once a minute.
pub const DEFAULT_MIN_FRESHNESS: Duration = Duration::from_secs(60);

/// [`Clocks::revocation_bound`](crate::Clocks::revocation_bound) unless told otherwise: the common lifetime of a short
/// access token, which is as long as a stolen one works.
pub const DEFAULT_REVOCATION_BOUND: Duration = Duration::from_secs(15 * 60);

/// [`Clocks::outage_grace`](crate::Clocks::outage_grace) unless told otherwise.
///
/// A provider that cannot publish its keys cannot issue tokens for long either; those that it issued last are rarely
/// good for longer than this.
pub const DEFAULT_OUTAGE_GRACE: Duration = Duration::from_secs(4 * 60 * 60);

/// [`Clocks::cool_down`](crate::Clocks::cool_down) unless told otherwise: that of jose and of Nimbus.
pub const DEFAULT_COOL_DOWN: Duration = Duration::from_secs(30);

/// [`Clocks::burst`](crate::Clocks::burst) unless told otherwise: never more than one fetch a cool-down.
pub const DEFAULT_BURST: u32 = 1;

/// The most that [`Clocks::burst`](crate::Clocks::burst) takes: more would be no budget.
pub const MAX_BURST: u32 = 16;

/// [`Clocks::request_timeout`](crate::Clocks::request_timeout) unless told otherwise: a key set is one small document;
/// ten times what a slow provider on another continent takes.
pub const DEFAULT_REQUEST_TIMEOUT: Duration = Duration::from_secs(5);

/// A refresh falls into this last part of the time for which a set is fresh, at random, so that many processes that
/// started together do not ask together.
pub const JITTER: f64 = 0.2;

/// The wait after the first failed refresh, doubled with each further one. Up to half of it is left out at random.
pub const RETRY_FIRST: Duration = Duration::from_secs(1);

/// The longest wait after a failed refresh: how long after the end of an outage it may go unnoticed.
pub const RETRY_MAX: Duration = Duration::from_secs(60);

/// How long a start waits for a provider that does not answer, before it uses a saved set older than the revocation
/// bound.
pub const SAVED_SET_DELAY: Duration = Duration::from_secs(2);

/// Largest key set document or metadata document that is read, in bytes.
///
/// The largest public JWKS in use (Microsoft's common endpoint, about 20 keys with their certificates) takes about
/// 40 KiB.
pub const MAX_DOCUMENT_BYTES: usize = 256 * 1024;

/// Most keys in one remote set, refused ones counted. Identity providers publish 1 to 20; each is parsed and vetted at
/// every change.
pub const MAX_REMOTE_KEYS: usize = 100;

/// Most bytes of a response's head. The largest that nginx passes on from an upstream by default is 4 to 8 KiB.
pub const MAX_RESPONSE_HEAD_BYTES: usize = 16 * 1024;

/// Longest `ETag` that is kept and sent back, in bytes. They are 10 to 70 in use.
pub const MAX_ETAG_BYTES: usize = 256;

/// Most failover URIs of one set: each of them lengthens a refresh by its timeout.
pub const MAX_FAILOVERS: usize = 4;

/// Most header fields that are configured for a fetch: a token, a key of a gateway, and room.
pub const MAX_HEADERS: usize = 16;

/// Longest value of a configured header field, in bytes, and longest file that one is read from. Servers take heads of 8 KiB
/// in all (nginx, Apache httpd).
pub const MAX_HEADER_VALUE_BYTES: usize = 8 * 1024;

/// Longest file of root certificates, in bytes: four times those of all public authorities together.
pub const MAX_ROOT_CERTIFICATES_BYTES: usize = 1024 * 1024;

/// Bytes of a saved set's file beside the document: a URI and a time.
pub const SAVED_BYTES_BESIDE_DOCUMENT: usize = 16 * 1024;

/// How far the clock may have gone back since a set was saved, in seconds: what a first synchronisation corrects.
pub const MAX_CLOCK_STEP_BACK: i64 = 60;

/// How many unknown key ids are told apart at a time, reported and known not to exist together. Beyond that one is
/// forgotten for the other: 8 KiB of memory for each issuer.
pub const UNKNOWN_KEYS: usize = 1024;

/// The longest time for which a key id is known not to exist, before it is fetched for again. The first time is one
/// cool-down, so that a key that is published late is found; each further time is twice as long.
pub const MISSING_KEY_MAX: Duration = Duration::from_secs(10 * 60);

/// The longest that [`verify_or_refresh`](crate::verify_or_refresh) waits for a fetch. A fetch that takes longer than
/// this is better answered with 401 and tried again by the client.
pub const MAX_REFRESH_WAIT: Duration = Duration::from_secs(5);

/// How long a verify takes at most, a thread that has to wait for its processor included: a fetch that ended longer ago
/// than this was seen by it.
pub const LONGEST_VERIFY: Duration = Duration::from_secs(1);

/// Most calls of [`verify_or_refresh`](crate::verify_or_refresh) that wait for one issuer at a time. The others get
/// their rejection at once.
pub const MAX_WAITING: usize = 1024;

/// How many requests a second an introspection endpoint is sent at most, unless told otherwise: those of 3,000 tokens in use at a
/// time, each asked about every 30 s.
pub const DEFAULT_INTROSPECTIONS_PER_SECOND: u32 = 100;

/// The most requests a second that may be configured. What more tokens need is a longer `max_age`, or JWTs.
pub const MAX_INTROSPECTIONS_PER_SECOND: u32 = 10_000;

/// The time for one request to an introspection endpoint, unless told otherwise. They answer in milliseconds.
pub const DEFAULT_INTROSPECTION_TIMEOUT: Duration = Duration::from_secs(2);

/// Most questions to one introspection endpoint that are under way at a time. The others are answered with 503 at once, so that an
/// endpoint that hangs holds no more than these.
pub const MAX_INTROSPECTIONS_AT_A_TIME: usize = 256;

/// Largest introspection response that is read, in bytes. They are 200 to 2,000 in use.
pub const MAX_INTROSPECTION_BYTES: usize = 64 * 1024;

/// For how long an answer is given to further calls without asking again, until those who asked have told their engines.
pub const ANSWER_LINGER: Duration = Duration::from_millis(100);

/// Most connections to an introspection endpoint that are kept for the next request.
pub const IDLE_CONNECTIONS: usize = 8;

/// For how long an idle connection is kept: less than the 5 s for which Node.js and Apache httpd do.
pub const IDLE_CONNECTION_AGE: Duration = Duration::from_secs(4);

/// For how many seconds a status list serves, unless told otherwise, and whatever its `ttl`.
pub const DEFAULT_STATUS_LIST_AGE: u32 = 300;

/// The longest time that may be configured for that, in seconds: a day, which is the longest `ttl` in use.
pub const MAX_STATUS_LIST_AGE: u32 = 86_400;

/// Largest status list token that is read, in bytes. A list of a million statuses of one bit, of which one in a hundred is set, takes
/// about 20 KB, and at most 170 KB.
pub const MAX_STATUS_LIST_TOKEN_BYTES: usize = 4 << 20;

/// Largest status list, inflated, in bytes: 128 million statuses of one bit.
pub const MAX_INFLATED_STATUS_LIST_BYTES: usize = 16 << 20;

/// By how many seconds the `iat` of a status list may lie ahead: the clock skew that is forgiven by default.
pub const MAX_STATUS_LIST_SKEW: i64 = 60;

/// How many fetches of an issuer's status lists may follow each other closely, and the time that one more takes to come.
pub const STATUS_LIST_BURST: u32 = 16;

/// See [`STATUS_LIST_BURST`].
pub const STATUS_LIST_INTERVAL: Duration = Duration::from_secs(1);

/// A status list that serves for less than this is fetched on demand alone, not in the background.
pub const MIN_KEPT_STATUS_LIST_AGE: Duration = Duration::from_secs(10);

/// For how long a status list is fetched anew in the background while no token refers to it: an hour, the usual lifetime of an access
/// token.
pub const UNUSED_STATUS_LIST_AGE: Duration = Duration::from_secs(60 * 60);

/// For how many seconds an assertion of this resource server's key is good: for the request that it is made for, and clock skew.
pub const CLIENT_ASSERTION_AGE: u64 = 60;
