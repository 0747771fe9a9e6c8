//! Users, from being added to being removed, and what ends with them.

use crate::authorize::{BLOG, Browser, Site, VERIFIER, code_in, location, request};
use crate::support::{EMAIL, INVALID_TOKEN, PASSWORD, TestResult, TestServer, assert_problem, decode, json};
use serde_json::{Value, json};
use tollgate_service::{AccessTokenFormat, AccountError};

const USERS: &str = "/api/v2/admin/users";
const KEYS: &str = "/api/v2/admin/api-keys";
const SITES: &str = "/api/v2/sites";
const SESSIONS: &str = "/api/v2/sessions";
const NEW_PASSWORD: &str = "the difference engine";

/// A user with one of everything that comes of a login, and an administrator.
struct World {
    site: Site,
    admin: String,
    browser: Browser,
    unused_code: String,
    /// Session tokens, by password and by key, and an access token.
    tokens: Vec<String>,
    key: String,
    key_id: String,
}

impl World {
    fn start(format: AccessTokenFormat) -> Self {
        let site = Site::start_with(format);
        let admin = site.server.key_with("admin:keys");
        let key = site.server.accounts.add_api_key(&site.user_id, "laptop", "read:sites", None).unwrap();
        let (key, key_id) = (key.secret.as_str().to_owned(), key.stored.record.id().to_owned());
        let (mut browser, code) = site.logged_in();
        let token = |answer: Value| format!("Bearer {}", answer["meta"]["jwt"].as_str().unwrap());
        let access = json(site.exchange(site.blog(), &code, BLOG, VERIFIER), 200);
        let tokens = vec![
            token(json(site.server.log_in(EMAIL, PASSWORD), 200)),
            token(json(site.server.post(SESSIONS, &key), 200)),
            format!("Bearer {}", access["access_token"].as_str().unwrap()),
        ];
        let unused_code = code_in(&location(&browser.get(&site.server, &request(&[]))));
        let world = World { site, admin, browser, unused_code, tokens, key, key_id };
        world.tokens.iter().for_each(|token| drop(json(world.site.server.get(SITES, token), 200)));
        world
    }

    fn user(&self, more: &str) -> String {
        format!("{USERS}/{}{more}", self.site.user_id)
    }

    /// Nothing of a login is good any more.
    #[track_caller]
    fn assert_ended(&mut self) {
        for token in &self.tokens {
            assert_problem(self.site.server.get(SITES, token), 401, INVALID_TOKEN, "invalid_token");
        }
        let form = self.browser.get(&self.site.server, &request(&[]));
        assert_eq!(form.status().as_u16(), 200, "the login form: the cookie is worth nothing");
        let exchanged = self.site.exchange(self.site.blog(), &self.unused_code, BLOG, VERIFIER);
        assert_problem(exchanged, 400, None, "invalid_grant");
    }

    fn key_state(&self) -> Value {
        json(self.site.server.get(&format!("{KEYS}/{}", self.key_id), &self.admin), 200)["data"]["state"].clone()
    }
}

const FORMATS: [AccessTokenFormat; 2] = [AccessTokenFormat::Jwt, AccessTokenFormat::Opaque];

