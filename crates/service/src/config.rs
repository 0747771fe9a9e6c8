use crate::error::ServerError;
use crate::limits::{
    ACCESS_TOKEN_TTL, AUDIT_RETENTION, IDLE_TIMEOUT, MAX_TTL, MIN_SIGNING_KEY_TTL, REFRESH_TOKEN_IDLE_TTL,
    REFRESH_TOKEN_TTL, REQUEST_TIMEOUT, SESSION_TTL, SHUTDOWN_GRACE, SIGNING_KEY_TTL, UPKEEP_INTERVAL,
};
use crate::store::StoreUrl;
use crate::tls::TlsFiles;
use crate::tokens::seconds;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tollgate::apikeys::Pepper;
use tollgate::{CertificateField, KeyFormat, PublicOrigin, TrustedProxies};
use tollgate_storage::limits::DEFAULT_MAX_STALENESS;
use tollgate_telemetry::Metrics;

/// What the service can be told. [`Config::default`] is what `tollgate serve` runs with.
#[derive(Clone, Debug)]
pub struct Config {
    /// The store; made when missing. `None`: a temporary folder, gone with the server.
    pub store: Option<StoreUrl>,
    /// The address to listen on; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The service's own TLS certificate. `None`: plain HTTP, for loopback or behind a proxy that has a certificate.
    pub tls: Option<TlsFiles>,
    /// The address of a further listener, which asks clients for a certificate (RFC 8705); it needs [`tls`](Self::tls). Clients find it in
    /// the metadata (`mtls_endpoint_aliases`).
    pub mtls_listen: Option<SocketAddr>,
    /// The public origin of that listener, or of a proxy's that asks for certificates. `None`: the host of the service's own origin and the
    /// listener's port; of a proxy the service's own origin.
    pub mtls_base_url: Option<String>,
    /// The certificates of the authorities whose certificates authenticate clients (`tls_client_auth`), in PEM.
    pub client_ca: Option<PathBuf>,
    /// The service's public origin, `https://auth.example.com`: the `iss` and the `aud` of its
    /// tokens. Plain `http` is for loopback only. `None`: `http://` (`https://` with a certificate) and the address
    /// listened on, when that is a loopback address.
    pub base_url: Option<String>,
    /// How long a session token lives, whole seconds.
    pub session_ttl: Duration,
    /// How long an access token lives, whole seconds.
    pub access_token_ttl: Duration,
    /// How long a refresh token lives that is not used, whole seconds.
    pub refresh_token_idle_ttl: Duration,
    /// How long the refresh tokens of a grant live, whole seconds. Without `offline_access` they end with the login too.
    pub refresh_token_ttl: Duration,
    /// How long a signing key signs, whole seconds. The next one is published ten minutes before it signs, and the last one as long
    /// as a token of it can live.
    pub signing_key_ttl: Duration,
    /// What access tokens are: those of Service B, and those that Service A gives to other sites.
    pub access_token_format: AccessTokenFormat,
    /// What the service's API keys begin with. `None`: what the first key in the store does, and `tg_live_` while there is none.
    pub key_format: Option<KeyFormat>,
    /// Under what the keys of other systems were digested when they were imported.
    pub pepper: Option<Pepper>,
    /// The file of the keys under which the signing keys are encrypted in the store: a line of 64 hexadecimal digits for each, of which the
    /// first encrypts and each decrypts. `None`: `tollgate-sealing.key` in the store's folder, made when missing; with a database the
    /// signing keys are in clear.
    pub sealing_key_file: Option<PathBuf>,
    /// The proxies in front of the service, and the field in which they name the client. None are trusted by default: the
    /// client is then the peer of the connection.
    pub trusted_proxies: TrustedProxies,
    /// The origins whose pages may call the API from a browser (CORS). The token endpoint, the metadata and the keys are for pages of
    /// any origin.
    pub cors_origins: Vec<PublicOrigin>,
    /// After how long without a look at the store what is known of it is stale: the service's own JWTs, which are revoked there, are then
    /// answered with 503.
    pub max_staleness: Duration,
    /// How often what has expired is cleared away, in memory and on the disk.
    pub upkeep_interval: Duration,
    /// What counts what the service does, for the recorder that the program has installed. Their `collect` is the program's to call.
    pub metrics: Option<Metrics>,
    /// Where a DPoP proof needs a nonce of the service (RFC 9449 sections 8 and 9).
    pub dpop_nonces: DpopNonces,
    /// Refuse authorization requests that the client has not pushed before (RFC 9126 section 5).
    pub require_pushed_requests: bool,
    /// For how long audit records are kept.
    pub audit_retention: Duration,
    /// How long a request may take, its body included. One that is not answered by then changes nothing any more, or its answer says that
    /// it may have.
    pub request_timeout: Duration,
    /// How long a connection may go without a request in flight before it is closed.
    pub idle_timeout: Duration,
    /// How long the requests in flight, and clients that read slowly, have when the service stops or a connection is closed.
    pub shutdown_grace: Duration,
    /// Fill the store with the demo's accounts; needs `store: None`, since their password is known.
    pub demo: bool,
}

