use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::runtime::Handle;
use tokio::sync::watch;
use tollgate_keys::{Algorithm, KeyRing, KeySet, KeyUses};

use crate::clocks::Clocks;
use crate::endpoint::PlainHttp;
use crate::error::ConfigurationError;
use crate::event::Observer;
use crate::fetcher::Fetcher;
use crate::headers::HeaderSource;
use crate::health::Health;
use crate::http_client::HttpClient;
use crate::hyper_client::HyperClient;
use crate::key_document::Vetting;
use crate::limits::{IDLE_CONNECTIONS, MAX_DOCUMENT_BYTES, MAX_REMOTE_KEYS};
use crate::proxy::Proxy;
use crate::refresher::{Clock, Confirmed, Refresher};
use crate::remote_keys::RemoteKeys;
use crate::report::Reporter;
use crate::schedule::Schedule;
use crate::settings::RemoteSettings;
use crate::source::Source;
use crate::store::Store;
use crate::task::Task;
use crate::tls::{self, ClientIdentity};
use crate::unknown_keys::MissingKeys;
use crate::waiting::Waiting;

/// Configures [`RemoteKeys`].
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
    settings: RemoteSettings,
    /// The `iss` of the issuer's tokens. Empty if only a URI is known.
    issuer: String,
    clocks: Clocks,
    algorithms: Option<Vec<Algorithm>>,
    key_uses: KeyUses,
    max_document_bytes: usize,
    max_keys: usize,
    root_certificates: Option<Vec<u8>>,
    client: Option<Arc<dyn HttpClient>>,
    observer: Option<Arc<dyn Observer>>,
    clock: Box<dyn Fn() -> i64 + Send + Sync>,
}

impl RemoteKeysBuilder {
    pub(crate) fn new(issuer: &str, settings: RemoteSettings) -> Self {
        RemoteKeysBuilder {
            settings,
            issuer: issuer.to_owned(),
            clocks: Clocks::default(),
            algorithms: None,
            key_uses: KeyUses::default(),
            max_document_bytes: MAX_DOCUMENT_BYTES,
            max_keys: MAX_REMOTE_KEYS,
            root_certificates: None,
            client: None,
            observer: None,
            clock: Box::new(unix_time),
        }
    }

    /// Adds another URI of the same document, tried when the earlier ones fail. Up to [`MAX_FAILOVERS`].
    ///
    /// Keep both documents in sync: a key removed only at the first URI stays accepted.
    ///
    /// [`MAX_FAILOVERS`]: crate::limits::MAX_FAILOVERS
    pub fn failover(mut self, uri: &str) -> Self {
        self.settings.failover.push(uri.to_owned());
        self
    }

    /// Sends the header field `name` with each request to the origin (scheme, host and port) of the configured URI, for
    /// the credentials that some providers require. Up to [`MAX_HEADERS`](crate::limits::MAX_HEADERS).
    ///
    /// The field is sent to no other origin: not to the `jwks_uri` of metadata, a [`failover`](Self::failover) URI or
    /// the target of a redirect, if its origin is different. A second field of the same name replaces the first.
    ///
    /// ```
    /// use tollgate_remote::{HeaderSource, RemoteKeys};
    ///
    /// let keys = RemoteKeys::from_jwks_uri("https://kubernetes.default.svc/openid/v1/jwks")
    ///     .header("authorization", HeaderSource::bearer_token_file("/var/run/secrets/kubernetes.io/serviceaccount/token"))
    ///     .root_certificates_file("/var/run/secrets/kubernetes.io/serviceaccount/ca.crt");
    /// ```
    pub fn header(mut self, name: &str, value: HeaderSource) -> Self {
        self.settings.headers.insert(name.to_ascii_lowercase(), value);
        self
    }

    /// Connects to providers through `proxy`. Without this call, connections are direct, whatever the environment says.
    pub fn proxy(mut self, proxy: Proxy) -> Self {
        self.settings.proxy = Some(proxy);
        self
    }

    /// Sends the requests with `client` instead of the built-in client. That client is then responsible for root
    /// certificates and a proxy; setting them here is an error.
    pub fn http_client(mut self, client: impl HttpClient + 'static) -> Self {
        self.client = Some(Arc::new(client));
        self
    }

    /// Sets the clocks. Default: [`Clocks::default`].
    pub fn clocks(mut self, clocks: Clocks) -> Self {
        self.clocks = clocks;
        self
    }

