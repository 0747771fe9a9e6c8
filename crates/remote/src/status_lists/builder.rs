use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex};

use tokio::runtime::Handle;
use tokio::time::Instant;
use tollgate::StatusLists;
use tollgate_keys::KeyRing;

use super::document::Vetting;
use super::{Fetcher, FetcherOwner, InFlight, StatusListSettings};
use crate::builder::{client_with, own_client};
use crate::error::ConfigurationError;
use crate::headers::{HeaderSource, Headers};
use crate::http_client::HttpClient;
use crate::limits::{DEFAULT_INTROSPECTION_TIMEOUT, STATUS_LIST_BURST, STATUS_LIST_INTERVAL};
use crate::token_bucket::TokenBucket;

/// Configures the status lists of an issuer, in the JWT form of the Token Status List.
///
/// A list is fetched when a token refers to it; the first such request waits ([`Verifier`](crate::Verifier)). As long
/// as the list is in use, it is fetched again in the background before it expires. A list is accepted if it is signed
/// by the issuer's keys, its `typ` is `statuslist+jwt` and its `sub` equals its URI.
///
/// ```
/// use tollgate::{Engine, Issuer};
/// use tollgate_remote::{RemoteKeys, StatusListsBuilder};
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// let keys = RemoteKeys::from_jwks_uri("http://localhost:8080/jwks.json").start()?;
/// let lists = StatusListsBuilder::new("https://as.example/", keys.key_ring())
///     .within("http://localhost:8080/statuslists/")
///     .start()?;
/// let issuer = Issuer::new("https://as.example/").audience("https://api.example").keys(keys.key_ring()).status_lists(lists);
/// let engine = Engine::builder().issuer(issuer).build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "nothing is fetched before it is started"]
pub struct StatusListsBuilder {
    issuer: Box<str>,
    keys: KeyRing,
    settings: StatusListSettings,
    root_certificates: Option<Vec<u8>>,
    client: Option<Arc<dyn HttpClient>>,
}

impl StatusListsBuilder {
    /// Configures the lists of `issuer`, signed by `keys`.
    pub fn new(issuer: &str, keys: KeyRing) -> Self {
        Self::from_settings(issuer, keys, StatusListSettings::default())
    }

    /// Starts from `settings`, which may come from a configuration file.
    pub fn from_settings(issuer: &str, keys: KeyRing, settings: StatusListSettings) -> Self {
        StatusListsBuilder { issuer: issuer.into(), keys, settings, root_certificates: None, client: None }
    }

    /// Follows only references to URIs that begin with `prefix`, which ends in `/`, or that equal it.
    pub fn within(mut self, prefix: &str) -> Self {
        self.settings.prefixes.push(prefix.to_owned());
        self
    }

    /// Rejects tokens that refer to no list.
    pub fn required(mut self) -> Self {
        self.settings.required = true;
        self
    }

    /// Uses a list for at most `seconds`, whatever its `ttl`. Default: 300. A token that its issuer has revoked may
    /// stay accepted for this long.
    pub fn max_age(mut self, seconds: u32) -> Self {
        self.settings.max_age = seconds;
        self
    }

    /// Sends the header field `name` with each request.
    pub fn header(mut self, name: &str, value: HeaderSource) -> Self {
        self.settings.headers.insert(name.to_ascii_lowercase(), value);
        self
    }

    /// Trusts only the certificates of this PEM text, instead of those of the system.
    pub fn root_certificates(mut self, pem: &[u8]) -> Self {
        self.root_certificates = Some(pem.to_vec());
        self
    }

    /// Sends the requests with `client` instead of the built-in client.
    pub fn http_client(mut self, client: impl HttpClient + 'static) -> Self {
        self.client = Some(Arc::new(client));
        self
    }

    /// Builds the lists for [`Issuer::status_lists`](tollgate::Issuer::status_lists). Requests are sent from the
    /// current tokio runtime.
    ///
    /// # Errors
    /// [`ConfigurationError`].
    pub fn start(self) -> Result<StatusLists, ConfigurationError> {
        let runtime = Handle::try_current().map_err(|_| ConfigurationError::NoRuntime)?;
        let settings = &self.settings;
        settings.check()?;
        let (endpoint, plain_http) = (settings.endpoint()?, settings.plain_http());
        let roots = self.root_certificates.as_deref();
        let (ca, proxy) = (settings.ca.as_deref(), settings.proxy.as_ref());
        let client = match self.client {
            Some(client) => own_client(client, roots.is_some() || ca.is_some(), proxy.is_some())?,
            None => client_with(roots, ca, None, proxy, !endpoint.is_plain(), plain_http, 0)?,
        };
        let fetcher = Fetcher {
            client,
            headers: Headers::new(&settings.headers)?,
            plain_http,
            timeout: DEFAULT_INTROSPECTION_TIMEOUT,
            vetting: Arc::new(Vetting { keys: self.keys, issuer: self.issuer, max_age: settings.max_age }),
            runtime,
            start: Instant::now(),
            in_flight: Mutex::new(InFlight {
                by_uri: HashMap::new(),
                kept: HashMap::new(),
                budget: TokenBucket::new(STATUS_LIST_BURST, STATUS_LIST_INTERVAL),
            }),
        };
        let (prefixes, fetcher) =
            (settings.prefixes.iter().map(String::as_str), Arc::new(FetcherOwner(Arc::new(fetcher))));
        Ok(if settings.required {
            StatusLists::required(prefixes, fetcher)
        } else {
            StatusLists::new(prefixes, fetcher)
        })
    }
}

impl fmt::Debug for StatusListsBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StatusListsBuilder")
            .field("issuer", &self.issuer)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}
