use super::World;
use super::sample::{NOW, id, key, key_of, put, refused, run, state};
use crate::command::{Command, Issued};
use crate::error::Refusal;
use crate::key::StoredKey;
use crate::key_session::KeySession;
use crate::key_store::KeyStore;
use crate::revocation::RevocationKind;
use std::sync::Arc;
use tollgate::{KeyKind, KeyRecord, KeyState};

const ISSUER: &str = "https://as.example";

/// A key that was made with another.
fn child(number: u64, parent: u64) -> StoredKey {
    StoredKey { parent: Some(id(parent).into()), ..key(number) }
}

fn add(key: StoredKey) -> Command {
    Command::AddKey { key, max: None }
}

fn session(name: &str, key: u64) -> KeySession {
    KeySession { id: name.to_owned(), issuer: ISSUER.to_owned(), key_id: id(key), ends_at: NOW + 3_600 }
}

fn begin(name: &str, key: u64) -> Command {
    Command::AddSession { session: session(name, key), made_at: NOW }
}

/// Key 1, key 2 made with it, key 3 made with key 2, sessions of 1 and 3; and an unrelated key 4 with a session.
async fn family(store: &Arc<dyn KeyStore>) {
    for key in [key(1), child(2, 1), child(3, 2), key(4)] {
        run(store, add(key)).await;
    }
    for (name, key) in [("s1", 1), ("s3", 3), ("s4", 4)] {
        assert_eq!(run(store, begin(name, key)).await, 1);
    }
}

/// The states of keys 1 to 4, and the revoked sessions.
async fn states(store: &Arc<dyn KeyStore>) -> String {
    let mut states = String::new();
    for number in 1..=4 {
        states.push_str(&state(store, number).await.map_or("-", KeyState::as_str)[..1]);
    }
    for name in ["s1", "s3", "s4"] {
        if let Some(revocation) = store.revocation(RevocationKind::Session, ISSUER, name).await.unwrap() {
            assert_eq!((revocation.issued_before, revocation.until), (i64::MAX, NOW + 3_600));
            states.push_str(name);
        }
    }
    states
}

pub async fn a66_what_was_made_with_a_key_ends_with_it(world: &dyn World) {
    let narrower = {
        let record = key(1).record.edit().scopes(["read:sites"]).build();
        Command::ChangeKey { was: key(1), now: StoredKey { record, ..key(1) } }
    };
    let issued = Issued { made_before: NOW, until: NOW, ..Issued::default() };
    let (subject, sessions) = ("user_7".to_owned(), Vec::new());
    for (command, left) in [
        (put(1, KeyState::Disabled), "drras1s3"),
        (put(1, KeyState::Revoked), "rrras1s3"),
        (Command::RemoveKey { id: id(1) }, "-rras1s3"),
        (Command::RotateKey { id: id(1), new: key(9), overlap_ends_at: NOW }, "aaaas1s3"),
        (narrower, "arras1s3"),
        (Command::EndSubject { subject, keys: Some(KeyState::Disabled), sessions, issued }, "drrds1s3s4"),
    ] {
        let store = world.open().await;
        family(&store).await;
        assert_eq!(states(&store).await, "aaaa");
        let what = format!("{command:?}");
        run(&store, command).await;
        assert_eq!(states(&store).await, left, "{what}");
        if left.starts_with("aaaa") {
            // Rotated: each has its end.
            for number in 1..=3 {
                assert_eq!(store.key(&id(number)).await.unwrap().unwrap().ends_at(), Some(NOW), "{number}");
            }
        }
        // Enabling the key restores nothing.
        if left.starts_with('d') {
            run(&store, put(1, KeyState::Active)).await;
            assert_eq!(states(&store).await[1..3], *"rr");
        }
        forget(&store).await;
    }
}

/// Resets the store for the next round.
async fn forget(store: &Arc<dyn KeyStore>) {
    for number in [1, 2, 3, 4, 9] {
        // Some no longer exist.
        let _ = store.run(Command::RemoveKey { id: id(number) }).await.is_ok();
    }
    for name in ["s1", "s3", "s4"] {
        let restore =
            Command::Restore { kind: RevocationKind::Session, issuer: ISSUER.to_owned(), name: name.to_owned() };
        let _ = store.run(restore).await.is_ok();
    }
}

