use crate::support::{
    BEARER, EMAIL, INVALID_TOKEN, PASSWORD, TestResult, TestServer, assert_problem, json, open_store, run,
};
use serde_json::{Value, json};
use tollgate::{ApiKey, KeyFormat, KeyRecord};
use tollgate_storage::{Command, StoredKey};

const KEYS: &str = "/api/v2/admin/api-keys";
const REPORTS: &str = "/api/v2/reports";
const ADMIN: &str = "admin:keys";

fn wanted(subject: &str) -> Value {
    json!({"api_key": {"subject": subject, "name": "deploy", "scope": "read:reports"}})
}

/// The id and the secret of a new key.
fn make(server: &TestServer, admin: &str, body: &Value) -> (String, String) {
    let made = server.ask(KEYS, admin, body, 201);
    (made["data"]["id"].as_str().unwrap().to_owned(), made["data"]["secret"].as_str().unwrap().to_owned())
}

#[test]
fn every_admin_route_needs_the_scope() -> TestResult {
    let server = TestServer::start();
    let other = server.key_with("manage:api-keys read:sites");
    let challenge = r#"Bearer error="insufficient_scope", scope="admin:keys""#;
    for (method, path) in [
        ("GET", "api-keys"),
        ("POST", "api-keys"),
        ("GET", "api-keys/key_1"),
        ("POST", "api-keys/key_1/disable"),
        ("POST", "api-keys/key_1/enable"),
        ("POST", "api-keys/key_1/rotate"),
        ("POST", "api-keys/key_1/revoke"),
        ("GET", "clients"),
        ("POST", "clients"),
        ("GET", "clients/blog"),
        ("DELETE", "clients/blog"),
        ("POST", "clients/blog/disable"),
        ("POST", "clients/blog/enable"),
        ("POST", "clients/blog/rotate-secret"),
        ("POST", "revocations"),
        ("GET", "store"),
    ] {
        let request = || server.client.request(method.parse().unwrap(), server.url(&format!("/api/v2/admin/{path}")));
        let refused = request().header("authorization", &other).send()?;
        assert_problem(refused, 403, Some(challenge), "insufficient_scope");
        assert_problem(request().send()?, 401, BEARER, "unauthorized");
    }
    Ok(())
}

#[test]
fn a_key_is_switched_off_and_on_and_revoked_for_ever() {
    let server = TestServer::start();
    let admin = server.key_with(ADMIN);
    let (id, secret) = make(&server, &admin, &wanted("account-7"));
    assert_eq!(json(server.get(REPORTS, &secret), 200)["meta"]["subject"], "account-7");
    let act = |action| server.post(&format!("{KEYS}/{id}/{action}"), &admin);

    assert_eq!(json(act("disable"), 200)["data"]["state"], "disabled");
    assert_problem(server.get(REPORTS, &secret), 401, INVALID_TOKEN, "invalid_token");
    assert_problem(act("rotate"), 409, None, "conflict");
    assert_eq!(json(act("enable"), 200)["data"]["state"], "active");
    json(server.get(REPORTS, &secret), 200);
    assert_eq!(json(act("revoke"), 200)["data"]["state"], "revoked");
    assert_problem(server.get(REPORTS, &secret), 401, INVALID_TOKEN, "invalid_token");
    assert_eq!(json(act("revoke"), 200)["data"]["state"], "revoked", "again changes nothing");
    for action in ["enable", "disable", "rotate"] {
        assert_problem(act(action), 409, None, "conflict");
    }
    let shown = json(server.get(&format!("{KEYS}/{id}"), &admin), 200);
    assert_eq!(shown["data"]["name"], "deploy");
    assert!(!shown.to_string().contains(&secret[10..40]));
    for action in ["enable", "disable", "rotate", "revoke"] {
        assert_problem(server.post(&format!("{KEYS}/key_0/{action}"), &admin), 404, None, "not_found");
    }
    assert_problem(server.get(&format!("{KEYS}/key_0"), &admin), 404, None, "not_found");
}

