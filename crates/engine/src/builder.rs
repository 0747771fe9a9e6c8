use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::accepted::{AcceptedCredentials, Kinds};
use crate::cache::{Cache, CacheConfig};
use crate::clock::Clock;
use crate::dpop::{Dpop, DpopChecks, DpopError};
use crate::engine::Engine;
use crate::introspection::Introspection;
use crate::issuer::{Issuer, Issuers, OpaqueIssuer, SettingsError};
use crate::limits::{
    DEFAULT_MAX_HEADER_BYTES, MAX_CACHE_BYTES, MAX_CACHE_SLOTS_PER_THREAD, MAX_HEADER_BYTES, MIN_CACHE_BYTES,
    MIN_HEADER_BYTES, MIN_HEADER_BYTES_FOR_JWTS,
};
use crate::observer::{Observer, Verification};
use crate::principal::PrincipalKind;
use crate::record::KeyRecord;
use crate::revocation::Revocations;
use crate::table::{ApiKeyTable, LastUse};

/// Configures and builds an [`Engine`].
#[derive(Debug)]
pub struct EngineBuilder {
    issuers: Vec<Issuer>,
    issuers_at_run_time: bool,
    opaque_issuers: Vec<OpaqueIssuer>,
    api_keys: Option<Arc<ApiKeyTable<KeyRecord>>>,
    require_fresh_api_keys: bool,
    last_use: Option<Arc<LastUse>>,
    accepted: AcceptedCredentials,
    max_header_bytes: usize,
    cache: Option<CacheConfig>,
    revocations: Revocations,
    clock: Clock,
    observer: Option<Observer>,
    dpop: Option<Dpop>,
}

impl EngineBuilder {
    pub(crate) fn new() -> Self {
        EngineBuilder {
            issuers: Vec::new(),
            issuers_at_run_time: false,
            opaque_issuers: Vec::new(),
            api_keys: None,
            require_fresh_api_keys: false,
            last_use: None,
            accepted: AcceptedCredentials::ALL,
            max_header_bytes: DEFAULT_MAX_HEADER_BYTES,
            cache: Some(CacheConfig::default()),
            revocations: Revocations::new(),
            clock: Clock::default(),
            observer: None,
            dpop: Some(Dpop::new()),
        }
    }

    /// Accepts the JWTs of `issuer`. Call it once for each issuer.
    #[must_use]
    pub fn issuer(mut self, issuer: Issuer) -> Self {
        self.issuers.push(issuer);
        self
    }

    /// Accepts JWTs even if no issuer is given before the engine is built, for issuers added later by
    /// [`Engine::add_issuer`]. Until then every JWT is rejected for its unknown issuer.
    #[must_use]
    pub fn issuers_at_run_time(mut self) -> Self {
        self.issuers_at_run_time = true;
        self
    }

    /// Accepts the opaque tokens of `issuer`, which are verified by introspection. Call it once for each issuer.
    #[must_use]
    pub fn opaque_issuer(mut self, issuer: OpaqueIssuer) -> Self {
        self.opaque_issuers.push(issuer);
        self
    }

    /// Accepts only these kinds of credentials, with or without bare values. The default is
    /// [everything](AcceptedCredentials). Each named kind needs an issuer (JWTs), a table of API keys or an opaque
    /// issuer (access tokens), or a table of API keys (the others). A route can restrict them further
    /// ([`Request::accept`](crate::Request::accept)).
    #[must_use]
    pub fn accept(mut self, accepted: AcceptedCredentials) -> Self {
        self.accepted = accepted;
        self
    }

    /// Rejects headers longer than `bytes`. `bytes` is at least [`MIN_HEADER_BYTES`], or [`MIN_HEADER_BYTES_FOR_JWTS`]
    /// if only JWTs are accepted, and at most [`MAX_HEADER_BYTES`].
    #[must_use]
    pub fn max_header_bytes(mut self, bytes: usize) -> Self {
        self.max_header_bytes = bytes;
        self
    }

    /// Sizes the verified-token cache, which is on by default.
    #[must_use]
    pub fn cache(mut self, config: CacheConfig) -> Self {
        self.cache = Some(config);
        self
    }

