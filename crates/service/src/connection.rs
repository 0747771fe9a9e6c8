use crate::client_certificate::ClientCertificate;
use crate::connection_count::CountedConnection;
use crate::limits::{
    FIRST_REQUEST_TIMEOUT, HANDSHAKE_TIMEOUT, MAX_HEAD_BYTES, MAX_STREAMS, PING_TIMEOUT, STREAM_BUFFER_BYTES,
};
use crate::tls::Tls;
use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use axum::http::Extensions;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use parking_lot::Mutex;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tower_service::Service;

/// An accepted connection, and its places among all connections, which it leaves when it is dropped.
pub(crate) struct Connection {
    pub(crate) stream: TcpStream,
    /// Where it is to be over TLS.
    pub(crate) tls: Option<Tls>,
    pub(crate) peer: SocketAddr,
    pub(crate) permit: OwnedSemaphorePermit,
    pub(crate) counted: Option<CountedConnection>,
}

/// How long a connection may be of no use.
#[derive(Clone, Copy)]
pub(crate) struct Patience {
    /// Without a request in flight.
    pub(crate) idle: Duration,
    /// Once it is to end.
    pub(crate) grace: Duration,
}

impl Connection {
    /// Answers the requests of this connection by `router` until the client ends it, it has
    /// been idle for too long, or `stop` is cancelled; then the requests in flight have `patience.grace` to finish.
    pub(crate) async fn serve(self, router: Router, stop: CancellationToken, patience: Patience) {
        let Self { stream, tls, peer, permit, counted } = self;
        let _places = (permit, counted);
        let Some(tls) = tls else { return answer(stream, Peer::at(peer), router, stop, patience).await };
        match tokio::time::timeout(HANDSHAKE_TIMEOUT, tls.accept(stream)).await {
            Ok(Ok(stream)) => {
                let chain = stream.get_ref().1.peer_certificates().unwrap_or_default();
                let certificate = ClientCertificate::of_chain(chain.iter().cloned());
                answer(stream, Peer { address: peer, certificate }, router, stop, patience).await;
            }
            Ok(Err(error)) => tracing::debug!("a TLS handshake failed: {error}"),
            Err(_) => tracing::debug!("a TLS handshake took too long"),
        }
    }
}

/// The other end of a connection.
#[derive(Clone)]
struct Peer {
    address: SocketAddr,
    certificate: Option<ClientCertificate>,
}

impl Peer {
    fn at(address: SocketAddr) -> Self {
        Self { address, certificate: None }
    }

    /// For the routes, and for the engine.
    fn note_in(&self, extensions: &mut Extensions) {
        extensions.insert(ConnectInfo(self.address));
        if let Some(certificate) = &self.certificate {
            extensions.insert(certificate.of_peer());
            extensions.insert(certificate.clone());
        }
    }
}

async fn answer<S>(stream: S, peer: Peer, router: Router, stop: CancellationToken, patience: Patience)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let activity = Arc::new(Activity::new());
    let seen = Arc::clone(&activity);
    let service = service_fn(move |mut request: Request<Incoming>| {
        let in_flight = InFlight::begin(&seen);
        peer.note_in(request.extensions_mut());
        let response = router.clone().call(request.map(Body::new));
        async move {
            let response = response.await;
            drop(in_flight);
            response
        }
    });
    let mut builder = auto::Builder::new(TokioExecutor::new());
    // hyper's time for a head also runs while a kept connection waits for its next request, which may take `patience.idle`.
    builder.http1().header_read_timeout(None).max_buf_size(MAX_HEAD_BYTES);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(MAX_STREAMS)
        .max_header_list_size(MAX_HEAD_BYTES as u32)
        .max_send_buf_size(STREAM_BUFFER_BYTES)
        .keep_alive_interval(PING_TIMEOUT)
        .keep_alive_timeout(PING_TIMEOUT);
    let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
    tokio::select! {
        ended = connection.as_mut() => return log(ended),
        () = stop.cancelled() => {}
        () = activity.until_idle(patience.idle) => {}
    }
    connection.as_mut().graceful_shutdown();
    match tokio::time::timeout(patience.grace, connection).await {
        Ok(ended) => log(ended),
        // A client that does not read its answer, or a request that is not answered in time.
        Err(_) => tracing::debug!("a connection was cut off"),
    }
}

fn log(ended: Result<(), Box<dyn std::error::Error + Send + Sync>>) {
    if let Err(error) = ended {
        tracing::debug!("a connection ended early: {error}");
    }
}

/// When a connection was last of use.
///
/// A request is over when its response begins, so a client that does not read a response is as idle as one that asks for
/// nothing: HTTP/1.1's and HTTP/2's flow control keep such a connection open for ever otherwise.
struct Activity(Mutex<Requests>);

struct Requests {
    in_flight: usize,
    any: bool,
    changed: Instant,
}

impl Activity {
    fn new() -> Self {
        Self(Mutex::new(Requests { in_flight: 0, any: false, changed: Instant::now() }))
    }

    /// Ready when no request has been in flight for `idle`, or none came within [`FIRST_REQUEST_TIMEOUT`].
    async fn until_idle(&self, idle: Duration) {
        loop {
            let left = self.0.lock().left(idle);
            if left.is_zero() {
                return;
            }
            tokio::time::sleep(left).await;
        }
    }
}

impl Requests {
    /// The least time until the connection can be idle for too long.
    fn left(&self, idle: Duration) -> Duration {
        let timeout = if self.any { idle } else { FIRST_REQUEST_TIMEOUT };
        if self.in_flight == 0 { timeout.saturating_sub(self.changed.elapsed()) } else { timeout }
    }
}

/// A request that has no response yet. One that is given up, because its stream was reset, is dropped too.
struct InFlight(Arc<Activity>);

impl InFlight {
    fn begin(activity: &Arc<Activity>) -> Self {
        let mut requests = activity.0.lock();
        requests.in_flight += 1;
        requests.any = true;
        Self(Arc::clone(activity))
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        let mut requests = self.0.0.lock();
        requests.in_flight -= 1;
        requests.changed = Instant::now();
    }
}
