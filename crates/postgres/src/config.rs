use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use tokio_postgres::config::{Host, SslMode, TargetSessionAttrs};

use crate::limits::{
    CONNECT_TIMEOUT, DEFAULT_POOL_SIZE, HOST_TIMEOUT, IDLE_IN_TRANSACTION_TIMEOUT, LOCK_TIMEOUT, MAX_POOL_SIZE,
};

/// The servers, the role, and the connection parameters.
///
/// ```
/// use tollgate_postgres::PostgresConfig;
///
/// let config = PostgresConfig::from_url("postgres://tollgate:secret@db1.example:5432,db2.example/keys?connect_timeout=2")?;
/// assert_eq!(config.to_string(), "postgres://tollgate@db1.example:5432,db2.example:5432/keys");
/// assert!(PostgresConfig::from_url("postgres://db.example/keys?sslmode=prefer").is_err());
/// # Ok::<(), tollgate_postgres::InvalidUrl>(())
/// ```
#[derive(Clone, Eq, PartialEq)]
pub struct PostgresConfig {
    pub(crate) postgres: tokio_postgres::Config,
    pub(crate) password_file: Option<PathBuf>,
    pub(crate) root_certificates: Option<PathBuf>,
    pub(crate) pool_size: usize,
    pub(crate) feed: Option<Box<PostgresConfig>>,
}

impl PostgresConfig {
    /// Parses a connection URL as libpq does: `postgres://USER@HOST:PORT,HOST:PORT/DATABASE?NAME=VALUE&...`. Of several
    /// hosts the one that accepts writes is used, so a standby may be listed with its primary. A unix socket's folder is
    /// a host, with `%2F` for each slash.
    ///
    /// In addition to the parameters of `tokio-postgres`:
    /// - `password_file`: a file with the password, read for each connection; a line feed at its end is ignored.
    /// - `sslmode`: `verify-full`, the default, which requires a certificate for the server's name by a trusted
    ///   authority; or `disable`, the default if all hosts are unix sockets or loopback addresses. Modes that check less,
    ///   or fall back, are refused.
    /// - `sslrootcert`: the certificates of the authorities, in PEM, instead of the system's.
    /// - `pool_size`: the most connections.
    ///
    /// # Errors
    /// [`InvalidUrl`] if it is not such a URL, or a parameter is unknown. The error never contains the password.
    pub fn from_url(url: &str) -> Result<Self, InvalidUrl> {
        let (place, query) = url.split_once('?').unwrap_or((url, ""));
        if !place.starts_with("postgres://") && !place.starts_with("postgresql://") {
            return Err(InvalidUrl::Scheme);
        }
        let (mut password_file, mut root_certificates, mut ssl_mode) = (None, None, None);
        let (mut pool_size, mut others) = (DEFAULT_POOL_SIZE, Vec::new());
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, encoded) = pair.split_once('=').unwrap_or((pair, ""));
            let value = decode(encoded).ok_or(InvalidUrl::Parameter { name: name.into() })?;
            match name {
                "password_file" => password_file = Some(PathBuf::from(value)),
                "sslrootcert" => root_certificates = Some(PathBuf::from(value)),
                "sslmode" => ssl_mode = Some(value),
                "pool_size" => {
                    let size = value.parse().ok().filter(|size| (2..=MAX_POOL_SIZE).contains(size));
                    pool_size = size.ok_or(InvalidUrl::PoolSize)?;
                }
                // The URL must not choose the server.
                "target_session_attrs" => return Err(InvalidUrl::Parameter { name: name.into() }),
                _ => others.push(pair),
            }
        }
        let plain = if others.is_empty() { place.to_owned() } else { format!("{place}?{}", others.join("&")) };
        let mut postgres: tokio_postgres::Config = plain.parse().map_err(|_| InvalidUrl::Malformed)?;
        if postgres.get_hosts().is_empty() {
            return Err(InvalidUrl::NoHost);
        }
        let is_near = |host: &Host| match host {
            Host::Tcp(name) => ["localhost", "127.0.0.1", "::1", "[::1]"].contains(&name.as_str()),
            #[cfg(unix)]
            Host::Unix(_) => true,
        };
        postgres.ssl_mode(match ssl_mode.as_deref() {
            None if postgres.get_hosts().iter().all(is_near) => SslMode::Disable,
            None | Some("verify-full") => SslMode::Require,
            Some("disable") => SslMode::Disable,
            Some(_) => return Err(InvalidUrl::SslMode),
        });
        if postgres.get_application_name().is_none() {
            postgres.application_name("tollgate");
        }
        if postgres.get_connect_timeout().is_none() {
            postgres.connect_timeout(CONNECT_TIMEOUT);
        }
        if postgres.get_tcp_user_timeout().is_none() {
            postgres.tcp_user_timeout(HOST_TIMEOUT);
        }
        postgres.keepalives_idle(HOST_TIMEOUT).keepalives_interval(Duration::from_secs(1)).keepalives_retries(3);
        postgres.target_session_attrs(TargetSessionAttrs::ReadWrite);
        let timeouts = format!(
            "-c lock_timeout={} -c idle_in_transaction_session_timeout={}",
            LOCK_TIMEOUT.as_millis(),
            IDLE_IN_TRANSACTION_TIMEOUT.as_millis()
        );
        let options = postgres.get_options().map_or(timeouts.clone(), |own| format!("{timeouts} {own}"));
        postgres.options(options);
        Ok(PostgresConfig { postgres, password_file, root_certificates, pool_size, feed: None })
    }

    /// Reads the feed and its snapshots from these servers, which may be standbys. They are polled every
    /// [`STANDBY_LOOK_INTERVAL`](crate::limits::STANDBY_LOOK_INTERVAL), because a standby sends no notifications.
    #[must_use]
    pub fn feed_from(mut self, mut replicas: PostgresConfig) -> Self {
        replicas.postgres.target_session_attrs(TargetSessionAttrs::Any);
        replicas.feed = None;
        self.feed = Some(Box::new(replicas));
        self
    }
}

