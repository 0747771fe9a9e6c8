use crate::support::{EMAIL, PASSWORD, TestResult, TestServer, json};
use std::io;
use std::sync::{Arc, Mutex};
use tracing_subscriber::fmt::MakeWriter;

/// Everything that was logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

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
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_ansi(false);
    tracing::subscriber::set_global_default(subscriber.with_writer(log.clone()).finish())?;

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

    let log = String::from_utf8(log.0.lock().unwrap().clone())?;
    for expected in [r#"route="/api/v2/sites" status=200"#, r#"route="-" status=404"#, r#"code="encrypted-token""#] {
        assert!(log.contains(expected), "{expected} is not in the log");
    }
    let signature = token.rsplit_once('.').unwrap().1;
    let access = access["access_token"].as_str().unwrap().rsplit_once('.').unwrap().1;
    let rotated = rotated["data"]["secret"].as_str().unwrap();
    for hidden in [password.as_str(), key, secret, signature, access, rotated] {
        assert!(!log.contains(hidden), "a secret is in the log");
    }
    Ok(())
}
