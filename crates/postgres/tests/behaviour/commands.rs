//! Commands and look-ups, also concurrently.

use std::collections::BTreeSet;
use std::sync::Arc;

use parking_lot::Mutex;
use tollgate::{Digest, KeyKind, KeyRecord, KeyState};
use tollgate_postgres::PostgresStore;
use tollgate_storage::{
    Change, Client, Command, Existing, Issued, KeyFeed, KeyFilter, KeyStore, Position, Refusal, RevocationKind, Since,
    StorageError, StoredKey, StoredRevocation, TokensOf,
};

use crate::cluster::shared;
use crate::support::{add, audit, block_on, changes, execute, key, open};

/// A store in its own database, and the database's name.
async fn store() -> Option<(PostgresStore, String)> {
    let server = shared()?;
    let database = server.new_database();
    Some((open(&server.config(&database)).await, database))
}

fn of_subject(number: u64, subject: &str) -> StoredKey {
    let mut key = key(number);
    key.record = KeyRecord::api_key(&format!("key_{number}"), subject).into();
    key.created_at = 1000;
    key
}

async fn all_at_once(store: &PostgresStore, commands: Vec<Command>) -> Vec<Result<u64, Refusal>> {
    let running = commands.into_iter().map(|command| {
        let store = store.clone();
        tokio::spawn(async move { execute(&store, command).await.unwrap().outcomes.remove(0) })
    });
    let mut outcomes = Vec::new();
    for one in running.collect::<Vec<_>>() {
        outcomes.push(one.await.unwrap());
    }
    outcomes
}

#[test]
fn eight_rotations_of_one_key_at_once_give_one_working_key() {
    block_on(async {
        let Some((store, _)) = store().await else { return };
        execute(&store, Command::AddKey { key: of_subject(0, "user"), max: None }).await.unwrap();
        let rotate =
            |number| Command::RotateKey { id: "key_0".into(), new: of_subject(number, "user"), overlap_ends_at: 2000 };
        let outcomes = all_at_once(&store, (1..=8).map(rotate).collect()).await;
        assert_eq!(outcomes.iter().filter(|outcome| **outcome == Ok(2)).count(), 1, "{outcomes:?}");
        assert!(outcomes.iter().all(|outcome| matches!(outcome, Ok(2) | Err(Refusal::KeyRotated { .. }))));
        assert_eq!(store.live_keys_of("user", KeyKind::ApiKey, 3000).await.unwrap().len(), 1);
    });
}

#[test]
fn no_more_keys_are_added_than_may_be_however_many_try_at_once() {
    block_on(async {
        let Some((store, _)) = store().await else { return };
        let add = |number| Command::AddKey { key: of_subject(number, "user"), max: Some(5) };
        let outcomes = all_at_once(&store, (0..32).map(add).collect()).await;
        assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 5);
        assert!(outcomes.iter().all(|outcome| matches!(outcome, Ok(1) | Err(Refusal::TooMany { max: 5 }))));
    });
}

#[test]
fn of_many_that_add_one_id_or_digest_one_does_and_a_refused_command_has_written_nothing() {
    block_on(async {
        let Some((store, _)) = store().await else { return };
        let secret = |client: u64| {
            let client = format!("client_{client}");
            StoredKey::foreign(Digest::from_bytes([7; 32]), KeyRecord::client_secret("secret", &client))
        };
        let add = |number| Command::AddClient {
            client: Client::new(&format!("client_{number}"), "", "", ["https://app.example/cb"], 5).unwrap(),
            secret: Some(secret(number)),
        };
        let outcomes = all_at_once(&store, (0..16).map(add).collect()).await;
        assert_eq!(outcomes.iter().filter(|outcome| **outcome == Ok(2)).count(), 1, "{outcomes:?}");
        let clients = store.clients(None, 100).await.unwrap();
        assert_eq!(clients.len(), 1, "a client without its secret");
        let secrets = store.live_keys_of(clients[0].id(), KeyKind::ClientSecret, 0).await.unwrap();
        assert_eq!(secrets.len(), 1);
    });
}

#[test]
fn a_command_that_is_refused_keeps_no_other_from_being_done() {
    block_on(async {
        let Some((store, _)) = store().await else { return };
        let executed = store.execute(vec![add(1), add(1), add(2)]).await.unwrap();
        assert_eq!(executed.outcomes, [Ok(1), Err(Refusal::AlreadyExists { what: "key" }), Ok(1)]);
        assert_eq!(executed.position, store.latest().await.unwrap());
        assert_eq!(executed.position.number, 2);
        let nothing = store.execute(vec![add(1)]).await.unwrap();
        assert_eq!(nothing.position, executed.position);
    });
}

