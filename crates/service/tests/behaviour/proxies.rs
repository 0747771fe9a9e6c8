//! The service behind proxies: whom it takes for the client.

use crate::support::{EMAIL, PASSWORD, TestResult, TestServer, config, json};
use serde_json::json;
use tollgate::{ForwardedField, TrustedProxies};
use tollgate_service::Config;

/// A server that trusts these proxies, and X-Forwarded-For.
pub(crate) fn behind_proxies(proxies: &[&str]) -> TestServer {
    let blocks = proxies.iter().map(|block| block.parse().unwrap());
    let trusted_proxies = TrustedProxies::new(blocks, ForwardedField::XForwardedFor);
    TestServer::start_with(Config { store: None, trusted_proxies, ..config() })
}

/// The status of GET with that credential, from whom X-Forwarded-For names.
fn get(server: &TestServer, path: &str, credential: (&str, &str), forwarded_for: &str) -> u16 {
    let request = server.client.get(server.url(path)).header(credential.0, credential.1);
    request.header("x-forwarded-for", forwarded_for).send().unwrap().status().as_u16()
}

#[test]
fn a75_the_addresses_of_keys_are_those_that_a_trusted_proxy_names() {
    let bound_key = |server: &TestServer| {
        let admin = server.key_with("admin:keys");
        let body = json!({"api_key": {
            "subject": "account-7", "name": "deploy", "scope": "read:reports", "allowed_addresses": ["192.0.2.0/24"]
        }});
        let made = server.ask("/api/v2/admin/api-keys", &admin, &body, 201);
        made["data"]["secret"].as_str().unwrap().to_owned()
    };
    let (behind, direct) = (behind_proxies(&["127.0.0.1"]), behind_proxies(&["198.51.100.0/24"]));
    let (key, key_of_direct) = (bound_key(&behind), bound_key(&direct));
    for header in ["authorization", "x-api-key"] {
        let reports = |client: &str| get(&behind, "/api/v2/reports", (header, &key), client);
        assert_eq!(reports("192.0.2.7"), 200);
        assert_eq!(reports("203.0.113.5, 192.0.2.7"), 200);
        for elsewhere in ["192.0.2.7, 203.0.113.5", "192.0.2.7, unknown", "", "192.0.2.7, 127.0.0.1, 203.0.113.5"] {
            assert_eq!(reports(elsewhere), 403, "{elsewhere}");
        }
        assert_eq!(get(&direct, "/api/v2/reports", (header, &key_of_direct), "192.0.2.7"), 403);
    }
}

#[test]
fn a75_login_attempts_are_counted_by_whom_a_trusted_proxy_names() -> TestResult {
    let (behind, direct) = (behind_proxies(&["127.0.0.1"]), behind_proxies(&[]));
    // Too long for an address, so that no hash is computed, and counted all the same.
    let email = "a".repeat(300);
    let log_in = |server: &TestServer, client: &str, email: &str, password: &str| {
        let body = json!({"session": {"email": email, "password": password}});
        let request = server.client.post(server.url("/api/v2/sessions")).json(&body);
        request.header("x-forwarded-for", client).send().unwrap()
    };
    let use_up = |server: &TestServer, client: &dyn Fn(u32) -> String| {
        (0..100).any(|n| log_in(server, &client(n), &email, "guess").status().as_u16() == 429)
    };
    behind.accounts.add_user(EMAIL, PASSWORD, "read:sites")?;
    assert!(use_up(&behind, &|n| format!("10.0.0.{n}, 203.0.113.5")), "what the client writes does not count");
    assert_eq!(log_in(&behind, "203.0.113.5", EMAIL, PASSWORD).status().as_u16(), 429);
    json(log_in(&behind, "203.0.113.6", EMAIL, PASSWORD), 200);
    assert!(use_up(&behind, &|n| format!("10.0.0.{n}, unknown")), "those without an address share the proxy's");
    assert!(use_up(&direct, &|n| format!("10.0.0.{n}")), "nobody is trusted");
    Ok(())
}
