//! Connections: how many there may be, how long they may be of no use, HTTP/2, and TLS.

use crate::support::{TestServer, client, config};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use reqwest::Version;
use reqwest::blocking::Client;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use std::fs;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tollgate_service::{Config, Server, ServerError, TlsFiles};

/// A quarter of the connections that the service takes.
const MOST_OF_ONE_ADDRESS: usize = 128;

const HEALTH: &str = "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";

#[test]
fn a76_one_address_has_a_share_of_the_connections() {
    let server = TestServer::start();
    let mut held: Vec<_> = (0..MOST_OF_ONE_ADDRESS).map(|_| TcpStream::connect(server.address).unwrap()).collect();
    assert!(is_closed_within(TcpStream::connect(server.address).unwrap(), Duration::from_secs(5)));
    // Another address has its own.
    let other = Client::builder().local_address("127.0.0.2".parse().ok()).build().unwrap();
    assert_eq!(other.get(server.url("/healthz")).send().unwrap().text().unwrap(), "ok\n");
    // A place that was left can be taken again.
    drop(held.pop());
    let start = Instant::now();
    while client().get(server.url("/healthz")).send().is_err() {
        assert!(start.elapsed() < Duration::from_secs(5), "no place came free");
    }
}

/// Each in a network of its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a76_a_handful_of_addresses_leaves_places_for_others() {
    let server = tokio::task::spawn_blocking(TestServer::start).await.unwrap();
    let mut held = Vec::new();
    // As many as there are places: more would wait to be accepted.
    for network in 1..=4 {
        for _ in 0..MOST_OF_ONE_ADDRESS {
            let socket = tokio::net::TcpSocket::new_v4().unwrap();
            socket.bind((Ipv4Addr::new(127, 76, network, 1), 0).into()).unwrap();
            held.push(socket.connect(server.address).await.unwrap());
        }
    }
    let health = tokio::task::spawn_blocking(move || {
        let other = Client::builder().local_address("127.0.0.1".parse().ok()).timeout(Duration::from_secs(5));
        let answer = other.build().unwrap().get(server.url("/healthz")).send().map(|answer| answer.text().unwrap());
        (answer, server)
    });
    assert_eq!(health.await.unwrap().0.unwrap(), "ok\n");
}

#[test]
fn a76_a_client_that_never_reads_is_cut_off() {
    let (idle_timeout, shutdown_grace) = (Duration::from_millis(600), Duration::from_millis(400));
    let server = TestServer::start_with(Config { store: None, idle_timeout, shutdown_grace, ..config() });
    let mut stream = TcpStream::connect(server.address).unwrap();
    stream.set_write_timeout(Some(Duration::from_millis(100))).unwrap();
    let start = Instant::now();
    let ended = loop {
        match stream.write(b"GET /assets/style.css HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n") {
            Ok(_) => {}
            // Nobody takes more requests while their answers cannot be sent.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                assert!(start.elapsed() < Duration::from_secs(20), "never cut off");
            }
            Err(error) => break error.kind(),
        }
    };
    assert!(matches!(ended, io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe), "{ended}");
    assert!(start.elapsed() > idle_timeout, "cut off before it was idle");
}

#[test]
fn a76_a_connection_that_asks_for_nothing_is_closed() {
    let server = TestServer::start();
    let start = Instant::now();
    assert!(is_closed_within(TcpStream::connect(server.address).unwrap(), Duration::from_secs(20)));
    assert!(start.elapsed() > Duration::from_secs(5), "closed before it could ask");
}

