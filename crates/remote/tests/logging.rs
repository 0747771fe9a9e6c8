//! Log output. Runs in a separate process, so that other tests' logs are not counted.

#![forbid(unsafe_code)]

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread;

use tollgate::Algorithm;
use tollgate_issuer::SigningKey;
use tollgate_remote::RemoteKeys;
use tracing::span::{Attributes, Id, Record};
use tracing::{Level, Metadata};

#[test]
fn a43_published_secrets_are_logged_as_errors() {
    let errors = Errors::default();
    tracing::subscriber::set_global_default(errors.clone()).unwrap();
    let key = |kid| SigningKey::generate(Algorithm::ES256).unwrap().with_kid(kid).unwrap();
    let (good, private) = (key("good").public_jwk().unwrap(), key("bad").to_private_jwk());
    let secret = format!(r#"{{"kty":"oct","alg":"HS256","k":"{}"}}"#, "A".repeat(43));
    let uri = publish(format!(r#"{{"keys":[{},{secret},{good}]}}"#, *private));
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
        let keys = RemoteKeys::from_jwks_uri(&uri).start().unwrap();
        keys.ready().await;
        assert_eq!((keys.health().keys, errors.0.load(SeqCst)), (1, 2));
    });
}

/// Answers one request.
fn publish(document: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let uri = format!("http://{}/", listener.local_addr().unwrap());
    thread::spawn(move || {
        let mut peer = listener.accept().unwrap().0;
        let _ = peer.read(&mut [0; 4096]).unwrap();
        let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length:";
        write!(peer, "{head} {}\r\n\r\n{document}", document.len()).unwrap();
    });
    uri
}

/// Counts errors in the log.
#[derive(Clone, Default)]
struct Errors(Arc<AtomicUsize>);

impl tracing::Subscriber for Errors {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() == Level::ERROR
    }

    fn event(&self, _: &tracing::Event<'_>) {
        self.0.fetch_add(1, SeqCst);
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}
