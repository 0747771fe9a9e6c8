//! A third-party client: oauth4webapi (npm), which sends tokens that are bound to its key.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::SystemTime;

use serde_json::json;
use tokio::net::TcpListener;
use tollgate::{Algorithm, Dpop, Engine};
use tollgate_tests::real_servers::{npm_install, skip};
use tollgate_tests::{Draft, issuer, signing_key};
use tollgate_tower::AuthLayer;

use crate::support::subject;

#[tokio::test(flavor = "multi_thread")]
async fn a_dpop_client_of_npm_is_understood() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("dpop-client");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/node");
    if let Err(missing) = npm_install(&source, &folder) {
        return skip(&missing);
    }
    let key = signing_key(Algorithm::EdDSA, 0);
    let dpop = Dpop::new().started_at(0).require_nonce();
    let engine = Engine::builder().issuer(issuer([&key])).dpop(dpop).build().unwrap();
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let whoami = || axum::routing::get(async |request: axum::extract::Request| subject(&request));
    // Nested, so that the layer sees only a part of the path.
    let sites = axum::Router::new()
        .route("/sites", whoami().post(async || "made"))
        .layer(AuthLayer::new(engine).public_origins([origin.as_str()]).unwrap());
    let app = axum::Router::new().nest("/v1", sites);
    tokio::spawn(async move { axum::serve(listener, app).await });

    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    let answers = tokio::task::spawn_blocking(move || {
        let mut client = Command::new("node")
            .arg("dpop.mjs")
            .current_dir(&folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(client.stdout.take().unwrap()).lines().map(Result::unwrap);
        let jkt = lines.next().unwrap();
        let token =
            Draft::new(&key).claim("cnf", json!({ "jkt": jkt })).claim("iat", now).claim("exp", now + 600).sign(&key);
        writeln!(client.stdin.take().unwrap(), "{token}\n{origin}/v1/sites").unwrap();
        let answers: Vec<_> = lines.collect();
        client.wait().unwrap();
        answers
    });
    assert_eq!(
        answers.await.unwrap(),
        ["nonce", "200", "200", "401 dpop invalid_dpop_proof", "401 dpop invalid_token"]
    );
}