#[test]
fn a76_a_head_that_comes_slowly_is_cut_off() {
    let (idle_timeout, shutdown_grace) = (Duration::from_millis(600), Duration::from_millis(400));
    let server = TestServer::start_with(Config { store: None, idle_timeout, shutdown_grace, ..config() });
    // The first head of a connection, and a later one.
    for begin in ["", HEALTH] {
        let mut stream = TcpStream::connect(server.address).unwrap();
        stream.write_all(begin.as_bytes()).unwrap();
        let start = Instant::now();
        while stream.write_all(b"G").is_ok() {
            assert!(start.elapsed() < Duration::from_secs(20), "never cut off");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

#[test]
fn a_connection_is_kept_for_longer_than_a_first_request_may_take() {
    let server = TestServer::start();
    let mut stream = TcpStream::connect(server.address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    for pause in [Duration::from_secs(11), Duration::ZERO] {
        stream.write_all(HEALTH.as_bytes()).unwrap();
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"HTTP/1.1 200");
        while !answer.ends_with(b"ok\n") {
            answer.rotate_left(1);
            stream.read_exact(&mut answer[11..]).unwrap();
        }
        std::thread::sleep(pause);
    }
}

/// CVE-2023-44487.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a76_streams_that_are_opened_and_reset_at_once_end_the_connection() {
    const STREAMS: usize = 20_000;
    let server = tokio::task::spawn_blocking(TestServer::start).await.unwrap();
    let stream = tokio::net::TcpStream::connect(server.address).await.unwrap();
    let (mut requests, connection) = h2::client::handshake(stream).await.unwrap();
    let ended = tokio::spawn(connection);
    let request = || http::Request::get(server.url("/healthz")).body(()).unwrap();
    let mut opened = 0;
    while opened < STREAMS {
        match requests.clone().ready().await {
            Ok(ready) => requests = ready,
            Err(_) => break,
        }
        let Ok((_, mut stream)) = requests.send_request(request(), true) else { break };
        stream.send_reset(h2::Reason::CANCEL);
        opened += 1;
    }
    drop(requests);
    assert!(opened < STREAMS, "all of them were taken");
    // ENHANCE_YOUR_CALM, or a closed socket where the client was still writing.
    ended.await.unwrap().expect_err("the server ended the connection");
    tokio::task::spawn_blocking(move || {
        assert_eq!(client().get(server.url("/healthz")).send().unwrap().status().as_u16(), 200);
    })
    .await
    .unwrap();
}

#[test]
fn a77_a_query_of_thousands_of_parameters_is_not_read() {
    let server = TestServer::start();
    let query: String = (0..6_000).map(|number| format!("p{number}=1&")).collect();
    let answer = server.client.get(server.url(&format!("/oauth/v2/authorize?{query}"))).send().unwrap();
    assert_eq!(answer.status().as_u16(), 400);
    assert!(answer.text().unwrap().contains("too many parameters"));
}

#[test]
fn http_2_is_answered_without_tls_and_with_it() {
    let plain = TestServer::start();
    let client = Client::builder().http2_prior_knowledge().build().unwrap();
    let answer = client.get(plain.url("/healthz")).send().unwrap();
    assert_eq!((answer.version(), answer.text().unwrap().as_str()), (Version::HTTP_2, "ok\n"));

    let folder = TempDir::new().unwrap();
    let files = certificate(folder.path(), "one");
    let server = TestServer::start_with(Config { tls: Some(files.clone()), store: None, ..config() });
    assert!(server.origin.starts_with("https://127.0.0.1:"), "{}", server.origin);
    assert_eq!(negotiated(&server, &files, &[b"h2", b"http/1.1"]).as_deref(), Some(&b"h2"[..]));
    assert_eq!(negotiated(&server, &files, &[b"http/1.1"]).as_deref(), Some(&b"http/1.1"[..]));
    let answer = get_over_tls(&server, &files).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("\r\n\r\nok\n"), "{answer}");
    assert!(answer.contains("\r\nstrict-transport-security: max-age="), "{answer}");
    let plain = server.origin.replacen("https", "http", 1);
    assert!(client.get(format!("{plain}/healthz")).send().is_err(), "answered without TLS");
}

#[test]
fn a_certificate_is_replaced_while_the_service_runs() {
    let folder = TempDir::new().unwrap();
    let (first, second) = (certificate(folder.path(), "first"), certificate(folder.path(), "second"));
    let server = TestServer::start_with(Config { tls: Some(first.clone()), store: None, ..config() });
    let answers = |files: &TlsFiles| get_over_tls(&server, files).is_ok();
    assert_eq!((answers(&first), answers(&second)), (true, false));
    // The key is another certificate's: nothing changes.
    let mixed = TlsFiles { certificates: second.certificates.clone(), key: first.key.clone() };
    assert!(
        matches!(server.certificates.replace(Some(&mixed), None), Err(ServerError::Tls { file, .. }) if file == first.key)
    );
    assert_eq!((answers(&first), answers(&second)), (true, false));
    server.certificates.replace(Some(&second), None).unwrap();
    assert_eq!((answers(&first), answers(&second)), (false, true));
}

#[tokio::test]
async fn files_that_are_no_certificate_are_refused() {
    let folder = TempDir::new().unwrap();
    let good = certificate(folder.path(), "good");
    let empty = folder.path().join("empty.pem");
    fs::write(&empty, "").unwrap();
    let missing = folder.path().join("missing.pem");
    for file in [&empty, &missing, &good.key] {
        let tls = Some(TlsFiles { certificates: file.clone(), ..good.clone() });
        let error = Server::bind(Config { tls, store: None, ..config() }).await.map(drop).unwrap_err();
        assert!(error.to_string().starts_with(&file.display().to_string()), "{error}");
        assert_eq!(error.code(), "tls");
    }
    for file in [&empty, &missing, &good.certificates] {
        let tls = Some(TlsFiles { key: file.clone(), ..good.clone() });
        let error = Server::bind(Config { tls, store: None, ..config() }).await.map(drop).unwrap_err();
        assert!(error.to_string().starts_with(&file.display().to_string()), "{error}");
    }
}

/// Whether the server closes this connection by itself within that time.
fn is_closed_within(mut stream: TcpStream, most: Duration) -> bool {
    stream.set_read_timeout(Some(most)).unwrap();
    match stream.read(&mut [0; 64]) {
        Ok(read) => read == 0,
        Err(error) => error.kind() == io::ErrorKind::ConnectionReset,
    }
}

/// A new certificate of 127.0.0.1 in files of that name.
fn certificate(folder: &Path, name: &str) -> TlsFiles {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let [certificates, key] = ["crt", "key"].map(|kind| folder.join(format!("{name}.{kind}.pem")));
    fs::write(&certificates, cert.pem()).unwrap();
    fs::write(&key, signing_key.serialize_pem()).unwrap();
    TlsFiles { certificates, key }
}

/// What the server answers to a client that trusts this certificate alone.
fn get_over_tls(server: &TestServer, files: &TlsFiles) -> io::Result<String> {
    let mut stream = StreamOwned::new(trusting(files, &[]), TcpStream::connect(server.address)?);
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

/// The protocol that the server chooses of those.
fn negotiated(server: &TestServer, files: &TlsFiles, protocols: &[&[u8]]) -> Option<Vec<u8>> {
    let mut connection = trusting(files, protocols);
    connection.complete_io(&mut TcpStream::connect(server.address).unwrap()).unwrap();
    connection.alpn_protocol().map(<[u8]>::to_vec)
}

/// A client that trusts this certificate alone, and speaks these protocols.
fn trusting(files: &TlsFiles, protocols: &[&[u8]]) -> ClientConnection {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(&files.certificates).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut tls = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    tls.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
    ClientConnection::new(Arc::new(tls), "127.0.0.1".try_into().unwrap()).unwrap()
}
