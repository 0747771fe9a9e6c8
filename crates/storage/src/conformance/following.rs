use super::World;
use super::sample::{add, after, audit, done, format, id, key, put, revocation, revoke, run, secret, state, token};
use crate::client::Client;
use crate::command::{Command, Issued};
use crate::feed::{Change, KeyFeed};
use crate::follower::Follower;
use crate::key::StoredKey;
use crate::key_store::{Existing, KeyFilter, KeyStore};
use crate::registered_clients::RegisteredClients;
use crate::revocation::RevocationKind;
use std::sync::Arc;
use std::time::Duration;
use tollgate::{ApiKeyTable, ConfirmationMethod, Engine, KeyState, Revocations};

/// An engine, and the follower of its store.
fn engine(feed: Arc<dyn KeyFeed>) -> (Engine, Follower) {
    let (table, revocations) = (Arc::new(ApiKeyTable::new(format())), Revocations::new());
    let builder = Engine::builder().api_keys(Arc::clone(&table)).revocations(revocations.clone());
    (builder.build().expect("the engine is built"), Follower::new(feed, table, revocations))
}

fn code(engine: &Engine, number: u64) -> &'static str {
    engine.verify(secret(number).as_str().as_bytes()).map_or_else(|rejection| rejection.code(), |_| "accepted")
}

pub async fn a51_a_bound_token_stays_bound_on_every_way_to_an_engine(world: &dyn World) {
    let store = world.open().await;
    let token = |number: u64| {
        let token = token(number, "ada", "app", 0);
        let record = token.record.edit().bound_to(ConfirmationMethod::KeyThumbprint([7; 32])).build();
        StoredKey { record, ..token }
    };
    let (engine, mut follower) = engine(store.clone());
    follower.catch_up().await.unwrap();
    // By the feed: added, imported, imported beside one that is there, changed.
    run(&store, Command::AddKey { key: token(1), max: None }).await;
    store.import(vec![token(2)], Existing::Refuse, &audit()).await.unwrap();
    store.import(vec![token(2), token(3)], Existing::Skip, &audit()).await.unwrap();
    for state in [KeyState::Disabled, KeyState::Active] {
        run(&store, put(1, state)).await;
    }
    follower.catch_up().await.unwrap();
    // By a snapshot.
    let (newer, mut its_follower) = self::engine(store);
    its_follower.catch_up().await.unwrap();
    for engine in [engine, newer] {
        for number in 1..=3 {
            let bearer = format!("Bearer {}", secret(number).as_str());
            assert_eq!(engine.verify(bearer).unwrap_err().code(), "proof-required", "{number}");
        }
    }
}

