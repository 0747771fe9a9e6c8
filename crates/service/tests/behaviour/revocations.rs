use crate::support::{EMAIL, INVALID_TOKEN, PASSWORD, TestServer, assert_problem, config, decode, json};
use serde_json::{Value, json};
use tollgate_service::{AccessTokenFormat, Config};

const REVOCATIONS: &str = "/api/v2/admin/revocations";
const REPORTS: &str = "/api/v2/reports";
const SITES: &str = "/api/v2/sites";

struct World {
    server: TestServer,
    admin: String,
    user_id: String,
    secret: String,
}

impl World {
    fn start(access_token_format: AccessTokenFormat) -> Self {
        let server = TestServer::start_with(Config { store: None, access_token_format, ..config() });
        let admin = server.key_with("admin:keys");
        let user_id = server.accounts.add_user(EMAIL, PASSWORD, "read:sites").unwrap().id;
        let secret = server.accounts.add_client("reports", "Reports", "read:reports", &[]).unwrap();
        Self { server, admin, user_id, secret: secret.secret.as_str().to_owned() }
    }

    fn session(&self) -> String {
        let session = json(self.server.log_in(EMAIL, PASSWORD), 200);
        session["meta"]["jwt"].as_str().unwrap().to_owned()
    }

    fn token(&self) -> String {
        let token = json(self.server.token("reports", &self.secret), 200);
        token["access_token"].as_str().unwrap().to_owned()
    }

    fn revoke(&self, kind: &str, name: &str, more: &[(&str, Value)]) -> Value {
        let mut body = json!({"revocation": {"kind": kind, "name": name}});
        for (member, value) in more {
            body["revocation"][member] = value.clone();
        }
        self.server.ask(REVOCATIONS, &self.admin, &body, 201)
    }

    #[track_caller]
    fn assert_gone(&self, path: &str, token: &str) {
        assert_problem(self.server.get(path, &format!("Bearer {token}")), 401, INVALID_TOKEN, "invalid_token");
    }

    #[track_caller]
    fn assert_good(&self, path: &str, token: &str) {
        json(self.server.get(path, &format!("Bearer {token}")), 200);
    }
}

#[test]
fn a_token_is_revoked_by_its_jti_and_no_other() {
    let world = World::start(AccessTokenFormat::Jwt);
    let (one, other) = (world.token(), world.token());
    world.assert_good(REPORTS, &one);
    let answer = world.revoke("token", decode(&one).1["jti"].as_str().unwrap(), &[]);
    assert_eq!(answer["data"]["issuer"], world.server.origin);
    world.assert_gone(REPORTS, &one);
    world.assert_good(REPORTS, &other);
}

#[test]
fn a_session_is_revoked_by_its_sid_and_no_other() {
    let world = World::start(AccessTokenFormat::Jwt);
    let (one, other) = (world.session(), world.session());
    world.assert_good(SITES, &one);
    world.revoke("session", decode(&one).1["sid"].as_str().unwrap(), &[]);
    world.assert_gone(SITES, &one);
    world.assert_good(SITES, &other);
}

#[test]
fn a_subject_is_revoked_as_far_as_issued_before() {
    let world = World::start(AccessTokenFormat::Jwt);
    let session = world.session();
    world.revoke("subject", &world.user_id, &[("issued_before", json!("2001-01-01T00:00:00Z"))]);
    world.assert_good(SITES, &session);
    world.revoke("subject", &world.user_id, &[("issued_before", json!("2096-01-01T00:00:00Z"))]);
    world.assert_gone(SITES, &session);
    world.assert_gone(SITES, &world.session());
}

#[test]
fn opaque_tokens_go_with_their_client_their_subject_and_their_issuer() {
    for (kind, name) in [("client", "reports"), ("subject", "reports"), ("issuer", "")] {
        let world = World::start(AccessTokenFormat::Opaque);
        let token = world.token();
        world.assert_good(REPORTS, &token);
        world.revoke(kind, name, &[("issued_before", json!("2001-01-01T00:00:00Z"))]);
        world.assert_good(REPORTS, &token);
        world.revoke(kind, name, &[("issuer", json!("https://other.example"))]);
        world.assert_good(REPORTS, &token);
        world.revoke(kind, name, &[]);
        world.assert_gone(REPORTS, &token);
        // As a JWT is: issued, and rejected.
        world.assert_gone(REPORTS, &world.token());
    }
}