/// The location, without a password.
impl fmt::Display for PostgresConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("postgres://")?;
        if let Some(user) = self.postgres.get_user() {
            write!(f, "{user}@")?;
        }
        let ports = self.postgres.get_ports();
        for (index, host) in self.postgres.get_hosts().iter().enumerate() {
            f.write_str(if index > 0 { "," } else { "" })?;
            match host {
                Host::Tcp(name) => write!(f, "{name}")?,
                #[cfg(unix)]
                Host::Unix(folder) => write!(f, "{}", folder.display())?,
            }
            write!(f, ":{}", ports.get(index).or(ports.first()).unwrap_or(&5432))?;
        }
        write!(f, "/{}", self.postgres.get_dbname().unwrap_or_default())
    }
}

impl fmt::Debug for PostgresConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PostgresConfig({self})")
    }
}

/// The reason why a URL is not a [`PostgresConfig`].
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidUrl {
    /// Another scheme.
    #[error("the URL of a PostgreSQL store begins with postgres://")]
    Scheme,
    /// No host is named.
    #[error("the URL names no host; a unix socket's folder is one, with %2F for each slash")]
    NoHost,
    /// The URL is malformed.
    #[error(
        "this is no connection URL of PostgreSQL, or a parameter is unknown: postgres://USER@HOST:PORT/DATABASE?NAME=VALUE"
    )]
    Malformed,
    /// A parameter is not allowed, or its value cannot be decoded.
    #[error("the URL's parameter {name:?} cannot be given, or its value cannot be read")]
    Parameter {
        /// Its name.
        name: Box<str>,
    },
    /// An unsupported `sslmode`.
    #[error("sslmode is verify-full or disable: modes that check less, or fall back, protect nothing")]
    SslMode,
    /// An invalid `pool_size`.
    #[error("pool_size is a number from 2 to {MAX_POOL_SIZE}")]
    PoolSize,
}

/// RFC 3986 section 2.1. `None` for malformed encoding, or a value that is not UTF-8.
fn decode(value: &str) -> Option<String> {
    let (mut bytes, mut rest) = (Vec::new(), value.as_bytes());
    while let [first, after @ ..] = rest {
        (bytes, rest) = match (first, after) {
            (b'%', [high, low, after @ ..]) => {
                let digit = |byte: &u8| char::from(*byte).to_digit(16);
                bytes.push((digit(high)? * 16 + digit(low)?) as u8);
                (bytes, after)
            }
            (b'%', _) => return None,
            _ => {
                bytes.push(*first);
                (bytes, after)
            }
        };
    }
    String::from_utf8(bytes).ok()
}
