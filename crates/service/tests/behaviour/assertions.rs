//! `private_key_jwt`: clients that sign assertions (RFC 7523, RFC 7521, OpenID Connect Core section 9).

use crate::support::{BASIC, TestServer, assert_problem, config, decode, json, open_store, run};
use reqwest::blocking::Response;
use serde_json::{Value, json};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tollgate::Algorithm;
use tollgate_issuer::SigningKey;
use tollgate_service::Config;
use tollgate_storage::{Client, ClientAuthMethod, ClientKeys, Command};
use tollgate_tests::Draft;

const TOKEN: &str = "/oauth/v2/token";
const CLIENTS: &str = "/api/v2/admin/clients";
const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// A server with the client `robot`, and the robot's key.
struct Robot {
    server: TestServer,
    key: SigningKey,
}

impl Robot {
    fn start() -> Self {
        Self::start_with(Algorithm::ES256)
    }

    fn start_with(algorithm: Algorithm) -> Self {
        let server = TestServer::start();
        let key = SigningKey::generate(algorithm).unwrap();
        server.accounts.register_client(&robot("robot", &key)).unwrap();
        Self { server, key }
    }

    /// An assertion that the server takes, until it is changed.
    fn assertion(&self, id: &str) -> Draft {
        assertion(&self.key, &self.server.origin, id)
    }

    fn authenticate(&self, assertion: &str, further: &[(&str, &str)]) -> Response {
        post(&self.server, assertion, further)
    }

    /// Sends the assertion and expects `invalid_client`.
    #[track_caller]
    fn refuses(&self, draft: &Draft) {
        assert_problem(self.authenticate(&draft.sign(&self.key), &[]), 401, BASIC, "invalid_client");
    }
}

fn robot(id: &str, key: &SigningKey) -> Client {
    let client = Client::new(id, "Robot", "read:reports", [""; 0], 0).unwrap();
    let mut settings = client.settings().clone();
    settings.auth_method = ClientAuthMethod::PrivateKeyJwt;
    settings.jwks = Some(ClientKeys::new(jwks(key)).unwrap());
    client.with(settings).unwrap()
}

fn jwks(key: &SigningKey) -> String {
    format!(r#"{{"keys":[{}]}}"#, key.public_jwk().unwrap())
}

fn assertion(key: &SigningKey, audience: &str, id: &str) -> Draft {
    let claims = json!({"iss": "robot", "sub": "robot", "aud": audience, "exp": now() + 60, "iat": now(), "jti": id});
    Draft::new(key).payload_text(claims.to_string())
}

/// The assertion with another claim, or without it where the value is null.
fn with(robot: &Robot, name: &str, value: impl Into<Value>) -> Draft {
    let mut claims: Value = serde_json::from_str(&json!({
        "iss": "robot", "sub": "robot", "aud": robot.server.origin, "exp": now() + 60, "iat": now(), "jti": "changed",
    }).to_string())
    .unwrap();
    match value.into() {
        Value::Null => drop(claims.as_object_mut().unwrap().remove(name)),
        value => claims[name] = value,
    }
    robot.assertion("").payload_text(claims.to_string())
}

fn post(server: &TestServer, assertion: &str, further: &[(&str, &str)]) -> Response {
    let mut form = vec![
        ("grant_type", "client_credentials"),
        ("client_assertion_type", JWT_BEARER),
        ("client_assertion", assertion),
    ];
    form.extend(further);
    server.client.post(server.url(TOKEN)).form(&form).send().unwrap()
}

fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() as i64
}

