//! All limits of this crate, with the origin of each value. Those of the crates below are in their `limits`.

/// The longest Authorization header value that is read, in bytes; [`EngineBuilder::max_header_bytes`] changes it.
///
/// The largest header line that nginx (`large_client_header_buffers 4 8k`) and Apache (`LimitRequestFieldSize 8190`)
/// pass on by default.
///
/// [`EngineBuilder::max_header_bytes`]: crate::EngineBuilder::max_header_bytes
pub const DEFAULT_MAX_HEADER_BYTES: usize = 8 * 1024;

/// The maximum of [`EngineBuilder::max_header_bytes`](crate::EngineBuilder::max_header_bytes), in bytes. The limit of
/// hyper and Node.js for all headers together is well below.
pub const MAX_HEADER_BYTES: usize = 64 * 1024;

/// The most bytes of `X-Forwarded-For` or `Forwarded` that [`TrustedProxies`](crate::TrustedProxies) reads, from the
/// right, before it gives up: a hundred hops. Text that a client wrote to the left of its own address is not read.
pub const MAX_FORWARDED_BYTES: usize = 4 * 1024;

/// The longest field with a client's certificate that is read ([`CertificateField`](crate::CertificateField)), in
/// bytes: twice what nginx accepts in one header.
pub const MAX_CERTIFICATE_FIELD_BYTES: usize = 16 * 1024;

/// The most certificates between a client's and a root that are read from a field
/// ([`CertificateField::chain`](crate::CertificateField::chain)): more than chains in use have.
pub const MAX_CHAIN_CERTIFICATES: usize = 8;

/// The minimum of [`EngineBuilder::max_header_bytes`](crate::EngineBuilder::max_header_bytes), in bytes: the shortest
/// credential, which is a key of another system (`FOREIGN_MIN_BYTES` of `tollgate-apikeys`).
pub const MIN_HEADER_BYTES: usize = 16;

/// Like [`MIN_HEADER_BYTES`], if only JWTs are accepted: the shortest token has the header `{"alg":"HS256"}`, the
/// payload `{"iss":"i"}` and a signature of 32 bytes.
pub const MIN_HEADER_BYTES_FOR_JWTS: usize = 20 + 1 + 15 + 1 + 43;

/// Clock skew that is tolerated at `exp` and `nbf`, in seconds; [`Issuer::leeway`](crate::Issuer::leeway) changes it.
/// RFC 7519 section 4.1.4: "usually no more than a few minutes".
pub const DEFAULT_LEEWAY: u32 = 60;

/// The maximum of [`Issuer::leeway`](crate::Issuer::leeway), in seconds.
pub const MAX_LEEWAY: u32 = 300;

/// How long the engine's clock holds still at most while its source goes back, in seconds of monotonic time. As long as
/// the default leeway between two clocks.
pub const MAX_CLOCK_HOLD: u64 = 60;

/// By how many seconds the engine's clock may jump ahead and be believed at once. As many as the default leeway between
/// two clocks.
pub const MAX_CLOCK_STEP: u64 = 60;

/// For how many seconds of monotonic time readings have to confirm a longer jump ahead.
pub const CLOCK_CONFIRMATION: u64 = 5;

/// After how many seconds to retry a request that cannot be decided now, unless a better value is known
/// ([`Rejection::retry_after`](crate::Rejection::retry_after)). Our own choice: long compared with the second after
/// which a follower or a fetcher retries, short compared with a person's patience.
pub const RETRY_AFTER_SECONDS: u32 = 5;

/// The longest detail of an `ExplainedStep`, in characters: twice that of a rejection.
#[cfg(feature = "explain")]
pub const MAX_STEP_CHARACTERS: usize = 512;

/// The longest DPoP proof that is read, in bytes: the largest header line that nginx and Apache pass on by default.
pub const MAX_PROOF_BYTES: usize = 8 * 1024;

