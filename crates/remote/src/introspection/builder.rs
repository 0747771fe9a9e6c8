use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tollgate_issuer::SigningKey;
use zeroize::Zeroizing;

use super::client::Client;
use super::flights::Flights;
use super::{Introspection, IntrospectionSettings};
use crate::builder::{client_with, own_client};
use crate::error::ConfigurationError;
use crate::headers::HeaderSource;
use crate::http_client::HttpClient;
use crate::limits::{DEFAULT_INTROSPECTION_TIMEOUT, IDLE_CONNECTIONS, MAX_REFRESH_WAIT};
use crate::proxy::Proxy;
use crate::tls::ClientIdentity;

/// Configures an [`Introspection`] endpoint.
#[must_use = "nothing is asked before it is started"]
pub struct IntrospectionBuilder {
    settings: IntrospectionSettings,
    timeout: Duration,
    key: Option<Arc<SigningKey>>,
    /// The client's certificates and their key, as PEM.
    identity: Option<(Vec<u8>, Zeroizing<Vec<u8>>)>,
    root_certificates: Option<Vec<u8>>,
    client: Option<Arc<dyn HttpClient>>,
}

impl IntrospectionBuilder {
    pub(super) fn new(settings: IntrospectionSettings) -> Self {
        IntrospectionBuilder {
            settings,
            timeout: DEFAULT_INTROSPECTION_TIMEOUT,
            key: None,
            identity: None,
            root_certificates: None,
            client: None,
        }
    }

    /// Authenticates as the client `id` with `secret`, by Basic (`client_secret_basic`, RFC 6749 section 2.3.1). A
    /// secret in a file is read for every request.
    pub fn client_secret(mut self, id: &str, secret: HeaderSource) -> Self {
        self.settings.client_id = Some(id.to_owned());
        self.settings.client_secret = Some(secret);
        self
    }

    /// Authenticates as the client `id` with assertions that `key` signs, whose audience is the endpoint's URI
    /// (`private_key_jwt`, RFC 7523 section 2.2).
    pub fn private_key(mut self, id: &str, key: SigningKey) -> Self {
        self.settings.client_id = Some(id.to_owned());
        self.key = Some(Arc::new(key));
        self
    }

    /// Presents a TLS client certificate: the first of the PEM text `certificates`, followed by its chain. The
    /// certificate authenticates the client `id` (`tls_client_auth` and `self_signed_tls_client_auth`, RFC 8705 section
    /// 2), unless there is also a secret or a key. `key`: the certificate's private key, PEM too. The endpoint must be
    /// `https`.
    pub fn client_certificate(mut self, id: &str, certificates: &[u8], key: &[u8]) -> Self {
        self.settings.client_id = Some(id.to_owned());
        self.identity = Some((certificates.to_vec(), Zeroizing::new(key.to_vec())));
        self
    }

    /// Like [`client_certificate`](Self::client_certificate), from two PEM files that are read once, at the start.
    pub fn client_certificate_files(
        mut self,
        id: &str,
        certificates: impl Into<PathBuf>,
        key: impl Into<PathBuf>,
    ) -> Self {
        self.settings.client_id = Some(id.to_owned());
        self.settings.client_certificate_file = Some(certificates.into());
        self.settings.client_certificate_key_file = Some(key.into());
        self
    }

    /// Sets the audience of the assertions of a [`private_key`](Self::private_key): some servers require their issuer
    /// there.
    pub fn assertion_audience(mut self, audience: &str) -> Self {
        self.settings.client_assertion_audience = Some(audience.to_owned());
        self
    }

    /// Sends the header field `name` with each request, such as an access token instead of client authentication (RFC
    /// 7662 section 2.1).
    pub fn header(mut self, name: &str, value: HeaderSource) -> Self {
        self.settings.headers.insert(name.to_ascii_lowercase(), value);
        self
    }

