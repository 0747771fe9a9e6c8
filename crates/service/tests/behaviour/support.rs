//! A server in a thread of its own, and a client that follows no redirects.

use reqwest::blocking::{Client, Response};
use reqwest::redirect::Policy;
use serde_json::Value;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use tokio::sync::oneshot;
use tollgate_service::{Accounts, Certificates, Config, Server};
use tollgate_sqlite::SqliteKeyStore;
use tollgate_storage::{Command, KeyStore, StorageError};

pub(crate) type TestResult = Result<(), Box<dyn std::error::Error>>;

pub(crate) const EMAIL: &str = "ada@example.com";
pub(crate) const PASSWORD: &str = "the-analytical-engine";

/// The store of a server, as another process would open it.
pub(crate) fn open_store(folder: &Path) -> Arc<dyn KeyStore> {
    Arc::new(SqliteKeyStore::open(folder).unwrap())
}

/// Waits for what needs a runtime.
pub(crate) fn run_async<T>(answer: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap().block_on(answer)
}

/// Waits for a store.
pub(crate) fn wait<T>(answer: impl Future<Output = Result<T, StorageError>>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(answer).unwrap()
}

/// Runs a command that is not refused.
pub(crate) fn run(store: &Arc<dyn KeyStore>, command: Command) {
    wait(store.run(command));
}

/// A running server; it is stopped when dropped.
pub(crate) struct TestServer {
    pub(crate) origin: String,
    pub(crate) address: SocketAddr,
    pub(crate) accounts: Accounts,
    pub(crate) demo: Option<String>,
    pub(crate) certificates: Certificates,
    pub(crate) client: Client,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl TestServer {
    /// An empty store in a temporary folder.
    pub(crate) fn start() -> Self {
        Self::start_with(Config { store: None, ..config() })
    }

    /// The store in `folder`.
    pub(crate) fn start_in(folder: &Path) -> Self {
        Self::start_with(Config { store: Some(folder.into()), ..config() })
    }

    pub(crate) fn start_with(config: Config) -> Self {
        let (ready, started) = mpsc::channel();
        let (stop, stopped) = oneshot::channel();
        let thread = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
            runtime.block_on(async {
                let server = Server::bind(config).await.unwrap();
                let demo = server.demo().map(str::to_owned);
                let started = (server.origin().to_owned(), server.local_addr(), server.accounts().clone());
                ready.send((started, demo, server.certificates())).unwrap();
                server.run(async { drop(stopped.await) }).await.unwrap();
            });
        });
        let ((origin, address, accounts), demo, certificates) = started.recv().expect("the server did not start");
        Self { origin, address, accounts, demo, certificates, client: client(), stop: Some(stop), thread: Some(thread) }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.origin)
    }

    /// GET with that Authorization value.
    pub(crate) fn get(&self, path: &str, authorization: &str) -> Response {
        self.client.get(self.url(path)).header("authorization", authorization).send().unwrap()
    }

    pub(crate) fn delete(&self, path: &str, authorization: &str) -> Response {
        self.client.delete(self.url(path)).header("authorization", authorization).send().unwrap()
    }

    /// POST without a body, with that Authorization value.
    pub(crate) fn post(&self, path: &str, authorization: &str) -> Response {
        self.client.post(self.url(path)).header("authorization", authorization).send().unwrap()
    }

    /// POST with a JSON body, and that Authorization value unless it is empty.
    pub(crate) fn post_json(&self, path: &str, authorization: &str, body: &Value) -> Response {
        let request = self.client.post(self.url(path)).json(body);
        let request = if authorization.is_empty() { request } else { request.header("authorization", authorization) };
        request.send().unwrap()
    }

    /// POST with a JSON body to a route that answers with that status.
    #[track_caller]
    pub(crate) fn ask(&self, path: &str, authorization: &str, body: &Value, status: u16) -> Value {
        json(self.post_json(path, authorization, body), status)
    }

    /// An access token for a client's secret.
    pub(crate) fn token(&self, client_id: &str, secret: &str) -> Response {
        let request = self.client.post(self.url("/oauth/v2/token")).basic_auth(client_id, Some(secret));
        request.form(&[("grant_type", "client_credentials")]).send().unwrap()
    }

    /// An API key of a user of its own, with that scope.
    pub(crate) fn key_with(&self, scope: &str) -> String {
        let email = format!("{}@example.com", scope.replace([' ', ':'], "."));
        let user = self.accounts.add_user(&email, PASSWORD, scope).unwrap();
        self.accounts.add_api_key(&user.id, "test", scope, None).unwrap().secret.as_str().to_owned()
    }

    pub(crate) fn log_in(&self, email: &str, password: &str) -> Response {
        let body = serde_json::json!({"session": {"email": email, "password": password}});
        self.post_json("/api/v2/sessions", "", &body)
    }

    pub(crate) fn stop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            thread.join().expect("the server panicked");
        }
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic here, in a test that has failed already, would end the process.
            drop(thread.join());
        }
    }
}

pub(crate) fn config() -> Config {
    Config { listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), ..Config::default() }
}

pub(crate) fn client() -> Client {
    Client::builder().redirect(Policy::none()).timeout(Duration::from_secs(30)).build().unwrap()
}

/// The status, the challenge and the body of an answer. The metadata of the resource at the end of a challenge (RFC 9728 section 5.1) is left
/// out.
#[track_caller]
pub(crate) fn assert_problem(response: Response, status: u16, challenge: Option<&str>, error: &str) {
    assert_eq!(response.status().as_u16(), status);
    let shown = response.headers().get("www-authenticate").map(|value| value.to_str().unwrap());
    let without = |shown: &str| match shown.split_once("resource_metadata=") {
        Some((start, url)) if url.ends_with(&format!("{RESOURCE_METADATA}\"")) => {
            start.trim_end_matches([' ', ',']).to_owned()
        }
        _ => shown.to_owned(),
    };
    let shown = shown.map(without);
    assert_eq!(shown.as_deref(), challenge);
    assert_eq!(response.headers()["content-type"], "application/json");
    let body: Value = response.json().unwrap();
    assert_eq!(body["error"], error, "{body}");
}

#[track_caller]
pub(crate) fn json(response: Response, status: u16) -> Value {
    assert_eq!(response.status().as_u16(), status, "{:?}", response.text());
    response.json().unwrap()
}

/// The header and the claims of a token, unverified.
pub(crate) fn decode(token: &str) -> (Value, Value) {
    let mut parts = token.split('.').map(|part| {
        let mut bytes = Vec::new();
        tollgate::jwt::base64url::decode(part, &mut bytes).unwrap();
        bytes
    });
    let mut part = || serde_json::from_slice(&parts.next().unwrap()).unwrap();
    (part(), part())
}

pub(crate) const BEARER: Option<&str> = Some("Bearer");
pub(crate) const INVALID_TOKEN: Option<&str> = Some(r#"Bearer error="invalid_token""#);
pub(crate) const BASIC: Option<&str> = Some(r#"Basic realm="tollgate", charset="UTF-8""#);

/// Where the metadata of the API is (RFC 9728 section 3).
pub(crate) const RESOURCE_METADATA: &str = "/.well-known/oauth-protected-resource";