#[test]
fn a_client_authenticates_by_an_assertion_under_its_key() {
    for algorithm in [Algorithm::ES256, Algorithm::EdDSA] {
        let robot = Robot::start_with(algorithm);
        let answer = json(robot.authenticate(&robot.assertion("1").sign(&robot.key), &[]), 200);
        let token = answer["access_token"].as_str().unwrap();
        let (_, claims) = decode(token);
        assert_eq!((&claims["sub"], &claims["client_id"]), (&json!("robot"), &json!("robot")));
        assert_eq!(claims["scope"], "read:reports");
        json(robot.server.get("/api/v2/reports", &format!("Bearer {token}")), 200);
        // RFC 7521 section 4.2: client_id is optional, and names the same client.
        json(robot.authenticate(&robot.assertion("2").sign(&robot.key), &[("client_id", "robot")]), 200);
        let another = robot.authenticate(&robot.assertion("3").sign(&robot.key), &[("client_id", "other")]);
        assert_problem(another, 401, BASIC, "invalid_client");
    }
}

#[test]
fn the_types_of_rfc_7523bis_and_of_older_clients_are_taken_and_no_others() {
    let robot = Robot::start();
    for (number, typ) in
        ["client-authentication+jwt", "JWT", "application/client-authentication+jwt"].iter().enumerate()
    {
        let draft = robot.assertion(&number.to_string()).header("typ", *typ);
        json(robot.authenticate(&draft.sign(&robot.key), &[]), 200);
    }
    json(robot.authenticate(&robot.assertion("none").without_header("typ").sign(&robot.key), &[]), 200);
    for typ in ["at+jwt", "dpop+jwt", "logout+jwt"] {
        robot.refuses(&robot.assertion("other").header("typ", typ));
    }
}

#[test]
fn an_assertion_is_taken_once() {
    // OpenID Connect Core section 9: "These tokens MUST only be used once".
    let robot = Robot::start();
    let assertion = robot.assertion("1").sign(&robot.key);
    json(robot.authenticate(&assertion, &[]), 200);
    assert_problem(robot.authenticate(&assertion, &[]), 401, BASIC, "invalid_client");
    // The same `jti` in another assertion too.
    robot.refuses(&with(&robot, "jti", "1"));
    json(robot.authenticate(&robot.assertion("2").sign(&robot.key), &[]), 200);
}

#[test]
fn an_assertion_is_taken_once_by_all_processes_of_a_store() {
    let folder = tempfile::tempdir().unwrap();
    let origin = "https://auth.example.com".to_owned();
    let start = || {
        let store = Some(folder.path().into());
        TestServer::start_with(Config { store, base_url: Some(origin.clone()), ..config() })
    };
    let servers = [start(), start()];
    let key = SigningKey::generate(Algorithm::ES256).unwrap();
    servers[0].accounts.register_client(&robot("robot", &key)).unwrap();
    let assertion = assertion(&key, &origin, "1").sign(&key);
    let ask = |server: &TestServer| {
        let form = [
            ("grant_type", "client_credentials"),
            ("client_assertion_type", JWT_BEARER),
            ("client_assertion", &assertion),
        ];
        let url = format!("http://{}{TOKEN}", server.address);
        server.client.post(url).form(&form).send().unwrap()
    };
    json(ask(&servers[0]), 200);
    assert_problem(ask(&servers[1]), 401, BASIC, "invalid_client");
}

#[test]
fn the_claims_of_rfc_7523_section_3_are_checked() {
    let robot = Robot::start();
    let origin = &robot.server.origin;
    // 1 and 2: iss and sub are the client's id. 3: aud is this server, and as rfc7523bis says, nobody else.
    for claim in ["iss", "sub", "aud", "exp", "jti"] {
        robot.refuses(&with(&robot, claim, Value::Null));
    }
    robot.refuses(&with(&robot, "iss", "other"));
    robot.refuses(&with(&robot, "sub", "other"));
    let token_endpoint = format!("{origin}{TOKEN}");
    for audience in [json!("https://other.example"), json!([origin, "https://other.example"]), json!(token_endpoint)] {
        robot.refuses(&with(&robot, "aud", audience));
    }
    robot.refuses(&with(&robot, "jti", ""));
    // 4: exp. 5: nbf. An assertion is short-lived; clocks may differ by a minute.
    robot.refuses(&with(&robot, "exp", now() - 61));
    robot.refuses(&with(&robot, "exp", now() + 3_600));
    robot.refuses(&with(&robot, "nbf", now() + 90));
    json(robot.authenticate(&with(&robot, "aud", json!([origin])).sign(&robot.key), &[]), 200);
}