#[test]
fn a_rotated_key_goes_on_for_the_overlap_and_no_longer() {
    let server = TestServer::start();
    let admin = server.key_with(ADMIN);
    let body = json!({"api_key": {"subject": "account-7", "name": "deploy", "scope": "read:reports",
        "expires_at": "2096-11-22T10:00:00Z", "allowed_addresses": ["127.0.0.0/8"], "metadata": "aGk"}});
    let (id, old) = make(&server, &admin, &body);
    let rotate = |id: &str, body: Value| server.ask(&format!("{KEYS}/{id}/rotate"), &admin, &body, 201);

    let new = rotate(&id, json!({"overlap_seconds": 3600}));
    let (new_id, new_secret) = (new["data"]["id"].as_str().unwrap(), new["data"]["secret"].as_str().unwrap());
    for member in ["subject", "name", "scope", "expires_at", "allowed_addresses", "metadata"] {
        assert_eq!(
            new["data"][member],
            json(server.get(&format!("{KEYS}/{id}"), &admin), 200)["data"][member],
            "{member}"
        );
    }
    assert_eq!(json(server.get(&format!("{KEYS}/{id}"), &admin), 200)["data"]["rotated_to"], new_id);
    json(server.get(REPORTS, &old), 200);
    json(server.get(REPORTS, new_secret), 200);

    let third = rotate(new_id, json!({}));
    assert_problem(server.get(REPORTS, new_secret), 401, INVALID_TOKEN, "invalid_token");
    json(server.get(REPORTS, third["data"]["secret"].as_str().unwrap()), 200);
    assert_problem(server.post(&format!("{KEYS}/{new_id}/rotate"), &admin), 409, None, "conflict");
}

#[test]
fn a_key_is_not_rotated_into_one_that_begins_sooner() -> TestResult {
    let folder = tempfile::tempdir()?;
    let server = TestServer::start_in(folder.path());
    let admin = server.key_with(ADMIN);
    let format = KeyFormat::new("tg", "live")?;
    let record = KeyRecord::api_key("key_later", "account-7").scopes(["read:reports"]).not_before(4_000_000_000);
    let later = StoredKey::native(&format, &ApiKey::generate(&format)?, record);
    run(&open_store(folder.path()), Command::AddKey { key: later, max: None });
    let new = server.ask(&format!("{KEYS}/key_later/rotate"), &admin, &json!({}), 201);
    let secret = new["data"]["secret"].as_str().unwrap();
    assert_problem(server.get(REPORTS, secret), 401, INVALID_TOKEN, "invalid_token");
    Ok(())
}

#[test]
fn keys_are_listed_by_page_subject_kind_and_state() -> TestResult {
    let server = TestServer::start();
    let admin = server.key_with(ADMIN);
    let mut made: Vec<String> = (0..5).map(|_| make(&server, &admin, &wanted("account-7")).0).collect();
    made.sort();
    server.accounts.add_client("blog", "Blog", "read:reports", &[])?;
    json(server.post(&format!("{KEYS}/{}/disable", made[1]), &admin), 200);

    let list = |query: &str| json(server.get(&format!("{KEYS}?{query}"), &admin), 200);
    let ids = |page: &Value| -> Vec<String> {
        page["data"].as_array().unwrap().iter().map(|key| key["id"].as_str().unwrap().to_owned()).collect()
    };
    let (mut seen, mut token, mut pages) = (Vec::new(), String::new(), 0);
    loop {
        let page = list(&format!("subject=account-7&limit=2&page_token={token}"));
        seen.extend(ids(&page));
        pages += 1;
        match page["meta"]["next_page_token"].as_str() {
            Some(next) => token = next.to_owned(),
            None => break,
        }
    }
    assert_eq!((seen, pages), (made.clone(), 3));
    assert_eq!(ids(&list("subject=account-7&state=disabled")), [made[1].clone()]);
    assert_eq!(list("limit=5&subject=account-7")["meta"]["next_page_token"], Value::Null, "exactly one page");
    let secrets = list("kind=client-secret");
    assert_eq!((ids(&secrets).len(), &secrets["data"][0]["subject"]), (1, &json!("blog")));
    assert_eq!(ids(&list("")).len(), 6, "and the administrator's own");
    for bad in ["limit=0", "limit=201", "limit=x", "page_token=%25", "kind=jwt", "state=gone", "limit=1&limit=2"] {
        assert_problem(server.get(&format!("{KEYS}?{bad}"), &admin), 400, None, "invalid_request");
    }
    Ok(())
}

