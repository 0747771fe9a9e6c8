use crate::support::{EMAIL, INVALID_TOKEN, PASSWORD, TestResult, TestServer, assert_problem, json};
use serde_json::json;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const ALL: &str = "read:sites manage:api-keys";
const API_KEYS: &str = "/api/v2/api_keys";
const PROFILE: &str = "/api/v2/profile";
const ROTATE: &str = "/api/v2/profile/api-key";
const SITES: &str = "/api/v2/sites";

#[test]
fn rotation_shows_the_new_key_once_and_ends_the_old_one_at_once() -> TestResult {
    let server = TestServer::start();
    let user = server.accounts.add_user(EMAIL, PASSWORD, ALL)?;
    let old = server.accounts.add_api_key(&user.id, "laptop", ALL, None)?;

    let answer = json(server.post(ROTATE, old.secret.as_str()), 201);
    let new = answer["data"]["secret"].as_str().unwrap().to_owned();
    assert_problem(server.get(SITES, old.secret.as_str()), 401, INVALID_TOKEN, "invalid_token");
    json(server.get(SITES, &new), 200);

    let profile = server.get(PROFILE, &new).text()?;
    assert!(!profile.contains(&new));
    let profile: serde_json::Value = serde_json::from_str(&profile)?;
    assert_eq!(profile["data"]["api_key_id"], answer["data"]["id"]);
    assert_eq!(profile["data"]["api_keys"].as_array().unwrap().len(), 1);
    assert_eq!(profile["data"]["api_keys"][0]["name"], "laptop");
    assert_eq!(profile["meta"]["authenticated_by"], "api-key");
    Ok(())
}

#[test]
fn rotation_by_a_session_makes_the_first_key() -> TestResult {
    let server = TestServer::start();
    server.accounts.add_user(EMAIL, PASSWORD, ALL)?;
    let session = json(server.log_in(EMAIL, PASSWORD), 200);
    let token = session["meta"]["jwt"].as_str().unwrap();
    let first = json(server.post(ROTATE, token), 201);
    let second = json(server.post(ROTATE, token), 201);
    assert_problem(server.get(SITES, first["data"]["secret"].as_str().unwrap()), 401, INVALID_TOKEN, "invalid_token");
    json(server.get(SITES, second["data"]["secret"].as_str().unwrap()), 200);
    Ok(())
}

#[test]
fn rotation_never_hands_out_more_than_the_caller_has() -> TestResult {
    let server = TestServer::start();
    let user = server.accounts.add_user(EMAIL, PASSWORD, ALL)?;
    let manager = server.accounts.add_api_key(&user.id, "manager", "manage:api-keys", None)?;
    let session = json(server.post("/api/v2/sessions", manager.secret.as_str()), 200);
    let strong = server.accounts.add_api_key(&user.id, "laptop", ALL, None)?;

    // The session may manage keys but not read sites, so it must not get a key that may: it rotates that which it was made with.
    let new = json(server.post(ROTATE, session["meta"]["jwt"].as_str().unwrap()), 201);
    assert_eq!((&new["data"]["scope"], &new["data"]["name"]), (&json!("manage:api-keys"), &json!("manager")));
    json(server.get(SITES, strong.secret.as_str()), 200);
    assert_eq!(server.get(SITES, new["data"]["secret"].as_str().unwrap()).status().as_u16(), 403);
    Ok(())
}

#[test]
fn a_key_is_made_listed_and_revoked() -> TestResult {
    let server = TestServer::start();
    let user = server.accounts.add_user(EMAIL, PASSWORD, ALL)?;
    let manager = server.accounts.add_api_key(&user.id, "manager", ALL, None)?;
    let manager = manager.secret.as_str();

    let body = json!({"api_key": {"name": "phone", "scope": "read:sites"}});
    let made = json(server.post_json(API_KEYS, manager, &body), 201);
    let (id, secret) = (made["data"]["id"].as_str().unwrap(), made["data"]["secret"].as_str().unwrap());
    json(server.get(SITES, secret), 200);
    assert_eq!(server.get(API_KEYS, secret).status().as_u16(), 403, "it may not manage keys");

    let list = server.get(API_KEYS, manager).text()?;
    assert!(list.contains(id) && !list.contains(secret), "{list}");

    let revoke = || server.client.delete(server.url(&format!("{API_KEYS}/{id}"))).header("authorization", manager);
    assert_eq!(revoke().send()?.status().as_u16(), 204);
    assert_problem(server.get(SITES, secret), 401, INVALID_TOKEN, "invalid_token");
    assert_problem(revoke().send()?, 404, None, "not_found");
    Ok(())
}

