//! What was made with an API key ends with it, and can do no more.

use crate::support::{
    EMAIL, INVALID_TOKEN, PASSWORD, TestResult, TestServer, assert_problem, config, json, open_store, run,
};
use serde_json::{Value, json};
use std::thread::sleep;
use std::time::{Duration, Instant};
use tollgate::KeyState;
use tollgate_service::Config;
use tollgate_storage::{Command, StoredKey};

const ALL: &str = "read:sites manage:api-keys";
const API_KEYS: &str = "/api/v2/api_keys";
const ADMIN_KEYS: &str = "/api/v2/admin/api-keys";
const ROTATE: &str = "/api/v2/profile/api-key";
const SESSIONS: &str = "/api/v2/sessions";
const SITES: &str = "/api/v2/sites";

/// A key, and credentials that came of it: a session, a key made with the key, one made with the session, one made with that one, and
/// a session of the last.
struct Family {
    key: String,
    key_id: String,
    derived: Vec<String>,
}

/// How a key ends, in words and in deed.
type Way<'w> = (&'static str, &'w dyn Fn(&Family));

fn session(server: &TestServer, key: &str) -> String {
    json(server.post(SESSIONS, key), 200)["meta"]["jwt"].as_str().unwrap().to_owned()
}

fn further_key(server: &TestServer, with: &str) -> Value {
    let body = json!({"api_key": {"name": "further", "scope": ALL}});
    json(server.post_json(API_KEYS, with, &body), 201)["data"].clone()
}

impl Family {
    fn of(server: &TestServer, user_id: &str) -> Self {
        let key = server.accounts.add_api_key(user_id, "laptop", ALL, None).unwrap();
        let (key, key_id) = (key.secret.as_str().to_owned(), key.stored.record.id().to_owned());
        let secret = |key: Value| key["secret"].as_str().unwrap().to_owned();
        let of_key = session(server, &key);
        let (by_key, by_session) = (further_key(server, &key), further_key(server, &of_key));
        assert_eq!((&by_key["made_with"], &by_session["made_with"]), (&json!(key_id), &json!(key_id)));
        let grandchild = secret(further_key(server, &secret(by_session.clone())));
        let of_grandchild = session(server, &grandchild);
        let derived = vec![of_key, secret(by_key), secret(by_session), grandchild, of_grandchild];
        let family = Self { key, key_id, derived };
        family.derived.iter().for_each(|credential| drop(json(server.get(SITES, credential), 200)));
        family
    }

    #[track_caller]
    fn assert_ended(&self, server: &TestServer) {
        for (index, credential) in self.derived.iter().enumerate() {
            assert_eq!(server.get(SITES, credential).status().as_u16(), 401, "{index}");
            assert_problem(server.get(SITES, credential), 401, INVALID_TOKEN, "invalid_token");
        }
        assert_problem(server.post(SESSIONS, &self.derived[1]), 401, INVALID_TOKEN, "invalid_token");
    }
}