#[test]
fn an_assertion_under_no_key_of_the_client_is_refused() {
    let robot = Robot::start();
    // RFC 7523 section 3: 9, "digitally signed or have a MAC".
    let stranger = SigningKey::generate(Algorithm::ES256).unwrap();
    let forged = robot.assertion("1").sign(&stranger);
    assert_problem(robot.authenticate(&forged, &[]), 401, BASIC, "invalid_client");
    let unsigned = robot.assertion("1").header("alg", "none").with_signature("");
    assert_problem(robot.authenticate(&unsigned, &[]), 401, BASIC, "invalid_client");
    // client_secret_jwt, with the public key as its secret.
    let keys: Value = serde_json::from_str(&jwks(&robot.key)).unwrap();
    let mac = SigningKey::from_secret(Algorithm::HS256, keys["keys"][0]["x"].as_str().unwrap().as_bytes()).unwrap();
    let by_mac = robot.assertion("1").header("alg", "HS256").sign(&mac);
    assert_problem(robot.authenticate(&by_mac, &[]), 401, BASIC, "invalid_client");
    // Another client's key speaks for that client alone.
    robot.server.accounts.register_client(&self::robot("other", &stranger)).unwrap();
    assert_problem(robot.authenticate(&forged, &[]), 401, BASIC, "invalid_client");
    for nonsense in ["", "a.b.c", "x"] {
        let status = robot.authenticate(nonsense, &[]).status().as_u16();
        assert!([400, 401].contains(&status), "{nonsense:?}: {status}");
    }
}

