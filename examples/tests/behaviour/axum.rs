use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::thread;

use reqwest::Method;
use serde_json::json;
use tollgate::Algorithm;
use tollgate_issuer::{Minter, SigningKey, SigningKeys};

use crate::program::Program;

/// An OpenID provider, as far as an API needs one: its issuer.
fn provider(keys: &Arc<SigningKeys>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let issuer = format!("http://{}", listener.local_addr().unwrap());
    let metadata = json!({ "issuer": issuer, "jwks_uri": format!("{issuer}/jwks.json") }).to_string();
    let keys = Arc::clone(keys);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, mut request) = (stream.unwrap(), [0; 4096]);
            let length = stream.read(&mut request).unwrap();
            let is_metadata = request[..length].starts_with(b"GET /.well-known/openid-configuration ");
            let body = if is_metadata { metadata.clone() } else { keys.jwks().to_string() };
            let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length:";
            let _ = write!(stream, "{head} {}\r\n\r\n{body}", body.len());
        }
    });
    issuer
}

#[test]
fn axum_serves_bearers_of_the_providers_tokens_also_after_a_rotation() {
    let keys = Arc::new(SigningKeys::new(SigningKey::generate(Algorithm::ES256).unwrap()));
    let issuer = provider(&keys);
    let program = Program::start(env!("CARGO_BIN_EXE_axum"), &[&issuer]);
    let minter = Minter::new(issuer, Arc::clone(&keys)).unwrap();
    let bearer = |scope: &str| {
        let token = minter.token().access_token().subject("user_7").client_id("app_1");
        let token = token.audience("https://api.example.com").scope(scope).claim("tenant", json!("acme"));
        format!("Bearer {}", token.mint().unwrap())
    };
    let sites = (200, "the sites of acme\n".to_owned());
    assert_eq!(program.get("/healthz", "").0, 200);
    assert_eq!(program.get("/sites", "").0, 401);
    assert_eq!(program.get("/sites", &bearer("read:sites")), sites);
    assert_eq!(program.get("/sites", &bearer("write:sites")).0, 403);
    assert_eq!(program.ask(Method::DELETE, "/sites/3", &bearer("read:sites")).0, 403);
    let removed = (200, "site 3 is removed by user_7\n".to_owned());
    assert_eq!(program.ask(Method::DELETE, "/sites/3", &bearer("write:sites")), removed);

    keys.announce(SigningKey::generate(Algorithm::ES256).unwrap(), 0).unwrap();
    keys.rotate(0).unwrap();
    assert_eq!(program.get("/sites", &bearer("read:sites")), sites, "the first request waits for the new key");
}
