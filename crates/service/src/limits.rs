//! Every limit and every lifetime of the service, with where its value comes from.

use std::time::Duration;

/// Session tokens (Service A) live 24 hours unless the operator says otherwise: the service's contract.
pub const SESSION_TTL: Duration = Duration::from_secs(24 * 60 * 60);

/// Access tokens (Service B and the authorization code flow) live one hour unless the operator says
/// otherwise: the service's contract, and the value in the examples of RFC 6749.
pub const ACCESS_TOKEN_TTL: Duration = Duration::from_secs(60 * 60);

/// The longest lifetime that can be configured for any token: 30 days. A token cannot be called back
/// by those who verify it elsewhere, and a revocation of all that a client or user was issued is kept so long.
pub const MAX_TTL: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// An authorization code lives one minute; RFC 6749 section 4.1.2 recommends at most ten.
pub(crate) const CODE_TTL_SECONDS: i64 = 60;

/// A device code and its user code live ten minutes: time to fetch a phone and log in. RFC 8628 section 3.2 has 30 minutes in its example.
pub(crate) const DEVICE_CODE_TTL_SECONDS: i64 = 10 * 60;

/// Seconds between two polls of a device: the default of RFC 8628 section 3.2.
pub(crate) const DEVICE_POLL_SECONDS: i64 = 5;

/// Letters of a user code, of twenty: RFC 8628 section 6.1 calculates with eight.
pub(crate) const USER_CODE_CHARS: usize = 8;

/// Letters before the hyphen of a user code.
pub(crate) const USER_CODE_GROUP: usize = 4;

/// How often a user code is drawn again because another device has it. Our own choice: with [`MAX_DEVICE_AUTHORIZATIONS`] of 20^8 codes in
/// use one collision in a million is followed by another.
pub(crate) const MAX_USER_CODE_COLLISIONS: u32 = 4;

/// Device authorizations of one client that have not expired. Our own choice: nearly two begun a second.
pub(crate) const MAX_DEVICE_AUTHORIZATIONS_PER_CLIENT: u32 = 1_000;

/// The same of all clients. Our own choice: a guess of a user code meets one in 2.5 million times.
pub(crate) const MAX_DEVICE_AUTHORIZATIONS: u32 = 10_000;

/// Device authorization requests of one network in one go. Our own choice: an office may share one address.
pub(crate) const DEVICE_REQUESTS: u32 = 30;

/// See [`DEVICE_REQUESTS`]: with the lifetime of a code one network has at most 90 of a client's share.
pub(crate) const DEVICE_REQUEST_PERIOD: Duration = Duration::from_secs(10);

/// User codes that are looked for in one login session in one go, two for each device that is connected. Few enough that guessing is
/// hopeless (RFC 8628 section 5.1), enough for a person who mistypes.
pub(crate) const USER_CODE_ATTEMPTS: u32 = 20;

/// See [`USER_CODE_ATTEMPTS`].
pub(crate) const USER_CODE_ATTEMPT_PERIOD: Duration = Duration::from_secs(30);

/// A refresh token that is not used for a week ends, unless the operator says otherwise: OAuth 2.1 (draft) section 4.3.1 and RFC 9700
/// section 4.14.2 ask for an end by inactivity. Our own choice: a program that is used at weekends stays logged in.
pub const REFRESH_TOKEN_IDLE_TTL: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// The refresh tokens of a grant end after this at the latest, unless the operator says otherwise, and with the login session unless
/// `offline_access` was granted. Our own choice: as long as is possible.
pub const REFRESH_TOKEN_TTL: Duration = MAX_TTL;

/// For so long after its use a refresh token gets its authenticated client the same successor again: an answer that was lost on the way is
/// asked for again within seconds. Our own choice.
pub(crate) const REFRESH_RETRY_SECONDS: i64 = 10;

/// Grants with refresh tokens of one user and one client. Our own choice: the devices of a person; beyond it the oldest one ends.
pub(crate) const MAX_REFRESH_FAMILIES: u32 = 50;