    /// Sets the algorithms of an RSA key without `alg`. Default: RS256.
    pub fn algorithms(mut self, algorithms: &[Algorithm]) -> Self {
        self.algorithms = Some(algorithms.to_vec());
        self
    }

    /// Accepts keys whose JWK has one of these `use` values, such as `jwt-svid`. Default: `sig` or none. Set the same
    /// on the [issuer](tollgate::Issuer::key_use).
    pub fn key_uses(mut self, key_uses: KeyUses) -> Self {
        self.key_uses = key_uses;
        self
    }

    /// Sets the largest accepted document. Default: [`MAX_DOCUMENT_BYTES`]; maximum:
    /// [`MAX_KEY_FILE_BYTES`](tollgate_keys::limits::MAX_KEY_FILE_BYTES).
    pub fn max_document_bytes(mut self, bytes: usize) -> Self {
        self.max_document_bytes = bytes;
        self
    }

    /// Sets the most keys in a set. Default: [`MAX_REMOTE_KEYS`]; maximum:
    /// [`MAX_KEYS`](tollgate_keys::limits::MAX_KEYS).
    pub fn max_keys(mut self, keys: usize) -> Self {
        self.max_keys = keys;
        self
    }

    /// Trusts only the certificates of this PEM text, instead of those of the system.
    pub fn root_certificates(mut self, pem: &[u8]) -> Self {
        self.root_certificates = Some(pem.to_vec());
        self
    }

    /// Trusts only the certificates of the PEM file at `path`, instead of those of the system. The file is read once,
    /// at the start. Certificates given as text take precedence.
    pub fn root_certificates_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.settings.ca = Some(path.into());
        self
    }

    /// Saves the last good set in the file at `path`, and starts with it when the provider cannot be reached.
    ///
    /// The file is replaced atomically, with mode 0600. The saved set is vetted again when it is read, and is not used
    /// if it is older than the outage grace. Keep the file where only this service can write, one file per issuer.
    pub fn saved_in(mut self, path: impl Into<PathBuf>) -> Self {
        self.settings.saved_in = Some(path.into());
        self
    }

    /// Notifies `observer` of every [`Event`](crate::Event): for metrics and alarms.
    pub fn observer(mut self, observer: impl Observer + 'static) -> Self {
        self.observer = Some(Arc::new(observer));
        self
    }

    /// Uses `seconds_since_epoch` as the time of day instead of the system's clock. [`Health`] shows this time, and the
    /// age of a saved set is computed from it.
    pub fn clock(mut self, seconds_since_epoch: impl Fn() -> i64 + Send + Sync + 'static) -> Self {
        self.clock = Box::new(seconds_since_epoch);
        self
    }

    /// Accepts a key set of any `Content-Type`. Then also files that users have uploaded to the provider's host count
    /// as key sets. By default only JSON types and `application/octet-stream` are accepted ([which
    /// ones](crate#where-the-keys-come-from)).
    pub fn danger_accept_any_content_type(mut self) -> Self {
        self.settings.danger_accept_any_content_type = true;
        self
    }

    /// Fetches `http:` URIs from hosts in a private network too, not only from this machine. Anyone who can answer in
    /// the name of such a host can publish keys.
    ///
    /// The peer's address must be private (RFC 1918, RFC 4193, RFC 6598). Metadata from an HTTPS URI may still name
    /// only an HTTPS `jwks_uri`.
    pub fn danger_accept_plain_http(mut self) -> Self {
        self.settings.danger_accept_plain_http = true;
        self
    }

    /// Starts a task that fetches, in the current tokio runtime, whose time and I/O drivers must be enabled.
    ///
    /// The call itself reads the file of root certificates, or the system's certificates at the process's first need,
    /// and does no other I/O.
    ///
    /// # Errors
    /// [`ConfigurationError`]. An unreachable provider is not an error: see [`RemoteKeys::ready`].
    pub fn start(self) -> Result<RemoteKeys, ConfigurationError> {
        let runtime = Handle::try_current().map_err(|_| ConfigurationError::NoRuntime)?;
        let source = self.source()?;
        let requests = Source::requests(&source.origin, source.failovers.len());
        let name: Arc<str> = self.settings.name(&self.issuer).into();
        let reporter = Reporter::new(Arc::clone(&name), self.observer);
        let clock = Clock::new(self.clock);
        let (health, watched) = watch::channel(Health::starting(clock.unix(Duration::ZERO)));
        let waiting = Arc::new(Waiting::new());
        let task = Arc::new(Task::new(waiting.clone()));
        let ring = KeyRing::with_refresher(KeySet::default(), task.clone());
        let refresher = Refresher {
            ring: ring.downgrade(),
            waiting,
            schedule: Schedule::new(self.clocks, requests, Duration::ZERO),
            missing: MissingKeys::new(self.clocks.cool_down),
            store: Store::new(self.settings.saved_in, Arc::clone(&name), reporter.clone()),
            health,
            reporter,
            clock,
            confirmed: Confirmed::default(),
            fetches: 0,
        };
        task.set(runtime.spawn(refresher.run(source)).abort_handle());
        Ok(RemoteKeys { name, ring, health: watched, task })
    }

    fn source(&self) -> Result<Source, ConfigurationError> {
        let origin = self.settings.origin(&self.issuer)?;
        let failovers = self.settings.failovers()?;
        self.clocks.check(Source::requests(&origin, failovers.len()))?;
        vet_limit("document bytes", self.max_document_bytes, tollgate_keys::limits::MAX_KEY_FILE_BYTES)?;
        vet_limit("keys", self.max_keys, tollgate_keys::limits::MAX_KEYS)?;
        let needs_tls = failovers.iter().chain([origin.endpoint()]).any(|endpoint| !endpoint.is_plain());
        let vetting = Vetting {
            form: self.settings.form(),
            algorithms: self.algorithms.clone(),
            key_uses: self.key_uses.clone(),
            max_keys: self.max_keys,
        };
        let fetcher = Fetcher {
            client: self.client(needs_tls)?,
            headers: self.settings.headers()?,
            configured: origin.endpoint().clone(),
            timeout: self.clocks.request_timeout,
            max_bytes: self.max_document_bytes,
            any_content_type: self.settings.danger_accept_any_content_type,
        };
        Ok(Source {
            fetcher,
            vetting: Arc::new(vetting),
            clocks: self.clocks,
            origin,
            failovers,
            located: None,
            validator: None,
        })
    }

    fn client(&self, needs_tls: bool) -> Result<Arc<dyn HttpClient>, ConfigurationError> {
        let RemoteSettings { ca, proxy, .. } = &self.settings;
        let (roots, ca) = (self.root_certificates.as_deref(), ca.as_deref());
        match &self.client {
            Some(client) => own_client(Arc::clone(client), roots.is_some() || ca.is_some(), proxy.is_some()),
            None => client_with(roots, ca, None, proxy.as_ref(), needs_tls, self.settings.plain_http(), 0),
        }
    }
}