#[test]
fn a_client_authenticates_in_one_way_and_in_its_own() {
    let robot = Robot::start();
    let server = &robot.server;
    let secret = server.accounts.add_client("reports", "Reports", "read:reports", &[]).unwrap().secret;
    // RFC 6749 section 2.3.
    let both = robot.authenticate(&robot.assertion("1").sign(&robot.key), &[("client_secret", secret.as_str())]);
    assert_problem(both, 400, None, "invalid_request");
    let form = [
        ("grant_type", "client_credentials"),
        ("client_assertion_type", JWT_BEARER),
        ("client_assertion", &robot.assertion("1").sign(&robot.key)),
    ];
    let both = server.client.post(server.url(TOKEN)).basic_auth("reports", Some(secret.as_str())).form(&form);
    assert_problem(both.send().unwrap(), 400, None, "invalid_request");
    // RFC 7521 section 4.2: the type says what the assertion is.
    for form in [&form[..1], &form[..2]] {
        let status = server.client.post(server.url(TOKEN)).form(form).send().unwrap().status().as_u16();
        assert!([400, 401].contains(&status), "{status}");
    }
    let saml =
        [form[0], ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:saml2-bearer"), form[2]];
    assert_problem(server.client.post(server.url(TOKEN)).form(&saml).send().unwrap(), 401, BASIC, "invalid_client");
    // Nor as a public client.
    let public = [("grant_type", "client_credentials"), ("client_id", "robot")];
    assert_problem(server.client.post(server.url(TOKEN)).form(&public).send().unwrap(), 401, BASIC, "invalid_client");
    json(server.client.post(server.url(TOKEN)).form(&form).send().unwrap(), 200);
}

#[test]
fn a_client_with_keys_is_registered_disabled_and_given_others_over_http() {
    let server = TestServer::start();
    let admin = server.key_with("admin:keys");
    let key = SigningKey::generate(Algorithm::ES256).unwrap();
    let keys: Value = serde_json::from_str(&jwks(&key)).unwrap();
    let wanted = |keys: &Value| {
        json!({"client": {"id": "robot", "name": "Robot", "scope": "read:reports",
                          "token_endpoint_auth_method": "private_key_jwt", "jwks": keys}})
    };
    // RFC 7591 section 2: public keys. A private one would be known to whoever reads the store.
    let private: Value = serde_json::from_str(&key.to_private_jwk()).unwrap();
    let symmetric =
        json!({"kty": "oct", "alg": "HS256", "k": "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75"});
    for refused in
        [json!({"keys": []}), json!({"keys": [private]}), json!({"keys": [symmetric]}), json!({}), json!(null)]
    {
        assert_problem(server.post_json(CLIENTS, &admin, &wanted(&refused)), 400, None, "invalid_request");
    }
    let made = server.ask(CLIENTS, &admin, &wanted(&keys), 201);
    assert_eq!((&made["data"]["jwks"], &made["data"]["secret"]), (&keys, &Value::Null));
    assert_eq!((&made["data"]["state"], &made["data"]["secrets"]), (&json!("active"), &json!([])));
    let ask = |id: &str| post(&server, &assertion(&key, &server.origin, id).sign(&key), &[]);
    json(ask("1"), 200);
    json(server.post(&format!("{CLIENTS}/robot/disable"), &admin), 200);
    assert_problem(ask("2"), 401, BASIC, "invalid_client");
    json(server.post(&format!("{CLIENTS}/robot/enable"), &admin), 200);
    json(ask("3"), 200);
    assert_eq!(server.post(&format!("{CLIENTS}/robot/rotate-secret"), &admin).status().as_u16(), 400);

    let (next, path) = (SigningKey::generate(Algorithm::ES256).unwrap(), format!("{CLIENTS}/robot/jwks"));
    let next_keys: Value = serde_json::from_str(&jwks(&next)).unwrap();
    let refused = server.post_json(&path, &admin, &json!({"jwks": {"keys": []}}));
    assert_problem(refused, 400, None, "invalid_request");
    assert_eq!(server.ask(&path, &admin, &json!({"jwks": next_keys}), 200)["data"]["jwks"], next_keys);
    assert_problem(ask("4"), 401, BASIC, "invalid_client");
    json(post(&server, &assertion(&next, &server.origin, "5").sign(&next), &[]), 200);
    let unknown = server.post_json(&format!("{CLIENTS}/nobody/jwks"), &admin, &json!({"jwks": next_keys}));
    assert_problem(unknown, 404, None, "not_found");
    let of_secrets = json!({"client": {"id": "shop", "name": "Shop", "scope": "read:reports"}});
    server.ask(CLIENTS, &admin, &of_secrets, 201);
    let unfit = server.post_json(&format!("{CLIENTS}/shop/jwks"), &admin, &json!({"jwks": next_keys}));
    assert_problem(unfit, 400, None, "invalid_request");
}

#[test]
fn a_key_that_is_taken_from_a_client_signs_no_further_assertion() {
    let folder = tempfile::tempdir().unwrap();
    let server = TestServer::start_in(folder.path());
    let keys = [SigningKey::generate(Algorithm::ES256).unwrap(), SigningKey::generate(Algorithm::ES256).unwrap()];
    server.accounts.register_client(&robot("robot", &keys[0])).unwrap();
    let ask = |key: &SigningKey, id: &str| post(&server, &assertion(key, &server.origin, id).sign(key), &[]);
    json(ask(&keys[0], "1"), 200);
    run(&open_store(folder.path()), Command::ChangeClient(robot("robot", &keys[1])));
    // As every change by another process, within 200 ms; the machine may be slow.
    let start = Instant::now();
    let refused = (0..).map(|attempt| ask(&keys[0], &format!("2.{attempt}"))).find(|answer| answer.status() != 200);
    assert!(start.elapsed() < Duration::from_secs(10));
    assert_problem(refused.unwrap(), 401, BASIC, "invalid_client");
    json(ask(&keys[1], "3"), 200);
}
