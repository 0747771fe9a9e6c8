use crate::support::{
    EMAIL, INVALID_TOKEN, PASSWORD, TestResult, TestServer, assert_problem, config, json, open_store, wait,
};
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};
use tollgate::KeyKind;
use tollgate_service::{AccessTokenFormat, Config};
use tollgate_storage::{KeyFilter, KeyStore};

const REPORTS: &str = "/api/v2/reports";

fn start(folder: &Path, ttl: u64, upkeep: Duration) -> TestServer {
    TestServer::start_with(Config {
        store: Some(folder.into()),
        access_token_format: AccessTokenFormat::Opaque,
        access_token_ttl: Duration::from_secs(ttl),
        upkeep_interval: upkeep,
        ..config()
    })
}

fn bearer(server: &TestServer, secret: &str) -> String {
    format!("Bearer {}", json(server.token("reports", secret), 200)["access_token"].as_str().unwrap())
}

fn tokens_in(store: &dyn KeyStore) -> usize {
    let filter = KeyFilter { kind: Some(KeyKind::AccessToken), ..KeyFilter::default() };
    wait(store.keys(&filter, None, 1_000)).len()
}

#[test]
fn an_opaque_token_goes_the_same_road_and_is_kept_as_a_digest() -> TestResult {
    let folder = tempfile::tempdir()?;
    let mut server = start(folder.path(), 3600, Duration::from_secs(60));
    let secret = server.accounts.add_client("reports", "Reports", "read:reports write:reports", &[])?;
    let answer = json(server.token("reports", secret.secret.as_str()), 200);
    assert_eq!((&answer["token_type"], &answer["expires_in"]), (&"Bearer".into(), &3600.into()));
    assert_eq!(answer["scope"], "read:reports write:reports");
    let token = answer["access_token"].as_str().unwrap().to_owned();
    assert!(!token.contains('.'), "no JWT");

    let reports = json(server.get(REPORTS, &format!("Bearer {token}")), 200);
    assert_eq!((&reports["meta"]["client_id"], &reports["meta"]["subject"]), (&"reports".into(), &"reports".into()));
    let other_scope = server.get("/api/v2/sites", &format!("Bearer {token}"));
    assert_eq!(other_scope.status().as_u16(), 403);
    // A token is taken as Bearer, not in the place of an API key, of a client's secret, or for a session.
    assert_problem(server.get(REPORTS, &token), 401, INVALID_TOKEN, "invalid_token");
    let own_header = server.client.get(server.url(REPORTS)).header("x-api-key", &token).send()?;
    assert_problem(own_header, 401, INVALID_TOKEN, "invalid_token");
    assert_eq!(server.token("reports", &token).status().as_u16(), 401);
    let session = server.post("/api/v2/sessions", &format!("Bearer {token}"));
    assert_problem(session, 401, INVALID_TOKEN, "invalid_token");
    // Sessions are JWTs all the same.
    server.accounts.add_user(EMAIL, PASSWORD, "read:sites")?;
    let session = json(server.log_in(EMAIL, PASSWORD), 200);
    assert_eq!(session["meta"]["jwt"].as_str().unwrap().split('.').count(), 3);

    server.stop();
    for entry in std::fs::read_dir(folder.path())? {
        let bytes = std::fs::read(entry?.path())?;
        assert!(!bytes.windows(30).any(|window| window == &token.as_bytes()[10..40]), "a token is in the store");
    }
    // And it survives a restart, also into the other format.
    let server = TestServer::start_in(folder.path());
    json(server.get(REPORTS, &format!("Bearer {token}")), 200);
    Ok(())
}

#[test]
fn an_expired_token_is_rejected_and_its_row_is_cleared_away() -> TestResult {
    let folder = tempfile::tempdir()?;
    let server = start(folder.path(), 2, Duration::from_millis(100));
    let admin = server.key_with("admin:keys");
    let secret = server.accounts.add_client("reports", "Reports", "read:reports", &[])?;
    let in_memory = || json(server.get("/api/v2/admin/store", &admin), 200)["data"]["keys_in_memory"].as_u64().unwrap();
    let store = open_store(folder.path());
    let before = in_memory();
    let token = bearer(&server, secret.secret.as_str());
    let issued = Instant::now();
    assert_eq!((in_memory(), tokens_in(&*store)), (before + 1, 1));
    if issued.elapsed() < Duration::from_secs(1) {
        assert_eq!(server.get(REPORTS, &token).status().as_u16(), 200);
    }
    sleep(Duration::from_millis(2_100));
    assert_problem(server.get(REPORTS, &token), 401, INVALID_TOKEN, "invalid_token");
    let limit = Instant::now() + Duration::from_secs(20);
    while tokens_in(&*store) != 0 {
        assert!(Instant::now() < limit, "{} rows", tokens_in(&*store));
        sleep(Duration::from_millis(20));
    }
    // For a day its record says that it has expired, as long as there are not too many of these.
    assert_eq!(in_memory(), before + 1);
    assert_problem(server.get(REPORTS, &token), 401, INVALID_TOKEN, "invalid_token");
    Ok(())
}

#[test]
fn another_server_on_the_same_folder_takes_the_token_and_sees_it_end() -> TestResult {
    let folder = tempfile::tempdir()?;
    let (one, other) = (start(folder.path(), 3600, Duration::from_secs(60)), TestServer::start_in(folder.path()));
    let admin = one.key_with("admin:keys");
    let secret = one.accounts.add_client("reports", "Reports", "read:reports", &[])?;
    let token = bearer(&one, secret.secret.as_str());
    let await_status = |status: u16| {
        let limit = Instant::now() + Duration::from_secs(10);
        while other.get(REPORTS, &token).status().as_u16() != status {
            assert!(Instant::now() < limit, "never {status}");
            sleep(Duration::from_millis(5));
        }
    };
    await_status(200);
    let body = serde_json::json!({"revocation": {"kind": "client", "name": "reports", "issuer": one.origin}});
    one.ask("/api/v2/admin/revocations", &admin, &body, 201);
    await_status(401);
    Ok(())
}
