use crate::support::{EMAIL, INVALID_TOKEN, PASSWORD, TestResult, TestServer, assert_problem, config, decode, json};
use serde_json::json;
use tollgate_service::Config;

const SITES: &str = "/api/v2/sites";
const TOKEN: &str = "/oauth/v2/token";

#[test]
fn keys_clients_revocations_and_signing_keys_survive_a_restart() -> TestResult {
    let folder = tempfile::tempdir()?;
    let mut server = start_as(folder.path(), "http://127.0.0.1:1");
    let user = server.accounts.add_user(EMAIL, PASSWORD, "read:sites manage:api-keys")?;
    server.accounts.add_site(&user.id, "Notes", "https://notes.example/")?;
    let key = server.accounts.add_api_key(&user.id, "laptop", "read:sites", None)?;
    let revoked = server.accounts.add_api_key(&user.id, "lost", "read:sites", None)?;
    server.accounts.revoke_api_key(&user.id, revoked.stored.record.id())?;
    let client = server.accounts.add_client("reports", "Reports", "read:reports", &[])?;
    let session = json(server.log_in(EMAIL, PASSWORD), 200);
    let token = session["meta"]["jwt"].as_str().unwrap();
    let logged_out = json(server.log_in(EMAIL, PASSWORD), 200);
    let logged_out = logged_out["meta"]["jwt"].as_str().unwrap();
    let revocation = json!({"revocation": {"kind": "token", "name": decode(logged_out).1["jti"]}});
    server.ask("/api/v2/admin/revocations", &server.key_with("admin:keys"), &revocation, 201);
    let jwks = server.client.get(server.url("/.well-known/jwks.json")).send()?.text()?;
    server.stop();

    let server = start_as(folder.path(), "http://127.0.0.1:1");
    assert_eq!(json(server.get(SITES, key.secret.as_str()), 200)["data"][0]["name"], "Notes");
    assert_problem(server.get(SITES, revoked.secret.as_str()), 401, INVALID_TOKEN, "invalid_token");
    json(server.get(SITES, token), 200);
    assert_problem(server.get(SITES, logged_out), 401, INVALID_TOKEN, "invalid_token");
    assert_eq!(server.client.get(server.url("/.well-known/jwks.json")).send()?.text()?, jwks);
    json(server.log_in(EMAIL, PASSWORD), 200);
    let form = [("grant_type", "client_credentials")];
    let request = server.client.post(server.url(TOKEN)).basic_auth("reports", Some(client.secret.as_str()));
    json(request.form(&form).send()?, 200);
    Ok(())
}

#[test]
fn a_change_is_on_the_disk_before_it_is_answered() -> TestResult {
    let folder = tempfile::tempdir()?;
    let server = TestServer::start_in(folder.path());
    let user = server.accounts.add_user(EMAIL, PASSWORD, "read:sites manage:api-keys")?;
    let old = server.accounts.add_api_key(&user.id, "laptop", "read:sites manage:api-keys", None)?;
    let new = json(server.post("/api/v2/profile/api-key", old.secret.as_str()), 201);

    // What a crash at this moment would leave: the files as they are, the first server not stopped.
    let copy = tempfile::tempdir()?;
    for entry in std::fs::read_dir(folder.path())? {
        let entry = entry?;
        std::fs::copy(entry.path(), copy.path().join(entry.file_name()))?;
    }
    let reopened = TestServer::start_in(copy.path());
    json(reopened.get(SITES, new["data"]["secret"].as_str().unwrap()), 200);
    assert_problem(reopened.get(SITES, old.secret.as_str()), 401, INVALID_TOKEN, "invalid_token");
    Ok(())
}

#[test]
fn nothing_secret_is_in_the_files() -> TestResult {
    let folder = tempfile::tempdir()?;
    let mut server = TestServer::start_in(folder.path());
    let user = server.accounts.add_user(EMAIL, PASSWORD, "read:sites")?;
    let key = server.accounts.add_api_key(&user.id, "laptop", "read:sites", None)?;
    let client = server.accounts.add_client("reports", "Reports", "read:reports", &[])?;
    server.stop();
    for entry in std::fs::read_dir(folder.path())? {
        let bytes = std::fs::read(entry?.path())?;
        for secret in [PASSWORD, key.secret.as_str(), client.secret.as_str()] {
            let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!found, "a secret is in the store");
        }
        assert!(bytes.windows(9).all(|window| window != b"$argon2i$"), "argon2id, not argon2i");
    }
    Ok(())
}

/// A server under a name that does not depend on the port, so that its tokens outlive a restart.
fn start_as(folder: &std::path::Path, base_url: &str) -> TestServer {
    let mut server =
        TestServer::start_with(Config { store: Some(folder.into()), base_url: Some(base_url.to_owned()), ..config() });
    server.origin = format!("http://{}", server.address);
    server
}