pub async fn a66_what_was_made_with_a_key_ends_when_the_overlap_of_its_rotation_does(world: &dyn World) {
    let store = world.open().await;
    family(&store).await;
    run(&store, Command::RotateKey { id: id(1), new: key(9), overlap_ends_at: NOW + 60 }).await;
    assert_eq!(states(&store).await, "aaaa");
    for number in 1..=3 {
        assert_eq!(store.key(&id(number)).await.unwrap().unwrap().ends_at(), Some(NOW + 60), "{number}");
    }
    assert_eq!(store.key(&id(9)).await.unwrap().unwrap().ends_at(), None);
    assert_eq!(run(&store, Command::EndSessions { now: NOW + 59 }).await, 0);
    assert_eq!(run(&store, Command::EndSessions { now: NOW + 60 }).await, 2);
    assert_eq!(states(&store).await, "aaaas1s3");
    assert_eq!(run(&store, Command::EndSessions { now: NOW + 60 }).await, 0);
    // A derived key passes its parent on to its successor.
    run(&store, add(child(5, 9))).await;
    run(&store, Command::RotateKey { id: id(5), new: key(6), overlap_ends_at: NOW }).await;
    run(&store, put(9, KeyState::Revoked)).await;
    assert_eq!(state(&store, 6).await, Some(KeyState::Revoked));
    // Expired sessions are removed: nothing remains to be revoked.
    assert_eq!(run(&store, begin("s5", 4)).await, 1);
    store.forget_expired(NOW + 3_600).await.unwrap();
    run(&store, put(4, KeyState::Revoked)).await;
    assert_eq!(store.revocation(RevocationKind::Session, ISSUER, "s5").await.unwrap(), None);
}

pub async fn a67_a_key_that_was_made_with_another_can_do_no_more(world: &dyn World) {
    let store = world.open().await;
    let block = |text: &str| text.parse().expect("a block");
    let bound = |key: StoredKey| {
        let record = key.record.edit().allowed_addresses([block("192.0.2.0/24")]).expires_at(NOW + 20).build();
        StoredKey { record, ..key }
    };
    run(&store, add(bound(key(1)))).await;
    let with = |record: KeyRecord| StoredKey { record, ..bound(child(2, 1)) };
    let record = bound(child(2, 1)).record;
    for (field, new) in [
        ("scopes", with(record.edit().scopes(["admin"]).build())),
        ("allowed_addresses", with(record.edit().allowed_addresses([]).build())),
        ("allowed_addresses", with(record.edit().allowed_addresses([block("0.0.0.0/0")]).build())),
        ("expires_at", with(record.edit().expires_at(NOW + 21).build())),
        ("expires_at", with(record.edit().expires_at(None).build())),
        ("subject", StoredKey { parent: Some(id(1).into()), ..key_of(2, KeyKind::ApiKey, "user_8", None) }),
    ] {
        assert_eq!(refused(&store, add(new)).await, Refusal::Field { field });
    }
    run(&store, add(with(record.edit().scopes(["read:sites"]).build()))).await;
    let of_nobody = StoredKey { parent: Some("nobody".into()), ..key(3) };
    assert_eq!(refused(&store, add(of_nobody)).await, Refusal::NotFound { what: "key" });
    run(&store, put(1, KeyState::Disabled)).await;
    assert_eq!(refused(&store, add(bound(child(3, 1)))).await, Refusal::Disabled { what: "key" });
    run(&store, put(1, KeyState::Revoked)).await;
    assert_eq!(refused(&store, add(bound(child(3, 1)))).await, Refusal::KeyRevoked);
    let secret = key_of(7, KeyKind::ClientSecret, "user_7", None);
    run(&store, add(secret)).await;
    assert_eq!(refused(&store, add(child(3, 7))).await, Refusal::Field { field: "parent" });
}

pub async fn a67_a_session_needs_a_key_that_is_good_as_long(world: &dyn World) {
    let store = world.open().await;
    let until =
        |number: u64, end: i64| StoredKey { record: key(number).record.edit().expires_at(end).build(), ..key(number) };
    run(&store, add(until(1, NOW + 3_600))).await;
    run(&store, begin("s1", 1)).await;
    run(&store, add(until(2, NOW + 3_599))).await;
    assert_eq!(refused(&store, begin("s2", 2)).await, Refusal::KeyEnded { ended_at: NOW + 3_599 });
    run(&store, add(until(3, NOW))).await;
    assert_eq!(refused(&store, begin("s3", 3)).await, Refusal::KeyEnded { ended_at: NOW });
    run(&store, put(1, KeyState::Disabled)).await;
    assert_eq!(refused(&store, begin("s4", 1)).await, Refusal::Disabled { what: "key" });
    assert_eq!(refused(&store, begin("s5", 5)).await, Refusal::NotFound { what: "key" });
}