/// The caller's own client, which would ignore options that are given here.
pub(crate) fn own_client(
    client: Arc<dyn HttpClient>,
    has_roots: bool,
    has_proxy: bool,
) -> Result<Arc<dyn HttpClient>, ConfigurationError> {
    let options = [("root_certificates", has_roots), ("proxy", has_proxy)];
    match options.iter().find(|(_, given)| *given) {
        Some((option, _)) => Err(ConfigurationError::ClientOption { option }),
        None => Ok(client),
    }
}

/// The built-in [`HttpClient`], with the certificates that the system trusts and without a proxy, for requests of a server's own: over HTTPS,
/// or over plain HTTP to an address of this machine. It follows no redirects.
///
/// # Errors
/// [`ConfigurationError`] when TLS cannot be set up.
pub fn built_in_client() -> Result<Arc<dyn HttpClient>, ConfigurationError> {
    client_with(None, None, None, None, false, PlainHttp::ToThisMachine, IDLE_CONNECTIONS)
}

/// `idle`: how many idle connections the client keeps for later requests.
pub(crate) fn client_with(
    roots: Option<&[u8]>,
    ca: Option<&Path>,
    identity: Option<ClientIdentity>,
    proxy: Option<&Proxy>,
    needs_tls: bool,
    plain_http: PlainHttp,
    idle: usize,
) -> Result<Arc<dyn HttpClient>, ConfigurationError> {
    let read = match (roots, ca) {
        (None, Some(path)) => Some(tls::read_root_certificates(path)?),
        _ => None,
    };
    let proxy = proxy.map(Proxy::matcher).transpose()?;
    let tls = tls::configuration(roots.or(read.as_deref()), identity, needs_tls)?;
    Ok(Arc::new(HyperClient::new(tls, proxy, plain_http, idle)))
}

impl fmt::Debug for RemoteKeysBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteKeysBuilder")
            .field("issuer", &self.issuer)
            .field("settings", &self.settings)
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
        // A clock set before 1970 does not know the time: treat a saved set as too old.
        Err(_) => i64::MAX,
    }
}
