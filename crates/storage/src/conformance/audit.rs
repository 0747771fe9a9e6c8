use super::sample::{add, after, audit, id, key, put};
use super::{AccountWorld, World};
use crate::accounts::{LoginSession, User, UserChange};
use crate::audit::{Actor, AuditFilter, AuditLog, AuditRecord, Door};
use crate::feed::Position;
use crate::key_store::Existing;
use crate::limits::MAX_AUDIT_FIELD_BYTES;
use crate::write_gate::WriteGate;
use std::sync::Arc;
use tollgate::KeyState;

pub async fn a_command_writes_down_who_asked_for_it_and_what_came_of_it(world: &dyn World) {
    let (store, other) = (world.open().await, world.open().await);
    let by = somebody();
    let commands = [add(1), put(1, KeyState::Revoked), put(1, KeyState::Active), put(2, KeyState::Disabled)];
    let commands = commands.map(|command| command.by(&by).unwrap());
    let executed = store.execute(commands.to_vec()).await.unwrap();
    assert_eq!(executed.outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 2);
    let records = all(&*other).await;
    let acts: Vec<_> = records.iter().map(|record| (&*record.action, &*record.target, &*record.outcome)).collect();
    let (one, two) = (id(1), id(2));
    assert_eq!(
        acts,
        [
            ("api-key.add", one.as_str(), "done"),
            ("api-key.revoke", one.as_str(), "done"),
            ("api-key.enable", one.as_str(), "key-revoked"),
            ("api-key.disable", two.as_str(), "not-found"),
        ]
    );
    assert!(records.iter().all(|record| record.by == by && record.at > 0));
    assert_eq!(records[0].concerns.as_deref(), Some("user_7"));
    assert_eq!(after(&store, Position::START, 10).await.1.number, executed.position.number, "no change for the feed");
    // Once, even if it is named repeatedly.
    let twice = put(1, KeyState::Revoked).by(&by).unwrap().by(&Actor::unknown(Door::Service)).unwrap();
    store.execute(vec![twice]).await.unwrap();
    assert_eq!(all(&*store).await.last().map(|record| record.by.clone()), Some(by));
}

pub async fn an_import_that_fails_leaves_no_record_of_it(world: &dyn World) {
    let store = world.open().await;
    let (done, failed) = (audit(), audit());
    store.import(vec![key(1)], Existing::Refuse, &done).await.unwrap();
    store.import(vec![key(2), key(1)], Existing::Refuse, &failed).await.unwrap_err();
    assert_eq!(all(&*store).await, [done]);
}

pub async fn audit_records_are_listed_by_page_and_filter_and_forgotten(world: &dyn World) {
    let (store, other) = (world.open().await, world.open().await);
    // A record's id begins with its creation time.
    let at = |seconds: i64, action: &str, target: &str| {
        let id = format!("{}{seconds}", AuditFilter::id_at(seconds));
        AuditRecord { id, at: seconds, ..AuditRecord::new(&somebody(), action, target).unwrap() }
    };
    let records = [at(10, "login", "s1"), at(20, "token.issue", "t1").concerning("c1"), at(30, "login", "s2")];
    store.record(&[records[2].clone(), records[0].clone(), records[1].clone()]).await.unwrap();
    store.record(&records).await.unwrap();
    assert_eq!(all(&*other).await, records, "each once, in the order of their ids");
    let list = async |filter: AuditFilter, after: Option<&str>, max| other.audit(&filter, after, max).await.unwrap();
    let any = AuditFilter::default;
    assert_eq!(list(any(), None, 2).await, records[..2]);
    assert_eq!(list(any(), Some(&records[0].id), 1).await, records[1..2]);
    assert_eq!(list(AuditFilter { since: Some(20), ..any() }, None, 9).await, records[1..]);
    assert_eq!(list(AuditFilter { since: Some(20), ..any() }, Some(&records[1].id), 9).await, records[2..]);
    assert_eq!(list(AuditFilter { until: Some(20), ..any() }, None, 9).await, records[..1]);
    let of_action = AuditFilter { action: Some("login".to_owned()), ..any() };
    assert_eq!(list(of_action, None, 9).await, [records[0].clone(), records[2].clone()]);
    for (about, found) in [("s1", &records[..1]), ("c1", &records[1..2]), ("user_1", &records[..]), ("nobody", &[])] {
        let about = AuditFilter { about: Some(about.to_owned()), ..any() };
        assert_eq!(list(about, None, 9).await, found);
    }
    assert_eq!(store.forget_audit(20).await.unwrap(), 1);
    assert_eq!(all(&*other).await, records[1..]);
    assert_eq!(store.forget_audit(20).await.unwrap(), 0);
}