/// Access tokens of one grant that have not expired, and used refresh tokens of it whose reuse is noticed. Our own choice: with tokens that live
/// one hour, one every four seconds.
pub(crate) const MAX_TOKENS_PER_FAMILY: u32 = 1_000;

/// When a client that has reached [`MAX_TOKENS_PER_FAMILY`] is told to come back. Our own choice.
pub(crate) const REFRESH_RETRY_AFTER_SECONDS: u32 = 60;

/// A browser stays logged in for twelve hours: a working day (NIST SP 800-63B, AAL2).
pub(crate) const LOGIN_SESSION_TTL_SECONDS: i64 = 12 * 60 * 60;

/// A replaced signing key stays published this much longer than the tokens it signed live, because clocks may differ:
/// the engine's largest leeway.
pub(crate) const SIGNING_KEY_MARGIN_SECONDS: i64 = 300;

/// How long a signing key signs before the next one does, unless the operator says otherwise. Our own choice: some rotations a
/// year, so that one that fails is noticed before it matters.
pub const SIGNING_KEY_TTL: Duration = Duration::from_secs(90 * 24 * 60 * 60);

/// The shortest time that a signing key may sign: with [`MAX_TTL`] as overlap, more of them would be published at once than a set
/// holds otherwise.
pub const MIN_SIGNING_KEY_TTL: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// How long a signing key is published before it signs: twice the `max-age` of the JWKS, so that other verifiers have it, and
/// longer than any process of the service goes without a look at the store.
pub(crate) const SIGNING_KEY_ANNOUNCED_SECONDS: i64 = 600;

/// How often what has expired is cleared away unless the operator says otherwise: access tokens and revocations, in memory and
/// on the disk, and retired signing keys. What has expired is rejected in any case.
pub const UPKEEP_INTERVAL: Duration = Duration::from_secs(60);

/// How long an answer waits until the engine has applied the change that it is about. A change takes a millisecond; this is
/// reached only when the store cannot be read.
pub(crate) const IN_FORCE_WAIT: Duration = Duration::from_secs(5);

/// How old the newest change or heartbeat that was applied may be before the service says that it is not ready. A heartbeat is
/// committed every 5 s and some; two have to be missing.
pub(crate) const READY_WITHIN: Duration = Duration::from_secs(15);

/// How long a replaced key can go on beside the new one: as long as the longest-lived token.
pub(crate) const MAX_OVERLAP: Duration = MAX_TTL;

/// Entries on a page of the admin routes unless the request says otherwise: some screens.
pub(crate) const DEFAULT_PAGE: usize = 50;

/// Most entries on a page of the admin routes: some hundred kilobytes at most usual sizes.
pub(crate) const MAX_PAGE: usize = 200;

/// argon2id memory in KiB. With the next two: OWASP Password Storage Cheat Sheet, the second of its
/// equivalent minimum settings (19 MiB, t = 2, p = 1).
pub(crate) const ARGON2_MEMORY_KIB: u32 = 19_456;

/// argon2id passes, see [`ARGON2_MEMORY_KIB`].
pub(crate) const ARGON2_PASSES: u32 = 2;

/// argon2id lanes, see [`ARGON2_MEMORY_KIB`].
pub(crate) const ARGON2_LANES: u32 = 1;

/// How long a login waits for its turn to be hashed before it is told to come back. Longer than a
/// person waits makes no sense.
pub(crate) const PASSWORD_QUEUE_WAIT: Duration = Duration::from_secs(5);

/// Characters of a password: NIST SP 800-63B section 5.1.1.2 asks for at least eight.
pub const MIN_PASSWORD_CHARS: usize = 8;

/// Bytes of a password that are looked at at all: well above the 64 characters that NIST SP 800-63B asks for.
pub const MAX_PASSWORD_BYTES: usize = 1_024;

/// Bytes of an e-mail address: RFC 5321 section 4.5.3.1.3 allows a path 256 with its brackets.
pub(crate) const MAX_EMAIL_BYTES: usize = 254;

