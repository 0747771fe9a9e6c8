use crate::accounts::Accounts;
use crate::app::App;
use crate::backchannel_logout;
use crate::client_authorities::ClientAuthorities;
use crate::config::Config;
use crate::connection::{Connection, Patience};
use crate::connection_count::ConnectionCount;
use crate::demo;
use crate::error::ServerError;
use crate::limits::MAX_CONNECTIONS;
use crate::routes;
use crate::tls::{Tls, TlsConfigs, TlsFiles};
use axum::Router;
use std::net::SocketAddr;
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The reference service, listening; [`run`](Server::run) answers.
///
/// ```
/// use std::net::{Ipv4Addr, SocketAddr};
/// use tollgate_service::{Config, Server};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let config = Config {
///     store: None, // a temporary one
///     listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
///     ..Config::default()
/// };
/// let server = Server::bind(config).await?;
/// println!("listening on {}", server.origin());
/// server.run(async { /* until this future is ready */ }).await?;
/// # Ok(())
/// # }
/// ```
pub struct Server {
    listener: Listener,
    /// The one that asks clients for certificates.
    mtls_listener: Option<Listener>,
    app: Arc<App>,
    router: Router,
    demo: Option<String>,
    upkeep_interval: Duration,
    patience: Patience,
    /// Removed with the server.
    _temporary: Option<TempDir>,
}

impl Server {
    /// Opens the store, listens, and sets the demo up when it is asked for.
    ///
    /// # Errors
    /// [`ServerError`] says what is wrong with the configuration, the store or the address.
    pub async fn bind(config: Config) -> Result<Self, ServerError> {
        config.check()?;
        let tls = config.tls.as_ref().map(Tls::read).transpose()?;
        let mtls = tls.as_ref().map(Tls::asking_for_certificates);
        let listener = Listener::bind(config.listen, tls).await?;
        let mtls_listener = match config.mtls_listen {
            Some(listen) => Some(Listener::bind(listen, mtls).await?),
            None => None,
        };
        let local_addr = listener.local_addr;
        let origin = config.origin(local_addr)?;
        let mtls_origin = config.mtls_origin(&origin, mtls_listener.as_ref().map(|listener| listener.local_addr))?;
        let upkeep_interval = config.upkeep_interval;
        let patience = Patience { idle: config.idle_timeout, grace: config.shutdown_grace };
        let opened = tokio::task::spawn_blocking(move || open(&config, origin, mtls_origin, local_addr));
        let Opened { app, demo, temporary } = opened.await.map_err(|_| ServerError::Task)??;
        let app = Arc::new(app);
        let router = routes::router(Arc::clone(&app))?;
        Ok(Self { listener, mtls_listener, app, router, demo, upkeep_interval, patience, _temporary: temporary })
    }

    /// The address listened on.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.listener.local_addr
    }

    /// The public origin: `iss` and `aud` of the tokens.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.app.origin
    }

    /// The users and clients, to add some. Also while the server runs: clone it.
    #[must_use]
    pub fn accounts(&self) -> &Accounts {
        &self.app.accounts
    }

    /// What a person is to be told of the demo, when there is one: how to log in, and the files with its curl lines.
    #[must_use]
    pub fn demo(&self) -> Option<&str> {
        self.demo.as_deref()
    }

    /// Replaces the TLS certificate, and the authorities of clients' certificates, while the server runs, as often as files change.
    #[must_use]
    pub fn certificates(&self) -> Certificates {
        let authorities = self.app.mutual_tls.as_ref().and_then(|mutual_tls| mutual_tls.authorities.clone());
        Certificates { tls: self.listener.tls.clone(), authorities }
    }

    /// Answers requests until `shutdown` is ready; then those in flight have [`Config::shutdown_grace`] to finish.
    ///
    /// # Errors
    /// None at present: what fails for one connection does not end the others.
    pub async fn run(self, shutdown: impl Future<Output = ()>) -> Result<(), ServerError> {
        let upkeep = tokio::spawn(upkeep(Arc::clone(&self.app), self.upkeep_interval));
        let logouts = tokio::spawn(backchannel_logout::run(Arc::clone(&self.app)));
        let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        let count = Arc::new(ConnectionCount::default());
        let (connections, stop) = (TaskTracker::new(), CancellationToken::new());
        let mut shutdown = pin!(shutdown);
        loop {
            let accepted = tokio::select! {
                () = &mut shutdown => break,
                accepted = accept(&self.listener, self.mtls_listener.as_ref(), &places) => accepted,
            };
            match accepted {
                Ok(mut connection) => {
                    let address = connection.peer.ip();
                    // A proxy's connections are those of all its clients.
                    if !self.app.trusted_proxies.contain(address) {
                        connection.counted = count.count(address, places.available_permits() + 1);
                        if connection.counted.is_none() {
                            tracing::debug!(%address, "a connection was closed: its address has too many");
                            continue;
                        }
                    }
                    connections.spawn(connection.serve(self.router.clone(), stop.clone(), self.patience));
                }
                Err(error) => {
                    // Out of descriptors, or a peer that went away: neither ends the service.
                    tracing::warn!("a connection was not accepted: {error}");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
        drop((self.listener, self.mtls_listener));
        tracing::info!("stopping: {} connections open", connections.len());
        stop.cancel();
        connections.close();
        // Each ends by itself within this time.
        connections.wait().await;
        upkeep.abort();
        logouts.abort();
        Ok(())
    }
}

/// The certificates that a running [`Server`] uses: its own for TLS, and those of the authorities of its clients.
#[derive(Clone)]
pub struct Certificates {
    tls: Option<Tls>,
    authorities: Option<ClientAuthorities>,
}

impl Certificates {
    /// Reads these files. They apply from the next connection and the next request on. A file that the server does not use is not read.
    ///
    /// # Errors
    /// [`ServerError::Tls`] says what is wrong with a file; nothing is replaced then.
    pub fn replace(&self, tls: Option<&TlsFiles>, client_ca: Option<&Path>) -> Result<(), ServerError> {
        let tls = self.tls.as_ref().zip(tls).map(|(tls, files)| Ok::<_, ServerError>((tls, TlsConfigs::read(files)?)));
        let tls = tls.transpose()?;
        if let Some((authorities, file)) = self.authorities.as_ref().zip(client_ca) {
            authorities.replace(file)?;
        }
        if let Some((tls, configs)) = tls {
            tls.replace(configs);
        }
        Ok(())
    }
}

/// Ready when the process is asked to stop: Ctrl-C, or SIGTERM on Unix.
pub async fn shutdown_signal() {
    let interrupt = async {
        if tokio::signal::ctrl_c().await.is_err() {
            // Without a handler the signal ends the process by itself.
            std::future::pending::<()>().await;
        }
    };
    #[cfg(unix)]
    let terminate = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => drop(signal.recv().await),
            Err(_) => std::future::pending().await,
        }
    };
    #[cfg(not(unix))]
    let terminate = std::future::pending::<()>();
    tokio::select! {
        () = interrupt => {}
        () = terminate => {}
    }
}