#[test]
fn everything_that_can_be_done_reads_back_as_it_was_written() {
    block_on(async {
        let Some((store, _)) = store().await else { return };
        let (client, issuer) =
            (Client::new("app", "App", "a b", ["https://app.example/cb"], 5).unwrap(), "https://as.example");
        let mut token = of_subject(1, "user");
        token.record = KeyRecord::access_token("token", "user").client_id(Some("app")).scopes(["a", "b"]).build();
        let mut full = of_subject(2, "user");
        full.record = KeyRecord::api_key("full", "user")
            .scopes(["x", "y:z"])
            .not_before(Some(7))
            .expires_at(Some(9_000))
            .name("two words \u{1f511}")
            .metadata(&[0, 255, 1])
            .allowed_addresses(["192.0.2.0/24".parse().unwrap(), "2001:db8::1".parse().unwrap()])
            .build();
        full.format = Some("tg_live_".into());
        full.rotated_to = Some("other".into());
        full.overlap_ends_at = Some(8_000);
        let commands = vec![
            Command::AddClient { client: client.clone(), secret: None },
            Command::AddKey { key: token.clone(), max: None },
            Command::AddKey { key: full.clone(), max: None },
            Command::Revoke {
                revocation: StoredRevocation::new(RevocationKind::Subject, issuer, "user"),
                with_opaque: true,
            },
        ];
        let executed = store.execute(commands).await.unwrap();
        assert_eq!(executed.outcomes, [Ok(1), Ok(1), Ok(1), Ok(2)]);
        assert_eq!(store.key("full").await.unwrap(), Some(full.clone()));
        assert_eq!(store.key_of(&full.digest).await.unwrap(), Some(full.clone()));
        assert_eq!(store.client("app").await.unwrap(), Some(client.clone()));
        assert_eq!(store.first_format().await.unwrap().as_deref(), Some("tg_live_"));
        let revoked = token.in_state(KeyState::Revoked);
        let (read, _) = changes(&store, Position::START).await;
        let expected = [
            Change::Client(client.clone()),
            Change::Key(revoked.clone()),
            Change::Key(full.clone()),
            Change::Revocation(StoredRevocation::new(RevocationKind::Subject, issuer, "user")),
            Change::Key(revoked.clone()),
        ];
        assert_eq!(read.into_iter().map(|(_, change)| change).collect::<Vec<_>>(), expected);

        let commands = vec![
            Command::PutKeyInState { id: "full".into(), state: KeyState::Disabled },
            Command::ChangeKey { was: full.clone().in_state(KeyState::Disabled), now: full.clone() },
            Command::RemoveKey { id: "full".into() },
            Command::Restore { kind: RevocationKind::Subject, issuer: issuer.into(), name: "user".into() },
            Command::RevokeTokens { of: TokensOf::Anybody, made_before: i64::MAX },
            Command::DisableClient {
                id: "app".into(),
                issued: Issued { issuers: vec![issuer.into()], made_before: 9, until: 99 },
            },
            Command::RemoveClient { id: "app".into(), issued: Issued::default() },
        ];
        let executed = store.execute(commands).await.unwrap();
        assert_eq!(executed.outcomes, [Ok(1), Ok(1), Ok(1), Ok(1), Ok(0), Ok(2), Ok(1)]);
        assert_eq!(store.client("app").await.unwrap(), None);
        assert_eq!(store.revocation(RevocationKind::Client, issuer, "app").await.unwrap().unwrap().until, 99);
        assert_eq!(store.revocations(None, 10).await.unwrap().len(), 1);
        let (read, _) = changes(&store, Position { number: 5, ..tag_of(&store, 5).await }).await;
        assert!(read.iter().any(|(_, change)| *change == Change::KeyRemoved { digest: full.digest }));
        assert!(read.iter().any(|(_, change)| *change == Change::ClientRemoved { id: "app".into() }));
        let restored = |change: &Change| matches!(change, Change::RevocationRemoved { name, .. } if &**name == "user");
        assert!(read.iter().any(|(_, change)| restored(change)));
    });
}

/// The position with that number.
async fn tag_of(store: &PostgresStore, number: u64) -> Position {
    match store.changes_after(Position::START, number as usize).await.unwrap() {
        Since::Changes(read) => read.through,
        Since::Compacted => panic!("compacted"),
    }
}