#[test]
fn an_administrator_manages_the_sites_of_a_user() -> TestResult {
    let server = TestServer::start();
    let admin = server.key_with("admin:keys");
    let user = server.accounts.add_user(EMAIL, PASSWORD, "read:sites")?;
    let key = server.accounts.add_api_key(&user.id, "test", "read:sites", None)?;
    let sites = format!("/api/v2/admin/users/{}/sites", user.id);
    let wanted = json!({"site": {"name": "Notes", "url": "https://notes.example/"}});
    let site = server.ask(&sites, &admin, &wanted, 201)["data"].clone();
    let one = format!("{sites}/{}", site["id"].as_str().unwrap());
    assert_eq!(json(server.get(&sites, &admin), 200)["data"], json!([site]));
    assert_eq!(json(server.get("/api/v2/sites", key.secret.as_str()), 200)["data"], json!([site]));
    assert_eq!(server.post_json(&format!("{one}/rename"), &admin, &json!({"name": "Diary"})).status().as_u16(), 204);
    assert_eq!(json(server.get("/api/v2/sites", key.secret.as_str()), 200)["data"][0]["name"], "Diary");
    for (name, url) in [("", "https://notes.example/"), ("Notes", "javascript:alert(1)"), ("Notes", "notes.example")] {
        server.ask(&sites, &admin, &json!({"site": {"name": name, "url": url}}), 400);
    }
    server.ask("/api/v2/admin/users/user_0/sites", &admin, &wanted, 404);
    assert_eq!(server.delete(&one, &admin).status().as_u16(), 204);
    assert_eq!(server.delete(&one, &admin).status().as_u16(), 404);
    assert_eq!(server.post_json(&format!("{one}/rename"), &admin, &json!({"name": "Diary"})).status().as_u16(), 404);
    assert_eq!(json(server.get("/api/v2/sites", key.secret.as_str()), 200)["data"], json!([]));
    assert_eq!(server.get(&sites, key.secret.as_str()).status().as_u16(), 403);
    Ok(())
}

#[test]
fn a71_a_disabled_user_is_out_at_once_and_begins_anew_when_enabled() {
    for format in FORMATS {
        let mut world = World::start(format);
        let disabled = json(world.site.server.post(&world.user("/disable"), &world.admin), 200);
        assert_eq!(disabled["data"]["state"], "disabled");
        world.assert_ended();
        let server = &world.site.server;
        let refused = server.log_in(EMAIL, PASSWORD);
        assert_problem(refused, 401, Some("Bearer"), "invalid_credentials");
        assert_problem(server.get(SITES, &world.key), 401, INVALID_TOKEN, "invalid_token");
        assert_problem(server.post(SESSIONS, &world.key), 401, INVALID_TOKEN, "invalid_token");
        // No key of a disabled user comes to life, and none is made.
        let enable_key = format!("{KEYS}/{}/enable", world.key_id);
        assert_problem(server.post(&enable_key, &world.admin), 409, None, "conflict");
        let wanted = json!({"api_key": {"subject": world.site.user_id, "name": "n", "scope": "read:sites"}});
        assert_problem(server.post_json(KEYS, &world.admin, &wanted), 409, None, "conflict");
        let made = server.accounts.add_api_key(&world.site.user_id, "n", "read:sites", None);
        assert!(matches!(made, Err(AccountError::Store(error)) if error.code() == "disabled"));
        // Again, from nothing.
        json(server.post(&world.user("/disable"), &world.admin), 200);

        let enabled = json(server.post(&world.user("/enable"), &world.admin), 200);
        assert_eq!((&enabled["data"]["state"], &enabled["data"]["disabled_at"]), (&json!("active"), &Value::Null));
        let fresh = json(server.log_in(EMAIL, PASSWORD), 200);
        json(server.get(SITES, fresh["meta"]["jwt"].as_str().unwrap()), 200);
        world.assert_ended();
        assert_eq!(world.key_state(), "disabled", "until somebody enables it");
        json(world.site.server.post(&enable_key, &world.admin), 200);
        json(world.site.server.get(SITES, &world.key), 200);
    }
}

#[test]
fn a71_another_password_ends_all_logins_and_leaves_the_keys() {
    for format in FORMATS {
        let mut world = World::start(format);
        let body = json!({"password": NEW_PASSWORD});
        world.site.server.ask(&world.user("/password"), &world.admin, &body, 200);
        world.assert_ended();
        let server = &world.site.server;
        assert_problem(server.log_in(EMAIL, PASSWORD), 401, Some("Bearer"), "invalid_credentials");
        // In the same second.
        let fresh = json(server.log_in(EMAIL, NEW_PASSWORD), 200);
        json(server.get(SITES, fresh["meta"]["jwt"].as_str().unwrap()), 200);
        json(server.get(SITES, &world.key), 200);
        let page = world.browser.get(&world.site.server, &request(&[])).text().unwrap();
        let answer = world.browser.submit(&world.site.server, &page, EMAIL, NEW_PASSWORD);
        let exchanged = world.site.exchange(world.site.blog(), &code_in(&location(&answer)), BLOG, VERIFIER);
        let token = format!("Bearer {}", json(exchanged, 200)["access_token"].as_str().unwrap());
        json(world.site.server.get(SITES, &token), 200);
    }
}

