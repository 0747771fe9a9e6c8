use crate::support::{EMAIL, PASSWORD, TestResult, TestServer, assert_problem, config, json};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::{Duration, Instant};
use tollgate_service::{Config, Server, ServerError};

#[test]
fn login_attempts_are_limited_per_account() -> TestResult {
    let server = TestServer::start();
    server.accounts.add_user(EMAIL, PASSWORD, "read:sites")?;
    server.accounts.add_user("grace@example.com", PASSWORD, "read:sites")?;
    let mut refused = None;
    for _ in 0..11 {
        let response = server.log_in(EMAIL, "guess");
        if response.status().as_u16() == 429 {
            refused = Some(response);
            break;
        }
    }
    let refused = refused.ok_or("eleven guesses were let through")?;
    let wait: u64 = refused.headers()["retry-after"].to_str()?.parse()?;
    assert!((1..=30).contains(&wait), "{wait}");
    assert_problem(refused, 429, None, "too_many_attempts");
    // Also with the right password, and in another spelling; other accounts are not concerned.
    assert_eq!(server.log_in("ADA@example.com", PASSWORD).status().as_u16(), 429);
    json(server.log_in("grace@example.com", PASSWORD), 200);
    Ok(())
}

#[test]
fn login_attempts_are_limited_per_address() {
    let server = TestServer::start();
    // Over-long addresses are refused before a hash is computed, and are counted all the same.
    let email = "a".repeat(300);
    let statuses: Vec<u16> = (0..100).map(|_| server.log_in(&email, "guess").status().as_u16()).collect();
    assert_eq!(statuses[0], 401);
    assert!(statuses.contains(&429), "{statuses:?}");
}

#[test]
fn large_bodies_are_refused() {
    let server = TestServer::start();
    for path in ["/api/v2/sessions", "/oauth/v2/token"] {
        let request = server.client.post(server.url(path)).header("content-type", "application/json");
        assert_problem(request.body("x".repeat(17 * 1024)).send().unwrap(), 413, None, "payload_too_large");
    }
}

#[test]
fn unknown_paths_and_methods_are_answered_in_json() {
    let server = TestServer::start();
    let get = |path| server.client.get(server.url(path)).send().unwrap();
    assert_problem(get("/api/v1/sites"), 404, None, "not_found");
    assert_problem(get("/oauth/v2/token"), 405, None, "method_not_allowed");
    let put = server.client.put(server.url("/api/v2/sites")).send().unwrap();
    assert_problem(put, 405, None, "method_not_allowed");
}

#[test]
fn a_request_in_flight_is_finished_on_shutdown() -> TestResult {
    let mut server = TestServer::start();
    let address = server.origin.strip_prefix("http://").unwrap().to_owned();
    let mut stream = TcpStream::connect(&address)?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    let body = format!(r#"{{"session":{{"email":"{EMAIL}","password":"{PASSWORD}"}}}}"#);
    let head = format!(
        "POST /api/v2/sessions HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes())?;
    std::thread::sleep(Duration::from_millis(200));
    let finish = std::thread::spawn(move || -> std::io::Result<String> {
        std::thread::sleep(Duration::from_millis(300));
        stream.write_all(body.as_bytes())?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    });
    server.stop();
    let answer = finish.join().unwrap()?;
    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
    assert!(TcpStream::connect(&address).is_err(), "nobody listens any more");
    Ok(())
}

#[test]
fn idle_connections_do_not_hold_the_shutdown_up() -> TestResult {
    let mut server = TestServer::start();
    let address = server.origin.strip_prefix("http://").unwrap().to_owned();
    let _idle = TcpStream::connect(&address)?;
    assert_eq!(server.client.get(server.url("/healthz")).send()?.text()?, "ok\n");
    let start = Instant::now();
    server.stop();
    assert!(start.elapsed() < Duration::from_secs(5));
    Ok(())
}

#[tokio::test]
async fn a_configuration_that_cannot_work_is_refused() {
    let temporary = Config { store: None, ..config() };
    let refused = async |config: Config| Server::bind(config).await.map(drop).expect_err("refused").code();
    let base_url = |base_url: &str| Config { base_url: Some(base_url.to_owned()), ..temporary.clone() };
    for bad in [
        "http://auth.example.com",
        "https://auth.example.com/",
        "https://auth.example.com/path",
        "https://Auth.example.com",
        "https://user@auth.example.com",
        "ftp://127.0.0.1",
        "auth.example.com",
        "",
    ] {
        assert_eq!(refused(base_url(bad)).await, "base-url", "{bad}");
    }
    for ttl in [Duration::ZERO, Duration::from_secs(31 * 24 * 60 * 60)] {
        assert_eq!(refused(Config { session_ttl: ttl, ..temporary.clone() }).await, "lifetime");
        assert_eq!(refused(Config { access_token_ttl: ttl, ..temporary.clone() }).await, "lifetime");
        assert_eq!(refused(Config { refresh_token_idle_ttl: ttl, ..temporary.clone() }).await, "lifetime");
        assert_eq!(refused(Config { refresh_token_ttl: ttl, ..temporary.clone() }).await, "lifetime");
    }
    let listen = "0.0.0.0:0".parse().unwrap();
    assert_eq!(refused(Config { listen, ..temporary.clone() }).await, "base-url-needed");
    let store = Some(Path::new("/nonexistent").into());
    assert_eq!(refused(Config { demo: true, store, ..temporary.clone() }).await, "demo-in-real-store");
    let taken = Server::bind(temporary.clone()).await.unwrap();
    let error = Server::bind(Config { listen: taken.local_addr(), ..temporary }).await.map(drop).unwrap_err();
    assert!(matches!(error, ServerError::Listen { .. }), "{error}");
}

#[tokio::test]
async fn a_public_name_is_the_issuer() {
    let base_url = Some("https://auth.example.com".to_owned());
    let server = Server::bind(Config { store: None, base_url, ..config() }).await.unwrap();
    assert_eq!(server.origin(), "https://auth.example.com");
}
