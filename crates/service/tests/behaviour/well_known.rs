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
    assert_eq!(
        metadata["device_authorization_endpoint"],
        server.url("/oauth/v2/device_authorization"),
        "RFC 8628 section 4"
    );
    let grants = metadata["grant_types_supported"].as_array().unwrap();
    assert!(grants.contains(&"urn:ietf:params:oauth:grant-type:device_code".into()));
    let resource = get(&server, "/.well-known/oauth-protected-resource");
    assert_eq!(resource["resource"], server.origin);
    assert_eq!(resource["authorization_servers"], serde_json::json!([server.origin]));
}

/// RFC 9728 section 5: with nothing but the URL of the API a client finds the endpoint of tokens.
#[test]
fn a_client_finds_its_way_from_the_challenge_to_the_token_endpoint() -> TestResult {
    let server = TestServer::start();
    for path in ["/api/v2/sites", "/api/v2/admin/clients"] {
        let refused = server.client.get(server.url(path)).send()?;
        let challenge = refused.headers()["www-authenticate"].to_str()?;
        let url = challenge.strip_prefix("Bearer resource_metadata=\"").and_then(|rest| rest.strip_suffix('"'));
        let resource = json(server.client.get(url.unwrap()).send()?, 200);
        assert!(server.url(path).starts_with(resource["resource"].as_str().unwrap()), "section 3.3");
        let issuer = resource["authorization_servers"][0].as_str().unwrap();
        let metadata = json(server.client.get(format!("{issuer}/.well-known/oauth-authorization-server")).send()?, 200);
        assert_eq!(
            (&metadata["issuer"], &metadata["token_endpoint"]),
            (&issuer.into(), &server.url("/oauth/v2/token").into())
        );
    }
    Ok(())
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