#[test]
fn a71_a_removed_user_leaves_nothing_that_is_accepted() {
    for format in FORMATS {
        let mut world = World::start(format);
        world.site.server.accounts.add_site(&world.site.user_id, "Notes", "https://notes.example/").unwrap();
        let removed = world.site.server.delete(&world.user(""), &world.admin);
        assert_eq!(removed.status().as_u16(), 204);
        world.assert_ended();
        assert_eq!(world.key_state(), "revoked");
        let server = &world.site.server;
        assert_problem(server.log_in(EMAIL, PASSWORD), 401, Some("Bearer"), "invalid_credentials");
        for path in ["", "/disable", "/enable"].map(|more| world.user(more)) {
            let answer =
                if path.ends_with('e') { server.post(&path, &world.admin) } else { server.get(&path, &world.admin) };
            assert_problem(answer, 404, None, "not_found");
        }
        // The address is free, and whoever takes it is somebody else.
        let body = json!({"user": {"email": EMAIL, "password": PASSWORD, "scope": "read:sites"}});
        let again = server.ask(USERS, &world.admin, &body, 201);
        assert_ne!(again["data"]["id"], world.site.user_id);
        let fresh = json(server.log_in(EMAIL, PASSWORD), 200);
        assert_eq!(json(server.get(SITES, fresh["meta"]["jwt"].as_str().unwrap()), 200)["data"], json!([]));
    }
}

#[test]
fn a71_a_revoked_subject_or_session_ends_the_cookie_and_the_codes_too() {
    for format in FORMATS {
        for by_session in [false, true] {
            let mut world = World::start(format);
            let sessions = json(world.site.server.get("/api/v2/admin/users", &world.admin), 200);
            assert_eq!(sessions["data"][0]["id"], world.site.user_id);
            let (kind, name) = match (by_session, format) {
                (false, _) => ("subject", world.site.user_id.clone()),
                // Of an opaque token nobody sees the session.
                (true, AccessTokenFormat::Opaque) => continue,
                (true, _) => (
                    "session",
                    decode(world.tokens[2].trim_start_matches("Bearer ")).1["sid"].as_str().unwrap().to_owned(),
                ),
            };
            let body = json!({"revocation": {"kind": kind, "name": name}});
            world.site.server.ask("/api/v2/admin/revocations", &world.admin, &body, 201);
            if by_session {
                // The other two are sessions of their own.
                world.tokens.drain(..2).for_each(|token| drop(json(world.site.server.get(SITES, &token), 200)));
            }
            world.assert_ended();
        }
    }
}

#[test]
fn every_token_of_a_login_names_its_session() {
    let site = Site::start();
    let (mut browser, code) = site.logged_in();
    let token = |code: &str| {
        let answer = json(site.exchange(site.blog(), code, BLOG, VERIFIER), 200);
        decode(answer["access_token"].as_str().unwrap()).1["sid"].as_str().unwrap().to_owned()
    };
    let first = token(&code);
    let second = token(&code_in(&location(&browser.get(&site.server, &request(&[])))));
    assert_eq!(first, second, "one login");
    let other = json(site.server.log_in(EMAIL, PASSWORD), 200);
    assert_ne!(decode(other["meta"]["jwt"].as_str().unwrap()).1["sid"], first);
}