pub async fn a78_of_records_that_are_written_at_once_those_that_were_given_up_are_not(world: &dyn World) {
    let store = world.open().await;
    let mut writers = Vec::new();
    for number in 0..64 {
        let (store, gate, is_given_up) = (Arc::clone(&store), WriteGate::default(), number % 8 == 0);
        assert!(!is_given_up || gate.close());
        let record = AuditRecord::new(&somebody(), "token.issue", &number.to_string()).unwrap();
        writers.push(tokio::spawn(async move {
            let written = gate.scope(store.record(std::slice::from_ref(&record))).await;
            assert_eq!((written.is_ok(), gate.may_have_written()), (!is_given_up, !is_given_up), "{written:?}");
            written.ok().map(|()| record.target)
        }));
    }
    let mut written = Vec::new();
    for writer in writers {
        written.extend(writer.await.unwrap());
    }
    let mut found: Vec<String> = all(&*store).await.into_iter().map(|record| record.target).collect();
    written.sort();
    found.sort();
    assert_eq!((found.len(), found), (56, written));
}

pub async fn what_is_too_long_for_an_audit_record_is_cut_off(world: &dyn World) {
    let store = world.open().await;
    let long = format!("\0{}é", "a".repeat(MAX_AUDIT_FIELD_BYTES - 2));
    let record = AuditRecord::new(&Actor { subject: Some(long.clone()), ..somebody() }, "login", &long).unwrap();
    store.record(std::slice::from_ref(&record)).await.unwrap();
    let read = all(&*store).await.remove(0);
    assert_eq!(read, record);
    assert!(read.target.starts_with("\u{fffd}a") && read.target.ends_with('a'), "neither U+0000 nor half a character");
    assert_eq!(read.by.subject.as_deref(), Some(read.target.as_str()));
}

pub async fn a_change_of_accounts_is_written_down_with_it_and_a_refused_one_is_not(world: &dyn AccountWorld) {
    let (store, other) = (world.open().await, world.open().await);
    let ada = User {
        id: "u1".into(),
        email: "u1@example.com".into(),
        scopes: String::new(),
        created_at: 1,
        disabled_at: None,
        epoch: 0,
    };
    let session = LoginSession {
        id: "s1".into(),
        user_id: "u1".into(),
        digest: None,
        key_id: None,
        agent: String::new(),
        address: None,
        created_at: 1,
        authenticated_at: 1,
        expires_at: 1_000,
    };
    let done: [AuditRecord; 5] = std::array::from_fn(|_| audit());
    store.add_user(&ada, "", &done[0]).await.unwrap();
    store.add_user(&ada, "", &audit()).await.unwrap_err();
    store.add_login_session(&session, 0, 1, &done[1]).await.unwrap();
    store.add_login_session(&LoginSession { id: "s2".into(), ..session }, 0, 1, &audit()).await.unwrap_err();
    assert!(store.end_login_session("u1", "s1", &done[2]).await.unwrap());
    assert!(!store.end_login_session("u1", "s1", &audit()).await.unwrap());
    store.change_user("u1", &UserChange::EndLogins, &done[3]).await.unwrap();
    store.change_user("u2", &UserChange::EndLogins, &audit()).await.unwrap_err();
    assert!(store.replace_signing_keys(0, "secret", &done[4]).await.unwrap());
    assert!(!store.replace_signing_keys(0, "secret", &audit()).await.unwrap());
    let mut done = done.to_vec();
    done.sort_by(|one, other| one.id.cmp(&other.id));
    assert_eq!(all(&*other).await, done);
}

fn somebody() -> Actor {
    Actor {
        door: Door::Http,
        subject: Some("user_1".to_owned()),
        credential: Some("api-key key_1".to_owned()),
        address: Some("2001:db8::1".to_owned()),
    }
}

async fn all(log: &(impl AuditLog + ?Sized)) -> Vec<AuditRecord> {
    log.audit(&AuditFilter::default(), None, 100).await.expect("the audit log is read")
}
