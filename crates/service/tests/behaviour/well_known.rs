use crate::support::{EMAIL, PASSWORD, TestResult, TestServer, json};
use serde_json::Value;
use tollgate::{Engine, Issuer, KeySet};

fn get(server: &TestServer, path: &str) -> Value {
    json(server.client.get(server.url(path)).send().unwrap(), 200)
}

#[test]
fn another_server_can_verify_what_is_issued_here() -> TestResult {
    // As an embedder would: discover, fetch the keys, verify.
    let server = TestServer::start();
    server.accounts.add_user(EMAIL, PASSWORD, "read:sites")?;
    let session = json(server.log_in(EMAIL, PASSWORD), 200);

    let metadata = get(&server, "/.well-known/oauth-authorization-server");
    let issuer = metadata["issuer"].as_str().unwrap();
    let jwks = server.client.get(metadata["jwks_uri"].as_str().unwrap()).send()?;
    assert_eq!(jwks.headers()["content-type"], "application/jwk-set+json");
    let jwks = jwks.text()?;
    assert!(!jwks.contains("\"d\""), "no private part is published");

    let keys = KeySet::builder().jwks(jwks.as_bytes())?.build()?;
    let engine = Engine::builder().issuer(Issuer::new(issuer).audience(issuer).keys(keys)).build()?;
    let principal = engine.verify(session["meta"]["jwt"].as_str().unwrap().as_bytes())?;
    assert_eq!(principal.subject(), session["data"]["id"].as_str());
    Ok(())
}

#[test]
fn the_metadata_describes_what_is_there() {
    let server = TestServer::start();
    let metadata = get(&server, "/.well-known/oauth-authorization-server");
    assert_eq!(metadata["issuer"], server.origin);
    assert_eq!(metadata["token_endpoint"], server.url("/oauth/v2/token"));
    assert_eq!(metadata["authorization_endpoint"], server.url("/oauth/v2/authorize"));
    assert_eq!(metadata["code_challenge_methods_supported"], serde_json::json!(["S256"]));
    let resource = get(&server, "/.well-known/oauth-protected-resource");
    assert_eq!(resource["resource"], server.origin);
    assert_eq!(resource["authorization_servers"], serde_json::json!([server.origin]));
}

#[test]
fn answers_carry_the_security_headers() -> TestResult {
    let server = TestServer::start();
    for path in ["/healthz", "/api/v2/sites", "/nowhere", "/oauth/v2/authorize"] {
        let response = server.client.get(server.url(path)).send()?;
        let headers = response.headers();
        assert_eq!(headers["x-content-type-options"], "nosniff", "{path}");
        assert_eq!(headers["cache-control"], "no-store", "{path}");
        assert!(headers.contains_key("content-security-policy"), "{path}");
    }
    Ok(())
}