#[test]
fn lists_are_in_order_and_come_in_pages() {
    block_on(async {
        let Some((store, _)) = store().await else { return };
        let names = ["B", "a", "\u{e9}", "b", "a-", "aa", "Z"];
        for (number, name) in (0..).zip(names) {
            let mut key = of_subject(number, "user");
            key.record = KeyRecord::api_key(name, if number % 2 == 0 { "even" } else { "odd" }).into();
            let revocation = StoredRevocation::new(RevocationKind::ApiKey, "", name);
            let commands = vec![Command::AddKey { key, max: None }, Command::Revoke { revocation, with_opaque: false }];
            store.execute(commands).await.unwrap();
        }
        let mut sorted = names.to_vec();
        sorted.sort_unstable();
        let (mut ids, mut after) = (Vec::new(), None::<String>);
        loop {
            let page = store.keys(&KeyFilter::default(), after.as_deref(), 2).await.unwrap();
            let Some(last) = page.last() else { break };
            after = Some(last.record.id().to_owned());
            ids.extend(page.iter().map(|key| key.record.id().to_owned()));
        }
        assert_eq!(ids, sorted);
        let filter = KeyFilter { subject: Some("even".into()), kind: Some(KeyKind::ApiKey), ..KeyFilter::default() };
        assert_eq!(store.keys(&filter, None, 100).await.unwrap().len(), 4);
        let filter = KeyFilter { state: Some(KeyState::Revoked), ends_before: Some(5), ..KeyFilter::default() };
        assert_eq!(store.keys(&filter, None, 100).await.unwrap().len(), 0);
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let page = store.revocations(after.as_ref(), 3).await.unwrap();
            let Some(last) = page.last() else { break };
            after = Some(last.clone());
            found.extend(page.iter().map(|revocation| revocation.name.to_string()));
        }
        assert_eq!(found, sorted);
        assert!(store.key_count().await.unwrap() >= names.len());
    });
}

#[test]
fn an_import_adds_what_is_new_or_nothing() {
    block_on(async {
        let Some((store, _)) = store().await else { return };
        execute(&store, add(3)).await.unwrap();
        let keys: Vec<_> = [1, 2, 3, 2, 4].map(key).into();
        let refused = store.import(keys.clone(), Existing::Refuse, &audit()).await.unwrap_err();
        assert!(matches!(refused, StorageError::Key { index: 2, refusal: Refusal::AlreadyExists { .. } }), "{refused}");
        assert_eq!(store.latest().await.unwrap().number, 1);
        let added = store.import(keys, Existing::Skip, &audit()).await.unwrap();
        assert_eq!(added, [true, true, false, false, true]);
        assert_eq!(store.latest().await.unwrap().number, 4);
        let empty = of_subject(9, "");
        let refused = store.import(vec![key(8), empty], Existing::Skip, &audit()).await.unwrap_err();
        assert!(
            matches!(refused, StorageError::Key { index: 1, refusal: Refusal::Field { field: "subject" } }),
            "{refused}"
        );
        let many: Vec<_> = (100..10_100).map(key).collect();
        assert!(store.import(many, Existing::Refuse, &audit()).await.unwrap().into_iter().all(|is_added| is_added));
        assert_eq!(store.latest().await.unwrap().number, 10_004);
    });
}

#[test]
fn a_reader_that_is_further_behind_than_the_log_reaches_begins_anew() {
    block_on(async {
        let Some((store, _)) = store().await else { return };
        store.import((0..50).map(key).collect(), Existing::Refuse, &audit()).await.unwrap();
        let (tenth, last) = (tag_of(&store, 10).await, store.latest().await.unwrap());
        assert_eq!(store.compact(20).await.unwrap(), 30);
        for gone in
            [Position::START, tenth, Position { number: last.number, tag: !last.tag }, Position { number: 51, tag: 1 }]
        {
            assert!(matches!(store.changes_after(gone, 10).await.unwrap(), Since::Compacted), "{gone:?}");
        }
        assert_eq!(store.compact(0).await.unwrap(), 19);
        assert!(matches!(store.changes_after(last, 10).await.unwrap(), Since::Changes(read) if read.through == last));
        assert_eq!(store.latest().await.unwrap(), last);
    });
}