/// For how many seconds a DPoP proof is valid after its `iat`; [`Dpop::max_age`](crate::Dpop::max_age) changes it. RFC
/// 9449 section 11.1: "on the order of seconds or minutes".
pub const DEFAULT_PROOF_AGE: u32 = 60;

/// The maximum of [`Dpop::max_age`](crate::Dpop::max_age), in seconds.
pub const MAX_PROOF_AGE: u32 = 600;

/// By how many seconds the `iat` of a DPoP proof may lie ahead: synchronised clocks differ by less.
pub const PROOF_AHEAD: i64 = 5;

/// For how many seconds a DPoP nonce is valid. Our own choice: a proof can be made in advance by no more than that, and a
/// client that sends a request a minute is always given the next nonce in time.
pub const NONCE_SECONDS: i64 = 120;

/// The age at which a response to an accepted request brings the next nonce, in seconds: half of [`NONCE_SECONDS`].
pub const NONCE_RENEWAL_SECONDS: i64 = NONCE_SECONDS / 2;

/// The memory of spent DPoP proofs, in bytes; [`Dpop::replay_bytes`](crate::Dpop::replay_bytes) changes it. Half a
/// million proofs: 7,700 a second are remembered for as long as a proof is valid.
pub const DEFAULT_REPLAY_BYTES: usize = 16 << 20;

/// The minimum of [`Dpop::replay_bytes`](crate::Dpop::replay_bytes), in bytes: 2,000 proofs.
pub const MIN_REPLAY_BYTES: usize = 64 << 10;

/// The maximum of [`Dpop::replay_bytes`](crate::Dpop::replay_bytes), in bytes.
pub const MAX_REPLAY_BYTES: usize = if usize::BITS < 64 { 512 << 20 } else { (1_u64 << 36) as usize };

/// The proofs of one key may take one part in this many of the memory of spent proofs.
pub(crate) const REPLAY_SHARES: u64 = 16;

/// The most keys of DPoP proofs that are cached, each with its proof header: 2 MiB of those of ES256. A server's
/// clients of one minute.
pub(crate) const MAX_PROOF_KEYS: usize = if cfg!(tollgate_model) { 4 } else { 4096 };

/// The longest header of a DPoP proof that is cached, in bytes: that of an RSA key of 8192 bits takes under 2,000.
pub(crate) const MAX_KEPT_PROOF_HEADER_BYTES: usize = 2048;

/// The memory of the verified-token cache that all threads share, in bytes; [`CacheConfig`](crate::CacheConfig) changes
/// it.
///
/// It holds 60,000 tokens of 600 bytes, or 45,000 of 900 bytes, as RS256 makes them, of which at most 3 in 100 are
/// evicted because their set is full.
pub const DEFAULT_CACHE_BYTES: usize = 64 << 20;

/// The minimum memory in [`CacheConfig`](crate::CacheConfig), in bytes: room for a handful of tokens.
pub const MIN_CACHE_BYTES: usize = if cfg!(tollgate_model) { 0 } else { 16 << 10 };

/// The maximum memory in [`CacheConfig`](crate::CacheConfig), in bytes: room for 60 million tokens, or an eighth of a
/// 32-bit address space.
pub const MAX_CACHE_BYTES: usize = if usize::BITS < 64 { 512 << 20 } else { (1_u64 << 36) as usize };

/// Tokens that each thread keeps for itself; [`CacheConfig`](crate::CacheConfig) changes it. Half a megabyte, which
/// fits into the second-level cache of current server processors.
pub const DEFAULT_CACHE_SLOTS_PER_THREAD: usize = 512;

/// The most tokens that [`CacheConfig`](crate::CacheConfig) lets each thread keep for itself: 64 MiB of ordinary ones.
pub const MAX_CACHE_SLOTS_PER_THREAD: usize = 1 << 16;

/// After how many seconds a cached token is verified again; [`CacheConfig`](crate::CacheConfig) changes it. An hour:
/// the usual lifetime of an access token.
pub const DEFAULT_CACHED_TOKEN_AGE: u32 = 3600;