/// What an access token is.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum AccessTokenFormat {
    /// A JWT (RFC 9068), which any server can verify that has the public keys.
    #[default]
    Jwt,
    /// A random text whose record is in the store: only a server that follows the store can verify it, and it ends when its
    /// record does.
    Opaque,
}

/// Where a DPoP proof needs a nonce of the service. The nonce limits how far in advance a proof can be made, and its time counts in place of
/// the client's clock.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum DpopNonces {
    /// Nowhere.
    Off,
    /// At the token endpoint and the endpoint of pushed authorization requests.
    #[default]
    Endpoints,
    /// There and at the API, where that costs clients one more request at the beginning and after a pause.
    Everywhere,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            store: Some(Path::new("./tollgate-data").into()),
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)),
            tls: None,
            mtls_listen: None,
            mtls_base_url: None,
            client_ca: None,
            base_url: None,
            session_ttl: SESSION_TTL,
            access_token_ttl: ACCESS_TOKEN_TTL,
            refresh_token_idle_ttl: REFRESH_TOKEN_IDLE_TTL,
            refresh_token_ttl: REFRESH_TOKEN_TTL,
            signing_key_ttl: SIGNING_KEY_TTL,
            access_token_format: AccessTokenFormat::default(),
            key_format: None,
            pepper: None,
            sealing_key_file: None,
            trusted_proxies: TrustedProxies::none(),
            cors_origins: Vec::new(),
            max_staleness: DEFAULT_MAX_STALENESS,
            upkeep_interval: UPKEEP_INTERVAL,
            metrics: None,
            dpop_nonces: DpopNonces::default(),
            require_pushed_requests: false,
            audit_retention: AUDIT_RETENTION,
            request_timeout: REQUEST_TIMEOUT,
            idle_timeout: IDLE_TIMEOUT,
            shutdown_grace: SHUTDOWN_GRACE,
            demo: false,
        }
    }
}

impl Config {
    /// Refuses what cannot work before anything is opened.
    pub(crate) fn check(&self) -> Result<(), ServerError> {
        for (option, ttl) in [
            ("session-ttl", self.session_ttl),
            ("access-token-ttl", self.access_token_ttl),
            ("refresh-token-idle-ttl", self.refresh_token_idle_ttl),
            ("refresh-token-ttl", self.refresh_token_ttl),
        ] {
            if ttl < Duration::from_secs(1) || ttl > MAX_TTL {
                return Err(ServerError::Lifetime { option, max_seconds: MAX_TTL.as_secs() });
            }
        }
        if self.signing_key_ttl < MIN_SIGNING_KEY_TTL {
            return Err(ServerError::SigningKeyLifetime { min_seconds: MIN_SIGNING_KEY_TTL.as_secs() });
        }
        if self.demo && self.store.is_some() {
            return Err(ServerError::DemoInRealStore);
        }
        self.check_client_certificates()?;
        self.base_url.as_deref().map_or(Ok(()), check_base_url)
    }