#[test]
fn a_key_cannot_exceed_the_credential_that_makes_it() -> TestResult {
    let server = TestServer::start();
    let user = server.accounts.add_user(EMAIL, PASSWORD, ALL)?;
    let manager = server.accounts.add_api_key(&user.id, "manager", "manage:api-keys", None)?;
    for scope in ["read:sites", "read:reports"] {
        let body = json!({"api_key": {"name": "phone", "scope": scope}});
        let refused = server.post_json(API_KEYS, manager.secret.as_str(), &body);
        assert_eq!(refused.status().as_u16(), 403, "{scope}");
    }
    Ok(())
}

#[test]
fn another_users_key_cannot_be_revoked() -> TestResult {
    let server = TestServer::start();
    let ada = server.accounts.add_user(EMAIL, PASSWORD, ALL)?;
    let grace = server.accounts.add_user("grace@example.com", PASSWORD, ALL)?;
    let adas = server.accounts.add_api_key(&ada.id, "laptop", ALL, None)?;
    let graces = server.accounts.add_api_key(&grace.id, "laptop", ALL, None)?;
    let path = server.url(&format!("{API_KEYS}/{}", graces.stored.record.id()));
    let refused = server.client.delete(path).header("authorization", adas.secret.as_str()).send()?;
    assert_problem(refused, 404, None, "not_found");
    json(server.get(SITES, graces.secret.as_str()), 200);
    Ok(())
}

#[test]
fn an_expired_key_is_rejected() -> TestResult {
    let server = TestServer::start();
    let user = server.accounts.add_user(EMAIL, PASSWORD, ALL)?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let expires_at = i64::try_from(now)? + 2;
    let key = server.accounts.add_api_key(&user.id, "brief", "read:sites", Some(expires_at))?;
    json(server.get(SITES, key.secret.as_str()), 200);
    std::thread::sleep(Duration::from_millis(2_100));
    assert_problem(server.get(SITES, key.secret.as_str()), 401, INVALID_TOKEN, "invalid_token");
    assert!(server.accounts.add_api_key(&user.id, "past", "read:sites", Some(expires_at)).is_err());
    Ok(())
}

#[test]
fn malformed_requests_for_a_key_are_refused() -> TestResult {
    let server = TestServer::start();
    let user = server.accounts.add_user(EMAIL, PASSWORD, ALL)?;
    let key = server.accounts.add_api_key(&user.id, "laptop", ALL, None)?;
    for body in [
        json!({}),
        json!({"api_key": {"name": "", "scope": "read:sites"}}),
        json!({"api_key": {"name": "a\nb", "scope": "read:sites"}}),
        json!({"api_key": {"name": "phone", "scope": "read:sites", "expires_at": "tomorrow"}}),
        json!({"api_key": {"name": "phone", "scope": "read:sites", "expires_at": "2001-01-01T00:00:00Z"}}),
        json!({"api_key": {"name": "phone", "scope": "read:sites", "secret": "mine"}}),
    ] {
        assert_problem(server.post_json(API_KEYS, key.secret.as_str(), &body), 400, None, "invalid_request");
    }
    Ok(())
}

#[test]
fn a_client_has_no_profile() -> TestResult {
    let server = TestServer::start();
    let client = server.accounts.add_client("reports", "Reports", ALL, &[])?;
    let token = json(server.token("reports", client.secret.as_str()), 200);
    let token = format!("Bearer {}", token["access_token"].as_str().unwrap());
    for path in [PROFILE, SITES, API_KEYS] {
        assert_problem(server.get(path, &token), 403, None, "access_denied");
    }
    Ok(())
}

#[test]
fn accounts_out_of_bounds_are_refused() -> TestResult {
    let server = TestServer::start();
    let accounts = &server.accounts;
    for (email, password, scopes) in [
        ("nobody", PASSWORD, ALL),
        ("@example.com", PASSWORD, ALL),
        ("a b@example.com", PASSWORD, ALL),
        (EMAIL, PASSWORD, "read:sites  twice"),
        (EMAIL, PASSWORD, "quo\"te"),
    ] {
        assert_eq!(accounts.add_user(email, password, scopes).expect_err(email).code(), "invalid");
    }
    assert_eq!(accounts.add_user(EMAIL, "short", ALL).expect_err("short").code(), "password-refused");
    for client_id in ["", "a:b", "a b", "usr_1", "ä"] {
        assert!(accounts.add_client(client_id, "Reports", ALL, &[]).is_err(), "{client_id}");
    }
    assert!(accounts.add_client("blog", "Blog", ALL, &["http://blog.example/"]).is_err(), "not https");
    let user = accounts.add_user(EMAIL, PASSWORD, "read:sites")?;
    assert!(accounts.add_api_key(&user.id, "laptop", "read:reports", None).is_err(), "not the user's scope");
    assert_eq!(accounts.add_user("ADA@example.com", PASSWORD, ALL).expect_err("taken").code(), "already-exists");
    Ok(())
}
