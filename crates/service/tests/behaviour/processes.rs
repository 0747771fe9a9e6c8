//! The server in a process of its own: what others do to its store meanwhile, and what is left when it is killed.

use crate::support::{EMAIL, PASSWORD, TestResult, TestServer, assert_problem, client, config, json, open_store, run};
use reqwest::blocking::{Client as HttpClient, Response};
use reqwest::header::HeaderValue;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};
use tollgate::{ApiKey, KeyFormat, KeyRecord, KeyState};
use tollgate_service::{Config, Server};
use tollgate_sqlite::SqliteKeyStore;
use tollgate_storage::{
    Client, ClientAuthMethod, ClientKind, ClientSettings, Command, GrantType, Issued, KeyStore, RevocationKind,
    StoredKey, StoredRevocation, new_key_id,
};

const REPORTS: &str = "/api/v2/reports";
const KILLS: usize = 5;

pub(crate) struct Service {
    child: Child,
    origin: String,
    /// `http://` and the address that it listens on.
    pub(crate) address: String,
    client: HttpClient,
}

impl Service {
    fn start(folder: &Path) -> Self {
        Self::start_as(folder, "")
    }

    /// With a public origin of its own; or none, where that is empty.
    pub(crate) fn start_as(folder: &Path, base_url: &str) -> Self {
        let mut child = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "processes::the_server_of_its_own", "--nocapture"])
            .env(FOLDER, folder)
            .env(BASE_URL, base_url)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        // The test harness writes its own text before.
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let told = lines.map_while(Result::ok).find_map(|line| Some(line.split_once(LISTENS)?.1.to_owned())).unwrap();
        let (origin, address) = told.split_once(' ').unwrap();
        Self { child, origin: origin.to_owned(), address: address.to_owned(), client: client() }
    }

    fn status(&self, key: &str) -> u16 {
        let request = self.client.get(format!("{}{REPORTS}", self.origin)).header("authorization", key);
        request.send().unwrap().status().as_u16()
    }

    /// How long it takes until a key is answered so.
    fn time_until(&self, key: &str, status: u16, what: &str) -> Duration {
        let start = Instant::now();
        while self.status(key) != status {
            assert!(start.elapsed() < Duration::from_secs(10), "{what}: never {status}");
        }
        start.elapsed()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // SIGKILL on Unix.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Adds a key by the store's own means, as another process would.
fn add(store: &Arc<dyn KeyStore>, scope: &str) -> (String, String) {
    let (format, id) = (KeyFormat::new("tg", "live").unwrap(), new_key_id("key").unwrap());
    let key = ApiKey::generate(&format).unwrap();
    let record = KeyRecord::api_key(&id, "account-7").scopes(scope.split(' '));
    run(store, Command::AddKey { key: StoredKey::native(&format, &key, record), max: None });
    (id, key.as_str().to_owned())
}

#[test]
fn what_another_process_changes_counts_within_200_ms() -> TestResult {
    let folder = tempfile::tempdir()?;
    let service = Service::start(folder.path());
    let store = open_store(folder.path());
    let mut delays = Vec::new();
    for _ in 0..8 {
        let (id, key) = add(&store, "read:reports");
        let put = |state| run(&store, Command::PutKeyInState { id: id.clone(), state });
        delays.push(service.time_until(&key, 200, "added"));
        put(KeyState::Disabled);
        delays.push(service.time_until(&key, 401, "disabled"));
        put(KeyState::Active);
        delays.push(service.time_until(&key, 200, "enabled"));
        let revocation = StoredRevocation::new(RevocationKind::ApiKey, "", &id);
        run(&store, Command::Revoke { revocation, with_opaque: false });
        delays.push(service.time_until(&key, 401, "revoked by name"));
        let (kind, issuer, name) = (RevocationKind::ApiKey, String::new(), id.clone());
        run(&store, Command::Restore { kind, issuer, name });
        delays.push(service.time_until(&key, 200, "restored"));
        put(KeyState::Revoked);
        delays.push(service.time_until(&key, 401, "revoked"));
    }
    delays.sort_unstable();
    println!("counts after {:.1?} in the median, {:.1?} at most", delays[delays.len() / 2], delays[delays.len() - 1]);
    // The machine may stall once; the service may not.
    assert!(delays[delays.len() * 9 / 10] < Duration::from_millis(200), "{delays:?}");
    Ok(())
}

/// A client without a secret.
fn public_client(id: &str) -> Client {
    let client = Client::new(id, "App", "", ["http://127.0.0.1/callback"], 0).unwrap();
    let (kind, auth_method) = (ClientKind::Native, ClientAuthMethod::None);
    let grants = vec![GrantType::AuthorizationCode];
    let settings = ClientSettings { kind, auth_method, grants, ..client.settings().clone() };
    client.with(settings).unwrap()
}

/// The token endpoint's answer to a request of a client without a secret, which has no code.
fn ask_without_code(server: &TestServer, id: &str) -> Response {
    let form = [("grant_type", "authorization_code"), ("client_id", id)];
    server.client.post(server.url("/oauth/v2/token")).form(&form).send().unwrap()
}

#[test]
fn a_client_counts_as_another_process_has_changed_it_within_200_ms() -> TestResult {
    let folder = tempfile::tempdir()?;
    let server = TestServer::start_in(folder.path());
    let store = open_store(folder.path());
    let mut delays = Vec::new();
    let mut until = |error: &str| {
        let start = Instant::now();
        while ask_without_code(&server, "app").json::<Value>().unwrap()["error"] != error {
            assert!(start.elapsed() < Duration::from_secs(10), "never {error}");
        }
        delays.push(start.elapsed());
    };
    let issued = || Issued { issuers: Vec::new(), made_before: 1, until: 2 };
    for _ in 0..4 {
        run(&store, Command::AddClient { client: public_client("app"), secret: None });
        until("invalid_request");
        run(&store, Command::DisableClient { id: "app".to_owned(), issued: issued() });
        until("invalid_client");
        run(&store, Command::EnableClient { id: "app".to_owned() });
        until("invalid_request");
        run(&store, Command::RemoveClient { id: "app".to_owned(), issued: issued() });
        until("invalid_client");
    }
    delays.sort_unstable();
    // The machine may stall once; the service may not.
    assert!(delays[delays.len() * 9 / 10] < Duration::from_millis(200), "{delays:?}");
    Ok(())
}

#[test]
fn a79_a_client_that_cannot_be_decoded_gets_no_token() -> TestResult {
    let folder = tempfile::tempdir()?;
    let mut server = TestServer::start_in(folder.path());
    let secret = server.accounts.add_client("reports", "Reports", "read:reports", &[])?.secret;
    json(server.token("reports", secret.as_str()), 200);
    server.stop();
    // What it is registered for is not known, such as that its tokens are bound to a key.
    let file = rusqlite::Connection::open(SqliteKeyStore::file_in(folder.path()))?;
    file.execute_batch("UPDATE clients SET kind = 'x' WHERE id = 'reports'")?;
    let server = TestServer::start_in(folder.path());
    assert_problem(server.token("reports", secret.as_str()), 500, None, "server_error");
    Ok(())
}

#[test]
fn a_server_that_cannot_follow_the_store_lives_but_is_not_ready() -> TestResult {
    let folder = tempfile::tempdir()?;
    let server = TestServer::start_in(folder.path());
    let status = |path: &str| server.client.get(server.url(path)).send().map(|answer| answer.status().as_u16());
    let time_until = |wanted: u16| {
        let start = Instant::now();
        while status("/readyz").unwrap() != wanted {
            assert!(start.elapsed() < Duration::from_secs(10), "never {wanted}");
            sleep(Duration::from_millis(20));
        }
        start.elapsed()
    };
    time_until(200);
    let store = rusqlite::Connection::open(SqliteKeyStore::open(folder.path())?.file())?;
    store.execute_batch("ALTER TABLE log RENAME TO lost")?;
    time_until(503);
    assert_eq!(status("/healthz")?, 200);
    store.execute_batch("ALTER TABLE lost RENAME TO log")?;
    time_until(200);
    Ok(())
}

#[test]
fn a84_a_server_whose_store_cannot_be_written_is_not_ready_and_goes_on_reading() -> TestResult {
    let folder = tempfile::tempdir()?;
    let store = Some(folder.path().into());
    // A quarter of it is how often a heartbeat is committed.
    let max_staleness = Duration::from_secs(12);
    let server = TestServer::start_with(Config { store, max_staleness, ..config() });
    let key = server.key_with("read:reports");
    let ready = || server.client.get(server.url("/readyz")).send().map(|answer| answer.text().unwrap_or_default());
    let until = |wanted: &str| {
        let start = Instant::now();
        while ready().unwrap() != wanted {
            assert!(start.elapsed() < Duration::from_secs(15), "never {wanted}");
            sleep(Duration::from_millis(20));
        }
    };
    until("ready\n");
    let file = rusqlite::Connection::open(SqliteKeyStore::open(folder.path())?.file())?;
    file.execute_batch("CREATE TRIGGER full BEFORE INSERT ON log BEGIN SELECT RAISE(FAIL, 'the disk is full'); END")?;
    until("the store cannot be written\n");
    json(server.get(REPORTS, &key), 200);
    file.execute_batch("DROP TRIGGER full")?;
    until("ready\n");
    Ok(())
}

#[test]
fn a80_the_services_own_tokens_are_503_while_the_store_cannot_be_followed() -> TestResult {
    let folder = tempfile::tempdir()?;
    let max_staleness = Duration::from_secs(1);
    let store = Some(folder.path().into());
    let server = TestServer::start_with(Config { store, max_staleness, ..config() });
    server.accounts.add_user(EMAIL, PASSWORD, "read:sites")?;
    let session = json(server.log_in(EMAIL, PASSWORD), 200);
    let token = format!("Bearer {}", session["meta"]["jwt"].as_str().unwrap());
    let key = server.key_with("read:reports");
    server.accounts.register_client(&public_client("app"))?;
    let sites = || server.get("/api/v2/sites", &token);
    let until = |wanted: u16| {
        let start = Instant::now();
        loop {
            let answer = sites();
            if answer.status().as_u16() == wanted {
                return answer;
            }
            assert!(start.elapsed() < Duration::from_secs(10), "never {wanted}");
            sleep(Duration::from_millis(20));
        }
    };
    until(200);
    assert_problem(ask_without_code(&server, "app"), 400, None, "invalid_request");
    let store = rusqlite::Connection::open(SqliteKeyStore::open(folder.path())?.file())?;
    store.execute_batch("ALTER TABLE log RENAME TO lost")?;
    let answer = until(503);
    assert_eq!(answer.headers()["retry-after"], "5");
    assert_problem(answer, 503, None, "temporarily_unavailable");
    assert_problem(server.get(REPORTS, &key), 503, None, "temporarily_unavailable");
    assert_eq!(server.get("/api/v2/sites", "Bearer nonsense").status().as_u16(), 401);
    // A client may have been disabled, or registered, meanwhile.
    for id in ["app", "nobody"] {
        let answer = ask_without_code(&server, id);
        assert_eq!(answer.headers()["retry-after"], "5");
        assert_problem(answer, 503, None, "temporarily_unavailable");
        let page = server.client.get(server.url(&format!("/oauth/v2/authorize?client_id={id}"))).send()?;
        assert_eq!((page.status().as_u16(), &page.headers()["retry-after"]), (503, &HeaderValue::from_static("5")));
    }
    store.execute_batch("ALTER TABLE lost RENAME TO log")?;
    until(200);
    Ok(())
}

#[test]
fn a_killed_server_has_lost_nothing_that_it_acknowledged() -> TestResult {
    let folder = tempfile::tempdir()?;
    let (_, admin) = add(&open_store(folder.path()), "admin:keys");
    let (mut made, mut revoked) = (Vec::new(), Vec::new());
    for round in 0..KILLS {
        let mut service = Service::start(folder.path());
        let (origin, client) = (service.origin.clone(), service.client.clone());
        let post = |path: &str, body: &Value| {
            let request = client.post(format!("{origin}/api/v2/admin/api-keys{path}")).json(body);
            request.header("authorization", &admin).send().and_then(reqwest::blocking::Response::json::<Value>)
        };
        std::thread::scope(|scope| {
            // In the middle of a request: those follow each other without a pause.
            scope.spawn(|| {
                sleep(Duration::from_millis(120 + 37 * round as u64));
                service.child.kill().unwrap();
            });
            let body = json!({"api_key": {"subject": "account-7", "name": "k", "scope": "read:reports"}});
            while let Ok(answer) = post("", &body) {
                let secret = answer["data"]["secret"].as_str().unwrap().to_owned();
                let id = answer["data"]["id"].as_str().unwrap();
                // Half of them are revoked again. Of a revocation that was not answered nothing is known.
                if made.len() > revoked.len() {
                    match post(&format!("/{id}/revoke"), &json!({})) {
                        Ok(_) => revoked.push(secret),
                        Err(_) => break,
                    }
                } else {
                    made.push(secret);
                }
            }
        });
    }
    assert!(made.len() > KILLS && !revoked.is_empty(), "{} made, {} revoked", made.len(), revoked.len());
    println!("{KILLS} kills, {} keys made, {} revoked", made.len(), revoked.len());
    let server = TestServer::start_in(folder.path());
    for secret in &made {
        json(server.get(REPORTS, secret), 200);
    }
    for secret in &revoked {
        assert_eq!(server.get(REPORTS, secret).status().as_u16(), 401);
    }
    Ok(())
}

/// Not a test: the process that the tests above start.
#[test]
fn the_server_of_its_own() -> TestResult {
    let Ok(folder) = std::env::var(FOLDER) else { return Ok(()) };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        let base_url = std::env::var(BASE_URL).ok().filter(|url| !url.is_empty());
        let store = Some(std::path::Path::new(&folder).into());
        let server = Server::bind(Config { store, base_url, ..config() }).await?;
        let mut output = std::io::stdout().lock();
        writeln!(output, "{LISTENS}{} http://{}", server.origin(), server.local_addr())?;
        output.flush()?;
        server.run(std::future::pending()).await?;
        Ok(())
    })
}

const FOLDER: &str = "TOLLGATE_SERVER_TEST_FOLDER";
const BASE_URL: &str = "TOLLGATE_SERVER_TEST_BASE_URL";
const LISTENS: &str = "listens on ";
