use crate::support::{
    BASIC, BEARER, EMAIL, INVALID_TOKEN, PASSWORD, TestResult, TestServer, assert_problem, decode, json,
};
use reqwest::blocking::Response;

const TOKEN: &str = "/oauth/v2/token";
const REPORTS: &str = "/api/v2/reports";
const GRANT: (&str, &str) = ("grant_type", "client_credentials");

/// A server with the client `reports`, and its secret.
fn start() -> (TestServer, String) {
    let server = TestServer::start();
    let scopes = "read:reports write:reports";
    let client = server.accounts.add_client("reports", "Reports", scopes, &[]).unwrap();
    let secret = client.secret.as_str().to_owned();
    (server, secret)
}

fn post(server: &TestServer, id: &str, secret: &str, form: &[(&str, &str)]) -> Response {
    server.client.post(server.url(TOKEN)).basic_auth(id, Some(secret)).form(form).send().unwrap()
}

#[test]
fn id_and_secret_buy_an_access_token() {
    let (server, secret) = start();
    let response = post(&server, "reports", &secret, &[GRANT]);
    assert_eq!(response.headers()["cache-control"], "no-store");
    assert_eq!(response.headers()["pragma"], "no-cache");
    let answer = json(response, 200);
    assert_eq!(answer["token_type"], "Bearer");
    assert_eq!(answer["expires_in"], 3600);
    assert_eq!(answer["scope"], "read:reports write:reports");

    let token = answer["access_token"].as_str().unwrap();
    let (header, claims) = decode(token);
    assert_eq!(header["typ"], "at+jwt");
    assert_eq!(claims["iss"], server.origin);
    assert_eq!(claims["aud"], server.origin);
    assert_eq!(claims["sub"], "reports");
    assert_eq!(claims["client_id"], "reports");
    assert_eq!(claims["scope"], "read:reports write:reports");
    assert!(claims["jti"].is_string());
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 3600);

    let reports = json(server.get(REPORTS, &format!("Bearer {token}")), 200);
    assert_eq!(reports["meta"]["client_id"], "reports");
}

#[test]
fn credentials_are_taken_from_the_form_too() {
    let (server, secret) = start();
    let form = [GRANT, ("client_id", "reports"), ("client_secret", &secret)];
    json(server.client.post(server.url(TOKEN)).form(&form).send().unwrap(), 200);
}

#[test]
fn basic_credentials_are_form_decoded() {
    // RFC 6749 section 2.3.1: each is form-encoded before the two are joined.
    let (server, secret) = start();
    let encoded: String = "reports".bytes().map(|byte| format!("%{byte:02x}")).collect();
    json(post(&server, &encoded, &secret, &[GRANT]), 200);
    assert_problem(post(&server, "re%70orts%3A", &secret, &[GRANT]), 401, BASIC, "invalid_client");
}

#[test]
fn a_scope_narrows_and_never_widens() {
    let (server, secret) = start();
    let narrow = json(post(&server, "reports", &secret, &[GRANT, ("scope", "write:reports")]), 200);
    assert_eq!(narrow["scope"], "write:reports");
    let token = narrow["access_token"].as_str().unwrap();
    let challenge = r#"Bearer error="insufficient_scope", scope="read:reports""#;
    assert_problem(server.get(REPORTS, token), 403, Some(challenge), "insufficient_scope");

    for scope in ["read:sites", "read:reports read:sites", "read:reports  write:reports", "read"] {
        assert_problem(post(&server, "reports", &secret, &[GRANT, ("scope", scope)]), 400, None, "invalid_scope");
    }
    // An empty one counts as absent (RFC 6749 section 3.1).
    let all = json(post(&server, "reports", &secret, &[GRANT, ("scope", "")]), 200);
    assert_eq!(all["scope"], "read:reports write:reports");
}

