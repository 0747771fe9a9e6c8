//! RFC 9470: a resource server asks for another login, by the tower layer, and takes the token of that.

use super::{Provider, now};
use crate::authorize::code_in;
use crate::support::TestServer;
use axum::Router;
use axum::routing::get;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;
use tollgate::{Engine, Issuer, KeySet, Requirement, TypProfile};
use tollgate_tower::{AuthLayer, Require};

/// A server with its own engine, whose only route is for users who have logged in within two seconds, with the password.
fn resource_server(provider: &TestServer) -> SocketAddr {
    let jwks = provider.client.get(provider.url("/.well-known/jwks.json")).send().unwrap().bytes().unwrap();
    let keys = KeySet::builder().jwks(&jwks).unwrap().build().unwrap();
    let issuer = Issuer::new(&provider.origin).audience(&provider.origin).typ(TypProfile::AccessToken).keys(keys);
    let engine = Arc::new(Engine::builder().issuer(issuer).build().unwrap());
    let (ready, started) = channel();
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        runtime.block_on(async {
            let recent = [Requirement::login_within(2), Requirement::acr(["urn:tollgate:acr:password"])];
            let payments = Router::new()
                .route("/payments", get(async || "paid"))
                .route_layer(Require::new(Requirement::all(recent)).unwrap())
                .route_layer(AuthLayer::new(engine));
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            ready.send(listener.local_addr().unwrap()).unwrap();
            axum::serve(listener, payments).await.unwrap();
        });
    });
    started.recv().unwrap()
}

/// Sections 3 to 6.
#[test]
fn a_login_that_is_too_old_is_renewed_and_accepted() {
    let provider = Provider::start();
    let address = resource_server(provider.server());
    let pay = |tokens: &serde_json::Value| {
        let request = provider.server().client.get(format!("http://{address}/payments"));
        request.bearer_auth(tokens["access_token"].as_str().unwrap()).send().unwrap()
    };
    let (mut browser, tokens) = provider.logged_in(&[("scope", "read:sites")]);
    let logged_in_at = now();
    assert_eq!(pay(&tokens).status().as_u16(), 200);
    while now() <= logged_in_at + 3 {
        thread::sleep(Duration::from_millis(50));
    }
    let refused = pay(&tokens);
    assert_eq!(refused.status().as_u16(), 401);
    let challenge = refused.headers()["www-authenticate"].to_str().unwrap().to_owned();
    assert!(challenge.contains(r#"error="insufficient_user_authentication""#), "{challenge}");
    // What the challenge names goes into the authorization request (section 4).
    let (_, max_age) = challenge.split_once("max_age=").unwrap();
    let max_age = max_age.trim_start_matches('"').split(['"', ',', ' ']).next().unwrap();
    let asked = [("scope", "read:sites"), ("max_age", max_age), ("acr_values", "urn:tollgate:acr:password")];
    let again = provider.tokens(&code_in(&provider.log_in(&mut browser, &asked)));
    assert_eq!(pay(&again).status().as_u16(), 200);
}
