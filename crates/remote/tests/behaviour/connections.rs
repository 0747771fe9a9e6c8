//! Connections to providers: through a proxy, by plain HTTP in a private network, by the caller's own client.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use http::Response;
use hyper::body::Bytes;
use tollgate_remote::{FetchError, HeaderSource, HttpClient, Proxy, RemoteKeys, ResponseBody, Sending};

use crate::support::*;

/// A proxy that supports only CONNECT and records the heads of its requests.
struct Tunnels {
    uri: String,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Tunnels {
    fn start(answer: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let uri = format!("127.0.0.1:{}", listener.local_addr().unwrap().port());
        let heads = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&heads);
        thread::spawn(move || {
            for client in listener.incoming() {
                let (client, heard) = (client.unwrap(), Arc::clone(&heard));
                thread::spawn(move || tunnel(client, answer, &heard));
            }
        });
        Tunnels { uri, heads }
    }
}

fn tunnel(mut client: TcpStream, answer: &str, heads: &Mutex<Vec<String>>) -> Option<()> {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        client.read_exact(&mut byte).ok()?;
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).ok()?;
    let target = head.split(' ').nth(1)?.to_owned();
    heads.lock().unwrap().push(head);
    client.write_all(answer.as_bytes()).ok()?;
    if answer.contains(" 200 ") {
        let mut server = TcpStream::connect(target).ok()?;
        let (mut from_client, mut to_server) = (client.try_clone().ok()?, server.try_clone().ok()?);
        thread::spawn(move || std::io::copy(&mut from_client, &mut to_server));
        std::io::copy(&mut server, &mut client).ok()?;
    }
    Some(())
}

const CONNECTED: &str = "HTTP/1.1 200 Connection established\r\n\r\n";

#[test]
fn https_goes_through_the_proxy_which_sees_no_header_of_the_request() {
    simulate(async {
        let (signer, authority) = (Signer::new(), Authority::new());
        let provider = Provider::start_tls(publishes(signer.jwks()), authority.server("127.0.0.1"));
        let proxy = Tunnels::start(CONNECTED);
        let builder = remote(&provider)
            .root_certificates(authority.pem().as_bytes())
            .header("authorization", HeaderSource::value("Bearer for-the-provider"))
            .proxy(Proxy::uri(&format!("http://ada:p%40ss@{}", proxy.uri)));
        let remote = Remote::start(builder).await;
        assert!(accepts(&remote.engine, &signer.header()), "{:?}", remote.keys.health());
        let heads = proxy.heads.lock().unwrap().concat();
        assert!(heads.starts_with(&format!("CONNECT {} HTTP/1.1\r\n", provider.address())), "{heads}");
        // ada:p@ss
        assert!(heads.contains("Proxy-Authorization: Basic YWRhOnBAc3M=\r\n"), "{heads}");
        assert!(!heads.contains("for-the-provider"), "{heads}");
        let fields = &provider.requests()[0].fields;
        assert_eq!(fields.get("authorization").map(String::as_str), Some("Bearer for-the-provider"));
        assert!(!fields.contains_key("proxy-authorization"));
    });
}

#[test]
fn plain_http_does_not_go_through_the_proxy() {
    simulate(async {
        let signer = Signer::new();
        let (provider, proxy) = (Provider::start(publishes(signer.jwks())), Tunnels::start(CONNECTED));
        let remote = Remote::start(remote(&provider).proxy(Proxy::uri(&format!("http://{}", proxy.uri)))).await;
        assert!(accepts(&remote.engine, &signer.header()));
        assert_eq!(proxy.heads.lock().unwrap().len(), 0);
    });
}

