use crate::support::{BASIC, INVALID_TOKEN, TestResult, TestServer, assert_problem, config, json, open_store, run};
use serde_json::{Value, json};
use std::str::FromStr;
use std::time::{Duration, Instant};
use tollgate::AddressBlock;
use tollgate_service::{AccessTokenFormat, Config};
use tollgate_storage::{Command, StoredKey};

const CLIENTS: &str = "/api/v2/admin/clients";
const REPORTS: &str = "/api/v2/reports";
const BLOG: &str = "https://blog.example/callback";

fn start(access_token_format: AccessTokenFormat) -> (TestServer, String) {
    let server = TestServer::start_with(Config { store: None, access_token_format, ..config() });
    let admin = server.key_with("admin:keys");
    (server, admin)
}

fn wanted(id: &str) -> Value {
    json!({"client": {"id": id, "name": "The Blog", "scope": "read:reports", "redirect_uris": [BLOG]}})
}

fn bearer(server: &TestServer, secret: &str) -> String {
    format!("Bearer {}", json(server.token("blog", secret), 200)["access_token"].as_str().unwrap())
}

fn authorize(server: &TestServer) -> u16 {
    let query = format!(
        "response_type=code&client_id=blog&redirect_uri={BLOG}&code_challenge_method=S256\
         &code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    );
    server.client.get(server.url(&format!("/oauth/v2/authorize?{query}"))).send().unwrap().status().as_u16()
}

#[test]
fn a_disabled_client_gets_nothing_and_what_it_got_is_revoked() {
    for format in [AccessTokenFormat::Jwt, AccessTokenFormat::Opaque] {
        let (server, admin) = start(format);
        let made = server.ask(CLIENTS, &admin, &wanted("blog"), 201);
        let secret = made["data"]["secret"].as_str().unwrap();
        assert_eq!((&made["data"]["state"], &made["data"]["redirect_uris"][0]), (&json!("active"), &json!(BLOG)));
        let token = bearer(&server, secret);
        json(server.get(REPORTS, &token), 200);
        assert_eq!(authorize(&server), 200);

        let disabled = json(server.post(&format!("{CLIENTS}/blog/disable"), &admin), 200);
        assert_eq!(disabled["data"]["state"], "disabled");
        assert_problem(server.token("blog", secret), 401, BASIC, "invalid_client");
        assert_problem(server.get(REPORTS, &token), 401, INVALID_TOKEN, "invalid_token");
        assert_eq!(authorize(&server), 400, "nobody is asked for a password for its sake");
        assert_problem(server.post(&format!("{CLIENTS}/blog/rotate-secret"), &admin), 409, None, "conflict");

        json(server.post(&format!("{CLIENTS}/blog/enable"), &admin), 200);
        assert_problem(server.get(REPORTS, &token), 401, INVALID_TOKEN, "invalid_token");
        // What was issued in the second of the revocation is revoked.
        std::thread::sleep(std::time::Duration::from_millis(1100));
        json(server.get(REPORTS, &bearer(&server, secret)), 200);
        assert_eq!(authorize(&server), 200);
    }
}

#[test]
fn a_secret_is_rotated_with_and_without_an_overlap() {
    let (server, admin) = start(AccessTokenFormat::Jwt);
    let first = server.ask(CLIENTS, &admin, &wanted("blog"), 201)["data"]["secret"].as_str().unwrap().to_owned();
    let rotate = |body: Value| {
        let answer = server.ask(&format!("{CLIENTS}/blog/rotate-secret"), &admin, &body, 201);
        (answer["data"]["secret"].as_str().unwrap().to_owned(), answer["data"]["secrets"].as_array().unwrap().len())
    };
    let (second, live) = rotate(json!({"overlap_seconds": 3600}));
    assert_eq!(live, 2);
    for secret in [&first, &second] {
        json(server.token("blog", secret), 200);
    }
    // Without an overlap nothing older goes on, that of before included.
    let (third, live) = rotate(json!({}));
    assert_eq!(live, 1);
    for secret in [&first, &second] {
        assert_problem(server.token("blog", secret), 401, BASIC, "invalid_client");
    }
    json(server.token("blog", &third), 200);
}

#[test]
fn a_removed_client_is_gone_with_its_secrets_and_tokens() -> TestResult {
    for format in [AccessTokenFormat::Jwt, AccessTokenFormat::Opaque] {
        let (server, admin) = start(format);
        let made = server.ask(CLIENTS, &admin, &wanted("blog"), 201);
        let secret = made["data"]["secret"].as_str().unwrap();
        let token = bearer(&server, secret);
        let remove = || server.client.delete(server.url(&format!("{CLIENTS}/blog"))).header("authorization", &admin);
        assert_eq!(remove().send()?.status().as_u16(), 204);
        assert_problem(server.token("blog", secret), 401, BASIC, "invalid_client");
        assert_problem(server.get(REPORTS, &token), 401, INVALID_TOKEN, "invalid_token");
        assert_eq!(authorize(&server), 400);
        assert_problem(remove().send()?, 404, None, "not_found");
        for action in ["disable", "enable", "rotate-secret"] {
            assert_problem(server.post(&format!("{CLIENTS}/blog/{action}"), &admin), 404, None, "not_found");
        }
    }
    Ok(())
}

#[test]
fn a56_a_secret_is_taken_from_its_addresses_alone() -> TestResult {
    let folder = tempfile::tempdir()?;
    let server = TestServer::start_in(folder.path());
    let secret = server.accounts.add_client("blog", "The Blog", "read:reports", &[])?;
    json(server.token("blog", secret.secret.as_str()), 200);
    let from = AddressBlock::from_str("192.0.2.0/24")?;
    let record = secret.stored.record.edit().allowed_addresses([from]).build();
    let now = StoredKey { record, ..secret.stored.clone() };
    run(&open_store(folder.path()), Command::ChangeKey { was: secret.stored.clone(), now });
    let limit = Instant::now() + Duration::from_secs(10);
    while server.token("blog", secret.secret.as_str()).status().as_u16() != 401 {
        assert!(Instant::now() < limit, "the secret is taken from elsewhere");
    }
    Ok(())
}

#[test]
fn clients_are_listed_by_page_and_the_malformed_is_refused() {
    let (server, admin) = start(AccessTokenFormat::Jwt);
    for id in ["c", "a", "b"] {
        server.ask(CLIENTS, &admin, &wanted(id), 201);
    }
    let list = |query: &str| json(server.get(&format!("{CLIENTS}?{query}"), &admin), 200);
    let first = list("limit=2");
    let token = first["meta"]["next_page_token"].as_str().unwrap();
    let second = list(&format!("limit=2&page_token={token}"));
    assert_eq!((&first["data"][0]["id"], &first["data"][1]["id"]), (&json!("a"), &json!("b")));
    assert_eq!((&second["data"][0]["id"], &second["meta"]["next_page_token"]), (&json!("c"), &Value::Null));
    assert!(!first.to_string().contains("\"secret\""), "{first}");
    assert_eq!(json(server.get(&format!("{CLIENTS}/b"), &admin), 200)["data"]["name"], "The Blog");

    assert_problem(server.post_json(CLIENTS, &admin, &wanted("a")), 409, None, "conflict");
    for bad in ["", "usr_1", "a b"] {
        assert_problem(server.post_json(CLIENTS, &admin, &wanted(bad)), 400, None, "invalid_request");
    }
    let mut plain = wanted("d");
    plain["client"]["redirect_uris"] = json!(["http://blog.example/"]);
    assert_problem(server.post_json(CLIENTS, &admin, &plain), 400, None, "invalid_request");
}

/// OpenID Connect RP-Initiated Logout 1.0 section 3.1, Back-Channel Logout 1.0 section 2.2.
#[test]
fn a69_uris_of_logout_are_registered_and_checked() {
    let (server, admin) = start(AccessTokenFormat::Jwt);
    let with = |member: &str, value: Value| {
        let mut body = wanted("blog");
        body["client"][member] = value;
        server.post_json(CLIENTS, &admin, &body)
    };
    for wrong in ["javascript:alert(1)", "http://blog.example/bye", "com.example.app:/bye", "https://blog.example/#bye"]
    {
        assert_problem(with("post_logout_redirect_uris", json!([wrong])), 400, None, "invalid_request");
        assert_problem(with("backchannel_logout_uri", json!(wrong)), 400, None, "invalid_request");
    }
    let made = json(with("post_logout_redirect_uris", json!(["https://blog.example/bye"])), 201);
    assert_eq!(made["data"]["post_logout_redirect_uris"], json!(["https://blog.example/bye"]));
    assert_eq!(made["data"]["backchannel_logout_uri"], Value::Null);
}