    /// Limits the requests per second, at least 1 and at most [`MAX_INTROSPECTIONS_PER_SECOND`]. Default:
    /// [`DEFAULT_INTROSPECTIONS_PER_SECOND`]. Up to one second's requests may be saved up. Calls beyond the limit get a
    /// 503.
    ///
    /// [`DEFAULT_INTROSPECTIONS_PER_SECOND`]: crate::limits::DEFAULT_INTROSPECTIONS_PER_SECOND
    /// [`MAX_INTROSPECTIONS_PER_SECOND`]: crate::limits::MAX_INTROSPECTIONS_PER_SECOND
    pub fn requests_per_second(mut self, requests: u32) -> Self {
        self.settings.requests_per_second = requests;
        self
    }

    /// Sets the time limit of one request, from connecting to the last byte. Default: 2 s; maximum:
    /// [`MAX_REFRESH_WAIT`].
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Connects through `proxy`. Without this call, connections are direct, whatever the environment says.
    pub fn proxy(mut self, proxy: Proxy) -> Self {
        self.settings.proxy = Some(proxy);
        self
    }

    /// Sends the requests with `client` instead of the built-in client, for example one with a client certificate. That
    /// client is then responsible for root certificates and a proxy; setting them here is an error.
    pub fn http_client(mut self, client: impl HttpClient + 'static) -> Self {
        self.client = Some(Arc::new(client));
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

    /// Sends tokens by `http:` to hosts in a private network too, not only to this machine. An attacker on the network
    /// path learns the tokens and can declare any token active.
    pub fn danger_accept_plain_http(mut self) -> Self {
        self.settings.danger_accept_plain_http = true;
        self
    }

    /// Builds the endpoint. Requests are sent from the current tokio runtime, whose time and I/O drivers must be
    /// enabled.
    ///
    /// # Errors
    /// [`ConfigurationError`].
    pub fn start(self) -> Result<Introspection, ConfigurationError> {
        let runtime = Handle::try_current().map_err(|_| ConfigurationError::NoRuntime)?;
        let settings = &self.settings;
        let key = match self.key {
            Some(key) => Some(key),
            None => settings.read_key()?,
        };
        let (endpoint, authentication) = (settings.endpoint()?, settings.authentication(key, self.identity.is_some())?);
        settings.check_rest()?;
        if authentication.is_none() && settings.headers.is_empty() && self.client.is_none() {
            let reason = "the endpoint has to know who asks: give a client_id and its secret or key, or a header";
            return Err(ConfigurationError::ClientAuthentication { reason });
        }
        if self.timeout.is_zero() || self.timeout > MAX_REFRESH_WAIT {
            let max = MAX_REFRESH_WAIT.as_secs() as usize;
            return Err(ConfigurationError::Limit { limit: "the time for one request, in seconds,", max });
        }
        let identity = match &self.identity {
            Some((certificates, key)) => Some(ClientIdentity::read(certificates, key)?),
            None => settings.read_identity()?,
        };
        let roots = self.root_certificates.as_deref();
        let (ca, proxy) = (settings.ca.as_deref(), settings.proxy.as_ref());
        let http = match self.client {
            Some(_) if identity.is_some() => {
                return Err(ConfigurationError::ClientOption { option: "client_certificate" });
            }
            Some(client) => own_client(client, roots.is_some() || ca.is_some(), proxy.is_some())?,
            None => {
                let (needs_tls, plain_http) = (!endpoint.is_plain(), settings.plain_http());
                client_with(roots, ca, identity, proxy, needs_tls, plain_http, IDLE_CONNECTIONS)?
            }
        };
        let client = Client { http, headers: settings.headers()?, authentication, timeout: self.timeout, endpoint };
        Ok(Introspection(Arc::new(Flights::new(client, runtime, settings.requests_per_second))))
    }
}

impl fmt::Debug for IntrospectionBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IntrospectionBuilder").field("settings", &self.settings).finish_non_exhaustive()
    }
}