#[test]
fn a_client_that_cannot_prove_itself_is_told_so_by_a_basic_challenge() -> TestResult {
    let (server, secret) = start();
    let other = server.accounts.add_client("other", "Other", "read:reports", &[])?;
    let user = server.accounts.add_user(EMAIL, PASSWORD, "read:sites")?;
    let key = server.accounts.add_api_key(&user.id, "laptop", "read:sites", None)?;
    for (id, secret) in [
        ("reports", "wrong"),
        ("reports", ""),
        ("reports", other.secret.as_str()),
        ("reports", key.secret.as_str()),
        ("nobody", secret.as_str()),
        ("", secret.as_str()),
    ] {
        assert_problem(post(&server, id, secret, &[GRANT]), 401, BASIC, "invalid_client");
    }
    let anonymous = server.client.post(server.url(TOKEN)).form(&[GRANT]).send()?;
    assert_problem(anonymous, 401, BASIC, "invalid_client");
    for authorization in ["Basic", "Basic !", "Bearer abc", "Basic cmVwb3J0cw=="] {
        let request = server.client.post(server.url(TOKEN)).header("authorization", authorization).form(&[GRANT]);
        assert_problem(request.send()?, 401, BASIC, "invalid_client");
    }
    Ok(())
}

#[test]
fn malformed_requests_are_answered_as_rfc_6749_says() {
    let (server, secret) = start();
    let ask = |form: &[(&str, &str)]| post(&server, "reports", &secret, form);
    assert_problem(ask(&[]), 400, None, "invalid_request");
    assert_problem(ask(&[("grant_type", "")]), 400, None, "invalid_request");
    assert_problem(ask(&[("grant_type", "password")]), 400, None, "unsupported_grant_type");
    assert_problem(ask(&[GRANT, GRANT]), 400, None, "invalid_request");
    assert_problem(ask(&[GRANT, ("scope", "a"), ("scope", "b")]), 400, None, "invalid_request");
    // Two ways of authenticating, or two clients.
    assert_problem(ask(&[GRANT, ("client_secret", &secret)]), 400, None, "invalid_request");
    assert_problem(ask(&[GRANT, ("client_id", "other")]), 400, None, "invalid_request");
    json(ask(&[GRANT, ("client_id", "reports")]), 200);

    let body = server.client.post(server.url(TOKEN)).basic_auth("reports", Some(&secret));
    let no_form = body.header("content-type", "application/json").body("{}").send().unwrap();
    assert_problem(no_form, 400, None, "invalid_request");
    let not_text = server.client.post(server.url(TOKEN)).basic_auth("reports", Some(&secret));
    let not_text = not_text.header("content-type", "application/x-www-form-urlencoded").body("grant_type=%ff");
    assert_problem(not_text.send().unwrap(), 400, None, "invalid_request");
}

#[test]
fn reports_need_a_token_with_their_scope() -> TestResult {
    let (server, secret) = start();
    let user = server.accounts.add_user(EMAIL, PASSWORD, "read:sites")?;
    let key = server.accounts.add_api_key(&user.id, "laptop", "read:sites", None)?;
    assert_problem(server.client.get(server.url(REPORTS)).send()?, 401, BEARER, "unauthorized");
    assert_problem(server.get(REPORTS, "Bearer a.b.c"), 401, INVALID_TOKEN, "invalid_token");
    assert_eq!(server.get(REPORTS, key.secret.as_str()).status().as_u16(), 403);
    // A secret is no key.
    assert_problem(server.get(REPORTS, &secret), 401, INVALID_TOKEN, "invalid_token");
    assert_problem(server.get(REPORTS, &format!("Bearer {secret}")), 401, INVALID_TOKEN, "invalid_token");
    Ok(())
}

#[test]
fn a57_a_client_secret_is_for_the_token_endpoint_alone() -> TestResult {
    let (server, secret) = start();
    json(server.token("reports", &secret), 200);
    for path in [REPORTS, "/api/v2/sites", "/api/v2/profile", "/api/v2/api_keys", "/api/v2/admin/api-keys"] {
        for secret in [secret.as_str(), "wrong"] {
            let request = server.client.get(server.url(path)).basic_auth("reports", Some(secret));
            assert_problem(request.send()?, 401, BEARER, "unauthorized");
        }
    }
    // Nor does the token endpoint take anything else.
    let user = server.accounts.add_user(EMAIL, PASSWORD, "read:reports")?;
    let key = server.accounts.add_api_key(&user.id, "laptop", "read:reports", None)?;
    let form = [("grant_type", "client_credentials")];
    for authorization in [key.secret.as_str().to_owned(), format!("Bearer {}", key.secret.as_str())] {
        let request = server.client.post(server.url(TOKEN)).header("authorization", authorization).form(&form);
        assert_eq!(request.send()?.status().as_u16(), 401);
    }
    Ok(())
}