/// Login attempts at one account from one network in one go; later ones come back one each [`ACCOUNT_ATTEMPT_PERIOD`]. OWASP
/// Authentication Cheat Sheet: few enough that guessing is hopeless, enough for a person who mistypes. A success gives them all back.
pub(crate) const ACCOUNT_ATTEMPTS: u32 = 10;

/// See [`ACCOUNT_ATTEMPTS`]: 2,880 a day.
pub(crate) const ACCOUNT_ATTEMPT_PERIOD: Duration = Duration::from_secs(30);

/// Login attempts at one account from all networks together in one go; later ones as [`ACCOUNT_ATTEMPTS`]. More than one network has, so
/// that no single one keeps others out.
pub(crate) const ACCOUNT_ATTEMPTS_FROM_ANYWHERE: u32 = 100;

/// Login attempts at any accounts from one network in one go: an office may share one address.
pub(crate) const ADDRESS_ATTEMPTS: u32 = 60;

/// See [`ADDRESS_ATTEMPTS`].
pub(crate) const ADDRESS_ATTEMPT_PERIOD: Duration = Duration::from_secs(2);

/// The networks that an IPv6 address is counted in, by the bits of their prefix, and how many times as many login attempts and connections
/// each has as the smallest. Users hold at least a /64; sites are given a /56 or a /48 (RFC 6177), from which addresses can be taken at will.
pub(crate) const IPV6_NETWORKS: [(u8, u32); NETWORKS] = [(64, 1), (56, 2), (48, 4)];

/// The same for IPv4: the address, and blocks that are often one provider's.
pub(crate) const IPV4_NETWORKS: [(u8, u32); NETWORKS] = [(32, 1), (28, 2), (24, 4)];

/// How many networks an address is counted in.
pub(crate) const NETWORKS: usize = 3;

/// A browser is known for so long after the last login there: 90 days, the longest that a person may stay away between two quarters.
pub(crate) const DEVICE_TTL_SECONDS: i64 = 90 * 24 * 60 * 60;

/// Browsers that are known of one user. Our own choice: more than a person has.
pub(crate) const MAX_DEVICES_PER_USER: u32 = 20;

/// Counters of each rate limiter, eight bytes each. Two accounts that meet in one slot share its
/// attempts: rare with far fewer accounts under attack at once than slots.
pub(crate) const RATE_LIMIT_SLOTS: usize = 1 << 16;

/// How long a browser may keep the answer to a preflight: the most that browsers do (Chromium: 2 hours).
pub(crate) const PREFLIGHT_TTL: Duration = Duration::from_secs(2 * 60 * 60);

/// Parameters of a query or a form. Our own choice: an OpenID Connect request with every parameter there is has under thirty.
pub(crate) const MAX_PARAMETERS: usize = 64;

/// Bytes of a request body: the largest legitimate one, a login form, has under 3 KiB.
pub(crate) const MAX_BODY_BYTES: usize = 16 * 1_024;

/// Bytes of a request head. The engine takes headers of its own limit; the rest of a head is small.
pub(crate) const MAX_HEAD_BYTES: usize = 64 * 1_024;

/// How long a TLS handshake may take.
pub(crate) const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// How often a client of HTTP/2 is pinged, and how long it may take to answer.
pub(crate) const PING_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a request may take in all, its body included: above the longest wait inside.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(15);

/// How long a client may take until the head of its first request has arrived, its TLS handshake apart. A later one has [`IDLE_TIMEOUT`]: a
/// client that sends it slowly holds no more than one that sends nothing.
pub(crate) const FIRST_REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a connection may go without a request in flight before it is closed. Proxies keep idle connections for a minute
/// (nginx `keepalive_timeout` of an upstream: 60 s), and see the end of a connection that was closed in good order.
pub const IDLE_TIMEOUT: Duration = Duration::from_secs(75);

