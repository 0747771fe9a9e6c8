//! Every limit of this crate, with the origin of its value. [`tollgate_keys::limits`] has those of a single key.

use std::time::Duration;

/// Default of [`Clocks::freshness`](crate::Clocks::freshness).
///
/// jose caches a key set for the same time; Nimbus for half of it. A rotation does not wait for it: an unknown key is
/// fetched when it appears.
pub const DEFAULT_FRESHNESS: Duration = Duration::from_secs(10 * 60);

/// Default of [`Clocks::min_freshness`](crate::Clocks::min_freshness): a provider that sends `max-age=0` is asked once
/// a minute.
pub const DEFAULT_MIN_FRESHNESS: Duration = Duration::from_secs(60);

/// Default of [`Clocks::revocation_bound`](crate::Clocks::revocation_bound): the common lifetime of a short access
/// token, which is as long as a stolen one works.
pub const DEFAULT_REVOCATION_BOUND: Duration = Duration::from_secs(15 * 60);

/// Default of [`Clocks::outage_grace`](crate::Clocks::outage_grace).
///
/// A provider that cannot publish its keys cannot issue tokens for long either; its last tokens are rarely valid for
/// longer than this.
pub const DEFAULT_OUTAGE_GRACE: Duration = Duration::from_secs(4 * 60 * 60);

/// Default of [`Clocks::cool_down`](crate::Clocks::cool_down): the same as in jose and Nimbus.
pub const DEFAULT_COOL_DOWN: Duration = Duration::from_secs(30);

/// Default of [`Clocks::burst`](crate::Clocks::burst): never more than one fetch per cool-down.
pub const DEFAULT_BURST: u32 = 1;

/// Maximum of [`Clocks::burst`](crate::Clocks::burst): more would not limit anything.
pub const MAX_BURST: u32 = 16;

/// Default of [`Clocks::request_timeout`](crate::Clocks::request_timeout): ten times what a slow provider on another
/// continent takes for one small document.
pub const DEFAULT_REQUEST_TIMEOUT: Duration = Duration::from_secs(5);

/// The last part of a set's freshness in which a refresh starts, at a random moment, so that processes that started
/// together do not fetch together.
pub const JITTER: f64 = 0.2;

/// The wait after the first failed refresh, doubled after each further one. A random part of it, up to half, is
/// subtracted.
pub const RETRY_FIRST: Duration = Duration::from_secs(1);

/// The longest wait after a failed refresh: the end of an outage may go unnoticed for this long.
pub const RETRY_MAX: Duration = Duration::from_secs(60);

/// How long a start waits for a provider that does not answer before it uses a saved set older than the revocation
/// bound.
pub const SAVED_SET_DELAY: Duration = Duration::from_secs(2);

/// Largest key set document or metadata document, in bytes.
///
/// The largest public JWKS in use (Microsoft's common endpoint, about 20 keys with their certificates) takes about
/// 40 KiB.
pub const MAX_DOCUMENT_BYTES: usize = 256 * 1024;

/// Most keys in one remote set, including refused ones. Identity providers publish 1 to 20; each key is parsed and
/// vetted at every change.
pub const MAX_REMOTE_KEYS: usize = 100;

/// Most bytes of a response's head. The largest that nginx passes on from an upstream by default is 4 to 8 KiB.
pub const MAX_RESPONSE_HEAD_BYTES: usize = 16 * 1024;

/// Longest `ETag` that is stored and sent back, in bytes. `ETag`s in use have 10 to 70.
pub const MAX_ETAG_BYTES: usize = 256;

/// Most failover URIs of one set: each lengthens a refresh by its timeout.
pub const MAX_FAILOVERS: usize = 4;

/// Most configured header fields of a fetch: a token, a key of a gateway, and spare room.
pub const MAX_HEADERS: usize = 16;

/// Longest value of a configured header field, in bytes, and longest file with such a value. Servers accept heads of 8
/// KiB in all (nginx, Apache httpd).
pub const MAX_HEADER_VALUE_BYTES: usize = 8 * 1024;

/// Longest file of root certificates, in bytes: four times those of all public authorities together.
pub const MAX_ROOT_CERTIFICATES_BYTES: usize = 1024 * 1024;

/// Bytes of a saved set's file besides the document: a URI and a time.
pub const SAVED_BYTES_BESIDE_DOCUMENT: usize = 16 * 1024;

