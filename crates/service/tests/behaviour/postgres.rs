//! Two servers, as on two hosts, with one database of PostgreSQL.

use crate::cluster::shared;
use crate::support::{EMAIL, PASSWORD, TestResult, TestServer, config, json};
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};
use tollgate_service::{Config, StoreUrl};

const REPORTS: &str = "/api/v2/reports";

/// Whether it becomes so within a second, which is what a change takes at most.
fn within_a_second(mut is_so: impl FnMut() -> bool) -> bool {
    let begun = Instant::now();
    loop {
        if is_so() {
            return true;
        }
        if begun.elapsed() > Duration::from_secs(1) {
            return false;
        }
        sleep(Duration::from_millis(5));
    }
}

#[test]
fn a71_what_one_host_does_counts_on_the_other() -> TestResult {
    let Some(database) = shared() else { return Ok(()) };
    let store = StoreUrl::parse(Path::new(&database.url(&database.new_database())))?;
    // One name for both, behind whatever balances the load between them.
    let base_url = Some("http://localhost:8080".to_owned());
    let start = || {
        let (store, base_url) = (Some(store.clone()), base_url.clone());
        let mut server = TestServer::start_with(Config { store, base_url, ..config() });
        server.origin = format!("http://{}", server.address);
        server
    };
    let (one, two) = (start(), start());
    let user = one.accounts.add_user(EMAIL, PASSWORD, "read:reports")?;
    let key = one.accounts.add_api_key(&user.id, "test", "read:reports", None)?;
    let secret = key.secret.as_str();
    let status = |server: &TestServer| server.get(REPORTS, secret).status().as_u16();
    assert_eq!(status(&one), 200);
    assert!(within_a_second(|| status(&two) == 200), "the key counts on the other host");
    // A user of the one logs in at the other, whose token is good at the one: they have the same signing key.
    let session = json(two.log_in(EMAIL, PASSWORD), 200);
    let token = session["meta"]["jwt"].as_str().expect("a token").to_owned();
    assert_ne!(one.get("/api/v2/profile", &format!("Bearer {token}")).status().as_u16(), 401);
    two.accounts.revoke_api_key(&user.id, key.stored.record.id())?;
    assert_eq!(status(&two), 401);
    assert!(within_a_second(|| status(&one) == 401), "the revocation counts on the other host");
    // Whoever is disabled at the one is out at the other.
    let session = json(one.log_in(EMAIL, PASSWORD), 200);
    let token = format!("Bearer {}", session["meta"]["jwt"].as_str().expect("a token"));
    let status = |server: &TestServer| server.get(REPORTS, &token).status().as_u16();
    assert_eq!((status(&one), status(&two)), (200, 200));
    one.accounts.disable_user(&user.id)?;
    assert_eq!(status(&one), 401);
    assert!(within_a_second(|| status(&two) == 401), "a user disabled at one host is out at the other");
    assert_eq!(two.log_in(EMAIL, PASSWORD).status().as_u16(), 401);
    Ok(())
}
