//! Who did what is in the store, by whichever way it came.

use crate::cluster::shared;
use crate::support::{EMAIL, PASSWORD, TestResult, TestServer, config, json, wait};
use serde_json::json;
use std::path::Path;
use std::time::Duration;
use tollgate_service::{AuditTrail, Config, StoreUrl, Users};
use tollgate_storage::{Actor, AuditFilter, AuditRecord, Door};

fn records(store: &StoreUrl, about: &str) -> Vec<AuditRecord> {
    wait(async {
        let trail = AuditTrail::open(store).await.unwrap();
        let filter = AuditFilter { about: Some(about.to_owned()), ..AuditFilter::default() };
        let records = trail.page(&filter, None, 1_000).await?;
        // By page, they are the same.
        let (mut paged, mut after) = (Vec::new(), None::<String>);
        loop {
            let page = trail.page(&filter, after.as_deref(), 2).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.id.clone());
            paged.extend(page);
        }
        assert_eq!(paged, records);
        Ok(records)
    })
}

fn acts(store: &StoreUrl, about: &str) -> Vec<(String, String)> {
    records(store, about).into_iter().map(|record| (record.action, record.outcome)).collect()
}

fn act(action: &str, outcome: &str) -> (String, String) {
    (action.to_owned(), outcome.to_owned())
}

/// A store on each backend.
fn for_each_store(test: impl Fn(StoreUrl)) {
    let folder = tempfile::tempdir().unwrap();
    test(folder.path().into());
    if let Some(cluster) = shared() {
        test(StoreUrl::parse(Path::new(&cluster.url(&cluster.new_database()))).unwrap());
    }
}

#[test]
fn an_administrators_acts_are_recorded_with_credential_and_address_whatever_came_of_them() {
    for_each_store(|store| {
        let server = TestServer::start_with(Config { store: Some(store.clone()), ..config() });
        let admin = server.accounts.add_user("root@example.com", PASSWORD, "admin:keys").unwrap();
        let key = server.accounts.add_api_key(&admin.id, "test", "admin:keys", None).unwrap();
        let (secret, key_id) = (key.secret.as_str(), key.stored.record.id());
        let user = json!({"user": {"email": EMAIL, "password": PASSWORD, "scope": "read:sites"}});
        let made = server.ask("/api/v2/admin/users", secret, &user, 201);
        let user_id = made["data"]["id"].as_str().unwrap();
        let path = format!("/api/v2/admin/users/{user_id}");
        json(server.post(&format!("{path}/disable"), secret), 200);
        json(server.post(&format!("{path}/enable"), secret), 200);
        server.ask("/api/v2/admin/users", secret, &user, 409);
        let client = json!({"client": {"id": "billing", "name": "Billing", "scope": "read:reports"}});
        server.ask("/api/v2/admin/clients", secret, &client, 201);
        server.ask("/api/v2/admin/clients", secret, &client, 409);
        json(server.post("/api/v2/admin/clients/billing/disable", secret), 200);
        let revocation = json!({"revocation": {"kind": "token", "name": "jti-1"}});
        server.ask("/api/v2/admin/revocations", secret, &revocation, 201);
        assert_eq!(server.delete(&path, secret).status().as_u16(), 204);
        assert_eq!(server.delete(&path, secret).status().as_u16(), 404);

        let expected = [
            act("user.add", "done"),
            act("user.disable", "done"),
            act("user.enable", "done"),
            act("user.remove", "done"),
            act("user.remove", "not-found"),
        ];
        assert_eq!(acts(&store, user_id), expected);
        let expected = [act("client.add", "done"), act("client.add", "already-exists"), act("client.disable", "done")];
        assert_eq!(acts(&store, "billing"), expected);
        assert_eq!(acts(&store, "jti-1"), [act("revoke.token", "done")]);
        let expected = Actor {
            door: Door::Http,
            subject: Some(admin.id.clone()),
            credential: Some(format!("api-key {key_id}")),
            address: Some("127.0.0.1".to_owned()),
        };
        for about in [user_id, "billing", "jti-1"] {
            assert!(records(&store, about).iter().all(|record| record.by == expected), "{about}");
        }
        // What the program that runs the service has it do.
        let made = records(&store, key_id).remove(0);
        assert_eq!((&*made.action, made.by.door), ("api-key.add", Door::Service));
    });
}

