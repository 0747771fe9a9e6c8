//! An identity provider on loopback that misbehaves on command. It runs on its own threads, so that its time is real
//! while tokio's is paused.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// The provider. Every path has the common behaviour, except paths with one of their own.
pub(crate) struct Provider {
    address: SocketAddr,
    state: Arc<State>,
    running: Option<Running>,
}

const ANY_PORT: SocketAddr = SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0));

#[derive(Default)]
struct State {
    behaviour: Mutex<Option<Behaviour>>,
    by_path: Mutex<BTreeMap<String, Behaviour>>,
    requests: Mutex<Vec<Request>>,
    tls: Option<Arc<ServerConfig>>,
}

struct Running {
    stop: Arc<AtomicBool>,
    accepting: JoinHandle<()>,
}

/// A received request. The names of header fields are in lower case.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) fields: BTreeMap<String, String>,
    pub(crate) body: String,
}

pub(crate) trait Peer: Read + Write {}
impl<T: Read + Write> Peer for T {}

/// The reaction to a request: writes anything to a socket, or nothing.
pub(crate) type Behaviour = Arc<dyn Fn(&Request, &mut dyn Peer) -> io::Result<()> + Send + Sync>;

impl Provider {
    pub(crate) fn start(behaviour: Behaviour) -> Self {
        Self::start_at(ANY_PORT, behaviour, None)
    }

    pub(crate) fn start_tls(behaviour: Behaviour, tls: ServerConfig) -> Self {
        Self::start_tls_at(ANY_PORT, behaviour, tls)
    }

    pub(crate) fn start_tls_at(address: SocketAddr, behaviour: Behaviour, tls: ServerConfig) -> Self {
        Self::start_at(address, behaviour, Some(Arc::new(tls)))
    }

    fn start_at(address: SocketAddr, behaviour: Behaviour, tls: Option<Arc<ServerConfig>>) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(State { behaviour: Mutex::new(Some(behaviour)), tls, ..State::default() });
        let running = Some(Running::accept(listener, Arc::clone(&state)));
        Provider { address, state, running }
    }

    pub(crate) fn becomes(&self, behaviour: Behaviour) {
        *self.state.behaviour.lock().unwrap() = Some(behaviour);
    }

    pub(crate) fn answers(&self, path: &str, behaviour: Behaviour) {
        self.state.by_path.lock().unwrap().insert(path.to_owned(), behaviour);
    }

    /// Stops listening: connections are refused.
    pub(crate) fn goes_down(&mut self) {
        if let Some(running) = self.running.take() {
            running.stop.store(true, Ordering::SeqCst);
            let _ = TcpStream::connect(self.address);
            running.accepting.join().unwrap();
        }
    }

    pub(crate) fn comes_back(&mut self) {
        let listener = TcpListener::bind(self.address).unwrap();
        self.running = Some(Running::accept(listener, Arc::clone(&self.state)));
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn uri(&self, path: &str) -> String {
        let scheme = if self.state.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}{path}", self.address)
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.state.requests.lock().unwrap().clone()
    }

    pub(crate) fn request_count(&self) -> usize {
        self.state.requests.lock().unwrap().len()
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        self.goes_down();
    }
}

impl Running {
    fn accept(listener: TcpListener, state: Arc<State>) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let accepting = thread::spawn(move || {
            for peer in listener.incoming() {
                if stopped.load(Ordering::SeqCst) {
                    break;
                }
                let state = Arc::clone(&state);
                // Connection errors are part of the tests, so they are ignored.
                thread::spawn(move || peer.and_then(|peer| state.serve(peer)));
            }
        });
        Running { stop, accepting }
    }
}

impl State {
    fn serve(&self, peer: TcpStream) -> io::Result<()> {
        peer.set_read_timeout(Some(Duration::from_secs(60)))?;
        match &self.tls {
            None => self.answer(peer),
            Some(tls) => {
                let connection = ServerConnection::new(Arc::clone(tls)).map_err(io::Error::other)?;
                let mut stream = StreamOwned::new(connection, peer);
                let served = self.answer(&mut stream);
                stream.conn.send_close_notify();
                let _ = stream.flush();
                served
            }
        }
    }

    fn answer(&self, mut peer: impl Peer) -> io::Result<()> {
        let request = read_request(&mut peer)?;
        self.requests.lock().unwrap().push(request.clone());
        let own = self.by_path.lock().unwrap().get(&request.path).cloned();
        let behaviour = own.or_else(|| self.behaviour.lock().unwrap().clone()).unwrap();
        behaviour(&request, &mut peer)
    }
}

fn read_request(peer: &mut impl Read) -> io::Result<Request> {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        peer.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).map_err(io::Error::other)?;
    let mut lines = head.lines();
    let mut first = lines.next().unwrap_or_default().split(' ').map(str::to_owned);
    let (method, path) = (first.next().unwrap_or_default(), first.next().unwrap_or_default());
    let fields = lines.filter_map(|line| line.split_once(": "));
    let fields: BTreeMap<_, _> = fields.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect();
    let mut body = vec![0; fields.get("content-length").map_or(0, |length| length.parse().unwrap())];
    peer.read_exact(&mut body)?;
    Ok(Request { method, path, fields, body: String::from_utf8(body).map_err(io::Error::other)? })
}
