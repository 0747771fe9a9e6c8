use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::runtime::Handle;
use tokio::sync::watch;
use tollgate_keys::{Algorithm, KeyRing, KeySet};

use crate::clocks::Clocks;
use crate::endpoint::Endpoint;
use crate::error::ConfigurationError;
use crate::event::Observer;
use crate::health::Health;
use crate::http_client::HttpClient;
use crate::key_document::Vetting;
use crate::limits::{MAX_DOCUMENT_BYTES, MAX_FAILOVERS, MAX_REMOTE_KEYS};
use crate::metadata::Metadata;
use crate::refresher::{Clock, Confirmed, Refresher};
use crate::remote_keys::{Inner, RemoteKeys};
use crate::report::Reporter;
use crate::schedule::Schedule;
use crate::source::{Origin, Source};
use crate::store::Store;
use crate::tls;
use crate::unknown_keys::MissingKeys;
use crate::waiting::Waiting;

/// Describes [`RemoteKeys`].
///
/// ```
/// use std::time::Duration;
/// use tollgate_remote::{Clocks, RemoteKeys};
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// let keys = RemoteKeys::from_jwks_uri("http://localhost:8080/jwks.json")
///     .failover("http://localhost:8081/jwks.json")
///     .clocks(Clocks { outage_grace: Duration::from_secs(3600), ..Clocks::default() })
///     .observer(|remote: &str, event: &tollgate_remote::Event<'_>| println!("{remote}: {event:?}"))
///     .start()?;
/// assert_eq!(keys.health().keys, 0);
/// # Ok::<(), tollgate_remote::ConfigurationError>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "nothing is fetched before it is started"]
pub struct RemoteKeysBuilder {
    locator: Locator,
    /// The issuer or the URI, as it was given.
    source: Arc<str>,
    failovers: Vec<String>,
    clocks: Clocks,
    algorithms: Option<Vec<Algorithm>>,
    max_document_bytes: usize,
    max_keys: usize,
    any_content_type: bool,
    root_certificates: Option<Vec<u8>>,
    saved_in: Option<PathBuf>,
    observer: Option<Arc<dyn Observer>>,
    clock: Box<dyn Fn() -> i64 + Send + Sync>,
}

#[derive(Clone, Copy, Debug)]
enum Locator {
    JwksUri,
    OpenId,
    AuthorizationServer,
}

impl RemoteKeysBuilder {
    pub(crate) fn from_jwks_uri(uri: &str) -> Self {
        Self::new(Locator::JwksUri, uri)
    }

    pub(crate) fn from_openid_issuer(issuer: &str) -> Self {
        Self::new(Locator::OpenId, issuer)
    }

    pub(crate) fn from_authorization_server(issuer: &str) -> Self {
        Self::new(Locator::AuthorizationServer, issuer)
    }

    fn new(locator: Locator, source: &str) -> Self {
        RemoteKeysBuilder {
            locator,
            source: source.into(),
            failovers: Vec::new(),
            clocks: Clocks::default(),
            algorithms: None,
            max_document_bytes: MAX_DOCUMENT_BYTES,
            max_keys: MAX_REMOTE_KEYS,
            any_content_type: false,
            root_certificates: None,
            saved_in: None,
            observer: None,
            clock: Box::new(unix_time),
        }
    }

    /// Another URI of the same JWK set, for when those before it do not deliver one. Up to [`MAX_FAILOVERS`].
    ///
    /// It has to be kept in step with the first: a key that is removed only there stays accepted.
    pub fn failover(mut self, jwks_uri: &str) -> Self {
        self.failovers.push(jwks_uri.to_owned());
        self
    }

    /// The clocks. [`Clocks::default`] if this is not called.
    pub fn clocks(mut self, clocks: Clocks) -> Self {
        self.clocks = clocks;
        self
    }

    /// The algorithms that an RSA key without `alg` is for. RS256 if this is not called.
    pub fn algorithms(mut self, algorithms: &[Algorithm]) -> Self {
        self.algorithms = Some(algorithms.to_vec());
        self
    }

    /// Reads documents of at most `bytes`. [`MAX_DOCUMENT_BYTES`] if this is not called, at most
    /// [`MAX_KEY_FILE_BYTES`](tollgate_keys::limits::MAX_KEY_FILE_BYTES).
    pub fn max_document_bytes(mut self, bytes: usize) -> Self {
        self.max_document_bytes = bytes;
        self
    }

    /// Takes sets of at most `keys` keys. [`MAX_REMOTE_KEYS`] if this is not called, at most
    /// [`MAX_KEYS`](tollgate_keys::limits::MAX_KEYS).
    pub fn max_keys(mut self, keys: usize) -> Self {
        self.max_keys = keys;
        self
    }

    /// Trusts the certificates of this PEM text and no others, instead of those of the system.
    pub fn root_certificates(mut self, pem: &[u8]) -> Self {
        self.root_certificates = Some(pem.to_vec());
        self
    }