#[test]
fn a_snapshot_is_of_one_state_while_others_write() {
    block_on(async {
        let Some((store, _)) = store().await else { return };
        for chunk in 0..5_u64 {
            store
                .import((chunk * 10_000..(chunk + 1) * 10_000).map(key).collect(), Existing::Refuse, &audit())
                .await
                .unwrap();
        }
        let writer = tokio::spawn({
            let store = store.clone();
            async move {
                for number in 0..500 {
                    // Each transaction removes one and adds one.
                    let remove = Command::RemoveKey { id: format!("key_{number}") };
                    store.execute(vec![remove, add(100_000 + number)]).await.unwrap();
                }
            }
        });
        while !writer.is_finished() {
            let seen = Arc::<Mutex<Vec<String>>>::default();
            let visited = Arc::clone(&seen);
            let visit = move |changes: Vec<Change>| {
                visited.lock().extend(changes.iter().map(|change| match change {
                    Change::Key(key) => key.record.id().to_owned(),
                    other => panic!("{other:?}"),
                }));
            };
            let position = store.snapshot(Arc::new(visit)).await.unwrap();
            let seen = std::mem::take(&mut *seen.lock());
            assert_eq!(seen.len(), 50_000);
            let distinct: BTreeSet<_> = seen.iter().collect();
            assert_eq!(distinct.len(), 50_000, "a key twice");
            // It contains exactly the writes up to its position.
            let written = (position.number - 50_000) / 2;
            assert_eq!(seen.iter().filter(|id| id.len() == "key_100000".len()).count() as u64, written);
        }
        writer.await.unwrap();
    });
}

#[test]
fn a_row_that_cannot_be_read_stops_nothing_but_itself() {
    block_on(async {
        let Some((store, database)) = store().await else { return };
        let server = shared().unwrap();
        store.import((0..3).map(key).collect(), Existing::Refuse, &audit()).await.unwrap();
        server.sql(&database, "UPDATE tollgate.keys SET allowed_addresses = 'nowhere' WHERE id = 'key_1'").unwrap();
        let is_unreadable = |change: &Change| {
            matches!(change, Change::Unreadable { table: "keys", row, digest: Some(digest), .. }
                if row == "key_1" && *digest == key(1).digest)
        };
        let (read, _) = changes(&store, Position::START).await;
        assert_eq!(read.iter().filter(|(_, change)| is_unreadable(change)).count(), 1);
        assert_eq!(read.iter().filter(|(_, change)| matches!(change, Change::Key(_))).count(), 2);
        let seen = Arc::<Mutex<Vec<Change>>>::default();
        let visited = Arc::clone(&seen);
        store.snapshot(Arc::new(move |changes| visited.lock().extend(changes))).await.unwrap();
        assert_eq!(seen.lock().iter().filter(|change| is_unreadable(change)).count(), 1);
        assert_eq!(seen.lock().len(), 3);
        assert_eq!(store.keys(&KeyFilter::default(), None, 10).await.unwrap().len(), 2);
        assert_eq!(store.key("key_1").await.unwrap_err().code(), "store-corrupt");
        execute(&store, add(9)).await.unwrap();
    });
}

#[test]
fn what_expired_is_forgotten_and_a_revocation_after_the_leeway_alone() {
    block_on(async {
        let Some((store, _)) = store().await else { return };
        let mut token = of_subject(1, "user");
        token.record = KeyRecord::access_token("token", "user").expires_at(Some(1000)).build();
        let mut revocation = StoredRevocation::new(RevocationKind::ApiKey, "", "x");
        revocation.until = 1000;
        store
            .execute(vec![
                Command::AddKey { key: token, max: None },
                Command::Revoke { revocation, with_opaque: false },
            ])
            .await
            .unwrap();
        assert_eq!(store.forget_expired(999).await.unwrap(), 0);
        assert_eq!(store.forget_expired(1000).await.unwrap(), 1);
        assert_eq!(store.forget_expired(1299).await.unwrap(), 0);
        assert_eq!(store.forget_expired(1300).await.unwrap(), 1);
    });
}

#[test]
fn text_that_postgresql_cannot_hold_is_refused() {
    block_on(async {
        let Some((store, _)) = store().await else { return };
        let add = |key| Command::AddKey { key, max: Some(3) };
        let outcomes =
            store.execute(vec![add(of_subject(1, "a\0b")), add(of_subject(2, "ok"))]).await.unwrap().outcomes;
        assert_eq!(outcomes, [Err(Refusal::Field { field: "subject" }), Ok(1)]);
        assert_eq!(store.key("a\0b").await.unwrap(), None);
        assert_eq!(store.live_keys_of("a\0b", KeyKind::ApiKey, 0).await.unwrap(), []);
    });
}