/// For how many seconds an introspection answer is used; [`OpaqueIssuer::max_age`](crate::OpaqueIssuer::max_age) and
/// [`Issuer::introspect`](crate::Issuer::introspect) change it. Short, because a token that its issuer has revoked is
/// accepted for as long.
pub const DEFAULT_ANSWER_AGE: u32 = 30;

/// The maximum of [`OpaqueIssuer::max_age`](crate::OpaqueIssuer::max_age) and
/// [`Issuer::introspect`](crate::Issuer::introspect), in seconds: the usual lifetime of an access token.
pub const MAX_ANSWER_AGE: u32 = 3600;

/// For how many seconds a token is remembered that its issuer rejected. As long as it may take until all servers of an
/// issuer know a token that one of them has just issued.
pub const REJECTED_ANSWER_AGE: i64 = 10;

/// How many opaque tokens are remembered at a time that their issuers rejected: about 1 MiB.
pub const REJECTED_TOKENS: usize = 8192;

/// How many JWTs of one issuer are remembered at a time that it did not [confirm](crate::Issuer::introspect): about 128
/// KiB.
pub const REJECTED_JWTS: usize = 1024;

/// The memory of introspection answers that all threads share, in bytes: about 20,000 answers.
pub const ANSWER_CACHE_BYTES: usize = if cfg!(tollgate_model) { 16 << 10 } else { 16 << 20 };

/// The introspection answers that each thread keeps for itself.
pub const ANSWER_SLOTS_PER_THREAD: usize = 256;

/// The longest [`token_prefix`](crate::OpaqueIssuer::token_prefix), in bytes. Those in use have 3 to 10.
pub const MAX_TOKEN_PREFIX_BYTES: usize = 64;

/// The most status lists that the tokens of one issuer may refer to. An issuer fills one before it begins another: this
/// many lists of a million tokens each.
pub const MAX_STATUS_LISTS: usize = 64;

/// The longest URI of a status list, in bytes.
pub const MAX_STATUS_LIST_URI_BYTES: usize = 512;

/// The logarithm of the number of shards of a revocation table. With 4,096 of them a change copies 80 KB at ten million
/// entries, and an empty table takes 32 KB.
pub(crate) const REVOCATION_SHARDS_LOG2: u32 = if cfg!(tollgate_model) { 1 } else { 12 };

/// The maximum of [`Issuer::max_members`](crate::Issuer::max_members): more members than fit into the longest header
/// that can be configured, [`MAX_HEADER_BYTES`].
pub const HIGHEST_MAX_MEMBERS: usize = 16 * 1024;

/// The maximum of [`Issuer::max_list_entries`](crate::Issuer::max_list_entries): more entries than fit into the longest
/// header that can be configured, [`MAX_HEADER_BYTES`].
pub const HIGHEST_MAX_LIST_ENTRIES: usize = 32 * 1024;

/// The longest prefix of the scopes of a claim, in bytes. It is stored with each scope, so it has to be short; `urn:`
/// names of applications take under 50.
pub const MAX_SCOPE_PREFIX_BYTES: usize = 64;

/// The longest value of the variable in an issuer's name, in bytes. Tenants are UUIDs, and labels of the domain name
/// system, which are no longer than 63.
pub const MAX_TENANT_BYTES: usize = 128;

/// The longest name of a SPIFFE trust domain, in bytes (SPIFFE-ID section 2.3): the longest host of RFC 3986.
pub const MAX_TRUST_DOMAIN_BYTES: usize = 255;

/// The longest SPIFFE ID, in bytes (SPIFFE-ID section 2.3).
pub const MAX_SPIFFE_ID_BYTES: usize = 2048;

/// The most templates of issuers' names with one scheme and authority, which are compared one by one. A provider has
/// one for each form of its names: Entra has three.
pub const MAX_TEMPLATES_OF_ONE_ORIGIN: usize = 16;
