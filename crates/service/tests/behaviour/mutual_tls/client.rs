//! A client with a certificate, over a TLS socket.

use super::certificates::Identity;
use reqwest::blocking::Response;
use rustls::client::ResolvesClientCert;
use rustls::pki_types::CertificateDer;
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, ClientConnection, RootCertStore, SignatureScheme, StreamOwned, SupportedProtocolVersion};
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

pub(super) struct TlsClient {
    config: Arc<ClientConfig>,
    asked: Arc<Asked>,
}

/// The client's certificate, and whether a server has asked for one.
#[derive(Debug)]
struct Asked {
    key: Option<Arc<CertifiedKey>>,
    is_asked: AtomicBool,
}

impl ResolvesClientCert for Asked {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.is_asked.store(true, Ordering::Relaxed);
        self.key.clone()
    }

    fn has_certs(&self) -> bool {
        true
    }
}

impl TlsClient {
    /// A client that trusts this certificate alone.
    pub(super) fn new(server: &CertificateDer<'static>, identity: Option<&Identity>) -> Self {
        Self::speaking(rustls::DEFAULT_VERSIONS, server, identity)
    }

    /// One that speaks these versions of TLS.
    pub(super) fn speaking(
        versions: &[&'static SupportedProtocolVersion],
        server: &CertificateDer<'static>,
        identity: Option<&Identity>,
    ) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add(server.clone()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let key = identity.map(|identity| {
            let key = provider.key_provider.load_private_key(identity.private_key()).unwrap();
            Arc::new(CertifiedKey::new(identity.chain.clone(), key))
        });
        let asked = Arc::new(Asked { key, is_asked: AtomicBool::new(false) });
        let config = ClientConfig::builder_with_provider(provider).with_protocol_versions(versions).unwrap();
        let config = config.with_root_certificates(roots).with_client_cert_resolver(Arc::clone(&asked) as _);
        Self { config: Arc::new(config), asked }
    }

    pub(super) fn is_asked_for_a_certificate(&self) -> bool {
        self.asked.is_asked.load(Ordering::Relaxed)
    }

    pub(super) fn get(&self, url: &str, headers: &[(&str, &str)]) -> Response {
        self.send("GET", url, headers, "")
    }

    pub(super) fn post(&self, url: &str, headers: &[(&str, &str)], form: &[(&str, &str)]) -> Response {
        let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let of_form = ("content-type", "application/x-www-form-urlencoded");
        self.send("POST", url, &[headers, &[of_form]].concat(), &form)
    }

    fn send(&self, method: &str, url: &str, headers: &[(&str, &str)], body: &str) -> Response {
        self.try_send(method, url, headers, body).unwrap()
    }

    /// The error where the server does not let the client in.
    pub(super) fn try_get(&self, url: &str) -> io::Result<Response> {
        self.try_send("GET", url, &[], "")
    }

    fn try_send(&self, method: &str, url: &str, headers: &[(&str, &str)], body: &str) -> io::Result<Response> {
        let url = reqwest::Url::parse(url).unwrap();
        let host = url.host_str().unwrap();
        let authority = (host, url.port_or_known_default().unwrap());
        let connection = ClientConnection::new(Arc::clone(&self.config), host.to_owned().try_into().unwrap()).unwrap();
        let mut stream = StreamOwned::new(connection, TcpStream::connect(authority).unwrap());
        let target = url.path();
        let mut request =
            format!("{method} {target} HTTP/1.1\r\nHost: {host}:{}\r\nConnection: close\r\n", authority.1);
        for (name, value) in headers {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        request.push_str(&format!("Content-Length: {}\r\n\r\n{body}", body.len()));
        stream.write_all(request.as_bytes())?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        Ok(read(&answer))
    }
}

/// Head and body of an answer whose end is the connection's.
fn read(answer: &[u8]) -> Response {
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n").expect("an answer");
    let mut lines = std::str::from_utf8(&answer[..end]).unwrap().lines();
    let status: u16 = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let mut response = http::Response::builder().status(status);
    for line in lines {
        let (name, value) = line.split_once(": ").unwrap();
        response = response.header(name, value);
    }
    response.body(answer[end + 4..].to_vec()).unwrap().into()
}