    fn check_client_certificates(&self) -> Result<(), ServerError> {
        let refused = |reason| Err(ServerError::ClientCertificates { reason });
        if self.mtls_listen.is_some() && self.tls.is_none() {
            return refused("mtls-listen needs a TLS certificate of the service");
        }
        let field = self.trusted_proxies.certificate_field();
        if field == Some(CertificateField::XForwardedClientCert) {
            return refused("x-forwarded-client-cert has no whole certificate: let the proxy send another field");
        }
        if self.client_ca.is_some() && !self.takes_client_certificates() {
            return refused("client-ca needs mtls-listen, or a proxy's field with the client's certificate");
        }
        match self.mtls_base_url.as_deref() {
            Some(_) if !self.takes_client_certificates() => {
                refused("mtls-base-url needs mtls-listen, or a proxy's field with the client's certificate")
            }
            Some(base_url) if !base_url.starts_with("https://") => {
                Err(ServerError::BaseUrl { base_url: base_url.to_owned() })
            }
            Some(base_url) => check_base_url(base_url),
            None => Ok(()),
        }
    }

    /// Whether a client's certificate can come to the service.
    pub(crate) fn takes_client_certificates(&self) -> bool {
        self.mtls_listen.is_some() || self.trusted_proxies.certificate_field().is_some()
    }

    /// How long the longest-lived token lives that is signed, in seconds.
    pub(crate) fn longest_ttl(&self) -> i64 {
        seconds(self.session_ttl.max(self.access_token_ttl))
    }

    /// The public origin, given the address that is listened on.
    pub(crate) fn origin(&self, local: SocketAddr) -> Result<String, ServerError> {
        match &self.base_url {
            Some(base_url) => Ok(base_url.clone()),
            None if local.ip().is_loopback() => {
                let scheme = if self.tls.is_some() { "https" } else { "http" };
                Ok(format!("{scheme}://{local}"))
            }
            None => Err(ServerError::BaseUrlNeeded { listen: local }),
        }
    }

    /// The origin at which clients are asked for certificates, where it is another than `origin`. `local`: the address that their listener
    /// listens on.
    pub(crate) fn mtls_origin(&self, origin: &str, local: Option<SocketAddr>) -> Result<Option<String>, ServerError> {
        let at_port = |local: SocketAddr| {
            let authority = origin.split_once("://").and_then(|(_, authority)| authority.parse().ok());
            let authority: http::uri::Authority = authority.ok_or(ServerError::BaseUrl { base_url: origin.into() })?;
            Ok::<_, ServerError>(match local.port() {
                443 => format!("https://{}", authority.host()),
                port => format!("https://{}:{port}", authority.host()),
            })
        };
        let mtls_origin = match &self.mtls_base_url {
            Some(base_url) => Some(base_url.clone()),
            None => local.map(at_port).transpose()?,
        };
        Ok(mtls_origin.filter(|mtls_origin| mtls_origin != origin))
    }
}

/// An origin and nothing more: scheme, host, port, in the spelling that is compared byte by byte.
fn check_base_url(base_url: &str) -> Result<(), ServerError> {
    let refused = || ServerError::BaseUrl { base_url: base_url.to_owned() };
    let (scheme, authority) = base_url.split_once("://").ok_or_else(refused)?;
    let authority: http::uri::Authority = authority.parse().map_err(|_| refused())?;
    let plain = !base_url.contains('@') && base_url == base_url.to_ascii_lowercase();
    let loopback = authority.host() == "localhost"
        || authority.host().trim_matches(['[', ']']).parse().is_ok_and(|ip: IpAddr| ip.is_loopback());
    match scheme {
        "https" if plain => Ok(()),
        "http" if plain && loopback => Ok(()),
        _ => Err(refused()),
    }
}
