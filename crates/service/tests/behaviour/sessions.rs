use crate::support::{
    BEARER, EMAIL, INVALID_TOKEN, PASSWORD, TestResult, TestServer, assert_problem, config, decode, json,
};
use serde_json::{Value, json};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tollgate_service::Config;

const SESSIONS: &str = "/api/v2/sessions";
const SITES: &str = "/api/v2/sites";

#[test]
fn an_api_key_buys_a_session_that_may_do_what_the_key_may() -> TestResult {
    let server = TestServer::start();
    let user = server.accounts.add_user(EMAIL, PASSWORD, "read:sites manage:api-keys")?;
    let key = server.accounts.add_api_key(&user.id, "laptop", "read:sites", None)?;

    let answer = json(server.post(SESSIONS, key.secret.as_str()), 200);
    let expected = json!({"id": user.id, "email": EMAIL, "api_key_id": key.stored.record.id()});
    assert_eq!(answer["data"], expected);

    let (header, claims) = decode(answer["meta"]["jwt"].as_str().unwrap());
    assert_eq!(header["typ"], "JWT");
    assert_eq!(claims["iss"], server.origin);
    assert_eq!(claims["aud"], server.origin);
    assert_eq!(claims["sub"], user.id);
    assert_eq!(claims["scope"], "read:sites", "not what the user may do beyond that");
    assert!(claims["jti"].as_str().is_some_and(|jti| jti.len() >= 22));
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 24 * 60 * 60);
    assert_eq!(answer["meta"]["expires_at"], rfc3339(claims["exp"].as_i64().unwrap()));
    Ok(())
}

#[test]
fn an_api_key_is_taken_raw_as_bearer_and_in_its_own_header() -> TestResult {
    let server = TestServer::start();
    let user = server.accounts.add_user(EMAIL, PASSWORD, "read:sites")?;
    let key = server.accounts.add_api_key(&user.id, "laptop", "read:sites", None)?;
    let key = key.secret.as_str();
    json(server.post(SESSIONS, key), 200);
    json(server.post(SESSIONS, &format!("Bearer {key}")), 200);
    json(server.client.post(server.url(SESSIONS)).header("x-api-key", key).send()?, 200);
    json(server.client.get(server.url(SITES)).header("x-api-key", key).send()?, 200);
    Ok(())
}

#[test]
fn a_password_buys_a_session_and_tells_whether_there_is_a_key() -> TestResult {
    let server = TestServer::start();
    let user = server.accounts.add_user(EMAIL, PASSWORD, "read:sites")?;
    let before = json(server.log_in(EMAIL, PASSWORD), 200);
    let expected = json!({"id": user.id, "email": EMAIL, "api_key_id": null, "api_key_exists": false});
    assert_eq!(before["data"], expected);

    let key = server.accounts.add_api_key(&user.id, "laptop", "read:sites", None)?;
    let response = server.log_in(" Ada@Example.COM ", PASSWORD);
    assert_eq!(response.headers()["cache-control"], "no-store");
    let text = response.text()?;
    assert!(!text.contains(key.secret.as_str()), "the key cannot be read back");
    let after: Value = serde_json::from_str(&text)?;
    assert_eq!(after["data"]["api_key_id"], key.stored.record.id());
    assert_eq!(after["data"]["api_key_exists"], true);

    let token = after["meta"]["jwt"].as_str().unwrap();
    json(server.get(SITES, token), 200);
    json(server.get(SITES, &format!("Bearer {token}")), 200);
    Ok(())
}

#[test]
fn a_wrong_password_and_an_unknown_address_are_answered_alike() -> TestResult {
    let server = TestServer::start();
    server.accounts.add_user(EMAIL, PASSWORD, "read:sites")?;
    let answers: Vec<_> = [(EMAIL, "guess"), ("nobody@example.com", PASSWORD), (EMAIL, ""), ("", "")]
        .into_iter()
        .map(|(email, password)| server.log_in(email, password))
        .map(|response| (response.status().as_u16(), response.text().unwrap()))
        .collect();
    assert_eq!(answers[0].0, 401);
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    assert_problem(server.log_in(EMAIL, "guess"), 401, BEARER, "invalid_credentials");
    Ok(())
}