    /// Disables the verified-token cache: every JWT is decoded and verified each time.
    #[must_use]
    pub fn no_cache(mut self) -> Self {
        self.cache = None;
        self
    }

    /// Rejects credentials that `revocations` names. The table is shared: a revocation applies from the next verify on.
    #[must_use]
    pub fn revocations(mut self, revocations: Revocations) -> Self {
        self.revocations = revocations;
        self
    }

    /// Takes the time from `seconds_since_epoch` instead of the system's clock.
    ///
    /// The engine's clock holds still while this one goes back, but for at most
    /// [`MAX_CLOCK_HOLD`](crate::limits::MAX_CLOCK_HOLD) seconds. After a jump ahead by more than
    /// [`MAX_CLOCK_STEP`](crate::limits::MAX_CLOCK_STEP) seconds, a credential must be valid both before and after the
    /// jump, until readings over [`CLOCK_CONFIRMATION`](crate::limits::CLOCK_CONFIRMATION) seconds have confirmed it. A
    /// time before 1970 counts as unknown: no credential is valid then.
    #[must_use]
    pub fn clock(mut self, seconds_since_epoch: impl Fn() -> i64 + Send + Sync + 'static) -> Self {
        self.clock.set_source(seconds_since_epoch);
        self
    }

    /// Uses `elapsed`, the time since any fixed moment, instead of the system's monotonic clock to measure how long the
    /// [`clock`](Self::clock) has gone back or ahead. For programs that control time, such as tests: both clocks must
    /// advance.
    #[must_use]
    pub fn monotonic_clock(mut self, elapsed: impl Fn() -> Duration + Send + Sync + 'static) -> Self {
        self.clock.set_monotonic(elapsed);
        self
    }