#[test]
fn a66_whatever_ends_a_key_ends_what_was_made_with_it() -> TestResult {
    let server = TestServer::start();
    let admin = server.key_with("admin:keys");
    let user = server.accounts.add_user(EMAIL, PASSWORD, ALL)?;
    let stranger = server.accounts.add_api_key(&user.id, "another", ALL, None)?;
    let of_stranger = session(&server, stranger.secret.as_str());
    let of_password = json(server.log_in(EMAIL, PASSWORD), 200)["meta"]["jwt"].as_str().unwrap().to_owned();
    let by_password = further_key(&server, &of_password);
    assert_eq!(by_password["made_with"], Value::Null);
    let path = |family: &Family, verb: &str| format!("{ADMIN_KEYS}/{}{verb}", family.key_id);
    let ways: [Way<'_>; 6] = [
        ("revoked by its user", &|family| {
            let id = format!("{API_KEYS}/{}", family.key_id);
            assert_eq!(server.delete(&id, &of_password).status().as_u16(), 204);
        }),
        ("rotated with itself", &|family| drop(json(server.post(ROTATE, &family.key), 201))),
        ("rotated with its session", &|family| drop(json(server.post(ROTATE, &family.derived[0]), 201))),
        ("disabled", &|family| drop(json(server.post(&path(family, "/disable"), &admin), 200))),
        ("revoked", &|family| drop(json(server.post(&path(family, "/revoke"), &admin), 200))),
        ("rotated", &|family| drop(json(server.post(&path(family, "/rotate"), &admin), 201))),
    ];
    for (way, end) in ways {
        let family = Family::of(&server, &user.id);
        end(&family);
        family.assert_ended(&server);
        if way == "disabled" {
            json(server.post(&path(&family, "/enable"), &admin), 200);
            json(server.get(SITES, &family.key), 200);
            family.assert_ended(&server);
        }
    }
    for good in [stranger.secret.as_str(), &of_stranger, &of_password, by_password["secret"].as_str().unwrap()] {
        json(server.get(SITES, good), 200);
    }
    Ok(())
}

#[test]
fn a66_what_was_made_with_a_key_ends_when_the_overlap_does() -> TestResult {
    let server =
        TestServer::start_with(Config { store: None, upkeep_interval: Duration::from_millis(100), ..config() });
    let admin = server.key_with("admin:keys");
    let user = server.accounts.add_user(EMAIL, PASSWORD, ALL)?;
    let family = Family::of(&server, &user.id);
    let path = format!("{ADMIN_KEYS}/{}/rotate", family.key_id);
    let rotated = Instant::now();
    server.ask(&path, &admin, &json!({"overlap_seconds": 6}), 201);
    for credential in &family.derived {
        assert_eq!(server.get(SITES, credential).status().as_u16(), 200);
    }
    // A session that is made in the overlap ends with it.
    let late = json(server.post(SESSIONS, &family.key), 200)["meta"]["jwt"].as_str().unwrap().to_owned();
    while server.get(SITES, &family.derived[0]).status().as_u16() == 200 {
        assert!(rotated.elapsed() < Duration::from_secs(20), "the session goes on");
        sleep(Duration::from_millis(50));
    }
    assert!(rotated.elapsed() >= Duration::from_secs(4), "the overlap was longer");
    sleep(Duration::from_millis(1_200));
    family.assert_ended(&server);
    assert_eq!(server.get(SITES, &late).status().as_u16(), 401);
    Ok(())
}

#[test]
fn a66_a_key_that_another_process_ends_takes_its_sessions_along() -> TestResult {
    let folder = tempfile::tempdir()?;
    let server = TestServer::start_in(folder.path());
    let user = server.accounts.add_user(EMAIL, PASSWORD, ALL)?;
    let family = Family::of(&server, &user.id);
    let store = open_store(folder.path());
    run(&store, Command::PutKeyInState { id: family.key_id.clone(), state: KeyState::Revoked });
    let begun = Instant::now();
    while family.derived.iter().any(|credential| server.get(SITES, credential).status().as_u16() == 200) {
        assert!(begun.elapsed() < Duration::from_secs(10), "something goes on");
    }
    family.assert_ended(&server);
    Ok(())
}