/// Characters of an `X-Request-Id` that is taken from a trusted proxy. Our own choice: UUIDs have 36, and AWS's trace ids under 100.
pub(crate) const MAX_REQUEST_ID_BYTES: usize = 128;

/// Open connections at once; more wait in the operating system's queue. Half the common limit of
/// 1,024 open files.
pub(crate) const MAX_CONNECTIONS: usize = 512;

/// An address that is no trusted proxy's may have this part of the places that are free beyond [`RESERVED_CONNECTIONS`] open, in fifths;
/// more are closed at once. So one alone has at most a quarter of all: a browser opens six, and an office may share one address. Its larger
/// networks may have so many times as many ([`IPV4_NETWORKS`], [`IPV6_NETWORKS`]).
pub(crate) const CONNECTION_FIFTHS: usize = 2;

/// Places that are left to networks without a connection: an eighth of all.
pub(crate) const RESERVED_CONNECTIONS: usize = MAX_CONNECTIONS / 8;

/// Streams of one HTTP/2 connection at once: the least that RFC 9113 section 6.5.2 recommends.
pub(crate) const MAX_STREAMS: u32 = 100;

/// Bytes of a response that wait for an HTTP/2 stream's window: above any response of the service but long lists.
pub(crate) const STREAM_BUFFER_BYTES: usize = 64 * 1_024;

/// How long the requests in flight may take to finish once the service is told to stop.
pub const SHUTDOWN_GRACE: Duration = Duration::from_secs(10);

/// API keys of one user.
pub(crate) const MAX_API_KEYS_PER_USER: u32 = 50;

/// How often a process looks for clients that are to be told of a logout: a person who logs out is then soon logged out everywhere, and a
/// look is one read of an index.
pub(crate) const LOGOUT_POLL_INTERVAL: Duration = Duration::from_secs(1);

/// How long a client may take to answer a logout token. Our own choice: a client ends a session in that time or is out of order.
pub(crate) const LOGOUT_TIMEOUT: Duration = Duration::from_secs(5);

/// Seconds from the first attempt to send a logout token to the second; one more of these before each further one. Longer than
/// [`LOGOUT_TIMEOUT`], so that no two processes send one at a time.
pub(crate) const LOGOUT_RETRY_SECONDS: i64 = 30;

/// Attempts to tell a client of a logout: with [`LOGOUT_RETRY_SECONDS`] they last five minutes, a restart of the client.
pub(crate) const MAX_LOGOUT_ATTEMPTS: u32 = 5;

/// Logout tokens that a process sends at a time.
pub(crate) const MAX_LOGOUT_REQUESTS: u32 = 32;

/// OpenID Connect Back-Channel Logout 1.0 section 2.4: at most two minutes.
pub(crate) const LOGOUT_TOKEN_TTL_SECONDS: i64 = 120;

/// Login sessions of one user at once, of browsers and programs. Our own choice: a program that begins one a minute, each for a day, has
/// 1,440.
pub(crate) const MAX_SESSIONS_PER_USER: u32 = 2_000;

/// Bytes of what a browser calls itself that are kept with its session. Our own choice: those of today have some 120.
pub(crate) const MAX_AGENT_BYTES: usize = 200;

/// Bytes of a name that a caller gives to an API key.
pub(crate) const MAX_NAME_BYTES: usize = 100;

/// Sites of one user, which are one answer. Our own choice: some hundred kilobytes.
pub(crate) const MAX_SITES_PER_USER: u32 = 1_000;

/// Bytes of a client id, a redirect URI, a state, or another parameter of an authorization request.
pub(crate) const MAX_PARAMETER_BYTES: usize = 2_048;

/// Characters of a PKCE challenge of the method S256: base64url of 32 bytes.
pub(crate) const CODE_CHALLENGE_CHARS: usize = 43;

/// Characters of a PKCE verifier, from and to: RFC 7636 section 4.1.
pub(crate) const CODE_VERIFIER_CHARS: std::ops::RangeInclusive<usize> = 43..=128;

