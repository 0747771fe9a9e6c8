//! Opaque access tokens and client secrets: revoked together, registered together, freed when they have expired.

use crate::support::{NOW, format, id, key, secret, store};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tollgate::{ApiKeyTable, KeyKind, KeyRecord, KeyState, Revocations};
use tollgate_storage::{Change, Client, Follower, Since, StoredKey, TokensOf};

fn token(number: u64, subject: &str, client: &str, made: i64) -> StoredKey {
    let id = id(number);
    let record = KeyRecord::access_token(&id, subject).client_id(client);
    StoredKey::native(&format(), &secret(number), record).made_at(made)
}

#[test]
fn tokens_are_revoked_by_subject_by_client_and_by_time() {
    let (_folder, store) = store();
    store
        .add_keys(&[
            token(1, "ada", "blog", NOW),
            token(2, "ada", "shop", NOW + 1),
            token(3, "grace", "blog", NOW),
            token(4, "grace", "shop", NOW),
            StoredKey { record: KeyRecord::api_key(&id(5), "ada").build(), ..key(5) },
        ])
        .unwrap();
    let revoked = || -> Vec<u64> {
        let is_revoked = |number: &u64| store.key(&id(*number)).unwrap().unwrap().record.state() == KeyState::Revoked;
        (1..=5).filter(is_revoked).collect()
    };
    let at = store.position();
    let before = at.number;
    assert_eq!(store.revoke_access_tokens(TokensOf::Subject("ada".to_owned()), NOW + 1).unwrap(), (1, before + 1));
    assert_eq!(revoked(), [1], "the second was made later, and an API key is no token");
    let Since::Changes(read) = store.changes_after(at, 10).unwrap() else { panic!("compacted") };
    assert!(matches!(&read.changes[..], [(_, Change::Key(key))] if key.record.id() == id(1)));
    assert_eq!(
        store.revoke_access_tokens(TokensOf::Client("blog".to_owned()), i64::MAX).unwrap().0,
        1,
        "one was so already"
    );
    assert_eq!(revoked(), [1, 3]);
    assert_eq!(store.revoke_access_tokens(TokensOf::Client("ada".to_owned()), i64::MAX).unwrap(), (0, before + 2));
    assert_eq!(store.revoke_access_tokens(TokensOf::Anybody, i64::MAX).unwrap().0, 2);
    assert_eq!(revoked(), [1, 2, 3, 4]);
}

#[test]
fn live_keys_are_those_that_are_not_at_their_end() {
    let (_folder, store) = store();
    let made = |number: u64, end: Option<i64>, state| StoredKey {
        record: KeyRecord::api_key(&id(number), "ada").expires_at(end).state(state).build(),
        ..key(number).made_at(NOW + number as i64)
    };
    store
        .add_keys(&[
            made(1, None, KeyState::Active),
            made(2, Some(NOW + 100), KeyState::Active),
            made(3, Some(NOW + 101), KeyState::Active),
            made(4, None, KeyState::Disabled),
            made(5, None, KeyState::Revoked),
            made(6, None, KeyState::Active),
            StoredKey { record: KeyRecord::api_key(&id(7), "grace").build(), ..key(7) },
            StoredKey { record: KeyRecord::access_token(&id(8), "ada").build(), ..key(8) },
        ])
        .unwrap();
    store.rotate_key(&id(6), &made(9, None, KeyState::Active), NOW + 100).unwrap();
    let live = |now| -> Vec<String> {
        let keys = store.live_keys_of("ada", KeyKind::ApiKey, now).unwrap();
        keys.iter().map(|key| key.record.id().to_owned()).collect()
    };
    assert_eq!(live(NOW + 99), [9, 6, 4, 3, 2, 1].map(id), "the newest first");
    assert_eq!(live(NOW + 100), [9, 4, 3, 1].map(id));
}

#[test]
fn a_client_and_its_secret_are_registered_both_or_not_at_all() {
    let (_folder, store) = store();
    let client = |id: &str| {
        let uris = ["https://b.example/cb", "https://a.example/cb"];
        Client::new(id, "Reports", "read:reports", uris, NOW).unwrap()
    };
    let secret_of = |client: &str, number| {
        StoredKey::native(&format(), &secret(number), KeyRecord::client_secret(&id(number), client))
    };
    let added = store.add_client(&client("blog"), Some(&secret_of("blog", 1))).unwrap();
    assert_eq!((added, store.latest().unwrap()), (2, 2));
    assert_eq!(store.client("blog").unwrap(), Some(client("blog")));
    assert!(store.key(&id(1)).unwrap().is_some());
    let taken = store.add_client(&client("blog"), Some(&secret_of("blog", 2))).unwrap_err();
    assert_eq!(taken.code(), "already-exists");
    assert_eq!(store.key(&id(2)).unwrap(), None);
    let taken = store.add_client(&client("shop"), Some(&secret_of("shop", 1))).unwrap_err();
    assert_eq!(taken.code(), "already-exists");
    assert_eq!(store.client("shop").unwrap(), None);
    let anothers = store.add_client(&client("shop"), Some(&secret_of("blog", 3))).unwrap_err();
    assert_eq!(anothers.code(), "invalid-field");
}

#[test]
fn a_follower_frees_what_has_expired_while_it_follows() {
    let (_folder, store) = store();
    let table = Arc::new(ApiKeyTable::new(format()));
    let follower = Follower::new(store.shared(), table.clone(), Revocations::new());
    let follower = follower.max_tombstones(0).reclaim_every(Duration::from_millis(20)).spawn().unwrap();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() as i64;
    let ends_soon = |number, end| {
        StoredKey::native(&format(), &secret(number), KeyRecord::access_token(&id(number), "ada").expires_at(end))
    };
    // Twice: the next expiry is announced again after each sweep.
    for number in [1, 2] {
        let added = store.add_keys(&[ends_soon(number, now + 2), ends_soon(number + 2, now + 1_000)]).unwrap();
        assert!(follower.wait_for(added, Duration::from_secs(10)));
    }
    let limit = Instant::now() + Duration::from_secs(20);
    while table.len() > 2 {
        assert!(Instant::now() < limit, "{} records", table.len());
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(table.get(&secret(3).digest()).is_some() && table.get(&secret(4).digest()).is_some());
}