#[test]
fn an_opaque_token_and_an_api_key_are_revoked_by_their_ids() {
    let world = World::start(AccessTokenFormat::Opaque);
    let list = || {
        let path = "/api/v2/admin/api-keys?kind=access-token";
        json(world.server.get(path, &world.admin), 200)["data"].as_array().unwrap().clone()
    };
    let token = world.token();
    let id = list()[0]["id"].as_str().unwrap().to_owned();
    world.revoke("token", &id, &[]);
    world.assert_gone(REPORTS, &token);
    assert_eq!(list()[0]["state"], "revoked");

    let token = world.token();
    let id = list().iter().find(|token| token["state"] == "active").unwrap()["id"].as_str().unwrap().to_owned();
    world.revoke("api-key", &id, &[]);
    world.assert_gone(REPORTS, &token);
}

#[test]
fn what_is_no_revocation_is_refused() {
    let world = World::start(AccessTokenFormat::Jwt);
    for bad in [
        json!({}),
        json!({"revocation": {"kind": "user", "name": "a"}}),
        json!({"revocation": {"kind": "token"}}),
        json!({"revocation": {"kind": "issuer", "name": "a"}}),
        json!({"revocation": {"kind": "api-key", "name": "a", "issuer": "https://a.example"}}),
        json!({"revocation": {"kind": "token", "name": "a", "until": "tomorrow"}}),
        json!({"revocation": {"kind": "token", "name": "a", "forever": true}}),
    ] {
        assert_problem(world.server.post_json(REVOCATIONS, &world.admin, &bad), 400, None, "invalid_request");
    }
}

#[test]
fn revocations_are_listed_page_by_page_and_taken_back() {
    let world = World::start(AccessTokenFormat::Jwt);
    let token = world.token();
    let jti = decode(&token).1["jti"].as_str().unwrap().to_owned();
    world.revoke("token", &jti, &[("until", json!("2096-01-01T00:00:00Z"))]);
    world.revoke("session", "s-1", &[("issuer", json!("https://other.example"))]);
    world.revoke("api-key", "key-1", &[]);
    world.assert_gone(REPORTS, &token);

    let mut listed = Vec::new();
    let mut query = "?limit=1".to_owned();
    loop {
        let page = json(world.server.get(&format!("{REVOCATIONS}{query}"), &world.admin), 200);
        listed.extend(page["data"].as_array().unwrap().clone());
        match page["meta"]["next_page_token"].as_str() {
            Some(token) => query = format!("?limit=1&page_token={token}"),
            None => break,
        }
    }
    let names: Vec<_> = listed.iter().map(|one| [&one["kind"], &one["issuer"], &one["name"], &one["until"]]).collect();
    let origin = json!(world.server.origin);
    assert_eq!(
        names,
        [
            [&json!("api-key"), &json!(""), &json!("key-1"), &Value::Null],
            [&json!("session"), &json!("https://other.example"), &json!("s-1"), &Value::Null],
            [&json!("token"), &origin, &json!(jti), &json!("2096-01-01T00:00:00Z")],
        ]
    );

    let remove = |query: &str| world.server.delete(&format!("{REVOCATIONS}?{query}"), &world.admin);
    assert_eq!(remove(&format!("kind=token&name={jti}")).status(), 204);
    world.assert_good(REPORTS, &token);
    assert_problem(remove(&format!("kind=token&name={jti}")), 404, None, "not_found");
    assert_problem(remove("kind=session&name=s-1"), 404, None, "not_found");
    assert_eq!(remove("kind=session&name=s-1&issuer=https%3A%2F%2Fother.example").status(), 204);
    assert_eq!(remove("kind=api-key&name=key-1").status(), 204);
    assert_problem(remove("kind=everything"), 400, None, "invalid_request");
    let rest = json(world.server.get(REVOCATIONS, &world.admin), 200);
    assert_eq!(rest["data"], json!([]));
    let foreign = format!("{REVOCATIONS}?page_token=Zm9v");
    assert_problem(world.server.get(&foreign, &world.admin), 400, None, "invalid_request");
}