    /// Calls `observer` at the end of every verify, in the caller's thread, for metrics and logs. A second call
    /// replaces the observer.
    ///
    /// The observer should not block. If it panics, a valid credential is rejected with
    /// [`ObserverPanicked`](crate::Rejection::ObserverPanicked): a verification that could not be observed is not
    /// accepted. A verify inside an observer is not observed.
    ///
    /// ```
    /// use tollgate::{ApiKeyTable, Engine, KeyFormat};
    ///
    /// let engine = Engine::builder()
    ///     .api_keys(ApiKeyTable::new(KeyFormat::new("tg", "live")?))
    ///     .observer(|seen| match seen.verdict() {
    ///         Ok(_) => println!("accepted in {:?}, cache hit: {}", seen.duration(), seen.is_cache_hit()),
    ///         Err(rejection) => println!("{}: {rejection}", rejection.code()),
    ///     })
    ///     .build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn observer(mut self, observer: impl Fn(&Verification<'_>) + Send + Sync + 'static) -> Self {
        self.observer = Some(Observer::new(observer, true));
        self
    }

    /// Like [`observer`](Self::observer), but reads no clock: [`Verification::duration`] is zero. For counters:
    /// docs/metrics.md has its cost, measured with an observer that writes only to memory of its own thread.
    #[must_use]
    pub fn untimed_observer(mut self, observer: impl Fn(&Verification<'_>) + Send + Sync + 'static) -> Self {
        self.observer = Some(Observer::new(observer, false));
        self
    }

    /// Configures how proofs of possession (DPoP, RFC 9449) are checked. The default is [`Dpop::new`].
    #[must_use]
    pub fn dpop(mut self, dpop: Dpop) -> Self {
        self.dpop = Some(dpop);
        self
    }

    /// Accepts no proofs of possession: tokens that are bound to a key are rejected.
    #[must_use]
    pub fn no_dpop(mut self) -> Self {
        self.dpop = None;
        self
    }

    /// Checks the configuration and builds the engine.
    ///
    /// # Errors
    /// [`BuildError`] says which part of the configuration cannot work.
    pub fn build(self) -> Result<Engine, BuildError> {
        if self.max_header_bytes > MAX_HEADER_BYTES {
            return Err(BuildError::HeaderLimitTooHigh { bytes: self.max_header_bytes });
        }
        if self.last_use.is_some() && self.api_keys.is_none() {
            return Err(BuildError::LastUseWithoutApiKeys);
        }
        check_freshness(&self.issuers, &self.revocations)?;
        let opaque = self.opaque_issuers.iter().map(OpaqueIssuer::settings);
        let requiring = opaque.filter(|settings| settings.require_fresh_revocations).map(|settings| &*settings.name);
        let key_store = self.require_fresh_api_keys.then_some(KEY_STORE);
        check_shared(requiring.chain(key_store), &self.revocations)?;
        let issuers = Issuers::new(self.issuers)?;
        let own_keys = self.api_keys.as_ref().map(|table| table.format().head());
        let introspection = Introspection::new(&self.opaque_issuers, own_keys)?;
        let mut accepted = self.accepted;
        if issuers.is_empty() && !self.issuers_at_run_time {
            accepted = accepted.without(Kinds::JWT);
        }
        if self.api_keys.is_none() {
            accepted = accepted.without_table(introspection.is_some());
        }
        if accepted.is_empty() {
            return Err(BuildError::NothingToAccept);
        }
        // By default every kind is accepted that something is configured for. A kind that was named has to be
        // configured.
        let is_unmet = |kind: &PrincipalKind| self.accepted.contains(*kind) && !accepted.contains(*kind);
        if let Some(kind) = PrincipalKind::ALL.into_iter().find(is_unmet).filter(|_| !self.accepted.has_all_kinds()) {
            return Err(BuildError::NothingForKind { kind });
        }
        let min = if accepted.has_jwts_alone() { MIN_HEADER_BYTES_FOR_JWTS } else { MIN_HEADER_BYTES };
        if self.max_header_bytes < min {
            return Err(BuildError::HeaderLimitTooLow { bytes: self.max_header_bytes, min });
        }
        let started_at = self.clock.first_reading();
        let dpop = self.dpop.map(|dpop| DpopChecks::new(dpop, started_at)).transpose();
        Ok(Engine {
            dpop: dpop.map_err(|error| BuildError::Dpop { error })?,
            issuers,
            api_keys: self.api_keys,
            require_fresh_api_keys: self.require_fresh_api_keys,
            introspection,
            last_use: self.last_use,
            accepted,
            max_header_bytes: self.max_header_bytes,
            cache: self.cache.map(|config| config.check().map(|()| Cache::new(config))).transpose()?,
            revocations: self.revocations,
            clock: self.clock,
            observer: self.observer,
        })
    }
}

#[cfg(feature = "apikeys")]
impl EngineBuilder {
    /// Accepts the API keys, opaque tokens and client secrets of `table`. The table is shared: insertions and removals
    /// take effect on the next verify.
    #[must_use]
    pub fn api_keys(mut self, table: impl Into<Arc<ApiKeyTable<KeyRecord>>>) -> Self {
        self.api_keys = Some(table.into());
        self
    }

    /// Accepts the keys, opaque tokens and client secrets of the table only while the [revocations](Self::revocations)
    /// are [fresh](Revocations::are_fresh). For a table that follows a store: while it is stale, removals made in the
    /// store may be missing. Valid credentials are answered with 503 while the revocations are stale; others are
    /// rejected as before.
    #[must_use]
    pub fn require_fresh_api_keys(mut self) -> Self {
        self.require_fresh_api_keys = true;
        self
    }

    /// Records in `last_use` when keys of the table are used, with the precision set there. By default nothing is
    /// recorded.
    #[must_use]
    pub fn last_use(mut self, last_use: impl Into<Arc<LastUse>>) -> Self {
        self.last_use = Some(last_use.into());
        self
    }
}

/// Named in place of an issuer where freshness is required of the table of API keys.
pub(crate) const KEY_STORE: &str = "the store of API keys";

/// Fresh revocations need a shared table: otherwise nothing outside the engine can declare them fresh.
pub(crate) fn check_freshness(issuers: &[Issuer], revocations: &Revocations) -> Result<(), BuildError> {
    let requiring = issuers.iter().map(Issuer::settings).filter(|settings| settings.require_fresh_revocations);
    check_shared(requiring.map(|settings| &*settings.name), revocations)
}

