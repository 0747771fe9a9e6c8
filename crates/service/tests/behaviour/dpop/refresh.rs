//! Refresh tokens and the keys of their clients (RFC 9449 section 5).

use super::{jkt, key, nonce_of, proof};
use crate::authorize::TOKEN;
use crate::refresh::{App, Tokens};
use crate::support::{assert_problem, config, decode, json};
use reqwest::blocking::Response;
use serde_json::json;
use tollgate_issuer::SigningKey;
use tollgate_service::Config;

/// POST of a form of the client `app`, with a proof by `key`.
fn post(app: &App, form: &[(&str, &str)], key: Option<&SigningKey>) -> Response {
    let server = app.server();
    let url = server.url(TOKEN);
    let send = |proof: Option<String>| {
        let request = server.client.post(&url);
        let request = match &app.secret {
            Some(secret) => request.basic_auth("app", Some(secret)).form(form),
            None => request.form(&[form, &[("client_id", "app")]].concat()),
        };
        let request = if let Some(proof) = proof { request.header("dpop", proof) } else { request };
        request.send().unwrap()
    };
    let Some(key) = key else { return send(None) };
    let draft = proof(key, "POST", &url, None);
    let nonce = nonce_of(&send(Some(draft.sign(key)))).expect("a nonce");
    send(Some(draft.claim("nonce", nonce).sign(key)))
}

fn refresh(app: &App, token: &str, key: Option<&SigningKey>) -> Response {
    post(app, &[("grant_type", "refresh_token"), ("refresh_token", token)], key)
}

/// The first tokens of a grant, got with a proof.
fn grant(app: &mut App, key: &SigningKey) -> Tokens {
    let code = app.code();
    Tokens::of(post(app, &App::redemption(&code), Some(key)))
}

#[test]
fn a72_a_refresh_token_of_a_public_client_is_bound_to_its_key() {
    let mut app = App::start_at(Config { store: None, ..config() }, true, true);
    let key = key();
    let first = grant(&mut app, &key);
    assert_eq!(decode(&first.access).1["cnf"], json!({"jkt": jkt(&key)}));
    // "bound to the public key": neither without a proof nor with that of another, who uses up nothing by it.
    assert_problem(refresh(&app, &first.refresh, None), 400, None, "invalid_grant");
    assert_problem(refresh(&app, &first.refresh, Some(&super::key())), 400, None, "invalid_grant");
    let answer = json(refresh(&app, &first.refresh, Some(&key)), 200);
    assert_eq!(answer["token_type"], "DPoP");
    assert_eq!(decode(answer["access_token"].as_str().unwrap()).1["cnf"], json!({"jkt": jkt(&key)}));
    let second = answer["refresh_token"].as_str().unwrap();
    assert_problem(refresh(&app, second, Some(&super::key())), 400, None, "invalid_grant");
    json(refresh(&app, second, Some(&key)), 200);
}

#[test]
fn a72_a_public_client_that_shows_its_key_may_try_again() {
    let mut app = App::start_at(Config { store: None, ..config() }, true, true);
    let key = key();
    let first = grant(&mut app, &key);
    let successor = |answer: Response| json(answer, 200)["refresh_token"].clone();
    let second = successor(refresh(&app, &first.refresh, Some(&key)));
    // The answer was lost.
    assert_eq!(successor(refresh(&app, &first.refresh, Some(&key))), second);
    // Whoever has but the token gets nothing by it, and does not end the grant.
    assert_problem(refresh(&app, &first.refresh, Some(&super::key())), 400, None, "invalid_grant");
    successor(refresh(&app, second.as_str().unwrap(), Some(&key)));
    // It was used by now: the grant ends.
    assert_problem(refresh(&app, &first.refresh, Some(&key)), 400, None, "invalid_grant");
    assert_problem(refresh(&app, second.as_str().unwrap(), Some(&key)), 400, None, "invalid_grant");
}

#[test]
fn a_refresh_token_of_a_client_with_a_secret_is_bound_to_the_client_alone() {
    // "Refresh tokens issued to confidential clients [...] are not bound to the DPoP proof public key".
    let mut app = App::start_at(Config { store: None, ..config() }, false, true);
    let (one, other) = (key(), key());
    let first = grant(&mut app, &one);
    let answer = json(refresh(&app, &first.refresh, Some(&other)), 200);
    assert_eq!(decode(answer["access_token"].as_str().unwrap()).1["cnf"], json!({"jkt": jkt(&other)}));
    let answer = json(refresh(&app, answer["refresh_token"].as_str().unwrap(), None), 200);
    assert_eq!(answer["token_type"], "Bearer");
}
