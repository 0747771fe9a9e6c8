//! Attack 78: a request that is answered with an error has not happened, or its answer says that it has.

use crate::cluster::{Server, shared};
use crate::cutter::Cutter;
use crate::support::{EMAIL, PASSWORD, TestResult, TestServer, assert_problem, config, json, wait};
use serde_json::{Value, json};
use std::path::Path;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tollgate_service::{AuditTrail, Config, StoreUrl};
use tollgate_sqlite::{SqliteAccountStore, SqliteKeyStore};
use tollgate_storage::AuditFilter;

const API_KEYS: &str = "/api/v2/admin/api-keys";
const SUBJECT: &str = "account-7";

/// A server that gives requests up after a second, its store, and an administrator's key.
struct World {
    server: TestServer,
    store: StoreUrl,
    admin: String,
    folder: TempDir,
}

impl World {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = StoreUrl::from(folder.path());
        let (server, admin) = impatient(&store);
        Self { server, store, admin, folder }
    }

    fn create(&self, name: &str) -> reqwest::blocking::Response {
        create(&self.server, &self.admin, name)
    }

    /// The names and the states of the subject's keys.
    fn keys(&self) -> Vec<(String, String)> {
        keys(&self.server, &self.admin)
    }

    /// The file of the keys, held by another process.
    fn locked(&self, file: &Path) -> rusqlite::Connection {
        let other = rusqlite::Connection::open(file).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        other
    }

    fn key_file(&self) -> std::path::PathBuf {
        SqliteKeyStore::file_in(self.folder.path())
    }
}

fn impatient(store: &StoreUrl) -> (TestServer, String) {
    let (store, request_timeout) = (Some(store.clone()), Duration::from_secs(1));
    let server = TestServer::start_with(Config { store, request_timeout, ..config() });
    let admin = server.key_with("admin:keys");
    (server, admin)
}

fn create(server: &TestServer, admin: &str, name: &str) -> reqwest::blocking::Response {
    let wanted = json!({"api_key": {"subject": SUBJECT, "name": name, "scope": "read:reports"}});
    server.post_json(API_KEYS, admin, &wanted)
}

fn keys(server: &TestServer, admin: &str) -> Vec<(String, String)> {
    let listed = json(server.get(&format!("{API_KEYS}?subject={SUBJECT}"), admin), 200);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    listed["data"].as_array().unwrap().iter().map(|key| (text(&key["name"]), text(&key["state"]))).collect()
}

/// What the audit log says of somebody or something: actions and outcomes.
fn acts(store: &StoreUrl, about: &str) -> Vec<(String, String)> {
    let records = wait(async {
        let filter = AuditFilter { about: Some(about.to_owned()), ..AuditFilter::default() };
        AuditTrail::open(store).await.unwrap().page(&filter, None, 100).await
    });
    records.into_iter().map(|record| (record.action, record.outcome)).collect()
}

fn done(action: &str) -> (String, String) {
    (action.to_owned(), "done".to_owned())
}

#[track_caller]
fn soon(mut is_so: impl FnMut() -> bool, what: &str) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < Duration::from_secs(20), "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a78_a_request_that_was_given_up_changes_nothing_afterwards() -> TestResult {
    let world = World::start();
    let lock = world.locked(&world.key_file());
    assert_problem(world.create("late"), 408, None, "timeout");
    lock.execute_batch("COMMIT")?;
    // Its write was asked for before, and so its turn is over by then.
    soon(|| world.create("in time").status().as_u16() == 201, "the store is free again");
    assert_eq!(world.keys(), [("in time".to_owned(), "active".to_owned())]);
    assert_eq!(acts(&world.store, SUBJECT), [done("api-key.add")]);
    Ok(())
}

#[test]
fn a78_a_token_that_was_given_up_is_not_written_down_afterwards() -> TestResult {
    let world = World::start();
    let secret = world.server.accounts.add_client("reports", "Reports", "read:reports", &[])?.secret;
    let token = || world.server.token("reports", secret.as_str());
    let lock = world.locked(&world.key_file());
    assert_problem(token(), 408, None, "timeout");
    lock.execute_batch("COMMIT")?;
    soon(|| token().status().as_u16() == 200, "the store is free again");
    let issued = acts(&world.store, "reports").into_iter().filter(|act| *act == done("token.issue")).count();
    assert_eq!(issued, 1);
    Ok(())
}

#[test]
fn a78_a_change_that_goes_on_after_its_time_is_not_said_to_have_failed() -> TestResult {
    let world = World::start();
    let user = world.server.accounts.add_user(EMAIL, PASSWORD, "read:sites")?;
    let path = format!("/api/v2/admin/users/{}", user.id);
    // What was issued is revoked first, in the other file.
    let lock = world.locked(&SqliteAccountStore::file_in(world.folder.path()));
    let answer = world.server.post(&format!("{path}/disable"), &world.admin);
    assert_problem(answer, 500, None, "outcome_unknown");
    lock.execute_batch("COMMIT")?;
    let state = || json(world.server.get(&path, &world.admin), 200)["data"]["state"] == "disabled";
    soon(state, "what was begun is done");
    let acts = acts(&world.store, &user.id);
    assert_eq!(acts.iter().filter(|act| **act == done("user.disable")).count(), 1, "{acts:?}");
    Ok(())
}

