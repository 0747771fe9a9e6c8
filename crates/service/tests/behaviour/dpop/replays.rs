//! A proof at the token endpoint is good once (RFC 9449 section 11.1), whichever process it is sent to.

use super::{Bound, CREDENTIALS, key, nonce_of, proof};
use crate::authorize::{BLOG, TOKEN, VERIFIER};
use crate::cluster::shared;
use crate::processes::Service;
use crate::refresh;
use crate::support::{TestResult, TestServer, assert_problem, config, json};
use reqwest::blocking::{Client, Response};
use std::path::Path;
use tollgate_issuer::SigningKey;
use tollgate_service::{Config, StoreUrl};

const ORIGIN: &str = "https://auth.example.com";

fn config_of(store: &StoreUrl) -> Config {
    Config { store: Some(store.clone()), base_url: Some(ORIGIN.to_owned()), ..config() }
}

/// A request for a token to the process at that address.
fn ask(client: &Client, address: &str, credentials: (&str, &str), proof: &str) -> Response {
    let (id, secret) = credentials;
    let request = client.post(format!("{address}{TOKEN}")).basic_auth(id, Some(secret));
    request.form(&CREDENTIALS).header("dpop", proof).send().unwrap()
}

/// A proof with a nonce of the process at that address.
fn proof_for(client: &Client, address: &str, credentials: (&str, &str), key: &SigningKey) -> String {
    let draft = proof(key, "POST", &format!("{ORIGIN}{TOKEN}"), None);
    let nonce = nonce_of(&ask(client, address, credentials, &draft.sign(key))).expect("a nonce");
    draft.claim("nonce", nonce).sign(key)
}

fn address(server: &TestServer) -> String {
    format!("http://{}", server.address)
}

fn is_taken_once_by_two_servers(store: &StoreUrl) {
    let bound = Bound::without_wait(config_of(store));
    let other = TestServer::start_with(config_of(store));
    let (client, blog) = (&bound.server().client, bound.site.blog());
    let addresses = [address(bound.server()), address(&other)];
    for (first, second) in [(0, 1), (1, 0)] {
        let proof = proof_for(client, &addresses[first], blog, &bound.key);
        json(ask(client, &addresses[first], blog, &proof), 200);
        assert_problem(ask(client, &addresses[second], blog, &proof), 400, None, "invalid_dpop_proof");
        assert_problem(ask(client, &addresses[first], blog, &proof), 400, None, "invalid_dpop_proof");
    }
    // Of many at once one is taken.
    let proof = proof_for(client, &addresses[0], blog, &bound.key);
    let taken = std::thread::scope(|scope| {
        let ask = |number: usize| ask(client, &addresses[number % 2], blog, &proof).status().as_u16();
        let asked: Vec<_> = (0..8).map(|number| scope.spawn(move || ask(number))).collect();
        asked.into_iter().map(|asked| asked.join().unwrap()).filter(|status| *status == 200).count()
    });
    assert_eq!(taken, 1);
}

#[test]
fn a51_a_proof_is_taken_once_by_all_servers_of_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    is_taken_once_by_two_servers(&StoreUrl::from(folder.path()));
}

#[test]
fn a51_a_proof_is_taken_once_by_all_servers_of_a_database() -> TestResult {
    let Some(database) = shared() else { return Ok(()) };
    is_taken_once_by_two_servers(&StoreUrl::parse(Path::new(&database.url(&database.new_database())))?);
    Ok(())
}

#[test]
fn a51_a_proof_is_taken_once_by_processes_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let bound = Bound::without_wait(config_of(&StoreUrl::from(folder.path())));
    let (client, blog) = (&bound.server().client, bound.site.blog());
    let processes = [Service::start_as(folder.path(), ORIGIN), Service::start_as(folder.path(), ORIGIN)];
    let proof = proof_for(client, &processes[0].address, blog, &bound.key);
    json(ask(client, &processes[0].address, blog, &proof), 200);
    assert_problem(ask(client, &processes[1].address, blog, &proof), 400, None, "invalid_dpop_proof");
    let another = proof_for(client, &processes[0].address, blog, &bound.key);
    json(ask(client, &processes[1].address, blog, &another), 200);
}

#[test]
fn a51_after_a_start_proofs_are_taken_at_once_and_none_a_second_time() {
    let folder = tempfile::tempdir().unwrap();
    let store = StoreUrl::from(folder.path());
    let mut bound = Bound::without_wait(config_of(&store));
    let client = bound.server().client.clone();
    let secret = bound.site.blog().1.to_owned();
    let blog = ("blog", secret.as_str());
    let proof = proof_for(&client, &address(bound.server()), blog, &bound.key);
    json(ask(&client, &address(bound.server()), blog, &proof), 200);
    bound.site.server.stop();
    let again = TestServer::start_with(config_of(&store));
    assert_problem(ask(&client, &address(&again), blog, &proof), 400, None, "invalid_dpop_proof");
    let next = proof_for(&client, &address(&again), blog, &bound.key);
    json(ask(&client, &address(&again), blog, &next), 200);
}

/// Sends a code that does not exist, as anybody can for a public client.
fn guess(app: &refresh::App, key: &SigningKey, nonce: &str) -> Response {
    let server = app.server();
    let form = [
        ("grant_type", "authorization_code"),
        ("client_id", "app"),
        ("code", "unknown"),
        ("redirect_uri", BLOG),
        ("code_verifier", VERIFIER),
    ];
    let proof = proof(key, "POST", &server.url(TOKEN), None).claim("nonce", nonce);
    server.client.post(server.url(TOKEN)).form(&form).header("dpop", proof.sign(key)).send().unwrap()
}

#[test]
fn a83_proofs_that_anybody_can_send_are_throttled() {
    let app = refresh::App::start_at(Config { store: None, ..config() }, true, true);
    let key = key();
    let nonce = nonce_of(&guess(&app, &key, "none")).expect("a nonce");
    let mut answers = (0..2_000).map(|_| guess(&app, &key, &nonce));
    assert_problem(answers.next().unwrap(), 400, None, "invalid_grant");
    let refused = answers.find(|answer| answer.status().as_u16() != 400).expect("a limit");
    assert!(refused.headers().contains_key("retry-after"));
    assert_problem(refused, 503, None, "temporarily_unavailable");
}