/// How far in the future the `exp` of a client's assertion may be, in seconds. Our own choice: FAPI 2.0 has clients make them short-lived, and
/// each is remembered until then.
pub(crate) const MAX_ASSERTION_SECONDS: i64 = 5 * 60;

/// By how many seconds a client's clock may differ from ours: FAPI 2.0 Security Profile section 5.3.2.1 asks servers to take 10, and lets
/// them take 60.
pub(crate) const ASSERTION_LEEWAY_SECONDS: u32 = 60;

/// Assertions of one client that are remembered at once. Our own choice: 20 a second, each for [`MAX_ASSERTION_SECONDS`].
pub(crate) const MAX_SPENT_ASSERTIONS_PER_CLIENT: u32 = 6_000;

/// DPoP proofs at the token endpoint and the endpoint of pushed requests that are remembered at once, of one client that has authenticated or
/// of one key of a public client. Our own choice: 33 a second, each for three minutes.
pub(crate) const MAX_SPENT_PROOFS_PER_OWNER: u32 = 6_000;

/// For how many seconds longer than a process accepts a proof it is remembered: the clocks of processes may differ by as much. Our own
/// choice: synchronised clocks differ by far less.
pub(crate) const SPENT_PROOF_MARGIN_SECONDS: i64 = 60;

/// What each process remembers of the proofs at these endpoints itself, in bytes: 131,000 proofs, of one key 68 a second. The store decides;
/// this spares it most replays.
pub(crate) const ENDPOINT_PROOF_BYTES: usize = 4 << 20;

/// After how many seconds a client with that many proofs should try again. Our own choice: some of them have expired by then.
pub(crate) const PROOF_BUSY_SECONDS: u32 = 10;

/// DPoP proofs of public clients from one network in one go. Our own choice: an office may share one address, and a client sends one an hour.
pub(crate) const PUBLIC_PROOFS: u32 = 200;

/// See [`PUBLIC_PROOFS`]: ten a second.
pub(crate) const PUBLIC_PROOF_PERIOD: Duration = Duration::from_millis(100);

/// After how many seconds a client with that many assertions should try again. Our own choice: some of them have expired by then.
pub(crate) const ASSERTION_BUSY_SECONDS: u32 = 10;

/// How long a client has from pushing an authorization request until the browser brings its `request_uri`, in seconds. RFC 9126 section 2.2
/// has 5 to 600; a redirect takes no longer.
pub(crate) const PUSHED_REQUEST_SECONDS: i64 = 90;

/// How long a person has from then on for login and consent, in seconds. Our own choice: a password may have to be looked up.
pub(crate) const BEGUN_REQUEST_SECONDS: i64 = 30 * 60;

/// Bytes of a pushed authorization request. Our own choice: above any request that a browser could take along in a URL.
pub(crate) const MAX_PUSHED_BYTES: usize = 8 * 1_024;

/// Pushed requests of one client at once. Our own choice: for [`BEGUN_REQUEST_SECONDS`] three logins a second.
pub(crate) const MAX_PUSHED_REQUESTS_PER_CLIENT: u32 = 5_000;

/// After how many seconds a client with that many should try again. Our own choice: some have expired by then.
pub(crate) const PUSH_BUSY_SECONDS: u32 = 10;

/// Random bytes in a code or a cookie value: 128 bits cannot be guessed, and these have twice as many.
pub(crate) const SECRET_BYTES: usize = 32;

/// Most keys of a file of sealing keys. Our own choice: one encrypts, one did before, and one comes next.
pub const MAX_SEALING_KEYS: usize = 16;

/// Longest file of sealing keys, in bytes. Our own choice: room for a comment on each line.
pub const MAX_SEALING_FILE_BYTES: usize = 16 * 1024;

/// For how long audit records are kept, unless the configuration says otherwise. Our own choice: a year, after which a breach is
/// seldom found.
pub const AUDIT_RETENTION: Duration = Duration::from_secs(365 * 24 * 60 * 60);