#[test]
fn an_unknown_address_takes_as_long_as_a_wrong_password() -> TestResult {
    let server = TestServer::start();
    server.accounts.add_user(EMAIL, PASSWORD, "read:sites")?;
    let time = |email: &str| {
        let start = Instant::now();
        assert_eq!(server.log_in(email, "guess").status().as_u16(), 401);
        start.elapsed()
    };
    // In turns, so that a busy machine slows both down; the fastest of each has the least of that.
    let times: Vec<_> = (0..5).map(|_| (time(EMAIL), time("nobody@example.com"))).collect();
    let known = times.iter().map(|(known, _)| *known).min().unwrap();
    let unknown = times.iter().map(|(_, unknown)| *unknown).min().unwrap();
    // Without a hash it would be some forty times faster.
    assert!(unknown > known / 10, "{unknown:?} against {known:?}");
    Ok(())
}

#[test]
fn a_session_needs_an_api_key_or_a_password() -> TestResult {
    let server = TestServer::start();
    let user = server.accounts.add_user(EMAIL, PASSWORD, "read:sites")?;
    let client = server.accounts.add_client("reports", "Reports", "read:sites", &[])?;
    server.accounts.add_api_key(&user.id, "laptop", "read:sites", None)?;
    let session = json(server.log_in(EMAIL, PASSWORD), 200);
    let token = session["meta"]["jwt"].as_str().unwrap();

    assert_problem(server.client.post(server.url(SESSIONS)).send()?, 401, BEARER, "unauthorized");
    assert_problem(server.post(SESSIONS, token), 401, BEARER, "unauthorized");
    assert_problem(server.post(SESSIONS, "tg_live_nonsense"), 401, INVALID_TOKEN, "invalid_token");
    // A good password does not make up for a bad key.
    let body = json!({"session": {"email": EMAIL, "password": PASSWORD}});
    assert_problem(server.post_json(SESSIONS, "tg_live_nonsense", &body), 401, INVALID_TOKEN, "invalid_token");
    let by_client = server.client.post(server.url(SESSIONS)).basic_auth("reports", Some(client.secret.as_str()));
    assert_problem(by_client.send()?, 401, BEARER, "unauthorized");
    Ok(())
}

#[test]
fn a_malformed_body_is_refused() {
    let server = TestServer::start();
    for body in ["", "[]", "{}", r#"{"session":{}}"#, r#"{"session":{"email":1,"password":2}}"#, "email=a"] {
        let request = server.client.post(server.url(SESSIONS)).header("content-type", "application/json");
        let response = request.body(body).send().unwrap();
        let status = if body.is_empty() { 401 } else { 400 };
        assert_eq!(response.status().as_u16(), status, "{body}");
    }
    let form = server.client.post(server.url(SESSIONS)).form(&[("email", EMAIL)]).send().unwrap();
    assert_problem(form, 400, None, "invalid_request");
}

#[test]
fn sites_are_those_of_the_caller() -> TestResult {
    let server = TestServer::start();
    let ada = server.accounts.add_user(EMAIL, PASSWORD, "read:sites")?;
    let grace = server.accounts.add_user("grace@example.com", PASSWORD, "read:sites")?;
    server.accounts.add_site(&ada.id, "Notes", "https://notes.example/")?;
    server.accounts.add_site(&grace.id, "Compilers", "https://compilers.example/")?;
    let key = server.accounts.add_api_key(&ada.id, "laptop", "read:sites", None)?;

    let sites = json(server.get(SITES, key.secret.as_str()), 200);
    let names: Vec<_> = sites["data"].as_array().unwrap().iter().map(|site| &site["name"]).collect();
    assert_eq!(names, ["Notes"]);
    assert_eq!(sites["data"][0]["url"], "https://notes.example/");
    Ok(())
}