    /// Saves the last good set in the file at `path`, and starts with it when the provider cannot be reached.
    ///
    /// The file is replaced as a whole, with mode 0600. What it holds is vetted anew when it is read, and its age
    /// counts: beyond the outage grace it is not used. Keep it where only this service can write, one file for each
    /// issuer.
    pub fn saved_in(mut self, path: impl Into<PathBuf>) -> Self {
        self.saved_in = Some(path.into());
        self
    }

    /// Tells `observer` what happens: for metrics and alarms.
    pub fn observer(mut self, observer: impl Observer + 'static) -> Self {
        self.observer = Some(Arc::new(observer));
        self
    }

    /// Takes the time of day from `seconds_since_epoch` instead of the system's clock. It is shown in [`Health`], and
    /// the age of a saved set is counted by it.
    pub fn clock(mut self, seconds_since_epoch: impl Fn() -> i64 + Send + Sync + 'static) -> Self {
        self.clock = Box::new(seconds_since_epoch);
        self
    }

    /// Takes a key set of any `Content-Type`. What then counts as a key set is also what users have uploaded to the
    /// provider's host.
    pub fn danger_accept_any_content_type(mut self) -> Self {
        self.any_content_type = true;
        self
    }

    /// Starts to fetch, in a task of the tokio runtime that this is called in. Its time and I/O drivers have to be
    /// enabled.
    ///
    /// Reads the system's root certificates the first time that this process needs them, and does no other I/O itself.
    ///
    /// # Errors
    /// [`ConfigurationError`]. That the provider cannot be reached is none: see [`RemoteKeys::ready`].
    pub fn start(self) -> Result<RemoteKeys, ConfigurationError> {
        let runtime = Handle::try_current().map_err(|_| ConfigurationError::NoRuntime)?;
        let source = self.source()?;
        let requests = Source::requests(&source.origin, source.failovers.len());
        let reporter = Reporter::new(Arc::clone(&self.source), self.observer);
        let clock = Clock::new(self.clock);
        let (health, watched) = watch::channel(Health::starting(clock.unix(Duration::ZERO)));
        let waiting = Arc::new(Waiting::new());
        let ring = KeyRing::with_refresher(KeySet::default(), waiting.clone());
        let refresher = Refresher {
            ring: ring.clone(),
            waiting,
            schedule: Schedule::new(self.clocks, requests, Duration::ZERO),
            missing: MissingKeys::new(self.clocks.cool_down),
            store: Store::new(self.saved_in, Arc::clone(&self.source), reporter.clone()),
            health,
            reporter,
            clock,
            confirmed: Confirmed::default(),
            fetches: 0,
        };
        let task = runtime.spawn(refresher.run(source)).abort_handle();
        Ok(RemoteKeys::new(Inner { name: self.source, ring, health: watched, task }))
    }

    fn source(&self) -> Result<Source, ConfigurationError> {
        let origin = match self.locator {
            Locator::JwksUri => Origin::JwksUri(Endpoint::parse(&self.source)?),
            Locator::OpenId => Origin::Metadata(Metadata::openid(&self.source)?),
            Locator::AuthorizationServer => Origin::Metadata(Metadata::authorization_server(&self.source)?),
        };
        if self.failovers.len() > MAX_FAILOVERS {
            return Err(ConfigurationError::TooManyFailovers { failovers: self.failovers.len() });
        }
        let failovers = self.failovers.iter().map(|uri| Endpoint::parse(uri)).collect::<Result<Vec<_>, _>>()?;
        self.clocks.check(Source::requests(&origin, failovers.len()))?;
        vet_limit("document bytes", self.max_document_bytes, tollgate_keys::limits::MAX_KEY_FILE_BYTES)?;
        vet_limit("keys", self.max_keys, tollgate_keys::limits::MAX_KEYS)?;
        let first = match &origin {
            Origin::JwksUri(endpoint) => endpoint,
            Origin::Metadata(metadata) => &metadata.endpoint,
        };
        let needs_tls = failovers.iter().chain([first]).any(|endpoint| !endpoint.is_plain());
        let tls = tls::configuration(self.root_certificates.as_deref(), needs_tls)?;
        let timeout = self.clocks.request_timeout;
        Ok(Source {
            client: HttpClient::new(tls, timeout, self.max_document_bytes, self.any_content_type),
            vetting: Arc::new(Vetting { algorithms: self.algorithms.clone(), max_keys: self.max_keys }),
            clocks: self.clocks,
            origin,
            failovers,
            located: None,
            validator: None,
        })
    }
}

impl fmt::Debug for RemoteKeysBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteKeysBuilder")
            .field("locator", &self.locator)
            .field("source", &self.source)
            .field("failovers", &self.failovers)
            .field("clocks", &self.clocks)
            .finish_non_exhaustive()
    }
}

fn vet_limit(limit: &'static str, value: usize, max: usize) -> Result<(), ConfigurationError> {
    if (1..=max).contains(&value) { Ok(()) } else { Err(ConfigurationError::Limit { limit, max }) }
}

fn unix_time() -> i64 {
    match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_secs()).unwrap_or(i64::MAX),
        // A clock set before 1970 says nothing about now: a saved set of then is as old as can be.
        Err(_) => i64::MAX,
    }
}
