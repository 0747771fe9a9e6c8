//! The signing keys are rotated while the service runs.

use crate::support::{EMAIL, PASSWORD, TestResult, TestServer, config, decode, json, run_async};
use std::time::{Duration, Instant};
use tollgate_service::{AuditTrail, Config, KeyRotation, ServerError, StoreUrl};
use tollgate_storage::AuditFilter;

const JWKS: &str = "/.well-known/jwks.json";

/// Attack 85.
#[test]
fn a85_tokens_of_the_last_signing_key_are_accepted_after_a_rotation() -> TestResult {
    let folder = tempfile::tempdir()?;
    let store = StoreUrl::from(folder.path());
    let quick = Config { store: Some(store.clone()), upkeep_interval: Duration::from_millis(50), ..config() };
    let server = TestServer::start_with(quick);
    server.accounts.add_user(EMAIL, PASSWORD, "read:sites")?;
    let token = || json(server.log_in(EMAIL, PASSWORD), 200)["meta"]["jwt"].as_str().unwrap().to_owned();
    let kid = |token: &str| decode(token).0["kid"].as_str().unwrap().to_owned();
    let old = token();

    let rotation = run_async(KeyRotation::open(&store, None))?;
    let signs_at = run_async(rotation.rotate())?;
    assert_eq!(run_async(rotation.rotate())?, signs_at, "one is announced already");
    server.until(|| published(&server).1 == 2);
    assert_eq!(kid(&token()), kid(&old), "it does not sign yet");

    run_async(rotation.rotate_at_once())?;
    server.until(|| kid(&token()) != kid(&old));
    for token in [&old, &token()] {
        json(server.get("/api/v2/sites", &format!("Bearer {token}")), 200);
    }
    assert_eq!(run_async(rotation.keys())?.len(), 2);
    let records = run_async(async {
        AuditTrail::open(&store).await?.page(&AuditFilter::default(), None, 100).await.map_err(ServerError::from)
    })?;
    let actions: Vec<&str> = records.iter().map(|record| record.action.as_str()).collect();
    for action in ["signing-keys.announce", "signing-keys.rotate"] {
        let times = actions.iter().filter(|done| **done == action).count();
        assert_eq!(times, 1, "{action}: {actions:?}");
    }
    Ok(())
}

#[test]
fn a_jwks_that_has_not_changed_is_not_sent_again() -> TestResult {
    let folder = tempfile::tempdir()?;
    let store = StoreUrl::from(folder.path());
    let quick = Config { store: Some(store.clone()), upkeep_interval: Duration::from_millis(50), ..config() };
    let (server, twin) = (TestServer::start_with(quick.clone()), TestServer::start_with(quick));
    let (tag, _) = published(&server);
    assert_eq!(published(&twin).0, tag, "the same keys have the same tag in each process");
    let again = |tags: &str| server.client.get(server.url(JWKS)).header("if-none-match", tags).send().unwrap();
    for tags in [tag.clone(), format!("\"x\", W/{tag}"), "*".to_owned()] {
        let answer = again(&tags);
        assert_eq!((answer.status().as_u16(), answer.headers()["etag"].to_str()?), (304, tag.as_str()), "{tags}");
        assert_eq!(answer.text()?, "");
    }
    assert_eq!(again("\"x\"").status().as_u16(), 200);
    run_async(run_async(KeyRotation::open(&store, None))?.rotate())?;
    server.until(|| again(&tag).status().as_u16() == 200);
    Ok(())
}

#[test]
fn a_store_that_no_service_has_used_has_no_signing_keys() {
    let folder = tempfile::tempdir().unwrap();
    let rotation = run_async(KeyRotation::open(&StoreUrl::from(folder.path()), None)).unwrap();
    assert!(matches!(run_async(rotation.keys()), Err(ServerError::NoSigningKeys)));
    assert!(matches!(run_async(rotation.rotate()), Err(ServerError::NoSigningKeys)));
}

/// The tag of the JWKS, and how many keys are in it.
fn published(server: &TestServer) -> (String, usize) {
    let answer = server.client.get(server.url(JWKS)).send().unwrap();
    let tag = answer.headers()["etag"].to_str().unwrap().to_owned();
    (tag, json(answer, 200)["keys"].as_array().unwrap().len())
}

impl TestServer {
    /// Waits until the upkeep has done it.
    #[track_caller]
    fn until(&self, is_done: impl Fn() -> bool) {
        let start = Instant::now();
        while !is_done() {
            assert!(start.elapsed() < Duration::from_secs(20), "not done at {}", self.origin);
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}