#[test]
fn sites_need_a_valid_credential() -> TestResult {
    let server = TestServer::start();
    let user = server.accounts.add_user(EMAIL, PASSWORD, "read:sites")?;
    let key = server.accounts.add_api_key(&user.id, "laptop", "read:sites", None)?;
    let key = key.secret.as_str();
    let session = json(server.post(SESSIONS, key), 200);
    let token = session["meta"]["jwt"].as_str().unwrap();
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let mistyped: String = key.chars().rev().collect();

    assert_problem(server.client.get(server.url(SITES)).send()?, 401, BEARER, "unauthorized");
    for bad in [
        "nonsense",
        "Bearer nonsense",
        "Bearer",
        &mistyped,
        &format!("{signed}."),
        &format!("Bearer {signed}.{}", signature.chars().rev().collect::<String>()),
        &format!("{token}x"),
    ] {
        assert_problem(server.get(SITES, bad), 401, INVALID_TOKEN, "invalid_token");
    }
    assert_problem(server.get(SITES, "Negotiate abc"), 401, BEARER, "unauthorized");
    let both = server.client.get(server.url(SITES)).header("authorization", key).header("x-api-key", key).send()?;
    assert_problem(both, 400, Some(r#"Bearer error="invalid_request""#), "invalid_request");
    Ok(())
}

#[test]
fn another_services_token_is_not_taken() -> TestResult {
    // Two services: what one issues is worth nothing at the other.
    let (here, there) = (TestServer::start(), TestServer::start());
    let user = there.accounts.add_user(EMAIL, PASSWORD, "read:sites")?;
    let key = there.accounts.add_api_key(&user.id, "laptop", "read:sites", None)?;
    let session = json(there.post(SESSIONS, key.secret.as_str()), 200);
    let token = session["meta"]["jwt"].as_str().unwrap();
    json(there.get(SITES, token), 200);
    assert_problem(here.get(SITES, token), 401, INVALID_TOKEN, "invalid_token");
    assert_problem(here.get(SITES, key.secret.as_str()), 401, INVALID_TOKEN, "invalid_token");
    Ok(())
}

#[test]
fn a_session_ends() -> TestResult {
    let server = TestServer::start_with(Config { store: None, session_ttl: Duration::from_secs(1), ..config() });
    let user = server.accounts.add_user(EMAIL, PASSWORD, "read:sites")?;
    let key = server.accounts.add_api_key(&user.id, "laptop", "read:sites", None)?;
    let session = json(server.post(SESSIONS, key.secret.as_str()), 200);
    let token = session["meta"]["jwt"].as_str().unwrap();
    let (_, claims) = decode(token);
    // The engine's clock is at most one tick of the kernel behind.
    let tick = Duration::from_millis(20);
    let ends = UNIX_EPOCH + Duration::from_secs(claims["exp"].as_u64().unwrap()) + tick;
    while SystemTime::now() < ends {
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_problem(server.get(SITES, token), 401, INVALID_TOKEN, "invalid_token");
    Ok(())
}

#[test]
fn a_scope_that_is_lacking_is_named() -> TestResult {
    let server = TestServer::start();
    let user = server.accounts.add_user(EMAIL, PASSWORD, "read:sites manage:api-keys")?;
    let key = server.accounts.add_api_key(&user.id, "laptop", "manage:api-keys", None)?;
    let response = server.get(SITES, key.secret.as_str());
    let challenge = r#"Bearer error="insufficient_scope", scope="read:sites""#;
    assert_problem(response, 403, Some(challenge), "insufficient_scope");
    Ok(())
}

fn rfc3339(seconds: i64) -> String {
    let time = time::OffsetDateTime::from_unix_timestamp(seconds).unwrap();
    let (date, time) = (time.date(), time.time());
    format!("{date}T{:02}:{:02}:{:02}Z", time.hour(), time.minute(), time.second())
}