/// How far the clock may have gone back since a set was saved, in seconds: the size of the correction by a first
/// synchronisation.
pub const MAX_CLOCK_STEP_BACK: i64 = 60;

/// Most unknown key ids in the table, reported and missing ones together. Beyond that, one evicts another. The table
/// takes 8 KiB per issuer.
pub const UNKNOWN_KEYS: usize = 1024;

/// The longest time for which a key id counts as missing before it is fetched again. The first time is one cool-down,
/// so that a key that is published late is found; each further time is twice as long.
pub const MISSING_KEY_MAX: Duration = Duration::from_secs(10 * 60);

/// The longest time that [`verify_or_refresh`](crate::verify_or_refresh) waits for a fetch. If a fetch takes longer, it
/// is better to answer 401 and let the client try again.
pub const MAX_REFRESH_WAIT: Duration = Duration::from_secs(5);

/// The assumed longest duration of a verify, including time in which its thread is not scheduled. A verify has seen
/// every fetch that ended longer ago than this.
pub const LONGEST_VERIFY: Duration = Duration::from_secs(1);

/// Most calls of [`verify_or_refresh`](crate::verify_or_refresh) that wait for one issuer at a time. Further calls get
/// their rejection at once.
pub const MAX_WAITING: usize = 1024;

/// Default for the most requests per second to an introspection endpoint: enough for 3,000 tokens in use at a time,
/// each introspected every 30 s.
pub const DEFAULT_INTROSPECTIONS_PER_SECOND: u32 = 100;

/// Maximum for the requests per second. More tokens than that need a longer `max_age`, or JWTs.
pub const MAX_INTROSPECTIONS_PER_SECOND: u32 = 10_000;

/// Default time limit of one request to an introspection endpoint. Endpoints answer in milliseconds.
pub const DEFAULT_INTROSPECTION_TIMEOUT: Duration = Duration::from_secs(2);

/// Most requests in flight to one introspection endpoint. Further calls get a 503 at once, so an endpoint that hangs
/// holds no more than these.
pub const MAX_INTROSPECTIONS_AT_A_TIME: usize = 256;

/// Largest introspection response, in bytes. Responses in use have 200 to 2,000.
pub const MAX_INTROSPECTION_BYTES: usize = 64 * 1024;

/// How long further calls get an answer without a new request, until the first callers have passed the answer to their
/// engines.
pub const ANSWER_LINGER: Duration = Duration::from_millis(100);

/// Most idle connections to an introspection endpoint that are kept for later requests.
pub const IDLE_CONNECTIONS: usize = 8;

/// How long an idle connection is kept: less than the 5 s of Node.js and Apache httpd.
pub const IDLE_CONNECTION_AGE: Duration = Duration::from_secs(4);

/// Default validity of a status list in seconds, whatever its `ttl`.
pub const DEFAULT_STATUS_LIST_AGE: u32 = 300;

/// Maximum for that validity, in seconds: a day, the longest `ttl` in use.
pub const MAX_STATUS_LIST_AGE: u32 = 86_400;

/// Largest status list token, in bytes. A list of a million one-bit statuses, one in a hundred of them set, takes about
/// 20 KB; any list of a million takes at most 170 KB.
pub const MAX_STATUS_LIST_TOKEN_BYTES: usize = 4 << 20;

/// Largest status list after inflation, in bytes: 128 million one-bit statuses.
pub const MAX_INFLATED_STATUS_LIST_BYTES: usize = 16 << 20;

/// How many seconds the `iat` of a status list may be in the future: the default clock skew.
pub const MAX_STATUS_LIST_SKEW: i64 = 60;

/// Most fetches of an issuer's status lists that may follow each other closely. One more is allowed every
/// [`STATUS_LIST_INTERVAL`].
pub const STATUS_LIST_BURST: u32 = 16;

/// The time after which one more status list may be fetched: see [`STATUS_LIST_BURST`].
pub const STATUS_LIST_INTERVAL: Duration = Duration::from_secs(1);

/// A status list with a shorter validity is fetched only on demand, not in the background.
pub const MIN_KEPT_STATUS_LIST_AGE: Duration = Duration::from_secs(10);

/// How long a status list is fetched in the background while no token refers to it: an hour, the usual lifetime of an
/// access token.
pub const UNUSED_STATUS_LIST_AGE: Duration = Duration::from_secs(60 * 60);

/// The lifetime of a client assertion in seconds: long enough for one request and clock skew.
pub const CLIENT_ASSERTION_AGE: u64 = 60;