struct Opened {
    app: App,
    demo: Option<String>,
    temporary: Option<TempDir>,
}

fn open(
    config: &Config,
    origin: String,
    mtls_origin: Option<String>,
    local_addr: SocketAddr,
) -> Result<Opened, ServerError> {
    let (mut app, temporary) = match &config.store {
        Some(url) => (App::open(url, origin, mtls_origin, config)?, None),
        None => {
            let folder = tempfile::tempdir().map_err(ServerError::TemporaryFolder)?;
            (App::open(&folder.path().into(), origin, mtls_origin, config)?, Some(folder))
        }
    };
    tell_if_nobody_can_log_in(&app, config)?;
    let Some(folder) = temporary.as_ref().filter(|_| config.demo) else {
        return Ok(Opened { app, demo: None, temporary });
    };
    let demo = demo::seed(&app, local_addr, config.tls.is_some())?;
    let guide = demo::write(&demo, folder.path())?;
    app.demo = Some(demo);
    Ok(Opened { app, demo: Some(guide), temporary })
}

/// A service on a new store works, and lets nobody in.
fn tell_if_nobody_can_log_in(app: &App, config: &Config) -> Result<(), ServerError> {
    let Some(url) = config.store.as_ref() else { return Ok(()) };
    if app.accounts.keys.wait(app.accounts.store.users(None, 1))?.is_empty() {
        tracing::warn!(
            "nobody can log in yet, since there is no user in the store: make one with `tollgate user new EMAIL --scope '{} {} {}' --store {}`",
            routes::scopes::PROFILE,
            routes::scopes::READ_SITES,
            routes::scopes::MANAGE_API_KEYS,
            url.option()
        );
    }
    Ok(())
}

/// A socket that is listened on, and what its connections are made with.
struct Listener {
    socket: TcpListener,
    local_addr: SocketAddr,
    tls: Option<Tls>,
}

impl Listener {
    async fn bind(listen: SocketAddr, tls: Option<Tls>) -> Result<Self, ServerError> {
        let listening = |source| ServerError::Listen { listen, source };
        let socket = TcpListener::bind(listen).await.map_err(listening)?;
        let local_addr = socket.local_addr().map_err(listening)?;
        Ok(Self { socket, local_addr, tls })
    }
}

/// The next connection of either listener, once there is room for it.
async fn accept(
    listener: &Listener,
    mtls_listener: Option<&Listener>,
    places: &Arc<Semaphore>,
) -> std::io::Result<Connection> {
    let permit = Arc::clone(places).acquire_owned().await.map_err(std::io::Error::other)?;
    let accept_mtls = async {
        match mtls_listener {
            Some(listener) => (listener.socket.accept().await, listener),
            None => std::future::pending().await,
        }
    };
    let (accepted, listener) = tokio::select! {
        accepted = listener.socket.accept() => (accepted, listener),
        accepted = accept_mtls => accepted,
    };
    let (stream, peer) = accepted?;
    stream.set_nodelay(true)?;
    Ok(Connection { stream, tls: listener.tls.clone(), peer, permit, counted: None })
}

async fn upkeep(app: Arc<App>, interval: Duration) {
    let mut timer = tokio::time::interval(interval);
    loop {
        timer.tick().await;
        if let Err(error) = app.blocking(App::upkeep).await {
            tracing::error!(code = error.code(), "upkeep failed: {error}");
        }
    }
}

/// Long enough not to spin when descriptors run out, short enough not to be noticed.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