fn check_shared<'i>(mut requiring: impl Iterator<Item = &'i str>, revocations: &Revocations) -> Result<(), BuildError> {
    match requiring.next() {
        Some(issuer) if !revocations.are_shared() => Err(BuildError::RevocationsNeverFresh { issuer: issuer.into() }),
        _ => Ok(()),
    }
}

/// Why a configuration cannot work.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum BuildError {
    /// There is neither an issuer nor a table of API keys for any accepted kind of credential: every request would be
    /// rejected.
    NothingToAccept,
    /// A kind of credential was named as accepted, but nothing is configured that verifies it.
    NothingForKind {
        /// The kind.
        kind: PrincipalKind,
    },
    /// The last use of keys is to be recorded, but there is no table of API keys.
    LastUseWithoutApiKeys,
    /// An issuer has no keys: neither a set nor a ring.
    NoKeys {
        /// The issuer's name.
        issuer: Box<str>,
    },
    /// An issuer has a [static](tollgate_keys::KeyRing::is_static) key set without a key for the accepted algorithms:
    /// every token would be rejected.
    NoUsableKey {
        /// The issuer's name.
        issuer: Box<str>,
    },
    /// An issuer restricts the [use](crate::Issuer::key_use) of its keys, but no key of its
    /// [static](tollgate_keys::KeyRing::is_static) key set has a use: none comes from a JWK, but from a secret or PEM.
    KeyUseWithoutEffect {
        /// The issuer's name.
        issuer: Box<str>,
    },
    /// The settings of an issuer cannot work.
    Issuer {
        /// The issuer's name.
        issuer: Box<str>,
        /// Why not.
        error: SettingsError,
    },
    /// An issuer requires fresh revocations, but only the engine has its table of revocations, so they would never be
    /// fresh.
    RevocationsNeverFresh {
        /// The issuer's name.
        issuer: Box<str>,
    },
    /// Two issuers have the same name, and neither `typ` nor audience tells their tokens apart.
    IssuersOverlap {
        /// The name.
        issuer: Box<str>,
    },
    /// The names of two issuers are templates, and some name matches both.
    TemplatesOverlap {
        /// The one.
        issuer: Box<str>,
        /// The other.
        other: Box<str>,
    },
    /// Two opaque issuers have no token prefix, or one's prefix begins with the other's: a token could belong to
    /// either.
    TokenPrefixesOverlap {
        /// The one.
        issuer: Box<str>,
        /// The other.
        other: Box<str>,
    },
    /// The token prefix of an opaque issuer begins like the engine's own keys, which are never introspected.
    TokenPrefixOfKeys {
        /// The issuer.
        issuer: Box<str>,
    },
    /// An opaque issuer has no introspector.
    NoIntrospector {
        /// The issuer.
        issuer: Box<str>,
    },
    /// The system has no randomness for the secret that keys the digests of cached opaque tokens.
    NoRandomness,
    /// An issuer is added to a running engine that has issuers of its name: they have to be replaced together.
    IssuerExists {
        /// The name.
        issuer: Box<str>,
    },
    /// An issuer is added to a running engine that accepts no JWTs.
    JwtsNotAccepted,
    /// The header limit is so low that every credential would be rejected for its length.
    HeaderLimitTooLow {
        /// The limit that was asked for.
        bytes: usize,
        /// The lowest one: [`MIN_HEADER_BYTES`] or [`MIN_HEADER_BYTES_FOR_JWTS`].
        min: usize,
    },
    /// The header limit is above [`MAX_HEADER_BYTES`].
    HeaderLimitTooHigh {
        /// The limit that was asked for.
        bytes: usize,
    },
    /// The cache is smaller than [`MIN_CACHE_BYTES`], too small to be of use, or larger than [`MAX_CACHE_BYTES`].
    CacheSize {
        /// The bytes that were asked for.
        bytes: usize,
    },
    /// The maximum age of cached tokens is 0 s, so the cache would never have a hit.
    NoCachedTokenAge,
    /// The settings of proofs of possession cannot work.
    Dpop {
        /// Why not.
        error: DpopError,
    },
    /// A thread's part of the cache has more slots than [`MAX_CACHE_SLOTS_PER_THREAD`].
    TooManyCacheSlots {
        /// The slots that were asked for.
        slots: usize,
    },
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BuildError::NothingToAccept => {
                f.write_str("give the engine an issuer or a table of API keys for a kind of credential that it accepts")
            }
            BuildError::NothingForKind { kind: PrincipalKind::Jwt } => {
                f.write_str("jwt is accepted, and there is no issuer; give one, or leave the kind out")
            }
            BuildError::NothingForKind { kind } => {
                write!(
                    f,
                    "{} is accepted, and there is no table of API keys; give one, or leave the kind out",
                    kind.as_str()
                )
            }
            BuildError::LastUseWithoutApiKeys => {
                f.write_str("the last use of keys is to be noted, and there is no table of API keys; give one")
            }
            BuildError::NoKeys { issuer } => {
                write!(f, "the issuer {issuer:?} needs keys: give it a key set or a key ring")
            }
            BuildError::NoUsableKey { issuer } => write!(
                f,
                "the issuer {issuer:?} has no key for an algorithm that it accepts; give it one, or a key ring that is filled later"
            ),
            BuildError::KeyUseWithoutEffect { issuer } => write!(
                f,
                "the issuer {issuer:?} lists the use of its keys (key_use), and none of them comes from a JWK, so that they have none; leave it out"
            ),
            BuildError::RevocationsNeverFresh { issuer } => write!(
                f,
                "the issuer {issuer:?} requires fresh revocations, and nobody feeds the engine's: follow a store"
            ),
            BuildError::Issuer { error: SettingsError::NoName, .. } => {
                f.write_str("an issuer's name must not be empty")
            }
            BuildError::Issuer { issuer, error } => write!(f, "the issuer {issuer:?} {error}"),
            BuildError::IssuersOverlap { issuer } => write!(
                f,
                "the issuer {issuer:?} is configured twice, and neither typ nor audience tells whose a token is"
            ),
            BuildError::TemplatesOverlap { issuer, other } => {
                write!(f, "the issuer {issuer:?} overlaps {other:?}: there is a name that both match")
            }
            BuildError::TokenPrefixesOverlap { issuer, other } => write!(
                f,
                "the opaque issuers {issuer:?} and {other:?} overlap: give each a token_prefix that begins with no other one"
            ),
            BuildError::TokenPrefixOfKeys { issuer } => write!(
                f,
                "the token_prefix of {issuer:?} begins as the keys of the table do, which are never sent elsewhere"
            ),
            BuildError::NoIntrospector { issuer } => {
                write!(f, "the opaque issuer {issuer:?} needs somebody who asks it: give it an introspector")
            }
            BuildError::NoRandomness => f.write_str("the system has no randomness"),
            BuildError::IssuerExists { issuer } => {
                write!(f, "there is an issuer {issuer:?} already; replace all of that name together")
            }
            BuildError::JwtsNotAccepted => {
                f.write_str("the engine accepts no JWTs: build it with an issuer, or for issuers at run time")
            }
            BuildError::HeaderLimitTooLow { bytes, min } => {
                write!(f, "the header limit is {bytes} bytes; the shortest credential has {min}")
            }
            BuildError::HeaderLimitTooHigh { bytes } => {
                write!(f, "the header limit is {bytes} bytes; at most {MAX_HEADER_BYTES} are allowed")
            }
            BuildError::CacheSize { bytes } => write!(
                f,
                "the cache has {bytes} bytes; {MIN_CACHE_BYTES} to {MAX_CACHE_BYTES} are allowed, or no cache at all"
            ),
            BuildError::NoCachedTokenAge => {
                f.write_str("the cache keeps tokens for 0 s; give it an age (max_token_age), or do without a cache")
            }
            BuildError::Dpop { error } => error.fmt(f),
            BuildError::TooManyCacheSlots { slots } => write!(
                f,
                "the cache has {slots} slots for each thread; at most {MAX_CACHE_SLOTS_PER_THREAD} are allowed"
            ),
        }
    }
}

impl std::error::Error for BuildError {}