#[test]
fn logins_failed_ones_and_tokens_are_recorded() {
    for_each_store(|store| {
        let server = TestServer::start_with(Config { store: Some(store.clone()), ..config() });
        let user = server.accounts.add_user(EMAIL, PASSWORD, "read:sites").unwrap();
        let client = server.accounts.add_client("reports", "Reports", "read:reports", &[]).unwrap();
        assert_eq!(server.log_in(EMAIL, "another").status().as_u16(), 401);
        assert_eq!(server.log_in("nobody@example.com", "another").status().as_u16(), 401);
        let session = json(server.log_in(EMAIL, PASSWORD), 200);
        let token = format!("Bearer {}", session["meta"]["jwt"].as_str().unwrap());
        assert_eq!(server.delete("/api/v2/sessions/current", &token).status().as_u16(), 204);
        let expected =
            [act("user.add", "done"), act("login", "wrong-password"), act("login", "done"), act("session.end", "done")];
        assert_eq!(acts(&store, &user.id), expected);
        let [.., login, end] = &records(&store, &user.id)[..] else { unreachable!() };
        assert_eq!(login.target, end.target, "the session");
        let by = (login.by.credential.as_deref(), login.by.address.as_deref());
        assert_eq!(by, (Some("password"), Some("127.0.0.1")));
        assert_eq!(end.by.credential, Some(format!("jwt {}", login.target)));

        let issued = json(server.token("reports", client.secret.as_str()), 200);
        let claims = crate::support::decode(issued["access_token"].as_str().unwrap()).1;
        let issue = records(&store, claims["jti"].as_str().unwrap()).remove(0);
        assert_eq!((&*issue.action, issue.by.subject.as_deref()), ("token.issue", Some("reports")));
        assert_eq!(issue.concerns.as_deref(), Some("reports"));
        let filter = AuditFilter { action: Some("login".to_owned()), ..AuditFilter::default() };
        let logins = wait(async { AuditTrail::open(&store).await.unwrap().page(&filter, None, 10).await });
        assert_eq!(logins.len(), 3);
        assert!(logins.iter().all(|login| !format!("{login:?}").contains('@')), "nothing that was typed");
    });
}

#[test]
fn what_another_program_does_on_the_store_is_recorded_as_by_whom_it_says() {
    for_each_store(|store| {
        let by = Actor { subject: Some("uid 7".to_owned()), ..Actor::unknown(Door::Command) };
        let server = TestServer::start_with(Config { store: Some(store.clone()), ..config() });
        let user = server.accounts.add_user(EMAIL, PASSWORD, "read:sites").unwrap();
        wait(async {
            let users = Users::open(&store).await.unwrap().by(by.clone());
            users.disable(&user.id).await.unwrap();
            Ok(())
        });
        let records = records(&store, &user.id);
        assert_eq!(records.iter().map(|record| record.by.door).collect::<Vec<_>>(), [Door::Service, Door::Command]);
        assert_eq!(records[1].by, by);
    });
}

#[test]
fn records_are_forgotten_when_they_have_been_kept_as_long_as_configured() -> TestResult {
    let folder = tempfile::tempdir()?;
    let store = StoreUrl::from(folder.path());
    let (audit_retention, upkeep_interval) = (Duration::from_secs(2), Duration::from_millis(100));
    let config = Config { store: Some(store.clone()), audit_retention, upkeep_interval, ..config() };
    let server = TestServer::start_with(config);
    let user = server.accounts.add_user(EMAIL, PASSWORD, "read:sites")?;
    let client = server.accounts.add_client("reports", "Reports", "read:reports", &[])?;
    assert_eq!(client.stored.record.subject(), "reports");
    assert_eq!((records(&store, &user.id).len(), records(&store, "reports").len()), (1, 1));
    let begun = std::time::Instant::now();
    while !(records(&store, &user.id).is_empty() && records(&store, "reports").is_empty()) {
        assert!(begun.elapsed() < Duration::from_secs(20), "they are still there");
        std::thread::sleep(Duration::from_millis(100));
    }
    Ok(())
}