#[test]
fn users_are_made_listed_and_found() -> TestResult {
    let server = TestServer::start();
    let admin = server.key_with("admin:keys");
    let wanted =
        |email: &str, password: &str| json!({"user": {"email": email, "password": password, "scope": "read:sites"}});
    let made = server.ask(USERS, &admin, &wanted("Ada@Example.com", PASSWORD), 201);
    let expected = ("ada@example.com", "read:sites", "active");
    let shown = |user: &Value, member: &str| user[member].as_str().unwrap_or_default().to_owned();
    let user = &made["data"];
    assert_eq!((&*shown(user, "email"), &*shown(user, "scope"), &*shown(user, "state")), expected);
    assert!(!made.to_string().contains("argon2"), "{made}");
    assert_problem(server.post_json(USERS, &admin, &wanted(EMAIL, PASSWORD)), 409, None, "conflict");
    assert_problem(server.post_json(USERS, &admin, &wanted("ada", PASSWORD)), 400, None, "invalid_request");
    server.ask(USERS, &admin, &wanted("grace@example.com", PASSWORD), 201);
    let mut emails = Vec::new();
    let mut query = "?limit=2".to_owned();
    loop {
        let page = json(server.get(&format!("{USERS}{query}"), &admin), 200);
        emails.extend(page["data"].as_array().unwrap().iter().map(|user| shown(user, "email")));
        match page["meta"]["next_page_token"].as_str() {
            Some(token) => query = format!("?limit=2&page_token={token}"),
            None => break,
        }
    }
    emails.sort();
    assert_eq!(emails, ["ada@example.com", "admin.keys@example.com", "grace@example.com"]);
    let found = json(server.get(&format!("{USERS}?email=ADA%40example.com"), &admin), 200);
    assert_eq!(found["data"], json!([user]));
    let path = format!("{USERS}/{}", shown(user, "id"));
    assert_eq!(json(server.get(&path, &admin), 200)["data"], *user);
    let mere = server.key_with("read:sites manage:api-keys");
    for path in [USERS, &path] {
        assert_eq!(server.get(path, &mere).status().as_u16(), 403);
    }
    assert_eq!(server.post(&format!("{path}/disable"), &mere).status().as_u16(), 403);
    Ok(())
}

#[test]
fn a_password_that_is_guessed_first_is_refused_with_the_reason() {
    let server = TestServer::start();
    let admin = server.key_with("admin:keys");
    let refused = |path: &str, body: &Value| {
        let answer = json(server.post_json(path, &admin, body), 400);
        (answer["error"].as_str().unwrap().to_owned(), answer["error_description"].as_str().unwrap().to_owned())
    };
    let user = server.accounts.add_user(EMAIL, PASSWORD, "").unwrap();
    for (password, reason) in [("e4sy", "too short"), ("P@ssw0rd123", "guessed first"), ("ada@example.com", "address")]
    {
        for (path, body) in [
            (USERS.to_owned(), json!({"user": {"email": EMAIL, "password": password, "scope": ""}})),
            (format!("{USERS}/{}/password", user.id), json!({"password": password})),
        ] {
            let (error, description) = refused(&path, &body);
            assert_eq!(error, "password_refused");
            assert!(description.contains(reason) && !description.contains(password), "{description}");
        }
    }
    json(server.log_in(EMAIL, PASSWORD), 200);
}

#[test]
fn a83_a_user_can_begin_so_many_sessions_and_no_more() -> TestResult {
    let folder = tempfile::tempdir()?;
    let server = TestServer::start_in(folder.path());
    let user = server.accounts.add_user(EMAIL, PASSWORD, "read:sites")?;
    let key = server.accounts.add_api_key(&user.id, "laptop", "read:sites", None)?;
    json(server.post(SESSIONS, key.secret.as_str()), 200);
    let file = rusqlite::Connection::open(folder.path().join("tollgate-service.sqlite3"))?;
    let copies = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1999)
                  INSERT INTO login_sessions (id, user_id, digest, key_id, agent, address, created_at, expires_at)
                  SELECT 'copy' || i, user_id, NULL, key_id, agent, address, created_at, expires_at
                  FROM login_sessions, n";
    assert_eq!(file.execute(copies, [])?, 1_999);
    assert_problem(server.post(SESSIONS, key.secret.as_str()), 409, None, "conflict");
    assert_problem(server.log_in(EMAIL, PASSWORD), 409, None, "conflict");
    file.execute("UPDATE login_sessions SET expires_at = 1 WHERE id = 'copy7'", [])?;
    json(server.post(SESSIONS, key.secret.as_str()), 200);
    Ok(())
}
