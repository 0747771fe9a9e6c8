use super::World;
use super::sample::{NOW, audit, format, id, key_of, put, revocation, revoke, run, secret};
use crate::client::Client;
use crate::command::Command;
use crate::key::StoredKey;
use crate::key_store::{Existing, KeyFilter};
use crate::revocation::RevocationKind;
use tollgate::{KeyKind, KeyRecord, KeyState};

pub async fn keys_are_listed_by_page_and_filter(world: &dyn World) {
    let store = world.open().await;
    assert_eq!((store.first_format().await.unwrap(), store.key_count().await.unwrap()), (None, 0));
    let keys = (0..10).map(|number| {
        let subject = if number % 2 == 0 { "even" } else { "odd" };
        key_of(number, if number < 8 { KeyKind::ApiKey } else { KeyKind::AccessToken }, subject, None)
    });
    store.import(keys.collect(), Existing::Refuse, &audit()).await.unwrap();
    run(&store, put(2, KeyState::Disabled)).await;
    let numbers = async |filter: &KeyFilter, after: Option<u64>, max| -> Vec<u64> {
        let keys = store.keys(filter, after.map(id).as_deref(), max).await.unwrap();
        keys.iter().map(|key| key.record.id().trim_start_matches("key_").parse().unwrap()).collect()
    };
    let all = KeyFilter::default();
    assert_eq!(numbers(&all, None, 4).await, [0, 1, 2, 3]);
    assert_eq!(numbers(&all, Some(3), 100).await, [4, 5, 6, 7, 8, 9]);
    let even = KeyFilter { subject: Some("even".to_owned()), ..all.clone() };
    assert_eq!(numbers(&even, Some(0), 2).await, [2, 4]);
    assert_eq!(numbers(&KeyFilter { kind: Some(KeyKind::AccessToken), ..all.clone() }, None, 100).await, [8, 9]);
    let disabled = KeyFilter { state: Some(KeyState::Disabled), ..even };
    assert_eq!(numbers(&disabled, None, 100).await, [2]);
    let foreign = StoredKey::foreign(secret(20).digest(), KeyRecord::api_key("A key", "u").expires_at(NOW));
    run(&store, Command::AddKey { key: foreign.clone(), max: None }).await;
    let first = store.keys(&all, None, 1).await.unwrap();
    assert_eq!(first.first(), Some(&foreign), "ids are ordered as bytes");
    assert_eq!(store.keys(&KeyFilter { ends_before: Some(NOW + 1), ..all.clone() }, None, 9).await.unwrap(), [foreign]);
    assert_eq!(store.keys(&KeyFilter { ends_before: Some(NOW), ..all }, None, 9).await.unwrap(), []);
    assert_eq!(store.first_format().await.unwrap().as_deref(), Some(format().head()));
    // An estimate, for the size of a table.
    assert!((5..=30).contains(&store.key_count().await.unwrap()));
}

pub async fn live_keys_are_those_that_are_not_at_their_end(world: &dyn World) {
    let store = world.open().await;
    let made = |number: u64, end: Option<i64>, state| {
        let key = key_of(number, KeyKind::ApiKey, "ada", None);
        let record = key.record.edit().expires_at(end).state(state).build();
        StoredKey { record, ..key }.made_at(NOW + i64::try_from(number / 2).unwrap())
    };
    let keys = vec![
        made(1, None, KeyState::Active),
        made(2, Some(NOW + 100), KeyState::Active),
        made(3, Some(NOW + 101), KeyState::Active),
        made(4, None, KeyState::Disabled),
        made(5, None, KeyState::Revoked),
        StoredKey { overlap_ends_at: Some(NOW + 100), ..made(6, None, KeyState::Active) },
        key_of(7, KeyKind::ApiKey, "grace", None),
        key_of(8, KeyKind::AccessToken, "ada", None),
    ];
    store.import(keys, Existing::Refuse, &audit()).await.unwrap();
    let live = async |now| -> Vec<String> {
        let keys = store.live_keys_of("ada", KeyKind::ApiKey, now).await.unwrap();
        keys.iter().map(|key| key.record.id().to_owned()).collect()
    };
    assert_eq!(live(NOW + 99).await, [6, 4, 3, 2, 1].map(id), "the newest first, of equal age the greatest id");
    assert_eq!(live(NOW + 100).await, [4, 3, 1].map(id));
}

pub async fn clients_and_revocations_are_listed_by_page(world: &dyn World) {
    let store = world.open().await;
    let client = |id: &str| Client::new(id, "", "", ["https://a.example/"], NOW).unwrap();
    for id in ["b", "a", "B", "c"] {
        run(&store, Command::AddClient { client: client(id), secret: None }).await;
    }
    assert_eq!(store.clients(None, 2).await.unwrap(), [client("B"), client("a")]);
    assert_eq!(store.clients(Some("a"), 9).await.unwrap(), [client("b"), client("c")]);
    let ordered = [
        revocation(RevocationKind::ApiKey, "key_1"),
        revocation(RevocationKind::Issuer, ""),
        revocation(RevocationKind::Subject, "B"),
        revocation(RevocationKind::Subject, "a"),
        revocation(RevocationKind::Token, "a"),
    ];
    for revoked in ordered.iter().rev() {
        run(&store, revoke(revoked)).await;
    }
    assert_eq!(store.revocations(None, 3).await.unwrap(), ordered[..3]);
    assert_eq!(store.revocations(Some(&ordered[2]), 9).await.unwrap(), ordered[3..]);
    assert_eq!(store.revocations(Some(&ordered[4]), 9).await.unwrap(), []);
    let names = [(RevocationKind::Token, "a"), (RevocationKind::Client, "a"), (RevocationKind::Subject, "a")];
    let mut of_names = store.revocations_of("https://as.example", &names).await.unwrap();
    of_names.sort_by_key(|revocation| revocation.kind.as_str());
    assert_eq!(of_names, ordered[3..]);
    assert_eq!(store.revocations_of("", &names).await.unwrap(), []);
}