pub async fn an_engine_goes_by_what_another_process_changes(world: &dyn World) {
    let (store, other) = (world.open().await, world.open().await);
    store.import((0..10).map(key).collect(), Existing::Refuse, &audit()).await.unwrap();
    let (engine, follower) = engine(store.clone());
    let thread = follower.spawn().unwrap();
    let restore = Command::Restore { kind: RevocationKind::ApiKey, issuer: String::new(), name: id(1) };
    for (command, expected) in [
        (revoke(&revocation(RevocationKind::ApiKey, &id(1))), "revoked"),
        (restore, "accepted"),
        (put(1, KeyState::Disabled), "disabled"),
        (put(1, KeyState::Active), "accepted"),
        (put(1, KeyState::Revoked), "revoked"),
        (Command::RemoveKey { id: id(1) }, "unknown-api-key"),
    ] {
        let said = format!("{command:?}");
        let end = done(&other, command).await;
        assert!(thread.wait_for(end.number, Duration::from_secs(10)), "{said}");
        assert_eq!(code(&engine, 1), expected, "{said}");
    }
    // A copy is restored, and the same number of changes is made again.
    world.save().await;
    run(&other, put(2, KeyState::Revoked)).await;
    let lost = done(&other, add(20)).await;
    assert!(thread.wait_for(lost.number, Duration::from_secs(10)));
    assert_eq!((code(&engine, 2), code(&engine, 20)), ("revoked", "accepted"));
    world.restore().await;
    run(&other, put(3, KeyState::Revoked)).await;
    run(&other, add(21)).await;
    for _ in 0..500 {
        if code(&engine, 3) == "revoked" && code(&engine, 21) == "accepted" && code(&engine, 20) != "accepted" {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let codes = [2, 3, 20, 21].map(|number| code(&engine, number));
    assert_eq!(codes, ["accepted", "revoked", "unknown-api-key", "accepted"]);
}

/// The registered clients of a store, and their follower.
fn registered(store: &Arc<dyn KeyStore>) -> (RegisteredClients, Follower) {
    let clients = RegisteredClients::new();
    let (_, follower) = engine(store.clone());
    (clients.clone(), follower.clients(clients))
}

fn client(id: &str, name: &str) -> Client {
    Client::new(id, name, "read:sites", ["https://app.example/callback"], 0).expect("the client may be registered")
}

/// The names of the clients `a`, `b` and `c`.
fn names(clients: &RegisteredClients) -> [Option<String>; 3] {
    let name = |id| clients.client(id).unwrap().map(|client| client.name().to_owned());
    ["a", "b", "c"].map(name)
}

pub async fn a_follower_has_the_registered_clients(world: &dyn World) {
    let (store, other) = (world.open().await, world.open().await);
    let add = |id| Command::AddClient { client: client(id, id), secret: None };
    let (disable, remove) = {
        let issued = || Issued { issuers: Vec::new(), made_before: 1, until: 2 };
        let disable = Command::DisableClient { id: "b".into(), issued: issued() };
        (disable, Command::RemoveClient { id: "a".into(), issued: issued() })
    };
    run(&store, add("a")).await;
    let (clients, mut follower) = registered(&store);
    assert!(clients.is_empty());
    follower.catch_up().await.unwrap();
    assert_eq!(clients.client("a").unwrap().as_deref(), Some(&client("a", "a")), "in the snapshot");
    for command in [add("b"), Command::ChangeClient(client("a", "A")), disable.clone()] {
        run(&other, command).await;
    }
    follower.catch_up().await.unwrap();
    assert_eq!(names(&clients), [Some("A".into()), Some("b".into()), None]);
    assert!(clients.client("b").unwrap().unwrap().settings().is_disabled);
    run(&other, remove.clone()).await;
    follower.catch_up().await.unwrap();
    assert_eq!((names(&clients), clients.len()), ([None, Some("b".into()), None], 1));

    // With another snapshot, while there are keys.
    run(&other, super::sample::add(1)).await;
    follower.catch_up().await.unwrap();
    for command in [add("a"), add("c"), remove] {
        run(&other, command).await;
    }
    store.compact(1).await.unwrap();
    follower.catch_up().await.unwrap();
    assert_eq!((names(&clients), clients.len()), ([None, Some("b".into()), Some("c".into())], 2));
}

pub async fn a79_a_client_that_cannot_be_decoded_is_no_unregistered_one(world: &dyn World) {
    let store = world.open().await;
    for id in ["a", "b"] {
        run(&store, Command::AddClient { client: client(id, id), secret: None }).await;
    }
    let (clients, mut follower) = registered(&store);
    follower.catch_up().await.unwrap();
    // Changed, so that the log names it, and corrupted before the follower reads it.
    run(&store, Command::ChangeClient(client("a", "A"))).await;
    world.corrupt_client("a").await;
    follower.catch_up().await.unwrap();
    // The same for a new follower.
    let (anew, mut its_follower) = registered(&store);
    its_follower.catch_up().await.unwrap();
    for (clients, follower) in [(clients, follower), (anew, its_follower)] {
        assert_eq!(clients.client("a").unwrap_err().code(), "store-corrupt");
        assert_eq!((clients.client("b").unwrap().is_some(), clients.len()), (true, 2));
        assert_eq!(follower.progress().lag().unreadable, 1);
    }
}

pub async fn a79_a_row_that_cannot_be_decoded_stops_nothing_but_itself(world: &dyn World) {
    let store = world.open().await;
    store.import((1..=3).map(key).collect(), Existing::Refuse, &audit()).await.unwrap();
    let (engine, mut follower) = engine(store.clone());
    let at = follower.catch_up().await.unwrap();
    assert_eq!([1, 2, 3].map(|number| code(&engine, number)), ["accepted"; 3]);

    // Changed again, so that the log names it, and corrupted before the follower reads it.
    run(&store, put(2, KeyState::Disabled)).await;
    world.corrupt(&id(2)).await;
    let end = done(&store, add(4)).await;
    let (changes, through) = after(&store, at, 10).await;
    let [(_, Change::Unreadable { digest, row, .. }), (_, Change::Key(added))] = &changes[..] else {
        panic!("{changes:?}")
    };
    assert_eq!((*digest, row.contains(&id(2)), added, through), (Some(secret(2).digest()), true, &key(4), end));
    assert_eq!(follower.catch_up().await.unwrap(), end);
    let expected = ["accepted", "unknown-api-key", "accepted", "accepted"];
    assert_eq!([1, 2, 3, 4].map(|number| code(&engine, number)), expected);
    assert_eq!(follower.progress().lag().unreadable, 1);
    assert!(follower.progress().last_unreadable().unwrap().to_string().contains(&id(2)));

    // The same for a new follower, and for look-ups.
    let (engine, mut follower) = self::engine(store.clone());
    follower.catch_up().await.unwrap();
    assert_eq!([1, 2, 3, 4].map(|number| code(&engine, number)), expected);
    assert_eq!(follower.progress().lag().unreadable, 1);
    let listed = store.keys(&KeyFilter::default(), None, 9).await.unwrap();
    assert_eq!(listed.iter().map(|key| key.record.id().to_owned()).collect::<Vec<_>>(), [id(1), id(3), id(4)]);
    assert_eq!(store.key(&id(2)).await.unwrap_err().code(), "store-corrupt");
    run(&store, put(3, KeyState::Disabled)).await;
    assert_eq!(state(&store, 3).await, Some(KeyState::Disabled));
}