#[test]
fn a78_a_secret_that_the_answer_cannot_have_is_revoked() -> TestResult {
    let world = World::start();
    let file = rusqlite::Connection::open(world.key_file())?;
    // The client is registered, and cannot be read again for the answer.
    file.execute_batch(
        "CREATE TRIGGER damage AFTER INSERT ON clients BEGIN UPDATE clients SET kind = 'x' WHERE id = NEW.id; END",
    )?;
    let client = json!({"client": {"id": "billing", "name": "Billing", "scope": "read:reports"}});
    let answer = world.server.post_json("/api/v2/admin/clients", &world.admin, &client);
    assert_problem(answer, 500, None, "withdrawn");
    let secrets = format!("{API_KEYS}?subject=billing&kind=client-secret");
    let secrets = json(world.server.get(&secrets, &world.admin), 200)["data"].clone();
    assert_eq!((secrets.as_array().map(Vec::len), &secrets[0]["state"]), (Some(1), &json!("revoked")));
    Ok(())
}

#[test]
fn a78_a_session_whose_token_reaches_nobody_is_ended() -> TestResult {
    let world = World::start();
    let user = world.server.accounts.add_user(EMAIL, PASSWORD, "read:sites")?;
    let key = world.server.accounts.add_api_key(&user.id, "laptop", "read:sites", None)?;
    let lock = world.locked(&world.key_file());
    // The session is in the other file by then.
    let answer = world.server.post("/api/v2/sessions", key.secret.as_str());
    assert_problem(answer, 500, None, "outcome_unknown");
    lock.execute_batch("COMMIT")?;
    let path = format!("/api/v2/admin/users/{}/sessions", user.id);
    let none = || json(world.server.get(&path, &world.admin), 200)["data"] == json!([]);
    soon(none, "nobody has the token");
    json(world.server.post("/api/v2/sessions", key.secret.as_str()), 200);
    Ok(())
}

#[test]
fn a78_on_a_full_disk_nothing_is_changed_and_nothing_written_down() -> TestResult {
    let world = World::start();
    let file = rusqlite::Connection::open(world.key_file())?;
    file.execute_batch("CREATE TRIGGER full BEFORE INSERT ON log BEGIN SELECT RAISE(FAIL, 'the disk is full'); END")?;
    assert_problem(world.create("refused"), 500, None, "server_error");
    assert_eq!((world.keys(), acts(&world.store, SUBJECT)), (Vec::new(), Vec::new()));
    file.execute_batch("DROP TRIGGER full")?;
    json(world.create("done"), 201);
    assert_eq!(acts(&world.store, SUBJECT), [done("api-key.add")]);
    Ok(())
}

#[test]
fn a78_a_change_whose_acknowledgement_is_lost_is_made_once_and_answered() -> TestResult {
    let Some(database) = shared() else { return Ok(()) };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let cutter = runtime.block_on(Cutter::start(database.address()));
    let url = database.url(&database.new_database()).replace(&database.address(), &cutter.address());
    let store = StoreUrl::parse(Path::new(&url))?;
    let server = TestServer::start_with(Config { store: Some(store.clone()), ..config() });
    let admin = server.key_with("admin:keys");
    for (cut, is_before) in [(1, true), (2, false)] {
        cutter.cut_next_commit(is_before);
        let answer = create(&server, &admin, "lost");
        // A heartbeat may have been what was cut.
        soon(|| cutter.cuts() == cut, "a commit is cut");
        json(answer, 201);
    }
    assert_eq!(keys(&server, &admin), vec![("lost".to_owned(), "active".to_owned()); 2]);
    assert_eq!(acts(&store, SUBJECT), [done("api-key.add"), done("api-key.add")]);
    Ok(())
}

#[test]
fn a78_what_no_standby_acknowledges_in_time_may_have_happened() -> TestResult {
    let Some(database) = Server::start(&[]) else { return Ok(()) };
    let store = StoreUrl::parse(Path::new(&database.url("postgres")))?;
    let (server, admin) = impatient(&store);
    database.configure(&[("synchronous_standby_names", "nobody")]);
    assert_problem(create(&server, &admin, "unacknowledged"), 500, None, "outcome_unknown");
    database.configure(&[("synchronous_standby_names", "")]);
    let is_revoked = || keys(&server, &admin) == [("unacknowledged".to_owned(), "revoked".to_owned())];
    soon(is_revoked, "nobody has the secret");
    Ok(())
}
