use crate::proxies::behind_proxies;
use crate::support::{EMAIL, PASSWORD, TestResult, TestServer, json};
use std::io;
use std::sync::{Arc, LazyLock, Mutex};
use tracing_subscriber::fmt::MakeWriter;

/// Everything that was logged, by all tests.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

pub(crate) static LOG: LazyLock<Log> = LazyLock::new(|| {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_ansi(false);
    tracing::subscriber::set_global_default(subscriber.with_writer(log.clone()).finish()).unwrap();
    log
});

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[test]
fn no_secret_is_logged_at_the_most_talkative_level() -> TestResult {
    let log = &*LOG;
    let password = format!("{PASSWORD}-of-the-log-test");
    let server = TestServer::start();
    let user = server.accounts.add_user(EMAIL, &password, "read:sites manage:api-keys")?;
    let key = server.accounts.add_api_key(&user.id, "laptop", "read:sites manage:api-keys", None)?;
    let client = server.accounts.add_client("log-test", "Log test", "read:reports", &[])?;
    let (key, secret) = (key.secret.as_str(), client.secret.as_str());

    let session = json(server.log_in(EMAIL, &password), 200);
    assert_eq!(server.log_in(EMAIL, &format!("{password}-wrong")).status().as_u16(), 401);
    let token = session["meta"]["jwt"].as_str().unwrap();
    json(server.get("/api/v2/sites", token), 200);
    let forged = token.replace('.', "..");
    assert_eq!(server.get("/api/v2/sites", &forged).status().as_u16(), 401);
    let form = [("grant_type", "client_credentials")];
    let request = server.client.post(server.url("/oauth/v2/token")).basic_auth("log-test", Some(secret)).form(&form);
    let access = json(request.send()?, 200);
    let in_the_path = server.client.get(server.url(&format!("/api/v2/{key}\u{7}?access_token={key}"))).send()?;
    assert_eq!(in_the_path.status().as_u16(), 404);
    let rotated = json(server.post("/api/v2/profile/api-key", key), 201);
    assert_eq!(server.get("/api/v2/sites", key).status().as_u16(), 401);

    let log = log.text();
    for expected in [r#"route="/api/v2/sites" status=200"#, r#"route="-" status=404"#, r#"code="encrypted-token""#] {
        assert!(log.contains(expected), "{expected} is not in the log");
    }
    let rejected = |line: &str| line.contains(" INFO ") && line.contains(r#"code="encrypted-token" detail="#);
    assert!(log.lines().any(rejected), "a rejection is logged with its detail");
    let ended = |line: &str| line.contains(r#"code="expired" detail=expired at "#);
    assert!(log.lines().any(ended), "a key that has ended is told from one that nobody knows");
    let signature = token.rsplit_once('.').unwrap().1;
    let access = access["access_token"].as_str().unwrap().rsplit_once('.').unwrap().1;
    let rotated = rotated["data"]["secret"].as_str().unwrap();
    for hidden in [password.as_str(), key, secret, signature, access, rotated] {
        assert!(!log.contains(hidden), "a secret is in the log");
    }
    Ok(())
}

#[test]
fn nobody_but_a_trusted_proxy_chooses_the_id_of_a_request() -> TestResult {
    let log = &*LOG;
    let server = TestServer::start();
    let answer = server.client.get(server.url("/healthz")).header("x-request-id", "chosen-by-a-client").send()?;
    let id = answer.headers()["x-request-id"].to_str()?;
    assert!(id.starts_with("request_"), "{id}");
    assert!(log.text().contains(&format!("request{{request_id=\"{id}\"}}")));
    assert!(!log.text().contains("chosen-by-a-client"));
    Ok(())
}

#[test]
fn a75_the_log_names_the_client_that_a_trusted_proxy_names() -> TestResult {
    let log = &*LOG;
    let server = behind_proxies(&["127.0.0.1"]);
    let health = |value: &str| server.client.get(server.url("/healthz")).header("x-forwarded-for", value).send();
    health("203.0.113.75, 198.51.100.75")?;
    let request = r#"method=GET route="/healthz" status=200"#;
    assert!(log.text().contains(&format!("client=198.51.100.75 {request}")));
    assert!(!log.text().contains("client=203.0.113.75"));
    let direct = TestServer::start();
    direct.client.get(direct.url("/healthz")).header("x-forwarded-for", "203.0.113.76").send()?;
    assert!(log.text().contains(&format!("client=127.0.0.1 {request}")));
    assert!(!log.text().contains("client=203.0.113.76"));
    Ok(())
}