#[test]
fn a_key_that_cannot_be_made_is_refused() {
    let server = TestServer::start();
    let admin = server.key_with(ADMIN);
    for (member, bad) in [
        ("subject", json!("")),
        ("subject", json!("a\nb")),
        ("subject", json!("a".repeat(1025))),
        ("name", json!("")),
        ("scope", json!("quo\"te")),
        ("expires_at", json!("tomorrow")),
        ("expires_at", json!("2001-01-01T00:00:00Z")),
        ("not_before", json!("now")),
        ("allowed_addresses", json!(["192.0.2.0/33"])),
        ("metadata", json!("a b")),
        ("metadata", json!("A".repeat(6000))),
        ("secret", json!("mine")),
    ] {
        let mut body = wanted("account-7");
        body["api_key"][member] = bad;
        assert_problem(server.post_json(KEYS, &admin, &body), 400, None, "invalid_request");
    }
    let (id, _) = make(&server, &admin, &wanted("account-7"));
    for overlap in [json!({"overlap_seconds": -1}), json!({"overlap_seconds": 2_592_001}), json!({"overlap": 1})] {
        let refused = server.post_json(&format!("{KEYS}/{id}/rotate"), &admin, &overlap);
        assert_problem(refused, 400, None, "invalid_request");
    }
}

#[test]
fn a56_a_key_is_taken_from_its_addresses_alone() {
    let server = TestServer::start();
    let admin = server.key_with(ADMIN);
    for (address, status) in [("127.0.0.0/8", 200), ("192.0.2.0/24", 403)] {
        let mut body = wanted("account-7");
        body["api_key"]["allowed_addresses"] = json!([address]);
        body["api_key"]["scope"] = json!("read:reports admin:keys");
        let (_, secret) = make(&server, &admin, &body);
        assert_eq!(server.get(REPORTS, &secret).status().as_u16(), status, "{address}");
        assert_eq!(server.get(KEYS, &secret).status().as_u16(), status, "{address}");
    }
}

#[test]
fn a56_a_key_from_elsewhere_buys_no_session() -> TestResult {
    let server = TestServer::start();
    let admin = server.key_with(ADMIN);
    let user = server.accounts.add_user(EMAIL, PASSWORD, "read:sites")?;
    let mut body = wanted(&user.id);
    body["api_key"]["allowed_addresses"] = json!(["192.0.2.0/24"]);
    let (_, secret) = make(&server, &admin, &body);
    assert_problem(server.post("/api/v2/sessions", &secret), 403, BEARER, "access_denied");
    Ok(())
}

#[test]
fn what_an_administrator_disabled_is_not_rotated_into_something_that_works() -> TestResult {
    let server = TestServer::start();
    let admin = server.key_with(ADMIN);
    let user = server.accounts.add_user(EMAIL, PASSWORD, "read:sites manage:api-keys")?;
    let strong = server.accounts.add_api_key(&user.id, "laptop", "read:sites manage:api-keys", None)?;
    let disabled = strong.stored.record.id();
    json(server.post(&format!("{KEYS}/{disabled}/disable"), &admin), 200);
    let session = json(server.log_in(EMAIL, PASSWORD), 200);
    let made = json(server.post("/api/v2/profile/api-key", session["meta"]["jwt"].as_str().unwrap()), 201);
    assert_eq!(made["data"]["name"], "default", "a new one, not the successor of the disabled one");
    assert_eq!(json(server.get(&format!("{KEYS}/{disabled}"), &admin), 200)["data"]["rotated_to"], Value::Null);
    Ok(())
}