#[test]
fn a67_a_session_of_a_key_decides_no_more_than_the_key() -> TestResult {
    const PASSWORD_ROUTE: &str = "/api/v2/profile/password";
    let server = TestServer::start();
    let user = server.accounts.add_user(EMAIL, PASSWORD, "read:sites")?;
    let key = server.accounts.add_api_key(&user.id, "narrow", "read:sites", None)?;
    let of_password = json(server.log_in(EMAIL, PASSWORD), 200)["meta"]["jwt"].as_str().unwrap().to_owned();
    let (listed, of_key) = (json(server.get(SESSIONS, &of_password), 200), session(&server, key.secret.as_str()));
    let another = format!("{SESSIONS}/{}", listed["data"][0]["id"].as_str().unwrap());
    let change = json!({"password": {"current": PASSWORD, "new": "the-difference-engine"}});
    for credential in [key.secret.as_str(), &of_key] {
        let answers = [
            server.get(SESSIONS, credential),
            server.delete(SESSIONS, credential),
            server.delete(&another, credential),
            server.get("/api/v2/consents", credential),
            server.delete("/api/v2/consents/notes", credential),
            server.post_json(PASSWORD_ROUTE, credential, &change),
        ];
        for answer in answers {
            assert_problem(answer, 403, Some(NEEDS_MANAGE), "insufficient_scope");
        }
    }
    // It ends itself, as whoever holds it can.
    assert_eq!(server.delete(&format!("{SESSIONS}/current"), &of_key).status().as_u16(), 204);
    assert_eq!(server.get(SITES, &of_key).status().as_u16(), 401);
    // The password decides about all of it.
    json(server.get("/api/v2/consents", &of_password), 200);
    assert_eq!(server.post_json(PASSWORD_ROUTE, &of_password, &change).status().as_u16(), 204);
    Ok(())
}

const NEEDS_MANAGE: &str = r#"Bearer error="insufficient_scope", scope="manage:api-keys""#;

#[test]
fn a67_what_is_made_with_a_key_can_do_no_more_than_it() -> TestResult {
    let folder = tempfile::tempdir()?;
    let server = TestServer::start_in(folder.path());
    let user = server.accounts.add_user(EMAIL, PASSWORD, ALL)?;
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.as_secs().cast_signed();
    let key = server.accounts.add_api_key(&user.id, "short", ALL, Some(now + 100))?;
    let secret = key.secret.as_str();
    // No longer.
    let claims = crate::support::decode(&session(&server, secret)).1;
    assert_eq!(claims["exp"], now + 100);
    let made = further_key(&server, secret);
    assert_eq!(made["expires_at"], json(server.get(API_KEYS, secret), 200)["data"][0]["expires_at"]);
    let wanted = |scope: &str, more: &str| {
        let mut body = json!({"api_key": {"name": "further", "scope": scope}});
        if !more.is_empty() {
            body["api_key"]["expires_at"] = more.into();
        }
        body
    };
    let longer = server.post_json(API_KEYS, secret, &wanted(ALL, "2096-01-01T00:00:00Z"));
    assert_problem(longer, 400, None, "invalid_request");
    // No more.
    let narrow = server.accounts.add_api_key(&user.id, "narrow", "manage:api-keys", None)?;
    let refused = server.post_json(API_KEYS, narrow.secret.as_str(), &wanted(ALL, ""));
    assert_eq!(refused.status().as_u16(), 403);
    // From nowhere else: a key that is bound to an address makes one that is bound to it too, and no session.
    let store = open_store(folder.path());
    let was = crate::support::wait(store.key(key.stored.record.id())).expect("the key");
    let record = was.record.edit().allowed_addresses(["127.0.0.0/8".parse().expect("a block")]).build();
    run(&store, Command::ChangeKey { was: was.clone(), now: StoredKey { record, ..was } });
    let begun = Instant::now();
    let refused = loop {
        let answer = server.post(SESSIONS, secret);
        if answer.status().as_u16() != 200 {
            break answer;
        }
        assert!(begun.elapsed() < Duration::from_secs(10), "the addresses count");
    };
    assert_problem(refused, 403, None, "access_denied");
    let bound = further_key(&server, secret);
    let bound = crate::support::wait(store.key(bound["id"].as_str().unwrap())).expect("the key");
    let addresses: Vec<String> = bound.record.allowed_addresses().iter().map(ToString::to_string).collect();
    assert_eq!(addresses, ["127.0.0.0/8"]);
    Ok(())
}
