//! Connections, and the pool for commands and look-ups.

use std::future::poll_fn;
use std::pin::Pin;

use deadpool_postgres::{Connect, Manager, ManagerConfig, Pool, RecyclingMethod, Runtime};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio_postgres::config::SslMode;
use tokio_postgres::{AsyncMessage, Client, Config, Connection, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;
use tollgate_storage::StorageError;

use crate::config::PostgresConfig;
use crate::limits::POOL_TIMEOUT;
use crate::tls;

/// Connects to the servers of one URL. The runtime in which the store was opened drives the connections, whichever runtime
/// uses them.
#[derive(Clone)]
pub(crate) struct Connector {
    config: PostgresConfig,
    tls: Option<MakeRustlsConnect>,
    runtime: Handle,
}

type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Receives the server's notices and notifications.
pub(crate) type OnMessage = dyn Fn(AsyncMessage) + Send + Sync;

impl Connector {
    pub(crate) fn new(config: &PostgresConfig) -> Result<Self, StorageError> {
        let tls = match config.postgres.get_ssl_mode() {
            SslMode::Disable => None,
            _ => Some(tls::connector(config.root_certificates.as_deref()).map_err(|source| location(config, source))?),
        };
        Ok(Connector { config: config.clone(), tls, runtime: Handle::current() })
    }

    /// A separate connection, whose notices and notifications go to `on_message`.
    pub(crate) async fn connect(&self, on_message: Box<OnMessage>) -> Result<(Client, Driver), tokio_postgres::Error> {
        let (connector, runtime) = (self.clone(), self.runtime.clone());
        let connecting = runtime.spawn(async move {
            let config = connector.with_password();
            match &connector.tls {
                None => {
                    let (client, connection) = config.connect(NoTls).await?;
                    Ok((client, connector.runtime.spawn(drive(connection, on_message))))
                }
                Some(tls) => {
                    let (client, connection) = config.connect(tls.clone()).await?;
                    Ok((client, connector.runtime.spawn(drive(connection, on_message))))
                }
            }
        });
        match connecting.await {
            Ok(connected) => connected.map(|(client, task)| (client, Driver(Some(task)))),
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            // The runtime is shutting down, and nothing will ever connect.
            Err(_) => std::future::pending().await,
        }
    }

    /// A token that cancels a statement of `client`.
    pub(crate) async fn cancel(&self, client: &Client) {
        let token = client.cancel_token();
        let _ = match &self.tls {
            None => token.cancel_query(NoTls).await,
            Some(tls) => token.cancel_query(tls.clone()).await,
        };
    }

    /// The file is read each time, so that a password can be changed. If it cannot be read, the server reports a missing
    /// password.
    fn with_password(&self) -> Config {
        let mut config = self.config.postgres.clone();
        if let Some(path) = &self.config.password_file {
            match std::fs::read(path) {
                Ok(password) => {
                    let line = password.strip_suffix(b"\n").unwrap_or(&password);
                    config.password(line.strip_suffix(b"\r").unwrap_or(line));
                }
                Err(error) => tracing::warn!("cannot read the password file {}: {error}", path.display()),
            }
        }
        config
    }

    pub(crate) fn pool(&self) -> Result<Pool, StorageError> {
        let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let manager = Manager::from_connect(self.config.postgres.clone(), self.clone(), recycling);
        let pool = Pool::builder(manager)
            .max_size(self.config.pool_size)
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(POOL_TIMEOUT))
            .create_timeout(Some(POOL_TIMEOUT))
            .build();
        pool.map_err(StorageError::failed)
    }

    pub(crate) fn runtime(&self) -> &Handle {
        &self.runtime
    }
}

impl Connect for Connector {
    fn connect(&self, _: &Config) -> BoxFuture<'_, Result<(Client, JoinHandle<()>), tokio_postgres::Error>> {
        Box::pin(async {
            let (client, driver) = Connector::connect(self, Box::new(|_| {})).await?;
            Ok((client, driver.into_task()))
        })
    }
}

/// The task that drives a connection; dropping this ends it.
#[derive(Debug)]
pub(crate) struct Driver(Option<JoinHandle<()>>);

impl Driver {
    fn into_task(mut self) -> JoinHandle<()> {
        self.0.take().expect("there until it is taken")
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        if let Some(task) = &self.0 {
            task.abort();
        }
    }
}

async fn drive<S, T>(mut connection: Connection<S, T>, on_message: Box<OnMessage>)
where
    S: AsyncRead + AsyncWrite + Unpin,
    T: AsyncRead + AsyncWrite + Unpin,
{
    loop {
        match poll_fn(|context| connection.poll_message(context)).await {
            Some(Ok(message)) => on_message(message),
            Some(Err(error)) => {
                tracing::debug!("a connection to PostgreSQL has ended: {error}");
                return;
            }
            None => return,
        }
    }
}

pub(crate) fn location(
    config: &PostgresConfig,
    source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> StorageError {
    StorageError::Location { location: config.to_string(), source: source.into() }
}