#[test]
fn proxy_that_does_not_connect_is_a_failure_of_its_own() {
    simulate(async {
        let authority = Authority::new();
        let provider = Provider::start_tls(publishes("{}"), authority.server("127.0.0.1"));
        for answer in
            ["HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "HTTP/1.1 403 Forbidden\r\n\r\n", "no HTTP"]
        {
            let proxy = Tunnels::start(answer);
            let builder = remote(&provider).root_certificates(authority.pem().as_bytes());
            let remote = Remote::start(builder.proxy(Proxy::uri(&format!("http://{}", proxy.uri)))).await;
            assert_eq!(remote.last_failure(), Some("proxy-failed"), "{answer}");
        }
        assert_eq!(provider.request_count(), 0);
    });
}

#[test]
fn proxy_of_another_kind_is_refused_without_showing_its_password() {
    simulate(async {
        for uri in ["", "https://p:1", "socks5://u:s3cret@p:1", "http://u:s3cret@p:1/path", "http://"] {
            let builder = RemoteKeys::from_jwks_uri("https://a.example/").proxy(Proxy::uri(uri));
            assert!(!format!("{builder:?}").contains("s3cret"));
            let error = builder.start().unwrap_err();
            assert_eq!(error.code(), "invalid-proxy", "{uri}");
            assert!(!error.to_string().contains("s3cret"));
        }
    });
}

#[test]
fn plain_http_in_a_private_network_has_to_be_asked_for() {
    simulate(async {
        for (uri, by_default, on_request) in [
            ("http://10.1.2.3/jwks", false, true),
            ("http://192.168.0.9:8080/jwks", false, true),
            ("http://172.31.0.1/jwks", false, true),
            ("http://100.64.0.1/jwks", false, true),
            ("http://[fd00::1]/jwks", false, true),
            ("http://keycloak.internal/jwks", false, true),
            ("http://127.0.0.1/jwks", true, true),
            ("http://93.184.216.34/jwks", false, false),
            ("http://169.254.169.254/jwks", false, false),
            ("http://172.32.0.1/jwks", false, false),
            ("http://[2001:db8::1]/jwks", false, false),
            ("http://[fe80::1]/jwks", false, false),
        ] {
            let builder = || RemoteKeys::from_jwks_uri(uri).clocks(clocks());
            assert_eq!(builder().start().is_ok(), by_default, "{uri}");
            assert_eq!(builder().danger_accept_plain_http().start().is_ok(), on_request, "{uri}");
        }
    });
}

#[test]
fn metadata_over_https_does_not_lead_to_plain_http() {
    simulate(async {
        let authority = Authority::new();
        let provider = Provider::start_tls(hangs(), authority.server("127.0.0.1"));
        let issuer = provider.uri("");
        provider.becomes(publishes(format!(r#"{{"issuer":"{issuer}","jwks_uri":"http://10.1.2.3/jwks"}}"#)));
        let builder = RemoteKeys::from_openid_issuer(&issuer).clocks(clocks());
        let builder = builder.root_certificates(authority.pem().as_bytes()).danger_accept_plain_http();
        assert_eq!(Remote::start(builder).await.last_failure(), Some("insecure-jwks-uri"));
    });
}

#[test]
fn root_certificates_are_read_from_a_file() {
    simulate(async {
        let (signer, authority, folder) = (Signer::new(), Authority::new(), tempfile::tempdir().unwrap());
        let provider = Provider::start_tls(publishes(signer.jwks()), authority.server("127.0.0.1"));
        let file = folder.path().join("ca.pem");
        std::fs::write(&file, authority.pem()).unwrap();
        let remote_keys = Remote::start(remote(&provider).root_certificates_file(&file)).await;
        assert!(accepts(&remote_keys.engine, &signer.header()));
        let error = remote(&provider).root_certificates_file(folder.path().join("none")).start().unwrap_err();
        assert_eq!(error.code(), "root-certificates-file");
    });
}

type OwnAnswer = Box<dyn Fn() -> Result<Response<ResponseBody>, FetchError> + Send + Sync>;

/// Returns a fixed answer and records the requests.
struct OwnClient {
    answer: OwnAnswer,
    asked: Arc<Mutex<Vec<http::Request<Bytes>>>>,
}

impl HttpClient for OwnClient {
    fn send(&self, request: http::Request<Bytes>) -> Sending<'_> {
        self.asked.lock().unwrap().push(request);
        Box::pin(async move { (self.answer)() })
    }
}

fn json(body: String) -> Result<Response<ResponseBody>, FetchError> {
    Ok(Response::builder().header("content-type", "application/json").body(body.into_bytes().into()).unwrap())
}

#[test]
fn own_client_is_asked_and_its_answers_are_vetted_all_the_same() {
    simulate(async {
        let signer = Signer::new();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let start = |answer: OwnAnswer| {
            let client = OwnClient { answer, asked: Arc::clone(&asked) };
            let builder = RemoteKeys::from_jwks_uri("https://auth.example.com/jwks").clocks(clocks());
            Remote::start(builder.header("x-key", HeaderSource::value("k")).http_client(client))
        };
        let jwks = signer.jwks();
        let remote = start(Box::new(move || json(jwks.clone()))).await;
        assert!(accepts(&remote.engine, &signer.header()), "{:?}", remote.keys.health());
        let request = asked.lock().unwrap().remove(0);
        assert_eq!(
            (request.uri().to_string().as_str(), request.method().as_str()),
            ("https://auth.example.com/jwks", "GET")
        );
        assert_eq!(request.headers()["x-key"], "k");

        let status = |status: u16| Ok(Response::builder().status(status).body(Vec::new().into()).unwrap());
        let reason = || "no route".to_owned();
        let table: [(OwnAnswer, &str); 6] = [
            (Box::new(move || status(302)), "redirect-refused"),
            (Box::new(move || status(200)), "wrong-content-type"),
            (Box::new(|| json(" ".repeat(256 * 1024 + 1))), "document-too-large"),
            (Box::new(|| Err(FetchError::Connect)), "connect-failed"),
            (Box::new(move || Err(FetchError::Client { reason: reason() })), "client-failed"),
            (Box::new(|| panic!("a fault of the client")), "client-failed"),
        ];
        for (answer, error) in table {
            let remote = start(answer).await;
            assert_eq!(remote.last_failure(), Some(error));
            assert_eq!(remote.keys.health().status, Status::Starting, "the task goes on");
        }
    });
}

#[test]
fn options_that_an_own_client_would_not_know_of_are_refused() {
    simulate(async {
        let builder = || {
            let client = OwnClient { answer: Box::new(|| Err(FetchError::Connect)), asked: Arc::default() };
            RemoteKeys::from_jwks_uri("https://auth.example.com/jwks").http_client(client)
        };
        for builder in [
            builder().proxy(Proxy::Environment),
            builder().root_certificates(b"x"),
            builder().root_certificates_file("ca.pem"),
        ] {
            assert_eq!(builder.start().unwrap_err().code(), "contradictory-client");
        }
    });
}
