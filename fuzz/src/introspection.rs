use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use serde_json::Value;
use tollgate::{Engine, Introspecting, IntrospectionResponse, Introspector, OpaqueIssuer, Request};

const NOW: i64 = 1_763_827_200;
const ISSUER: &str = "https://as.example/";
const AUDIENCE: &str = "https://api.example";

struct Nobody;

impl Introspector for Nobody {
    fn introspect<'r>(&'r self, _: &'r str) -> Introspecting<'r> {
        panic!("an engine asks nobody")
    }
}

fn engine() -> Engine {
    static NOBODY: LazyLock<Arc<dyn Introspector>> = LazyLock::new(|| Arc::new(Nobody));
    let issuer = OpaqueIssuer::new(ISSUER).audience(AUDIENCE).introspector(NOBODY.clone());
    let clock = Engine::builder().opaque_issuer(issuer).clock(|| NOW).monotonic_clock(|| Duration::ZERO);
    clock.build().expect("an engine")
}

/// `json` is an introspection response. If it is accepted, then by serde_json's reading too the token is active, for
/// this audience and issuer, unbound and current; a cached response gives the same result.
pub fn introspection(json: &[u8]) {
    let engine = engine();
    let request = Request::new().authorization("Bearer token");
    let token = engine.unknown_token(&request).expect("nobody here knows it");
    let answer = token.answered(IntrospectionResponse::new(json, Instant::now()));
    match engine.verify_request(&request.introspected(&answer)) {
        Ok(principal) => {
            let says: Value = serde_json::from_slice(json).expect("what is accepted is JSON");
            assert_eq!(says["active"], true);
            let is_for_us = |audience: &Value| audience == AUDIENCE;
            assert!(is_for_us(&says["aud"]) || says["aud"].as_array().is_some_and(|all| all.iter().any(is_for_us)));
            assert!(says.get("iss").is_none_or(|iss| iss == ISSUER));
            assert!(says.get("cnf").is_none());
            assert!(says.get("exp").is_none_or(|exp| exp.as_f64().is_some_and(|exp| exp > NOW as f64)));
            assert!(says.get("nbf").is_none_or(|nbf| nbf.as_f64().is_some_and(|nbf| nbf <= NOW as f64)));
            assert_eq!(principal.subject(), says.get("sub").and_then(Value::as_str));
            assert_eq!(principal.issuer(), Some(ISSUER));
            let again = engine.verify_request(&request).expect("it is known now");
            assert_eq!((again.subject(), again.expires_at()), (principal.subject(), principal.expires_at()));
        }
        Err(rejection) => {
            let detail = rejection.to_string();
            assert!(detail.len() <= 1024 && !detail.contains(char::is_control), "{detail}");
            assert_eq!(rejection.status() == 503, rejection.code() == "issuer-unavailable");
        }
    }
}
