use crate::accounts::Accounts;
use crate::app::App;
use crate::config::Config;
use crate::demo;
use crate::error::ServerError;
use crate::limits::{HEAD_TIMEOUT, MAX_CONNECTIONS, MAX_HEAD_BYTES, SHUTDOWN_GRACE};
use crate::routes;
use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tower_service::Service;

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
    listener: TcpListener,
    local_addr: SocketAddr,
    app: Arc<App>,
    router: Router,
    demo: Option<String>,
    upkeep_interval: Duration,
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
        let listen = config.listen;
        let listening = |source| ServerError::Listen { listen, source };
        let listener = TcpListener::bind(listen).await.map_err(listening)?;
        let local_addr = listener.local_addr().map_err(listening)?;
        let origin = config.origin(local_addr)?;
        let upkeep_interval = config.upkeep_interval;
        let opened = tokio::task::spawn_blocking(move || open(&config, origin, local_addr));
        let Opened { app, demo, temporary } = opened.await.map_err(|_| ServerError::Task)??;
        let app = Arc::new(app);
        let router = routes::router(Arc::clone(&app))?;
        Ok(Self { listener, local_addr, app, router, demo, upkeep_interval, _temporary: temporary })
    }

    /// The address listened on.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
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

    /// Answers requests until `shutdown` is ready; then those in flight have ten seconds to finish.
    ///
    /// # Errors
    /// None at present: what fails for one connection does not end the others.
    pub async fn run(self, shutdown: impl Future<Output = ()>) -> Result<(), ServerError> {
        let upkeep = tokio::spawn(upkeep(Arc::clone(&self.app), self.upkeep_interval));
        let connections = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        let graceful = GracefulShutdown::new();
        let mut shutdown = pin!(shutdown);
        loop {
            let accepted = tokio::select! {
                () = &mut shutdown => break,
                accepted = accept(&self.listener, &connections) => accepted,
            };
            match accepted {
                Ok(accepted) => serve(accepted, self.router.clone(), &graceful),
                Err(error) => {
                    // Out of descriptors, or a peer that went away: neither ends the service.
                    tracing::warn!("a connection was not accepted: {error}");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
        drop(self.listener);
        tracing::info!("stopping: {} connections open", graceful.count());
        if tokio::time::timeout(SHUTDOWN_GRACE, graceful.shutdown()).await.is_err() {
            tracing::warn!("some requests did not finish in time");
        }
        upkeep.abort();
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

fn open(config: &Config, origin: String, local_addr: SocketAddr) -> Result<Opened, ServerError> {
    let (mut app, temporary) = match &config.store {
        Some(url) => (App::open(url, origin, config)?, None),
        None => {
            let folder = tempfile::tempdir().map_err(ServerError::TemporaryFolder)?;
            (App::open(&folder.path().into(), origin, config)?, Some(folder))
        }
    };
    tell_if_nobody_can_log_in(&app, config)?;
    let Some(folder) = temporary.as_ref().filter(|_| config.demo) else {
        return Ok(Opened { app, demo: None, temporary });
    };
    let demo = demo::seed(&app, local_addr)?;
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

struct Accepted {
    stream: TcpStream,
    peer: SocketAddr,
    permit: OwnedSemaphorePermit,
}

/// The next connection, once there is room for it.
async fn accept(listener: &TcpListener, connections: &Arc<Semaphore>) -> std::io::Result<Accepted> {
    let permit = Arc::clone(connections).acquire_owned().await.map_err(std::io::Error::other)?;
    let (stream, peer) = listener.accept().await?;
    stream.set_nodelay(true)?;
    Ok(Accepted { stream, peer, permit })
}

fn serve(accepted: Accepted, router: Router, graceful: &GracefulShutdown) {
    let Accepted { stream, peer, permit } = accepted;
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        router.clone().call(request.map(Body::new))
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(MAX_HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), service);
    let watched = graceful.watch(connection);
    tokio::spawn(async move {
        let _permit = permit;
        if let Err(error) = watched.await {
            tracing::debug!("a connection ended early: {error}");
        }
    });
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
